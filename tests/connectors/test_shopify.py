"""The Shopify connector against the demo shop: which orders a window holds, and every order read to its end."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from monet_web.connectors.base import Selection
from monet_web.demo.shopify.faults import Faults
from monet_web.demo.shopify.kinds import Till, plain
from monet_web.demo.shopify.sales import FIRST_ID, Person, Piece, Sale
from monet_web.demo.shopify.server import ShopifyShop
from monet_web.demo.shopify.store import Store
from monet_web.domain.errors import RetryLater
from monet_web.domain.windows import Window
from tests.connectors.shopify_shop import ALL, names, opened, pages, read_all, window

D = Decimal
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
PERSON = Person("Ona", "Pavyzdienė", "Gedimino pr. 1", "Vilnius", "01103")


def shop_of(orders: int = 0, **more: Any) -> ShopifyShop:
    return ShopifyShop(Store(total=orders), **more)


def big_order(store: Store, lines: int) -> int:
    """An order of so many lines, each of another price."""
    pieces = [Piece(f"Prekė {n}", f"P-{n}", D("1.00") + D(n) / 100) for n in range(lines)]
    return store.add(at=NOON, document=lambda position: Sale(position, NOON, pieces, PERSON, NOON).document())


# Windows.


def test_an_order_brought_over_from_elsewhere_is_of_the_day_it_was_processed() -> None:
    shop = shop_of()
    number = shop.store.add(at=NOON)
    shop.store.edit(number, at=NOON, processedAt="2026-10-20T09:00:00Z")
    with opened(shop) as connector:
        october = Selection(window("2026-10-01T00:00Z", "2026-11-01T00:00Z"), "created")
        november = Selection(window("2026-11-01T00:00Z", "2026-12-01T00:00Z"), "created")
        assert [order.external_id for order in read_all(connector, october)] == [str(number)]
        assert read_all(connector, november) == []


def test_an_old_order_that_changed_in_the_window_comes_with_any_and_not_with_created() -> None:
    shop = shop_of()
    number = shop.store.add(at=NOON - timedelta(days=20))
    shop.store.edit(number, at=NOON, note="kita")
    day = Window(NOON - timedelta(hours=1), NOON + timedelta(hours=1))
    with opened(shop) as connector:
        assert [order.external_id for order in read_all(connector, Selection(day))] == [str(number)]
        assert read_all(connector, Selection(day, "created")) == []


def test_paid_means_the_money_came_in_the_window_whenever_it_was_ordered() -> None:
    shop = shop_of()
    late, early = shop.store.add(at=NOON - timedelta(days=9)), shop.store.add(at=NOON - timedelta(days=9))
    shop.store.edit(late, at=NOON - timedelta(days=9), transactions=[], displayFinancialStatus="PENDING")
    shop.store.pay(late, at=NOON)
    shop.store.edit(early, at=NOON, note="only a note")
    day = Window(NOON - timedelta(hours=1), NOON + timedelta(hours=1))
    with opened(shop) as connector:
        (found,) = read_all(connector, Selection(day, "paid"))
        last = pages(connector, Selection(day, "paid"))[-1]
    assert (found.external_id, found.paid_at) == (str(late), NOON)
    assert last.expected == 1


def test_paid_in_the_window_counts_though_the_order_changed_long_after_it() -> None:
    shop = shop_of()
    number = shop.store.add(at=NOON - timedelta(days=9))
    shop.store.edit(number, at=NOON - timedelta(days=9), transactions=[], displayFinancialStatus="PENDING")
    shop.store.pay(number, at=NOON)
    shop.store.edit(number, at=NOON + timedelta(days=3), note="later")
    with opened(shop) as connector:
        found = read_all(connector, Selection(Window(NOON - timedelta(hours=1), NOON + timedelta(hours=1)), "paid"))
    assert [order.external_id for order in found] == [str(number)]


@pytest.mark.parametrize("by", ["created", "paid"])
def test_a_refund_in_the_window_brings_its_order_however_it_is_selected(by: str) -> None:
    shop = shop_of()
    old = shop.store.add(at=NOON - timedelta(days=15), document=lambda n: plain(_till(n, NOON - timedelta(days=15))))
    other = shop.store.add(at=NOON - timedelta(days=15), document=lambda n: plain(_till(n, NOON - timedelta(days=15))))
    shop.store.refund(old, at=NOON, pieces={0: 1})
    shop.store.refund(other, at=NOON - timedelta(days=5), pieces={0: 1})
    shop.store.edit(other, at=NOON, note="a note after the refund")
    with opened(shop) as connector:
        found = read_all(connector, Selection(Window(NOON - timedelta(hours=1), NOON + timedelta(hours=1)), by))
    assert [order.external_id for order in found] == [str(old)]
    assert found[0].refunds[0].complete


def _till(position: int, at: datetime) -> Till:
    return Till(position, at, at, random.Random(position))


def test_what_the_search_does_not_know_yet_is_asked_for_by_its_id() -> None:
    """The list names orders that the full search, seconds behind, does not give."""
    shop = shop_of()
    first, second = shop.store.add(at=NOON), shop.store.add(at=NOON)
    with opened(shop) as connector:
        ask = connector._api.ask_priced

        def behind(question: Any, /, **given: Any) -> Any:
            if question.name == "MonetOrders":
                given["query"] = given["query"].replace(f" OR id:{second}", "")
            return ask(question, **given)

        connector._api.ask_priced = behind  # type: ignore[method-assign]
        found = read_all(connector)
    assert [order.external_id for order in found] == [str(first), str(second)]
    assert names(shop).count("MonetOrder") == 1


# To the end of an order.


def test_every_line_of_a_long_order_comes() -> None:
    shop = shop_of()
    big_order(shop.store, 260)
    with opened(shop) as connector:
        (order,) = read_all(connector)
    assert [line.sku for line in order.lines] == [f"P-{n}" for n in range(260)]
    assert sum(line.net for line in order.lines) + order.total_tax == order.total
    assert names(shop).count("MonetOrderLines") == 3


def test_every_line_of_a_long_refund_comes() -> None:
    shop = shop_of()
    number = big_order(shop.store, 170)
    shop.store.refund(number, at=NOON, pieces=dict.fromkeys(range(170), 1))
    with opened(shop) as connector:
        (order,) = read_all(connector)
    (refund,) = order.refunds
    assert len(refund.lines) == 170
    assert sum(line.net for line in refund.lines) == sum(line.net for line in order.lines)
    assert (refund.total, refund.complete) == (order.total, True)
    assert names(shop).count("MonetRefundLines") == 2


def test_more_refunds_than_come_at_once_all_come() -> None:
    shop = shop_of()
    number = big_order(shop.store, 40)
    for place in range(40):
        shop.store.refund(number, at=NOON + timedelta(minutes=place), pieces={place: 1})
    with opened(shop) as connector:
        (order,) = read_all(connector)
    assert len(order.refunds) == 40
    assert all(refund.complete and len(refund.lines) == 1 for refund in order.refunds)
    assert sum(refund.total for refund in order.refunds) == order.total
    assert len(order.payments) == 1  # refunds are transactions too: more of them than come with the order
    assert names(shop).count("MonetRefund") == 15
    assert names(shop).count("MonetOrderTransactions") == 1


def test_a_connection_that_does_not_move_on_makes_its_order_unreadable_and_no_other() -> None:
    shop = shop_of()
    number = big_order(shop.store, 60)
    shop.store.add(at=NOON)
    with opened(shop) as connector:
        ask = connector._api.ask_priced

        def stuck(question: Any, /, **given: Any) -> Any:
            data, price = ask(question, **given)
            if question.name == "MonetOrderLines":
                data["order"]["lineItems"]["pageInfo"] = {"hasNextPage": True, "endCursor": given["after"]}
            return data, price

        connector._api.ask_priced = stuck  # type: ignore[method-assign]
        (page,) = pages(connector)
    assert [entry["legacyResourceId"] for entry in page.orders] == [str(number + 1)]
    assert [(bad.external_id, "lineItems to the end" in bad.reason) for bad in page.unreadable] == [(str(number), True)]


# A broken order, and a broken shop.


def test_one_order_on_which_shopify_fails_is_named_and_the_others_come() -> None:
    bad = FIRST_ID + 7
    shop = shop_of(60, faults=Faults(broken_orders=frozenset({bad})))
    with opened(shop) as connector:
        found = pages(connector)
    assert sum(len(page.orders) for page in found) == 59
    ((broken,),) = [page.unreadable for page in found if page.unreadable]
    assert broken.external_id == str(bad)
    assert broken.number == "1007"
    assert broken.reason.startswith(f"Shopify fails when it is asked for order 1007 ({bad}). ")
    assert found[-1].expected == 60


def test_many_broken_orders_in_a_row_are_named_while_the_shop_tells_who_it_is() -> None:
    bad = range(FIRST_ID + 1, FIRST_ID + 31)
    shop = shop_of(60, faults=Faults(broken_orders=frozenset(bad)))
    with opened(shop) as connector:
        found = pages(connector)
    assert [one.external_id for page in found for one in page.unreadable] == [str(number) for number in bad]
    assert sum(len(page.orders) for page in found) == 30
    assert "MonetShop" in names(shop)


def test_when_everything_fails_the_run_fails() -> None:
    with opened(shop_of(60, faults=Faults(failing=True))) as connector, pytest.raises(RetryLater, match="500"):
        pages(connector)


def test_a_page_that_fails_for_a_moment_is_asked_for_again() -> None:
    shop = shop_of(60)
    with opened(shop) as connector:
        asked = iter(pages_lazily := connector.pages(ALL))
        first = next(asked)
        shop.once(Faults(failing=True))
        rest = list(pages_lazily)
    assert len(first.orders) + sum(len(page.orders) for page in rest) == 60
