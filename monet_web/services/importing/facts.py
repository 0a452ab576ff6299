"""Facts for a whole page of orders at once: living documents, taken numbers, items, rates; never a query an order."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, FromClause, and_, bindparam, func, select
from sqlalchemy.orm import Session

from monet_web.domain.checks import DATE_BY_HAND, KnownItem, keys_to_find, line_keys
from monet_web.domain.invoices import DraftLine
from monet_web.models.among import among, table_of
from monet_web.models.company import TakenNumber
from monet_web.models.invoices import AccountingType, Invoice, InvoiceFinding, InvoiceKind, InvoiceState
from monet_web.models.items import AliasKind, Item, ItemAlias, ItemKind
from monet_web.services.books.numbers import number_key

CHANGED = "changed_in_store"
# Its subjects, which are the kinds of changes: "" the order is another one, and these.
CANCELLED = "cancelled"  # nothing was sold after all: cancelled, unpaid, given back in full, deleted
REFUNDED_ONLY = "refunded"  # some money was given back, and nothing else is new
IGNORED = "change_ignored"  # a person said why a change does not matter
NUMBER_BY_HAND = "number_by_hand"


@dataclass(frozen=True, slots=True)
class Living:
    """The living invoice of an order: at most one."""

    id: int
    external_id: str
    store_order_id: int
    state: InvoiceState
    number: str | None
    touched: bool
    drafted_from_version_id: int
    opened_by_run_id: int | None
    journal_id: int | None
    accounting_type: AccountingType
    currency: str
    total: Decimal
    flagged_version: str  # the version a changed_in_store finding already speaks of, "" when there is none
    row_version: int
    number_by_hand: bool = False  # a person typed its number: it keeps it, whatever the settings say
    revision: int = 1  # how manieth document of its order it is: those before it were credited
    issue_date: date | None = None
    date_by_hand: bool = False  # a person dated it, since its own date lies in a closed period


def living_invoices(session: Session, store_id: int, external_ids: Collection[str]) -> dict[str, Living]:
    """External id → its living invoice."""
    rows = session.execute(_LIVING, {"store_id": store_id, "external_ids": external_ids})
    return {
        invoice.external_id: Living(
            id=invoice.id,
            external_id=invoice.external_id,
            store_order_id=invoice.store_order_id,
            state=invoice.state,
            number=invoice.number,
            touched=invoice.touched_at is not None,
            drafted_from_version_id=invoice.drafted_from_version_id,
            opened_by_run_id=invoice.opened_by_run_id,
            journal_id=invoice.journal_id,
            accounting_type=invoice.accounting_type,
            currency=invoice.currency,
            total=invoice.total,
            flagged_version=str((invoice.flagged or {}).get("version", "")),
            row_version=invoice.row_version,
            number_by_hand=invoice.typed_id is not None,
            revision=invoice.revision,
            issue_date=invoice.issue_date,
            date_by_hand=invoice.dated_id is not None,
        )
        for invoice in rows
    }


_INVOICES, _FINDINGS = table_of(Invoice).c, table_of(InvoiceFinding)
_flagged, _typed, _dated = _FINDINGS.alias(), _FINDINGS.alias(), _FINDINGS.alias()


def _said(finding: FromClause, code: str) -> ColumnElement[bool]:
    return and_(finding.c.invoice_id == _INVOICES.id, finding.c.code == code)


_LIVING = (
    select(
        _INVOICES.id,
        _INVOICES.external_id,
        _INVOICES.store_order_id,
        _INVOICES.state,
        _INVOICES.number,
        _INVOICES.touched_at,
        _INVOICES.drafted_from_version_id,
        _INVOICES.opened_by_run_id,
        _INVOICES.journal_id,
        _INVOICES.accounting_type,
        _INVOICES.currency,
        _INVOICES.total,
        _INVOICES.row_version,
        _INVOICES.revision,
        _INVOICES.issue_date,
        _flagged.c["values"].label("flagged"),
        _typed.c.id.label("typed_id"),
        _dated.c.id.label("dated_id"),
    )
    .select_from(
        table_of(Invoice)
        .outerjoin(_flagged, _said(_flagged, CHANGED))
        .outerjoin(_typed, _said(_typed, NUMBER_BY_HAND))
        .outerjoin(_dated, _said(_dated, DATE_BY_HAND))
    )
    .where(
        _INVOICES.store_id == bindparam("store_id"),
        _INVOICES.kind == InvoiceKind.INVOICE,
        _INVOICES.superseded.is_(False),
        among(_INVOICES.external_id, "external_ids"),
    )
)


def credited_revisions(session: Session, store_id: int, external_ids: Collection[str]) -> dict[str, int]:
    """External id → the highest revision of its invoices that were credited in full and replaced by nothing living."""
    if not external_ids:
        return {}
    rows = session.execute(_CREDITED, {"store_id": store_id, "external_ids": external_ids})
    return {row.external_id: row.revision for row in rows}


_CREDITED = (
    select(_INVOICES.external_id, func.max(_INVOICES.revision).label("revision"))
    .where(
        _INVOICES.store_id == bindparam("store_id"),
        _INVOICES.kind == InvoiceKind.INVOICE,
        _INVOICES.superseded,
        among(_INVOICES.external_id, "external_ids"),
    )
    .group_by(_INVOICES.external_id)
)


def taken_numbers(session: Session, keys: Collection[str]) -> dict[str, tuple[int | None, str]]:
    """Number key → (id of the invoice that has it or None, who has it in words)."""
    if not keys:
        return {}
    taken: dict[str, tuple[int | None, str]] = {}
    for row in session.execute(_TAKEN_OUTSIDE, {"keys": keys}):
        taken[row.number_key] = (None, row.source or "a number used outside this program")
    for document in session.execute(_TAKEN_HERE, {"keys": keys}):
        taken[document.number_key] = (document.id, f"the invoice of order {document.order_number}")
    return taken


_OUTSIDE = table_of(TakenNumber).c
_TAKEN_OUTSIDE = select(_OUTSIDE.number_key, _OUTSIDE.source).where(among(_OUTSIDE.number_key, "keys"))
_TAKEN_HERE = select(_INVOICES.number_key, _INVOICES.id, _INVOICES.order_number).where(
    among(_INVOICES.number_key, "keys")
)

_ITEMS, _ALIASES = table_of(Item).c, table_of(ItemAlias).c
# What is asked of an item; its kind under another name, since an alias has one too.
_OF_ITEM = (_ITEMS.id, _ITEMS.code, _ITEMS.keeps_stock, _ITEMS.kind.label("item_kind"), _ITEMS.vat_class)
_BY_CODE = select(_ITEMS.code_key, *_OF_ITEM).where(among(_ITEMS.code_key, "keys"))
_BY_ALIAS = (
    select(_ALIASES.store_id, _ALIASES.kind, _ALIASES.value_key, *_OF_ITEM)
    .join_from(table_of(ItemAlias), table_of(Item), _ITEMS.id == _ALIASES.item_id)
    .where(among(_ALIASES.value_key, "values"), _ALIASES.store_id.in_((bindparam("store_id"), 0)))
)


class Items:
    """The items that the lines of a page may mean, found by alias of the store, alias of any store, then code."""

    def __init__(self, by_alias: Mapping[tuple[int, str, str], KnownItem], by_code: Mapping[str, KnownItem]) -> None:
        self._by_alias = by_alias
        self._by_code = dict(by_code)

    def of(self, line: DraftLine, store_id: int) -> KnownItem | None:
        """The item of a line, None when unknown or when the line names none."""
        if not line.names_item:
            return None
        for kind, value in keys_to_find(line):
            key = number_key(value)
            for store in (store_id, 0):
                if (store, kind, key) in self._by_alias:
                    return self._by_alias[(store, kind, key)]
            if kind == AliasKind.SKU and key in self._by_code:
                return self._by_code[key]
        return self._by_code.get(number_key(made_code(line)))

    def add(self, code: str, item: KnownItem) -> None:
        """An item made in this transaction."""
        self._by_code[number_key(code)] = item


def load_items(session: Session, lines: Iterable[DraftLine], store_id: int) -> Items:
    """Items of all `lines` in two queries."""
    named = [line for line in lines if line.names_item]
    values = {number_key(value) for line in named for _, value in keys_to_find(line)}
    codes = {number_key(line.sku) for line in named if line.sku} | {number_key(made_code(line)) for line in named}
    if not named:
        return Items({}, {})
    aliases = session.execute(_BY_ALIAS, {"values": values, "store_id": store_id})
    by_alias = {(row.store_id, str(row.kind.value), row.value_key): _known_item(row) for row in aliases}
    return Items(by_alias, _by_code(session, codes))


def _by_code(session: Session, keys: Collection[str]) -> dict[str, KnownItem]:
    rows = session.execute(_BY_CODE, {"keys": keys})
    return {row.code_key: _known_item(row) for row in rows}


def _known_item(row: Any) -> KnownItem:
    return KnownItem(row.id, row.code, row.keeps_stock, row.item_kind is ItemKind.SERVICE, row.vat_class)


def items_by_id(session: Session, ids: Collection[int]) -> dict[int, KnownItem]:
    """Items that lines name already, by id."""
    if not ids:
        return {}
    keys = session.scalars(select(Item.code_key).where(Item.id.in_(ids))).all()
    return {item.id: item for item in _by_code(session, keys).values()}


def items_by_code(session: Session, codes: Collection[str]) -> dict[str, KnownItem]:
    """Items by their codes as they are written."""
    return {item.code: item for item in _by_code(session, {number_key(code) for code in codes}).values()}


def made_code(line: DraftLine) -> str:
    """The code of an item that is made for an unknown line: its SKU, else the store's id, else of its name.

    Deterministic, so that the next order with the same line finds the item that was made for the first.
    """
    if line.sku:
        return line.sku[:120]
    keys = line_keys(line)
    if keys:
        return f"{keys[0][0]}-{keys[0][1]}"[:120]
    return "name-" + hashlib.sha256(line.name.strip().casefold().encode()).hexdigest()[:10]


def codes_to_make(session: Session, lines: Sequence[DraftLine]) -> dict[str, KnownItem]:
    """Of the codes that `lines` would be made under, those that exist by now."""
    return _by_code(session, {number_key(made_code(line)) for line in lines})
