"""Invoices that are there: found, waiting, mended, registered, deleted, handed out as files."""
