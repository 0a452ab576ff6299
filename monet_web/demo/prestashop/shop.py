"""The demo PrestaShop as `monet run --demo` and `monet demo` serve it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from monet_web.demo.prestashop.history import History
from monet_web.demo.prestashop.life import NEWEST_AGE, Life
from monet_web.demo.prestashop.server import DEMO_KEY, PrestaShopServer
from monet_web.demo.prestashop.store import Store

# The connector's parameters without the address.
VALUES: Final[dict[str, str]] = {"key": DEMO_KEY}


def shop(*, seed: int = 1, orders: int = 200, still: bool = False, start: datetime | None = None) -> PrestaShopServer:
    """The shop. `still`: the recorded dates, and nothing ever changes; else its newest order is minutes old and others
    come while it runs. `start` (aware, default now) is when its life began: with the same start it has the same orders.
    """
    if still:
        return PrestaShopServer(Store(History(seed=seed, count=orders)))
    began = datetime.now(UTC) if start is None else start
    second = int(began.timestamp())
    store = Store(History(seed=seed, count=orders, newest=second - NEWEST_AGE, until=second))
    life = Life(store, seed=seed, start=began)
    life.catch_up(datetime.now(UTC))
    return PrestaShopServer(store, before_answering=lambda: life.catch_up(datetime.now(UTC)))
