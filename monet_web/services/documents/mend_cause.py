"""The control of a cause: a line mapped to an item, a rate typed; what waited is then checked again (E2)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from monet_web.domain.errors import BrokenRule
from monet_web.models.base import writing
from monet_web.models.integrations import Integration
from monet_web.models.invoices import Invoice, InvoiceFinding, InvoiceState
from monet_web.models.items import AliasKind, Item, ItemAlias, ItemKind
from monet_web.services import audit
from monet_web.services.books import rates
from monet_web.services.books.numbers import number_key
from monet_web.services.books.tables import Wrong, number_of, shown

ITEM_UNKNOWN = "item_unknown"
RATE_MISSING = "currency_rate_missing"
_LONGEST_ALIAS = 200
_LONGEST_CODE = 120
_LONGEST_NAME = 400


@dataclass(frozen=True, slots=True)
class AliasOfLine:
    """What a store's line can be known by from now on."""

    kind: AliasKind
    value: str


def alias_of(subject: str, values: Mapping[str, Any]) -> AliasOfLine:
    """What an unknown line is mapped by: its SKU, else the store's id, else its name."""
    if values.get("known_by") in set(AliasKind) and values.get("known_as"):
        return AliasOfLine(AliasKind(values["known_by"]), str(values["known_as"])[:_LONGEST_ALIAS])
    # A finding that an earlier version of this program wrote.
    if sku := str(values.get("sku") or ""):
        return AliasOfLine(AliasKind.SKU, sku[:_LONGEST_ALIAS])
    kind, _, value = subject.partition(" ")
    if value and kind in set(AliasKind):
        return AliasOfLine(AliasKind(kind), value)
    return AliasOfLine(AliasKind.NAME, str(values.get("name") or subject)[:_LONGEST_ALIAS])


@dataclass(frozen=True, slots=True)
class Mapped:
    """The item that a line is from now on; `what`: the line in words, as its finding names it."""

    item: Item
    what: str


def map_unknown(
    session: Session, subject: str, item_code: str, *, integration_id: int | None = None, now: datetime, actor: str
) -> Mapped:
    """From now on the line that `subject` names is the item `item_code`, in every store where invoices wait for it.

    `integration_id`: only in the store of that integration. Raises BrokenRule.
    """
    with writing(session):
        waiting, alias = _unknown(session, subject, integration_id)
        item = session.scalars(select(Item).where(Item.code_key == number_key(item_code))).one_or_none()
        if item is None:
            typed = shown(item_code)
            raise BrokenRule(
                f"There is no item {typed}." if typed else "No item was typed.",
                fix="Type the code of an item that is here, or make the item first.", field="item",
            )  # fmt: skip
        map_alias(session, [row.store_id for row in waiting], alias, item, now=now, actor=actor)
    return Mapped(item, _what(waiting[0], subject))


def make_for_unknown(
    session: Session,
    subject: str,
    *,
    code: str,
    name: str,
    keeps_stock: bool,
    integration_id: int | None = None,
    now: datetime,
    actor: str,
) -> Mapped:
    """Make an item and map the unknown line to it, all or nothing. Raises BrokenRule with its field."""
    code, name = " ".join(code.split()), " ".join(name.split())
    wrong = {
        "code": code and len(code) <= _LONGEST_CODE and code.isprintable(),
        "name": name and len(name) <= _LONGEST_NAME and name.isprintable(),
    }
    for field, fits in wrong.items():
        if not fits:
            fix = "Type a short code, for example the SKU." if field == "code" else "Type what the item is called."
            raise BrokenRule(f"An item needs a {field}.", fix=fix, field=field)
    with writing(session):
        waiting, alias = _unknown(session, subject, integration_id)
        if session.scalar(select(Item.code).where(Item.code_key == number_key(code))) is not None:
            raise BrokenRule(
                f"The item {shown(code)} is here already.", fix="Map to it, or type another code.", field="code"
            )
        item = _made(session, code, name, keeps_stock=keeps_stock, now=now, actor=actor)
        map_alias(session, [row.store_id for row in waiting], alias, item, now=now, actor=actor)
    return Mapped(item, _what(waiting[0], subject))


def use_common(
    session: Session, subject: str, code: str, *, integration_id: int | None = None, now: datetime, actor: str
) -> Mapped:
    """Map the unknown line to a common item, of which no pieces are counted; made when it is not there yet.

    Raises BrokenRule.
    """
    code = " ".join(code.split())
    if not code or len(code) > _LONGEST_CODE or not code.isprintable():
        raise BrokenRule("No item was typed.", fix="Type the code of the common item.", field="common")
    with writing(session):
        waiting, alias = _unknown(session, subject, integration_id)
        item = session.scalars(select(Item).where(Item.code_key == number_key(code))).one_or_none()
        if item is not None and item.keeps_stock:
            raise BrokenRule(
                f"Pieces of {item.code} are counted, so it can't stand for anything.",
                fix="Type an item that keeps no stock, or map to this one instead.", field="common",
            )  # fmt: skip
        if item is None:
            item = _made(session, code, code, keeps_stock=False, now=now, actor=actor)
        map_alias(session, [row.store_id for row in waiting], alias, item, now=now, actor=actor)
    return Mapped(item, _what(waiting[0], subject))


def make_common(session: Session, code: str, name: str, *, now: datetime, actor: str) -> Item:
    """The common item that settings name and that does not exist yet. Raises BrokenRule."""
    with writing(session):
        item = session.scalars(select(Item).where(Item.code_key == number_key(code))).one_or_none()
        if item is None:
            if not code.strip() or len(code) > _LONGEST_CODE:
                raise BrokenRule("Nothing waits for this any more.", fix="Look at the list again.")
            item = _made(session, code.strip(), name.strip() or code.strip(), keeps_stock=False, now=now, actor=actor)
    return item


def common_items(session: Session, integration_ids: Collection[int]) -> dict[int, str]:
    """Integration → the common item of its settings, where it names one. Inside a transaction, one query."""
    rows = session.execute(select(Integration.id, Integration.settings).where(Integration.id.in_(integration_ids)))
    return {row.id: str(row.settings["common_item"]) for row in rows if row.settings.get("common_item")}


def _made(session: Session, code: str, name: str, *, keeps_stock: bool, now: datetime, actor: str) -> Item:
    item = Item(
        code=code, code_key=number_key(code), name=name[:_LONGEST_NAME], kind=ItemKind.GOODS, keeps_stock=keeps_stock
    )
    session.add(item)
    session.flush()
    audit.record(
        session, at=now, actor=actor, action="item_added", subject_kind="item", subject_id=item.id,
        after={"code": code, "name": name, "keeps_stock": keeps_stock},
    )  # fmt: skip
    return item


def map_alias(
    session: Session, store_ids: Sequence[int], alias: AliasOfLine, item: Item, *, now: datetime, actor: str
) -> None:
    """What these stores call `alias` is that item; in the caller's transaction. Raises BrokenRule."""
    key = number_key(alias.value)
    known = session.execute(
        select(ItemAlias.store_id, Item.code)
        .join(Item, Item.id == ItemAlias.item_id)
        .where(ItemAlias.store_id.in_(store_ids), ItemAlias.kind == alias.kind, ItemAlias.value_key == key)
    ).all()
    if other := next((row.code for row in known if row.code != item.code), ""):
        raise BrokenRule(
            f"{shown(alias.value)} means the item {other} already.", fix="Check what waits again.", field="item"
        )
    there = {row.store_id for row in known}
    rows: list[dict[str, Any]] = [
        {"store_id": store_id, "kind": alias.kind, "value": alias.value, "value_key": key, "item_id": item.id}
        for store_id in store_ids
        if store_id not in there
    ]
    if rows:
        session.execute(insert(ItemAlias), rows)
    changes = [
        audit.Change(item.id, after={"store": row["store_id"], "kind": row["kind"], "value": row["value"]})
        for row in rows
    ]
    audit.rows(session, at=now, actor=actor, action="alias_added", subject_kind="item", changes=changes)


def set_rate(session: Session, currency: str, day: date, rate: str, *, now: datetime, actor: str) -> None:
    """Keep a rate as a person typed it: units of `currency` for one euro on `day`. Raises BrokenRule."""
    try:
        rates.set_rate(
            session, currency=currency, day=day, rate=number_of(rate.strip(), example="1.1527"), now=now, actor=actor
        )
    except (Wrong, BrokenRule):
        raise BrokenRule(
            f"“{shown(rate)}” is no rate of {currency}.",
            fix=f"Type units of {currency} for one euro, for example 1.1527.", field="rate",
        ) from None  # fmt: skip


def _unknown(session: Session, subject: str, integration_id: int | None) -> tuple[list[Any], AliasOfLine]:
    waiting = _waiting(session, subject, integration_id)
    if not waiting:
        raise BrokenRule(f"Nothing waits for {shown(subject)} any more.", fix="Look at the list again.")
    return waiting, alias_of(subject, waiting[0].said)


def _what(row: Any, subject: str) -> str:
    return str(row.said.get("what") or subject)


def _waiting(session: Session, subject: str, integration_id: int | None) -> list[Any]:
    """(store, finding's values) of the invoices that wait for an unknown line, a row a store."""
    query = (
        select(Invoice.store_id, InvoiceFinding.values.label("said"))
        .join(InvoiceFinding, InvoiceFinding.invoice_id == Invoice.id)
        .where(
            Invoice.state == InvoiceState.IN_JOURNAL,
            InvoiceFinding.code == ITEM_UNKNOWN,
            InvoiceFinding.subject == subject,
        )
        .order_by(Invoice.id)
    )
    if integration_id is not None:
        query = query.where(Invoice.integration_id == integration_id)
    by_store: dict[int, Any] = {}
    for row in session.execute(query):
        by_store.setdefault(row.store_id, row)
    return list(by_store.values())
