"""Stock to settle: invoices that were registered without moving stock, and moving it now (E3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, func, insert, select, update
from sqlalchemy.orm import Session, selectinload

from monet_web.domain.checks import plain
from monet_web.domain.errors import BrokenRule
from monet_web.domain.periods import is_closed, last_of_month
from monet_web.domain.refunds import Goods
from monet_web.domain.windows import local_day
from monet_web.models.base import writing
from monet_web.models.company import Company
from monet_web.models.invoices import NOT_WAITING, STOCK_STAYS, Invoice, InvoiceLine
from monet_web.models.items import Item
from monet_web.models.stock import Balance, StockMove, Warehouse
from monet_web.services import audit
from monet_web.services.books.closed import closed_until
from monet_web.services.goods.stock import lock_balances

PAGE = 50
_DOCUMENT = "invoice"


@dataclass(frozen=True, slots=True)
class Need:
    """What one line has still to take from a warehouse."""

    position: int
    item_id: int
    item: str
    warehouse_id: int
    warehouse: str
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Unsettled:
    """A registered invoice whose stock has not moved, with what is to move."""

    invoice: Invoice
    needs: tuple[Need, ...]


def page(session: Session, *, after: int = 0, limit: int = PAGE) -> tuple[list[Unsettled], int | None]:
    """The oldest first, and the cursor of the next page. Inside a transaction, the same number of queries always."""
    query = (
        select(Invoice).where(*_unsettled(), Invoice.id > after).order_by(Invoice.id).limit(limit + 1)
        .options(selectinload(Invoice.lines)).execution_options(populate_existing=True)
    )  # fmt: skip
    found = list(session.scalars(query))
    needs = _needs(session, found[:limit])
    return [Unsettled(one, needs[one.id]) for one in found[:limit]], found[limit - 1].id if len(found) > limit else None


def count(session: Session, *, month: date | None = None) -> int:
    """How many there are, all of them or those issued in the month of a day. Inside a transaction."""
    query = select(func.count()).select_from(Invoice).where(*_unsettled())
    if month is not None:
        query = query.where(Invoice.issue_date.between(month.replace(day=1), last_of_month(month)))
    return session.scalar(query) or 0


def settle(session: Session, invoice_id: int, *, now: datetime, actor: str) -> tuple[Need, ...]:
    """Move the stock of one of them now, dated today: all of it or nothing; what was moved. Raises BrokenRule."""
    with writing(session):
        invoice = session.scalars(
            select(Invoice).where(Invoice.id == invoice_id, *_unsettled()).options(selectinload(Invoice.lines))
            .with_for_update(of=Invoice).execution_options(populate_existing=True)
        ).one_or_none()  # fmt: skip
        if invoice is None:
            raise BrokenRule("Its stock has moved by now.", fix="Look at the list again.")
        company = session.get_one(Company, 1, populate_existing=True)
        today = local_day(now, ZoneInfo(company.time_zone))
        until = closed_until(session, lock=True)
        if until is not None and is_closed(today, until):
            raise BrokenRule(
                f"Periods until {until} are closed, today among them.",
                fix="Ask an accountant to reopen the period.",
            )
        needs = _needs(session, [invoice])[invoice.id]
        if not needs and _came_back(session, [invoice.id]):
            # All of it was given back to stock before it was taken: nothing is left to settle.
            invoice.stock_not_moved_reason = ""
            audit.record(
                session, at=now, actor=actor, action="stock_settled", subject_kind="invoice", subject_id=invoice.id,
                after={"moved": []},
            )  # fmt: skip
            return ()
        if not needs:
            raise BrokenRule(
                f"No item of {invoice.number} keeps stock any more.", fix="Receive some of it, then settle it."
            )
        _take(session, invoice, needs)
        session.execute(
            insert(StockMove),
            [
                {"document_type": _DOCUMENT, "document_id": invoice.id, "position": need.position,
                 "item_id": need.item_id, "warehouse_id": need.warehouse_id, "quantity": -need.quantity, "day": today}
                for need in needs
            ],
        )  # fmt: skip
        audit.record(
            session, at=now, actor=actor, action="stock_settled", subject_kind="invoice", subject_id=invoice.id,
            after={"moved": [f"{plain(need.quantity)} {need.item} {need.warehouse}" for need in needs]},
        )  # fmt: skip
    return needs


def _unsettled() -> list[ColumnElement[bool]]:
    """Registered with a reason, not credited since, and nothing has moved. The reason has an index of its own."""
    moved = select(StockMove.id).where(StockMove.document_type == _DOCUMENT, StockMove.document_id == Invoice.id)
    return [
        STOCK_STAYS,
        NOT_WAITING,
        Invoice.superseded.is_(False),
        ~moved.correlate(Invoice).exists(),
    ]


def _needs(session: Session, invoices: Sequence[Invoice]) -> Mapping[int, tuple[Need, ...]]:
    """Invoice id → what its lines have to take."""
    lines: list[InvoiceLine] = [
        line for invoice in invoices for line in invoice.lines if line.item_id and line.quantity
    ]
    items = dict(
        session.execute(
            select(Item.id, Item.code).where(Item.id.in_({line.item_id for line in lines}), Item.keeps_stock.is_(True))
        ).all()
    )
    warehouses = dict(session.execute(select(Warehouse.id, Warehouse.code)).all())
    came_back = _came_back(session, [invoice.id for invoice in invoices])
    needs: dict[int, list[Need]] = {invoice.id: [] for invoice in invoices}
    for line in lines:
        quantity = line.quantity - came_back.get((line.invoice_id, line.position), Decimal(0))
        if line.item_id in items and line.warehouse_id is not None and quantity > 0:
            needs[line.invoice_id].append(
                Need(
                    line.position,
                    line.item_id,
                    items[line.item_id],
                    line.warehouse_id,
                    warehouses[line.warehouse_id],
                    quantity,
                )
            )
    return {invoice_id: tuple(of) for invoice_id, of in needs.items()}


def _came_back(session: Session, invoice_ids: Sequence[int]) -> Mapping[tuple[int, int], Decimal]:
    """(invoice, position) → what credit notes say went back to stock: it never left, so it need not be taken."""
    if not invoice_ids:
        return {}
    rows = session.execute(
        select(Invoice.credits_invoice_id, InvoiceLine.position, func.sum(InvoiceLine.quantity).label("quantity"))
        .join(InvoiceLine, InvoiceLine.invoice_id == Invoice.id)
        .where(
            Invoice.credits_invoice_id.in_(invoice_ids),
            NOT_WAITING,
            InvoiceLine.goods == Goods.BACK,
        )
        .group_by(Invoice.credits_invoice_id, InvoiceLine.position)
    )
    return {(row.credits_invoice_id, row.position): -row.quantity for row in rows}


def _take(session: Session, invoice: Invoice, needs: Sequence[Need]) -> None:
    """Balances locked in their order, looked at together and written; raises BrokenRule naming everything short."""
    wanted: dict[tuple[int, int], Decimal] = {}
    names = {(need.warehouse_id, need.item_id): need for need in needs}
    for need in needs:
        key = need.warehouse_id, need.item_id
        wanted[key] = wanted.get(key, Decimal(0)) + need.quantity
    on_hand = lock_balances(session, wanted.keys())
    short = [
        f"{names[key].item} in {names[key].warehouse}: {plain(quantity)} needed, {plain(on_hand[key])} on hand"
        for key, quantity in wanted.items()
        if quantity > on_hand[key]
    ]
    if short:
        raise BrokenRule(
            f"The stock of {invoice.number} can't move yet: {'; '.join(short)}.",
            fix="Receive the goods, then settle it.",
        )
    for (warehouse_id, item_id), quantity in wanted.items():
        session.execute(
            update(Balance)
            .where(Balance.warehouse_id == warehouse_id, Balance.item_id == item_id)
            .values(on_hand=on_hand[warehouse_id, item_id] - quantity)
            .execution_options(synchronize_session=False)
        )
