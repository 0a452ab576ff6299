"""The first page: one sentence, what needs a person, the chart, the health of each integration, and how it begins."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from monet_web.blueprints.runs import signs
from monet_web.blueprints.today import views
from monet_web.blueprints.today.drawing import Series, draw
from monet_web.domain.windows import days as days_of
from monet_web.models import Integration, InvoiceFinding, Run, RunOrder
from monet_web.models.base import reading, writing
from monet_web.models.integrations import IntegrationState
from monet_web.models.invoices import InvoiceState
from monet_web.models.runs import RunKind, RunState
from monet_web.models.store_orders import Outcome
from monet_web.models.users import Role
from monet_web.services import notices
from monet_web.services.opening import changes
from tests import builders
from tests.builders import NOON
from tests.web.integrating import browser, statements, words

NOW = NOON + timedelta(hours=2)  # Monday 23 November 2026, 14:00 in Vilnius
YESTERDAY = NOON - timedelta(days=1)
MIDNIGHT = days_of(NOW.date(), NOW.date(), ZoneInfo("Europe/Vilnius")).start
HOSTILE = '<script>alert("1")</script> & Co'


@pytest.fixture(autouse=True)
def everybody_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signs, "why_still", lambda: "")
    monkeypatch.setattr(views, "now_utc", lambda: NOW)


@pytest.fixture
def client(app: Flask, session: Session) -> FlaskClient:
    return browser(app, session, Role.OFFICE)


def ended(session: Session, integration: Integration, state: RunState = RunState.DONE, **changes: Any) -> Run:
    plain: dict[str, Any] = {"state": state, "ended_at": NOON, "window_end": NOON}
    return builders.a_run(session, integration, **{**plain, **changes})


def an_order(session: Session, integration: Integration, number: str, **changes: Any) -> None:
    plain: dict[str, Any] = {"order_number": number, "placed_at": YESTERDAY, "outcome": Outcome.REGISTERED}
    builders.a_store_order(session, integration, number, **{**plain, **changes})


def a_waiting(session: Session, run: Run, number: str, code: str, subject: str, **values: str) -> None:
    order = builders.a_store_order(session, run.integration, number, outcome=Outcome.IN_JOURNAL, placed_at=YESTERDAY)
    invoice = builders.an_invoice(
        session, builders.a_version(session, order, run), state=InvoiceState.IN_JOURNAL, number=f"KL-{number}"
    )
    session.add(InvoiceFinding(invoice_id=invoice.id, code=code, subject=subject, values=values))


def read(client: FlaskClient, address: str = "/") -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return words(answer.text)


# --- how it begins -------------------------------------------------------------------------------------------------


def test_without_a_store_it_leads_to_connecting_one(app: Flask, session: Session) -> None:
    said = read(browser(app, session, Role.ADMINISTRATOR))
    assert "No integrations yet. An address and a key are enough to begin." in said
    assert "Connect a store" in said
    assert "Orders a day" not in said
    said = read(browser(app, session, Role.OFFICE))
    assert "An administrator connects stores." in said


def test_connected_but_never_imported_leads_to_the_launch(client: FlaskClient, session: Session) -> None:
    with writing(session):
        builders.an_integration(session)
    page = client.get("/")
    assert "A store is connected; nothing was imported yet." in words(page.text)
    assert 'href="/integrations#launch"' in page.text
    assert "Orders a day" not in page.text
    assert "Runs when you launch it" in page.text


def test_a_viewer_is_not_offered_what_a_viewer_may_not(app: Flask, session: Session) -> None:
    with writing(session):
        one = builders.an_integration(session)
    viewer = browser(app, session, Role.VIEWER)
    assert "Launch by hand" not in read(viewer)
    with writing(session):
        ended(session, session.merge(one))
    assert "Launch by hand" not in read(viewer)


# --- the sentence --------------------------------------------------------------------------------------------------


def test_all_orders_of_yesterday_are_invoiced(client: FlaskClient, session: Session) -> None:
    with writing(session):
        one = builders.an_integration(session)
        ended(session, one)
        for number in ("1", "2"):
            an_order(session, one, number)
        an_order(session, one, "3", placed_at=NOON)
    said = read(client)
    assert "All 2 orders of yesterday are invoiced. 1 order came in since midnight: 1 invoiced." in said
    assert "No invoice waits, no order is unreadable or in conflict" in said


def test_orders_that_were_left_out_are_not_called_invoiced(client: FlaskClient, session: Session) -> None:
    with writing(session):
        one = builders.an_integration(session)
        ended(session, one)
        an_order(session, one, "1")
        an_order(session, one, "2", outcome=Outcome.FILTERED)
    assert "All 2 orders of yesterday are accounted for: 1 invoiced and 1 left out." in read(client)


def test_a_day_that_was_not_imported_whole_is_not_called_complete(client: FlaskClient, session: Session) -> None:
    with writing(session):
        one = builders.an_integration(session)
        ended(session, one, window_end=MIDNIGHT - timedelta(hours=3))
        an_order(session, one, "1")
    said = read(client)
    assert "of yesterday" not in said
    assert "Nothing needs you. Orders since" in said


def test_a_day_without_orders_says_so(client: FlaskClient, session: Session) -> None:
    with writing(session):
        ended(session, builders.an_integration(session))
    assert "Nothing needs you. No order came in yesterday." in read(client)


# --- what needs a person -------------------------------------------------------------------------------------------


def test_everything_that_needs_a_person_stands_in_the_order_of_urgency(
    app: Flask, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signs, "why_still", lambda: "No worker is alive: nothing is imported until one is started.")
    with writing(session):
        refused = builders.an_integration(
            session, "Lino namai", refused_since=NOON, refused_text="The store refused the key (401)."
        )
        for _ in range(2):
            ended(session, refused, RunState.FAILED)
        broken = builders.an_integration(session, "Molis LV")
        ended(session, broken, window_end=YESTERDAY)
        failed = ended(session, broken, RunState.FAILED, error="The store answers with an error (500)", fix="Try again")
        well = builders.an_integration(session, "Molis LT")
        run = ended(session, well)
        an_order(session, well, "20395", outcome=Outcome.CONFLICT)
        unreadable = builders.a_store_order(
            session, well, "x", order_number="20377", outcome=Outcome.UNREADABLE, placed_at=YESTERDAY
        )
        session.add(RunOrder(run_id=run.id, store_order_id=unreadable.id, outcome="unreadable"))
        a_waiting(session, run, "1", "item_unknown", "KN-01", what="SKU KN-01", line="1")
        a_waiting(session, run, "2", "item_unknown", "KN-01", what="SKU KN-01", line="1")
        order = builders.a_store_order(session, well, "3")
        invoice = builders.an_invoice(session, builders.a_version(session, order, run))
        session.add(InvoiceFinding(invoice_id=invoice.id, code="changed_in_store", stops=False))
    page = browser(app, session, Role.ADMINISTRATOR).get("/").text
    said = words(page)
    assert "7 things need you." in said
    places = [
        said.index(text)
        for text in (
            "No worker is alive: nothing is imported until one is started",
            "2 attempts Lino namai: the store refuses the key since",
            "1 failure Molis LV: the import of",
            "1 order The number of 1 order belongs to another document",
            "1 order 1 order could not be read",
            "2 invoices Invoices wait in the journals for 1 reason",
            "1 invoice The order of a registered invoice changed in the store",
        )
    ]
    assert places == sorted(places)
    assert "The store refused the key (401)." in said
    assert "Replace the key" in said
    assert "The store answers with an error (500). Try again. Orders since" in said
    assert "24.20 EUR, dated November 2026." in said
    assert "2 SKU KN-01 is not among the items 24.20 EUR, the oldest of 23 Nov" in said
    assert f'href="/runs/{failed.id}"' in page
    assert f'href="/runs/{run.id}?outcome=needs"' in page
    assert 'href="/journals/conflicts"' in page
    assert 'href="/journals/invoices?cause=item_unknown&amp;subject=KN-01"' in page
    assert 'href="/journals/changed"' in page
    assert len(re.findall(r"btn btn-primary", page)) <= 1


def test_invoices_that_wait_are_named_where_nothing_else_needs_somebody(client: FlaskClient, session: Session) -> None:
    with writing(session):
        run = ended(session, builders.an_integration(session))
        a_waiting(session, run, "1", "item_unknown", "KN-01", what="SKU KN-01", line="1")
    said = read(client)
    assert "1 invoice waits in the journals." in said
    assert "thing needs you" not in said


def test_a_store_that_is_switched_off_needs_nobody(client: FlaskClient, session: Session) -> None:
    with writing(session):
        off = builders.an_integration(session, "Off", state=IntegrationState.OFF, refused_since=NOON)
        ended(session, off, RunState.FAILED)
    said = read(client)
    assert "need you" not in said
    assert "Switched off" in said
    assert "Nothing will run" in said


def test_only_the_reasons_of_the_most_invoices_are_listed(client: FlaskClient, session: Session) -> None:
    with writing(session):
        run = ended(session, builders.an_integration(session))
        for number in range(7):
            a_waiting(session, run, str(number), "item_unknown", f"SKU-{number}", what=f"SKU SKU-{number}", line="1")
    said = read(client)
    assert "Invoices wait in the journals for 7 reasons" in said
    assert said.count("is not among the items") == 5


# --- the chart -----------------------------------------------------------------------------------------------------


def test_the_chart_has_the_same_figures_as_the_table_below_it(client: FlaskClient, session: Session) -> None:
    with writing(session):
        first, second = builders.an_integration(session, "A"), builders.an_integration(session, "B")
        run = ended(session, first)
        ended(session, second)
        for number in range(3):
            an_order(session, first, f"a{number}")
        an_order(session, second, "b1", placed_at=NOON)
        an_order(session, second, "b2", outcome=Outcome.FILTERED)
        a_waiting(session, run, "9", "posting_manual", "")
    page = client.get("/").text
    said = words(page)
    assert "Day A B in journals left out Total" in said
    assert "Sun 22 Nov 3 0 1 1 5" in said
    assert "Mon 23 Nov 0 1 0 0 1" in said
    assert "Total 3 1 1 1 6" in said
    assert "6 orders. The most on Sun 22 Nov, 5." in page
    assert "style=" not in page


def test_euros_of_a_day(client: FlaskClient, session: Session) -> None:
    with writing(session):
        one = builders.an_integration(session)
        run = ended(session, one)
        version = builders.a_version(session, builders.a_store_order(session, one, "1"), run)
        builders.an_invoice(session, version, total_eur=Decimal("1204.50"))
        version = builders.a_version(session, builders.a_store_order(session, one, "2"), run)
        builders.an_invoice(session, version, number="2", total_eur=None, currency="USD")
    said = read(client, "/?show=eur")
    assert "EUR a day" in said
    assert "Total 1,204 1,204" in said
    assert "1 invoice without an exchange rate is not in it." in said


def test_many_integrations_share_four_colours(client: FlaskClient, session: Session) -> None:
    with writing(session):
        for name in "ABCDEF":
            one = builders.an_integration(session, name)
            ended(session, one)
            an_order(session, one, f"{name}1")
    assert "Day A B C 3 others Total" in read(client)


def test_bars_add_up_and_keep_inside_the_picture() -> None:
    days = [("1", "Mon"), ("2", "today")]
    chart = draw(
        days,
        [
            Series("A", "c1", (Decimal(30), Decimal(0))),
            Series("B", "journal", (Decimal(20), Decimal(-5))),
        ],
        str,
    )
    first, second = chart.bars
    assert [(part.paint, part.y, part.height, part.foot, part.has_gap) for part in first.parts] == [
        ("c1", "90.0", "96.0", "185.25", False),
        ("journal", "26.0", "64.0", "89.25", True),
    ]
    assert (first.figure, second.figure, second.parts) == ("50", "", ())
    assert [line.figure for line in chart.grid] == ["10", "20", "30", "40", "50"]
    assert second.is_now
    assert first.is_minor


# --- next runs --------------------------------------------------------------------------------------------------------


def test_the_next_runs_are_told_with_their_periods_the_soonest_first(client: FlaskClient, session: Session) -> None:
    with writing(session):
        for name, frequency in (("By hand", "off"), ("Hourly", "hours"), ("Weekly", "weekly")):
            one = builders.an_integration(session, name, settings={"frequency": frequency})
            changes.begin(session, one, now=NOW)
        ended(session, one)
    said = read(client)
    said = said[said.index("Next runs") :]
    assert re.search(r"Hourly \S.* 15:00 · every hour imports 22 Nov\W+23 Nov until then Weekly", said)
    assert re.search(r"Weekly 30 Nov 0[34]:\d\d · weekly imports 23 Nov\W+29 Nov By hand Runs when you launch it", said)


def test_a_failure_says_when_it_is_tried_again(client: FlaskClient, session: Session) -> None:
    with writing(session):
        one = builders.an_integration(session, "Molis LV", settings={"frequency": "hours"})
        changes.begin(session, one, now=NOW)
        ended(session, one, RunState.FAILED, kind=RunKind.TIMETABLE, error="The store does not answer.")
        builders.a_run(session, one, kind=RunKind.TIMETABLE, state=RunState.QUEUED, retry_at=NOW + timedelta(minutes=4))
    said = read(client)
    assert "1 thing needs you." in said
    assert "It is tried again by itself" in said
    assert re.search(r"Molis LV Tries again \S.* · 2nd attempt imports", said)


# --- the month that was checked ---------------------------------------------------------------------------------------


def checked(session: Session, name: str, *, agrees: bool, days_ago: int = 0, invoices: int = 280) -> Integration:
    with writing(session):
        one = builders.an_integration(session, name, settings={"frequency": "daily"})
        ended(
            session, one, kind=RunKind.TIMETABLE, ended_at=NOW - timedelta(days=days_ago), window_end=NOW,
            month_check={
                "month": "2026-10", "agrees": agrees,
                "store": {"orders": 300, "totals": {"EUR": "9000.00"}, "left_out": {}, "not_booked": 20},
                "ours": {"invoices": invoices, "registered": 280, "in_journal": 0, "totals": {"EUR": "8000.00"}},
            },
        )  # fmt: skip
    return one


def test_a_month_that_differs_from_the_store_heads_the_page_and_counts(client: FlaskClient, session: Session) -> None:
    one = checked(session, "Molis LT", agrees=False, days_ago=3)
    with writing(session):
        refuses = builders.an_integration(session, "Molis EE", refused_since=NOW, refused_text="No.")
        assert refuses.id
    page = client.get("/").text
    said = words(page)
    assert "2 things need you." in said
    assert said.index("Molis LT: October 2026 differs from the store") < said.index("Molis EE: the store refuses")
    assert "The store: 300 for 9,000.00 EUR. Here: 280 for 8,000.00 EUR." in said
    assert "20 could not be entered: they need you" in said
    assert "first=2026-10-01&amp;last=2026-10-31" in page
    with reading(session):
        assert notices.morning_sentence(session, now=NOW) == "2 things need you."
    # A later check that agrees settles it; one that was made a month ago is no news.
    with writing(session):
        ended(session, session.merge(one), kind=RunKind.LAUNCH, month_check={"month": "2026-10", "agrees": True})
    assert "differs from the store" not in read(client)


def test_a_check_of_a_month_ago_is_told_no_more(client: FlaskClient, session: Session) -> None:
    checked(session, "Molis LT", agrees=False, days_ago=32)
    assert "differs from the store" not in read(client)


def test_on_its_day_a_month_that_agrees_heads_the_page(client: FlaskClient, session: Session) -> None:
    checked(session, "Molis LT", agrees=True)
    assert "October 2026 agrees with the store. " in read(client)
    checked(session, "Molis LV", agrees=True)
    assert "October 2026 agrees with every store. " in read(client)
    checked(session, "Molis EE", agrees=False)
    assert "agrees with" not in read(client)


def test_the_day_after_a_month_that_agreed_is_told_no_more(client: FlaskClient, session: Session) -> None:
    checked(session, "Molis LT", agrees=True, days_ago=1)
    assert "agrees with the store" not in read(client)


def test_settings_that_cannot_be_read_are_told_and_the_page_stands(client: FlaskClient, session: Session) -> None:
    with writing(session):
        builders.an_integration(session, "Molis LT", settings={"refunds": "someday"})
        ended(session, builders.an_integration(session, "Molis LV"))
    said = read(client)
    assert "1 thing needs you." in said
    assert "Molis LT: its settings can’t be read" in said
    assert "refunds=someday" in said
    assert "monet integrations set “Molis LT” key=value" in said
    with reading(session):
        assert notices.morning_sentence(session, now=NOW) == "1 thing needs you."


def test_a_run_left_behind_by_a_terminal_hides_no_failure(client: FlaskClient, session: Session) -> None:
    with writing(session):
        one = builders.an_integration(session, "Molis LT")
        ended(session, one, RunState.FAILED, kind=RunKind.TIMETABLE, error="The store does not answer.")
        builders.a_run(session, one, state=RunState.QUEUED, foreground=True)
    said = read(client)
    assert "Molis LT: the import of" in said
    assert "Waits for its turn" not in said


# --- health --------------------------------------------------------------------------------------------------------


def test_each_integration_has_its_last_runs_as_ticks(client: FlaskClient, session: Session) -> None:
    with writing(session):
        one = builders.an_integration(session, "Molis LT")
        ended(session, one)
        ended(session, one, in_journal=2, fetched=2)
        ended(session, one, conflict=1, fetched=1)
        ended(session, one, RunState.STOPPED)
        builders.a_run(session, one, state=RunState.RUNNING, fetched=120, expected=200)
        never = builders.an_integration(session, "Never")
    page = client.get("/").text
    assert "1 clean, 1 with invoices in a journal, 1 failed or need a person and 1 stopped" in page
    said = words(page)
    assert "Molis LT Running now: 120 of 200 orders" in said
    assert "Never Nothing imported yet no run yet" in said
    assert f'href="/integrations/{never.id}"' in page


def test_names_of_stores_stay_words(client: FlaskClient, session: Session) -> None:
    with writing(session):
        one = builders.an_integration(session, HOSTILE, refused_since=NOON, refused_text=HOSTILE)
        run = ended(session, one, RunState.FAILED, error=HOSTILE)
        an_order(session, one, "1", outcome=Outcome.CONFLICT, order_number=HOSTILE)
        a_waiting(session, run, "2", "item_unknown", HOSTILE, what=HOSTILE, line="1")
        an_order(session, one, "3")
    for address in ("/", "/?show=eur"):
        page = client.get(address).text
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert" in page


def test_the_page_asks_as_often_for_many_as_for_one(app: Flask, client: FlaskClient, session: Session) -> None:
    def fill(names: str) -> None:
        with writing(session):
            for name in names:
                one = builders.an_integration(session, name)
                run = ended(session, one)
                an_order(session, one, f"{name}0")
                a_waiting(session, run, f"{name}1", "item_unknown", name, what=name, line="1")

    def asked() -> int:
        with statements(app) as said:
            read(client)
        return len(said)

    fill("A")
    few = asked()
    fill("BCDEFG")
    assert asked() == few
