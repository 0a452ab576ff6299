"""Where the lines of a typed correction are booked: items and warehouses by what was typed for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from monet_web.domain.checks import KnownItem
from monet_web.domain.correction_lines import Line
from monet_web.domain.correction_typed import Typed, TypedLine
from monet_web.domain.typed import shown
from monet_web.models.items import Item
from monet_web.models.stock import Warehouse
from monet_web.services.books.numbers import number_key
from monet_web.services.documents.correct_open import Opened
from monet_web.services.goods import item_lists
from monet_web.services.importing.booking import Booking, Place
from monet_web.services.importing.facts import items_by_code


@dataclass(frozen=True, slots=True)
class Booked:
    """What the codes of a correction mean: items by code, warehouses code → id."""

    booking: Booking
    items: Mapping[str, KnownItem]
    warehouses: Mapping[str, int]

    def item(self, line: Line) -> KnownItem | None:
        """The item that was typed; None for none, and for a charge, which never has one."""
        return self.items.get(line.item) if line.draft.names_item else None

    def place(self, line: Line) -> Place:
        """The warehouse that was chosen, else that of the settings."""
        return (
            Place(self.warehouses[line.warehouse], line.warehouse)
            if line.warehouse in self.warehouses
            else (self.booking.place)
        )


def resolved(session: Session, opened: Opened, typed: Typed) -> tuple[Typed, dict[str, str], Booked]:
    """The form with codes where a barcode or a name was typed, what can't be found, and what the codes mean.

    A line that was added and has no name takes its item's. Inside a transaction, the same number of queries always.
    """
    texts = [line.item.strip() for line in typed.lines if line.item and line.item.strip()]
    codes = item_lists.codes_of(session, texts)
    named = {
        row.code: row
        for row in session.execute(
            select(Item.code, Item.name, Item.unit).where(
                Item.code_key.in_({number_key(one) for one in codes.values()})
            )
        )
    }
    warehouses = {row.code: row.id for row in session.execute(select(Warehouse.code, Warehouse.id))}
    errors: dict[str, str] = {}
    lines = []
    for line in typed.lines:
        text = (line.item or "").strip()
        if text and text in codes:
            line = _with_item(line, codes[text], named)
        elif text:
            errors[f"item-{line.row}"] = (
                f"There is no item {shown(text)}. Type the code or the name of one, or make it."
            )
        if line.warehouse and line.warehouse not in warehouses:
            errors[f"warehouse-{line.row}"] = f"There is no warehouse {shown(line.warehouse)}. Choose one of the list."
        lines.append(line)
    booked = Booked(opened.booking, items_by_code(session, codes.values()), warehouses)
    return replace(typed, lines=tuple(lines)), errors, booked


def _with_item(line: TypedLine, code: str, named: Mapping[str, object]) -> TypedLine:
    item = named.get(code)
    if item is None or line.origin:
        return replace(line, item=code)
    name, unit = getattr(item, "name", ""), getattr(item, "unit", "")
    return replace(line, item=code, name=line.name or name, unit=line.unit or unit)
