"""Pages of runs: where every order went, why one is not here, who may stop and run again; hostile words stay words."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from monet_web.blueprints.runs import signs
from monet_web.connectors import CONNECTORS
from monet_web.domain.orders import Order, Payment, PaymentKind, Unreadable
from monet_web.models import Integration, Run
from monet_web.models.base import now_utc, reading, writing
from monet_web.models.integrations import IntegrationState
from monet_web.models.runs import RunKind, RunSlot, RunState
from monet_web.models.users import Role
from monet_web.services.documents import journals, mend
from monet_web.services.importing import claims
from tests.builders import NOON, a_line, a_run, an_integration, an_item, an_order
from tests.services.scripted import ScriptedStore, import_all, integrate, put
from tests.web.integrating import browser, statements, words

Factory = sessionmaker[Session]
HOSTILE = '<script>alert("1")</script> & Co'
CASH = (Payment("cod", "Grynieji", Decimal("12.10"), kind=PaymentKind.PREPAID, reference="", paid_at=NOON),)


@pytest.fixture(autouse=True)
def store(monkeypatch: pytest.MonkeyPatch) -> type[ScriptedStore]:
    monkeypatch.setitem(CONNECTORS, "scripted", ScriptedStore)
    monkeypatch.setattr(signs, "SECONDS_REMEMBERED", 0.0)
    ScriptedStore.ORDERS, ScriptedStore.SAID, ScriptedStore.PAGE, ScriptedStore.before_page = {}, [], 100, None
    return ScriptedStore


def order(number: str, **changes: Any) -> Order:
    return an_order(external_id=f"id-{number}", number=number, **changes)


def unknown(number: str, sku: str) -> Order:
    return order(number, lines=(a_line(sku=sku, product_id=""),))


def one_of_each(session: Session, session_factory: Factory, *, name: str = "Molis LT") -> Run:
    """A run with an order of each outcome but already there: 3 registered, 2 in a journal, and one of each other."""
    with writing(session):
        an_item(session, "KN-01", on_hand=5)
    integration = integrate(session, name, number_prefix="MOL-", payment_methods="cod:skip")
    put(ScriptedStore, order("20401"), order("20402"), order("20403"))
    put(ScriptedStore, unknown("20404", "ZZ-9"), unknown("20405", HOSTILE))
    put(ScriptedStore, order("20406", payments=CASH), replace(order("20402"), external_id="twice"))
    put(ScriptedStore, Unreadable("broken", f"Line 2, {HOSTILE}, has no price.", "20408", NOON))
    return import_all(session_factory, integration)


def see(app: Flask, session: Session, path: str, role: Role = Role.OFFICE) -> str:
    answer = browser(app, session, role).get(path)
    assert answer.status_code == 200
    return answer.text


# --- who may what ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/runs", "/runs?launch=1", "/runs/1", "/runs/1/now", "/runs/events?run=1"])
def test_a_stranger_is_sent_to_the_door(app: Flask, path: str) -> None:
    assert app.test_client().get(path).status_code == 302


def test_a_viewer_sees_runs_and_may_not_stop_or_repeat_them(app: Flask, session: Session) -> None:
    with writing(session):
        integration = an_integration(session)
        queued = a_run(session, integration)
        ended = a_run(session, integration, state=RunState.DONE, ended_at=NOON, started_at=NOON)
    viewer = browser(app, session, Role.VIEWER)
    for path in (f"/runs/{queued.id}", f"/runs/{ended.id}", f"/runs?launch={queued.id}", "/runs"):
        text = viewer.get(path).text
        assert f"/runs/{queued.id}/stop" not in text
        assert f"/runs/{ended.id}/again" not in text
    assert viewer.post(f"/runs/{queued.id}/stop").status_code == 403
    assert viewer.post(f"/runs/{ended.id}/again").status_code == 403


def test_what_is_not_there_is_not_there(app: Flask, session: Session) -> None:
    office = browser(app, session, Role.OFFICE)
    for path in ("/runs/7", "/runs/7/now", "/runs?launch=7,8"):
        assert office.get(path).status_code == 404
    assert office.post("/runs/7/stop").status_code == 404
    assert office.post("/runs/7/again").status_code == 404
    assert office.get("/runs?launch=,x,-1,²").status_code == 200  # nothing named: the list


# --- by itself ---------------------------------------------------------------------------------------------------


def test_runs_of_the_timetable_name_their_slots(app: Flask, session: Session) -> None:
    with writing(session):
        one = an_integration(session)
        single = a_run(session, one, kind=RunKind.TIMETABLE, state=RunState.DONE, started_at=NOON, ended_at=NOON)
        many = a_run(session, one, kind=RunKind.TIMETABLE, state=RunState.DONE, started_at=NOON, ended_at=NOON)
        session.add(RunSlot(integration_id=one.id, slot_at=NOON, run_id=single.id))
        for hour in range(1, 4):
            session.add(RunSlot(integration_id=one.id, slot_at=NOON + timedelta(hours=hour), run_id=many.id))
    listed = words(see(app, session, "/runs"))
    for path, told in (
        (f"/runs/{single.id}", r"slot \S+( Nov)? 12:00"),
        (f"/runs/{many.id}", r"3 slots, .*13:00 to .*15:00"),
    ):
        page = words(see(app, session, path))
        assert re.search(rf"opened by the timetable \S+( Nov)? \d\d:\d\d, {told}", page)
        assert re.search(rf"by the timetable, {told}", listed)


def test_reading_documents_again_is_called_so_and_not_repeated_by_hand(app: Flask, session: Session) -> None:
    with writing(session):
        run = a_run(
            session, an_integration(session), kind=RunKind.REREAD, state=RunState.DONE, started_at=NOON, ended_at=NOON,
        )  # fmt: skip
    html = see(app, session, f"/runs/{run.id}")
    assert "Documents read again" in words(html)
    assert "once a day · opened by the timetable" in words(html)
    assert f"/runs/{run.id}/again" not in html
    assert f'href="/runs/{run.id}"' in see(app, session, "/runs?kind=rereads")


def test_a_run_that_waits_for_its_next_attempt_says_when(app: Flask, session: Session) -> None:
    with writing(session):
        one = an_integration(session)
        run = a_run(session, one, kind=RunKind.TIMETABLE, retry_at=now_utc() + timedelta(minutes=5))
    assert re.search(
        r"tries again \S+ \d\d:\d\d; the attempt before failed", words(see(app, session, f"/runs/{run.id}"))
    )
    with writing(session):
        session.merge(one).refused_since = NOON
    assert "waits for a new key" in words(see(app, session, f"/runs/{run.id}"))


@pytest.mark.parametrize(("agrees", "title"), [(True, "agrees with the store"), (False, "differs from the store")])
def test_the_check_of_a_month_stands_on_its_run(app: Flask, session: Session, agrees: bool, title: str) -> None:
    check = {
        "month": "2026-10",
        "agrees": agrees,
        "store": {"orders": 412, "totals": {"EUR": "1204.50"}, "left_out": {"cancelled": 3}, "not_booked": 2},
        "ours": {"invoices": 410, "registered": 400, "in_journal": 10, "totals": {"EUR": "1200.00", "USD": "3.00"}},
    }
    with writing(session):
        run = a_run(
            session, an_integration(session), kind=RunKind.TIMETABLE, state=RunState.DONE, started_at=NOON,
            ended_at=NOON, month_check=check,
        )  # fmt: skip
    text = words(see(app, session, f"/runs/{run.id}"))
    assert f"October 2026 {title}" in text
    assert "Orders in the store that make an invoice 412 1,204.50 EUR" in text
    assert "Invoices here 400 registered, 10 in journals 410 1,200.00 EUR 3.00 USD" in text
    assert "3 cancelled in the store and 2 could not be entered: they need you." in text


# --- the list ----------------------------------------------------------------------------------------------------


def test_before_the_first_run_the_page_says_what_a_run_is(app: Flask, session: Session) -> None:
    text = words(see(app, session, "/runs"))
    assert "Nothing is at work now." in text
    assert "Nothing has run yet. A run imports the orders of some days from one store" in text


def ended(session: Session, integration: Integration, **changes: Any) -> Run:
    with writing(session):
        return a_run(
            session,
            session.merge(integration),
            **{"state": RunState.DONE, "attempt": 1, "started_at": NOON, "ended_at": NOON + timedelta(seconds=19)}
            | changes,
        )


def test_a_line_says_what_came_of_a_run_in_words(app: Flask, session: Session) -> None:
    integration = integrate(session, "Molis LT")
    totals = {"EUR": {"registered": "1204.50", "in_journal": "10.00"}}
    ended(session, integration, fetched=58, registered=50, in_journal=2, filtered=3, already_there=1, conflict=2,
          totals=totals, requested_by="rūta@example.com")  # fmt: skip
    ended(session, integration, state=RunState.FAILED, error="The store refused the key (401).", fix="Make a new one.")
    text = words(see(app, session, "/runs"))
    assert "Done, 2 in journal 2 orders could not be entered 58 orders in 19 s, 1,204.50 EUR registered" in text
    assert "23 Nov by rūta@example.com 50 2 4 58" in text
    assert "Failed The store refused the key (401). Make a new one." in text


def test_checks_and_tests_are_left_out_unless_asked_for(app: Flask, session: Session) -> None:
    integration = integrate(session)
    usual = [ended(session, integration, kind=kind) for kind in (RunKind.LAUNCH, RunKind.TIMETABLE, RunKind.PREVIEW)]
    others = [ended(session, integration, kind=kind) for kind in (RunKind.RECHECK, RunKind.TEST, RunKind.UNDO)]
    client = browser(app, session, Role.OFFICE)

    def listed(path: str) -> list[int]:
        text = client.get(path).text
        return [run.id for run in (*usual, *others) if f'href="/runs/{run.id}"' in text]

    assert listed("/runs") == [run.id for run in usual]
    assert listed("/runs?kind=imports") == [run.id for run in usual[:2]]
    assert listed("/runs?kind=checks") == [others[0].id]
    assert listed("/runs?kind=all") == [run.id for run in (*usual, *others)]


def test_the_list_is_turned_page_by_page_and_keeps_what_was_chosen(app: Flask, session: Session) -> None:
    integration, other = integrate(session, "A"), integrate(session, "B")
    runs = [ended(session, integration) for _ in range(53)]
    ended(session, other)
    first = see(app, session, f"/runs?integration={integration.id}")
    assert first.count('<tr role="row"><th role="columnheader"') == 1
    assert f'href="/runs/{runs[3].id}"' in first
    assert f'href="/runs/{runs[2].id}"' not in first
    assert f'href="/runs?integration={integration.id}&amp;after={runs[3].id}"' in first
    second = see(app, session, f"/runs?integration={integration.id}&after={runs[3].id}")
    assert [f'href="/runs/{run.id}"' in second for run in runs[:4]] == [True, True, True, False]


def test_only_those_that_need_somebody(app: Flask, session: Session) -> None:
    integration = integrate(session)
    well = ended(session, integration, registered=1, fetched=1)
    ill = [ended(session, integration, conflict=1, fetched=1), ended(session, integration, unreadable=1, fetched=1)]
    ill.append(ended(session, integration, state=RunState.FAILED, error="No.", fix=""))
    text = see(app, session, "/runs?needs=1")
    assert f'href="/runs/{well.id}"' not in text
    assert all(f'href="/runs/{run.id}"' in text for run in ill)


def test_the_list_asks_the_same_number_of_questions_for_one_run_and_for_fifty(app: Flask, session: Session) -> None:
    integration = integrate(session)
    client = browser(app, session, Role.OFFICE)
    ended(session, integration, requested_by="a@example.com")
    with writing(session):
        a_run(session, an_integration(session, "Waits"), requested_by="a@example.com")
    client.get("/runs")
    with statements(app) as few:
        client.get("/runs")
    for number in range(49):
        ended(session, integration, requested_by=f"{number}@example.com", in_journal=1, fetched=1)
    with writing(session):
        for number in range(9):
            a_run(session, an_integration(session, f"Waits {number}"), requested_by="a@example.com")
    client.get("/runs")
    with statements(app) as many:
        client.get("/runs")
    assert len(many) == len(few)


# --- one run -----------------------------------------------------------------------------------------------------


def test_the_account_adds_up_and_says_why(app: Flask, session: Session, session_factory: Factory) -> None:
    run = one_of_each(session, session_factory)
    assert run.outcomes() == {
        "registered": 3, "in_journal": 2, "filtered": 1, "already_there": 0, "conflict": 1, "unreadable": 1
    }  # fmt: skip
    text = words(see(app, session, f"/runs/{run.id}"))
    assert "Where the 8 orders went" in text
    assert "3 Registered 36.30 EUR" in text
    assert "2 In journal journal G00001 24.20 EUR" in text
    assert "1 Filtered out 1 paid in a way that is skipped (setting payment_methods) no invoice" in text
    assert "1 Conflict the number belongs to another document" in text
    assert "8 Fetched from the store 60.50 EUR" in text
    assert "21 % 30.00 6.30 36.30 Total 30.00 6.30 36.30" in text
    assert "1 invoice SKU ZZ-9 is not among the items" in text
    assert "Done, 2 in journal 2 orders could not be entered" in text


@pytest.mark.parametrize(
    ("outcome", "shown", "sentence"),
    [
        ("", ["20402", "20408"], "Number MOL-20402 belongs to the invoice of order 20402."),
        ("needs", ["20402", "20408"], 'Line 2, <script>alert("1")</script> & Co, has no price.'),
        ("journal", ["20404", "20405"], "SKU ZZ-9 on line 1 is not among the items."),
        ("skipped", ["20406"], "Paid by Grynieji (setting payment_methods: skip)."),
        ("registered", ["20401", "20402", "20403"], "Registered as MOL-20403."),
        ("all", ["20401", "20404", "20406", "20408"], "Registered as MOL-20401."),
    ],
)
def test_each_order_has_its_reason_in_a_sentence(
    app: Flask, session: Session, session_factory: Factory, outcome: str, shown: list[str], sentence: str
) -> None:
    run = one_of_each(session, session_factory)
    html = see(app, session, f"/runs/{run.id}?outcome={outcome}")
    table = html[html.index('id="run-orders"') : html.index('id="run-log"')]
    assert [number for number in shown if number in table] == shown
    assert sentence in words(table)
    assert ("20401" in table) == (outcome in ("registered", "all"))


def test_what_a_store_sends_is_shown_and_never_run(app: Flask, session: Session, session_factory: Factory) -> None:
    run = one_of_each(session, session_factory, name=HOSTILE)
    client = browser(app, session, Role.OFFICE)
    for path in (
        "/runs", f"/runs/{run.id}?outcome=all", f"/runs/{run.id}/now", f"/runs?launch={run.id}",
        f"/runs/{run.id}?outcome=journal&order={HOSTILE}", "/runs?order=20405",
    ):  # fmt: skip
        text = client.get(path).text
        assert "<script>alert" not in text
        assert "&lt;script&gt;alert" in text


def test_what_waited_and_was_mended_or_deleted_since_is_told(
    app: Flask, session: Session, session_factory: Factory
) -> None:
    run = one_of_each(session, session_factory)
    with writing(session):
        an_item(session, "ZZ-9", on_hand=9)
    mend.check_again(session, codes=("item_unknown",), now=now_utc(), actor="ona")
    text = words(see(app, session, f"/runs/{run.id}?outcome=journal"))
    assert "Waited in a journal; registered since as MOL-20404." in text
    with reading(session):
        (left,) = journals.waiting(session)
    journals.delete(session, [left.id], leave_out=True, reason="a test of ours", now=now_utc(), actor="ona")
    text = words(see(app, session, f"/runs/{run.id}?outcome=journal&order=20405"))
    assert "2 In journal none of them waits any more" in text
    assert "In this run: Its invoice waited in a journal and was deleted since." in text
    assert "It was left out by hand: a test of ours." in text


def test_a_preview_says_that_nothing_was_written(app: Flask, session: Session, session_factory: Factory) -> None:
    with writing(session):
        an_item(session, "KN-01", on_hand=1)
    integration = integrate(session)
    put(ScriptedStore, order("1"), order("2"))
    run = import_all(session_factory, integration, kind=RunKind.PREVIEW)
    text = words(see(app, session, f"/runs/{run.id}?outcome=all"))
    assert "A preview: nothing was written." in text
    assert "1 Would be registered 12.10 EUR" in text
    assert "1 Would wait in a journal 12.10 EUR" in text
    assert "Why some would wait 1 invoice KN-01 is short in warehouse MAIN" in text
    assert "…" not in text[text.index("Why some would wait") :]
    assert re.search(r"1 Registered \S+ [^.]*Would be registered\. 12\.10 EUR", text)
    assert re.search(r"Would wait in a journal: there is not enough in stock\. 12\.10 EUR", text)


def test_a_run_that_registers_nothing_says_what_went_to_the_journal_and_one_duration(
    app: Flask, session: Session
) -> None:
    totals = {"EUR": {"registered": "0", "in_journal": "24.20"}}
    run = ended(
        session, integrate(session), totals=totals, fetched=2, in_journal=2, started_at=NOON,
        ended_at=NOON + timedelta(seconds=1.6),
    )  # fmt: skip
    assert "2 orders in 1 s, 24.20 EUR went into a journal" in words(see(app, session, f"/runs/{run.id}/now"))
    assert "took 1 s" in words(see(app, session, f"/runs/{run.id}"))
    assert "took 1 s" in words(see(app, session, "/integrations"))


def test_a_failed_run_says_what_to_do(app: Flask, session: Session) -> None:
    run = ended(
        session, integrate(session), state=RunState.FAILED, error="The store refused the key (401).",
        fix="Make a new one with rights “Read” and paste both parts here.", retry_at=NOON,
    )  # fmt: skip
    text = words(see(app, session, f"/runs/{run.id}"))
    assert "The store refused the key (401). Make a new one with rights “Read” and paste both parts here." in text
    assert "No order was fetched." in text


def test_orders_are_turned_page_by_page(app: Flask, session: Session, session_factory: Factory) -> None:
    integration = integrate(session)
    put(ScriptedStore, *(unknown(str(1000 + n), "ZZ") for n in range(53)))
    run = import_all(session_factory, integration)
    client = browser(app, session, Role.OFFICE)
    first = client.get(f"/runs/{run.id}?outcome=journal").text
    assert ">1049<" in first
    assert ">1050<" not in first
    address = first[first.index("outcome=journal&amp;after=") :].split('"')[0].replace("&amp;", "&")
    second = client.get(f"/runs/{run.id}?{address}").text
    assert [f">{number}<" in second for number in (1049, 1050, 1052)] == [False, True, True]


def test_a_runs_page_asks_the_same_for_one_order_and_for_fifty(
    app: Flask, session: Session, session_factory: Factory
) -> None:
    integration = integrate(session)
    put(ScriptedStore, unknown("1", "ZZ"))
    small = import_all(session_factory, integration)
    put(ScriptedStore, *(unknown(str(n), f"ZZ-{n}") for n in range(2, 60)))
    large = import_all(session_factory, integration)
    client = browser(app, session, Role.OFFICE)
    client.get(f"/runs/{small.id}")

    def asked(path: str) -> int:
        with statements(app) as these:
            client.get(path)
        return len(these)

    assert asked(f"/runs/{small.id}?outcome=journal&order=1") == asked(f"/runs/{large.id}?outcome=journal&order=2")


# --- why is an order not here ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("20401", "20401 Registered Molis LT · 23 Nov · 12.10 EUR It is invoice MOL-20401."),
        (" #20401 ", "It is invoice MOL-20401."),
        ("mol-20401", "It is invoice MOL-20401."),
        ("20404", "Its invoice MOL-20404 waits in a journal. SKU ZZ-9 on line 1 is not among the items."),
        ("20406", "It makes no invoice: paid by Grynieji (setting payment_methods: skip)."),
        ("20402", "Number MOL-20402 belongs to the invoice of order 20402. Change the prefix of the integration"),
        (
            "20408",
            (
                "has no price. Open the order in the store and save it; the next run reads it again."
                " If it stays so, show these words to whoever looks after the shop."
            ),
        ),
        ("555", "No store has given an order 555. Look up its day in the store, then launch the integration"),
        ("nul\x00l", "No store has given an order"),
    ],
)
def test_every_order_answers_why(
    app: Flask, session: Session, session_factory: Factory, typed: str, sentence: str
) -> None:
    run = one_of_each(session, session_factory)
    client = browser(app, session, Role.VIEWER)
    everywhere = words(client.get("/runs", query_string={"order": typed}).text)
    assert sentence in everywhere
    here = words(client.get(f"/runs/{run.id}", query_string={"order": typed}).text)
    assert ("In this run:" in here) == (not sentence.startswith("No store"))


def test_an_order_already_there_names_the_run_that_booked_it(
    app: Flask, session: Session, session_factory: Factory
) -> None:
    first = one_of_each(session, session_factory)
    with reading(session):
        integration = session.scalars(select(Integration)).one()
    second = import_all(session_factory, integration)
    text = see(app, session, f"/runs/{second.id}?order=20401")
    assert "nothing new. It was already there unchanged" in words(text)
    assert f'href="/runs/{first.id}?order=20401"' in text


def test_an_order_of_two_stores_is_found_in_both(app: Flask, session: Session, session_factory: Factory) -> None:
    put(ScriptedStore, order("77"))
    for name in ("Molis LT", "Molis LV"):
        import_all(session_factory, integrate(session, name, number_prefix=name[-2:]))
    text = words(see(app, session, "/runs?order=77"))
    assert "waits in a journal" in text
    assert "Molis LT" in text
    assert "Molis LV" in text


# --- stop and run again ------------------------------------------------------------------------------------------


def test_stop_ends_a_queued_run_at_once_and_asks_one_at_work(app: Flask, session: Session) -> None:
    with writing(session):
        queued = a_run(session, an_integration(session, "A"))
        busy = a_run(session, an_integration(session, "B"), state=RunState.RUNNING, heartbeat_at=now_utc())
    client = browser(app, session, Role.OFFICE)
    answer = client.post(f"/runs/{queued.id}/stop", data={"launch": f"{queued.id},{busy.id}"})
    assert (answer.status_code, answer.location) == (303, f"/runs?launch={queued.id},{busy.id}")
    assert "was stopped before it began" in client.get(answer.location).text
    answer = client.post(f"/runs/{busy.id}/stop")
    assert answer.location == f"/runs/{busy.id}"
    text = words(client.get(answer.location).text)
    assert "stops after the page of orders in hand. What was done stays." in text
    assert "Stopping" in text
    client.post(f"/runs/{busy.id}/stop")
    assert "stops already" in client.get("/runs").text
    client.post(f"/runs/{queued.id}/stop")
    assert "had ended already" in client.get("/runs").text
    with reading(session):
        states = [session.get_one(Run, run.id, populate_existing=True).state for run in (queued, busy)]
    assert states == [RunState.STOPPED, RunState.STOPPING]


@pytest.mark.parametrize(
    ("kind", "again"),
    [(RunKind.TIMETABLE, RunKind.LAUNCH), (RunKind.LAUNCH, RunKind.LAUNCH), (RunKind.PREVIEW, RunKind.PREVIEW)],
)
def test_run_again_opens_a_run_of_the_same_period(app: Flask, session: Session, kind: RunKind, again: RunKind) -> None:
    before = ended(session, integrate(session, "Molis LT"), kind=kind)
    client = browser(app, session, Role.OFFICE, "ona@example.com")
    page = words(client.get(f"/runs/{before.id}").text)
    assert "Import the orders of 23 Nov from Molis LT once more? Those already here are skipped" in page
    answer = client.post(f"/runs/{before.id}/again")
    with reading(session):
        run = session.scalars(select(Run).order_by(Run.id.desc()).limit(1)).one()
    assert (answer.status_code, answer.location) == (303, f"/runs?launch={run.id}")
    assert run.id != before.id
    assert (run.integration_id, run.kind, run.state) == (before.integration_id, again, RunState.QUEUED)
    assert (run.window_start, run.window_end) == (before.window_start, before.window_end)
    assert (run.requested_by, run.foreground) == ("ona@example.com", False)
    followed = words(client.get(answer.location).text)
    assert "1 run launched" in followed
    assert "Nothing is imported by itself: Redis is not set up (REDIS_URL)." in followed


def test_a_deleted_integration_runs_no_more(app: Flask, session: Session) -> None:
    before = ended(session, integrate(session, "Molis LT"))
    with writing(session):
        session.get_one(Integration, before.integration_id).state = IntegrationState.RETIRED
    client = browser(app, session, Role.OFFICE)
    answer = client.post(f"/runs/{before.id}/again")
    assert answer.location == f"/runs/{before.id}"
    assert "Molis LT was deleted" in client.get(answer.location).text


# --- the live part -----------------------------------------------------------------------------------------------


def living(session: Session, **changes: Any) -> Run:
    now = now_utc()
    plain: dict[str, Any] = {
        "state": RunState.RUNNING, "attempt": 1, "worker": claims.this_process(), "created_at": now, "started_at": now,
        "heartbeat_at": now, "progress_version": 5,
    }  # fmt: skip
    with writing(session):
        return a_run(session, an_integration(session, "Molis LT"), **{**plain, **changes})


def ago(seconds: float) -> Any:
    return now_utc() - timedelta(seconds=seconds)


def test_a_part_asks_every_second_then_every_other_and_ends_by_itself(app: Flask, session: Session) -> None:
    run = living(session, fetched=268, expected=412, registered=241, in_journal=9, already_there=18)
    client = browser(app, session, Role.VIEWER)

    def part() -> str:
        return client.get(f"/runs/{run.id}/now").text

    assert 'hx-trigger="every 1s"' in part()
    assert "268 of 412 orders" in words(part())
    assert 'aria-label="Molis LT: 241 registered, 9 in journal, 18 skipped, 0 could not be entered, of 412"' in part()
    with writing(session):
        session.merge(run).started_at = ago(61)
    assert 'hx-trigger="every 2s"' in part()
    with writing(session):
        row = session.get_one(Run, run.id)
        row.state, row.ended_at = RunState.DONE, now_utc()
    assert "hx-trigger" not in part()
    assert "has-ended" in part()


def test_old_never_paints_over_new(app: Flask, session: Session) -> None:
    run = living(session)
    client = browser(app, session, Role.VIEWER)
    answer = client.get(f"/runs/{run.id}/now?version=5")
    assert (answer.status_code, answer.headers["X-Progress-Version"]) == (200, "5")
    assert 'data-version="5"' in answer.text
    assert client.get(f"/runs/{run.id}/now?version=6").status_code == 204


def test_the_page_of_a_run_is_asked_anew_once_it_has_ended(app: Flask, session: Session) -> None:
    run = ended(session, integrate(session))
    client = browser(app, session, Role.VIEWER)
    assert 'hx-trigger="load"' in client.get(f"/runs/{run.id}/now?whole=1").text
    assert 'hx-trigger="load"' not in client.get(f"/runs/{run.id}/now").text


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"state": RunState.QUEUED, "attempt": 0}, "Queued begins as soon as a worker is free"),
        (
            {"state": RunState.QUEUED, "attempt": 2},
            "Queued again The program that ran this ended; it is queued again. What was booked stays.",
        ),
        ({"heartbeat_at": lambda: ago(70), "worker": "elsewhere:1:1"}, "No sign of life Nothing heard for 70 s"),
        (
            {"worker": claims.this_process().rsplit(":", 1)[0] + ":1"},
            "The program that ran this has ended; it is queued again by itself.",
        ),
        ({"started_at": lambda: ago(6)}, "Connecting the store was asked 6 s ago"),
        ({"state": RunState.STOPPING}, "Stopping stops after the page of orders in hand; what was done stays"),
        (
            {"fetched": 100, "expected": 400, "started_at": lambda: ago(10)},
            "Booking 100 of 400 orders about 30 s left",
        ),
        ({"fetched": 1}, "Booking 1 order"),
    ],
)
def test_the_part_says_the_truth_in_words(
    app: Flask, session: Session, changes: dict[str, Any | Callable[[], Any]], sentence: str
) -> None:
    told = {name: value() if callable(value) else value for name, value in changes.items()}
    run = living(session, **told)
    assert sentence in words(browser(app, session, Role.VIEWER).get(f"/runs/{run.id}/now").text)


def test_a_run_waits_for_the_one_of_its_integration(app: Flask, session: Session) -> None:
    busy = living(session)
    with writing(session):
        waits = a_run(session, session.merge(busy).integration, created_at=now_utc())
    text = words(see(app, session, f"/runs?launch={waits.id},{busy.id}"))
    assert f"Waits for its turn waits for run {busy.id} of the same integration, which is at work" in text


def test_a_screen_reader_is_told_at_the_start_at_each_tenth_and_at_the_end(app: Flask, session: Session) -> None:
    run = living(session, expected=412)
    client = browser(app, session, Role.VIEWER)
    said = []
    for fetched in (0, 40, 41, 45, 82, 83, 411):
        with writing(session):
            session.merge(run).fetched = fetched
        text = client.get(f"/runs/{run.id}/now").text
        said.append(text[text.index('data-said="') + 11 :].split('"')[0])
    start, tenth, two = "Molis LT: at work", "Molis LT: 10 per cent done", "Molis LT: 20 per cent done"
    assert said == [start, start, start, tenth, tenth, two, "Molis LT: 90 per cent done"]
    with writing(session):
        row = session.get_one(Run, run.id)
        row.state, row.ended_at, row.fetched, row.registered = RunState.DONE, now_utc(), 412, 412
    assert 'data-said="Molis LT: Done. 412 of 412' not in client.get(f"/runs/{run.id}/now").text
    assert 'data-said="Molis LT: Done. 412 orders in' in client.get(f"/runs/{run.id}/now").text


def test_a_page_streams_without_redis_and_asks_by_itself_where_it_has_no_stream(app: Flask, session: Session) -> None:
    run = living(session)
    client = browser(app, session, Role.VIEWER)
    with client.get(f"/runs/events?run={run.id}", buffered=False) as answer:
        assert answer.status_code == 200
        assert any(
            b"event: painting" in bytes(chunk) for _, chunk in zip(range(2), answer.iter_encoded(), strict=False)
        )
    page = client.get(f"/runs/{run.id}").text
    assert f'data-stream="/runs/events?run={run.id}&amp;whole=1"' in page
    assert f'hx-get="/runs/{run.id}/now?version=5&amp;whole=1"' in page
    assert "Launched by the timetable" in words(page)
