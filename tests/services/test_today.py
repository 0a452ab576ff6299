"""Today: what stands now, out of a fixed number of queries (G4, A1)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import event
from sqlalchemy.orm import Session

from monet_web.models import Integration, InvoiceFinding, Run, RunOrder
from monet_web.models.base import reading, writing
from monet_web.models.integrations import IntegrationState
from monet_web.models.invoices import InvoiceState
from monet_web.models.runs import RunKind, RunState
from monet_web.models.store_orders import Outcome
from monet_web.services import today
from tests import builders
from tests.builders import NOON

NOW = NOON + timedelta(hours=2)  # Monday 23 November 2026, 14:00 in Vilnius
TODAY = date(2026, 11, 23)


def stands(session: Session, now: datetime = NOW) -> today.Today:
    with reading(session):
        return today.today(session, now=now)


def ended(session: Session, integration: Integration, state: RunState = RunState.DONE, **changes: Any) -> Run:
    return builders.a_run(session, integration, **{"state": state, "ended_at": NOON, **changes})


def an_order(session: Session, integration: Integration, number: str, **changes: Any) -> None:
    plain: dict[str, Any] = {"order_number": number, "placed_at": NOON, "outcome": Outcome.REGISTERED}
    builders.a_store_order(session, integration, number, **{**plain, **changes})


def test_orders_are_counted_by_local_day_integration_and_outcome(session: Session) -> None:
    with writing(session):
        first = builders.an_integration(session, "A")
        second = builders.an_integration(session, "B")
        # 21:59 and 22:00 UTC are the two sides of midnight in Vilnius.
        an_order(session, first, "1", placed_at=datetime(2026, 11, 22, 21, 59, tzinfo=UTC))
        an_order(session, first, "2", placed_at=datetime(2026, 11, 22, 22, 0, tzinfo=UTC))
        an_order(session, first, "3", outcome=Outcome.IN_JOURNAL)
        an_order(session, second, "4")
        # The fourteenth day is shown, the fifteenth is not; an order without a date is no day's.
        an_order(session, second, "5", placed_at=datetime(2026, 11, 9, 22, 0, tzinfo=UTC))
        an_order(session, second, "6", placed_at=datetime(2026, 11, 9, 21, 59, tzinfo=UTC))
        an_order(session, second, "7", placed_at=None)
    days = stands(session).days
    assert [day.day for day in days] == [TODAY - timedelta(days=13 - number) for number in range(14)]
    assert days[-1].orders == {
        first.id: {Outcome.REGISTERED: 1, Outcome.IN_JOURNAL: 1},
        second.id: {Outcome.REGISTERED: 1},
    }
    assert days[-2].orders == {first.id: {Outcome.REGISTERED: 1}}
    assert days[0].orders == {second.id: {Outcome.REGISTERED: 1}}
    assert sum(day.count() for day in days) == 5
    assert days[-1].count(Outcome.IN_JOURNAL) == 1


def test_a_day_of_the_clock_change_has_twenty_five_hours(session: Session) -> None:
    with writing(session):
        one = builders.an_integration(session)
        # 25 October 2026 lasts from 21:00 UTC to 22:00 UTC of the next day.
        for number, (day, hour) in enumerate([(24, 20), (24, 21), (25, 21), (25, 22)]):
            an_order(session, one, str(number), placed_at=datetime(2026, 10, day, hour, 30, tzinfo=UTC))
    days = {day.day: day.count() for day in stands(session, datetime(2026, 10, 27, 12, tzinfo=UTC)).days}
    assert (days[date(2026, 10, 24)], days[date(2026, 10, 25)], days[date(2026, 10, 26)]) == (1, 2, 1)


def test_orders_of_a_retired_integration_stay_in_the_sum(session: Session) -> None:
    with writing(session):
        retired = builders.an_integration(session, "Old", state=IntegrationState.RETIRED)
        an_order(session, retired, "1")
    found = stands(session)
    assert found.health == ()
    assert found.days[-1].orders == {0: {Outcome.REGISTERED: 1}}


def test_the_last_fourteen_imports_of_each_integration_and_no_others(session: Session) -> None:
    with writing(session):
        busy = builders.an_integration(session, "Busy")
        calm = builders.an_integration(session, "Calm")
        builders.an_integration(session, "Never")
        first = ended(session, calm)
        runs = [ended(session, busy) for _ in range(16)]
        ended(session, busy, kind=RunKind.PREVIEW)
        ended(session, busy, kind=RunKind.RECHECK)
        queued = builders.a_run(session, busy)
        at_work = builders.a_run(session, busy, state=RunState.RUNNING)
    health = {one.integration.name: one for one in stands(session).health}
    assert list(health) == ["Busy", "Calm", "Never"]
    assert [run.id for run in health["Busy"].ended] == [run.id for run in runs[2:]]
    assert queued.id != at_work.id
    assert health["Busy"].current is not None
    assert health["Busy"].current.id == at_work.id
    assert [run.id for run in health["Calm"].ended] == [first.id]
    assert health["Never"].ended == ()
    assert health["Never"].last is None


def test_failures_in_a_row_end_at_the_last_that_did_not_fail(session: Session) -> None:
    with writing(session):
        one = builders.an_integration(session)
        for state in (RunState.FAILED, RunState.DONE, RunState.FAILED, RunState.FAILED):
            ended(session, one, state)
    assert stands(session).health[0].failed_in_a_row == 2


def test_orders_are_known_until_the_earliest_end_of_all_that_are_switched_on(session: Session) -> None:
    with writing(session):
        first, second = builders.an_integration(session, "A"), builders.an_integration(session, "B")
        builders.an_integration(session, "Off", state=IntegrationState.OFF)
        ended(session, first, window_end=NOON)
        ended(session, first, RunState.FAILED, window_end=NOW)
    assert stands(session).known_until is None
    with writing(session):
        ended(session, second, window_end=NOON - timedelta(hours=5))
    assert stands(session).known_until == NOON - timedelta(hours=5)


def test_orders_that_stand_still_are_counted_with_a_few_numbers_and_their_newest_run(session: Session) -> None:
    with writing(session):
        one = builders.an_integration(session)
        run, later = ended(session, one), ended(session, one)
        for number in range(1, 6):
            order = builders.a_store_order(
                session, one, f"x{number}", order_number="" if number == 5 else f"10{number}",
                outcome=Outcome.UNREADABLE,
            )  # fmt: skip
            for seen in (run, later):
                session.add(RunOrder(run_id=seen.id, store_order_id=order.id, outcome="unreadable"))
        an_order(session, one, "77", outcome=Outcome.CONFLICT)
    found = stands(session)
    assert found.unreadable == today.Standing(5, ("x5", "104", "103"), later.id)
    assert found.conflicts == today.Standing(1, ("77",), None)


def test_what_waits_and_what_changed_in_the_store(session: Session) -> None:
    with writing(session):
        one = builders.an_integration(session)
        run = ended(session, one)
        for number, state in enumerate((InvoiceState.IN_JOURNAL, InvoiceState.REGISTERED, InvoiceState.REGISTERED)):
            order = builders.a_store_order(session, one, str(number))
            invoice = builders.an_invoice(session, builders.a_version(session, order, run), state=state)
            code = "posting_manual" if number == 0 else "changed_in_store"
            if number < 2:
                session.add(InvoiceFinding(invoice_id=invoice.id, code=code, stops=number == 0))
    found = stands(session)
    assert (found.waiting.count, found.waiting.sums) == (1, {"EUR": Decimal("12.10")})
    assert [(cause.code, cause.invoices) for cause in found.causes] == [("posting_manual", 1)]
    assert found.changed == 1


def test_euros_of_a_day_are_exact_and_invoices_without_a_rate_are_counted(session: Session) -> None:
    with writing(session):
        one = builders.an_integration(session)
        run = ended(session, one)
        for number, (state, euros, day) in enumerate([
            (InvoiceState.REGISTERED, Decimal("12.10"), TODAY),
            (InvoiceState.REGISTERED, Decimal("-0.0001"), TODAY),
            (InvoiceState.IN_JOURNAL, Decimal("5.00"), TODAY),
            (InvoiceState.IN_JOURNAL, None, TODAY),
            (InvoiceState.REGISTERED, Decimal("7.00"), TODAY - timedelta(days=14)),
        ]):  # fmt: skip
            version = builders.a_version(session, builders.a_store_order(session, one, str(number)), run)
            builders.an_invoice(session, version, state=state, total_eur=euros, issue_date=day)
    with reading(session):
        days, without_rate = today.invoiced(session, day=TODAY)
    assert (len(days), without_rate) == (14, 1)
    assert days[-1].sums == {
        one.id: {InvoiceState.REGISTERED: Decimal("12.0999"), InvoiceState.IN_JOURNAL: Decimal("5.00")}
    }
    assert days[0].sums == {}


def test_the_number_of_queries_does_not_grow(session: Session) -> None:
    said: list[str] = []

    def fill(names: str) -> None:
        with writing(session):
            for name in names:
                one = builders.an_integration(session, name)
                for _ in range(3):
                    run = ended(session, one)
                for number in range(4):
                    order = builders.a_store_order(
                        session, one, f"{name}{number}", placed_at=NOON, outcome=Outcome.UNREADABLE
                    )
                    version = builders.a_version(session, order, run)
                    invoice = builders.an_invoice(
                        session, version, number=f"{name}{number}", state=InvoiceState.IN_JOURNAL
                    )
                    session.add(InvoiceFinding(invoice_id=invoice.id, code="item_unknown", subject=f"{name}{number}"))

    def asked() -> int:
        said.clear()
        session.expunge_all()
        with reading(session):
            found = today.today(session, now=NOW)
            assert [one.integration.name for one in found.health]
            today.invoiced(session, day=found.day)
        return len(said)

    event.listen(session.get_bind(), "before_cursor_execute", lambda *seen: said.append(seen[2]))
    fill("A")
    few = asked()
    fill("BCDEFGH")
    assert asked() == few
    assert few < 26


def test_an_empty_installation_stands_empty(session: Session) -> None:
    found = stands(session)
    assert found.health == ()
    assert found.causes == ()
    assert not found.has_run
    assert found.known_until is None
    assert {day.count() for day in found.days} == {0}
