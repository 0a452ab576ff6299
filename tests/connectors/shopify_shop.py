"""A demo Shopify shop and a connector to it, with a clock that only waiting moves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from monet_web.connectors.base import Page, Selection, Surroundings
from monet_web.connectors.shopify import Shopify
from monet_web.demo.serve import serve
from monet_web.demo.shopify import VALUES
from monet_web.demo.shopify.server import ShopifyShop
from monet_web.domain.orders import Order
from monet_web.domain.windows import Window
from tests.connectors.shopify_recordings import EVERYTHING

TODAY = datetime(2026, 11, 24, 6, tzinfo=UTC)
ALL = Selection(EVERYTHING)


@dataclass
class Clock:
    """Seconds that pass only while somebody waits."""

    at: float = 1000.0
    slept: float = 0.0

    def __call__(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += seconds
        self.slept += seconds


@contextmanager
def opened(shop: ShopifyShop, *, clock: Clock | None = None, **values: str) -> Iterator[Shopify]:
    """A connector to the shop while the block runs; `values` beside or instead of the demo's keys."""
    clock = clock or Clock()
    with serve(shop) as address:
        around = Surroundings(allowed_addresses=(address.split("://")[1],))
        connector = Shopify({"address": address, **VALUES, **values}, around, now=lambda: TODAY)
        connector._client._sleep = clock.sleep
        connector._api.points._clock = clock
        connector._signed_in._clock = clock
        try:
            yield connector
        finally:
            connector.close()


def read_all(connector: Shopify, selection: Selection = ALL) -> list[Order]:
    """The orders of a selection; one that cannot be read fails the test."""
    found = []
    for page in connector.pages(selection):
        for entry in page.orders:
            order = connector.read(entry, page.context)
            assert isinstance(order, Order), order
            found.append(order)
    return found


def pages(connector: Shopify, selection: Selection = ALL) -> list[Page]:
    return list(connector.pages(selection))


def window(first: str, last: str) -> Window:
    return Window(datetime.fromisoformat(first), datetime.fromisoformat(last))


def names(shop: ShopifyShop) -> list[str]:
    """The operations that were asked for."""
    return [name for name, _ in shop.asked]


def variables(shop: ShopifyShop, name: str) -> list[dict[str, Any]]:
    return [given for asked, given in shop.asked if asked == name]
