"""Sales invoices: the list, one invoice with the store's order beside it, and the list as a file."""

from monet_web.blueprints.invoices.views import invoices

__all__ = ["invoices"]
