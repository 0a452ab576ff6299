"""What the contract suite needs to know of each platform: a shop to serve, keys, how it changes, what was recorded.

A new connector adds one function here and its name in RIGS; the suite itself knows no platform.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from monet_web.connectors.base import Json
from monet_web.demo import prestashop as prestashop_demo
from monet_web.demo.opencart import VALUES as OPENCART_VALUES
from monet_web.demo.opencart.faults import Faults as OpenCartFaults
from monet_web.demo.opencart.server import OpenCartShop
from monet_web.demo.opencart.store import Store as OpenCartStore
from monet_web.demo.prestashop.faults import Faults as PrestaShopFaults
from monet_web.demo.prestashop.history import History as PrestaShopHistory
from monet_web.demo.prestashop.server import PrestaShopServer
from monet_web.demo.prestashop.store import Store as PrestaShopStore
from monet_web.demo.shopify import VALUES as SHOPIFY_VALUES
from monet_web.demo.shopify.faults import Faults as ShopifyFaults
from monet_web.demo.shopify.server import ShopifyShop
from monet_web.demo.shopify.store import Store as ShopifyStore
from monet_web.demo.woocommerce.auth import DEMO_KEY, DEMO_SECRET
from monet_web.demo.woocommerce.faults import Faults as WooCommerceFaults
from monet_web.demo.woocommerce.history import RealisticHistory
from monet_web.demo.woocommerce.server import WooCommerceShop
from monet_web.demo.woocommerce.store import Store
from monet_web.domain.windows import Window
from tests.connectors import prestashop_recordings, shopify_recordings
from tests.connectors.readers import load
from tests.connectors.recordings import bundles

EDITED = datetime(2027, 11, 30, 12, tzinfo=UTC)
CENT = Decimal("0.01")


@dataclass(frozen=True)
class Rig:
    """A demo shop of one platform, with more orders than a page has."""

    application: Any  # WSGI
    values: Mapping[str, str]  # parameters without the address
    secrets: tuple[str, ...]
    everything: Window  # holds every order
    ids: Callable[[], set[str]]  # of the orders the shop lists now
    trash_first: Callable[[], object]  # the order with the lowest id disappears
    sell: Callable[[], object]  # a new order, in the window
    add_at: Callable[[datetime], str]  # an order created at this moment; gives its id
    edit: Callable[[str], object]  # somebody changes this order now, in the window
    breaks: Callable[[Collection[str]], object]  # from now on every answer with one of these orders in it fails
    says: Callable[[Mapping[str, Json]], tuple[str, str, Decimal]]  # a recorded entry's currency, status and total
    recorded: Callable[[], list[Mapping[str, Json]]]  # entries of pages, from real servers
    with_unknown: Callable[[dict[str, Any]], None]  # puts unknown fields and an unknown status into an entry
    context: Mapping[str, Json] = field(default_factory=dict)  # of the recorded entries' pages
    do_not_add_up: frozenset[str] = frozenset()  # numbers of orders whose rows the store itself lost
    apart: Decimal = Decimal(0)  # how far a recorded order's rows may be from its total, in parts of a cent
    cards_lower_total: bool = True  # a gift card that pays a part is taken off the order's total
    # Two spellings of one shop's address, and another shop's.
    typed: tuple[str, str, str] = ("https://Shop.Example/", " http://shop.example", "https://other.example")


def _numbers(ids: Collection[str]) -> frozenset[int]:
    return frozenset(map(int, ids))


def woocommerce() -> Rig:
    """The demo WooCommerce."""
    store = Store(RealisticHistory(seed=1, total=230))
    shop = WooCommerceShop(store)
    first = 99

    def ids() -> set[str]:
        return {
            str(number)
            for number in range(first, store.newest_id + 1)
            if (order := store.order(number)) and order["status"] != "trash"
        }

    def with_unknown(entry: dict[str, Any]) -> None:
        entry["order"].update(brand_new={"a": [None]}, status="ready-for-moon")
        for row in entry["order"]["line_items"]:
            row["brand_new"] = "x"

    def trash_first() -> None:
        store.trash(min(int(number) for number in ids()))

    return Rig(
        application=shop,
        values={"consumer_key": DEMO_KEY, "consumer_secret": DEMO_SECRET},
        secrets=(DEMO_KEY, DEMO_SECRET),
        everything=Window(datetime(2026, 9, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)),
        ids=ids,
        trash_first=trash_first,
        sell=lambda: store.add(at=datetime(2027, 12, 1, tzinfo=UTC)),
        add_at=lambda moment: str(store.add(at=moment)),
        edit=lambda order_id: store.edit(int(order_id), at=EDITED, customer_note="changed"),
        breaks=lambda ids: setattr(shop, "faults", WooCommerceFaults(broken_orders=_numbers(ids))),
        says=lambda entry: (entry["order"]["currency"], entry["order"]["status"], Decimal(entry["order"]["total"])),
        recorded=lambda: list(bundles()),
        with_unknown=with_unknown,
    )


def opencart() -> Rig:
    """The demo OpenCart 3."""
    store = OpenCartStore(total=230)

    def with_unknown(entry: dict[str, Any]) -> None:
        entry.update(brand_new={"a": [None]}, order_status_id="99", order_status="Ready for the moon")
        for row in (*entry["products"], *entry["totals"]):
            row["brand_new"] = "x"

    shop = OpenCartShop(store)

    def says(entry: Mapping[str, Json]) -> tuple[str, str, Decimal]:
        # What certificates and credit paid is part of what was sold; the shop's `total` is what was left to pay.
        used = sum(
            (-Decimal(row["value"]) for row in entry["totals"] if row["code"] in ("voucher", "credit")), Decimal(0)
        )
        total = (Decimal(entry["total"]) + used) * Decimal(entry["currency_value"])
        return entry["currency_code"], entry["order_status_id"], total.quantize(CENT, ROUND_HALF_UP)

    return Rig(
        application=shop,
        values=OPENCART_VALUES,
        secrets=(OPENCART_VALUES["api_key"],),
        everything=Window(datetime(2026, 9, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)),
        ids=lambda: {order["order_id"] for order in store.finished()},
        trash_first=lambda: store.delete(min(store.orders)),
        sell=lambda: store.add(at=datetime(2027, 12, 1, tzinfo=UTC)),
        add_at=lambda moment: str(store.add(at=moment)),
        edit=lambda order_id: store.edit(int(order_id), at=EDITED, comment="changed"),
        breaks=lambda ids: setattr(shop, "faults", OpenCartFaults(broken_orders=_numbers(ids))),
        says=says,
        recorded=lambda: list(load("opencart", "orders_oc3")["orders"]),
        with_unknown=with_unknown,
        context=load("opencart", "info_oc3"),
        # A line's tax is kept per piece in four decimals, so 575 pieces are a cent off: drafting names the rest.
        apart=Decimal("0.011"),
        cards_lower_total=False,
    )


def prestashop() -> Rig:
    """The demo PrestaShop."""
    store = PrestaShopStore(PrestaShopHistory(seed=1, count=230))

    def ids() -> set[str]:
        return {str(header.id) for header in store.headers()}

    def with_unknown(entry: dict[str, Any]) -> None:
        entry["order"].update(brand_new={"a": [None]}, current_state=99)
        for row in entry["details"]:
            row["brand_new"] = "x"

    server = PrestaShopServer(store)
    currencies = {row["id"]: row["iso_code"] for row in prestashop_recordings.CONTEXT["currencies"]}

    def says(entry: Mapping[str, Json]) -> tuple[str, str, Decimal]:
        order = entry["order"]
        return currencies[order["id_currency"]], str(order["current_state"]), Decimal(order["total_paid_tax_incl"])

    return Rig(
        application=server,
        values=prestashop_demo.VALUES,
        secrets=(prestashop_demo.VALUES["key"],),
        everything=Window(datetime(2026, 9, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)),
        ids=ids,
        trash_first=lambda: store.delete(min(int(number) for number in ids())),
        sell=lambda: store.buy(at=int(datetime(2027, 12, 1, tzinfo=UTC).timestamp())),
        add_at=lambda moment: str(store.buy(at=int(moment.timestamp()))),
        edit=lambda order_id: store.edit(int(order_id), at=int(EDITED.timestamp()), note="changed"),
        breaks=lambda ids: setattr(server, "faults", PrestaShopFaults(broken_orders=_numbers(ids))),
        says=says,
        recorded=lambda: list(prestashop_recordings.BUNDLES.values()),
        with_unknown=with_unknown,
        context=prestashop_recordings.CONTEXT,
        do_not_add_up=frozenset(prestashop_recordings.DO_NOT_ADD_UP),
        # The shop itself writes the totals of fifteen a cent off its own parts: drafting names it.
        apart=Decimal("0.01"),
    )


def shopify() -> Rig:
    """The demo Shopify, on a plan whose points last for the suite: pace has tests of its own."""
    store = ShopifyStore(seed=1, total=90)

    def with_unknown(entry: dict[str, Any]) -> None:
        entry.update(brandNew={"a": [None]}, displayFinancialStatus="READY_FOR_MOON")
        for row in entry["lineItems"]:
            row["brandNew"] = "x"

    shop = ShopifyShop(store)

    def says(entry: Mapping[str, Json]) -> tuple[str, str, Decimal]:
        money = entry["totalPriceSet"]["presentmentMoney"]
        return money["currencyCode"], entry["displayFinancialStatus"] or "", Decimal(money["amount"])

    return Rig(
        application=shop,
        values=SHOPIFY_VALUES,
        secrets=(SHOPIFY_VALUES["client_secret"],),
        everything=shopify_recordings.EVERYTHING,
        ids=lambda: {str(number) for number in store.ids()},
        trash_first=lambda: store.remove(min(store.ids())),
        sell=lambda: store.add(at=datetime(2027, 12, 1, tzinfo=UTC)),
        add_at=lambda moment: str(store.add(at=moment)),
        edit=lambda order_id: store.edit(int(order_id), at=EDITED, note="changed"),
        breaks=lambda ids: setattr(shop, "faults", ShopifyFaults(broken_orders=_numbers(ids))),
        says=says,
        recorded=shopify_recordings.entries,
        with_unknown=with_unknown,
        context=shopify_recordings.shop_object(),
        cards_lower_total=False,
        typed=("https://admin.shopify.com/store/Pavyzdys/orders", " pavyzdys", "https://kitas.myshopify.com"),
    )


RIGS: dict[str, Callable[[], Rig]] = {
    "opencart": opencart,
    "prestashop": prestashop,
    "shopify": shopify,
    "woocommerce": woocommerce,
}
