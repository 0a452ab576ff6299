"""How the Shopify connector asks: at its price, with its token, without what is denied, as its version."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from monet_web.connectors.base import Selection
from monet_web.connectors.shopify.cost import BatchSize, Points
from monet_web.demo.shopify.app import ALL_SCOPES, App
from monet_web.demo.shopify.faults import Faults
from monet_web.demo.shopify.price import BASIC, STANDARD
from monet_web.demo.shopify.server import ShopifyShop
from monet_web.demo.shopify.store import Store
from monet_web.domain.errors import NeedsOwner, RetryLater
from monet_web.domain.windows import Window
from tests.connectors.shopify_shop import ALL, TODAY, Clock, names, opened, pages, read_all, variables

D = Decimal


def shop_of(orders: int = 0, **more: Any) -> ShopifyShop:
    return ShopifyShop(Store(total=orders), **more)


# Points.


def test_the_question_grows_until_it_costs_what_one_may() -> None:
    batch = BatchSize()
    assert batch.orders == 25
    batch.paid(25, 450.0)
    assert batch.orders == 50
    batch.paid(50, 1200.0)
    assert batch.orders == 37
    assert batch.too_dear(37)
    assert batch.orders == 18
    batch.paid(18, 10.0)
    assert batch.orders == 18  # what was too dear once is not tried again
    assert not batch.too_dear(1)


def test_a_shop_that_finds_the_first_question_too_dear_gets_smaller_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monet_web.demo.shopify.price.MOST_OF_ONE", 400)
    shop = shop_of(60)
    with opened(shop) as connector:
        found = pages(connector)
    assert sum(len(page.orders) for page in found) == 60
    asked = [given["first"] for given in variables(shop, "MonetOrders")]
    assert (asked[0], asked[1]) == (25, 12)
    assert max(asked[2:]) <= 13


def test_it_waits_for_points_before_it_asks_and_is_never_refused() -> None:
    clock = Clock()
    shop = shop_of(200, app=App(plan=replace(STANDARD, most=1000, restored=50)), clock=clock)
    with opened(shop, clock=clock) as connector:
        assert len(read_all(connector)) == 200
        turned_away = connector._client.waited
    assert clock.slept > 5
    assert turned_away == 0
    assert shop.throttled == 0


def test_a_refusal_for_want_of_points_is_waited_out() -> None:
    clock = Clock()
    shop = shop_of(60, app=App(plan=STANDARD), clock=clock)
    with opened(shop, clock=clock) as connector:
        shop.bucket.take(2000)  # another program of the same app has spent them all
        assert len(read_all(connector)) == 60
    assert clock.slept >= 5
    assert shop.throttled > 0


def test_points_that_never_come_end_the_run() -> None:
    clock = Clock()
    shop = shop_of(60, app=App(plan=replace(STANDARD, restored=0.0)), clock=clock)
    shop.bucket.take(2000)
    with opened(shop, clock=clock) as connector, pytest.raises(RetryLater, match="THROTTLED"):
        pages(connector)
    assert 10 <= clock.slept <= 60


def test_how_long_points_take_is_reckoned_from_the_answer() -> None:
    clock = Clock()
    points = Points(clock)
    assert points.seconds_until("MonetOrders") == 0
    status = {"maximumAvailable": D("2000.0"), "currentlyAvailable": 200, "restoreRate": D("100.0")}
    assert points.note("MonetOrders", {"requestedQueryCost": 700, "throttleStatus": status}) == 700
    assert points.seconds_until("MonetOrders") == 5
    clock.sleep(3)
    assert points.seconds_until("MonetOrders") == 2
    assert points.seconds_until("MonetOrders", 2) == 9  # more rows cost more, at most so much
    assert points.seconds_until("MonetShop") == 0  # 250 of one that was not asked before: there are 500
    clock.sleep(60)
    assert points.seconds_until("MonetOrders", 50) == 0  # never more than the bucket holds


# Tokens.


def test_one_token_does_for_a_run_and_a_withdrawn_one_is_asked_for_anew_once() -> None:
    shop = shop_of(60)
    with opened(shop) as connector:
        found = connector.pages(ALL)
        next(found)
        assert names(shop).count("/admin/oauth/access_token") == 1
        shop.tokens.withdraw()
        assert sum(len(page.orders) for page in found) > 0
    assert names(shop).count("/admin/oauth/access_token") == 2


def test_a_token_is_renewed_five_minutes_before_its_end() -> None:
    clock = Clock()
    shop = shop_of(3, app=App(lasts=3600), clock=clock)
    with opened(shop, clock=clock) as connector:
        pages(connector)
        clock.sleep(3600 - 301)
        pages(connector)
        assert names(shop).count("/admin/oauth/access_token") == 1
        clock.sleep(2)
        pages(connector)
        assert names(shop).count("/admin/oauth/access_token") == 2


def test_an_old_app_s_token_opens_the_shop_without_asking_for_one() -> None:
    shop = shop_of(3)
    with opened(shop, client_id="", client_secret="", access_token=shop.app.old_token) as connector:
        assert len(read_all(connector)) == 3
    assert "/admin/oauth/access_token" not in names(shop)


def test_the_given_token_is_a_secret_too(caplog: pytest.LogCaptureFixture) -> None:
    shop = shop_of(3)
    with caplog.at_level(logging.DEBUG), opened(shop) as connector:
        pages(connector)
        token = connector._signed_in.headers()["X-Shopify-Access-Token"]
        assert connector._client.clean(f"It says {token}.") == "It says ***."
        assert token not in repr(connector) + repr(connector._signed_in) + repr(connector._client)
    assert token not in caplog.text
    assert shop.app.client_secret not in caplog.text


# Rights: what is denied is left out, and the orders come.


@pytest.mark.parametrize(
    ("made", "absent"),
    [
        (App(scopes=ALL_SCOPES - {"read_customers"}), {"withCustomer", "withCompany"}),
        (App(scopes=ALL_SCOPES - {"read_products"}), {"withProducts"}),
        (App(sells_to_companies=False), {"withCompany"}),
    ],
)
def test_a_right_that_is_missing_costs_its_part_of_the_orders_alone(made: App, absent: set[str]) -> None:
    shop = shop_of(30, app=made)
    with opened(shop) as connector:
        assert len(read_all(connector)) == 30
    asked = variables(shop, "MonetOrders")[-1]
    assert {name for name, value in asked.items() if value is False} == absent


def test_a_denial_is_learned_once_and_not_asked_for_again() -> None:
    shop = shop_of(60, app=App(sells_to_companies=False))
    with opened(shop) as connector:
        assert len(read_all(connector)) == 60
    assert [given["withCompany"] for given in variables(shop, "MonetOrders")].count(True) == 1


def test_protected_names_that_are_denied_are_left_out_too() -> None:
    shop = shop_of(30)
    denied = {"message": "This app is not approved to use the email field.", "extensions": {"code": "ACCESS_DENIED"}}
    with opened(shop) as connector:
        once = connector._api._once

        def refused(query: Any, given: Any) -> Any:
            body, price = once(query, given)
            if query.parts and connector._api._includes(query).get("withPeople"):
                path = ["orders", "nodes", 0, "email"]
                return {"data": None, "errors": [{**denied, "path": path}]}, price
            return body, price

        connector._api._once = refused  # type: ignore[method-assign,assignment]
        found = read_all(connector)
    assert len(found) == 30
    assert {order.buyer.email for order in found} == {""}
    assert {order.buyer.address.city for order in found} > {"Vilnius"}


def test_a_shop_on_the_basic_plan_gives_orders_without_names() -> None:
    shop = shop_of(30, app=App(plan=BASIC, shows_people=False))
    with opened(shop) as connector:
        found = read_all(connector)
        notices = connector.test().notices
    assert len(found) == 30
    assert {(order.buyer.name, order.buyer.email) for order in found} == {("", "")}
    assert any("hides the buyers' names" in notice and "(plan Basic)" in notice for notice in notices)


# Sixty days.


def test_a_period_older_than_the_app_may_see_is_refused_in_words() -> None:
    shop = shop_of(30, app=App(scopes=ALL_SCOPES - {"read_all_orders"}), now=lambda: TODAY)
    with opened(shop) as connector:
        with pytest.raises(NeedsOwner) as caught:
            pages(connector, Selection(Window(TODAY - timedelta(days=61), TODAY)))
        assert len(read_all(connector, Selection(Window(TODAY - timedelta(days=60), TODAY)))) == 30
        (notice,) = connector.test().notices
    assert caught.value.message == (
        "Shopify shows this app only the orders of the last 60 days, so those before 2026-09-25 would be missing "
        "without a word."
    )
    assert "2026-09-26 or later" in caught.value.fix
    assert "“Request access” beside “Read all orders”" in caught.value.fix
    assert "CSV" not in caught.value.fix
    assert "since 2026-09-25" in notice
    assert names(shop).count("MonetOrders") > 0


def test_an_old_app_is_asked_for_its_rights_before_it_reads_far_back() -> None:
    shop = shop_of(3, app=App(scopes=ALL_SCOPES - {"read_all_orders"}))
    token = shop.app.old_token
    with (
        opened(shop, client_id="", client_secret="", access_token=token) as connector,
        pytest.raises(NeedsOwner, match="last 60 days"),
    ):
        pages(connector)
    assert names(shop) == ["MonetShop"]


# Versions.


def test_a_version_that_is_gone_falls_forward_and_is_noticed(caplog: pytest.LogCaptureFixture) -> None:
    shop = shop_of(3, faults=Faults(versions=("2027-10", "2028-01")))
    with opened(shop) as connector:
        assert len(read_all(connector)) == 3
        facts = connector.test()
    assert facts.version == "Admin API 2027-10"
    assert facts.learned["api_version"] == "2027-10"
    assert any("answered as version 2027-10" in notice for notice in facts.notices)
    assert "answers as 2027-10, not as 2026-10" in caplog.text


def test_the_test_fills_the_lists_of_the_form() -> None:
    with opened(shop_of(60)) as connector:
        facts = connector.test()
    assert (facts.name, facts.currency, facts.time_zone) == ("Pavyzdžių namai", "EUR", "Europe/Vilnius")
    assert (facts.orders, facts.version, facts.notices) == (60, "Admin API 2026-10", ())
    assert [choice.value for choice in facts.statuses if choice.is_default] == [
        *("PAID", "PARTIALLY_PAID", "PARTIALLY_REFUNDED", "REFUNDED")
    ]
    assert {"shopify_payments"} <= {choice.value for choice in facts.payment_methods}
    assert "PVM 21" in {choice.value for choice in facts.tax_rates}


def test_all_that_is_asked_while_testing_fits_into_the_smallest_bucket() -> None:
    clock = Clock()
    with opened(shop_of(60, app=App(plan=BASIC), clock=clock), clock=clock) as connector:
        connector.test()
    assert clock.slept == 0


def test_the_demo_s_orders_are_whole_for_the_reader() -> None:
    with opened(shop_of(120)) as connector:
        found = read_all(connector)
    assert all(refund.complete for order in found for refund in order.refunds)
    assert all(order.lines for order in found)
