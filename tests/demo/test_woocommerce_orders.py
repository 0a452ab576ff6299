"""Made orders add up, are the same for the same seed, and stay cheap however many there are."""

from __future__ import annotations

import json
import time
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.test import Client

from monet_web.demo import items
from monet_web.demo.woocommerce.amounts import set_quantities
from monet_web.demo.woocommerce.auth import Key
from monet_web.demo.woocommerce.clock import read_utc, utc_text
from monet_web.demo.woocommerce.documents import Document, decode, encode
from monet_web.demo.woocommerce.generator import Generator
from monet_web.demo.woocommerce.history import RECORDED_AT, PlainHistory, RealisticHistory
from monet_web.demo.woocommerce.plain import PlainGenerator
from monet_web.demo.woocommerce.server import WooCommerceShop
from monet_web.demo.woocommerce.store import Store

ROWS = ("line_items", "shipping_lines", "fee_lines")
CREATED = read_utc("2026-10-01T08:00:00")
UNTIL = read_utc("2026-10-20T08:00:00")
JANUARY, NOVEMBER = read_utc("2026-01-01T00:00:00"), read_utc("2026-11-01T00:00:00")


def total_of(owner: Document, *names: str) -> Decimal:
    return sum((Decimal(row[name]) for kind in ROWS for row in owner[kind] for name in names), Decimal(0))


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 10**6), index=st.integers(0, 10**9))
def test_a_made_order_adds_up_to_the_cent(seed: int, index: int) -> None:
    order, refunds = Generator(seed).order(index, 5000, CREATED, UNTIL)
    assert total_of(order, "total", "total_tax") == Decimal(order["total"])
    assert total_of(order, "total_tax") == Decimal(order["total_tax"])
    assert Decimal(order["cart_tax"]) + Decimal(order["shipping_tax"]) == Decimal(order["total_tax"])
    if not refunds:
        discount = sum(Decimal(line["subtotal"]) - Decimal(line["total"]) for line in order["line_items"])
        assert discount == Decimal(order["discount_total"])
        coupons = sum(Decimal(coupon["discount"]) for coupon in order["coupon_lines"])
        assert coupons == (Decimal(order["discount_total"]) if order["coupon_lines"] else 0)
        coupon_tax = sum(Decimal(coupon["discount_tax"]) for coupon in order["coupon_lines"])
        assert coupon_tax == (Decimal(order["discount_tax"]) if order["coupon_lines"] else 0)
    # The recorded fees round half a cent down in total_tax and up in their taxes, one of each at most.
    by_rate = sum(Decimal(t["tax_total"]) + Decimal(t["shipping_tax_total"]) for t in order["tax_lines"])
    assert abs(by_rate - Decimal(order["total_tax"])) <= Decimal("0.02")


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 10**6), index=st.integers(0, 10**9))
def test_a_made_orders_refunds_point_to_its_own_lines(seed: int, index: int) -> None:
    order, refunds = Generator(seed).order(index, 5000, CREATED, UNTIL)
    assert [short["id"] for short in order["refunds"]] == [refund["id"] for refund in refunds]
    assert sum(Decimal(refund["amount"]) for refund in refunds) <= Decimal(order["total"])
    lines = {str(line["id"]) for kind in ROWS for line in order[kind]}
    for refund in refunds:
        pointed = {
            meta["value"]
            for kind in ROWS
            for line in refund[kind]
            for meta in line["meta_data"]
            if meta["key"] == "_refunded_item_id"
        }
        assert pointed <= lines
        assert 5000 < refund["id"] < 5004


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10**6), index=st.integers(0, 10**9))
def test_one_seed_makes_the_same_order_twice(seed: int, index: int) -> None:
    one, two = (Generator(seed).order(index, 5000, CREATED, UNTIL) for _ in range(2))
    assert encode(one) == encode(two)


def test_another_seed_makes_other_orders() -> None:
    one, two = ([Generator(seed).order(i, 5000, CREATED, UNTIL)[0]["total"] for i in range(20)] for seed in (1, 2))
    assert one != two


def test_two_hundred_made_orders_are_of_every_recorded_kind() -> None:
    generator = Generator(3)
    assert len({generator.pattern(index).document["id"] for index in range(200)}) == 200


@settings(max_examples=60, deadline=None)
@given(total=st.integers(201, 10**6), index=st.integers(0, 10**6), seed=st.integers(0, 1000))
def test_a_header_says_what_the_order_says(total: int, index: int, seed: int) -> None:
    history = RealisticHistory(seed=seed, total=total)
    index %= total
    header = history.header(index)
    order, refunds = history.order(index)
    assert header.id == order["id"]
    assert utc_text(header.created) == order["date_created_gmt"]
    assert utc_text(header.modified) == order["date_modified_gmt"]
    assert header.status == order["status"]
    assert history.index_of(header.id) == index
    assert history.refunds(index) == [(r["id"], read_utc(r["date_created_gmt"])) for r in refunds]


@settings(max_examples=60, deadline=None)
@given(total=st.integers(202, 10**6), index=st.integers(1, 10**6), seed=st.integers(0, 1000), moved=st.booleans())
def test_ids_and_dates_grow_together_and_end_at_the_newest(total: int, index: int, seed: int, moved: bool) -> None:
    newest = CREATED if moved else None
    history = RealisticHistory(seed=seed, total=total, newest=newest, until=CREATED if moved else RECORDED_AT)
    index = 1 + index % (total - 1)
    assert history.header(index - 1).id < history.header(index).id
    assert history.created(index - 1) <= history.created(index)
    last = history.created(total - 1)
    assert last == newest if moved else last <= RECORDED_AT
    if moved:
        assert history.header(index).modified <= CREATED


def order_of(gross_or_net: str, rate: int, includes_tax: bool) -> Document:
    tax = {"id": 1, "total": "", "subtotal": ""}
    line = {"quantity": 1, "subtotal": gross_or_net, "subtotal_tax": "0", "total": gross_or_net, "total_tax": "0"}
    return {
        "prices_include_tax": includes_tax,
        "line_items": [line | {"taxes": [tax], "price": 0}],
        "shipping_lines": [],
        "fee_lines": [],
        "coupon_lines": [],
        "tax_lines": [{"rate_id": 1, "rate_percent": rate}],
    }


def test_tax_is_taken_out_of_a_price_that_includes_it() -> None:
    # The recorded order 177: 10 x 93.50.
    order = order_of("93.50", 21, includes_tax=True)
    set_quantities(order, [10])
    line = order["line_items"][0]
    assert (line["subtotal"], line["subtotal_tax"], line["price"]) == ("772.73", "162.27", Decimal("77.2727273"))
    assert (order["total"], order["total_tax"]) == ("935.00", "162.27")


def test_tax_is_added_to_a_price_that_does_not_include_it() -> None:
    # The recorded order 279: 12 x 7.35 at 9 %.
    order = order_of("7.35", 9, includes_tax=False)
    set_quantities(order, [12])
    line = order["line_items"][0]
    assert (line["subtotal"], line["subtotal_tax"], line["price"]) == ("88.20", "7.94", Decimal("7.35"))
    assert (order["total"], order["tax_lines"][0]["tax_total"]) == ("96.14", "7.94")


@settings(max_examples=100, deadline=None)
@given(index=st.integers(0, 10**6), age=st.integers(0, 20 * 86400))
def test_no_date_of_a_made_order_lies_behind_the_end(index: int, age: int) -> None:
    until = CREATED + age
    order, refunds = Generator(1).order(index, 5000, CREATED, until)
    dates = [order[f"date_{name}_gmt"] for name in ("created", "paid", "completed", "modified")]
    dates += [refund["date_created_gmt"] for refund in refunds]
    assert max(at for at in dates if at) <= utc_text(until)
    assert order["date_modified_gmt"] == max(at for at in dates if at)


def plain_shop(total: int, lines: int = 3) -> WooCommerceShop:
    history = PlainHistory(total, JANUARY, NOVEMBER, PlainGenerator(seed=1, lines=lines, sku_count=50))
    return WooCommerceShop(Store(history), keys=[Key("ck_a", "cs_a")])


def page(shop: WooCommerceShop, query: str) -> list[Document]:
    response = Client(shop).get(
        f"/wp-json/wc/v3/orders?{query}",
        headers={"Host": "shop.example", "X-Forwarded-Proto": "https"},
        auth=("ck_a", "cs_a"),
    )
    assert response.status_code == 200, response.text
    documents: list[Document] = decode(response.data)
    return documents


def test_a_plain_order_is_the_same_by_the_fast_way_and_by_the_slow() -> None:
    shop = plain_shop(1000)
    for order in page(shop, "per_page=100&orderby=id&order=asc"):
        assert order == shop.store.order(order["id"])
        header = shop.store.history.header(shop.store.history.index_of(order["id"]) or 0)
        assert (utc_text(header.created), utc_text(header.modified)) == (
            order["date_created_gmt"],
            order["date_modified_gmt"],
        )


def test_every_plain_order_is_lithuanian_in_euro_at_21_percent_with_known_skus_and_adds_up() -> None:
    known = set(items(50))
    for order in page(plain_shop(1000), "per_page=100&page=5"):
        assert (order["currency"], order["billing"]["country"], order["status"]) == ("EUR", "LT", "completed")
        assert len(order["line_items"]) == 3
        assert {line["sku"] for line in order["line_items"]} <= known
        assert [line["rate_percent"] for line in order["tax_lines"]] == [21]
        assert total_of(order, "total", "total_tax") == Decimal(order["total"])
        assert (order["refunds"], order["fee_lines"], order["coupon_lines"]) == ([], [], [])


def test_a_million_plain_orders_are_paged_without_making_them() -> None:
    shop = plain_shop(1_000_000)
    query = "per_page=100&orderby=id&order=asc&modified_after=2026-06-01T00:00:00&dates_are_gmt=true&page=3000"
    started = time.perf_counter()
    orders = page(shop, query)
    # One order in ten thousand is made; walking through all takes many seconds.
    assert time.perf_counter() - started < 2
    assert len(orders) == 100
    assert min(order["date_modified_gmt"] for order in orders) > "2026-06-01T00:00:00"
    ids = [order["id"] for order in orders]
    assert ids == sorted(set(ids))


def test_the_window_of_a_plain_shop_holds_each_of_its_orders_once() -> None:
    shop = plain_shop(1000)
    seen = []
    number = 1
    while orders := page(shop, f"per_page=100&page={number}&after=2026-02-01T00:00:00&before=2026-04-01T00:00:00"):
        seen += [order["id"] for order in orders]
        number += 1
    wanted = [
        header.id
        for header in map(shop.store.history.header, range(1000))
        if utc_text(header.created + 2 * 3600) > "2026-02-01T00:00:00"
        and utc_text(header.created + 3 * 3600) < "2026-04-01T00:00:00"
    ]
    assert seen == wanted[::-1]


def test_prices_keep_their_digits() -> None:
    assert encode(json.loads("[77.2727273,1]", parse_float=Decimal)) == b"[77.2727273,1]"
    assert encode([Decimal("1E+2"), "a/b", "ė"]) == b'[100,"a\\/b","\\u0117"]'
