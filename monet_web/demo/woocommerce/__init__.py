"""A shop that answers /wp-json/wc/v3 as a real WooCommerce 11.0.1 does, and fails as real hosts do."""

from __future__ import annotations

from datetime import UTC, datetime

from monet_web.demo.rates import rate_commands
from monet_web.demo.woocommerce.auth import DEMO_KEY, DEMO_SECRET
from monet_web.demo.woocommerce.clock import moment, seconds
from monet_web.demo.woocommerce.history import PlainHistory, RealisticHistory
from monet_web.demo.woocommerce.life import living_store
from monet_web.demo.woocommerce.plain import PlainGenerator
from monet_web.demo.woocommerce.server import WooCommerceShop
from monet_web.demo.woocommerce.store import Store

VALUES = {"consumer_key": DEMO_KEY, "consumer_secret": DEMO_SECRET}


def shop(*, seed: int = 1, orders: int = 200, still: bool = False, start: datetime | None = None) -> WooCommerceShop:
    """The shop of `monet demo`. `still`: the recorded dates, and nothing ever changes.

    `start` (aware, default now) is when a living shop's life began. A demo installation keeps it and gives it again,
    or every order would have other dates after a restart.
    """
    if still:
        return WooCommerceShop(Store(RealisticHistory(seed=seed, total=orders)))
    store, life = living_store(seed=seed, orders=orders, start=datetime.now(UTC) if start is None else start)
    life.catch_up(datetime.now(UTC))
    return WooCommerceShop(store, before_answering=lambda: life.catch_up(datetime.now(UTC)))


def plain_shop(
    orders: int,
    *,
    lines: int = 3,
    sku_count: int = 100,
    seed: int = 1,
    first: datetime = datetime(2026, 1, 1, tzinfo=UTC),
    last: datetime = datetime(2026, 11, 1, tzinfo=UTC),
) -> WooCommerceShop:
    """The benchmark's shop: `orders` completed Lithuanian orders, spread evenly over [first, last] by creation.

    Each has `lines` lines of the SKUs monet_web.demo.items(sku_count), one to three pieces each. Its memory does not
    grow with the number of orders.
    """
    generator = PlainGenerator(seed=seed, lines=lines, sku_count=sku_count)
    history = PlainHistory(orders, seconds(first), seconds(last), generator)
    return WooCommerceShop(Store(history))


def rates_to_add(shop: WooCommerceShop) -> list[str]:
    """Commands for the VAT rates that this shop still charges though their countries gave them up."""
    return rate_commands(moment(shop.store.newest_created))
