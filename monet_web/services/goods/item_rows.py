"""Rows of a file as items and what stores call them, checked against what is there; nothing is written here (F1)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from monet_web.domain.errors import BrokenRule
from monet_web.domain.mask import fold
from monet_web.models.integrations import Integration, IntegrationState
from monet_web.models.items import AliasKind, Item, ItemAlias, ItemKind
from monet_web.models.stock import Balance
from monet_web.services.books import columns, tables
from monet_web.services.books.numbers import number_key
from monet_web.services.books.tables import Mistakes, Row, Wrong

REQUIRED = ("code", "name")
OPTIONAL = (
    "kind", "keeps_stock", "unit", "vat_class", "barcode", "sku", "product_id", "variation_id", "aliases", "store",
    "alias_kind", "value",
)  # fmt: skip
ANY_STORE = 0

_KINDS = {"goods": ItemKind.GOODS, "service": ItemKind.SERVICE}
_IN_OTHER_WORDS = {"prekė": "goods", "prekės": "goods", "preke": "goods", "product": "goods", "item": "goods",
    "paslauga": "service", "paslaugos": "service", "services": "service"}  # fmt: skip
_ALIAS_KINDS = {kind.value: kind for kind in AliasKind}
_YES_NO = {"yes": True, "no": False, "1": True, "0": False, "true": True, "false": False, "taip": True, "ne": False}
_ALIAS_SEPARATORS = "|;"
_LONGEST_ALIAS = 200
_MOST_ROUNDS = 20

_COLUMNS_OF_ALIASES = (
    (AliasKind.SKU, "sku"), (AliasKind.PRODUCT, "product_id"), (AliasKind.VARIATION, "variation_id"),
)  # fmt: skip

AliasKey = tuple[int, AliasKind, str]  # store (0: any), kind, folded value


@dataclass(slots=True)
class Typed:
    """One item as the file's rows say it; None: the file does not say."""

    row: int
    code: str
    values: dict[str, Any] = field(default_factory=dict)
    aliases: dict[AliasKey, tuple[int, str]] = field(default_factory=dict)  # → row number, value as typed


@dataclass(frozen=True, slots=True)
class Checked:
    """A file against what is there: items by folded code, the known ones of them, aliases that are new."""

    typed: Mapping[str, Typed]
    known: Mapping[str, Item]
    aliases: Mapping[AliasKey, str]  # → the folded code of its item
    mistakes: Mistakes


def read_file(data: bytes, fields: Sequence[str] | None = None, mistakes: Mistakes | None = None) -> list[Row]:
    """The file's rows; `fields`, `mistakes` as of `tables.read`. Raises BrokenRule."""
    if fields is None:
        return tables.read(data, required=REQUIRED, optional=OPTIONAL, mistakes=mistakes)
    columns.refuse_twice(fields)
    if "code" not in fields:
        raise BrokenRule("No column is the item's code.", fix="Say which column it is; a SKU will do.")
    return tables.read(data, required=("code",), optional=("name", *OPTIONAL), fields=fields, mistakes=mistakes)


def check_good(session: Session, rows: Sequence[Row]) -> tuple[Checked, list[tuple[int, str]], int]:
    """The rows that can be used, checked; every wrong row with its reason; how many rows are good.

    A row that is taken out may be what another one needed, so what is left is checked again until nothing is wrong.
    """
    wrong: list[tuple[int, str]] = []
    left = list(rows)
    for _ in range(_MOST_ROUNDS):
        checked = check(session, left)
        if not checked.mistakes.found:
            return checked, sorted(wrong), len(left)
        wrong += checked.mistakes.found
        gone = {row for row, _ in checked.mistakes.found}
        left = [row for row in left if row.number not in gone]
    return check(session, []), sorted(wrong), 0


def check(session: Session, rows: Sequence[Row]) -> Checked:
    """Rows as items, every mistake collected. Inside the caller's transaction."""
    mistakes = Mistakes()
    items = _read(rows, _stores(session), mistakes)
    known = _known_items(session, list(items))
    _check_against_known(session, items, known, mistakes)
    aliases = _fresh_aliases(session, items, known, mistakes)
    return Checked(items, known, aliases, mistakes)


# --- reading ----------------------------------------------------------------------------------------------------


def _read(rows: Sequence[Row], stores: Mapping[str, tuple[int, str]], mistakes: Mistakes) -> dict[str, Typed]:
    """Items by folded code; rows of one code are one item, whose later rows add aliases."""
    items: dict[str, Typed] = {}
    for row in rows:
        with mistakes.of(row.number):
            code = tables.short(row["code"], 120, column="code")
            if not code:
                raise Wrong("It has no code. Type the item's code, as KN-01.")
            item = items.setdefault(number_key(code), Typed(row.number, code))
            for name, value in _values(row).items():
                if item.values.setdefault(name, value) != value:
                    raise Wrong(f"{code} is on row {item.row} too, with another {name}. Keep one of the two.")
            for key, value in _aliases(row, stores).items():
                item.aliases.setdefault(key, (row.number, value))
    return items


def _values(row: Row) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if row["name"]:
        values["name"] = tables.short(row["name"], 400, column="name")
    if row["kind"] and fold(row["kind"]) not in _ALIAS_KINDS:
        word = fold(row["kind"])
        values["kind"] = tables.one_of(_IN_OTHER_WORDS.get(word, row["kind"]), _KINDS, column="kind")
    if row["keeps_stock"]:
        values["keeps_stock"] = tables.one_of(row["keeps_stock"], _YES_NO, column="keeps_stock")
    if row["unit"]:
        values["unit"] = tables.short(row["unit"], 20, column="unit")
    if row["vat_class"]:
        values["vat_class"] = tables.short(row["vat_class"], 40, column="vat_class")
    return values


def _aliases(row: Row, stores: Mapping[str, tuple[int, str]]) -> dict[AliasKey, str]:
    """The aliases a row gives: barcode, sku, the store's ids, the list `aliases` (sku unless written kind:value), and
    store, kind, value.
    """
    store = _store(row["store"], stores)
    found: dict[AliasKey, str] = {}
    typed = [(AliasKind.BARCODE, ANY_STORE, row["barcode"])] if row["barcode"] else []
    for alias_kind, column in _COLUMNS_OF_ALIASES:
        # A line finds its item by the code too.
        if row[column] and not (alias_kind is AliasKind.SKU and number_key(row[column]) == number_key(row["code"])):
            typed.append((alias_kind, store, row[column]))
    text = row["aliases"]
    for separator in _ALIAS_SEPARATORS:
        text = text.replace(separator, "\n")
    for part in text.splitlines():
        kind, colon, value = part.partition(":")
        if colon and fold(kind) in _ALIAS_KINDS:
            typed.append((_ALIAS_KINDS[fold(kind)], store, value.strip()))
        elif part.strip():
            typed.append((AliasKind.SKU, store, part.strip()))
    kind_text = row["alias_kind"] or (row["kind"] if fold(row["kind"]) in _ALIAS_KINDS else "")
    if row["value"]:
        kind_of_value = tables.one_of(kind_text or "sku", _ALIAS_KINDS, column="kind of the alias")
        typed.append((kind_of_value, store, row["value"]))
    elif kind_text:
        raise Wrong(f"It names an alias of kind {tables.shown(kind_text)} but no value. Type it in the column value.")
    for alias_kind, store_id, value in typed:
        if not value:
            raise Wrong("An alias is empty. Type it, or take its kind out.")
        found[store_id, alias_kind, number_key(tables.short(value, _LONGEST_ALIAS, column="alias"))] = value
    return found


def _store(name: str, stores: Mapping[str, tuple[int, str]]) -> int:
    if not name:
        return ANY_STORE
    if fold(name) not in stores:
        names = ", ".join(shown for _, shown in stores.values())
        raise Wrong(
            f"There is no integration named {tables.shown(name)}. "
            + (f"Type one of: {names}; or leave it empty." if names else "Leave the column store empty.")
        )
    return stores[fold(name)][0]


def _stores(session: Session) -> dict[str, tuple[int, str]]:
    rows = session.execute(
        select(Integration.name_key, Integration.name, Integration.store_id).where(
            Integration.state != IntegrationState.RETIRED
        )
    )
    return {row.name_key: (row.store_id, row.name) for row in rows}


# --- against what is there --------------------------------------------------------------------------------------


def _known_items(session: Session, keys: Sequence[str]) -> dict[str, Item]:
    known: dict[str, Item] = {}
    for part in tables.in_parts(keys):
        query = select(Item).where(Item.code_key.in_(part)).execution_options(populate_existing=True)
        known.update({item.code_key: item for item in session.scalars(query)})
    return known


def _check_against_known(
    session: Session, items: Mapping[str, Typed], known: Mapping[str, Item], mistakes: Mistakes
) -> None:
    losing_stock: dict[int, Typed] = {}
    named_already = {row for row, _ in mistakes.found}
    for key, typed in items.items():
        if typed.row in named_already:
            continue  # its values were not read, so nothing true can be said of them
        with mistakes.of(typed.row):
            item = known.get(key)
            if item is None and not typed.values.get("name"):
                raise Wrong(f"The new item {typed.code} has no name. Type one.")
            kind = typed.values.get("kind", item.kind if item else ItemKind.GOODS)
            if kind is ItemKind.SERVICE and typed.values.get("keeps_stock"):
                raise Wrong(f"{typed.code} is a service, and services keep no stock. Type keeps_stock no.")
            if item is None:
                typed.values.setdefault("kind", kind)
                typed.values.setdefault("keeps_stock", kind is ItemKind.GOODS)
            elif kind is ItemKind.SERVICE:
                typed.values["keeps_stock"] = False
            if item is not None and item.keeps_stock and typed.values.get("keeps_stock") is False:
                losing_stock[item.id] = typed
    for item_id in _on_hand(session, list(losing_stock)):
        typed = losing_stock[item_id]
        mistakes.add(
            typed.row,
            f"{typed.code} has stock on hand, which would be forgotten. Take it out by a correction first.",
        )


def _on_hand(session: Session, item_ids: Sequence[int]) -> list[int]:
    found: list[int] = []
    for part in tables.in_parts(item_ids):
        found += session.scalars(
            select(Balance.item_id).where(Balance.item_id.in_(part), Balance.on_hand > 0).distinct()
        )
    return found


def _fresh_aliases(
    session: Session, items: Mapping[str, Typed], known: Mapping[str, Item], mistakes: Mistakes
) -> dict[AliasKey, str]:
    """Aliases that do not exist yet → the folded code of their item; one that means another item is a mistake."""
    wanted: dict[AliasKey, str] = {}
    for code_key, typed in items.items():
        for key, (row, value) in typed.aliases.items():
            other = wanted.setdefault(key, code_key)
            if other != code_key:
                mistakes.add(
                    row, f"{key[1].value} {tables.shown(value)} is given to {items[other].code} too. Keep one."
                )
    there = _known_aliases(session, {value for _, _, value in wanted})
    fresh: dict[AliasKey, str] = {}
    for key, code_key in wanted.items():
        if key not in there:
            fresh[key] = code_key
            continue
        item_id, item_code = there[key]
        item = known.get(code_key)
        if item is None or item.id != item_id:
            row, value = items[code_key].aliases[key]
            mistakes.add(
                row,
                f"{key[1].value} {tables.shown(value)} means the item {item_code} already, so it can't mean "
                f"{items[code_key].code}. Take it out of one of them.",
            )
    return fresh


def _known_aliases(session: Session, values: Collection[str]) -> dict[AliasKey, tuple[int, str]]:
    found: dict[AliasKey, tuple[int, str]] = {}
    for part in tables.in_parts(sorted(values)):
        rows = session.execute(
            select(ItemAlias.store_id, ItemAlias.kind, ItemAlias.value_key, ItemAlias.item_id, Item.code)
            .join(Item, Item.id == ItemAlias.item_id)
            .where(ItemAlias.value_key.in_(part))
        )
        found.update({(row.store_id, row.kind, row.value_key): (row.item_id, row.code) for row in rows})
    return found
