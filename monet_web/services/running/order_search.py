"""Why is order 1234 not here? Where one order stands, in every store, and what the last runs said of it (D1)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from monet_web.domain.findings import Finding
from monet_web.models.integrations import Integration, IntegrationState
from monet_web.models.invoices import Invoice, InvoiceKind
from monet_web.models.runs import Run, RunOrder
from monet_web.models.store_orders import StoreOrder
from monet_web.services.books.numbers import number_key
from monet_web.services.running.run_account import OrderOfRun, document_of, findings_of

_MOST_FOUND = 10
_MOST_RUNS = 5
_LONGEST_NUMBER = 120


@dataclass(frozen=True, slots=True)
class Seen:
    """One run that said what became of an order."""

    run_id: int
    at: datetime
    outcome: str


@dataclass(frozen=True, slots=True)
class Found:
    """Where an order stands now: `outcome`, `reason` and `details` are those of the order itself."""

    order: OrderOfRun
    integration: str
    left_out_reason: str = ""
    runs: tuple[Seen, ...] = ()  # the newest first; runs to which it was already there are not named


def find(session: Session, typed: str) -> list[Found]:
    """Orders of every store with this number, or with an invoice of this number (D1).

    Inside a transaction, five queries at most.
    """
    key = number_key(typed.replace("\x00", "").strip().lstrip("#"))[:_LONGEST_NUMBER]
    if not key:
        return []
    of_invoice = select(Invoice.store_order_id).where(Invoice.number_key == key)
    found = session.scalars(
        select(StoreOrder)
        .where(or_(StoreOrder.number_key == key, StoreOrder.id.in_(of_invoice)))
        .order_by(StoreOrder.id.desc())
        .limit(_MOST_FOUND)
        .execution_options(populate_existing=True)
    ).all()
    if not found:
        return []
    ids = [order.id for order in found]
    invoices = {
        invoice.store_order_id: invoice
        for invoice in session.scalars(
            select(Invoice)
            .where(Invoice.store_order_id.in_(ids), Invoice.kind == InvoiceKind.INVOICE, Invoice.superseded.is_(False))
            .execution_options(populate_existing=True)
        )
    }
    waits_for = findings_of(session, invoices.values())
    names = _names(session, {order.store_id for order in found})
    runs = _runs(session, ids)
    return [
        Found(
            _as_it_stands(order, invoices.get(order.id), waits_for),
            names.get(order.store_id, ""),
            order.left_out_reason if order.left_out else "",
            runs.get(order.id, ()),
        )
        for order in found
    ]


def _as_it_stands(
    order: StoreOrder, invoice: Invoice | None, waits_for: Mapping[int, tuple[Finding, ...]]
) -> OrderOfRun:
    return OrderOfRun(
        store_order_id=order.id,
        number=order.order_number or order.external_id,
        placed_at=order.placed_at,
        outcome=order.outcome.value if invoice is None else invoice.state.value,
        reason=order.reason,
        details=order.details or {},
        made=invoice is not None,
        document=document_of(invoice),
        findings=waits_for.get(invoice.id, ()) if invoice is not None else (),
    )


def _names(session: Session, store_ids: Collection[int]) -> dict[int, str]:
    """Store → the name of the integration that connects it, else of the last that did."""
    rows = session.execute(
        select(Integration.store_id, Integration.name, Integration.state)
        .where(Integration.store_id.in_(store_ids))
        .order_by(Integration.id)
    ).all()
    names = {row.store_id: row.name for row in rows}
    return names | {row.store_id: row.name for row in rows if row.state is not IntegrationState.RETIRED}


def _runs(session: Session, store_order_ids: Collection[int]) -> dict[int, tuple[Seen, ...]]:
    place = func.row_number().over(partition_by=RunOrder.store_order_id, order_by=RunOrder.run_id.desc())
    ranked = (
        select(RunOrder.store_order_id, RunOrder.run_id, RunOrder.outcome, place.label("place"))
        .where(RunOrder.store_order_id.in_(store_order_ids))
        .subquery()
    )
    rows = session.execute(
        select(ranked, func.coalesce(Run.started_at, Run.created_at).label("at"))
        .join(Run, Run.id == ranked.c.run_id)
        .where(ranked.c.place <= _MOST_RUNS)
        .order_by(ranked.c.run_id.desc())
    ).all()
    seen: dict[int, list[Seen]] = defaultdict(list)
    for row in rows:
        seen[row.store_order_id].append(Seen(row.run_id, row.at, row.outcome))
    return {store_order_id: tuple(of) for store_order_id, of in seen.items()}
