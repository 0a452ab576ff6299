"""Items and stock: the list, one item's card, goods received, files of both, warehouses."""

import monet_web.blueprints.items.card
import monet_web.blueprints.items.files
import monet_web.blueprints.items.importing
import monet_web.blueprints.items.merging
import monet_web.blueprints.items.receiving
import monet_web.blueprints.items.views
import monet_web.blueprints.items.warehouses  # noqa: F401 - their routes
from monet_web.blueprints.items.blueprint import items

__all__ = ["items"]
