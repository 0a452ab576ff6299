"""Undo a run: what waits is deleted, what is ticked is credited, and nothing is done twice or half (E6)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session, sessionmaker

from monet_web.domain.errors import BrokenRule, RetryLater
from monet_web.domain.orders import LineKind, Refund, RefundLine
from monet_web.models import Company, Integration, Invoice, Run, StockMove, StoreOrder
from monet_web.models.base import reading, writing
from monet_web.models.invoices import InvoiceKind, InvoiceState
from monet_web.models.runs import RunKind, RunState
from monet_web.models.store_orders import Outcome
from monet_web.services.documents import changed, credit, journals, unsettled
from monet_web.services.importing import claims
from monet_web.services.running import undo
from tests import builders
from tests.builders import a_line, a_tax, an_item, an_order
from tests.services.scripted import NOW, ScriptedStore, import_all, integrate, invoices, moved, on_hand, put

Factory = sessionmaker[Session]
Shop = type[ScriptedStore]

TODAY = date(2026, 11, 24)
WHO: dict[str, Any] = {"today": TODAY, "now": NOW, "actor": "ona@example.com"}


def brought(session: Session, session_factory: Factory, store: Shop) -> tuple[Integration, Run, int]:
    """A run that registered 1001 and 1002 (one KN-01 each, of two) and left 1003 in its journal. The item's id."""
    with writing(session):
        item = an_item(session, on_hand=2)
    integration = integrate(session)
    put(store, *(an_order(external_id=str(number), number=str(number)) for number in (1001, 1002, 1003)))
    run = import_all(session_factory, integration)
    assert (run.registered, run.in_journal) == (2, 1)
    return integration, run, item.id


def outcomes(session: Session) -> dict[str, Outcome]:
    with reading(session):
        rows = session.execute(select(StoreOrder.order_number, StoreOrder.outcome)).all()
    return {row.order_number: row.outcome for row in rows}


def plan(session: Session, run: Run) -> undo.Plan:
    with reading(session):
        return undo.plan(session, run.id, today=TODAY)


def test_the_plan_says_what_will_go(session: Session, session_factory: Factory, store: Shop) -> None:
    _, run, _ = brought(session, session_factory, store)
    what = plan(session, run)
    assert (what.waiting.count, what.waiting.sums, what.held.count) == (1, {"EUR": Decimal("12.10")}, 0)
    assert (what.registered.count, what.registered.sums) == (2, {"EUR": Decimal("24.20")})
    assert (what.registered.months, what.day, what.refused) == ((date(2026, 11, 1),), TODAY, "")
    with reading(session):
        found, after = undo.registered(session, run.id, limit=1)
        rest, none = undo.registered(session, run.id, after=after or 0)
    assert [one.number for one in [*found, *rest]] == ["1001", "1002"]
    assert none is None
    assert len(invoices(session)) == 3


def test_the_plan_names_what_is_left_to_credit_and_the_credit_notes_that_stay(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    integration = integrate(session, accounting_type="amounts", refunds="automatic")
    part = RefundLine("11", LineKind.GOODS, "Notebook", Decimal(1), Decimal("10.00"), (a_tax(amount="2.10"),))
    pair = a_line(quantity=Decimal(2), net=Decimal("20.00"), taxes=(a_tax(amount="4.20"),))
    refund = Refund("501", builders.NOON, Decimal("12.10"), lines=(part,))
    put(store, an_order(lines=(pair,), refunds=(refund,)))
    run = import_all(session_factory, integration)
    assert (run.registered, run.credit_notes) == (1, 1)
    what = plan(session, run)
    assert (what.registered.count, what.registered.sums) == (1, {"EUR": Decimal("12.10")})
    assert (what.notes.count, what.notes.sums) == (1, {"EUR": Decimal("-12.10")})
    done = undo.undo(session, run.id, credit_ids=None, **WHO)
    assert done.sums == {"EUR": Decimal("12.10")}


def test_what_waits_is_deleted_what_is_ticked_is_credited_and_the_rest_stays(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    integration, run, item_id = brought(session, session_factory, store)
    first = invoices(session)[0]
    done = undo.undo(session, run.id, credit_ids=[first.id], **WHO)
    assert (done.deleted, [one.number for one in done.credited], done.left) == (1, ["1001-K1"], 0)
    assert done.sums == {"EUR": Decimal("12.10")}
    documents = invoices(session)
    assert [(one.number, one.superseded) for one in documents] == [("1001", True), ("1002", False), ("1001-K1", False)]
    assert documents[-1].issue_date == TODAY
    assert outcomes(session) == {"1001": Outcome.CREDITED, "1002": Outcome.REGISTERED, "1003": Outcome.OPEN}
    assert on_hand(session) == {item_id: Decimal(1)}
    assert moved(session) == {item_id: Decimal(-1)}
    # The next run brings back what waited, and nothing of what was credited.
    again = import_all(session_factory, integration)
    assert (again.registered, again.already_there, again.filter_reasons) == (1, 1, {"credited": 1})


def test_the_undo_is_a_run_of_its_own_and_is_told(session: Session, session_factory: Factory, store: Shop) -> None:
    _, run, _ = brought(session, session_factory, store)
    undo.undo(session, run.id, credit_ids=None, **WHO)
    with reading(session):
        own = session.scalars(select(Run).where(Run.kind == RunKind.UNDO)).one()
        (entry,) = undo.history(session, run.id)
    assert (own.state, own.credit_notes, own.requested_by) == (RunState.DONE, 2, "ona@example.com")
    assert (entry.actor, entry.after) == ("ona@example.com", {"deleted": 1, "credited": 2, "by_run": own.id})
    assert {one.registered_by_run_id for one in invoices(session) if one.kind is InvoiceKind.CREDIT_NOTE} == {own.id}
    assert plan(session, run).before[0].id == entry.id


def test_undoing_twice_finds_nothing_left(session: Session, session_factory: Factory, store: Shop) -> None:
    _, run, _ = brought(session, session_factory, store)
    undo.undo(session, run.id, credit_ids=None, **WHO)
    assert plan(session, run).is_nothing
    with pytest.raises(BrokenRule, match="is left to undo"):
        undo.undo(session, run.id, credit_ids=None, **WHO)
    assert sum(one.total for one in invoices(session)) == 0


def test_a_crash_in_the_middle_leaves_whole_parts_and_undoing_again_does_the_rest(
    session: Session, session_factory: Factory, store: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, run, item_id = brought(session, session_factory, store)
    monkeypatch.setattr(undo, "_PART", 1)
    whole, calls = credit.in_full, []

    def die_at_the_second(*args: Any, **options: Any) -> Any:
        done = whole(*args, **options)
        calls.append(1)
        if len(calls) == 2:
            raise RuntimeError("the power went")
        return done

    with monkeypatch.context() as broken:
        broken.setattr(credit, "in_full", die_at_the_second)
        with pytest.raises(RuntimeError, match="power"):
            undo.undo(session, run.id, credit_ids=None, **WHO)
    assert [one.number for one in invoices(session)] == ["1001", "1002", "1001-K1"]
    assert on_hand(session) == {item_id: Decimal(1)}
    done = undo.undo(session, run.id, credit_ids=None, **WHO)
    assert (done.deleted, [one.number for one in done.credited]) == (0, ["1002-K1"])
    assert on_hand(session) == {item_id: Decimal(2)}
    assert moved(session) == {item_id: Decimal(0)}


def test_no_more_than_asked_is_credited_at_once_and_the_rest_is_told(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    _, run, _ = brought(session, session_factory, store)
    done = undo.undo(session, run.id, credit_ids=None, most=1, **WHO)
    assert (len(done.credited), done.left) == (1, 1)


def test_an_invoice_is_credited_once_whoever_asks(session: Session, session_factory: Factory, store: Shop) -> None:
    integration, _, _ = brought(session, session_factory, store)
    first = invoices(session)[0]
    with writing(session):
        run = builders.a_run(session, session.get_one(Integration, integration.id), state=RunState.DONE)
    values: dict[str, Any] = {"run_id": run.id, "day": TODAY, "reason": "", "now": NOW, "actor": "ona"}
    for expected in ([first.id], []):
        with writing(session):
            done = credit.in_full(session, [first.id, first.id], **values)
        assert [one.invoice_id for one in done] == expected
    assert sum(one.total for one in invoices(session) if one.store_order_id == first.store_order_id) == 0
    with reading(session):
        again = session.get_one(Invoice, first.id, populate_existing=True)
        assert credit.remaining(session, again).is_nothing


def test_a_taken_number_of_a_credit_note_is_stepped_over(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    _, run, _ = brought(session, session_factory, store)
    integration = integrate(session, "KB", accounting_type="amounts")
    store.ORDERS = {}
    put(store, an_order(external_id="7", number="1001-k1"))
    assert import_all(session_factory, integration).registered == 1
    done = undo.undo(session, run.id, credit_ids=None, **WHO)
    assert [one.number for one in done.credited] == ["1001-K2", "1002-K1"]


def test_an_invoice_in_a_currency_is_credited_at_its_own_rate(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    integration = integrate(session, accounting_type="amounts")
    put(store, an_order(currency="USD"))
    run = import_all(session_factory, integration)
    (waiting,) = invoices(session)
    with writing(session):
        invoice = session.get_one(Invoice, waiting.id)
        invoice.state, invoice.eur_rate = InvoiceState.REGISTERED, Decimal("1.1527")
        invoice.net_eur, invoice.vat_eur, invoice.total_eur = Decimal("8.68"), Decimal("1.82"), Decimal("10.50")
        invoice.vat_rows[0].amount_eur = Decimal("1.82")
    undo.undo(session, run.id, credit_ids=None, **WHO)
    note = invoices(session)[-1]
    assert (note.currency, note.eur_rate) == ("USD", Decimal("1.1527"))
    assert (note.net_eur, note.vat_eur, note.total_eur) == (Decimal("-8.68"), Decimal("-1.82"), Decimal("-10.50"))
    assert [row.amount_eur for row in note.vat_rows] == [Decimal("-1.82")]


def test_what_waits_in_a_closed_period_stays_and_is_told(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    _, run, _ = brought(session, session_factory, store)
    with writing(session):
        session.get_one(Company, 1).closed_until = date(2026, 11, 23)
    what = plan(session, run)
    assert (what.waiting.count, what.held.count, what.registered.count) == (0, 1, 2)
    done = undo.undo(session, run.id, credit_ids=None, **WHO)
    assert (done.deleted, len(done.credited)) == (0, 2)
    assert InvoiceState.IN_JOURNAL in {one.state for one in invoices(session)}
    with writing(session):
        session.get_one(Company, 1).closed_until = TODAY
    assert "credit notes would be dated 2026-11-24" in plan(session, run).refused


@pytest.mark.parametrize("kind", [RunKind.PREVIEW, RunKind.UNDO, RunKind.TEST])
def test_only_imports_can_be_undone(session: Session, kind: RunKind, store: Shop) -> None:
    integration = integrate(session)
    with writing(session):
        run = builders.a_run(session, session.get_one(Integration, integration.id), kind=kind, state=RunState.DONE)
    with pytest.raises(BrokenRule, match="brought no invoices"):
        undo.undo(session, run.id, **WHO)


def test_while_an_import_is_at_work_nothing_is_undone(session: Session, session_factory: Factory, store: Shop) -> None:
    integration, run, _ = brought(session, session_factory, store)
    with writing(session):
        other = builders.a_run(session, session.get_one(Integration, integration.id))
    other_id, run_id, now = other.id, run.id, datetime.now(UTC)
    assert claims.claim(session, other_id, now=now, worker=claims.this_process()) is not None
    with pytest.raises(RetryLater, match="nothing was undone"):
        undo.undo(session, run_id, credit_ids=None, **{**WHO, "now": now}, patience=0.1)
    with pytest.raises(BrokenRule, match="can't be undone now"):
        undo.undo(session, other_id, **WHO)
    assert len(invoices(session)) == 3


def test_a_waiting_invoice_that_was_deleted_by_hand_is_no_part_of_it(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    _, run, _ = brought(session, session_factory, store)
    waiting = next(one.id for one in invoices(session) if one.state is InvoiceState.IN_JOURNAL)
    journals.delete(session, [waiting], leave_out=True, reason="a test", now=NOW, actor="ona")
    assert plan(session, run).waiting.count == 0
    assert undo.undo(session, run.id, credit_ids=None, **WHO).deleted == 0
    assert outcomes(session)["1003"] is Outcome.FILTERED


def test_a_credited_invoice_has_no_change_to_answer_and_no_stock_to_settle(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    integration, run, item_id = brought(session, session_factory, store)
    put(store, an_order(external_id="1001", number="1001", lines=(a_line(name="Another"),)))
    assert import_all(session_factory, integration).changed == 1
    with writing(session):
        # As if it had been registered without moving stock.
        session.execute(update(Invoice).where(Invoice.number == "1002").values(stock_not_moved_reason="counted later"))
        session.execute(delete(StockMove).where(StockMove.document_id == invoices_by_number(session)["1002"]))
    undo.undo(session, run.id, credit_ids=None, **WHO)
    with reading(session):
        assert changed.count(session) == 0
        assert unsettled.count(session) == 0
    # Only what had left comes back.
    assert on_hand(session) == {item_id: Decimal(1)}


def invoices_by_number(session: Session) -> dict[str | None, int]:
    return {row.number: row.id for row in session.execute(select(Invoice.number, Invoice.id))}
