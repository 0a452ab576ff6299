"""Entries of pages of a Shopify shop: the ten made-up samples, and one order of each kind that the demo shop makes.

Written down, so that a change of the demo or of the questions is seen: `python -m tests.connectors.shopify_recordings`
asks the demo shop anew and writes the file.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from monet_web.connectors.base import Selection, Surroundings
from monet_web.connectors.shopify import Shopify
from monet_web.demo.serve import serve
from monet_web.demo.shopify import VALUES
from monet_web.demo.shopify.kinds import KINDS
from monet_web.demo.shopify.server import ShopifyShop
from monet_web.demo.shopify.store import SAMPLES, Store
from monet_web.domain.windows import Window

FILE = Path(__file__).parent / "recorded" / "shopify" / "pages.json"
EVERYTHING = Window(datetime(2026, 9, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC))


@cache
def _recorded() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(FILE.read_text("utf-8"), parse_float=Decimal)
    return found


def entries() -> list[Mapping[str, Any]]:
    """All recorded entries, fresh copies."""
    return copy.deepcopy(_recorded()["orders"])


def shop_object() -> dict[str, Any]:
    """The context of the recorded pages."""
    return copy.deepcopy(_recorded()["shop"])


def asked_anew() -> dict[str, Any]:
    """The same entries, from the demo shop as it is now."""
    shop = ShopifyShop(Store(seed=1, total=SAMPLES + len(KINDS)))
    with serve(shop) as address:
        around = Surroundings(allowed_addresses=(address.split("://")[1],))
        connector = Shopify({"address": address, **VALUES}, around)
        pages = list(connector.pages(Selection(EVERYTHING)))
        connector.close()
    return {"shop": pages[0].context, "orders": [order for page in pages for order in page.orders]}


if __name__ == "__main__":
    FILE.write_text(json.dumps(asked_anew(), ensure_ascii=False, separators=(",", ":"), default=float) + "\n", "utf-8")
