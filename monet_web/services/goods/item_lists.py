"""Items as pages show them: found by code, name or what a store calls them, with what is on hand and what waits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import ColumnElement, Select, exists, func, or_, select
from sqlalchemy.orm import Session

from monet_web.domain.mask import fold
from monet_web.models.invoices import IS_WAITING, Invoice, InvoiceLine
from monet_web.models.items import Item, ItemAlias, ItemKind
from monet_web.models.stock import Balance, Warehouse
from monet_web.services.books import waiting_figures
from monet_web.services.books.numbers import number_key

PAGE = 50
FILTERS = ("stock", "none", "waiting")  # keeps stock; keeps stock and has none; is on waiting invoices
_MOST_WORDS = 6
_MOST_BOUND = 5000  # values in one statement
_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class ItemRow:
    """One item of a list. `places`: (warehouse, on hand) where there is any; `waiting`: invoices in journals."""

    id: int
    code: str
    name: str
    kind: ItemKind
    keeps_stock: bool
    unit: str
    on_hand: Decimal
    places: tuple[tuple[str, Decimal], ...]
    waiting: int


@dataclass(frozen=True, slots=True)
class Counts:
    """How many items there are, keep stock but have none, are on waiting invoices."""

    all: int
    none: int
    waiting: int


def list_items(
    session: Session, *, words: str = "", only: str = "", after: str = "", limit: int = PAGE
) -> tuple[list[ItemRow], str | None]:
    """One page by code, and where the next begins (None: this was the last).

    Four statements, whatever is found, and one more when what waits has changed.
    """
    on_invoices = waiting_figures.of_items(session)
    query = _found(words).order_by(Item.code_key).limit(limit + 1)
    if only == "waiting":
        query = query.where(_on_waiting_invoice(on_invoices))
    elif only in _CONDITIONS:
        query = query.where(*_CONDITIONS[only])
    if after:
        query = query.where(Item.code_key > after)
    items = list(session.scalars(query))
    page = items[:limit]
    ids = [item.id for item in page]
    places = _places(session, ids)
    rows = [
        ItemRow(
            id=item.id,
            code=item.code,
            name=item.name,
            kind=item.kind,
            keeps_stock=item.keeps_stock,
            unit=item.unit,
            on_hand=sum((quantity for _, quantity in places[item.id]), _ZERO),
            places=tuple(places[item.id]),
            waiting=on_invoices.get(item.id, 0),
        )
        for item in page
    ]
    return rows, page[-1].code_key if len(items) > limit else None


def count_items(session: Session) -> Counts:
    """What the head of the list says."""
    every = select(func.count()).select_from(Item)
    return Counts(
        all=session.scalar(every) or 0,
        none=session.scalar(every.where(*_CONDITIONS["none"])) or 0,
        waiting=len(waiting_figures.of_items(session)),
    )


def suggest(session: Session, words: str, limit: int = 12, *, services: bool = False) -> list[ItemRow]:
    """A few items for what is typed into a field, goods alone or `services` too."""
    if not words.strip():
        return []
    query = _found(words).order_by(Item.code_key).limit(limit)
    if not services:
        query = query.where(Item.kind == ItemKind.GOODS)
    items = list(session.scalars(query))
    places = _places(session, [item.id for item in items])
    return [
        ItemRow(
            item.id, item.code, item.name, item.kind, item.keeps_stock, item.unit,
            sum((quantity for _, quantity in places[item.id]), _ZERO), (), 0,
        )
        for item in items
    ]  # fmt: skip


def codes_of(session: Session, typed: Collection[str]) -> dict[str, str]:
    """What was typed into fields of items → the item's code: typed as its code, one of its aliases, or its whole name.

    What means no item, or several, is left out. Three statements.
    """
    wanted = {number_key(text) for text in typed if text.strip()}
    if not wanted:
        return {}
    named: dict[str, set[str]] = defaultdict(set)
    for row in session.execute(select(Item.code_key, Item.code).where(Item.code_key.in_(wanted))):
        named[row.code_key].add(row.code)
    by_alias = (
        select(ItemAlias.value_key, Item.code)
        .join(Item, Item.id == ItemAlias.item_id)
        .where(ItemAlias.value_key.in_(wanted - named.keys()))
    )
    for alias in session.execute(by_alias).all():
        named[alias.value_key].add(alias.code)
    by_name = select(Item.name_key, Item.code).where(Item.name_key.in_(wanted - named.keys()))
    for item in session.execute(by_name).all():
        named[item.name_key].add(item.code)
    sure = {key: next(iter(codes)) for key, codes in named.items() if len(codes) == 1}
    return {text: sure[number_key(text)] for text in typed if number_key(text) in sure}


def _found(words: str) -> Select[Item]:
    """Every word must stand in the code, in the name or in an alias."""
    query = select(Item)
    for word in fold(words).split()[:_MOST_WORDS]:
        by_alias = select(ItemAlias.item_id).where(ItemAlias.value_key.contains(word, autoescape=True))
        query = query.where(
            or_(
                Item.code_key.contains(word, autoescape=True),
                Item.name_key.contains(word, autoescape=True),
                Item.id.in_(by_alias),
            )
        )
    return query


def _on_waiting_invoice(on_invoices: Collection[int]) -> ColumnElement[bool]:
    if len(on_invoices) <= _MOST_BOUND:
        return Item.id.in_(on_invoices)
    # From the few invoices that wait to their items: the other way round every line ever sold would be looked at.
    return Item.id.in_(
        select(InvoiceLine.item_id)
        .join(Invoice, Invoice.id == InvoiceLine.invoice_id)
        .where(IS_WAITING, InvoiceLine.item_id.is_not(None))
    )


_CONDITIONS: dict[str, tuple[ColumnElement[bool], ...]] = {
    "stock": (Item.keeps_stock.is_(True),),
    "none": (
        Item.keeps_stock.is_(True),
        ~exists(select(Balance.item_id).where(Balance.item_id == Item.id, Balance.on_hand > 0)),
    ),
}


def _places(session: Session, ids: Collection[int]) -> dict[int, list[tuple[str, Decimal]]]:
    found: dict[int, list[tuple[str, Decimal]]] = defaultdict(list)
    if ids:
        rows = session.execute(
            select(Balance.item_id, Warehouse.code, Balance.on_hand)
            .join(Warehouse, Warehouse.id == Balance.warehouse_id)
            .where(Balance.item_id.in_(ids), Balance.on_hand > 0)
            .order_by(Warehouse.id)
        )
        for row in rows:
            found[row.item_id].append((row.code, row.on_hand))
    return found
