"""Credited orders: those whose invoice was credited in full, and a person's yes to importing them anew (E6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from monet_web.models.base import writing
from monet_web.models.integrations import Integration
from monet_web.models.invoices import Invoice, InvoiceKind
from monet_web.models.store_orders import Outcome, StoreOrder
from monet_web.services import audit

PAGE = 50


@dataclass(frozen=True, slots=True)
class CreditedOrder:
    """An order, its last invoice and the credit note that took it back; `integration` is the name of the invoice's."""

    order: StoreOrder
    invoice: Invoice
    credit_note: Invoice | None
    integration: str


def count(session: Session) -> int:
    """How many orders are credited; the index knows. Inside a transaction."""
    query = select(func.count()).select_from(StoreOrder).where(StoreOrder.outcome == Outcome.CREDITED)
    return session.execute(query).scalar_one()


def page(session: Session, *, before: int | None = None, limit: int = PAGE) -> tuple[list[CreditedOrder], int | None]:
    """The newest orders first, and the next page's cursor. Inside a transaction, one query."""
    newest = (
        select(func.max(Invoice.id))
        .where(Invoice.store_order_id == StoreOrder.id, Invoice.kind == InvoiceKind.INVOICE)
        .correlate(StoreOrder)
        .scalar_subquery()
    )
    note = aliased(Invoice)
    last_note = (
        select(func.max(Invoice.id)).where(Invoice.credits_invoice_id == newest).correlate(StoreOrder).scalar_subquery()
    )
    query = (
        select(StoreOrder, Invoice, note, Integration.name)
        .join(Invoice, Invoice.id == newest)
        .join(Integration, Integration.id == Invoice.integration_id)
        .outerjoin(note, note.id == last_note)
        .where(StoreOrder.outcome == Outcome.CREDITED)
    )
    if before is not None:
        query = query.where(StoreOrder.id < before)
    rows = session.execute(
        query.order_by(StoreOrder.id.desc()).limit(limit + 1).execution_options(populate_existing=True)
    ).all()
    found = [CreditedOrder(*row) for row in rows[:limit]]
    return found, found[-1].order.id if len(rows) > limit else None


def import_anew(session: Session, order_ids: Sequence[int], *, now: datetime, actor: str) -> int:
    """These credited orders are open again: the next run of their period books them anew. How many there were."""
    return _open(session, order_ids, None, now=now, actor=actor)


def import_number_anew(session: Session, number_key: str, *, now: datetime, actor: str) -> int:
    """The same for the orders of one number (folded), in every store."""
    return _open(session, None, number_key, now=now, actor=actor)


def _open(
    session: Session, order_ids: Sequence[int] | None, number_key: str | None, *, now: datetime, actor: str
) -> int:
    query = select(StoreOrder).where(StoreOrder.outcome == Outcome.CREDITED)
    if order_ids is not None:
        query = query.where(StoreOrder.id.in_(order_ids))
    if number_key is not None:
        query = query.where(StoreOrder.number_key == number_key)
    with writing(session):
        orders = session.scalars(query.with_for_update().execution_options(populate_existing=True)).all()
        changes = [audit.Change(order.id, before={"outcome": order.outcome}) for order in orders]
        audit.rows(session, at=now, actor=actor, action="import_anew", subject_kind="store_order", changes=changes)
        for order in orders:
            order.outcome, order.reason = Outcome.OPEN, ""
    return len(orders)
