"""What every connector promises, whatever its platform. A connector without a rig fails here."""

from __future__ import annotations

import copy
import itertools
import logging
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monet_web.connectors import CONNECTORS
from monet_web.connectors.base import Connector, Page, Selection, Surroundings
from monet_web.demo.serve import serve
from monet_web.domain.errors import BrokenRule, MonetError, NeedsOwner, RetryLater
from monet_web.domain.invoices import draft_invoice
from monet_web.domain.orders import Order, Unreadable, is_empty
from monet_web.domain.settings import Settings
from monet_web.domain.windows import Window, days
from tests.connectors.readers import spoiled
from tests.connectors.rigs import EDITED, RIGS, Rig

Interference = Callable[[dict[str, Any]], tuple[str, list[tuple[str, str]], bytes] | None]


@dataclass
class Served:
    """A shop on a port, with something in between that may answer in its place."""

    kind: str
    rig: Rig
    address: str = ""
    interfere: Interference | None = None
    before: Callable[[int], object] | None = None  # called with the number of each request
    asked: list[dict[str, Any]] = field(default_factory=list)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        self.asked.append(environ)
        if self.before is not None:
            self.before(len(self.asked))
        answer = self.interfere(environ) if self.interfere else None
        if answer is None:
            return cast(Iterable[bytes], self.rig.application(environ, start_response))
        status, headers, body = answer
        # A posted question that nobody reads keeps werkzeug's server from closing the connection.
        environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        start_response(status, headers)
        return [body]

    @contextmanager
    def connector(self, typed: Mapping[str, str] | None = None, **around: Any) -> Iterator[Connector]:
        values = {"address": self.address, **self.rig.values, **(typed or {})}
        surroundings = Surroundings(allowed_addresses=(self.address.split("://")[1],), **around)
        made = cast(Callable[..., Connector], CONNECTORS[self.kind])(values, surroundings)
        made._client._sleep = lambda seconds: None  # type: ignore[attr-defined] # waits are tested with StoreClient
        try:
            yield made
        finally:
            made.close()

    def read(self, selection: Selection, **around: Any) -> list[Order | Unreadable]:
        with self.connector(**around) as made:
            return [made.read(entry, page.context) for page in made.pages(selection) for entry in page.orders]

    def ids(self, selection: Selection, **around: Any) -> list[str]:
        return [found.external_id for found in self.read(selection, **around)]


@pytest.fixture(params=sorted(CONNECTORS))
def served(request: pytest.FixtureRequest) -> Iterator[Served]:
    found = Served(request.param, RIGS[request.param]())
    with serve(found) as address:
        found.address = address
        yield found


def everything(served: Served, by: str = "any") -> Selection:
    return Selection(served.rig.everything, by)


# Nothing lost, nothing double, nothing out of the window.


@pytest.mark.parametrize("by", ["any", "created"])
def test_every_order_of_the_window_comes_once_in_the_order_of_ids(served: Served, by: str) -> None:
    found = served.ids(everything(served, by))
    assert set(found) == served.rig.ids()
    assert found == sorted(found, key=int)
    assert len(found) == len(set(found))


def test_an_order_that_vanishes_while_paging_makes_no_other_missed(served: Served) -> None:
    stays = served.rig.ids()
    gone: list[int] = []

    def vanish(number: int) -> None:
        if number in (3, 4, 5):
            served.rig.trash_first()
            gone.append(number)

    served.before = vanish
    found = served.ids(everything(served))
    assert gone
    assert served.rig.ids() <= set(found) <= stays
    assert len(found) == len(set(found))


def test_orders_that_come_while_others_go_keep_the_total_and_still_none_is_missed(served: Served) -> None:
    def exchange(number: int) -> None:
        if 2 < number < 8:
            served.rig.trash_first()
            served.rig.sell()

    before = served.rig.ids()
    served.before = exchange
    found = served.ids(everything(served))
    assert before & served.rig.ids() <= set(found)
    assert len(found) == len(set(found))


def test_orders_that_are_bought_edited_and_deleted_between_pages_make_no_other_missed_or_doubled(
    served: Served,
) -> None:
    before = served.rig.ids()
    edited = sorted(before, key=int)

    def meddle(number: int) -> None:
        if 2 < number < 12:
            served.rig.edit(edited[-number])
            served.rig.edit(edited[number * 3])
            served.rig.sell()
            served.rig.trash_first()

    served.before = meddle
    found = served.ids(everything(served))
    assert before & served.rig.ids() <= set(found)
    assert len(found) == len(set(found))


def test_an_order_changed_in_the_window_comes_however_old_it_is(served: Served) -> None:
    oldest = min(served.rig.ids(), key=int)
    day = Window(EDITED - timedelta(hours=12), EDITED + timedelta(hours=12))
    assert served.ids(Selection(day)) == []
    served.rig.edit(oldest)
    assert served.ids(Selection(day)) == [oldest]
    assert served.ids(Selection(day, "created")) == []


@pytest.mark.parametrize("by", ["any", "created"])
def test_the_hour_that_the_clock_change_doubles_is_lost_by_no_window_and_doubled_by_none(
    served: Served, by: str
) -> None:
    """31 October 2027: Vilnius has 03:00 to 04:00 twice, and some shops write both passes alike."""
    change = datetime(2027, 10, 31, 1, tzinfo=UTC)
    made = {served.rig.add_at(change + timedelta(minutes=minutes)) for minutes in (-75, -45, -15, 0, 15, 45, 75)}
    edges = [change + timedelta(hours=hours) for hours in (-6, -1, 0, 1, 6)]
    found = [
        order_id
        for start, end in itertools.pairwise(edges)
        for order_id in served.ids(Selection(Window(start, end), by))
    ]
    assert sorted(found) == sorted(made)


def test_a_day_is_the_shop_s_day_whatever_the_shop_s_clock_says(served: Served) -> None:
    """In Vilnius the 1st of July 2027 begins at 21:00 UTC of the 30th of June: an order of 00:30 is of the 1st."""
    july = days(date(2027, 7, 1), date(2027, 7, 31), ZoneInfo("Europe/Vilnius"))
    made = [served.rig.add_at(july.start + timedelta(minutes=30)), served.rig.add_at(july.end - timedelta(minutes=30))]
    served.rig.add_at(july.start - timedelta(minutes=30))
    served.rig.add_at(july.end + timedelta(minutes=30))
    assert served.ids(Selection(july, "created")) == made


@pytest.mark.parametrize("by", ["any", "created"])
def test_a_window_holds_its_start_and_not_its_end(served: Served, by: str) -> None:
    start = datetime(2027, 3, 28, 0, 30, tzinfo=UTC)
    end = start + timedelta(hours=2)
    second = timedelta(seconds=1)
    made = {moment: served.rig.add_at(moment) for moment in (start - second, start, end - second, end)}
    assert served.ids(Selection(Window(start, end), by)) == [made[start], made[end - second]]


def test_two_windows_side_by_side_share_no_order_and_lose_none(served: Served) -> None:
    whole = served.rig.everything
    middle = datetime(2026, 10, 1, 12, tzinfo=UTC)
    halves = []
    for half in (Window(whole.start, middle), Window(middle, whole.end)):
        found = [order for order in served.read(Selection(half, "created")) if isinstance(order, Order)]
        halves.append({order.external_id for order in found if half.holds(order.placed_at)})
        # What was created elsewhere is here only because of a refund made in this half.
        assert all(
            half.holds(order.placed_at) or any(half.holds(refund.created_at) for refund in order.refunds)
            for order in found
        )
    assert not halves[0] & halves[1]
    assert halves[0] | halves[1] == served.rig.ids()


def test_pages_are_lazy(served: Served) -> None:
    with served.connector() as made:
        pages = made.pages(everything(served))
        assert served.asked == []
        assert isinstance(next(pages), Page)
        asked = len(served.asked)
        assert sum(len(page.orders) for page in pages) > 0
        assert len(served.asked) > asked


def test_the_store_says_how_many_there_are(served: Served) -> None:
    with served.connector() as made:
        pages = list(made.pages(everything(served)))
    assert pages[-1].expected in (None, len(served.rig.ids()))


def test_orders_can_be_asked_for_by_id_and_unknown_ids_are_left_out(served: Served) -> None:
    wanted = sorted(served.rig.ids())[:3]
    with served.connector() as made:
        found = [
            made.read(entry, page.context).external_id
            for page in made.by_ids([*wanted, "999999999", "no id", ""])
            for entry in page.orders
        ]
    assert sorted(found) == wanted


def test_what_was_learned_is_given_back_and_changes_nothing_in_what_is_read(served: Served) -> None:
    with served.connector() as made:
        learned = made.test().learned
    assert served.ids(everything(served), learned=learned) == served.ids(everything(served))


# Whatever goes wrong is named by the reaction, with what to do.


def whole(status: str, body: bytes, kind: str = "application/json", **headers: str) -> Interference:
    named = [("Content-Type", kind), *((name.replace("_", "-"), text) for name, text in headers.items())]
    return lambda environ: (status, [*named, ("Content-Length", str(len(body)))], body)


TROUBLE: dict[str, Interference] = {
    "429": whole("429 Too Many Requests", b"", Retry_After="1"),
    "429 for 7 s": whole("429 Too Many Requests", b"", Retry_After="7"),
    "429 for long": whole("429 Too Many Requests", b"", Retry_After="3600"),
    "503": whole("503 Service Unavailable", b"{}"),
    "500": whole("500 Internal Server Error", b"{}"),
    "401": whole("401 Unauthorized", b'{"code":"x","message":"y"}'),
    "403 page": whole("403 Forbidden", b"<html><h1>Forbidden</h1></html>", "text/html"),
    "404 page": whole("404 Not Found", b"<html>Not here</html>", "text/html"),
    "418": whole("418 I'm a teapot", b"{}"),
    "empty": whole("200 OK", b""),
    "HTML for JSON": whole("200 OK", b"<!doctype html><html><body>Welcome</body></html>", "text/html"),
    "HTML called JSON": whole("200 OK", b"<!doctype html><html><body>Welcome</body></html>"),
    "cut off": lambda environ: ("200 OK", [("Content-Length", "9000")], b'[{"id": 1, "line'),
    "cut-off JSON": whole("200 OK", b'[{"id": 1}, {"id": 2'),
    "not UTF-8": whole("200 OK", b'[{"id": 1, "name": "\xff\xfe\xe0"}]'),
    "huge": whole("200 OK", b"[" + b" " * (33 * 1024 * 1024) + b"]"),
    "another kind of JSON": whole("200 OK", b'"hello"'),
    "an object": whole("200 OK", b'{"hello": 1}'),
    "rows that are no orders": whole("200 OK", b"[1, null, [], {}]"),
    "the same page forever": whole("200 OK", str([{"id": n} for n in range(1, 101)]).replace("'", '"').encode()),
    "redirect elsewhere": whole("301 Moved", b"", Location="https://elsewhere.example/x"),
    "redirect to a private address": whole("302 Found", b"", Location="http://10.0.0.1/x"),
    "redirect to the metadata": whole("302 Found", b"", Location="http://169.254.169.254/latest/meta-data/"),
    "redirect in a circle": lambda environ: ("302 Found", [("Location", environ["PATH_INFO"])], b""),
    "redirect to nowhere": whole("302 Found", b"", Location="http://"),
}


def is_sentence(text: str) -> bool:
    """Whether it ends as one; the store's own words may stand at the end."""
    return text.endswith((".", "”"))


def pages_of(made: Connector, served: Served) -> object:
    return list(made.pages(everything(served)))


def facts_of(made: Connector, served: Served) -> object:
    return made.test()


def by_ids_of(made: Connector, served: Served) -> object:
    return list(made.by_ids(["99"]))


@pytest.mark.parametrize("trouble", TROUBLE)
@pytest.mark.parametrize("question", [pages_of, facts_of, by_ids_of])
def test_trouble_is_named_by_the_reaction_with_what_to_do_and_without_secrets(
    served: Served, trouble: str, question: Callable[[Connector, Served], object], caplog: pytest.LogCaptureFixture
) -> None:
    served.interfere = TROUBLE[trouble]
    caught: BaseException | None = None
    with caplog.at_level(logging.DEBUG), served.connector() as made:
        try:
            question(made, served)
        except (RetryLater, NeedsOwner) as error:
            caught = error
        shown = repr(made)
    if caught is None:
        # Only an order asked by its id may quietly not be there; a whole window or a test never ends well by itself.
        assert question is by_ids_of
        return
    assert isinstance(caught, MonetError)
    assert caught.fix
    assert caught.message
    said = "".join(traceback.format_exception(caught)) + repr(caught.args) + shown + caplog.text
    said += repr(caught.__context__) + repr(caught.__cause__)
    assert not any(secret in said for secret in served.rig.secrets)


@pytest.mark.parametrize("question", [pages_of, facts_of, by_ids_of])
def test_a_429_is_waited_for_as_long_as_the_store_asks(
    served: Served, question: Callable[[Connector, Served], object]
) -> None:
    left = [1]

    def once(environ: dict[str, Any]) -> Any:
        left[0] -= 1
        return TROUBLE["429 for 7 s"](environ) if left[0] >= 0 else None

    served.interfere = once
    with served.connector() as made:
        question(made, served)
        assert made._client.waited >= 7  # type: ignore[attr-defined]


def test_a_429_for_an_hour_ends_the_run_and_says_when_to_come_again(served: Served) -> None:
    served.interfere = TROUBLE["429 for long"]
    with served.connector() as made, pytest.raises(RetryLater) as caught:
        pages_of(made, served)
    assert caught.value.after_seconds == 3600
    assert "429" in caught.value.message


def test_a_page_that_fails_is_narrowed_to_the_order_that_breaks_it(served: Served) -> None:
    everybody = sorted(served.rig.ids(), key=int)
    broken = everybody[len(everybody) // 3]
    served.rig.breaks([broken])
    with served.connector() as made:
        pages = list(made.pages(everything(served)))
        found = [made.read(entry, page.context).external_id for page in pages for entry in page.orders]
        (unreadable,) = [one for page in pages for one in page.unreadable]
        alone = [one for page in made.by_ids([broken, everybody[0]]) for one in page.unreadable]
    assert unreadable.external_id == broken
    assert broken in unreadable.reason
    assert is_sentence(unreadable.reason)
    assert sorted(found, key=int) == [one for one in everybody if one != broken]
    assert [one.external_id for one in alone] == [broken]


@pytest.mark.parametrize("begins", [0, 11])
def test_orders_that_break_side_by_side_are_each_named_while_the_store_answers(served: Served, begins: int) -> None:
    everybody = sorted(served.rig.ids(), key=int)
    broken = everybody[begins : begins + 17]
    served.rig.breaks(broken)
    with served.connector() as made:
        pages = list(made.pages(everything(served)))
        found = [made.read(entry, page.context).external_id for page in pages for entry in page.orders]
    assert sorted(found, key=int) == [one for one in everybody if one not in broken]
    named = [one.external_id for page in pages for one in page.unreadable]
    assert len(set(named)) == len(named) == len(broken)
    assert named == broken
    assert pages[-1].expected in (None, len(everybody))


def test_a_store_that_goes_down_while_it_is_read_is_not_taken_for_many_broken_orders(served: Served) -> None:
    trouble = TROUBLE["500"]
    served.interfere = lambda environ: trouble(environ) if len(served.asked) > 3 else None
    named: list[str] = []

    def collect(made: Connector) -> None:
        for page in made.pages(everything(served)):
            named.extend(one.external_id for one in page.unreadable)

    with served.connector() as made, pytest.raises(RetryLater):
        collect(made)
    assert len(named) < 10


def test_a_key_that_is_wrong_is_refused_with_what_to_do(served: Served) -> None:
    parameters = [parameter for parameter in CONNECTORS[served.kind].parameters if parameter.secret]
    secret = [parameter.key for parameter in parameters if parameter.key in served.rig.values]
    assert secret
    for key in secret:
        right = served.rig.values[key]
        # Missing, somebody else's of the same form, and half of it as a careless copy takes it.
        for wrong in ("", right[:-3] + "xyz", right[: len(right) // 2]):
            with served.connector({key: wrong}) as made, pytest.raises(NeedsOwner) as caught:
                made.test()
            assert caught.value.fix, (key, wrong)
            assert is_sentence(caught.value.message)
            assert not any(hidden in caught.value.sentence() for hidden in (right, wrong) if hidden)


def test_trouble_of_a_moment_is_waited_for_and_nothing_is_lost(served: Served) -> None:
    trouble = iter([TROUBLE["429"], TROUBLE["503"], TROUBLE["cut off"], TROUBLE["500"]])

    def sometimes(environ: dict[str, Any]) -> Any:
        interference = next(trouble, None) if len(served.asked) % 2 == 0 else None
        return interference(environ) if interference else None

    served.interfere = sometimes
    assert set(served.ids(everything(served))) == served.rig.ids()


def test_a_run_that_should_stop_stops(served: Served) -> None:
    with served.connector(should_stop=lambda: len(served.asked) > 2) as made, pytest.raises(RetryLater):
        list(made.pages(everything(served)))
    assert len(served.asked) <= 4


def test_a_private_address_is_refused_before_anything_is_sent(served: Served) -> None:
    made = cast(Callable[..., Connector], CONNECTORS[served.kind])(
        {"address": served.address, **served.rig.values}, Surroundings()
    )
    with pytest.raises(NeedsOwner, match="private network"):
        made.test()
    made.close()
    assert served.asked == []


def test_test_tells_who_the_store_is(served: Served) -> None:
    with served.connector() as made:
        facts = made.test()
    assert facts.name
    assert facts.version
    assert facts.time_zone
    assert facts.currency
    assert facts.statuses
    assert any(choice.is_default for choice in facts.statuses)


def test_no_secret_is_kept_in_what_was_learned(served: Served) -> None:
    with served.connector() as made:
        learned = dict(made.test().learned)
    assert not any(secret in str(learned) for secret in served.rig.secrets)
    # It is kept as JSON and given back, so it must be text through and through.
    assert {type(part) for pair in learned.items() for part in pair} == {str}


# Reading.


def test_what_is_read_is_the_same_each_time_and_changes_nothing(served: Served) -> None:
    kind = CONNECTORS[served.kind]
    for entry in served.rig.recorded():
        before = copy.deepcopy(entry)
        assert kind.read(entry, served.rig.context) == kind.read(entry, served.rig.context)
        assert entry == before


def test_each_recorded_order_adds_up_to_its_total_or_the_difference_is_named(served: Served) -> None:
    for entry in served.rig.recorded():
        found = CONNECTORS[served.kind].read(entry, served.rig.context)
        assert isinstance(found, Order)
        rows = [(row.net, row.taxes) for row in found.lines] + [(row.net, row.taxes) for row in found.charges]
        total = sum((net + sum((tax.amount for tax in taxes), Decimal(0)) for net, taxes in rows), Decimal(0))
        paid_otherwise = sum((p.amount for p in found.payments if p.kind.value == "gift_card"), Decimal(0))
        lowered = paid_otherwise if served.rig.cards_lower_total else Decimal(0)
        if found.number in served.rig.do_not_add_up:
            assert abs(total + found.rounding - lowered - found.total) > served.rig.apart
            continue
        assert abs(total + found.rounding - lowered - found.total) <= served.rig.apart, found.number


@pytest.mark.parametrize("kind", sorted(CONNECTORS))
def test_documents_per_currency_and_status_come_to_the_recorded_orders_own_totals_to_the_cent(kind: str) -> None:
    rig = RIGS[kind]()
    ours: dict[tuple[str, str], Decimal] = {}
    theirs: dict[tuple[str, str], Decimal] = {}
    for entry in rig.recorded():
        currency, status, total = rig.says(entry)
        theirs[currency, status] = theirs.get((currency, status), Decimal(0)) + total
        order = CONNECTORS[kind].read(entry, rig.context)
        assert isinstance(order, Order)
        draft = draft_invoice(order, Settings(), zone=ZoneInfo("Europe/Vilnius"), today=date(2026, 11, 24))
        parts = sum((row.base + row.amount for row in draft.vat), draft.rounding)
        assert parts == draft.total, order.number
        key = (draft.currency, order.status)
        ours[key] = ours.get(key, Decimal(0)) + draft.total
    assert ours == theirs
    assert len(theirs) > 1


def test_each_recorded_order_is_exact_aware_and_complete(served: Served) -> None:
    for entry in served.rig.recorded():
        found = CONNECTORS[served.kind].read(entry, served.rig.context)
        assert isinstance(found, Order)
        assert found.external_id
        assert found.number
        assert len(found.currency) == 3
        for moment in (found.placed_at, found.changed_at, found.paid_at, found.shipped_at):
            assert moment is None or moment.utcoffset() == timedelta(0)
        amounts = [found.total, found.total_tax, *(row.net for row in found.lines), *(row.net for row in found.charges)]
        assert all(type(amount) is Decimal for amount in amounts)
        assert all(line.discount >= 0 for line in found.lines)
        assert all(refund.total >= 0 for refund in found.refunds)
        assert not is_empty(found) or found.total == 0


def test_unknown_fields_and_statuses_are_harmless(served: Served) -> None:
    for entry in served.rig.recorded()[:20]:
        changed = cast(dict[str, Any], copy.deepcopy(entry))
        served.rig.with_unknown(changed)
        found = CONNECTORS[served.kind].read(changed, served.rig.context)
        assert isinstance(found, Order)


@pytest.mark.parametrize("entry", [{}, {"order": None}, {"order": {"id": 5}}, {"x": 1}])
def test_what_is_no_order_is_unreadable_with_a_sentence(served: Served, entry: dict[str, Any]) -> None:
    found = CONNECTORS[served.kind].read(entry, {})
    assert isinstance(found, Unreadable)
    assert found.reason.endswith(".")


@pytest.mark.parametrize("kind", sorted(CONNECTORS))
@settings(max_examples=120, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], deadline=None)
@given(data=st.data())
def test_no_foreign_data_makes_a_reader_raise(kind: str, data: st.DataObject) -> None:
    entries, context = some_recorded(kind)
    entry = data.draw(spoiled(entries))
    found = CONNECTORS[kind].read(entry, context)
    assert isinstance(found, Order | Unreadable)
    if isinstance(found, Unreadable):
        assert is_sentence(found.reason), found.reason


@cache
def some_recorded(kind: str) -> tuple[list[dict[str, Any]], Mapping[str, Any]]:
    rig = RIGS[kind]()
    return [cast(dict[str, Any], entry) for entry in rig.recorded()[::7]], rig.context


# What a connector says of itself.


@pytest.mark.parametrize("kind", sorted(CONNECTORS))
def test_a_connector_declares_itself_and_has_a_rig(kind: str) -> None:
    connector = CONNECTORS[kind]
    assert connector.kind == kind
    assert connector.label
    assert kind in RIGS
    assert len({parameter.key for parameter in connector.parameters}) == len(connector.parameters)
    assert all(parameter.label and parameter.help for parameter in connector.parameters)
    assert any(parameter.is_address for parameter in connector.parameters)
    assert any(parameter.secret for parameter in connector.parameters)
    # Where in the shop's admin the key is made and which rights it needs, step by step.
    assert len(connector.setup_steps) >= 3
    assert all(step.endswith(".") for step in connector.setup_steps)


@pytest.mark.parametrize("kind", sorted(CONNECTORS))
def test_a_stores_key_is_the_same_however_its_address_is_typed(kind: str) -> None:
    key = CONNECTORS[kind].store_key
    one, same, other = RIGS[kind]().typed
    assert key({"address": one}) == key({"address": same})
    assert key({"address": same}) != key({"address": other})
    with pytest.raises(BrokenRule) as caught:
        key({"address": "not an address"})
    assert caught.value.fix
