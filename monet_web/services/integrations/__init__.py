"""Integrations: added, tested, changed, listed, retired."""
