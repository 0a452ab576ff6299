"""Customers: the list, one customer's card, two of them merged."""

import monet_web.blueprints.customers.card
import monet_web.blueprints.customers.merging
import monet_web.blueprints.customers.views  # noqa: F401 - their routes
from monet_web.blueprints.customers.blueprint import customers

__all__ = ["customers"]
