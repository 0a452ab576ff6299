"""Rows of a receipt checked against items, warehouses, days and balances; nothing is written here (F2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from monet_web.domain.errors import BrokenRule
from monet_web.domain.mask import fold
from monet_web.domain.windows import local_day
from monet_web.models.company import Company
from monet_web.models.items import Item, ItemKind
from monet_web.models.stock import Warehouse
from monet_web.services.books import tables
from monet_web.services.books.numbers import number_key
from monet_web.services.books.tables import Mistakes, Wrong

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
class Move:
    """One row that names what there is. `key` is the balance it changes."""

    row: int
    item: Item
    warehouse: Warehouse
    quantity: Decimal
    day: date

    @property
    def key(self) -> BalanceKey:
        """Warehouse and item."""
        return self.warehouse.id, self.item.id


def read_file(data: bytes, mistakes: Mistakes) -> list[Received]:
    """Rows of a file with the header `code,quantity` and, if wanted, `warehouse` and `date`. Raises BrokenRule."""
    received: list[Received] = []
    for row in tables.read(data, required=("code", "quantity"), optional=("warehouse", "date")):
        with mistakes.of(row.number):
            quantity = tables.number_of(row["quantity"], example="12 or 0,5 (−2 takes two out)")
            day = tables.day_of(row["date"]) if row["date"] else None
            received.append(Received(row.number, row["code"], quantity, row["warehouse"], day))
    if not received and not mistakes.found:
        raise BrokenRule("The file receives nothing.", fix="Put one item a row under the header: code,quantity.")
    return received


def check(session: Session, rows: Sequence[Received], mistakes: Mistakes, *, now: datetime) -> list[Move]:
    """The rows that can be moves, the others named in `mistakes`. Inside the caller's transaction."""
    company = session.get_one(Company, 1, populate_existing=True)
    today = local_day(now, ZoneInfo(company.time_zone))
    items = _items(session, [row.code for row in rows])
    warehouses = list(session.scalars(select(Warehouse).order_by(Warehouse.id)))
    moves: list[Move] = []
    for row in rows:
        with mistakes.of(row.row):
            moves.append(
                Move(
                    row=row.row,
                    item=_item(row.code, items),
                    warehouse=_warehouse(row.warehouse, warehouses),
                    quantity=_quantity(row.quantity),
                    day=_day(row.day or today, today, company.closed_until),
                )
            )
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
        raise Wrong(f"There is no item {tables.shown(code)}. Correct the code, or make the item first.")
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


def balances_after(
    moves: Sequence[Move], on_hand: Mapping[BalanceKey, Decimal], mistakes: Mistakes
) -> dict[BalanceKey, Decimal]:
    """The balances after all moves, in the order of their locks; moves that would take one below zero are mistakes."""
    after = dict(on_hand)
    for move in moves:
        after[move.key] = after.get(move.key, _ZERO) + move.quantity
    for move in moves:
        balance = after[move.key]
        if balance < 0 and move.quantity < 0:
            mistakes.add(
                move.row,
                f"{move.item.code} would be at {_plain(balance)} in {move.warehouse.code}, where "
                f"{_plain(on_hand.get(move.key, _ZERO))} is on hand now. "
                f"Take out at most {_plain(max(balance - move.quantity, _ZERO))}.",
            )
        elif balance >= _LARGEST:
            mistakes.add(move.row, f"{move.item.code} would be at {_plain(balance)}. Correct the quantity.")
    return dict(sorted(after.items()))


def _plain(quantity: Decimal) -> str:
    return f"{quantity.normalize():f}" if quantity else "0"
