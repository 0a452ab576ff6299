"""Which orders a query of the demo shop means: dates with their traps, statuses, pages, fields, versions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from werkzeug.test import Client, TestResponse

from monet_web.demo.woocommerce.auth import Key
from monet_web.demo.woocommerce.clock import utc_text
from monet_web.demo.woocommerce.documents import decode
from monet_web.demo.woocommerce.history import RealisticHistory
from monet_web.demo.woocommerce.profile import CURRENT, CURRENT_ON_POSTS, STATUSES, VERSION_3_9, VERSION_5_9, Profile
from monet_web.demo.woocommerce.server import WooCommerceShop
from monet_web.demo.woocommerce.store import Store

NOW = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def shop(profile: Profile = CURRENT, orders: int = 0) -> WooCommerceShop:
    history = RealisticHistory(seed=1, total=orders)
    return WooCommerceShop(Store(history, profile=profile, now=lambda: NOW), keys=[Key("ck_a", "cs_a")])


def ask(app: WooCommerceShop, target: str, **query: Any) -> TestResponse:
    return Client(app).get(
        f"/wp-json/wc/v3{target}",
        query_string=query,
        headers={"Host": "shop.example", "X-Forwarded-Proto": "https"},
        auth=("ck_a", "cs_a"),
    )


def ids(app: WooCommerceShop, **query: Any) -> list[int]:
    response = ask(app, "/orders", orderby="id", order="asc", _fields="id", per_page=100, **query)
    assert response.status_code == 200, response.text
    return [order["id"] for order in decode(response.data)]


@pytest.fixture
def autumn() -> WooCommerceShop:
    """One order an instant: before, in and after the hour that Vilnius had twice on 25 October 2026 (00:00-02:00 Z)."""
    return with_autumn(CURRENT)


def with_autumn(profile: Profile) -> WooCommerceShop:
    app = shop(profile)
    for number, at in enumerate(("00:15", "00:30", "00:45", "01:00", "01:30", "02:15"), start=1):
        app.store.add(id=number, at=utc(f"2026-10-25T{at}:00"))
    return app


def test_after_and_before_leave_out_their_own_second(autumn: WooCommerceShop) -> None:
    assert ids(autumn, after="2026-10-25T00:30:00Z") == [3, 4, 5, 6]
    assert ids(autumn, before="2026-10-25T00:30:00Z") == [1]
    assert ids(autumn, after="2026-10-25T00:29:59Z", before="2026-10-25T00:30:01Z") == [2]


def test_a_fraction_of_a_second_is_dropped(autumn: WooCommerceShop) -> None:
    assert ids(autumn, after="2026-10-25T00:29:59.999Z") == [2, 3, 4, 5, 6]


def test_an_offset_is_understood(autumn: WooCommerceShop) -> None:
    assert ids(autumn, after="2026-10-25T03:30:00+03:00") == [3, 4, 5, 6]


def test_dates_are_gmt_with_a_naive_value_is_utc(autumn: WooCommerceShop) -> None:
    assert ids(autumn, after="2026-10-25T00:30:00", dates_are_gmt="true") == [3, 4, 5, 6]


def test_dates_are_gmt_with_a_z_misses_the_hours_that_the_shop_is_ahead() -> None:
    app = shop()
    for hour in range(8, 14):
        app.store.add(id=hour, at=utc(f"2026-07-01T{hour:02}:30:00"))
    assert ids(app, after="2026-07-01T08:00:00Z", dates_are_gmt="true") == [11, 12, 13]
    assert ids(app, after="2026-07-01T08:00:00Z") == [8, 9, 10, 11, 12, 13]


def test_a_naive_value_is_the_shops_clock_and_in_the_doubled_hour_its_second_round(autumn: WooCommerceShop) -> None:
    # 03:15 in Vilnius was 00:15Z and again 01:15Z.
    assert ids(autumn, after="2026-10-25T03:15:00") == [5, 6]
    assert ids(autumn, after="2026-10-25T02:59:00") == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("profile", [CURRENT_ON_POSTS, VERSION_5_9, VERSION_3_9], ids=lambda p: p.version)
def test_posts_storage_compares_wall_clocks_even_for_a_z(profile: Profile) -> None:
    # 00:45Z is 03:45 there; 01:00Z and 01:30Z are 03:00 and 03:30 by the same clock, and lost.
    assert ids(with_autumn(profile), after="2026-10-25T00:45:00Z") == [6]


@pytest.mark.parametrize("profile", [CURRENT_ON_POSTS, VERSION_5_9], ids=lambda p: p.version)
def test_posts_storage_is_right_with_dates_are_gmt_and_a_naive_value(profile: Profile) -> None:
    assert ids(with_autumn(profile), after="2026-10-25T00:45:00", dates_are_gmt="true") == [4, 5, 6]


def test_the_hour_that_march_skips_is_read_as_the_next() -> None:
    # 29 March 2026, 03:30 in Vilnius: there was none. PHP reads 04:30, which is 01:30Z.
    app = shop()
    for number, at in enumerate(("00:45", "01:15", "01:45"), start=1):
        app.store.add(id=number, at=utc(f"2026-03-29T{at}:00"))
    assert ids(app, after="2026-03-29T03:30:00") == [3]


BOUNDS: dict[str, tuple[str, Callable[[int, int], bool]]] = {
    "after": ("created", lambda at, limit: at > limit),
    "before": ("created", lambda at, limit: at < limit),
    "modified_after": ("modified", lambda at, limit: at > limit),
    "modified_before": ("modified", lambda at, limit: at < limit),
}


@pytest.mark.parametrize("name", BOUNDS)
@pytest.mark.parametrize("place", [0, 1, 77, 150, 199, 230, 299])
@pytest.mark.parametrize("profile", [CURRENT, CURRENT_ON_POSTS], ids=["hpos", "posts"])
@pytest.mark.parametrize("is_gmt", [True, False], ids=["gmt", "local"])
def test_a_bound_at_an_orders_own_second_finds_what_a_look_at_each_order_finds(
    name: str, place: int, profile: Profile, is_gmt: bool
) -> None:
    app = shop(profile, orders=300)
    column, suits = BOUNDS[name]
    headers = [app.store.history.header(index) for index in range(300)]
    limit = getattr(headers[place], column)
    text = utc_text(limit) if is_gmt else f"{utc_text(limit)}Z"
    query = {name: text, "dates_are_gmt": "true"} if is_gmt else {name: text}
    wanted = [header.id for header in headers if suits(getattr(header, column), limit)]
    found = [i for start in range(1, 5) for i in ids(app, page=start, **query)]
    assert found == wanted


def test_version_3_9_ignores_modified_after_and_dates_are_gmt_without_a_word() -> None:
    app = with_autumn(VERSION_3_9)
    assert ids(app, modified_after="2030-01-01T00:00:00") == [1, 2, 3, 4, 5, 6]
    # Naive, so it is the shop's wall clock, dates_are_gmt or not: 02:50 was 23:50Z.
    assert ids(app, after="2026-10-25T02:50:00", dates_are_gmt="true") == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("profile", [CURRENT, CURRENT_ON_POSTS, VERSION_5_9], ids=lambda p: p.version)
def test_the_probe_for_modified_after_finds_nothing_where_it_is_known(profile: Profile) -> None:
    response = ask(with_autumn(profile), "/orders", modified_after="2030-01-01T00:00:00")
    assert (response.text, response.headers["X-WP-Total"]) == ("[]", "0")


def test_modified_after_finds_an_edited_order_by_its_edit() -> None:
    app = shop(orders=50)
    app.store.edit(120, at=utc("2026-12-01T10:00:00"), status="completed")
    assert ids(app, modified_after="2026-12-01T09:59:59", dates_are_gmt="true") == [120]
    assert ids(app, modified_after="2026-12-01T10:00:00", dates_are_gmt="true") == []
    assert ids(app, modified_before="2026-12-01T10:00:00", dates_are_gmt="true", include="120") == []


def test_a_new_order_comes_first_by_default_and_last_by_id() -> None:
    app = shop(orders=20)
    new = app.store.add(at=utc("2026-11-01T10:00:00"))
    assert decode(ask(app, "/orders", _fields="id", per_page=1).data) == [{"id": new}]
    assert ids(app)[-1] == new


def test_ties_of_a_second_are_broken_by_id_so_that_pages_repeat_none() -> None:
    app = shop()
    for number in range(1, 16):
        app.store.add(id=number, at=utc("2026-10-01T10:00:00"))
    pages = [decode(ask(app, "/orders", per_page=4, page=page, _fields="id").data) for page in (1, 2, 3, 4)]
    assert [order["id"] for page in pages for order in page] == list(range(15, 0, -1))


def test_an_offset_makes_the_page_void() -> None:
    app = shop(orders=30)
    wanted = ids(app)
    rows = decode(ask(app, "/orders", orderby="id", order="asc", per_page=5, offset=7, page=3, _fields="id").data)
    assert [row["id"] for row in rows] == wanted[7:12]


@pytest.mark.parametrize(("profile", "totals"), [(CURRENT, "0"), (CURRENT_ON_POSTS, "50"), (VERSION_3_9, "50")])
def test_the_totals_behind_the_last_page_depend_on_the_storage(profile: Profile, totals: str) -> None:
    response = ask(shop(profile, orders=50), "/orders", page=9)
    assert (response.text, response.headers["X-WP-Total"]) == ("[]", totals)


def test_include_keeps_the_order_it_was_given_in() -> None:
    rows = decode(ask(shop(orders=50), "/orders", include="120,101,131", orderby="include", order="asc").data)
    assert [row["id"] for row in rows] == [120, 101, 131]


def test_exclude_leaves_out() -> None:
    app = shop(orders=20)
    wanted = ids(app)
    assert ids(app, exclude=f"{wanted[0]},{wanted[3]}") == [wanted[1], wanted[2], *wanted[4:]]


def test_search_finds_buyers_products_and_ids_but_no_number_of_a_numbering_plugin() -> None:
    app = shop(orders=200)
    numbered = next(o for o in app_orders(app) if o["number"] != str(o["id"]))
    assert ids(app, search=numbered["number"]) == []
    assert numbered["id"] in ids(app, search=numbered["billing"]["email"])
    assert numbered["id"] in ids(app, search=str(numbered["id"]))
    assert numbered["id"] in ids(app, search=numbered["line_items"][0]["name"].upper())


def app_orders(app: WooCommerceShop) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = decode(ask(app, "/orders", per_page=100).data)
    return found


def test_statuses_come_as_a_list_or_as_an_array() -> None:
    app = shop(orders=200)
    by_comma = ids(app, status="processing,on-hold")
    by_array = ids(app, **{"status[]": ["processing", "on-hold"]})
    statuses = {app.store.history.header(i).status for i in range(200) if app.store.history.header(i).id in by_comma}
    assert by_comma == by_array
    assert (len(by_comma), statuses) == (62, {"processing", "on-hold"})


def test_the_second_of_two_statuses_is_named_by_its_place() -> None:
    response = ask(shop(), "/orders", status="completed,bogus")
    assert response.status_code == 400
    assert "status[1] is not one of any, trash, auto-draft, pending," in response.text


def test_any_has_no_trash_and_no_drafts_even_beside_trash() -> None:
    app = shop(orders=10)
    wanted = ids(app)
    app.store.trash(wanted[0])
    app.store.edit(wanted[1], status="checkout-draft")
    assert ids(app) == wanted[2:]
    assert ids(app, status="any,trash") == wanted[2:]
    assert ids(app, status="trash") == [wanted[0]]
    assert ids(app, status="checkout-draft") == [wanted[1]]
    assert decode(ask(app, f"/orders/{wanted[0]}").data)["status"] == "trash"


def test_orders_of_a_plugin_that_is_off_vanish_from_any_and_from_include_but_not_by_id() -> None:
    known = {slug: name for slug, name in STATUSES.items() if slug != "shipped"}
    app = shop(Profile(statuses=known), orders=200)
    shipped = next(h.id for h in map(app.store.history.header, range(200)) if h.status == "shipped")
    assert ask(app, "/orders").headers["X-WP-Total"] == "189"
    assert ids(app, include=str(shipped)) == []
    assert ask(app, "/orders", status="shipped").status_code == 400
    assert decode(ask(app, f"/orders/{shipped}").data)["status"] == "shipped"


def test_fields_reach_into_objects_and_lose_lists() -> None:
    response = ask(shop(orders=3), "/orders", _fields="id,billing.country,line_items.id", per_page=1)
    assert decode(response.data) == [{"id": 102, "billing": {"country": "LT"}, "line_items": []}]


def test_an_object_of_which_nothing_is_left_is_an_empty_php_array() -> None:
    assert ask(shop(orders=3), "/orders", _fields="billing.nothing", per_page=1).text == '[{"billing":[]}]'


def test_all_faults_of_a_query_are_named_at_once() -> None:
    response = ask(shop(), "/orders", page="x", per_page="500", order="up", dates_are_gmt="maybe", include="1,b")
    document = decode(response.data)
    assert document["message"] == "Invalid parameter(s): page, per_page, dates_are_gmt, include, order"
    assert document["data"]["params"] == {
        "page": "page is not of type integer.",
        "per_page": "per_page must be between 1 (inclusive) and 100 (inclusive)",
        "dates_are_gmt": "dates_are_gmt is not of type boolean.",
        "include": "include[1] is not of type integer.",
        "order": "order is not one of asc and desc.",
    }


@pytest.mark.parametrize(
    ("profile", "order_fields", "line_fields"),
    [(CURRENT, 47, 17), (VERSION_5_9, 43, 15), (VERSION_3_9, 42, 14)],
    ids=lambda value: getattr(value, "version", str(value)),
)
def test_old_versions_have_fewer_fields(profile: Profile, order_fields: int, line_fields: int) -> None:
    order = decode(ask(shop(profile, orders=1), "/orders/99").data)
    assert (len(order), len(order["line_items"][0])) == (order_fields, line_fields)
    assert ("total_tax" in order["refunds"][0]) == profile.is_current


@pytest.mark.parametrize("profile", [VERSION_5_9, VERSION_3_9], ids=lambda p: p.version)
def test_old_versions_have_no_list_of_refunds_and_of_statuses(profile: Profile) -> None:
    app = shop(profile, orders=1)
    for route in ("/refunds", "/orders/statuses"):
        response = ask(app, route)
        assert (response.status_code, decode(response.data)["code"]) == (404, "rest_no_route")
    assert ask(app, "/orders/99/refunds").status_code == 200


def test_version_3_9_does_not_sort_by_modified() -> None:
    response = ask(shop(VERSION_3_9), "/orders", orderby="modified")
    assert "orderby is not one of date, id, include, title, and slug." in response.text


def test_refunds_of_all_orders_come_by_date_with_their_order() -> None:
    app = shop(orders=200)
    rows = decode(ask(app, "/refunds", after="2026-10-01T00:00:00", dates_are_gmt="true", per_page=100).data)
    made = [row["date_created_gmt"] for row in rows]
    assert made == sorted(made, reverse=True)
    assert min(made) > "2026-10-01T00:00:00"
    assert list(rows[0])[:2] == ["id", "parent_id"]
    newest = app.store.refund(131, amount=Decimal("0.50"), at=utc("2026-12-01T00:00:00"))
    rows = decode(ask(app, "/refunds", after="2026-11-30T00:00:00", dates_are_gmt="true").data)
    assert [(row["id"], row["parent_id"], row["amount"]) for row in rows] == [(newest, 131, "0.50")]


def test_a_refund_is_no_order() -> None:
    app = shop(orders=200)
    refund = app.store.refund(131, amount=Decimal("0.50"))
    assert ask(app, f"/orders/{refund}").status_code == 404
    assert decode(ask(app, f"/orders/131/refunds/{refund}").data)["line_items"] == []


def test_a_strangers_unknown_order_is_404_a_known_one_401() -> None:
    app = shop(orders=5)
    client = Client(app)
    assert client.get("/wp-json/wc/v3/orders/99").status_code == 401
    assert client.get("/wp-json/wc/v3/orders/98").status_code == 404


def test_products_are_found_by_sku_and_by_id() -> None:
    app = shop()
    assert [row["id"] for row in decode(ask(app, "/products", sku="LT-0001").data)] == [11]
    assert decode(ask(app, "/products/11").data)["sku"] == "LT-0001"
    assert decode(ask(app, "/products/9999").data)["code"] == "woocommerce_rest_product_invalid_id"
    assert (len(decode(ask(app, "/products").data)), ask(app, "/products").headers["X-WP-Total"]) == (10, "55")
