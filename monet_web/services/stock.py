"""Goods received and corrected: the moves, and the balances they add up to (F2). Quantities only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import insert, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from monet_web.domain.errors import BrokenRule
from monet_web.domain.mask import fold
from monet_web.domain.windows import local_day
from monet_web.models.base import take_ids, writing
from monet_web.models.company import Company
from monet_web.models.items import Item, ItemKind
from monet_web.models.stock import Balance, StockMove, StockReceipt, Warehouse
from monet_web.services import audit, tables
from monet_web.services.numbers import number_key
from monet_web.services.tables import Mistakes, Wrong

RECEIPT = "receipt"
_PLACES = 6
_LARGEST = Decimal(10) ** 10  # far from the 64 bits that hold millionths
_ZERO = Decimal(0)

BalanceKey = tuple[int, int]  # (warehouse, item)


@dataclass(frozen=True, slots=True)
class Received:
    """One row of a receipt as typed. `row` names it in messages; `warehouse` "" is the first, `day` None is today."""

    row: int
    code: str
    quantity: Decimal  # negative: a correction
    warehouse: str = ""
    day: date | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was entered: how many rows and items, and the receipts (one a day) that hold them."""

    rows: int
    items: int
    receipt_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Move:
    row: int
    item: Item
    warehouse: Warehouse
    quantity: Decimal
    day: date


def receive_file(session: Session, data: bytes, *, note: str, now: datetime, actor: str) -> Receipt:
    """`receive` from a CSV file with the header `code,quantity` and, if wanted, `warehouse` and `date`.

    Raises BrokenRule; WrongRows names every wrong row, whether it can't be read or can't be entered.
    """
    mistakes = Mistakes()
    rows = _read(data, mistakes)
    return _receive(session, rows, mistakes, note=note, now=now, actor=actor)


def _read(data: bytes, mistakes: Mistakes) -> list[Received]:
    received: list[Received] = []
    for row in tables.read(data, required=("code", "quantity"), optional=("warehouse", "date")):
        with mistakes.of(row.number):
            quantity = tables.number_of(row["quantity"], example="12 or 0,5 (−2 takes two out)")
            day = tables.day_of(row["date"]) if row["date"] else None
            received.append(Received(row.number, row["code"], quantity, row["warehouse"], day))
    if not received and not mistakes.found:
        raise BrokenRule("The file receives nothing.", fix="Put one item a row under the header: code,quantity.")
    return received


def receive(session: Session, rows: Sequence[Received], *, note: str, now: datetime, actor: str) -> Receipt:
    """Enter goods received, negative quantities being corrections: all rows or none, in a transaction of its own.

    An item of goods that kept no stock keeps it from now on. Raises BrokenRule (WrongRows naming each).
    """
    return _receive(session, rows, Mistakes(), note=note, now=now, actor=actor)


def _receive(
    session: Session, rows: Sequence[Received], mistakes: Mistakes, *, note: str, now: datetime, actor: str
) -> Receipt:
    with writing(session):
        moves = _checked(session, rows, mistakes, now)
        on_hand = lock_balances(session, {(move.warehouse.id, move.item.id) for move in moves})
        after = _after(moves, on_hand)
        receipt_ids = _write_moves(session, moves, note=note, now=now, actor=actor)
        for (warehouse_id, item_id), quantity in after.items():
            session.execute(
                update(Balance)
                .where(Balance.warehouse_id == warehouse_id, Balance.item_id == item_id)
                .values(on_hand=quantity)
                .execution_options(synchronize_session=False)
            )
        _keep_stock_from_now(session, moves, now=now, actor=actor)
    return Receipt(rows=len(moves), items=len({move.item.id for move in moves}), receipt_ids=receipt_ids)


def lock_balances(session: Session, keys: Collection[BalanceKey]) -> dict[BalanceKey, Decimal]:
    """What is on hand, the rows locked in (warehouse, item) order; those that do not exist are made with zero."""
    ordered = sorted(keys)
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    found: dict[BalanceKey, Decimal] = {}
    for part in tables.in_parts(ordered):
        # A row that does not exist can't be locked: of two who receive a new item one would forget the other.
        session.execute(
            dialect.insert(Balance).on_conflict_do_nothing(index_elements=["warehouse_id", "item_id"]),
            [{"warehouse_id": warehouse, "item_id": item, "on_hand": _ZERO} for warehouse, item in part],
        )
        locked = session.execute(
            select(Balance.warehouse_id, Balance.item_id, Balance.on_hand)
            .where(tuple_(Balance.warehouse_id, Balance.item_id).in_(part))
            .order_by(Balance.warehouse_id, Balance.item_id)
            .with_for_update()
        )
        found.update({(row.warehouse_id, row.item_id): row.on_hand for row in locked})
    return found


# --- checks -----------------------------------------------------------------------------------------------------


def _checked(session: Session, rows: Sequence[Received], mistakes: Mistakes, now: datetime) -> list[_Move]:
    company = session.get_one(Company, 1, populate_existing=True)
    today = local_day(now, ZoneInfo(company.time_zone))
    items = _items(session, [row.code for row in rows])
    warehouses = list(session.scalars(select(Warehouse).order_by(Warehouse.id)))
    moves: list[_Move] = []
    for row in rows:
        with mistakes.of(row.row):
            moves.append(
                _Move(
                    row=row.row,
                    item=_item(row.code, items),
                    warehouse=_warehouse(row.warehouse, warehouses),
                    quantity=_quantity(row.quantity),
                    day=_day(row.day or today, today, company.closed_until),
                )
            )
    mistakes.refuse()
    return moves


def _items(session: Session, codes: Sequence[str]) -> dict[str, Item]:
    keys = sorted({number_key(code) for code in codes})
    found: dict[str, Item] = {}
    for part in tables.in_parts(keys):
        query = select(Item).where(Item.code_key.in_(part)).execution_options(populate_existing=True)
        found.update({item.code_key: item for item in session.scalars(query)})
    return found


def _item(code: str, items: Mapping[str, Item]) -> Item:
    item = items.get(number_key(code))
    if not code:
        raise Wrong("It has no code. Type the item's code.")
    if item is None:
        raise Wrong(
            f"There is no item {tables.shown(code)}. Correct the code, or make the item first "
            "(monet items import FILE.csv)."
        )
    if item.kind is ItemKind.SERVICE:
        raise Wrong(f"{item.code} is a service, and services keep no stock. Take this row out.")
    return item


def _warehouse(code: str, warehouses: Sequence[Warehouse]) -> Warehouse:
    if not warehouses:
        raise BrokenRule("There is no warehouse.", fix="Make one first: goods must lie somewhere.")
    if not code:
        return warehouses[0]
    for warehouse in warehouses:
        if fold(warehouse.code) == fold(code):
            return warehouse
    codes = ", ".join(warehouse.code for warehouse in warehouses)
    raise Wrong(f"There is no warehouse {tables.shown(code)}. Type one of: {codes}; or leave it empty for the first.")


def _quantity(quantity: Decimal) -> Decimal:
    if not quantity:
        raise Wrong("The quantity is zero. Type how many came, or take this row out.")
    if abs(quantity) >= _LARGEST:
        raise Wrong(f"The quantity {quantity:f} is too large. Type it below {_LARGEST:f}.")
    if quantity != round(quantity, _PLACES):
        raise Wrong(f"The quantity {quantity:f} has more than {_PLACES} decimals. Round it.")
    return quantity


def _day(day: date, today: date, closed_until: date | None) -> date:
    if day > today:
        raise Wrong(f"{day} is in the future. Type a day up to today, {today}.")
    if closed_until is not None and day <= closed_until:
        raise Wrong(
            f"{day} is in a closed period (closed until {closed_until}). Type a later day, or ask an accountant to "
            "reopen the period."
        )
    return day


def _after(moves: Sequence[_Move], on_hand: Mapping[BalanceKey, Decimal]) -> dict[BalanceKey, Decimal]:
    """The balances after all rows, in the order of their locks. Raises WrongRows where one would be below zero."""
    after = dict(on_hand)
    for move in moves:
        after[move.warehouse.id, move.item.id] += move.quantity
    mistakes = Mistakes()
    for move in moves:
        key = (move.warehouse.id, move.item.id)
        if after[key] < 0 and move.quantity < 0:
            mistakes.add(
                move.row,
                f"{move.item.code} would be at {_plain(after[key])} in {move.warehouse.code}, where "
                f"{_plain(on_hand[key])} is on hand now. "
                f"Take out at most {_plain(max(after[key] - move.quantity, _ZERO))}.",
            )
        elif after[key] >= _LARGEST:
            mistakes.add(move.row, f"{move.item.code} would be at {_plain(after[key])}. Correct the quantity.")
    mistakes.refuse()
    return dict(sorted(after.items()))


def _plain(quantity: Decimal) -> str:
    return f"{quantity.normalize():f}" if quantity else "0"


# --- writing ----------------------------------------------------------------------------------------------------


def _write_moves(session: Session, moves: Sequence[_Move], *, note: str, now: datetime, actor: str) -> tuple[int, ...]:
    """One receipt a day, its moves numbered in the order of the rows."""
    by_day: dict[date, list[_Move]] = defaultdict(list)
    for move in moves:
        by_day[move.day].append(move)
    ids = take_ids(session, StockReceipt.__tablename__, len(by_day))
    receipts: list[dict[str, Any]] = []
    rows: list[dict[str, Any]] = []
    for receipt_id, (day, of_day) in zip(ids, sorted(by_day.items()), strict=True):
        receipts.append(
            {"id": receipt_id, "day": day, "note": note[:400], "entered_by": actor[:200], "entered_at": now}
        )
        rows += [
            {"document_type": RECEIPT, "document_id": receipt_id, "position": position, "item_id": move.item.id,
             "warehouse_id": move.warehouse.id, "quantity": move.quantity, "day": day}
            for position, move in enumerate(of_day, start=1)
        ]  # fmt: skip
    session.execute(insert(StockReceipt), receipts)
    session.execute(insert(StockMove), rows)
    changes = [
        audit.Change(receipt_id, after={"day": day, "rows": len(of_day), "note": note})
        for receipt_id, (day, of_day) in zip(ids, sorted(by_day.items()), strict=True)
    ]
    audit.rows(session, at=now, actor=actor, action="stock_received", subject_kind="stock_receipt", changes=changes)
    return tuple(ids)


def _keep_stock_from_now(session: Session, moves: Sequence[_Move], *, now: datetime, actor: str) -> None:
    """Items that were made for unknown lines keep no stock until somebody receives some (A6)."""
    items = {move.item.id: move.item for move in moves if not move.item.keeps_stock}
    for item in items.values():
        item.keeps_stock = True
    changes = [audit.Change(id_, before={"keeps_stock": False}, after={"keeps_stock": True}) for id_ in items]
    audit.rows(session, at=now, actor=actor, action="item_changed", subject_kind="item", changes=changes)
