"""A shop whose bridge answers as monet_bridge.php does in a real OpenCart 3.0.4.1, and fails as real hosts do."""

from __future__ import annotations

from datetime import UTC, datetime

from monet_web.demo.opencart.life import living_store
from monet_web.demo.opencart.server import DEMO_KEY, DEMO_USER, OpenCartShop
from monet_web.demo.opencart.store import Store
from monet_web.demo.rates import rate_commands

VALUES = {"api_user": DEMO_USER, "api_key": DEMO_KEY}


def shop(
    *, seed: int = 1, orders: int = 200, still: bool = False, start: datetime | None = None, version: str = "oc3"
) -> OpenCartShop:
    """The shop of `monet demo`. `still`: the recorded dates, and nothing ever changes. `version`: oc3, oc40 or oc41.

    `start` (aware, default now) is when a living shop's life began. A demo installation keeps it and gives it again,
    or every order would have other dates after a restart.
    """
    if still:
        return OpenCartShop(Store(version=version, seed=seed, total=orders))
    begin = datetime.now(UTC) if start is None else start
    store, life = living_store(seed=seed, orders=orders, start=begin, version=version)
    life.catch_up(datetime.now(UTC))
    return OpenCartShop(store, before_answering=lambda: life.catch_up(datetime.now(UTC)))


def rates_to_add(shop: OpenCartShop) -> list[str]:
    """Commands for the Lithuanian VAT rate that this shop still charges though it was given up."""
    return [command for command in rate_commands(shop.store.newest_added) if " add LT " in command]
