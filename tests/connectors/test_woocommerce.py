"""The WooCommerce connector against the demo shop, which answers as the measured servers do."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime
from pathlib import Path
from typing import Any, cast

import pytest
import trustme

from monet_web.connectors.address_guard import parse
from monet_web.connectors.answers import Answer
from monet_web.connectors.base import Page, Selection, StoreFacts, Surroundings
from monet_web.connectors.http import Limits, Moved, StoreClient
from monet_web.connectors.woocommerce import WooCommerce
from monet_web.connectors.woocommerce.explain import explain
from monet_web.connectors.woocommerce.signing_in import SignedIn
from monet_web.demo.serve import serve
from monet_web.demo.woocommerce import shop as demo_shop
from monet_web.demo.woocommerce.auth import DEMO_KEY, DEMO_SECRET, Key
from monet_web.demo.woocommerce.faults import Faults
from monet_web.demo.woocommerce.history import RealisticHistory
from monet_web.demo.woocommerce.profile import STATUSES, Profile
from monet_web.demo.woocommerce.server import WooCommerceShop
from monet_web.demo.woocommerce.store import Store
from monet_web.domain.errors import BrokenRule, MonetError, NeedsOwner, RetryLater
from monet_web.domain.orders import Order, Unreadable
from monet_web.domain.windows import Window

OLD = Profile(version="3.9.1", posts=True)
MIDDLE = Profile(version="5.9.0", posts=True)
POSTS = Profile(posts=True)
EVERY = Window(datetime(2026, 9, 1, tzinfo=UTC), datetime(2027, 9, 1, tzinfo=UTC))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def window(start: str, end: str) -> Window:
    return Window(at(start), at(end))


@dataclass
class Here:
    """The demo shop on a port."""

    shop: WooCommerceShop
    address: str
    verify: str | bool = True

    def connector(self, *, key: str = DEMO_KEY, secret: str = DEMO_SECRET, **around: Any) -> WooCommerce:
        surroundings = Surroundings(allowed_addresses=(self.address.split("://")[1],), verify_tls=self.verify, **around)
        values = {"address": self.address, "consumer_key": key, "consumer_secret": secret}
        return WooCommerce(values, surroundings, limits=Limits(tries=2, longest_wait=1))

    def pages(self, selection: Selection, **around: Any) -> list[Page]:
        return list(self.connector(**around).pages(selection))

    def ids(self, selection: Selection, **around: Any) -> list[int]:
        return ids_of(self.pages(selection, **around))

    def test(self, **around: Any) -> StoreFacts:
        return self.connector(**around).test()

    def refusal(self, **around: Any) -> MonetError:
        with pytest.raises((NeedsOwner, RetryLater)) as caught:
            self.test(**around)
        assert caught.value.fix
        assert DEMO_SECRET not in repr(caught.value) + caught.value.fix
        return caught.value


def ids_of(pages: list[Page]) -> list[int]:
    return [entry["order"]["id"] for page in pages for entry in page.orders]


def shop_with(profile: Profile = Profile(), total: int = 200, **faults: Any) -> WooCommerceShop:  # noqa: B008
    return WooCommerceShop(Store(RealisticHistory(seed=1, total=total), profile=profile), faults=Faults(**faults))


@contextmanager
def here(shop: WooCommerceShop, **served: Any) -> Iterator[Here]:
    with serve(shop) as address:
        yield Here(shop, address, **served)


@pytest.fixture
def demo() -> Iterator[Here]:
    with here(demo_shop(still=True, orders=250)) as found:
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
    shop = shop_with()
    with serve(shop, tls=authority[0]) as address:
        yield Here(shop, address, authority[1])


# Signing in.


def test_over_plain_http_only_the_signature_counts_and_no_secret_is_sent(demo: Here) -> None:
    connector = demo.connector()
    connector.test()
    assert connector.learned["auth"] == "oauth"
    asked = [request for request in demo.shop.requests if "/wc/v3/" in request.target]
    assert asked
    assert not any(DEMO_SECRET in request.target + request.authorization for request in asked)
    assert not any(request.authorization for request in asked)


def test_over_https_the_keys_go_in_the_header(secure: Here) -> None:
    assert secure.test().learned["auth"] == "basic"
    assert not any(DEMO_KEY in request.target for request in secure.shop.requests)


def test_a_host_that_strips_the_header_gets_the_keys_in_the_query_and_that_is_learned(secure: Here) -> None:
    secure.shop.faults = Faults(strips_authorization=True)
    facts = secure.test()
    assert facts.learned["auth"] == "query"
    asked = len(secure.shop.requests)
    assert secure.ids(Selection(EVERY), learned=facts.learned)
    later = list(secure.shop.requests)[asked:]
    assert all(f"consumer_key={DEMO_KEY}" in request.target for request in later)


def test_a_learned_way_that_no_longer_works_is_given_up(secure: Here) -> None:
    secure.shop.hooks.append(
        lambda request: (
            secure.shop.answer(replace(request, parameters={}, authorization=""))
            if "consumer_key" in request.target
            else None
        )
    )
    assert secure.test(learned={"auth": "query"}).learned["auth"] == "basic"


def test_keys_in_the_query_are_never_sent_over_plain_http(demo: Here) -> None:
    demo.test(learned={"auth": "query"})
    assert not any("consumer_secret" in request.target for request in demo.shop.requests)


def test_an_http_address_whose_shop_moved_to_https_on_another_port_is_not_followed(demo: Here) -> None:
    demo.shop.faults = Faults(redirect_to="https://127.0.0.1:1")
    assert "https://127.0.0.1:1" in demo.refusal().fix


class Moving:
    """A client whose shop sends http://shop.example on to `target`, and answers there."""

    def __init__(self, target: str) -> None:
        self.base = parse("http://shop.example")
        self.target = parse(target)
        self.asked: list[tuple[str, str]] = []

    def ask(self, path: str, params: Any = (), *, auth: Any = None) -> Answer:
        self.asked.append((self.base.origin, type(auth).__name__))
        if self.base.scheme == "http":
            raise Moved("moved", fix="type it", target=self.target)
        return Answer(200, {}, b"[]", f"{self.base.origin}{path}")


def test_the_same_host_on_https_is_followed_because_no_secret_was_sent_yet() -> None:
    client = Moving("https://shop.example")
    signed_in = SignedIn(cast(StoreClient, client), DEMO_KEY, DEMO_SECRET)
    assert signed_in.ask("/wc/v3/orders").status == 200
    assert client.asked == [("http://shop.example", "OAuth1"), ("https://shop.example", "BasicKeys")]


@pytest.mark.parametrize("target", ["https://www.shop.example", "https://shop.example:8443", "https://shop.example/lt"])
def test_another_host_port_or_path_on_https_gets_no_keys(target: str) -> None:
    client = Moving(target)
    with pytest.raises(Moved):
        SignedIn(cast(StoreClient, client), DEMO_KEY, DEMO_SECRET).ask("/wc/v3/orders")
    assert len(client.asked) == 1


# Testing the connection: one sentence each.


def test_what_the_form_needs_is_told(demo: Here) -> None:
    facts = demo.test()
    assert (facts.name, facts.version, facts.time_zone, facts.currency, facts.orders) == (
        "Monet Test Parduotuvė", "11.0.1", "Europe/Vilnius", "EUR", 250,
    )  # fmt: skip
    assert [choice.value for choice in facts.statuses if choice.is_default] == ["processing", "completed"]
    assert {"shipped", "on-hold", "cancelled"} <= {choice.value for choice in facts.statuses}
    assert {"bacs", "cod", "stripe", "paysera"} <= {choice.value for choice in facts.payment_methods}
    assert {"_billing_company_code", "billing_pvm_kodas", "billing.company"} <= {c.value for c in facts.fields}
    assert any("21%" in choice.label for choice in facts.tax_rates)
    assert {"auth", "modified_after", "refunds_list", "statuses"} <= set(facts.learned)


@pytest.mark.parametrize(
    ("faults", "kind", "wrong", "fix"),
    [
        ({"plain_permalinks": True}, NeedsOwner, "plain permalinks", "Settings → Permalinks"),
        ({"woocommerce_off": True}, NeedsOwner, "WooCommerce does not answer", "Plugins"),
        ({"routes_removed": True}, NeedsOwner, "rest_no_route", "security plugin"),
        ({"rest_disabled": True}, NeedsOwner, "rest_disabled", "security plugin"),
        ({"wrong_address": True}, NeedsOwner, "not found (404)", "front page"),
        ({"maintenance": True}, RetryLater, "closed for maintenance (503)", "Try again later; what was booked stays."),
        ({"database_down": True}, RetryLater, "database connection", "Try again later; what was booked stays."),
        ({"fatal_error": True}, RetryLater, "critical error", "Try again later; what was booked stays."),
        ({"too_many_requests": 30}, RetryLater, "too often (429)", "Try again later; what was booked stays."),
        (
            {"redirect_to": "https://www.example.test"},
            NeedsOwner,
            "https://www.example.test",
            "type https://www.example",
        ),
        ({"redirect_to": "http://10.0.0.1"}, NeedsOwner, "http://10.0.0.1", "Ask whoever looks after"),
        ({"empty": True}, RetryLater, "an empty answer", "Try again later; what was booked stays."),
        ({"truncated": True}, RetryLater, "in the middle", "Try again later; what was booked stays."),
    ],
)
def test_each_fault_is_told_in_a_sentence_with_what_to_do(
    faults: dict[str, Any], kind: type[MonetError], wrong: str, fix: str
) -> None:
    with here(shop_with(**faults)) as found:
        error = found.refusal()
    assert isinstance(error, kind)
    assert wrong in error.message
    assert fix in error.fix
    assert error.message.endswith((".", "”"))


def test_maintenance_says_when_the_shop_wants_to_be_asked_again() -> None:
    with here(shop_with(maintenance=True)) as found:
        error = found.refusal()
    assert isinstance(error, RetryLater)
    assert error.after_seconds == 600


@pytest.mark.parametrize("faults", [{"login_required": True}, {"byte_order_mark": True}, {"php_notice": True}])
def test_what_only_looks_like_a_fault_does_no_harm(faults: dict[str, Any]) -> None:
    with here(shop_with(**faults)) as found:
        assert found.test().orders == 200


@pytest.mark.parametrize("is_secure", [True, False])
def test_wrong_keys_are_told_apart_as_far_as_the_shop_tells(
    is_secure: bool, authority: tuple[ssl.SSLContext, str]
) -> None:
    keys = (
        Key(),
        Key("ck_write" + "0" * 35, "cs_w" + "0" * 39, "write"),
        Key("ck_customer" + "0" * 32, "cs_c" + "0" * 39, may_see_orders=False),
    )
    shop = WooCommerceShop(keys=keys)
    with serve(shop, tls=authority[0] if is_secure else None) as address:
        found = Here(shop, address, authority[1])
        assert "does not know this consumer key" in found.refusal(key="ck_unknown").message
        assert "consumer secret does not fit" in found.refusal(secret="cs_wrong_wrong").message
        assert "may not read" in found.refusal(key=keys[1].key, secret=keys[1].secret).message
        assert "user may not see the orders" in found.refusal(key=keys[2].key, secret=keys[2].secret).message


def test_swapped_keys_are_seen_without_asking_because_the_shop_cannot_tell_them(demo: Here) -> None:
    assert "each other's field" in demo.refusal(key=DEMO_SECRET, secret=DEMO_KEY).message
    assert "consumer key is empty" in demo.refusal(key=" ").message
    assert len(demo.shop.requests) == 0


def test_a_space_around_a_pasted_key_does_no_harm(demo: Here) -> None:
    assert demo.test(key=f" {DEMO_KEY}\n", secret=f"{DEMO_SECRET} ").orders == 250


def test_clocks_apart_are_told_by_the_servers_date_and_not_by_its_words() -> None:
    body = b'{"code":"woocommerce_rest_authentication_error","message":"Netinkama laiko \xc5\xbeyma."}'
    url = "http://shop.example/wp-json/wc/v3/orders"
    late = explain(Answer(401, {"date": "Tue, 24 Nov 2020 06:00:00 GMT"}, body, url))
    assert "clocks of http://shop.example" in late.message
    now = format_datetime(datetime.now(UTC), usegmt=True)
    assert "consumer secret does not fit" in explain(Answer(401, {"date": now}, body, url)).message


def test_a_slow_shop_ends_the_test_in_time() -> None:
    with here(shop_with(delay=1.5)) as found:
        connector = found.connector()
        connector._client.limits = Limits(read_seconds=0.3, tries=1)
        with pytest.raises(RetryLater, match=r"did not answer within 0\.3 seconds"):
            connector.test()


def test_a_private_address_is_refused_and_the_operator_named() -> None:
    with pytest.raises(NeedsOwner, match="private network") as caught:
        WooCommerce({"address": "http://192.168.1.5", "consumer_key": "ck_1", "consumer_secret": "cs_1"}).test()
    assert "MONET_ALLOW_PRIVATE_ADDRESSES" in caught.value.fix


def test_a_custom_status_whose_plugin_went_off_is_told_because_its_orders_vanish_from_any() -> None:
    with here(shop_with()) as found:
        facts = found.test()
        before = set(found.ids(Selection(EVERY)))
        found.shop.store.profile = Profile(statuses={k: v for k, v in STATUSES.items() if k != "shipped"})
        found.shop.store.version += 1
        vanished = before - set(found.ids(Selection(EVERY)))
        assert vanished
        assert any("shipped" in notice for notice in found.test(learned=facts.learned).notices)
        assert not any("shipped" in notice for notice in facts.notices)
        by_id = ids_of(list(found.connector().by_ids([str(number) for number in vanished])))
        assert set(by_id) == vanished


# Nothing lost, nothing double.


def test_every_order_of_the_window_once_and_by_id(demo: Here) -> None:
    pages = demo.pages(Selection(EVERY))
    found = ids_of(pages)
    assert len(found) == 250
    assert found == sorted(set(found))
    assert all(len(page.orders) <= 100 for page in pages)
    assert pages[-1].expected == 250
    assert all(isinstance(WooCommerce.read(entry, {}), Order) for page in pages for entry in page.orders)


@pytest.mark.parametrize("profile", [Profile(), POSTS, MIDDLE, OLD], ids=["hpos", "posts", "5.9", "3.9"])
@pytest.mark.parametrize("by", ["created", "any", "paid"])
def test_window_ends_are_half_open_in_utc_also_around_the_clock_change(profile: Profile, by: str) -> None:
    """2026-10-25 01:00Z is when Vilnius puts its clocks back; the doubled hour loses orders of naive clients."""
    change = window("2026-10-25T00:30:00", "2026-10-25T01:30:00")
    shop = WooCommerceShop(Store(RealisticHistory(seed=1, total=0), profile=profile))
    times = ["00:29:59", "00:30:00", "00:59:59", "01:00:00", "01:29:59", "01:30:00"]
    for number, time in enumerate(times, 1):
        moment = at(f"2026-10-25T{time}")
        shop.store.add(id=1000 + number, at=moment, status="completed", date_paid_gmt=f"2026-10-25T{time}")
    with here(shop) as found:
        assert found.ids(Selection(change, by)) == [1002, 1003, 1004, 1005]


def test_an_order_changed_in_the_window_and_created_long_before_is_found(demo: Here) -> None:
    demo.shop.store.edit(99, at=at("2027-03-05T12:00:00"), status="completed")
    march = window("2027-03-05T00:00:00", "2027-03-06T00:00:00")
    assert demo.ids(Selection(march)) == [99]
    assert demo.ids(Selection(march, "created")) == []


def test_old_versions_that_ignore_modified_after_are_looked_through_for_changes() -> None:
    shop = shop_with(OLD)
    newest = at("2026-10-20T12:00:00")
    shop.store.edit(99, at=newest, status="completed")
    with here(shop) as found:
        connector = found.connector()
        day = window("2026-10-20T00:00:00", "2026-10-21T00:00:00")
        pages = list(connector.pages(Selection(day)))
        assert connector.learned["modified_after"] == "no"
        assert 99 in ids_of(pages)
        for entry in (entry for page in pages for entry in page.orders):
            dates = [entry["order"]["date_created_gmt"], entry["order"]["date_modified_gmt"]]
            assert any(text.startswith("2026-10-20") for text in dates)


def test_dates_are_never_sent_with_a_z_beside_dates_are_gmt(demo: Here) -> None:
    demo.ids(Selection(EVERY))
    for request in demo.shop.requests:
        if "dates_are_gmt" in request.target:
            assert request.parameters["dates_are_gmt"] == "true"
            assert not any(str(value).endswith("Z") for value in request.parameters.values())


def test_an_order_paid_in_the_window_is_found_by_its_payment(demo: Here) -> None:
    demo.shop.store.edit(99, at=at("2027-03-05T12:00:00"), date_paid_gmt="2027-03-05T11:59:59", status="completed")
    assert demo.ids(Selection(window("2027-03-05T00:00:00", "2027-03-06T00:00:00"), "paid")) == [99]


@pytest.mark.parametrize("by", ["any", "created", "paid"])
def test_an_order_refunded_in_the_window_is_found_by_the_refunds_own_date(by: str) -> None:
    shop = shop_with(POSTS)
    order_id = next(n for n in range(99, 400) if (o := shop.store.order(n)) and o["status"] == "completed")
    shop.store.refund(order_id, amount=Decimal("1.00"), at=at("2027-03-05T12:00:00"))
    shop.store.edit(order_id, at=at("2027-04-05T12:00:00"), status="processing")
    with here(shop) as found:
        pages = found.pages(Selection(window("2027-03-05T00:00:00", "2027-03-06T00:00:00"), by))
    assert ids_of(pages) == [order_id]
    assert pages[0].expected == 1


def test_before_9_0_there_is_no_list_of_refunds_and_that_is_learned_and_told() -> None:
    with here(shop_with(MIDDLE)) as found:
        facts = found.test()
        assert facts.learned["refunds_list"] == "no"
        assert any("refund" in notice for notice in facts.notices)
        asked = len(found.shop.requests)
        found.ids(Selection(EVERY), learned=facts.learned)
        assert not any("/wc/v3/refunds" in request.target for request in list(found.shop.requests)[asked:])


def test_every_refunded_order_brings_its_refunds_in_detail(demo: Here) -> None:
    seen = 0
    for page in demo.pages(Selection(EVERY)):
        for entry in page.orders:
            found = WooCommerce.read(entry, {})
            assert isinstance(found, Order)
            assert len(found.refunds) == len(entry["order"]["refunds"])
            assert all(refund.complete for refund in found.refunds)
            seen += len(found.refunds)
    assert seen >= 14


@pytest.mark.parametrize("status", [404, 500])
def test_a_refund_whose_detail_fails_is_incomplete_and_the_order_still_comes(demo: Here, status: int) -> None:
    def fail(request: Any) -> Any:
        return replace(demo.shop.answer(request), status=status) if request.path.endswith("/99/refunds") else None

    demo.shop.hooks.append(fail)
    (page,) = demo.connector().by_ids(["99"])
    found = WooCommerce.read(page.orders[0], {})
    assert isinstance(found, Order)
    assert [refund.complete for refund in found.refunds] == [False]


def test_a_trashed_order_while_paging_makes_none_missed(demo: Here) -> None:
    demo.shop.after_page(2, lambda store: store.trash(99))
    everything = {int(each) for each in demo.ids(Selection(EVERY))}
    assert len(everything) == 250  # 99 was read before it went


def test_a_new_order_and_a_trashed_one_at_once_keep_the_total_and_still_none_is_missed(demo: Here) -> None:
    before = set(demo.ids(Selection(EVERY)))

    def both(store: Store) -> None:
        store.trash(101)
        store.add(at=at("2026-12-01T00:00:00"))

    for page in range(2, 6):
        demo.shop.after_page(page, both if page == 2 else lambda store: None)
    found = demo.ids(Selection(EVERY), learned={"modified_after": "yes"})
    assert before <= set(found)
    assert len(found) == len(set(found))


def test_an_order_that_changes_status_while_paging_is_not_missed_because_any_is_asked_for(demo: Here) -> None:
    demo.shop.after_page(2, lambda store: store.edit(103, at=at("2026-12-01T00:00:00"), status="completed"))
    assert len(demo.ids(Selection(EVERY))) == 250
    assert all(
        request.parameters.get("status") in (None, "any")
        for request in demo.shop.requests
        if request.path.endswith("/orders")
    )


def test_one_broken_order_is_named_and_the_rest_goes_on(demo: Here) -> None:
    every = demo.ids(Selection(EVERY))
    broken = every[130]
    demo.shop.faults = Faults(broken_orders=frozenset({broken}))
    pages = list(patient(demo).pages(Selection(EVERY)))
    assert ids_of(pages) == [number for number in every if number != broken]
    (unreadable,) = (each for page in pages for each in page.unreadable)
    assert unreadable.external_id == str(broken)
    assert f"The store fails when it is asked for order {broken}." in unreadable.reason
    assert "critical error" in unreadable.reason


@pytest.mark.parametrize("broken", [{1010}, {1010, 1011, 1012}, {1000}, {1400}])
def test_broken_orders_side_by_side_or_far_apart_are_each_told(broken: set[int]) -> None:
    shop = WooCommerceShop(Store(RealisticHistory(seed=1, total=0)), faults=Faults(broken_orders=frozenset(broken)))
    ids = [1000, 1010, 1011, 1012, 1020, 1200, 1400]
    for number in ids:
        shop.store.add(id=number, at=at("2026-10-25T12:00:00"))
    with here(shop) as found:
        pages = list(patient(found).pages(Selection(EVERY)))
    assert ids_of(pages) == [number for number in ids if number not in broken]
    told = [each.external_id for page in pages for each in page.unreadable]
    if 1400 not in broken:
        assert told == [str(number) for number in sorted(broken)]
    else:
        # The order before is too far away for every id between to be asked for.
        assert len(told) == 1
        assert told[0].startswith("after-")


def patient(found: Here) -> WooCommerce:
    """Without real waits between tries."""
    connector = found.connector()
    connector._client._sleep = lambda seconds: None
    return connector


def test_a_broken_order_asked_by_id_spoils_no_other(demo: Here) -> None:
    demo.shop.faults = Faults(broken_orders=frozenset({103}))
    (page,) = patient(demo).by_ids(["99", "103", "106"])
    assert ids_of([page]) == [99, 106]
    assert [each.external_id for each in page.unreadable] == ["103"]


def test_a_shop_that_fails_on_everything_is_tried_later(demo: Here) -> None:
    demo.shop.faults = Faults(fatal_error=True)
    with pytest.raises(RetryLater, match="critical error"):
        list(patient(demo).pages(Selection(EVERY)))


def test_by_ids_gives_trashed_orders_and_leaves_out_unknown_ones(demo: Here) -> None:
    demo.shop.store.trash(101)
    refund = demo.shop.store.order(99)
    assert refund
    refund_id = str(refund["refunds"][0]["id"])
    (page,) = demo.connector().by_ids(["99", "101", "999999", refund_id, "abc", "-5", "99"])
    assert ids_of([page]) == [99, 101]
    trashed = WooCommerce.read(page.orders[1], {})
    assert isinstance(trashed, Order)
    assert (trashed.status, trashed.is_cancelled) == ("trash", True)


def test_by_ids_of_more_than_a_page_come_in_pages(demo: Here) -> None:
    every = demo.ids(Selection(EVERY))
    pages = list(demo.connector().by_ids([str(number) for number in reversed(every)]))
    assert [len(page.orders) for page in pages] == [100, 100, 50]
    assert ids_of(pages) == every


def test_pages_come_lazily(demo: Here) -> None:
    pages = demo.connector().pages(Selection(EVERY))
    assert len(demo.shop.requests) == 0
    next(pages)
    asked = len([request for request in demo.shop.requests if "line_items" not in request.target])
    next(pages)
    assert len(demo.shop.requests) > asked


def test_an_order_with_dates_nobody_understands_is_shown_as_unreadable_and_not_left_out(demo: Here) -> None:
    def without_date(request: Any) -> Any:
        answer = demo.shop.answer(request)
        return replace(
            answer, body=answer.body.replace(b'"date_created_gmt":"2026-09-15T14:41:23"', b'"date_created_gmt":5')
        )

    demo.shop.hooks.append(without_date)
    (first, *_) = demo.pages(Selection(window("2026-09-15T15:00:00", "2026-09-15T16:00:00")))
    assert ids_of([first])[0] == 99
    assert isinstance(WooCommerce.read(first.orders[0], {}), Unreadable)


def test_a_server_that_knows_no_offset_is_read_by_pages_and_that_is_learned(demo: Here) -> None:
    def without_offset(request: Any) -> Any:
        if "offset" not in request.parameters:
            return None
        kept = {name: value for name, value in request.parameters.items() if name != "offset"}
        # The signature is of the whole question, so the shop is asked for the answer behind the door.
        from monet_web.demo.woocommerce.routes import routed

        return routed(
            demo.shop._shop, request.path.removeprefix("/wp-json"), kept, Key(), address=request.address, link=""
        )

    demo.shop.hooks.append(without_offset)
    connector = demo.connector()
    assert len(ids_of(list(connector.pages(Selection(EVERY))))) == 250
    assert connector.learned["offset"] == "no"


def test_a_window_without_orders_has_no_pages(demo: Here) -> None:
    assert demo.pages(Selection(window("2030-01-01T00:00:00", "2030-01-02T00:00:00"))) == []


def test_expected_counts_what_the_selection_holds_and_not_what_the_query_reached(demo: Here) -> None:
    day = Window(at("2026-10-01T00:00:00"), at("2026-10-01T00:00:00") + timedelta(days=4))
    for by in ("created", "any", "paid"):
        pages = demo.pages(Selection(day, by))
        assert pages[-1].expected == len(ids_of(pages))


# The store's key.


@pytest.mark.parametrize(
    "typed",
    [
        "https://Shop.Example", "http://shop.example/", "shop.example", "https://shop.example:443/wp-json/wc/v3",
        "https://shop.example/wp-admin/admin.php?page=wc-settings", "https://shop.example/index.php", "shop.example./",
        " https://shop.example/wp-login.php#x ", "https://shop.example//",
    ],
)  # fmt: skip
def test_equal_stores_have_equal_keys_however_typed(typed: str) -> None:
    assert WooCommerce.store_key({"address": typed}) == "shop.example"


@pytest.mark.parametrize(
    ("typed", "key"),
    [
        ("https://www.shop.example", "www.shop.example"),
        ("https://shop.example/lt/", "shop.example/lt"),
        ("http://127.0.0.1:8080", "127.0.0.1:8080"),
        ("https://žąsis.lt/wp-json/", "xn--sis-hpa81d.lt"),
        ("https://shop.example/en/wp-json", "shop.example/en"),
    ],
)
def test_different_stores_have_different_keys(typed: str, key: str) -> None:
    assert WooCommerce.store_key({"address": typed}) == key


def test_an_address_that_is_none_breaks_a_rule_and_says_what_to_type() -> None:
    with pytest.raises(BrokenRule) as caught:
        WooCommerce.store_key({"address": "ftp://shop.example"})
    assert "https://" in caught.value.fix
    with pytest.raises(NeedsOwner):
        WooCommerce({"address": ""})
