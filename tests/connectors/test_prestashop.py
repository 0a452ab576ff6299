"""PrestaShop's connector against the demo shop: signing in, every refusal, reading in bulk, a shop gone wrong."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import trustme

from monet_web.connectors.answers import Answer
from monet_web.connectors.base import Page, Selection, StoreFacts, Surroundings
from monet_web.connectors.http import Limits
from monet_web.connectors.prestashop import PrestaShop
from monet_web.connectors.prestashop.explain import explain
from monet_web.connectors.prestashop.resources import NEEDED
from monet_web.connectors.prestashop.xml_rows import document, rows_of
from monet_web.demo import prestashop as demo_prestashop
from monet_web.demo.prestashop.faults import Faults
from monet_web.demo.prestashop.recordings import seconds
from monet_web.demo.prestashop.server import DEMO_KEY, PrestaShopServer
from monet_web.demo.prestashop.server import Answer as Served
from monet_web.demo.prestashop.server import Request as Asked
from monet_web.demo.serve import serve
from monet_web.domain.errors import BrokenRule, MonetError, NeedsOwner, RetryLater
from monet_web.domain.orders import Order
from monet_web.domain.windows import Window
from tests.connectors.prestashop_recordings import BUNDLES

RECORDED = Path(__file__).parent / "recorded" / "prestashop"
EVERYTHING = Selection(Window(datetime(2026, 9, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)))
D = Decimal


@dataclass
class Here:
    """A served demo shop and how it is asked."""

    shop: PrestaShopServer
    address: str
    verify: bool | str = True

    def connector(self, key: str = DEMO_KEY, shop: str = "", **around: Any) -> PrestaShop:
        surroundings = Surroundings(allowed_addresses=(self.address.split("://")[1],), verify_tls=self.verify, **around)
        return PrestaShop(
            {"address": self.address, "key": key, "shop": shop}, surroundings, limits=Limits(tries=2, longest_wait=1)
        )

    def pages(self, selection: Selection = EVERYTHING, **around: Any) -> list[Page]:
        return list(self.connector(**around).pages(selection))

    def orders(self, selection: Selection = EVERYTHING, **around: Any) -> list[Order]:
        found = [
            PrestaShop.read(entry, page.context) for page in self.pages(selection, **around) for entry in page.orders
        ]
        assert all(isinstance(order, Order) for order in found)
        return [order for order in found if isinstance(order, Order)]

    def test(self, **around: Any) -> StoreFacts:
        return self.connector(**around).test()

    def refusal(self, **around: Any) -> MonetError:
        with pytest.raises((NeedsOwner, RetryLater)) as caught:
            self.test(**around)
        assert caught.value.fix
        assert DEMO_KEY not in repr(caught.value) + caught.value.fix
        return caught.value

    @property
    def asked(self) -> list[Asked]:
        return list(self.shop.requests)


@contextmanager
def here(shop: PrestaShopServer, **served: Any) -> Iterator[Here]:
    with serve(shop, **served) as address:
        yield Here(shop, address)


@pytest.fixture
def demo() -> Iterator[Here]:
    with here(demo_prestashop.shop(still=True, orders=250)) as found:
        yield found


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, str]:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    path = Path(tmp_path_factory.mktemp("ca")) / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return context, str(path)


@pytest.fixture
def secure(authority: tuple[ssl.SSLContext, str]) -> Iterator[Here]:
    shop = demo_prestashop.shop(still=True, orders=120)
    with serve(shop, tls=authority[0]) as address:
        yield Here(shop, address, authority[1])


# Signing in.


def test_the_key_is_sent_in_the_header_and_never_in_the_query(demo: Here) -> None:
    connector = demo.connector()
    connector.test()
    assert connector.learned == {"way": "header", "door": "api"}
    assert not any(DEMO_KEY in request.target for request in demo.asked)


def test_on_https_a_server_that_strips_the_header_gets_the_key_in_the_query(secure: Here) -> None:
    secure.shop.faults = Faults(strips_authorization=True)
    connector = secure.connector()
    facts = connector.test()
    assert facts.learned == {"way": "query", "door": "api"}
    assert all(request.target.endswith(f"ws_key={DEMO_KEY}") for request in secure.asked[1:])
    secure.shop.requests.clear()
    assert secure.test(learned=facts.learned).name
    assert all("ws_key" in request.target for request in secure.asked)


def test_over_plain_http_the_key_never_goes_into_the_query(demo: Here) -> None:
    demo.shop.faults = Faults(strips_authorization=True)
    refusal = demo.refusal()
    assert "keeps the key to itself" in refusal.message
    assert "CGIPassAuth On" in refusal.fix
    assert "https://" in refusal.fix
    assert not any("ws_key" in request.target for request in demo.asked)


def test_a_server_without_rewriting_is_asked_through_the_webservice_s_script(demo: Here) -> None:
    demo.shop.faults = Faults(no_rewriting=True)
    facts = demo.test()
    assert facts.learned["door"] == "dispatcher"
    demo.shop.requests.clear()
    assert len(demo.orders(learned=facts.learned)) == 250
    # The first question over plain http looks for https, without the key.
    assert all(request.path == "/webservice/dispatcher.php" for request in demo.asked[1:])


def test_an_http_address_that_leads_on_to_https_is_followed_before_the_key_is_sent(secure: Here) -> None:
    plain = demo_prestashop.shop(still=True, orders=1)
    plain.faults = Faults(redirect_to=secure.address)
    with here(plain) as other:
        surroundings = Surroundings(
            allowed_addresses=tuple(one.split("://")[1] for one in (secure.address, other.address)),
            verify_tls=secure.verify,
        )
        connector = PrestaShop({"address": other.address, "key": DEMO_KEY}, surroundings)
        with pytest.raises(NeedsOwner, match="sends us on to") as caught:
            connector.test()  # another port is another shop: only https on its usual port is the same one
        assert secure.address in caught.value.fix
    assert [request.authorization for request in plain.requests] == [""]


def test_a_web_server_s_own_password_is_told_from_the_key_s_refusal(demo: Here) -> None:
    demo.shop.faults = Faults(asks_for_password=True)
    assert "a password of its own before PrestaShop" in demo.refusal().message


def web_page(status: int) -> Served:
    return Served(status, b"<!doctype html><html><body>Sveiki</body></html>", "text/html", is_ours=False)


@pytest.mark.parametrize(
    ("status", "says", "fix"),
    [
        (200, "answered with a web page where data was asked for", "front page"),
        (403, "a firewall before it refuses (403). It says: “Sveiki”", "let requests of “Monet-Web” to /api/ through"),
        (500, "failed with an error of its own (500)", "PHP error log"),
    ],
)
def test_another_site_a_firewall_and_a_broken_shop_are_told_apart(demo: Here, status: int, says: str, fix: str) -> None:
    demo.shop.hooks.append(lambda _: web_page(status))
    connector = demo.connector()
    connector._client._sleep = lambda seconds: None
    with pytest.raises((NeedsOwner, RetryLater)) as caught:
        connector.test()
    assert says in caught.value.message
    assert fix in caught.value.fix


# Every refusal, in one sentence with what to do.

REFUSALS: tuple[tuple[Faults, str, str], ...] = (
    (Faults(webservice_off=True), "is switched off", "Enable PrestaShop's webservice"),
    (Faults(key_off=True), "does not know this key, or it is switched off", "copy it again"),
    (Faults(not_permitted=frozenset({"orders"})), "may not read orders", "tick “View (GET)” for orders"),
    (
        Faults(not_permitted=frozenset({"order_slip", "customers"})),
        "may not read customers, order_slip",
        "tick “View (GET)” for customers, order_slip",
    ),
    (Faults(other_shop=True), "does not belong to this shop", "Shop association"),
    (Faults(wrong_address=True), "There is no PrestaShop webservice", "front page"),
    (Faults(too_many_requests=3600), "too often", "Try again later"),
)


@pytest.mark.parametrize(("faults", "says", "fix"), REFUSALS)
def test_each_refusal_says_what_is_wrong_and_what_to_do(demo: Here, faults: Faults, says: str, fix: str) -> None:
    demo.shop.faults = faults
    refusal = demo.refusal()
    assert says in refusal.message
    assert fix in refusal.fix


@pytest.mark.parametrize("resource", NEEDED)
def test_each_right_that_is_missing_is_named_also_where_the_list_of_rights_crashes(demo: Here, resource: str) -> None:
    for crashes in (False, True):
        demo.shop.faults = Faults(not_permitted=frozenset({resource}), root_crashes=crashes)
        refusal = demo.refusal()
        assert f"may not read {resource}" in refusal.message
        assert f"“View (GET)” for {resource}" in refusal.fix


def test_a_right_that_is_taken_away_stops_the_run_with_the_resource_s_name(demo: Here) -> None:
    demo.shop.faults = Faults(not_permitted=frozenset({"order_details"}))
    with pytest.raises(NeedsOwner, match="may not read order_details"):
        demo.pages()


@pytest.mark.parametrize(
    ("key", "says"),
    [
        ("", "The webservice key is empty"),
        ("short", "is not a key of PrestaShop's, which have 32 characters"),
        ("K" * 32, "does not know this key"),
    ],
)
def test_each_wrong_key_says_what_is_wrong_with_it(demo: Here, key: str, says: str) -> None:
    refusal = demo.refusal(key=key)
    assert says in refusal.message
    assert "Advanced Parameters → Webservice" in refusal.fix


def test_what_a_person_must_mend_is_not_asked_for_again(demo: Here) -> None:
    demo.shop.faults = Faults(webservice_off=True)
    connector = demo.connector()
    with pytest.raises(NeedsOwner):
        connector.test()
    assert connector._client.waited == 0
    assert len(demo.asked) == 2  # the look for https, and one question


RECORDED_REFUSALS = {
    "no_key": "keeps the key to itself",
    "empty_key": "keeps the key to itself",
    "wrong_key": "which have 32 characters",
    "wrong_key_32": "does not know this key",
    "wrong_key_32_xml": "does not know this key",
    "disabled_key": "does not know this key",
    "forbidden_resource": "may not read customers",
    "forbidden_method": "may not view",
    "unknown_resource": "does not have what is asked for",
    "bad_filter": "does not understand the question",
    "bad_display": "does not understand the question",
    "bad_sort": "does not understand the question",
    "webservice_disabled": "is switched off",
}


@pytest.mark.parametrize("name", RECORDED_REFUSALS)
def test_each_recorded_refusal_of_the_real_shop_is_explained(name: str) -> None:
    folder = RECORDED / "errors"
    status, *lines = (folder / f"{name}.headers").read_text("utf-8").splitlines()
    headers = {key.lower(): text.strip() for key, _, text in (line.partition(":") for line in lines)}
    body = (folder / f"{name}.body").read_bytes()
    error = explain(Answer(int(status.split()[1]), headers, body, "https://shop.example/api/orders"))
    assert isinstance(error, NeedsOwner)
    assert RECORDED_REFUSALS[name] in error.message
    assert error.fix


# Addresses as people type them.


@pytest.mark.parametrize(
    "typed",
    [
        "https://shop.example",
        "http://shop.example/",
        " SHOP.example ",
        "https://shop.example/index.php",
        "https://shop.example/api",
        "https://shop.example/api/orders?limit=1",
        "https://shop.example/webservice/dispatcher.php",
        "https://shop.example//",
        "https://shop.example/#akcijos",
    ],
)
def test_every_way_to_type_a_shop_s_address_means_the_same_shop(typed: str) -> None:
    assert PrestaShop.store_key({"address": typed}) == "shop.example"


def test_a_folder_a_port_and_a_shop_s_number_are_parts_of_the_key() -> None:
    key = PrestaShop.store_key
    assert key({"address": "https://www.example.com/parduotuve/index.php"}) == "www.example.com/parduotuve"
    # Folders named as languages are may be shops of their own; only the shop itself can tell.
    assert key({"address": "https://example.com/lt/"}) != key({"address": "https://example.com/lv/"})
    assert key({"address": "https://example.com:8443"}) == "example.com:8443"
    assert key({"address": "https://example.com", "shop": " 02 "}) == "example.com#2"
    assert key({"address": "https://example.com", "shop": "ALL"}) == "example.com#all"
    with pytest.raises(BrokenRule, match="is not a shop's number") as caught:
        key({"address": "https://example.com", "shop": "main"})
    assert caught.value.field == "shop"


@contextmanager
def in_folder(demo: Here, folder: str) -> Iterator[str]:
    """The demo shop in a folder of a host whose other addresses are nothing; gives the host's address."""

    def host(environ: Any, start_response: Any) -> Any:
        path = environ["PATH_INFO"]
        if not path.startswith(f"{folder}/"):
            start_response("404 Not Found", [("Content-Type", "text/html")])
            return [b"<!doctype html><title>Nothing</title>"]
        return demo.shop({**environ, "PATH_INFO": path.removeprefix(folder)}, start_response)

    with serve(host) as address:
        yield address


def connected(address: str, **around: Any) -> PrestaShop:
    surroundings = Surroundings(allowed_addresses=(address.split("://")[1].split("/")[0],), **around)
    return PrestaShop({"address": address, "key": DEMO_KEY}, surroundings, limits=Limits(tries=2, longest_wait=1))


@pytest.mark.parametrize("folder", ["/eu", "/b2b/lt", "/administravimas", "/lt-lt"])
def test_a_shop_in_a_folder_named_like_a_language_or_a_back_office_is_asked_as_it_was_typed(
    demo: Here, folder: str
) -> None:
    with in_folder(demo, folder) as host:
        facts = connected(host + folder).test()
        assert "folder" not in facts.learned
        typed = {"address": host + folder}
        assert PrestaShop.settled(typed, facts.learned) == typed
        assert PrestaShop.store_key(typed).endswith(folder)


@pytest.mark.parametrize("typed", ["/lt/", "/lt/index.php?controller=cart", "/admin123abc/index.php", "/lt/admin-dev/"])
@pytest.mark.parametrize("folder", ["", "/parduotuve"])
def test_a_language_or_a_back_office_behind_the_shop_s_address_is_found_to_be_none_of_it(
    demo: Here, typed: str, folder: str
) -> None:
    with in_folder(demo, folder) as host:
        facts = connected(host + folder + typed).test()
        assert facts.learned["folder"] == folder
        assert any(f"The shop answers at {host}{folder}, without the /" in notice for notice in facts.notices)
        kept = PrestaShop.settled({"address": host + folder + typed}, facts.learned)
        assert kept["address"] == host + folder
        demo.shop.requests.clear()
        assert sum(
            len(page.orders) for page in connected(host + folder + typed, learned=facts.learned).pages(EVERYTHING)
        )
        assert all(request.path.startswith("/api/") for request in demo.asked)
        assert sum(len(page.orders) for page in connected(host + folder + typed).pages(EVERYTHING)) == 250


# Reading in bulk.


def test_a_hundred_orders_with_all_that_belongs_to_them_take_eight_questions(demo: Here) -> None:
    pages = demo.pages()
    assert [len(page.orders) for page in pages] == [100, 100, 50]
    assert pages[0].expected == 250
    # Settings, three lists and the end of each, six tables, and eight for each page; one looks for https first.
    assert len(demo.asked) <= 1 + 1 + 6 + 6 + 3 * 8


def test_no_address_is_longer_than_any_host_takes(demo: Here) -> None:
    for number in range(120):
        demo.shop.store.buy(at=seconds("2027-01-05 10:00:00"), pattern=number, reference=f"LONG-REFERENCE-{number:04}")
    assert len(demo.orders()) == 370
    assert max(len(request.target) for request in demo.asked) < 4000


def test_every_list_is_sorted_and_every_date_is_announced(demo: Here) -> None:
    demo.test()
    demo.pages()
    lists = [request for request in demo.asked if request.path.rstrip("/") != "/api"]
    assert len(lists) > 20
    assert all("sort" in request.parameters for request in lists)
    with_dates = [request for request in lists if any("date" in key for key in request.parameters)]
    assert with_dates
    assert all(request.parameters.get("date") == "1" for request in with_dates)


def test_nothing_of_a_customer_is_asked_for_or_kept_but_what_an_invoice_needs(demo: Here) -> None:
    pages = demo.pages()
    asked = {request.parameters["display"] for request in demo.asked if request.path == "/api/customers"}
    assert asked == {"[id,email,company,siret,ape,is_guest,firstname,lastname]"}
    assert "secure_key" not in str([page.orders for page in pages])
    assert "passwd" not in str([page.orders for page in pages])


def test_the_recorded_orders_come_over_the_wire_as_they_were_recorded(demo: Here) -> None:
    entries = {entry["order"]["id"]: entry for page in demo.pages() for entry in page.orders}
    for number, bundle in BUNDLES.items():
        ours = entries[int(number)]
        assert {**ours["order"], "secure_key": bundle["order"]["secure_key"]} == bundle["order"]
        for key in ("details", "cart_rules", "slips", "invoices"):
            assert sorted(ours[key], key=lambda row: row["id"]) == sorted(bundle[key], key=lambda row: row["id"])


def test_totals_per_currency_and_status_are_the_shop_s_own_to_the_cent(demo: Here) -> None:
    ours: dict[tuple[str, str], Decimal] = {}
    for order in demo.orders():
        key = (order.currency, order.status)
        ours[key] = ours.get(key, D(0)) + order.total
    theirs: dict[tuple[str, str], Decimal] = {}
    for header in demo.shop.store.headers():
        bundle = demo.shop.store.bundle(header.id)
        assert bundle is not None
        key = ({1: "EUR", 2: "USD", 3: "PLN"}[bundle.order["id_currency"]], str(bundle.order["current_state"]))
        theirs[key] = theirs.get(key, D(0)) + D(bundle.order["total_paid_tax_incl"])
    assert ours == theirs
    assert len(ours) > 15


def test_orders_of_a_split_cart_are_two_orders_with_one_reference(demo: Here) -> None:
    orders = {order.number: order for order in demo.orders()}
    assert orders["13"].reference == orders["14"].reference == "UARSMIFRM"
    assert [paid.amount for number in ("13", "14") for paid in orders[number].payments] == [D("182.46"), D("410.52")]


def test_a_credit_slip_is_found_by_its_own_date_and_names_its_order_not_its_own_number(demo: Here) -> None:
    before = demo.shop.store.bundle(9)
    assert before is not None
    when = datetime(2027, 5, 4, 12, tzinfo=UTC)
    slip = demo.shop.store.credit(9, {before.rows["order_details"][0]["id"]: 1}, at=int(when.timestamp()))
    after = demo.shop.store.bundle(9)
    assert after is not None
    assert after.order["date_upd"] == before.order["date_upd"]  # the order itself does not tell
    (order,) = demo.orders(Selection(Window(when, when + timedelta(hours=1)), "any"))
    assert order.number == "9"
    assert [refund.external_id for refund in order.refunds] == [str(slip)]
    assert order.refunds[0].created_at == when
    assert demo.orders(Selection(Window(when + timedelta(seconds=1), when + timedelta(hours=1)))) == []


def test_selected_by_payment_an_order_comes_on_the_day_its_last_payment_came(demo: Here) -> None:
    expected = {order.number for order in demo.orders() if order.paid_at and order.paid_at.day == 22}
    found: set[str] = set()
    for month in (9, 10, 11):
        day = datetime(2026, month, 22, tzinfo=UTC)
        for order in demo.orders(Selection(Window(day, day + timedelta(days=1)), "paid")):
            if not any(refund.created_at.date() == day.date() for refund in order.refunds):
                found.add(order.number)
    assert found
    assert found <= expected
    assert expected - found <= {order.number for order in demo.orders() if order.refunds}


def test_the_doubled_hour_belongs_to_one_of_two_windows_side_by_side(demo: Here) -> None:
    """Vilnius, 31 October 2027: 03:00 to 04:00 comes twice, and the shop writes both alike."""
    change = datetime(2027, 10, 31, 1, tzinfo=UTC)
    moments = [change + timedelta(minutes=minutes) for minutes in (-90, -30, 30, 90)]
    made = {str(demo.shop.store.buy(at=int(moment.timestamp()))) for moment in moments}
    start, end = change - timedelta(hours=6), change + timedelta(hours=6)
    halves = [
        [order.number for order in demo.orders(Selection(window, "created"))]
        for window in (Window(start, change), Window(change, end))
    ]
    assert sorted([*halves[0], *halves[1]]) == sorted(made)


def test_orders_edited_bought_and_deleted_while_they_are_read_make_no_other_missed(demo: Here) -> None:
    store = demo.shop.store
    stays = {str(header.id) for header in store.headers()}
    at = seconds("2027-02-01 12:00:00")

    def meddle(request: Asked) -> None:
        if "order_details" in request.path:
            newest = store.newest_id
            store.edit(newest, at=at, note="changed meanwhile")
            store.buy(at=at)
            store.delete(min(header.id for header in store.headers() if header.id > 115))

    demo.shop.hooks.append(meddle)
    found = [order.number for order in demo.orders()]
    left = {str(header.id) for header in store.headers()}
    assert stays & left <= set(found)
    assert len(found) == len(set(found))


# What a shop can do wrong.


def test_a_text_that_is_not_utf_8_is_read_through_xml(demo: Here) -> None:
    bundle = demo.shop.store.bundle(20)
    assert bundle is not None
    bundle.rows["order_details"][0]["product_name"] = b"Arbata \xfe <b> & \x0b".decode("utf-8", "surrogateescape")
    demo.shop.store.put(bundle)
    orders = {order.number: order for order in demo.orders()}
    assert len(orders) == 250
    assert orders["20"].lines[0].name == "Arbata \ufffd <b> &"
    assert orders["20"].total == D("109.04")


def test_xml_is_read_as_the_json_of_the_same_orders() -> None:
    """Five orders that the real shop gave in both forms."""
    folder = RECORDED / "xml"
    ours = rows_of((folder / "orders_full_range_xml.body").read_bytes())
    theirs = {row["id"]: row for row in json.loads((folder / "orders_full_range.body").read_text("utf-8"))["orders"]}
    assert len(ours) == 5

    def texts(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: texts(part) for key, part in value.items()}
        if isinstance(value, list):
            return [texts(part) for part in value]
        return str(value).strip()

    for row in ours:
        assert row == texts(theirs[int(row["id"])])
    (slip,) = [row for row in [document((folder / "order_slip_xml.body").read_bytes())[0]] if row.tag == "order_slip"]
    assert slip.findtext("id_order") == "20"


def test_an_order_read_through_xml_is_the_order_read_through_json(demo: Here) -> None:
    through_json = demo.orders()
    demo.shop.faults = Faults(empty_json=True)
    assert demo.orders() == through_json


def test_an_order_that_breaks_its_page_is_named_and_the_others_come(demo: Here) -> None:
    demo.shop.faults = Faults(broken_orders=frozenset({42, 1010}))
    connector = demo.connector()
    connector._client._sleep = lambda seconds: None
    pages = list(connector.pages(EVERYTHING))
    broken = [found for page in pages for found in page.unreadable]
    assert [found.external_id for found in broken] == ["42", "1010"]
    assert all(
        found.reason.startswith(f"The shop fails when it is asked for order {found.number}.") for found in broken
    )
    assert sum(len(page.orders) for page in pages) == 248


def test_a_firewall_that_drops_the_filter_of_ids_is_noticed(demo: Here) -> None:
    demo.shop.faults = Faults(drops_id_filter=True)
    with pytest.raises(NeedsOwner, match="in the order of their ids") as caught:
        demo.pages()
    assert "firewall" in caught.value.fix


def test_notices_before_the_json_are_cut_off(demo: Here) -> None:
    demo.shop.faults = Faults(php_notice=True)
    assert len(demo.orders()) == 250


def test_a_shop_without_a_time_zone_says_where_to_set_it(demo: Here) -> None:
    demo.shop.store.tables["configurations"] = []
    for ask in (demo.test, demo.pages):
        with pytest.raises(NeedsOwner, match="time zone") as caught:
            ask()
        assert "International → Localization" in caught.value.fix


def test_ids_that_are_no_numbers_are_a_module_s_doing(demo: Here) -> None:
    def spoil(request: Asked) -> Served | None:
        if request.path != "/api/order_slip":
            return None
        return Served(200, b'{"order_slips":[{"id":1,"id_order":{"a":1},"date_add":"2026-10-10 10:00:00"}]}')

    demo.shop.hooks.append(spoil)
    with pytest.raises(NeedsOwner, match="id_order should be a text"):
        demo.pages()


# Versions and shops.


def test_1_6_is_asked_for_its_discounts_by_their_old_name(demo: Here) -> None:
    def old(request: Asked) -> Served | None:
        renamed = replace(request, path=request.path.replace("order_discounts", "order_cart_rules"))
        if request.path == "/api/order_cart_rules":
            return Served(400, b'{"errors":[{"code":27,"message":"no"}]}')
        answer = demo.shop.answer(renamed, Faults())
        headers = tuple((key, "1.6.1.24" if key == "PSWS-Version" else text) for key, text in answer.headers)
        body = answer.body.replace(b"order_cart_rules", b"order_discounts")
        return replace(answer, headers=headers, body=body)

    demo.shop.hooks.append(old)
    assert demo.test().version == "1.6.1.24"
    discounted = {order.number: order for order in demo.orders()}["21"]
    assert discounted.charges[-1].name == "-20 % knygai"


def several_shops(demo: Here) -> None:
    tables = demo.shop.store.tables
    tables["shops"].append({**tables["shops"][0], "id": 2, "name": "Outlet"})
    zone = next(row for row in tables["configurations"] if row["name"] == "PS_TIMEZONE")
    tables["configurations"].append({**zone, "id": 900, "id_shop": 2, "value": "Pacific/Auckland"})
    at = datetime(2027, 6, 1, 12, tzinfo=UTC)
    auckland_text = "2027-06-02 00:00:00"
    demo.shop.store.buy(at=int(at.timestamp()), id_shop=2, date_add=auckland_text, date_upd=auckland_text)


def test_several_shops_in_one_installation_are_told_and_chosen_by_number(demo: Here) -> None:
    several_shops(demo)
    facts = demo.test()
    assert [(shop.value, shop.label) for shop in facts.shops] == [("1", "Parduotuvė Ąžuolas"), ("2", "Outlet")]
    assert any("holds 2 shops" in notice for notice in facts.notices)
    assert demo.test(shop="2").name == "Outlet"
    assert {request.parameters.get("id_shop") for request in demo.asked[-5:]} == {"2"}


@pytest.mark.parametrize("by", ["any", "created", "paid"])
def test_credit_slips_bring_no_order_of_another_shop_into_one_shop_s_integration(demo: Here, by: str) -> None:
    several_shops(demo)
    store, at = demo.shop.store, datetime(2027, 6, 20, 12, tzinfo=UTC)
    bought = [store.buy(at=int(at.timestamp()) - 5 * 86400, id_shop=shop) for shop in (1, 2)]
    for order_id in bought:
        bundle = store.bundle(order_id)
        assert bundle is not None
        store.credit(order_id, {bundle.rows["order_details"][0]["id"]: 1}, at=int(at.timestamp()))
    window = Selection(Window(at - timedelta(days=1), at + timedelta(days=1)), by)
    # As of shops that share their orders: whatever is asked, the server gives the orders of both.
    demo.shop.hooks.append(lambda request: request.parameters.update(id_shop="all"))
    for shop, order_id in zip(("1", "2"), bought, strict=True):
        found = list(demo.connector(shop=shop).pages(window))
        assert [entry["order"]["id"] for page in found for entry in page.orders] == [order_id]
        assert found[0].expected == (None if by == "paid" else 1)
        by_ids = list(demo.connector(shop=shop).by_ids([str(one) for one in bought]))
        assert [entry["order"]["id"] for page in by_ids for entry in page.orders] == [order_id]


def test_the_demo_keeps_the_orders_of_its_shops_apart_as_the_real_server_does(demo: Here) -> None:
    several_shops(demo)
    shops = {
        shop: {
            entry["order"]["id_shop"] for page in demo.connector(shop=shop).pages(EVERYTHING) for entry in page.orders
        }
        for shop in ("", "1", "2", "all")
    }
    assert shops == {"": {1}, "1": {1}, "2": {2}, "all": {1, 2}}


def test_a_shop_that_is_not_there_is_refused(demo: Here) -> None:
    assert "does not belong to this shop" in demo.refusal(shop="7").message


def test_each_shop_s_orders_are_judged_by_its_own_clock(demo: Here) -> None:
    several_shops(demo)
    at = datetime(2027, 6, 1, 12, tzinfo=UTC)
    (order,) = demo.orders(Selection(Window(at, at + timedelta(minutes=1))), shop="all")
    assert (order.shop_id, order.placed_at) == ("2", at)
    assert demo.orders(Selection(Window(at + timedelta(minutes=1), at + timedelta(days=2))), shop="all") == []


# Test connection.


def test_the_test_tells_who_the_shop_is_and_fills_the_lists(demo: Here) -> None:
    facts = demo.test()
    assert (facts.name, facts.version) == ("Parduotuvė Ąžuolas", "8.0.3")
    assert (facts.time_zone, facts.currency, facts.orders) == ("Europe/Vilnius", "EUR", 250)
    sales = {choice.value for choice in facts.statuses if choice.is_default}
    assert sales == {"2", "3", "4", "5", "11", "14"}
    assert {"ps_wirepayment", "ps_checkpayment", "ps_cashondelivery"} & {m.value for m in facts.payment_methods}
    assert ("1", "PVM LT 21%") in [(rate.value, rate.label) for rate in facts.tax_rates]
    assert "address.vat_number" in {choice.value for choice in facts.fields}
    assert any("not https" in notice for notice in facts.notices)


def test_how_many_orders_there_are_is_asked_within_bounds_and_unknown_when_that_fails(demo: Here) -> None:
    def counts(request: Asked) -> bool:
        return request.path == "/api/orders" and request.parameters.get("display") == "[id]"

    demo.shop.hooks.append(lambda request: Served(500, b"", "text/html") if counts(request) else None)
    facts = demo.test()
    assert facts.orders is None
    (asked, *_) = [request for request in demo.asked if counts(request)]
    assert asked.parameters["limit"] == "10001"


def test_a_key_that_may_write_is_told_to_be_more_than_needed(demo: Here) -> None:
    assert not any("may also write" in notice for notice in demo.test().notices)
    demo.shop.faults = Faults(may_write=True)
    assert any("may also write" in notice for notice in demo.test().notices)


def test_the_steps_name_every_right_that_the_key_needs() -> None:
    steps = " ".join(PrestaShop.setup_steps)
    assert all(resource in steps for resource in NEEDED)
