"""Two items that are one thing become one: what stores call it, stock, moves and lines go to the one that stays."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Select, delete, exists, func, literal, or_, select, update
from sqlalchemy.orm import Session

from monet_web.domain.errors import BrokenRule
from monet_web.models.audit import AuditEntry
from monet_web.models.base import writing
from monet_web.models.integrations import Integration, IntegrationState
from monet_web.models.invoices import Invoice, InvoiceLine, InvoiceState
from monet_web.models.items import AliasKind, Item, ItemAlias
from monet_web.models.stock import Balance, StockMove, Warehouse
from monet_web.services import audit
from monet_web.services.books.closed import closed_until
from monet_web.services.books.numbers import number_key
from monet_web.services.goods.item_rows import ANY_STORE
from monet_web.services.goods.stock import lock_balances

MERGED = "item_merged"
_ZERO = Decimal(0)
_FIELDS = ("code", "name", "kind", "keeps_stock", "unit", "vat_class")
# The codes of items that were made for lines without a SKU: the store's id, or a digest of the name.
_MADE_FOR_ID = re.compile(r"(variation|product|barcode)-(.+)", re.DOTALL)
_MADE_FOR_NAME = re.compile(r"name-[0-9a-f]{10}")


@dataclass(frozen=True, slots=True)
class StockThen:
    """What lies in one warehouse: of the one that stays, of the one that goes, and together then."""

    warehouse: str
    kept: Decimal
    gone: Decimal

    @property
    def together(self) -> Decimal:
        """On hand after the merge."""
        return self.kept + self.gone


@dataclass(frozen=True, slots=True)
class MergePlan:
    """What merging would do; `refusal` is why it can't be done, None when it can."""

    kept: Item
    gone: Item
    aliases: tuple[tuple[AliasKind, str], ...] = ()  # that would lead to the one that stays, the code of the other too
    stock: tuple[StockThen, ...] = ()
    moves: int = 0
    waiting: int = 0  # invoices in journals with a line of the one that goes
    sums: Mapping[str, Decimal] = field(default_factory=dict)  # of those, by currency
    months: tuple[date, ...] = ()
    registered: int = 0  # lines of registered documents, whose texts stay
    common_of: tuple[str, ...] = ()  # integrations that use the one that goes for unknown products
    refusal: BrokenRule | None = None


def plan(session: Session, *, gone_id: int, kept_id: int) -> MergePlan:
    """What `merge` would do. Inside a transaction; the same number of queries whatever there is. Raises BrokenRule."""
    kept, gone = _two(session, gone_id=gone_id, kept_id=kept_id)
    waiting = session.execute(
        select(Invoice.currency, func.count().label("invoices"), func.sum(Invoice.total).label("total"))
        .where(Invoice.id.in_(_invoices_of(gone.id)), Invoice.state == InvoiceState.IN_JOURNAL)
        .group_by(Invoice.currency)
        .order_by(Invoice.currency)
    ).all()
    days = session.scalars(
        select(Invoice.issue_date)
        .where(Invoice.id.in_(_invoices_of(gone.id)), Invoice.state == InvoiceState.IN_JOURNAL)
        .distinct()
    )
    try:
        _refuse(session, kept, gone)
        refusal = None
    except BrokenRule as error:
        refusal = error
    return MergePlan(
        kept=kept,
        gone=gone,
        aliases=(*_aliases_of(session, gone), *((kind, value) for kind, value in _new_names(session, gone))),
        stock=_stock(session, kept, gone),
        moves=session.scalar(select(func.count()).select_from(StockMove).where(StockMove.item_id == gone.id)) or 0,
        waiting=sum(row.invoices for row in waiting),
        sums={row.currency: row.total for row in waiting},
        months=tuple(sorted({day.replace(day=1) for day in days})),
        registered=session.scalar(_registered_lines(gone.id)) or 0,
        common_of=tuple(integration.name for integration in _common_of(session, gone)),
        refusal=refusal,
    )


def merge(session: Session, *, gone_id: int, kept_id: int, now: datetime, actor: str) -> Item:
    """Merge one item into another, in a transaction of its own; the one that stays. Raises BrokenRule.

    The names that stores use, the code of the one that goes among them, lead to the one that stays; balances are added
    up; moves and lines name it. The texts of lines never change. An import that prepared a page meanwhile meets the
    foreign key and prepares it again.
    """
    with writing(session):
        closed_until(session, lock=True)
        _lock(session, gone_id=gone_id, kept_id=kept_id)
        kept, gone = _two(session, gone_id=gone_id, kept_id=kept_id)
        _refuse(session, kept, gone)
        said = {name: getattr(gone, name) for name in _FIELDS}
        names = _new_names(session, gone)
        moved = _move_everything(session, kept, gone)
        for kind, value in names:
            session.add(
                ItemAlias(store_id=ANY_STORE, kind=kind, value=value, value_key=number_key(value), item_id=kept.id)
            )
        if gone.keeps_stock:
            kept.keeps_stock = True
        for integration in _common_of(session, gone):
            integration.settings = {**integration.settings, "common_item": kept.code}
            integration.changed_by_person()
            audit.record(
                session, at=now, actor=actor, action="integration_changed", subject_kind="integration",
                subject_id=integration.id, before={"common_item": gone.code}, after={"common_item": kept.code},
            )  # fmt: skip
        session.flush()
        session.execute(delete(Item).where(Item.id == gone.id).execution_options(synchronize_session=False))
        session.expunge(gone)
        into = {"id": kept.id, "code": kept.code}
        changes = [
            audit.Change(gone_id, before=said, after={"into": into}),
            audit.Change(kept.id, before={"item": {"id": gone_id, **said}}, after={**moved, "names": len(names)}),
        ]
        audit.rows(session, at=now, actor=actor, action=MERGED, subject_kind="item", changes=changes)
    return kept


def merged_into(session: Session, item_id: int) -> int | None:
    """The item into which one that is gone was merged, through later merges too. Inside a transaction."""
    seen: set[int] = set()
    while item_id not in seen:
        seen.add(item_id)
        entry = session.scalars(
            select(AuditEntry)
            .where(AuditEntry.subject_kind == "item", AuditEntry.subject_id == item_id, AuditEntry.action == MERGED)
            .order_by(AuditEntry.id.desc())
            .limit(1)
        ).one_or_none()
        into = (entry.after or {}).get("into") if entry is not None else None
        if not into:
            return item_id if len(seen) > 1 else None
        item_id = int(into["id"])
    return None


# --- what speaks against it ----------------------------------------------------------------------------------------


def _two(session: Session, *, gone_id: int, kept_id: int) -> tuple[Item, Item]:
    kept = session.get(Item, kept_id, populate_existing=True)
    gone = session.get(Item, gone_id, populate_existing=True)
    if kept is None or gone is None:
        raise BrokenRule("One of the two items is not here any more.", fix="Look at the list again.")
    if kept.id == gone.id:
        raise BrokenRule(f"{kept.code} is one item already.", fix="Choose another one to merge it with.")
    return kept, gone


def _refuse(session: Session, kept: Item, gone: Item) -> None:
    if kept.kind is not gone.kind:
        raise BrokenRule(
            f"{kept.code} is {kept.kind}, {gone.code} is {gone.kind}.",
            fix="Change the kind of one of them first, or leave them two.",
        )
    if kept.unit and gone.unit and number_key(kept.unit) != number_key(gone.unit):
        raise BrokenRule(
            f"{kept.code} is counted in {kept.unit}, {gone.code} in {gone.unit}: their quantities can't be added up.",
            fix="Change the unit of one of them, if it is wrong.",
        )
    until = closed_until(session)
    if until is not None and _has_history(session, kept.id, until) and _has_history(session, gone.id, until):
        raise BrokenRule(
            f"{kept.code} and {gone.code} both have documents in periods that are closed (until {until}): merged, what "
            "was there of each could not be told any more.",
            fix=f"Give {kept.code} what stores call {gone.code} (take it out there), so that new lines find it; or ask "
            "an accountant to reopen the periods.",
        )


def _has_history(session: Session, item_id: int, until: date) -> bool:
    moved = exists(select(literal(1)).where(StockMove.item_id == item_id, StockMove.day <= until))
    sold = exists(
        select(literal(1))
        .select_from(InvoiceLine)
        .join(Invoice, Invoice.id == InvoiceLine.invoice_id)
        .where(InvoiceLine.item_id == item_id, Invoice.state == InvoiceState.REGISTERED, Invoice.issue_date <= until)
    )
    return bool(session.scalar(select(or_(moved, sold))))


# --- what moves ----------------------------------------------------------------------------------------------------


def _lock(session: Session, *, gone_id: int, kept_id: int) -> None:
    """Balances first, then the items: the order of an import, which locks balances and then writes lines."""
    both = (gone_id, kept_id)
    places = session.scalars(select(Balance.warehouse_id).where(Balance.item_id.in_(both)).distinct()).all()
    here = set(session.scalars(select(Item.id).where(Item.id.in_(both))))
    lock_balances(session, {(place, item_id) for place in places for item_id in here})
    session.execute(select(Item.id).where(Item.id.in_(both)).order_by(Item.id).with_for_update())


def _move_everything(session: Session, kept: Item, gone: Item) -> dict[str, Any]:
    """What went from one to the other: {"moves": n, "lines": n, "stock": {warehouse: quantity}}."""
    stock: dict[str, Decimal] = {}
    for warehouse_id, code, on_hand in session.execute(
        select(Balance.warehouse_id, Warehouse.code, Balance.on_hand)
        .join(Warehouse, Warehouse.id == Balance.warehouse_id)
        .where(Balance.item_id == gone.id)
        .order_by(Balance.warehouse_id)
    ).all():
        there = lock_balances(session, {(warehouse_id, kept.id)})[warehouse_id, kept.id]
        if on_hand:
            stock[code] = on_hand
        session.execute(
            update(Balance)
            .where(Balance.warehouse_id == warehouse_id, Balance.item_id == kept.id)
            .values(on_hand=there + on_hand)
            .execution_options(synchronize_session=False)
        )
    session.execute(delete(Balance).where(Balance.item_id == gone.id).execution_options(synchronize_session=False))
    counts = {}
    for name, table in (("moves", StockMove), ("lines", InvoiceLine), ("aliases", ItemAlias)):
        done = session.execute(
            update(table)
            .where(table.item_id == gone.id)
            .values(item_id=kept.id)
            .execution_options(synchronize_session=False)
        )
        counts[name] = done.rowcount  # type: ignore[attr-defined]
    return {**counts, "stock": stock}


def _new_names(session: Session, gone: Item) -> list[tuple[AliasKind, str]]:
    """Names by which lines found the one that goes without an alias: its code, and what that was made of."""
    names = [(AliasKind.SKU, gone.code)]
    if made := _MADE_FOR_ID.fullmatch(gone.code):
        names.append((AliasKind(made[1]), made[2]))
    elif _MADE_FOR_NAME.fullmatch(gone.code):
        names.append((AliasKind.NAME, gone.name.strip()[:200]))
    keys = {number_key(value) for _, value in names}
    taken = session.execute(
        select(ItemAlias.kind, ItemAlias.value_key).where(
            ItemAlias.store_id == ANY_STORE, ItemAlias.value_key.in_(keys)
        )
    ).all()
    known = {(row.kind, row.value_key) for row in taken}
    return [(kind, value) for kind, value in names if value and (kind, number_key(value)) not in known]


def _aliases_of(session: Session, item: Item) -> list[tuple[AliasKind, str]]:
    rows = session.execute(
        select(ItemAlias.kind, ItemAlias.value).where(ItemAlias.item_id == item.id).order_by(ItemAlias.id)
    )
    return [(row.kind, row.value) for row in rows]


def _stock(session: Session, kept: Item, gone: Item) -> tuple[StockThen, ...]:
    rows = session.execute(
        select(Warehouse.code, Balance.item_id, Balance.on_hand)
        .join(Warehouse, Warehouse.id == Balance.warehouse_id)
        .where(Balance.item_id.in_((kept.id, gone.id)))
        .order_by(Warehouse.id)
    )
    places: dict[str, dict[int, Decimal]] = {}
    for row in rows:
        places.setdefault(row.code, {})[row.item_id] = row.on_hand
    return tuple(
        StockThen(code, of.get(kept.id, _ZERO), of.get(gone.id, _ZERO))
        for code, of in places.items()
        if any(of.values())
    )


def _invoices_of(item_id: int) -> Select[Any]:
    return select(InvoiceLine.invoice_id).where(InvoiceLine.item_id == item_id)


def _registered_lines(item_id: int) -> Select[Any]:
    return (
        select(func.count())
        .select_from(InvoiceLine)
        .join(Invoice, Invoice.id == InvoiceLine.invoice_id)
        .where(InvoiceLine.item_id == item_id, Invoice.state == InvoiceState.REGISTERED)
    )


def _common_of(session: Session, gone: Item) -> list[Integration]:
    rows = session.scalars(
        select(Integration).where(Integration.state != IntegrationState.RETIRED).order_by(Integration.name_key)
    )
    return [row for row in rows if number_key(str(row.settings.get("common_item") or "")) == gone.code_key]
