"""Everything an item's card shows: what stores call it, what is where, and each move with its document (F2)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from monet_web.models.integrations import Integration, IntegrationState
from monet_web.models.invoices import Invoice
from monet_web.models.items import AliasKind, Item, ItemAlias
from monet_web.models.stock import Balance, StockMove, StockReceipt, Warehouse
from monet_web.models.users import User
from monet_web.services.books import waiting_figures
from monet_web.services.goods.item_rows import ANY_STORE
from monet_web.services.goods.stock import RECEIPT

PAGE = 50
_INVOICE = "invoice"
_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class AliasRow:
    """What a store calls the item; `store` "" is every store."""

    id: int
    kind: AliasKind
    value: str
    store: str


@dataclass(frozen=True, slots=True)
class Place:
    """What is on hand in one warehouse."""

    warehouse_id: int
    code: str
    name: str
    on_hand: Decimal


@dataclass(frozen=True, slots=True)
class MoveDocument:
    """Of an invoice `number` and `integration`, of a receipt `entered_by`, `entered_at`, `note`."""

    number: str = ""
    integration: str = ""
    entered_by: str = ""
    entered_at: datetime | None = None
    note: str = ""


_UNKNOWN = MoveDocument()


@dataclass(frozen=True, slots=True)
class MoveRow:
    """One move with its document. `left`: what was on hand in that warehouse after it."""

    id: int
    day: date
    warehouse: str
    quantity: Decimal
    left: Decimal
    document_type: str
    document_id: int
    document: MoveDocument

    @property
    def is_receipt(self) -> bool:
        """True for goods received or corrected, False for an invoice."""
        return self.document_type == RECEIPT


@dataclass(frozen=True, slots=True)
class Card:
    """One item with all of that; `next` is the cursor of older moves, None when there are none."""

    item: Item
    aliases: tuple[AliasRow, ...]
    places: tuple[Place, ...]
    waiting: int
    moves: tuple[MoveRow, ...]
    next: int | None
    stores: tuple[tuple[int, str], ...]  # that an alias may be of

    @property
    def on_hand(self) -> Decimal:
        """In all warehouses."""
        return sum((place.on_hand for place in self.places), _ZERO)


def card(session: Session, item_id: int, *, before: int | None = None, limit: int = PAGE) -> Card | None:
    """The card with moves older than the move `before`; None when there is no such item. Inside a transaction."""
    item = session.get(Item, item_id, populate_existing=True)
    if item is None:
        return None
    stores = _stores(session)
    places = _places(session, item_id)
    moves, following = _moves(session, item_id, places, before=before, limit=limit)
    return Card(
        item=item,
        aliases=_aliases(session, item_id, dict(stores)),
        places=places,
        waiting=waiting_figures.of_items(session).get(item_id, 0),
        moves=moves,
        next=following,
        stores=stores,
    )


def _stores(session: Session) -> tuple[tuple[int, str], ...]:
    rows = session.execute(
        select(Integration.store_id, Integration.name)
        .where(Integration.state != IntegrationState.RETIRED)
        .order_by(Integration.name_key)
    )
    return tuple((row.store_id, row.name) for row in rows)


def _aliases(session: Session, item_id: int, stores: dict[int, str]) -> tuple[AliasRow, ...]:
    rows = session.execute(
        select(ItemAlias.id, ItemAlias.kind, ItemAlias.value, ItemAlias.store_id)
        .where(ItemAlias.item_id == item_id)
        .order_by(ItemAlias.kind, ItemAlias.value_key, ItemAlias.store_id)
    )
    return tuple(
        AliasRow(
            row.id,
            row.kind,
            row.value,
            "" if row.store_id == ANY_STORE else stores.get(row.store_id, f"#{row.store_id}"),
        )
        for row in rows
    )


def _places(session: Session, item_id: int) -> tuple[Place, ...]:
    rows = session.execute(
        select(Warehouse.id, Warehouse.code, Warehouse.name, Balance.on_hand)
        .join(Balance, Balance.warehouse_id == Warehouse.id)
        .where(Balance.item_id == item_id)
        .order_by(Warehouse.id)
    )
    return tuple(Place(row.id, row.code, row.name, row.on_hand) for row in rows)


def _moves(
    session: Session, item_id: int, places: Collection[Place], *, before: int | None, limit: int
) -> tuple[tuple[MoveRow, ...], int | None]:
    query = select(StockMove).where(StockMove.item_id == item_id).order_by(StockMove.id.desc()).limit(limit + 1)
    if before is not None:
        query = query.where(StockMove.id < before)
    found = list(session.scalars(query))
    page = found[:limit]
    left = {place.warehouse_id: place.on_hand for place in places}
    names = {place.warehouse_id: place.code for place in places}
    if before is not None and page:
        for row in session.execute(
            select(StockMove.warehouse_id, func.sum(StockMove.quantity).label("moved"))
            .where(StockMove.item_id == item_id, StockMove.id > page[0].id)
            .group_by(StockMove.warehouse_id)
        ):
            left[row.warehouse_id] = left.get(row.warehouse_id, _ZERO) - row.moved
    documents = _documents(session, page)
    rows: list[MoveRow] = []
    for move in page:
        here = left.get(move.warehouse_id, _ZERO)
        left[move.warehouse_id] = here - move.quantity
        rows.append(
            MoveRow(
                id=move.id,
                day=move.day,
                warehouse=names.get(move.warehouse_id, ""),
                quantity=move.quantity,
                left=here,
                document_type=move.document_type,
                document_id=move.document_id,
                document=documents.get((move.document_type, move.document_id), _UNKNOWN),
            )
        )
    return tuple(rows), page[-1].id if len(found) > limit else None


def _documents(session: Session, moves: Collection[StockMove]) -> dict[tuple[str, int], MoveDocument]:
    """Two statements for all of a page's moves, one each for invoices and receipts."""
    invoices = {move.document_id for move in moves if move.document_type != RECEIPT}
    receipts = {move.document_id for move in moves if move.document_type == RECEIPT}
    found: dict[tuple[str, int], MoveDocument] = {}
    for row in session.execute(
        select(Invoice.id, Invoice.number, Integration.name)
        .join(Integration, Integration.id == Invoice.integration_id)
        .where(Invoice.id.in_(invoices))
    ):
        found[_INVOICE, row.id] = MoveDocument(number=row.number or "", integration=row.name)
    for entered in session.execute(
        select(StockReceipt.id, StockReceipt.note, StockReceipt.entered_by, StockReceipt.entered_at, User.name)
        .join(User, User.email == StockReceipt.entered_by, isouter=True)
        .where(StockReceipt.id.in_(receipts))
    ):
        found[RECEIPT, entered.id] = MoveDocument(
            entered_by=entered.name or entered.entered_by, entered_at=entered.entered_at, note=entered.note
        )
    return found
