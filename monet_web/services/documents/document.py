"""One document and all that stands around it: items, moves, history, and the order as the store said it last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import and_, case, func, or_, select
from sqlalchemy.orm import Session, selectinload

from monet_web.connectors import CONNECTORS
from monet_web.domain.money import minor_unit, round_to
from monet_web.domain.orders import Charge, Order, OrderLine, Unreadable
from monet_web.models.audit import AuditEntry
from monet_web.models.integrations import Integration
from monet_web.models.invoices import IS_WAITING, Invoice
from monet_web.models.items import Item
from monet_web.models.runs import Run
from monet_web.models.stock import StockMove, Warehouse
from monet_web.models.store_orders import StoreOrder, StoreOrderVersion
from monet_web.models.users import User
from monet_web.services.importing import raw_pages

_MOST_HISTORY = 100
_ROUNDING = Decimal("0.05")  # of one line: what nobody need look at


@dataclass(frozen=True, slots=True)
class Said:
    """The order as the store said it last: its version, when a run saw it, and whether the document follows it."""

    order: Order | Unreadable
    version: int
    seen_in_run: int
    seen_at: datetime | None
    is_drafted_from: bool


@dataclass(frozen=True, slots=True)
class Move:
    """What a document took from a warehouse (negative) or brought."""

    position: int
    item: str
    warehouse: str
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Place:
    """Where a waiting invoice stands in its journal: the `at`-th of `of`, and its neighbours' ids."""

    at: int
    of: int
    before: int | None
    after: int | None


@dataclass(frozen=True, slots=True)
class Document:
    """An invoice as its page shows it. `items`: item id → code; `people`: e-mail → name."""

    invoice: Invoice
    integration: Integration
    items: Mapping[int, str]
    opened: Run | None
    order: StoreOrder
    said: Said | None
    moves: tuple[Move, ...] = ()
    history: tuple[AuditEntry, ...] = ()
    people: Mapping[str, str] | None = None


def load(session: Session, invoice_id: int) -> Document | None:
    """The document, None when there is none. Inside a transaction; the same number of queries whatever it holds."""
    query = (
        select(Invoice)
        .where(Invoice.id == invoice_id)
        .options(
            selectinload(Invoice.lines), selectinload(Invoice.vat_rows), selectinload(Invoice.found),
            selectinload(Invoice.journal),
        )
        .execution_options(populate_existing=True)
    )  # fmt: skip
    invoice = session.scalars(query).one_or_none()
    if invoice is None:
        return None
    integration = session.get_one(Integration, invoice.integration_id)
    order = session.get_one(StoreOrder, invoice.store_order_id, populate_existing=True)
    history = _history(session, invoice)
    return Document(
        invoice=invoice,
        integration=integration,
        items=_items(session, invoice),
        opened=session.get(Run, invoice.opened_by_run_id) if invoice.opened_by_run_id else None,
        order=order,
        said=said_by_store(session, integration.store.platform, order, invoice.drafted_from_version_id),
        moves=_moves(session, invoice),
        history=history,
        people=people(session, [entry.actor for entry in history] + [invoice.touched_by]),
    )


def said_by_store(session: Session, platform: str, order: StoreOrder, drafted_from: int | None) -> Said | None:
    """The newest state of an order, read by today's reader; None when nothing of it is remembered."""
    if order.latest_version_id is None or platform not in CONNECTORS:
        return None
    row = session.execute(
        select(StoreOrderVersion.n, StoreOrderVersion.seen_in_run, Run.started_at)
        .outerjoin(Run, Run.id == StoreOrderVersion.seen_in_run)
        .where(StoreOrderVersion.id == order.latest_version_id)
    ).one_or_none()
    raws = raw_pages.load_versions(session, [order.latest_version_id])
    if row is None or order.latest_version_id not in raws:
        return None
    return Said(
        order=read(platform, *raws[order.latest_version_id]),
        version=row.n,
        seen_in_run=row.seen_in_run,
        seen_at=row.started_at,
        is_drafted_from=order.latest_version_id == drafted_from,
    )


def read(platform: str, raw: Mapping[str, Any], context: Mapping[str, Any]) -> Order | Unreadable:
    """A remembered order by its connector; one that today's reader stumbles over is unreadable, not the page broken."""
    try:
        return CONNECTORS[platform].read(raw, context)
    except Exception as error:  # noqa: BLE001 - the page shows everything else
        return Unreadable("", f"What the store said could not be read ({type(error).__name__}).")


@dataclass(frozen=True, slots=True)
class StoreLine:
    """A line or charge as the store says it, with VAT; `ours`: what the invoice has for it, None: nothing."""

    name: str
    sku: str
    quantity: Decimal
    gross: Decimal
    discount: Decimal
    ours: Decimal | None

    @property
    def is_ours(self) -> bool:
        """To the cent; the parts of a line are rounded one by one, so a cent here is no disagreement by itself."""
        return self.ours == self.gross

    @property
    def differs(self) -> bool:
        """More than rounding explains, or not on the invoice at all."""
        return self.ours is None or abs(self.ours - self.gross) > _ROUNDING


@dataclass(frozen=True, slots=True)
class Compared:
    """The order as the store said it last beside the invoice."""

    currency: str
    lines: tuple[StoreLine, ...]
    rounding: Decimal
    vat: Decimal
    total: Decimal
    difference: Decimal  # the store's total less ours


def compare(document: Document) -> Compared | None:
    """The store's order line by line beside the invoice's; None when it can't be read."""
    if document.said is None or isinstance(document.said.order, Unreadable):
        return None
    order = document.said.order
    unit = minor_unit(order.currency)
    ours: dict[str, Decimal] = {}
    for line in document.invoice.lines:
        ours[line.store_line_id] = ours.get(line.store_line_id, Decimal(0)) + line.net + line.vat
    rows: list[OrderLine | Charge] = [*order.lines, *order.charges]
    lines = [
        StoreLine(
            name=row.name,
            sku=row.sku if isinstance(row, OrderLine) else "",
            quantity=row.quantity if isinstance(row, OrderLine) else Decimal(1),
            gross=round_to(row.net + sum((tax.amount for tax in row.taxes), Decimal(0)), unit),
            discount=round_to(row.discount, unit) if isinstance(row, OrderLine) else Decimal(0),
            ours=ours.get(row.external_id[:120]),
        )
        for row in rows
    ]
    total = round_to(order.total, unit)
    return Compared(
        currency=order.currency,
        lines=tuple(lines),
        rounding=order.rounding,
        vat=round_to(order.total_tax, unit),
        total=total,
        difference=total - document.invoice.total,
    )


def place(session: Session, invoice: Invoice) -> Place:
    """Where a waiting invoice stands among those of its journal. Inside a transaction, one query."""
    row = session.execute(
        select(
            func.count().label("of"),
            func.count(case((Invoice.id <= invoice.id, 1))).label("at"),
            func.max(case((Invoice.id < invoice.id, Invoice.id))).label("before"),
            func.min(case((Invoice.id > invoice.id, Invoice.id))).label("after"),
        ).where(Invoice.journal_id == invoice.journal_id, IS_WAITING)
    ).one()
    return Place(row.at, row.of, row.before, row.after)


def _items(session: Session, invoice: Invoice) -> dict[int, str]:
    wanted = {line.item_id for line in invoice.lines if line.item_id is not None}
    return {row.id: row.code for row in session.execute(select(Item.id, Item.code).where(Item.id.in_(wanted)))}


def _moves(session: Session, invoice: Invoice) -> tuple[Move, ...]:
    rows = session.execute(
        select(StockMove.position, Item.code, Warehouse.code.label("warehouse"), StockMove.quantity)
        .join(Item, Item.id == StockMove.item_id)
        .join(Warehouse, Warehouse.id == StockMove.warehouse_id)
        .where(StockMove.document_type == "invoice", StockMove.document_id == invoice.id)
        .order_by(StockMove.position)
    )
    return tuple(Move(row.position, row.code, row.warehouse, row.quantity) for row in rows)


def _history(session: Session, invoice: Invoice) -> tuple[AuditEntry, ...]:
    """What was done to the invoice and to its order, the newest first."""
    of_either = or_(
        and_(AuditEntry.subject_kind == "invoice", AuditEntry.subject_id == invoice.id),
        and_(AuditEntry.subject_kind == "store_order", AuditEntry.subject_id == invoice.store_order_id),
    )
    query = select(AuditEntry).where(of_either).order_by(AuditEntry.id.desc()).limit(_MOST_HISTORY)
    return tuple(session.scalars(query))


def people(session: Session, emails: list[str]) -> dict[str, str]:
    """E-mail → name of those that are people here. Inside a transaction, one query."""
    rows = session.execute(select(User.email, User.name).where(User.email.in_(set(emails))))
    return {row.email: row.name or row.email for row in rows}
