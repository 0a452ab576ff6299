"""Closed periods: closing and reopening with a reason, and who is refused what in one (E7)."""

from __future__ import annotations

import threading
import time
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from monet_web.domain.errors import BrokenRule
from monet_web.domain.periods import last_of_month, open_day
from monet_web.models import AuditEntry, Company, StockMove
from monet_web.models.base import reading, writing
from monet_web.models.invoices import InvoiceKind, InvoiceState
from monet_web.services.books.closed import closed_until
from monet_web.services.documents import mend
from monet_web.services.importing import book
from monet_web.services.importing import prepare as preparing
from monet_web.services.office import periods
from tests.builders import a_run, a_store_order, a_version, an_integration, an_invoice, an_item, an_order
from tests.services.scripted import NOW, ScriptedStore, import_all, integrate, invoices, on_hand, put

Factory = sessionmaker[Session]
Shop = type[ScriptedStore]

OCTOBER = date(2026, 10, 1)
WHY: dict[str, Any] = {"reason": "October is filed", "now": NOW, "actor": "ona@example.com"}
IN_OCTOBER = datetime(2026, 10, 20, 9, tzinfo=UTC)


def closed(session: Session) -> date | None:
    with reading(session):
        return closed_until(session)


def close(session: Session, month: date = OCTOBER) -> None:
    periods.close(session, month, **WHY)


def october(**changes: Any) -> Any:
    """Order 1001, changed in this week and paid in October."""
    return an_order(**{"placed_at": IN_OCTOBER, "paid_at": IN_OCTOBER, **changes})


def test_the_last_of_a_month_is_the_day_before_the_next() -> None:
    assert last_of_month(date(2026, 12, 31)) == date(2026, 12, 31)
    assert last_of_month(date(2028, 2, 1)) == date(2028, 2, 29)


def test_goods_that_were_supplied_in_a_closed_period_move_when_they_are_entered() -> None:
    supply, issue = date(2026, 10, 30), date(2026, 11, 24)
    assert open_day(supply, issue, None) == supply
    assert open_day(supply, issue, date(2026, 10, 29)) == supply
    assert open_day(supply, issue, date(2026, 10, 30)) == issue


def test_closing_and_reopening_are_kept_with_who_and_why(session: Session) -> None:
    assert periods.close(session, date(2026, 10, 15), **WHY) == date(2026, 10, 31)
    assert closed(session) == date(2026, 10, 31)
    assert periods.reopen(session, date(2026, 9, 3), **{**WHY, "reason": "a late invoice"}) == date(2026, 8, 31)
    assert closed(session) == date(2026, 8, 31)
    with reading(session):
        books = periods.books(session, now=NOW)
    assert [(entry.action, (entry.after or {})["reason"], entry.actor) for entry in books.history] == [
        ("period_reopened", "a late invoice", "ona@example.com"),
        ("period_closed", "October is filed", "ona@example.com"),
    ]


def test_what_can_t_be_closed_or_reopened_says_why(session: Session) -> None:
    with pytest.raises(BrokenRule, match="need a reason"):
        periods.close(session, OCTOBER, **{**WHY, "reason": " "})
    with pytest.raises(BrokenRule, match="November 2026 is not over") as refused:
        close(session, date(2026, 11, 1))
    assert refused.value.fix == "Close it from 2026-12-01 on."
    with pytest.raises(BrokenRule, match="October 2026 is open"):
        periods.reopen(session, OCTOBER, **WHY)
    close(session)
    with pytest.raises(BrokenRule, match="September 2026 is closed already"):
        close(session, date(2026, 9, 1))
    assert closed(session) == date(2026, 10, 31)


def test_the_months_are_listed_with_what_is_dated_in_them(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    integration = integrate(session, accounting_type="amounts")
    put(
        store,
        an_order(),
        october(external_id="9002", number="1002"),
        an_order(external_id="9003", number="1003", currency="USD"),
    )
    import_all(session_factory, integration)
    close(session)
    with reading(session):
        november, october_, *_ = periods.books(session, now=NOW).months
        assert len(periods.waiting_in(session, date(2026, 11, 1), limit=9)) == 1
        assert periods.waiting_in(session, OCTOBER, limit=9) == []
    assert (november.invoices, november.waiting, november.is_over, november.is_closed) == (1, 1, False, False)
    assert (october_.first, october_.invoices, october_.waiting, october_.is_closed) == (OCTOBER, 1, 0, True)
    assert october_.sums == {"EUR": Decimal("12.10")}


def test_a_month_is_added_up_by_currency_and_credit_notes_are_counted_apart(session: Session) -> None:
    days = (date(2026, 10, 3), date(2026, 10, 31))
    with writing(session):
        shop = an_integration(session, "KL")
        run = a_run(session, shop)

        def document(number: str, day: date, total: str, **changes: Any) -> None:
            version = a_version(session, a_store_order(session, shop, number), run)
            of = {"number": number, "issue_date": day, "total": Decimal(total), **changes}
            an_invoice(session, version, **of)

        for day in days:
            document(f"KL-{day.day}", day, "12.10")
            document(f"US-{day.day}", day, "5.00", currency="USD")
        document("KL-K1", days[1], "-2.10", kind=InvoiceKind.CREDIT_NOTE)
        document("waits", days[0], "9.00", state=InvoiceState.IN_JOURNAL, currency="USD")
        document("US-1", date(2026, 9, 30), "1.00", currency="USD")
    with reading(session):
        _, october_, september, *_ = periods.books(session, now=NOW).months
    assert (october_.invoices, october_.credit_notes, october_.waiting) == (4, 1, 1)
    assert october_.sums == {"EUR": Decimal("22.10"), "USD": Decimal("10.00")}
    assert (september.invoices, september.sums) == (1, {"USD": Decimal("1.00")})


def test_an_invoice_dated_in_a_closed_period_waits_and_reopening_lets_it_through(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    close(session)
    integration = integrate(session, accounting_type="amounts")
    put(store, october())
    assert import_all(session_factory, integration).findings == {"period_closed": 1}
    periods.reopen(session, OCTOBER, **WHY)
    assert mend.check_again(session, codes=("period_closed",), now=NOW, actor="ona").registered == 1


def test_today_s_date_lets_it_through_and_the_supply_date_stays(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    with writing(session):
        item = an_item(session, on_hand=1)
    close(session)
    integration = integrate(session)
    put(store, october())
    import_all(session_factory, integration)
    (waiting,) = invoices(session)
    done = mend.check_again(session, invoice_ids=[waiting.id], dated=date(2026, 11, 24), now=NOW, actor="ona")
    assert done.registered == 1
    (invoice,) = invoices(session)
    assert (invoice.issue_date, invoice.supply_date) == (date(2026, 11, 24), date(2026, 10, 20))
    assert [(one.code, one.stops, one.values["instead"]) for one in invoice.found] == [
        ("date_by_hand", False, "2026-10-20")
    ]
    # Its goods leave when the invoice is entered: no move is dated in the closed period either.
    with reading(session):
        assert session.scalars(select(StockMove.day)).all() == [date(2026, 11, 24)]
    assert on_hand(session) == {item.id: Decimal(0)}


def test_a_date_given_by_hand_outlives_the_next_check(session: Session, session_factory: Factory, store: Shop) -> None:
    close(session)
    integration = integrate(session)
    put(store, october())
    import_all(session_factory, integration)
    (waiting,) = invoices(session)
    mend.check_again(session, invoice_ids=[waiting.id], dated=date(2026, 11, 24), now=NOW, actor="ona")
    mend.check_again(session, now=NOW, actor="ona")
    (still,) = invoices(session)
    assert (still.state, still.issue_date) == (InvoiceState.IN_JOURNAL, date(2026, 11, 24))
    assert {one.code for one in still.found} == {"item_unknown", "date_by_hand"}


def test_a_period_closed_while_a_page_was_prepared_refuses_it(
    session: Session, session_factory: Factory, store: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    integration = integrate(session, accounting_type="amounts")
    put(store, october())
    prepare = preparing.prepare

    def closing_meanwhile(*args: Any) -> Any:
        prepared = prepare(*args)
        other = threading.Thread(target=lambda: close(session_factory()))
        other.start()
        other.join(20)
        return prepared

    monkeypatch.setattr(book, "prepare", closing_meanwhile)
    run = import_all(session_factory, integration)
    assert (run.registered, run.findings) == (0, {"period_closed": 1})


def test_closing_waits_for_what_is_being_written(session: Session, session_factory: Factory) -> None:
    with writing(session):
        session.scalars(select(AuditEntry)).first()
        assert closed_until(session, lock=True) is None
        other = threading.Thread(target=lambda: close(session_factory()))
        other.start()
        time.sleep(0.3)
        assert other.is_alive()
    other.join(20)
    assert closed(session) == date(2026, 10, 31)


def test_the_company_s_row_is_the_only_truth(session: Session) -> None:
    with writing(session):
        session.get_one(Company, 1).closed_until = date(2026, 10, 15)
    with reading(session):
        months = periods.books(session, now=NOW).months
    assert not any(month.is_closed for month in months if month.first == OCTOBER)
    assert periods.reopen(session, OCTOBER, **WHY) == date(2026, 9, 30)
