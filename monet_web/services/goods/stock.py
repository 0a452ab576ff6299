"""Goods received and corrected: the moves, and the balances they add up to (F2). Quantities only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import insert, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from monet_web.domain.errors import BrokenRule
from monet_web.models.audit import AuditEntry
from monet_web.models.base import reading, take_ids, writing
from monet_web.models.stock import Balance, StockMove, StockReceipt
from monet_web.services import audit
from monet_web.services.books import tables
from monet_web.services.books.closed import closed_until
from monet_web.services.books.tables import Mistakes
from monet_web.services.goods import receipt_rows
from monet_web.services.goods.receipt_rows import BalanceKey, Move, Received

RECEIPT = "receipt"
_SUBJECT = "stock_receipt"
_FORM_LASTS = timedelta(days=2)  # a page left open longer is begun anew
_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was entered: how many rows and items, and the receipts (one a day) that hold them."""

    rows: int
    items: int
    receipt_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PlannedMove:
    """What a row would do: `before` and `after` are the balance as the rows above it leave it."""

    row: int
    code: str
    name: str
    unit: str
    warehouse: str
    quantity: Decimal
    day: date
    before: Decimal

    @property
    def after(self) -> Decimal:
        """The balance then."""
        return self.before + self.quantity


@dataclass(frozen=True, slots=True)
class ReceiptPlan:
    """What a receipt would do, and every row that can't be entered."""

    moves: tuple[PlannedMove, ...]
    wrong: tuple[tuple[int, str], ...]


class AlreadyEntered(BrokenRule):
    """The same form was sent twice: the first time counts."""

    def __init__(self, receipt_ids: Sequence[int]) -> None:
        numbers = ", ".join(str(receipt_id) for receipt_id in receipt_ids)
        super().__init__(
            f"This is entered already, as receipt {numbers}; it was not entered a second time.",
            fix="If the same goods came once more, begin a new receipt.",
        )


def receive_file(session: Session, data: bytes, *, note: str, now: datetime, actor: str, form: str = "") -> Receipt:
    """`receive` from a CSV or XLSX file with the header `code,quantity` and, if wanted, `warehouse` and `date`.

    Raises BrokenRule; WrongRows names every wrong row, whether it can't be read or can't be entered.
    """
    mistakes = Mistakes()
    rows = receipt_rows.read_file(data, mistakes)
    return _receive(session, rows, mistakes, note=note, now=now, actor=actor, form=form)


def receive(
    session: Session, rows: Sequence[Received], *, note: str, now: datetime, actor: str, form: str = ""
) -> Receipt:
    """Enter goods received, negative quantities being corrections: all rows or none, in a transaction of its own.

    An item of goods that kept no stock keeps it from now on. `form` names the form that was filled in: sent twice, by
    a double click or a reload, it is entered once. Raises BrokenRule (WrongRows naming each row, AlreadyEntered).
    """
    return _receive(session, rows, Mistakes(), note=note, now=now, actor=actor, form=form)


def preview_file(session: Session, data: bytes, *, now: datetime) -> ReceiptPlan:
    """What `receive_file` would do; writes nothing. Raises BrokenRule for a file that can't be read at all."""
    mistakes = Mistakes()
    rows = receipt_rows.read_file(data, mistakes)
    with reading(session):
        return plan(session, rows, mistakes, now=now)


def plan(session: Session, rows: Sequence[Received], mistakes: Mistakes, *, now: datetime) -> ReceiptPlan:
    """What `receive` would do with the rows; what is wrong is added to `mistakes`. Inside the caller's transaction."""
    moves = receipt_rows.check(session, rows, mistakes, now=now)
    on_hand = _on_hand(session, {move.key for move in moves})
    if not mistakes.found:
        receipt_rows.balances_after(moves, on_hand, mistakes)
    planned: list[PlannedMove] = []
    for move in moves:
        before = on_hand.get(move.key, _ZERO)
        planned.append(
            PlannedMove(
                move.row,
                move.item.code,
                move.item.name,
                move.item.unit,
                move.warehouse.code,
                move.quantity,
                move.day,
                before,
            )
        )
        on_hand[move.key] = before + move.quantity
    return ReceiptPlan(tuple(planned), tuple(sorted(mistakes.found)))


def _on_hand(session: Session, keys: Collection[BalanceKey]) -> dict[BalanceKey, Decimal]:
    found: dict[BalanceKey, Decimal] = {}
    for part in tables.in_parts(sorted(keys)):
        rows = session.execute(
            select(Balance.warehouse_id, Balance.item_id, Balance.on_hand).where(
                tuple_(Balance.warehouse_id, Balance.item_id).in_(part)
            )
        )
        found.update({(row.warehouse_id, row.item_id): row.on_hand for row in rows})
    return found


def _receive(
    session: Session,
    rows: Sequence[Received],
    mistakes: Mistakes,
    *,
    note: str,
    now: datetime,
    actor: str,
    form: str,
) -> Receipt:
    with writing(session):
        closed_until(session, lock=True)  # whoever closes a period waits until these moves are in it
        moves = receipt_rows.check(session, rows, mistakes, now=now)
        mistakes.refuse()
        on_hand = lock_balances(session, {move.key for move in moves})
        if form:
            # Behind the locks: of two that were sent at once the second finds what the first has entered.
            twice = receipts_of_form(session, form, now=now, actor=actor)
            if twice:
                raise AlreadyEntered(twice)
        after = receipt_rows.balances_after(moves, on_hand, mistakes)
        mistakes.refuse()
        receipt_ids = _write_moves(session, moves, note=note, now=now, actor=actor, form=form)
        for (warehouse_id, item_id), quantity in after.items():
            session.execute(
                update(Balance)
                .where(Balance.warehouse_id == warehouse_id, Balance.item_id == item_id)
                .values(on_hand=quantity)
                .execution_options(synchronize_session=False)
            )
        _keep_stock_from_now(session, moves, now=now, actor=actor)
    return Receipt(rows=len(moves), items=len({move.item.id for move in moves}), receipt_ids=receipt_ids)


def receipts_of_form(session: Session, form: str, *, now: datetime, actor: str) -> list[int]:
    """Receipts that this person entered by that form. Inside the caller's transaction."""
    entries = session.execute(
        select(AuditEntry.subject_id, AuditEntry.after)
        .join(StockReceipt, StockReceipt.id == AuditEntry.subject_id)
        .where(
            AuditEntry.subject_kind == _SUBJECT,
            StockReceipt.entered_by == actor[:200],
            StockReceipt.entered_at > now - _FORM_LASTS,
        )
    )
    return [entry.subject_id for entry in entries if (entry.after or {}).get("form") == form]


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


# --- writing ----------------------------------------------------------------------------------------------------


def _write_moves(
    session: Session, moves: Sequence[Move], *, note: str, now: datetime, actor: str, form: str
) -> tuple[int, ...]:
    """One receipt a day, its moves numbered in the order of the rows."""
    by_day: dict[date, list[Move]] = defaultdict(list)
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
    of_form = {"form": form} if form else {}
    changes = [
        audit.Change(receipt_id, after={"day": day, "rows": len(of_day), "note": note, **of_form})
        for receipt_id, (day, of_day) in zip(ids, sorted(by_day.items()), strict=True)
    ]
    audit.rows(session, at=now, actor=actor, action="stock_received", subject_kind=_SUBJECT, changes=changes)
    return tuple(ids)


def _keep_stock_from_now(session: Session, moves: Sequence[Move], *, now: datetime, actor: str) -> None:
    """Items that were made for unknown lines keep no stock until somebody receives some (A6)."""
    items = {move.item.id: move.item for move in moves if not move.item.keeps_stock}
    for item in items.values():
        item.keeps_stock = True
    changes = [audit.Change(id_, before={"keeps_stock": False}, after={"keeps_stock": True}) for id_ in items]
    audit.rows(session, at=now, actor=actor, action="item_changed", subject_kind="item", changes=changes)
