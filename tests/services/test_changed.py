"""Changed in the store: what differs row by row, *Accept* and *Ignore*, each in one transaction (D12)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import event, select, update
from sqlalchemy.orm import Session, sessionmaker

from monet_web.domain.change_rows import Figures
from monet_web.domain.errors import BrokenRule, RetryLater
from monet_web.domain.orders import Order, Refund
from monet_web.models import AuditEntry, Company, Integration, Invoice, Run, StoreOrder
from monet_web.models.base import reading, writing
from monet_web.models.invoices import InvoiceKind, InvoiceState
from monet_web.models.runs import RunState
from monet_web.models.store_orders import Outcome
from monet_web.services.documents import accept, changed, credited, ignore, journals
from monet_web.services.documents.answers import Answered
from monet_web.services.documents.changed import Answer, Changed
from monet_web.services.importing import book, claims
from tests import builders
from tests.builders import NOON, a_line, a_tax, an_item, an_order
from tests.services.scripted import NOW, ScriptedStore, import_all, integrate, invoices, moved, on_hand, put

Factory = sessionmaker[Session]
Shop = type[ScriptedStore]

WHO: dict[str, Any] = {"now": NOW, "actor": "ona@example.com"}
TODAY = date(2026, 11, 24)
DEARER = a_line(net=Decimal("12.00"), taxes=(a_tax(amount="2.52"),))


def list_of(session: Session) -> list[Changed]:
    with reading(session):
        found, _ = changed.page(session)
        assert changed.count(session) == len(found)
    return found


def order_of(session: Session) -> StoreOrder:
    with reading(session):
        return session.scalars(select(StoreOrder).execution_options(populate_existing=True)).one()


def registered(session: Session, session_factory: Factory, store: Shop, *, then: Order, **settings: str) -> Integration:
    """KL has order 1001 registered on 23 November, and the store says `then` of it now."""
    integration = integrate(session, accounting_type="amounts", **settings)
    put(store, an_order())
    assert import_all(session_factory, integration).registered == 1
    put(store, then)
    assert import_all(session_factory, integration).changed == 1
    return integration


def touched(session: Session, session_factory: Factory, store: Shop, *, then: Order) -> Integration:
    """KL has order 1001 waiting, corrected by a person, and the store says `then` of it now."""
    integration = integrate(session, accounting_type="amounts", register_automatically="no")
    put(store, an_order())
    assert import_all(session_factory, integration).in_journal == 1
    with writing(session):
        session.execute(update(Invoice).values(touched_at=NOW, touched_by="ona", note="by hand"))
    put(store, then)
    assert import_all(session_factory, integration).changed == 1
    return integration


def accepted(session: Session, **options: Any) -> Answered:
    (one,) = list_of(session)
    (answered,) = accept.accept(session, [one.invoice.id], **{**WHO, **options})
    return answered


# --- what differs --------------------------------------------------------------------------------------------------


def test_the_difference_is_shown_row_by_row(session: Session, session_factory: Factory, store: Shop) -> None:
    then = an_order(lines=(DEARER, a_line(external_id="12", name="Pen", net=Decimal(1), taxes=())))
    registered(session, session_factory, store, then=then)
    (one,) = list_of(session)
    assert one.rows is not None
    told = {(row.what, row.before, row.after) for row in one.rows}
    before = Figures("Notebook", Decimal(1), Decimal("10.00"), Decimal(0), Decimal("2.10"), (Decimal(21),))
    assert ("line", before, replace(before, net=Decimal("12.00"), vat=Decimal("2.52"))) in told
    assert ("line", None, Figures("Pen", Decimal(1), Decimal(1), Decimal(0), Decimal(0), ())) in told
    assert ("total", Decimal("12.10"), Decimal("15.52")) in told
    assert ("vat", Decimal("2.10"), Decimal("2.52")) in told
    assert len(told) == 4
    assert (one.answer, one.new_total, one.integration) == (Answer.REPLACE, Decimal("15.52"), "KL")


def test_kinds_are_told_with_their_sums(session: Session, session_factory: Factory, store: Shop) -> None:
    registered(session, session_factory, store, then=an_order(lines=(DEARER,)))
    with reading(session):
        (kind,) = changed.kinds(session)
        assert (kind.answer, kind.sum.count, kind.sum.sums) == (Answer.REPLACE, 1, {"EUR": Decimal("12.10")})
        assert kind.sum.months == (date(2026, 11, 1),)
        (only,) = list(changed.versions(session, Answer.REPLACE, limit=10))
        assert list(changed.versions(session, Answer.CREDIT, limit=10)) == []
    assert [one.id for one in invoices(session)] == [only]


def test_the_list_takes_the_same_number_of_queries_however_long_it_is(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    integration = integrate(session, accounting_type="amounts")
    asked: list[str] = []
    engine = session.get_bind()

    def count() -> int:
        asked.clear()
        with reading(session):
            session.expunge_all()
            changed.page(session)
        return len([one for one in asked if one.lstrip().upper().startswith("SELECT")])

    event.listen(engine, "before_cursor_execute", lambda *args: asked.append(args[2]))
    counts = []
    for many in (1, 6):
        orders = [an_order(external_id=str(n), number=str(n)) for n in range(many * 10, many * 20)]
        put(store, *orders)
        import_all(session_factory, integration)
        put(store, *(replace(one, buyer=replace(one.buyer, name="Other")) for one in orders))
        assert import_all(session_factory, integration).changed == len(orders)
        counts.append(count())
    assert counts[0] == counts[1] <= 5


# --- accept: registered --------------------------------------------------------------------------------------------


def test_accepting_credits_the_invoice_in_full_and_makes_the_next_revision(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    registered(session, session_factory, store, then=an_order(lines=(DEARER,)), invoice_date="order")
    done = accepted(session)
    first, note, second = invoices(session)
    assert (first.number, first.superseded, first.state) == ("1001", True, InvoiceState.REGISTERED)
    assert (note.kind, note.number, note.credits_invoice_id) == (InvoiceKind.CREDIT_NOTE, "1001-K1", first.id)
    assert (note.issue_date, note.supply_date, note.eur_rate) == (TODAY, first.supply_date, first.eur_rate)
    assert (note.net, note.vat, note.total) == (Decimal("-10.00"), Decimal("-2.10"), Decimal("-12.10"))
    assert [(line.position, line.quantity, line.net, line.vat_rate) for line in note.lines] == [
        (1, Decimal(-1), Decimal("-10.00"), Decimal(21))
    ]
    assert [(row.rate, row.base, row.amount) for row in note.vat_rows] == [
        (Decimal(21), Decimal("-10.00"), Decimal("-2.10"))
    ]
    assert (second.number, second.revision, second.total) == ("1001-2", 2, Decimal("14.52"))
    # Dated with its credit note, or the month of the first would hold the sale twice.
    assert (first.issue_date, second.issue_date, second.supply_date) == (NOON.date(), TODAY, NOON.date())
    assert (second.state, second.superseded) == (InvoiceState.REGISTERED, False)
    assert (done.refused, done.credit_note, done.number, done.registered) == ("", "1001-K1", "1001-2", True)
    assert order_of(session).outcome is Outcome.REGISTERED
    assert list_of(session) == []


def test_the_goods_of_the_credited_invoice_are_there_for_the_new_one(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    with writing(session):
        item = an_item(session, on_hand=2)
    integration = integrate(session)
    put(store, an_order(lines=(a_line(quantity=Decimal(2)),)))
    assert import_all(session_factory, integration).registered == 1
    assert on_hand(session) == {item.id: Decimal(0)}
    put(store, an_order(lines=(a_line(quantity=Decimal(1), net=Decimal("5.00"), taxes=(a_tax(amount="1.05"),)),)))
    import_all(session_factory, integration)
    assert accepted(session).registered
    assert on_hand(session) == {item.id: Decimal(1)}
    assert moved(session) == {item.id: Decimal(-1)}


def test_a_third_state_makes_a_third_revision(session: Session, session_factory: Factory, store: Shop) -> None:
    integration = registered(session, session_factory, store, then=an_order(lines=(DEARER,)))
    accepted(session)
    put(store, an_order())
    assert import_all(session_factory, integration).changed == 1
    assert accepted(session).number == "1001-3"
    assert [(one.number, one.superseded) for one in invoices(session)] == [
        ("1001", True), ("1001-K1", False), ("1001-2", True), ("1001-2-K1", False), ("1001-3", False),
    ]  # fmt: skip
    assert sum(one.total for one in invoices(session)) == Decimal("12.10")


def test_an_order_that_was_cancelled_is_credited_and_comes_back_only_with_a_yes(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    gone = an_order(status="cancelled", is_cancelled=True, is_sale=False)
    integration = registered(session, session_factory, store, then=gone)
    (one,) = list_of(session)
    assert one.answer is Answer.CREDIT
    done = accepted(session)
    assert (done.credit_note, done.document_id) == ("1001-K1", None)
    assert sum(one.total for one in invoices(session)) == 0
    assert order_of(session).outcome is Outcome.CREDITED
    put(store, an_order())
    run = import_all(session_factory, integration)
    assert (run.filtered, run.filter_reasons, run.registered) == (1, {"credited": 1}, 0)
    order = order_of(session)
    assert order.outcome is Outcome.CREDITED
    with reading(session):
        ((listed), _) = credited.page(session)
    assert [(each.order.id, each.invoice.number, each.credit_note.number) for each in listed if each.credit_note] == [
        (order.id, "1001", "1001-K1")
    ]
    assert credited.import_anew(session, [order.id], **WHO) == 1
    assert credited.import_anew(session, [order.id], **WHO) == 0
    assert import_all(session_factory, integration).registered == 1
    assert [(one.number, one.revision) for one in invoices(session)] == [("1001", 1), ("1001-K1", 1), ("1001-2", 2)]


def test_an_order_deleted_in_the_store_is_credited(session: Session, session_factory: Factory, store: Shop) -> None:
    integration = integrate(session, accounting_type="amounts")
    put(store, an_order())
    import_all(session_factory, integration)
    store.ORDERS = {}
    import_all(session_factory, integration)
    (one,) = list_of(session)
    assert (one.is_gone, one.rows, one.answer) == (True, None, Answer.CREDIT)
    assert accepted(session).credit_note == "1001-K1"
    assert import_all(session_factory, integration).fetched == 0


def test_money_given_back_is_no_new_invoice(session: Session, session_factory: Factory, store: Shop) -> None:
    given = an_order(refunds=(Refund("1", NOON, Decimal("2.00")),))
    registered(session, session_factory, store, then=given, refunds="off")
    done = accepted(session)
    assert (done.answer, done.credit_note) == (Answer.NONE, None)
    assert "a credit note of that part is due" in done.refused
    assert len(invoices(session)) == 1
    assert len(list_of(session)) == 1


def test_all_given_back_is_credited_in_full(session: Session, session_factory: Factory, store: Shop) -> None:
    given = an_order(refunds=(Refund("1", NOON, Decimal("12.10")),))
    registered(session, session_factory, store, then=given, refunds="off")
    assert accepted(session).credit_note == "1001-K1"


def test_a_number_that_is_taken_refuses_before_anything_is_credited(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    integration = registered(session, session_factory, store, then=an_order(lines=(DEARER,)))
    put(store, an_order(external_id="9002", number="1001-2"))
    assert import_all(session_factory, integration).registered == 1
    done = accepted(session)
    assert done.refused == (
        "Its number 1001-2 belongs to another document. Nothing was changed. Mend this first, or ignore the change."
    )
    assert [(one.number, one.superseded) for one in invoices(session)] == [("1001", False), ("1001-2", False)]


def test_a_crash_between_the_credit_note_and_the_new_invoice_leaves_neither(
    session: Session, session_factory: Factory, store: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    registered(session, session_factory, store, then=an_order(lines=(DEARER,)))
    with monkeypatch.context() as broken:

        def die(*_args: object) -> None:
            raise RuntimeError("the power went")

        broken.setattr(book, "_write_outcomes", die)
        with pytest.raises(RuntimeError, match="power"):
            accepted(session)
    assert [(one.number, one.superseded) for one in invoices(session)] == [("1001", False)]
    assert len(list_of(session)) == 1
    assert accepted(session).number == "1001-2"


def test_who_accepts_twice_credits_once(session: Session, session_factory: Factory, store: Shop) -> None:
    registered(session, session_factory, store, then=an_order(lines=(DEARER,)))
    (one,) = list_of(session)
    accept.accept(session, [one.invoice.id], **WHO)
    (again,) = accept.accept(session, [one.invoice.id], **WHO)
    assert again.refused == "This was answered meanwhile."
    assert len(invoices(session)) == 3


def test_what_changed_once_more_is_not_accepted_unseen(session: Session, session_factory: Factory, store: Shop) -> None:
    integration = registered(session, session_factory, store, then=an_order(lines=(DEARER,)))
    (seen,) = list_of(session)
    put(store, an_order(lines=(a_line(net=Decimal("99.00"), taxes=()),)))
    assert import_all(session_factory, integration).changed == 1
    done = accepted(session, versions={seen.invoice.id: seen.version})
    assert done.refused == "The order has changed once more meanwhile. Look at the difference again."
    assert len(invoices(session)) == 1


def test_crediting_is_refused_to_who_may_not(session: Session, session_factory: Factory, store: Shop) -> None:
    registered(session, session_factory, store, then=an_order(lines=(DEARER,)))
    assert "is the accountant's" in accepted(session, may_credit=False).refused
    assert len(invoices(session)) == 1


def test_while_an_import_is_at_work_nothing_is_accepted(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    integration = registered(session, session_factory, store, then=an_order(lines=(DEARER,)))
    with writing(session):
        run = builders.a_run(session, session.get_one(Integration, integration.id))
    held = claims.claim(session, run.id, now=datetime.now(UTC), worker=claims.this_process())
    assert held is not None
    with pytest.raises(RetryLater):
        accepted(session, now=datetime.now(UTC), patience=0.1)
    with writing(session):
        claims.hold(session, held, now=NOW, state=RunState.DONE, ended_at=NOW)
    assert accepted(session, now=datetime.now(UTC)).credit_note == "1001-K1"


def test_a_credit_note_of_today_is_refused_when_today_is_closed(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    registered(session, session_factory, store, then=an_order(lines=(DEARER,)))
    with writing(session):
        session.get_one(Company, 1).closed_until = TODAY
    assert "The credit note is dated 2026-11-24, and periods until 2026-11-24 are closed." in accepted(session).refused
    assert len(invoices(session)) == 1


# --- accept: waiting -----------------------------------------------------------------------------------------------


def test_accepting_refreshes_a_waiting_invoice_and_keeps_what_was_corrected_in_the_trail(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    touched(session, session_factory, store, then=an_order(lines=(DEARER,)))
    (one,) = list_of(session)
    assert one.answer is Answer.REFRESH
    done = accepted(session)
    (invoice,) = invoices(session)
    assert (invoice.id, invoice.total, invoice.touched_at) == (one.invoice.id, Decimal("14.52"), None)
    assert [finding.code for finding in invoice.found] == ["posting_manual"]
    assert (done.document_id, done.registered) == (invoice.id, False)
    with reading(session):
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "change_accepted")).one()
    assert entry.before is not None
    assert (entry.before["total"], entry.before["touched_by"]) == ("12.1000", "ona")


def test_a_corrected_invoice_whose_order_was_cancelled_leaves_the_journal(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    integration = touched(
        session, session_factory, store, then=an_order(status="cancelled", is_cancelled=True, is_sale=False)
    )
    (one,) = list_of(session)
    assert one.answer is Answer.LEAVE
    accepted(session)
    assert invoices(session) == []
    order = order_of(session)
    assert (order.outcome, order.reason, order.left_out) == (Outcome.FILTERED, "cancelled", False)
    assert import_all(session_factory, integration).filtered == 1


def test_an_untouched_waiting_invoice_whose_order_is_cancelled_leaves_the_journal_by_itself(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    integration = integrate(session, accounting_type="amounts", register_automatically="no")
    put(store, an_order())
    import_all(session_factory, integration)
    put(store, an_order(status="cancelled", is_cancelled=True, is_sale=False))
    import_all(session_factory, integration)
    assert invoices(session) == []
    assert list_of(session) == []


# --- ignore --------------------------------------------------------------------------------------------------------


def test_ignoring_leaves_the_invoice_and_only_a_later_version_asks_again(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    integration = registered(session, session_factory, store, then=an_order(lines=(DEARER,)))
    (one,) = list_of(session)
    (done,) = ignore.ignore(session, [one.invoice.id], reason=" agreed by telephone ", **WHO)
    assert done.refused == ""
    assert list_of(session) == []
    (invoice,) = invoices(session)
    assert [(finding.code, finding.stops) for finding in invoice.found] == [("change_ignored", False)]
    assert invoice.found[0].values["reason"] == "agreed by telephone"
    assert import_all(session_factory, integration).changed == 0
    put(store, an_order(lines=(a_line(net=Decimal("13.00"), taxes=(a_tax(amount="2.73"),)),)))
    assert import_all(session_factory, integration).changed == 1
    (again,) = list_of(session)
    assert again.new_total == Decimal("15.73")


def test_ignoring_that_an_order_is_gone_lasts(session: Session, session_factory: Factory, store: Shop) -> None:
    integration = integrate(session, accounting_type="amounts")
    put(store, an_order())
    import_all(session_factory, integration)
    store.ORDERS = {}
    import_all(session_factory, integration)
    (one,) = list_of(session)
    ignore.ignore(session, [one.invoice.id], reason="the shop was emptied", **WHO)
    import_all(session_factory, integration)
    assert list_of(session) == []


def test_ignoring_needs_a_reason(session: Session, session_factory: Factory, store: Shop) -> None:
    registered(session, session_factory, store, then=an_order(lines=(DEARER,)))
    (one,) = list_of(session)
    with pytest.raises(BrokenRule, match="needs a reason"):
        ignore.ignore(session, [one.invoice.id], reason="  ", **WHO)
    assert len(list_of(session)) == 1


# --- delete and run again (E5) -------------------------------------------------------------------------------------


def test_running_again_asks_the_store_by_id_for_what_its_list_no_longer_returns(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    integration = integrate(session, accounting_type="amounts", register_automatically="no")
    put(store, an_order())
    import_all(session_factory, integration)
    (waiting,) = invoices(session)
    journals.delete(session, [waiting.id], leave_out=False, reason="", **WHO)
    put(store, an_order(lines=(DEARER,)))
    store.HIDDEN = {"9001"}
    run = import_all(session_factory, integration)
    assert (run.fetched, run.in_journal) == (1, 1)
    (back,) = invoices(session)
    assert back.total == Decimal("14.52")


def test_an_open_order_of_another_period_is_not_asked_for(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    integration = integrate(session, accounting_type="amounts", register_automatically="no")
    put(store, an_order())
    import_all(session_factory, integration)
    journals.delete(session, [one.id for one in invoices(session)], leave_out=False, reason="", **WHO)
    old = datetime(2026, 1, 5, tzinfo=UTC)
    with writing(session):
        session.execute(update(StoreOrder).values(placed_at=old, changed_at=old))
        session.execute(update(Run).values(window_start=old, window_end=datetime(2026, 1, 6, tzinfo=UTC)))
    store.HIDDEN = {"9001"}
    assert import_all(session_factory, integration).fetched == 0


def test_nothing_dated_in_a_closed_period_is_deleted(session: Session, session_factory: Factory, store: Shop) -> None:
    integration = integrate(session, accounting_type="amounts", register_automatically="no")
    put(store, an_order(), an_order(external_id="9002", number="1002", placed_at=NOW, paid_at=NOW))
    import_all(session_factory, integration)
    with writing(session):
        session.get_one(Company, 1).closed_until = NOON.date()
    ids = [one.id for one in invoices(session)]
    with pytest.raises(BrokenRule, match="The invoice 1001 is dated 2026-11-23, and periods until 2026-11-23"):
        journals.delete(session, ids, leave_out=False, reason="", **WHO)
    assert len(invoices(session)) == 2
