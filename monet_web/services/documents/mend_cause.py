"""The control of a cause: a line mapped to an item, a rate typed; what waited is then checked again (E2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from monet_web.domain.errors import BrokenRule
from monet_web.models.base import writing
from monet_web.models.invoices import Invoice, InvoiceFinding, InvoiceState
from monet_web.models.items import AliasKind, Item, ItemAlias
from monet_web.services import audit
from monet_web.services.books import rates
from monet_web.services.books.numbers import number_key
from monet_web.services.books.tables import Wrong, number_of, shown

ITEM_UNKNOWN = "item_unknown"
RATE_MISSING = "currency_rate_missing"
_LONGEST_ALIAS = 200


@dataclass(frozen=True, slots=True)
class AliasOfLine:
    """What a store's line can be known by from now on."""

    kind: AliasKind
    value: str


def alias_of(subject: str, values: Mapping[str, Any]) -> AliasOfLine | None:
    """What an unknown line can be mapped by: its SKU, else the store's id; None when it has only a name."""
    if sku := str(values.get("sku") or ""):
        return AliasOfLine(AliasKind.SKU, sku[:_LONGEST_ALIAS])
    kind, _, value = subject.partition(" ")
    if value and kind in [each.value for each in AliasKind]:
        return AliasOfLine(AliasKind(kind), value)
    return None


def map_unknown(
    session: Session, subject: str, item_code: str, *, integration_id: int | None = None, now: datetime, actor: str
) -> Item:
    """From now on the line that `subject` names is the item `item_code`, in every store where invoices wait for it.

    `integration_id`: only in the store of that integration. The item. Raises BrokenRule.
    """
    with writing(session):
        waiting = _waiting(session, subject, integration_id)
        alias = alias_of(subject, waiting[0].said) if waiting else None
        if alias is None:
            raise BrokenRule(f"Nothing waits for {subject} any more.", fix="Look at the list again.")
        item = session.scalars(select(Item).where(Item.code_key == number_key(item_code))).one_or_none()
        if item is None:
            typed = shown(item_code)
            raise BrokenRule(
                f"There is no item {typed}." if typed else "No item was typed.",
                fix="Type the code of an item that is here, or make the item first.", field="item",
            )  # fmt: skip
        map_alias(session, [row.store_id for row in waiting], alias, item, now=now, actor=actor)
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
