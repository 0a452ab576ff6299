"""A demo Shopify shop: runs the questions it is posted on Shopify's own schema, and prices them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from monet_web.demo.shopify.app import DEMO_ID, DEMO_SECRET
from monet_web.demo.shopify.life import NEWEST_AGE, Life
from monet_web.demo.shopify.server import ShopifyShop
from monet_web.demo.shopify.store import Store

VALUES: Final[dict[str, str]] = {"client_id": DEMO_ID, "client_secret": DEMO_SECRET}


def shop(*, seed: int = 1, orders: int = 200, still: bool = False, start: datetime | None = None) -> ShopifyShop:
    """The shop of `monet demo`. `still`: the made-up dates, and nothing ever changes.

    `start` (aware, default now) is when a living shop's life began; given again, the shop has the same orders.
    """
    if still:
        return ShopifyShop(Store(seed=seed, total=orders))
    begin = (datetime.now(UTC) if start is None else start).replace(microsecond=0)
    store = Store(seed=seed, total=orders, newest=begin - NEWEST_AGE)
    life = Life(store, seed=seed, start=begin)
    life.catch_up(datetime.now(UTC))
    return ShopifyShop(store, before_answering=lambda: life.catch_up(datetime.now(UTC)))


__all__ = ["VALUES", "shop"]
