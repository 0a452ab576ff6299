"""The demo OpenCart's orders: recorded ones first, made ones that add up, a life that is the same after a restart."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from monet_web.demo.opencart import shop
from monet_web.demo.opencart.documents import VERSIONS, moment_of, recorded
from monet_web.demo.opencart.life import living_store
from monet_web.demo.opencart.store import RECORDED_AT, Store

START = datetime(2027, 5, 3, 9, 0, tzinfo=UTC)
Document = dict[str, Any]


def amounts(order: Document, code: str) -> Decimal:
    return sum((Decimal(total["value"]) for total in order["totals"] if total["code"] == code), Decimal(0))


@pytest.mark.parametrize("version", VERSIONS)
def test_made_orders_add_up_as_recorded_ones_do(version: str) -> None:
    for order in Store(version=version, total=400).orders.values():
        totals = sum((Decimal(one["value"]) for one in order["totals"] if one["code"] != "total"), Decimal(0))
        assert abs(totals - amounts(order, "total")) <= Decimal("0.0001"), order["order_id"]
        assert Decimal(order["total"]) == amounts(order, "total")
        lines = sum((Decimal(one["total"]) for one in order["products"]), Decimal(0))
        lines += sum((Decimal(one["amount"]) for one in order["vouchers"]), Decimal(0))
        if version != "oc41":  # whose table of sold certificates is gone
            assert lines == amounts(order, "sub_total"), order["order_id"]


def test_the_first_orders_are_the_recorded_ones_and_one_seed_makes_the_same_orders() -> None:
    one, same, other = Store(total=200), Store(total=200), Store(total=200, seed=2)
    assert list(one.orders.values())[:83] == recorded("oc3", "orders")
    assert one.orders == same.orders
    assert one.orders != other.orders
    assert len(one.orders) == len(other.orders) == 200


def test_no_id_is_given_twice_and_dates_rise_with_ids() -> None:
    orders = list(Store(total=300).orders.values())
    for part, key in (("products", "order_product_id"), ("totals", "order_total_id"), ("history", "order_history_id")):
        ids = [row[key] for order in orders for row in order[part]]
        assert len(ids) == len(set(ids))
    added = [order["date_added"] for order in orders]
    assert added == sorted(added)
    assert max(added) < RECORDED_AT.strftime("%Y-%m-%d 99")


def test_made_orders_are_of_the_same_kinds() -> None:
    made = list(Store(total=83 * 2).orders.values())[83:]
    for column in ("order_status_id", "currency_code", "payment_iso_code_2"):
        assert sorted(order[column] for order in made) == sorted(order[column] for order in recorded("oc3", "orders"))
    assert {total["code"] for order in made for total in order["totals"]} >= {"coupon", "voucher", "cod_fee", "tax"}


def test_a_living_shop_ends_now_and_goes_on_the_same_after_a_restart() -> None:
    store, life = living_store(seed=3, orders=100, start=START, version="oc40")
    assert timedelta(0) < START - store.newest_added < timedelta(minutes=10)
    newest = max(moment_of(order["date_modified"]) for order in store.orders.values())
    assert newest <= START
    for minutes in range(0, 24 * 60, 7):
        life.catch_up(START + timedelta(minutes=minutes))
    again, second = living_store(seed=3, orders=100, start=START, version="oc40")
    second.catch_up(START + timedelta(minutes=24 * 60 - 7 + 6))
    life.catch_up(START + timedelta(minutes=24 * 60 - 7 + 6))
    assert json.dumps(again.orders) == json.dumps(store.orders)
    assert len(store.orders) > 200
    assert store.newest_added <= START + timedelta(days=1)


def test_editing_gives_the_lines_new_ids_and_leaves_the_history() -> None:
    store = Store(total=10)
    before = json.loads(json.dumps(store.orders[6]))
    store.edit(6, at=START, comment="kitaip")
    after = store.orders[6]
    assert {row["order_product_id"] for row in after["products"]}.isdisjoint(
        row["order_product_id"] for row in before["products"]
    )
    assert (after["history"], after["comment"]) == (before["history"], "kitaip")
    assert after["date_modified"] == "2027-05-03 12:00:00"


def test_a_still_shop_never_changes() -> None:
    still = shop(orders=90, still=True)
    assert still.store.orders == Store(total=90).orders
    assert max(still.store.orders) == 1007
