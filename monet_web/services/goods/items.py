"""Items and what stores call them, from a file: all of it or none, every wrong row named (F1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from monet_web.models.base import reading, take_ids, writing
from monet_web.models.items import AliasKind, Item, ItemAlias
from monet_web.services import audit
from monet_web.services.books import columns
from monet_web.services.books.tables import Mistakes
from monet_web.services.goods import item_columns, item_rows
from monet_web.services.goods.item_rows import AliasKey, Checked, Typed

_FIELDS = ("name", "kind", "keeps_stock", "vat_class", "unit")


@dataclass(frozen=True, slots=True)
class ItemsImported:
    """What a file of items brought; `aliases` counts the new ones, `left_out` the rows that could not be used."""

    added: int
    changed: int
    same: int
    aliases: int
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class PlannedItem:
    """What a file would do to one item. `changes`: field → (before, after), before None when the item is new."""

    row: int
    code: str
    is_new: bool
    changes: Mapping[str, tuple[Any, Any]]
    aliases: tuple[tuple[AliasKind, str], ...]


@dataclass(frozen=True, slots=True)
class ItemsPlan:
    """What the good rows of a file would bring: items new or changed in the order of the file; every row that can't be
    used with its reason; `good` counts the rows that can.
    """

    items: tuple[PlannedItem, ...]
    same: int
    wrong: tuple[tuple[int, str], ...]
    good: int = 0

    @property
    def added(self) -> int:
        """How many items would be new."""
        return sum(item.is_new for item in self.items)

    @property
    def changed(self) -> int:
        """How many known items would get other values."""
        return sum(not item.is_new and bool(item.changes) for item in self.items)

    @property
    def aliases(self) -> int:
        """How many new names of stores would be known."""
        return sum(len(item.aliases) for item in self.items)


def import_items(
    session: Session,
    data: bytes,
    *,
    now: datetime,
    actor: str,
    fields: Sequence[str] | None = None,
    good_only: bool = False,
    wrong: Sequence[tuple[int, str]] = (),
) -> ItemsImported:
    """Items from a CSV or XLSX file with the header `code,name` and any of OPTIONAL, in a transaction of its own.

    An item that exists gets what the file says; an empty cell leaves what is there. `fields`: what each column is, ""
    for one that is left out, whatever the header says; it is remembered for the next file. `good_only`: rows that
    can't be used are left out, those of `wrong` among them. Raises BrokenRule (WrongRows without `good_only`).
    """
    mistakes = Mistakes([*wrong])
    rows = item_rows.read_file(data, fields, mistakes)
    if not good_only:
        mistakes.refuse()
    with writing(session):
        if good_only:
            checked, also_wrong, _ = item_rows.check_good(session, rows)
            mistakes.found += also_wrong
        else:
            checked = item_rows.check(session, rows)
            checked.mistakes.refuse()
        done = _write(session, checked, now=now, actor=actor)
        if fields is not None:
            columns.remember(session, data, fields, purpose=item_columns.PURPOSE)
    return replace(done, left_out=len({row for row, _ in mistakes.found}))


def preview(
    session: Session, data: bytes, *, fields: Sequence[str] | None = None, wrong: Sequence[tuple[int, str]] = ()
) -> ItemsPlan:
    """What `import_items` would do with the file's good rows; writes nothing, in a reading transaction of its own.

    `wrong`: rows known to be unusable already. Raises BrokenRule for a file that can't be read at all.
    """
    mistakes = Mistakes([*wrong])
    rows = item_rows.read_file(data, fields, mistakes)
    with reading(session):
        checked, also_wrong, good = item_rows.check_good(session, rows)
        new_aliases: dict[str, list[tuple[AliasKind, str]]] = {}
        for key, code_key in checked.aliases.items():
            value = checked.typed[code_key].aliases[key][1]
            new_aliases.setdefault(code_key, []).append((key[1], value))
        planned = [
            _planned(typed, checked.known.get(code_key), tuple(new_aliases.get(code_key, ())))
            for code_key, typed in checked.typed.items()
        ]
    touched = tuple(item for item in planned if item.is_new or item.changes or item.aliases)
    return ItemsPlan(touched, len(planned) - len(touched), tuple(sorted(mistakes.found + also_wrong)), good)


def proposed_columns(session: Session, data: bytes) -> tuple[columns.Column, ...]:
    """Every column of a file of items with what it is taken for; the SKU is the code where nothing else is.

    In a reading transaction of its own. Raises BrokenRule for a file that can't be read.
    """
    with reading(session):
        found = columns.proposed(session, data, purpose=item_columns.PURPOSE, words=item_columns.WORDS)
    if any(column.field == "code" for column in found):
        return found
    by_sku = [replace(column, field="code", is_sure=False) if column.field == "sku" else column for column in found]
    return tuple(by_sku)


def _planned(typed: Typed, item: Item | None, aliases: tuple[tuple[AliasKind, str], ...]) -> PlannedItem:
    if item is None:
        return PlannedItem(typed.row, typed.code, True, {key: (None, to) for key, to in typed.values.items()}, aliases)
    changes = {key: (getattr(item, key), to) for key, to in typed.values.items() if getattr(item, key) != to}
    return PlannedItem(typed.row, item.code, False, changes, aliases)


# --- writing ----------------------------------------------------------------------------------------------------


def _write(session: Session, checked: Checked, *, now: datetime, actor: str) -> ItemsImported:
    items, known, aliases = checked.typed, checked.known, checked.aliases
    fresh = [key for key in items if key not in known]
    ids = dict(zip(fresh, take_ids(session, Item.__tablename__, len(fresh)), strict=True))
    new_rows = [_new_row(ids[key], key, items[key]) for key in fresh]
    if new_rows:
        session.execute(insert(Item), new_rows)
    added = [audit.Change(row["id"], after={name: row[name] for name in ("code", *_FIELDS)}) for row in new_rows]
    changed: list[audit.Change] = []
    for key, item in known.items():
        differing = {name: value for name, value in items[key].values.items() if getattr(item, name) != value}
        if differing:
            before = {name: getattr(item, name) for name in differing}
            for name, value in differing.items():
                setattr(item, name, value)
            changed.append(audit.Change(item.id, before=before, after=differing))
    session.flush()
    ids.update({key: item.id for key, item in known.items()})
    _write_aliases(session, items, aliases, ids, now=now, actor=actor)
    audit.rows(session, at=now, actor=actor, action="item_added", subject_kind="item", changes=added)
    audit.rows(session, at=now, actor=actor, action="item_changed", subject_kind="item", changes=changed)
    return ItemsImported(
        added=len(added), changed=len(changed), same=len(items) - len(added) - len(changed), aliases=len(aliases)
    )


def _new_row(item_id: int, key: str, typed: Typed) -> dict[str, Any]:
    return {"id": item_id, "code": typed.code, "code_key": key, "vat_class": "", "unit": "", **typed.values}


def _write_aliases(
    session: Session,
    items: Mapping[str, Typed],
    aliases: Mapping[AliasKey, str],
    ids: Mapping[str, int],
    *,
    now: datetime,
    actor: str,
) -> None:
    rows: list[dict[str, Any]] = [
        {"store_id": key[0], "kind": key[1], "value": items[code_key].aliases[key][1], "value_key": key[2],
         "item_id": ids[code_key]}
        for key, code_key in aliases.items()
    ]  # fmt: skip
    if rows:
        session.execute(insert(ItemAlias), rows)
        changes = [
            audit.Change(row["item_id"], after={"store": row["store_id"], "kind": row["kind"], "value": row["value"]})
            for row in rows
        ]
        audit.rows(session, at=now, actor=actor, action="alias_added", subject_kind="item", changes=changes)
