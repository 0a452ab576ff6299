"""Journals: what waits, by journal and by cause, and deleting it so that it comes back or stays away (E2, E5)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import ColumnElement, Select, select, update
from sqlalchemy import delete as delete_rows
from sqlalchemy.orm import Session, selectinload

from monet_web.domain.errors import BrokenRule
from monet_web.domain.findings import CODES
from monet_web.domain.periods import is_closed
from monet_web.models.base import writing
from monet_web.models.integrations import Integration
from monet_web.models.invoices import (
    IS_WAITING,
    AccountingType,
    Invoice,
    InvoiceFinding,
    InvoiceKind,
    Journal,
)
from monet_web.models.store_orders import DATED, Outcome, StoreOrder
from monet_web.models.waiting import WaitingMark
from monet_web.services import audit
from monet_web.services.books import waiting_figures
from monet_web.services.books.closed import PeriodClosed, closed_until
from monet_web.services.books.numbers import number_key
from monet_web.services.documents import decide
from monet_web.services.importing.refund_signs import say_deleted
from monet_web.services.importing.refunds import park

PAGE = 50
_PART = 1000  # ids a query


@dataclass(frozen=True, slots=True)
class JournalSummary:
    """A journal that has waiting invoices: how many, how much in each currency, from when to when."""

    id: int
    number: str
    accounting_type: AccountingType
    integration_id: int
    local_day: date
    run_id: int | None  # of a launch; None: what the timetable's runs of the day left
    count: int
    sums: dict[str, Decimal]
    first: date
    last: date


def list_journals(session: Session) -> list[JournalSummary]:
    """Every journal with something in it, the newest first. Inside a transaction."""
    return _summed(session, session.scalars(_with_something().order_by(Journal.id.desc())).all())


def page(
    session: Session,
    accounting_type: AccountingType,
    *,
    integration_id: int | None = None,
    before: int | None = None,
    limit: int = PAGE,
) -> tuple[list[JournalSummary], int | None]:
    """Journals of one kind with something in them, the newest first, and the cursor of the next page.

    Inside a transaction, two queries where all is known.
    """
    query = _with_something().where(Journal.accounting_type == accounting_type)
    if integration_id is not None:
        query = query.where(Journal.integration_id == integration_id)
    if before is not None:
        query = query.where(Journal.id < before)
    found = session.scalars(query.order_by(Journal.id.desc()).limit(limit + 1)).all()
    shown = found[:limit]
    return _summed(session, shown), shown[-1].id if len(found) > limit else None


def _with_something() -> Select[Journal]:
    return select(Journal).join(WaitingMark, WaitingMark.journal_id == Journal.id).where(WaitingMark.waiting > 0)


def _summed(session: Session, journals: Sequence[Journal]) -> list[JournalSummary]:
    figures = waiting_figures.of_journals(session, [journal.id for journal in journals])
    found = []
    for journal in journals:
        tallies = figures[journal.id].invoices
        sums: dict[str, Decimal] = {}
        for sort, tally in sorted(tallies.items(), key=lambda one: one[0].currency):
            sums[sort.currency] = sums.get(sort.currency, Decimal(0)) + waiting_figures.money(tally.total)
        found.append(
            JournalSummary(
                id=journal.id,
                number=journal.number,
                accounting_type=journal.accounting_type,
                integration_id=journal.integration_id,
                local_day=journal.local_day,
                run_id=journal.run_id,
                count=sum(tally.invoices for tally in tallies.values()),
                sums=sums,
                first=min(tally.oldest for tally in tallies.values()),
                last=max(tally.newest for tally in tallies.values()),
            )
        )
    return found


def waiting(
    session: Session, *, number: str | None = None, cause: str | None = None, after_id: int = 0, limit: int = 500
) -> list[Invoice]:
    """Waiting invoices by id, `limit` at a time, with lines, VAT and findings. Inside a transaction.

    `number`: of a journal, else of an invoice or its order. `cause`: a code of findings. Raises BrokenRule when either
    is not known.
    """
    query = (
        select(Invoice)
        .where(IS_WAITING, Invoice.id > after_id)
        .order_by(Invoice.id)
        .limit(limit)
        .options(selectinload(Invoice.lines), selectinload(Invoice.vat_rows), selectinload(Invoice.found))
        .execution_options(populate_existing=True)
    )
    if number is not None:
        journal_id = session.scalars(select(Journal.id).where(Journal.number == number.strip().upper())).first()
        if journal_id is not None:
            query = query.where(Invoice.journal_id == journal_id)
        else:
            key = number_key(number)
            of_order = select(StoreOrder.id).where(StoreOrder.number_key == key)
            query = query.where((Invoice.number_key == key) | Invoice.store_order_id.in_(of_order))
    if cause is not None:
        if cause not in CODES:
            raise BrokenRule(f"{cause} is not a cause.", fix=f"Type one of: {', '.join(CODES)}.")
        query = query.where(Invoice.id.in_(select(InvoiceFinding.invoice_id).where(InvoiceFinding.code == cause)))
    found = list(session.scalars(query))
    if number is not None and not found and not after_id:
        raise BrokenRule(
            f"Nothing waits under the number {number}.", fix="`monet journals list` shows the journals and what waits."
        )
    return found


def delete(
    session: Session, invoice_ids: Sequence[int], *, leave_out: bool, reason: str, now: datetime, actor: str
) -> int:
    """Delete waiting invoices; how many there were. Their orders come back at the next run, or are left out by hand.

    Registered invoices are never deleted: they are skipped. The audit trail keeps a copy of each. Raises BrokenRule:
    one is dated in a closed period (then none is deleted), or leaving out has no reason or means a credit note alone.
    """
    if leave_out and not reason.strip():
        raise BrokenRule("Leaving orders out needs a reason.", fix="Type why, for example: test orders of the shop.")
    with writing(session):
        return delete_in(session, invoice_ids, leave_out=leave_out, reason=reason, now=now, actor=actor)


def must_be_deletable(session: Session, invoice_ids: Sequence[int], *, leave_out: bool) -> None:
    """Refuse them all before the first is deleted.

    Inside a transaction. Raises PeriodClosed, and BrokenRule for a credit note that is to be left out while its
    invoice stays: the store has given the money back, so the next run of the order would make it again.
    """
    until = closed_until(session)
    meant = set(invoice_ids)
    for start in range(0, len(invoice_ids), _PART):
        part = (Invoice.id.in_(invoice_ids[start : start + _PART]), IS_WAITING)
        if leave_out:
            _must_be_orders(session, part, meant)
        if until is None:
            continue
        found = session.execute(
            select(Invoice.number, Invoice.order_number, Invoice.issue_date)
            .where(*part, Invoice.issue_date <= until)
            .order_by(Invoice.id)
            .limit(1)
        ).first()
        if found is not None:
            raise PeriodClosed(f"The invoice {found.number or found.order_number}", found.issue_date, until)


def _must_be_orders(session: Session, part: Sequence[ColumnElement[bool]], meant: Collection[int]) -> None:
    notes = session.execute(
        select(Invoice.number, Invoice.order_number, Invoice.credits_invoice_id)
        .where(*part, Invoice.credits_invoice_id.is_not(None))
        .order_by(Invoice.id)
    )
    if (note := next((one for one in notes if one.credits_invoice_id not in meant), None)) is not None:
        raise BrokenRule(
            f"The credit note {note.number or note.order_number} can't be left out: the store gave the money back.",
            fix="Register it, or delete it to be brought back by the next run.",
        )


def delete_in(
    session: Session, invoice_ids: Sequence[int], *, leave_out: bool, reason: str, now: datetime, actor: str
) -> int:
    """The same in the caller's writing transaction. Raises PeriodClosed, and BrokenRule for a credit note left out."""
    if leave_out:
        _must_be_orders(session, (Invoice.id.in_(invoice_ids), IS_WAITING), set(invoice_ids))
    until = closed_until(session, lock=True)
    invoices = session.scalars(
        select(Invoice)
        .where(Invoice.id.in_(invoice_ids), IS_WAITING)
        .options(selectinload(Invoice.lines))
        .order_by(Invoice.id)
        .with_for_update(of=Invoice)
        .execution_options(populate_existing=True)
    ).all()
    for invoice in invoices:
        if until is not None and is_closed(invoice.issue_date, until):
            raise PeriodClosed(f"The invoice {invoice.number or invoice.order_number}", invoice.issue_date, until)
    changes = [
        audit.Change(invoice.id, before=copy_of(invoice), after={"leave_out": leave_out, "reason": reason})
        for invoice in invoices
    ]
    audit.rows(session, at=now, actor=actor, action="deleted", subject_kind="invoice", changes=changes)
    orders = {one.store_order_id: one.issue_date for one in invoices if one.kind is InvoiceKind.INVOICE}
    for day in sorted(set(orders.values())):
        # An open order remembers the day of its document: it is missing in that month, whenever it was placed.
        session.execute(
            update(StoreOrder)
            .where(StoreOrder.id.in_([order_id for order_id, its in orders.items() if its == day]))
            .values(
                left_out=leave_out, left_out_reason=reason if leave_out else "",
                outcome=Outcome.FILTERED if leave_out else Outcome.OPEN, reason="left_out" if leave_out else "",
                details=None if leave_out else {DATED: day.isoformat()},
            )
            .execution_options(synchronize_session=False)
        )  # fmt: skip
    decide.forget(session, sorted(orders))
    ids = {invoice.id for invoice in invoices}
    say_deleted(session, [one for one in invoices if one.credits_invoice_id not in ids])
    park(session, list(ids))  # a credit note goes with its invoice
    session.execute(delete_rows(Invoice).where(Invoice.id.in_(ids)).execution_options(synchronize_session=False))
    session.expunge_all()
    return len(invoices)


def bring_back(session: Session, order_number: str, *, now: datetime, actor: str) -> int:
    """Orders with this number that were left out by hand are open again; how many there were."""
    return _bring_back(session, StoreOrder.number_key == number_key(order_number), now=now, actor=actor)


def bring_back_orders(session: Session, order_ids: Sequence[int], *, now: datetime, actor: str) -> int:
    """Those of these orders that were left out by hand are open again; how many there were."""
    return _bring_back(session, StoreOrder.id.in_(order_ids), now=now, actor=actor)


def left_out(
    session: Session, *, before: int | None = None, limit: int = PAGE
) -> tuple[list[tuple[StoreOrder, str]], int | None]:
    """Orders left out by hand, the newest first, each with the name of its integration; and the next page's cursor.

    Inside a transaction, one query.
    """
    name = (
        select(Integration.name)
        .where(Integration.store_id == StoreOrder.store_id)
        .order_by(Integration.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    # The index leads to the filtered ones; being left out is one of their reasons.
    query = select(StoreOrder, name).where(StoreOrder.outcome == Outcome.FILTERED, StoreOrder.left_out.is_(True))
    if before is not None:
        query = query.where(StoreOrder.id < before)
    rows = session.execute(
        query.order_by(StoreOrder.id.desc()).limit(limit + 1).execution_options(populate_existing=True)
    ).all()
    found = [(order, str(named or "")) for order, named in rows[:limit]]
    return found, found[-1][0].id if len(rows) > limit else None


def _bring_back(session: Session, which: ColumnElement[bool], *, now: datetime, actor: str) -> int:
    with writing(session):
        orders = session.scalars(
            select(StoreOrder).where(which, StoreOrder.left_out.is_(True)).execution_options(populate_existing=True)
        ).all()
        for order in orders:
            audit.record(
                session, at=now, actor=actor, action="brought_back", subject_kind="store_order", subject_id=order.id,
                before={"left_out_reason": order.left_out_reason},
            )  # fmt: skip
            order.left_out, order.left_out_reason = False, ""
            order.outcome, order.reason = Outcome.OPEN, ""
    return len(orders)


def copy_of(invoice: Invoice) -> dict[str, object]:
    """What the trail keeps of a waiting invoice that is deleted or loses what was corrected by hand."""
    return {
        "number": invoice.number, "order_number": invoice.order_number, "date": invoice.issue_date.isoformat(),
        "currency": invoice.currency, "total": str(invoice.total), "vat": str(invoice.vat),
        "buyer": invoice.buyer_name, "touched_by": invoice.touched_by,
        "lines": [
            {"name": line.name, "sku": line.sku, "quantity": str(line.quantity), "net": str(line.net),
             "vat": str(line.vat)}
            for line in invoice.lines
        ],
    }  # fmt: skip
