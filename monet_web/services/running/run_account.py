"""Where a run's orders went: its orders by outcome with their documents, what it registered by VAT rate."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from monet_web.domain.findings import CODES, Finding
from monet_web.models.invoices import Invoice, InvoiceFinding, InvoiceState, InvoiceVat, Journal
from monet_web.models.runs import RunOrder, RunSlot
from monet_web.models.store_orders import StoreOrder

PAGE = 50


@dataclass(frozen=True, slots=True)
class Document:
    """The invoice of an order as it is now."""

    id: int
    number: str | None
    state: InvoiceState
    journal_id: int | None
    total: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class OrderOfRun:
    """What became of one order in one run. `document` None: it made none, or the one it made was deleted since."""

    store_order_id: int
    number: str
    placed_at: datetime | None
    outcome: str
    reason: str
    details: Mapping[str, str]
    made: bool  # it made a document then
    document: Document | None
    findings: tuple[Finding, ...] = ()  # those that keep the document waiting

    @property
    def codes(self) -> tuple[str, ...]:
        """Of a preview: the codes of what would keep its invoice waiting."""
        return tuple(self.details.get("findings", "").split())

    @property
    def foreseen(self) -> tuple[Decimal, str] | None:
        """Of a preview: what its invoice would come to, and in which currency."""
        total = self.details.get("total")
        return None if total is None else (Decimal(total), self.details.get("currency", ""))


@dataclass(frozen=True, slots=True)
class VatOfRun:
    """What a run registered in one currency: rows are (rate, base, VAT), the rate None where there is no tax."""

    currency: str
    rows: tuple[tuple[Decimal | None, Decimal, Decimal], ...]
    rounding: Decimal

    @property
    def base(self) -> Decimal:
        """Without VAT."""
        return sum((row[1] for row in self.rows), Decimal(0))

    @property
    def vat(self) -> Decimal:
        """Of all rates."""
        return sum((row[2] for row in self.rows), Decimal(0))

    @property
    def total(self) -> Decimal:
        """With VAT and rounding: the sum of the invoices' totals."""
        return self.base + self.vat + self.rounding


def orders(
    session: Session, run_id: int, outcomes: Collection[str] | None = None, *, after: int = 0, limit: int = PAGE
) -> tuple[list[OrderOfRun], int | None]:
    """Orders of a run by the order in which they were first seen, and the cursor of the next page. In a transaction.

    Two queries. Orders that were already there, unchanged, are only counted (`Run.already_there`).
    """
    query = (
        select(RunOrder, StoreOrder, Invoice)
        .join(StoreOrder, StoreOrder.id == RunOrder.store_order_id)
        .outerjoin(Invoice, Invoice.id == RunOrder.invoice_id)
        .where(RunOrder.run_id == run_id, RunOrder.store_order_id > after)
        .order_by(RunOrder.store_order_id)
        .limit(limit + 1)
    )
    if outcomes is not None:
        query = query.where(RunOrder.outcome.in_(outcomes))
    rows = session.execute(query).all()
    shown = rows[:limit]
    waits_for = findings_of(session, [invoice for _, _, invoice in shown])
    found = [_of_run(said, order, invoice, waits_for) for said, order, invoice in shown]
    return found, shown[-1][0].store_order_id if len(rows) > limit else None


def vat(session: Session, run_id: int) -> list[VatOfRun]:
    """What a run registered, by currency and rate, the highest rate first. Inside a transaction, two queries."""
    registered = (Invoice.registered_by_run_id == run_id, Invoice.state == InvoiceState.REGISTERED)
    rounding: dict[str, Decimal] = {
        row.currency: row.rounding
        for row in session.execute(
            select(Invoice.currency, func.sum(Invoice.rounding).label("rounding"))
            .where(*registered)
            .group_by(Invoice.currency)
            .order_by(Invoice.currency)
        )
    }
    by_rate: dict[str, dict[Decimal | None, tuple[Decimal, Decimal]]] = defaultdict(dict)
    rows = session.execute(
        select(
            Invoice.currency, InvoiceVat.rate, func.sum(InvoiceVat.base).label("base"),
            func.sum(InvoiceVat.amount).label("amount"),
        )
        .join(Invoice, Invoice.id == InvoiceVat.invoice_id)
        .where(*registered)
        .group_by(Invoice.currency, InvoiceVat.rate)
    )  # fmt: skip
    for row in rows:
        # Rates are kept as text: 21 and 21.00 are one rate in two rows.
        base, amount = by_rate[row.currency].get(row.rate, (Decimal(0), Decimal(0)))
        by_rate[row.currency][row.rate] = (base + row.base, amount + row.amount)
    return [
        VatOfRun(
            currency,
            tuple((rate, *by_rate[currency][rate]) for rate in sorted(by_rate[currency], key=_highest)),
            rest,
        )
        for currency, rest in rounding.items()
    ]


def journals(session: Session, run_id: int) -> list[Journal]:
    """The journals where invoices of a run still wait. Inside a transaction, one query."""
    waiting = select(Invoice.journal_id).where(
        Invoice.opened_by_run_id == run_id, Invoice.state == InvoiceState.IN_JOURNAL
    )
    return list(session.scalars(select(Journal).where(Journal.id.in_(waiting)).order_by(Journal.id)))


@dataclass(frozen=True, slots=True)
class Slots:
    """The moments of the timetable that a run covers."""

    count: int
    first: datetime
    last: datetime


def slots(session: Session, run_ids: Collection[int]) -> dict[int, Slots]:
    """The slots of each of these runs that covers any; one question. Inside a transaction."""
    rows = session.execute(
        select(RunSlot.run_id, func.count(), func.min(RunSlot.slot_at), func.max(RunSlot.slot_at))
        .where(RunSlot.run_id.in_(run_ids))
        .group_by(RunSlot.run_id)
    )
    return {run_id: Slots(count, first, last) for run_id, count, first, last in rows}


def in_run(session: Session, run_id: int, store_order_ids: Collection[int]) -> dict[int, OrderOfRun]:
    """What became of these orders in this run; one that is not named was not in it, or already there unchanged."""
    if not store_order_ids:
        return {}
    rows = session.execute(
        select(RunOrder, StoreOrder, Invoice)
        .join(StoreOrder, StoreOrder.id == RunOrder.store_order_id)
        .outerjoin(Invoice, Invoice.id == RunOrder.invoice_id)
        .where(RunOrder.run_id == run_id, RunOrder.store_order_id.in_(store_order_ids))
    ).all()
    waits_for = findings_of(session, [invoice for _, _, invoice in rows])
    return {order.id: _of_run(said, order, invoice, waits_for) for said, order, invoice in rows}


def _of_run(
    said: RunOrder, order: StoreOrder, invoice: Invoice | None, waits_for: Mapping[int, tuple[Finding, ...]]
) -> OrderOfRun:
    return OrderOfRun(
        store_order_id=order.id,
        number=order.order_number or order.external_id,
        placed_at=order.placed_at,
        outcome=said.outcome,
        reason=said.reason,
        details=said.details or {},
        made=said.invoice_id is not None,
        document=document_of(invoice),
        findings=waits_for.get(invoice.id, ()) if invoice is not None else (),
    )


def document_of(invoice: Invoice | None) -> Document | None:
    """What a page shows of an invoice."""
    if invoice is None:
        return None
    return Document(invoice.id, invoice.number, invoice.state, invoice.journal_id, invoice.total, invoice.currency)


def findings_of(session: Session, invoices: Iterable[Invoice | None]) -> dict[int, tuple[Finding, ...]]:
    """Invoice id → what keeps it waiting."""
    waiting = [one.id for one in invoices if one is not None and one.state is InvoiceState.IN_JOURNAL]
    if not waiting:
        return {}
    found: dict[int, list[Finding]] = defaultdict(list)
    rows = session.scalars(
        select(InvoiceFinding)
        .where(InvoiceFinding.invoice_id.in_(waiting), InvoiceFinding.stops)
        .order_by(InvoiceFinding.id)
    )
    for row in rows:
        if row.code in CODES:
            found[row.invoice_id].append(Finding(row.code, row.subject, row.values))
    return {invoice_id: tuple(of) for invoice_id, of in found.items()}


def _highest(rate: Decimal | None) -> Decimal:
    return Decimal(1) if rate is None else -rate
