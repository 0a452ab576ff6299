"""The words of other languages: the catalog of messages, and sentences that the inner rooms say in English."""
