"""The OpenCart connector against its demo shop: doors, clocks, refusals, broken orders, addresses, learned facts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from monet_web.connectors.base import Page, Selection, Surroundings
from monet_web.connectors.opencart import OpenCart
from monet_web.connectors.opencart.explain import INSTALL, NEW_USER, UPDATE
from monet_web.demo.opencart import VALUES
from monet_web.demo.opencart.faults import HTML, Answer, Faults, page
from monet_web.demo.opencart.server import DEMO_KEY, OpenCartShop
from monet_web.demo.opencart.store import Store
from monet_web.demo.serve import serve
from monet_web.domain.errors import BrokenRule, MonetError, NeedsOwner, RetryLater
from monet_web.domain.orders import Order, Unreadable
from monet_web.domain.windows import Window

EVERYTHING = Selection(Window(datetime(2026, 9, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)))
NOBODY = Faults(doors=frozenset())


@contextmanager
def connected(demo: OpenCartShop, learned: Mapping[str, str] | None = None, /, **values: str) -> Iterator[OpenCart]:
    with serve(demo) as address:
        around = Surroundings(allowed_addresses=(address.split("://")[1],), learned=learned or {})
        connector = OpenCart({"address": address, **VALUES, **values}, around)
        connector._client._sleep = lambda seconds: None
        try:
            yield connector
        finally:
            connector.close()


def ids_of(pages: list[Page]) -> list[str]:
    return [str(order["order_id"]) for page in pages for order in page.orders]


def refusal(demo: OpenCartShop, /, **values: str) -> MonetError:
    with connected(demo, None, **values) as connector, pytest.raises(MonetError) as caught:
        connector.test()
    return caught.value


# Doors.


@pytest.mark.parametrize(("door", "version"), [("file", "oc40"), ("oc3", "oc3"), ("oc4", "oc41")])
def test_the_bridge_is_found_whichever_way_it_was_installed_and_asked_there_at_once_next_time(
    door: str, version: str
) -> None:
    shop = OpenCartShop(Store(version=version, total=5), faults=Faults(doors=frozenset({door})))
    with connected(shop) as connector:
        learned = dict(connector.test().learned)
    assert learned == {"door": door, "clock_offset": "0"}
    before = len(shop.requests)
    with connected(shop, learned) as connector:
        assert len(ids_of(list(connector.pages(EVERYTHING)))) == 5
    assert len(shop.requests) - before == 2  # what the shop is, and one page


def test_the_query_is_signed_as_it_is_sent_with_the_route_in_it() -> None:
    shop = OpenCartShop(Store(version="oc41", total=3), faults=Faults(doors=frozenset({"oc4"})))
    with connected(shop) as connector:
        assert len(ids_of(list(connector.pages(EVERYTHING)))) == 3
    assert "route=extension%2Fmonet%2Fmonet&action=orders" in shop.requests[-1].query
    assert not any(DEMO_KEY in request.query + request.sign + request.user for request in shop.requests)


def test_a_bridge_that_was_here_and_moved_is_found_again() -> None:
    shop = OpenCartShop(Store(total=3), faults=Faults(doors=frozenset({"oc3"})))
    with connected(shop, {"door": "file", "clock_offset": "0"}) as connector:
        assert len(ids_of(list(connector.pages(EVERYTHING)))) == 3
        assert connector.learned["door"] == "oc3"


@pytest.mark.parametrize(
    ("version", "said"), [("oc3", "It is OpenCart 3"), ("oc40", "It is OpenCart 4"), ("oc41", "It is OpenCart 4")]
)
def test_without_a_bridge_the_fix_names_the_package_of_this_version(version: str, said: str) -> None:
    error = refusal(OpenCartShop(Store(version=version, total=3), faults=NOBODY))
    assert isinstance(error, NeedsOwner)
    assert error.message.startswith("There is no bridge at http://127.0.0.1:")
    assert error.message.endswith(" (404).")
    assert error.fix.startswith(f"{INSTALL} {said}")


# Clocks.


@pytest.mark.parametrize("seconds", [7200, -4000, 0])
def test_a_shop_s_clock_is_learned_from_its_refusal_and_kept(seconds: int) -> None:
    shop = OpenCartShop(Store(total=3), faults=Faults(clock_seconds=seconds))
    with connected(shop) as connector:
        facts = connector.test()
        learned = connector.learned
    assert abs(int(learned["clock_offset"]) - seconds) <= 2
    assert any("clock is" in notice for notice in facts.notices) == bool(seconds)
    before = len(shop.requests)
    with connected(shop, learned) as connector:
        list(connector.pages(EVERYTHING))
    assert len(shop.requests) - before == 2


def test_a_clock_that_was_mended_is_learned_anew() -> None:
    shop = OpenCartShop(Store(total=3))
    with connected(shop, {"door": "file", "clock_offset": "90000"}) as connector:
        assert len(ids_of(list(connector.pages(EVERYTHING)))) == 3
        assert abs(int(connector.learned["clock_offset"])) <= 2


def test_a_clock_that_jumps_is_told() -> None:
    shop = OpenCartShop(Store(total=3))
    far = {"error": "clock", "message": "The request is too old", "server_time": 1_000_000_000}
    shop.hooks.append(lambda request: Answer(401, json.dumps(far).encode()))
    error = refusal(shop)
    assert "clock" in error.message
    assert "jumps" in error.message


# Refusals.

FORBIDDEN = "The web server of http://{host} or a firewall before it refuses (403). It says: “Forbidden”"
REFUSALS: list[tuple[str, Faults, dict[str, str], type[MonetError], str, str]] = [
    ("wrong key", Faults(), {"api_key": "wrong"}, NeedsOwner, "does not know this API user, or the key", NEW_USER),
    ("wrong user", Faults(), {"api_user": "Default"}, NeedsOwner, "does not know this API user, or the key", NEW_USER),
    ("letters", Faults(), {"api_user": "Jonas Ąžuolas"}, NeedsOwner, "does not know this API user", NEW_USER),
    ("no key", Faults(), {"api_key": " "}, NeedsOwner, "There is no API key", "Upload a backup"),
    ("no user", Faults(), {"api_user": ""}, NeedsOwner, "The name of the API user is empty", NEW_USER),
    ("newline", Faults(), {"api_user": "a\r\nX: b"}, NeedsOwner, "The name of the API user is empty", NEW_USER),
    ("headers", Faults(drops_headers=True), {}, NeedsOwner, "our signature does not reach it", "X-Monet-User"),
    ("ip", Faults(addresses=("192.0.2.1",)), {}, NeedsOwner, "Address 127.0.0.1 is not on", "IP Addresses"),
    ("firewall", Faults(forbidden=True), {}, NeedsOwner, "firewall before it refuses (403)", "monet_bridge.php"),
    ("database", Faults(database_down=True), {}, RetryLater, "cannot open the shop's database (500)", "config.php"),
    ("fatal", Faults(fatal_error=True), {}, RetryLater, "failed with an error of its own (500)", "Try again later"),
    ("too often", Faults(too_many_requests=1), {}, RetryLater, "we ask too often (429)", "Try again later"),
    ("no answer", Faults(empty=True), {}, RetryLater, "an empty answer", "Try again later"),
    ("too large", Faults(huge=33 * 1024 * 1024), {}, NeedsOwner, "larger than 32 MB", "plugin"),
    ("www", Faults(redirect_to="https://www.example.com"), {}, NeedsOwner, "sends us on to", "https://www.example.com"),
]


@pytest.mark.parametrize(
    ("faults", "values", "kind", "said", "fix"), [case[1:] for case in REFUSALS], ids=[case[0] for case in REFUSALS]
)
def test_each_refusal_is_one_sentence_with_what_to_do(
    faults: Faults, values: dict[str, str], kind: type[MonetError], said: str, fix: str
) -> None:
    error = refusal(OpenCartShop(Store(total=3), faults=faults), **values)
    assert isinstance(error, kind)
    assert said in error.message
    assert fix in error.fix


def test_a_package_in_maintenance_waits_and_a_file_beside_index_php_does_not() -> None:
    closed = Faults(maintenance=True)
    with connected(OpenCartShop(Store(total=3), faults=closed)) as connector:
        assert connector.test().orders == 3
    shop = OpenCartShop(Store(total=3), faults=Faults(maintenance=True, doors=frozenset({"oc3"})))
    error = refusal(shop)
    assert isinstance(error, RetryLater)
    assert error.message.endswith("is closed for maintenance (503).")


@pytest.mark.parametrize("dirt", [Faults(byte_order_mark=True), Faults(php_notice=True)])
def test_dirt_before_the_json_is_looked_over(dirt: Faults) -> None:
    with connected(OpenCartShop(Store(total=3), faults=dirt)) as connector:
        assert connector.test().orders == 3


def test_a_page_of_the_website_in_the_bridge_s_place_is_told_from_a_missing_one() -> None:
    shop = OpenCartShop(Store(total=3))
    shop.hooks.append(lambda request: Answer(200, page("Sveiki"), HTML))
    error = refusal(shop)
    assert "a page of the website answers in its place" in error.message
    assert error.fix.startswith(INSTALL)


def test_an_old_bridge_is_asked_to_be_replaced() -> None:
    shop = OpenCartShop(Store(total=3))
    shop.hooks.append(lambda request: Answer(200, b'{"bridge":"1.0","opencart":"3.0.4.1","settings":{}}'))
    error = refusal(shop)
    assert "is of version 1.0, which is too old" in error.message
    assert error.fix == UPDATE


def test_opencart_2_0_is_refused_with_the_way_out() -> None:
    store = Store(total=3)
    store.info["opencart"] = "2.0.3.1"
    error = refusal(OpenCartShop(store))
    assert "runs OpenCart 2.0.3.1, which has no API users with keys" in error.message
    assert "upload a backup" in error.fix


def test_a_cache_that_gives_old_pages_is_told_and_not_walked_in_circles() -> None:
    shop = OpenCartShop(Store(total=150))
    first: list[Answer] = []

    def cached(request: Any) -> Answer | None:
        if "action=orders" not in request.query:
            return None
        first.append(first[0] if first else shop.answer(request, shop.faults))
        return first[0]

    shop.hooks.append(cached)
    with connected(shop) as connector, pytest.raises(NeedsOwner) as caught:
        list(connector.pages(EVERYTHING))
    assert "does not give its orders in the order of their ids" in caught.value.message
    assert "cache" in caught.value.fix


# Orders.


def test_orders_that_break_their_page_are_named_and_all_others_come() -> None:
    store = Store(total=230)
    broken = frozenset({3, 84, 1001, 1002})
    with connected(OpenCartShop(store, faults=Faults(broken_orders=broken))) as connector:
        pages = list(connector.pages(EVERYTHING))
    found = ids_of(pages)
    assert {int(one) for one in found} == {int(order["order_id"]) for order in store.finished()} - broken
    assert len(found) == len(set(found))
    named = [one for page in pages for one in page.unreadable]
    assert [one.external_id for one in named] == ["3", "84", "1001", "1002"]
    assert named[0].reason.startswith("The shop fails when it is asked for order 3. The database of http://127.0.0.1:")


def test_of_a_shop_that_tells_who_it_is_and_whose_every_order_breaks_each_is_named() -> None:
    store = Store(total=30)
    shop = OpenCartShop(store, faults=Faults(broken_orders=frozenset(store.orders)))
    with connected(shop) as connector:
        named = [one.external_id for page in connector.pages(EVERYTHING) for one in page.unreadable]
    assert named == [order["order_id"] for order in store.finished()]
    assert len(shop.requests) < 30 * 5


def test_a_changed_order_comes_and_an_unchanged_one_does_not() -> None:
    store = Store(total=20)
    store.edit(7, at=datetime(2027, 2, 1, 12, tzinfo=UTC), comment="x")
    store.press_invoice(8)  # tells nothing: date_modified stays
    window = Window(datetime(2027, 2, 1, tzinfo=UTC), datetime(2027, 2, 2, tzinfo=UTC))
    with connected(OpenCartShop(store)) as connector:
        assert ids_of(list(connector.pages(Selection(window)))) == ["7"]
        assert ids_of(list(connector.pages(Selection(window, "created")))) == []


def test_paid_means_placed_because_no_opencart_says_when_it_was_paid() -> None:
    window = Window(datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 10, 3, tzinfo=UTC))
    with connected(OpenCartShop(Store(total=83))) as connector:
        created = ids_of(list(connector.pages(Selection(window, "created"))))
        assert created
        assert ids_of(list(connector.pages(Selection(window, "paid")))) == created


def test_checkouts_that_were_never_finished_are_no_orders_and_one_asked_for_by_id_says_why() -> None:
    store = Store(total=10)
    store.orders[4]["order_status_id"] = "0"
    with connected(OpenCartShop(store)) as connector:
        assert "4" not in ids_of(list(connector.pages(EVERYTHING)))
        (found,) = connector.by_ids(["3", "4", "77777"])
    assert ids_of([found]) == ["3"]
    reason = "Order 4 is unfinished in the shop: somebody edits it just now, or its checkout was taken back."
    assert found.unreadable == (Unreadable("4", reason, number="4"),)


def test_the_hour_that_october_doubles_loses_no_order() -> None:
    store = Store(total=0)
    start = datetime(2027, 10, 31, 0, 0, tzinfo=UTC)  # 03:00 in Vilnius, summer time
    for minutes in range(0, 121, 20):
        store.add(at=start + timedelta(minutes=minutes))
    found: list[str] = []
    with connected(OpenCartShop(store)) as connector:
        for hour in range(-1, 4):
            begin = start + timedelta(hours=hour)
            window = Window(begin, begin + timedelta(hours=1))
            found += ids_of(list(connector.pages(Selection(window, "created"))))
    assert sorted(found, key=int) == [str(number) for number in sorted(store.orders)]


def test_one_shop_of_several_can_be_chosen_and_the_others_are_told_of() -> None:
    store = Store(total=6)
    store.orders[2]["store_id"] = store.orders[5]["store_id"] = "3"
    shop = OpenCartShop(store)
    with connected(shop, None, shop="3") as connector:
        assert ids_of(list(connector.pages(EVERYTHING))) == ["2", "5"]
        assert any("no shop of the number 3" in notice for notice in connector.test().notices)
    with connected(shop) as connector:
        found = [connector.read(order, page.context) for page in connector.pages(EVERYTHING) for order in page.orders]
    assert [one.shop_id for one in found if isinstance(one, Order)] == ["0", "3", "0", "0", "3", "0"]


def test_an_opencart_without_a_time_zone_of_its_own_takes_the_typed_one() -> None:
    store = Store(total=3)
    store.info["settings"].pop("config_timezone")
    shop = OpenCartShop(store)
    with connected(shop, time_zone="Europe/London") as connector:
        facts = connector.test()
        (found,) = connector.pages(EVERYTHING)
        order = connector.read(found.orders[0], found.context)
    assert facts.time_zone == "Europe/London"
    assert any("they are read as Europe/London" in notice for notice in facts.notices)
    assert isinstance(order, Order)
    assert order.placed_at == datetime(2026, 9, 15, 9, 36, 15, tzinfo=UTC)  # 10:36:15 in London's summer
    error = refusal(shop, time_zone="Mars")
    assert "The time zone of the shop's dates is not known." in error.message


# What a test learns.


def test_a_test_fills_the_lists_of_the_form() -> None:
    store = Store(version="oc41", total=83)
    store.orders[9]["order_status_id"] = "0"
    with connected(OpenCartShop(store)) as connector:
        facts = connector.test()
    assert (facts.name, facts.version) == ("Parduotuvė „Ąžuolas“ & Ko", "4.1.0.3")
    assert (facts.time_zone, facts.currency, facts.orders) == ("Europe/Vilnius", "EUR", 82)
    assert {one.value for one in facts.statuses if one.is_default} == {"1", "2", "3", "5", "12"}
    assert {one.value: one.label for one in facts.statuses}["11"] == "Refunded"
    assert [one.label for one in facts.tax_rates if "PVM" in one.label] == ["PVM 21%", "PVM 9%", "PVM 5%", "PVM 0%"]
    assert {"Įmonės kodas", "PVM mokėtojo kodas", "Pirkėjo tipas"} <= {one.value for one in facts.fields}
    assert {one.value for one in facts.payment_methods} == {"cod.cod", "free_checkout.free_checkout"}
    assert [(one.value, one.label) for one in facts.shops] == [("0", "Parduotuvė „Ąžuolas“ & Ko")]
    assert [notice[:24] for notice in facts.notices] == ["The address is not https"]


def test_several_shops_are_listed_with_their_numbers() -> None:
    store = Store(total=3)
    shop = OpenCartShop(store)
    real = shop.answer

    def with_stores(request: Any, faults: Faults) -> Answer:
        answer = real(request, faults)
        body = answer.body.replace(b'"stores":[]', b'"stores":[{"store_id":"3","name":"B &amp; C","url":"x"}]')
        return Answer(answer.status, body, answer.kind, answer.headers)

    shop.answer = with_stores  # type: ignore[method-assign]
    with connected(shop) as connector:
        facts = connector.test()
    assert [(one.value, one.label) for one in facts.shops][1] == ("3", "B & C")
    assert any("several shops: Parduotuvė „Ąžuolas“ & Ko (0), B & C (3)." in notice for notice in facts.notices)


@pytest.mark.parametrize(
    "broken", [{"settings": []}, {"counts": None}, {"stores": "x", "payments": 3}, {"order_statuses": [None]}]
)
def test_a_test_survives_tables_that_are_broken(broken: dict[str, Any]) -> None:
    store = Store(total=3)
    store.info.update(broken)
    with connected(OpenCartShop(store)) as connector:
        assert connector.test().version == "3.0.4.1"


# Addresses.


@pytest.mark.parametrize(
    "typed",
    [
        "https://shop.example/store",
        "http://SHOP.example/store/",
        "shop.example/store//",
        "https://shop.example/store/index.php?route=common/home",
        "https://shop.example/store/admin/index.php?route=common/dashboard&user_token=abc",
        "https://shop.example/store/admin/",
        "https://shop.example/store/monet_bridge.php",
        "https://shop.example/store/index.php/#top",
    ],
)
def test_a_store_is_known_however_its_address_is_typed(typed: str) -> None:
    assert OpenCart.store_key({"address": typed}) == "shop.example/store"
    assert OpenCart.store_key({"address": typed, "shop": " 03 "}) == "shop.example/store#3"


def test_ports_and_hosts_tell_stores_apart() -> None:
    keys = [OpenCart.store_key({"address": typed}) for typed in ("a.example", "www.a.example", "a.example:8080")]
    assert keys == ["a.example", "www.a.example", "a.example:8080"]


@pytest.mark.parametrize("shop", ["main", "-1", "1,2", "٣"])
def test_a_shop_s_number_is_a_number(shop: str) -> None:
    with pytest.raises(BrokenRule) as caught:
        OpenCart.store_key({"address": "a.example", "shop": shop})
    assert caught.value.field == "shop"


def test_a_key_copied_with_line_breaks_is_the_same_key() -> None:
    spaced = f" {DEMO_KEY[:100]}\n{DEMO_KEY[100:]} "
    with connected(OpenCartShop(Store(total=3)), api_key=spaced) as connector:
        assert connector.test().orders == 3
