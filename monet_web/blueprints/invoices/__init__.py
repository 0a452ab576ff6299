"""Sales invoices: the list, one invoice with the store's order beside it, and the list as a file."""

import monet_web.blueprints.invoices.crediting
import monet_web.blueprints.invoices.papers
import monet_web.blueprints.invoices.views  # noqa: F401 - their routes
from monet_web.blueprints.invoices.blueprint import invoices

__all__ = ["invoices"]
