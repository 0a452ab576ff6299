"""A waiting credit note by hand: which lines, how much of each, and what became of the goods (D10, D11).

What a person says is kept as a decision about the refund, so that the credit note, made again for whatever reason,
is made as he said.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, selectinload

from monet_web.domain.checks import plain
from monet_web.domain.credit_notes import LineAmounts
from monet_web.domain.errors import BrokenRule
from monet_web.domain.money import ZERO, minor_unit, round_to
from monet_web.domain.refunds import Goods
from monet_web.models.base import writing
from monet_web.models.decisions import Decision, DecisionKind
from monet_web.models.invoices import Invoice, InvoiceKind, InvoiceLine, InvoiceState
from monet_web.models.items import Item
from monet_web.services import audit
from monet_web.services.books.fields import WrongFields
from monet_web.services.books.tables import Wrong, number_of
from monet_web.services.documents import mend
from monet_web.services.importing.claimed import PATIENCE
from monet_web.services.importing.notes import credit_notes_of, left_of

_LIMIT = Decimal("0.05")  # what rounding may leave between the lines and the sum that was given back


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the invoice on the credit note's form. `left`: of the line, this credit note not counted."""

    position: int
    name: str
    sku: str
    rate: Decimal | None
    left: LineAmounts
    quantity: Decimal
    gross: Decimal
    goods: str
    asks: bool  # its item keeps stock: what became of the goods matters

    @property
    def left_gross(self) -> Decimal:
        """What is left of the line with VAT."""
        return self.left.net + self.left.vat


@dataclass(frozen=True, slots=True)
class Opened:
    """A waiting credit note, its invoice, and what it can take back of each line."""

    note: Invoice
    invoice: Invoice
    rows: tuple[Row, ...]
    typed: Mapping[str, str] = field(default_factory=dict)

    @property
    def total(self) -> Decimal:
        """What was given back, as far as it is left: what the lines have to come to."""
        return -self.note.total

    @property
    def asks(self) -> bool:
        """Goods came off some line."""
        return any(row.asks for row in self.rows)


def load(session: Session, note_id: int) -> Opened | None:
    """None where it is no waiting credit note (any more). Inside a transaction."""
    query = select(Invoice).where(
        Invoice.id == note_id, Invoice.kind == InvoiceKind.CREDIT_NOTE, Invoice.state == InvoiceState.IN_JOURNAL
    )
    loaded = (selectinload(Invoice.lines), selectinload(Invoice.vat_rows))
    note = session.scalars(query.options(*loaded).execution_options(populate_existing=True)).one_or_none()
    if note is None or note.credits_invoice_id is None:
        return None
    invoice = session.get_one(Invoice, note.credits_invoice_id, populate_existing=True, options=loaded)
    others = [one for one in credit_notes_of(session, [invoice.id]).get(invoice.id, []) if one.id != note.id]
    items = {line.item_id for line in invoice.lines if line.item_id}
    keeping = set(session.scalars(select(Item.id).where(Item.id.in_(items), Item.keeps_stock.is_(True))))
    left = {line.position: line for line in left_of(invoice, others).lines}
    mine = {line.position: line for line in note.lines}
    rows = [_row(line, left[line.position], mine.get(line.position), line.item_id in keeping) for line in invoice.lines]
    return Opened(note, invoice, tuple(rows))


def save(
    session: Session,
    note_id: int,
    typed: Mapping[str, str],
    *,
    version: int,
    may_amounts: bool,
    now: datetime,
    actor: str,
    patience: float = PATIENCE,
) -> None:
    """Keep what was typed: `quantity-N`, `gross-N` (with VAT), `goods-N` of line N; then make the credit note again.

    `may_amounts`: an accountant, who alone moves amounts between lines. Raises WrongFields, BrokenRule (it waits no
    more, or changed after it was opened), RetryLater.
    """
    with writing(session):
        opened = load(session, note_id)
        if opened is None:
            raise BrokenRule("This credit note does not wait any more.", fix="Look at the list again.")
        if opened.note.row_version != version:
            raise BrokenRule("This credit note changed after you had opened it.", fix="Look at it again.")
        lines = _lines(opened, typed, may_amounts=may_amounts)
        _keep(session, opened, {"lines": lines}, now=now, actor=actor)
    mend.check_again(session, invoice_ids=[note_id], now=now, actor=actor, patience=patience)


def _row(line: InvoiceLine, left: LineAmounts, mine: InvoiceLine | None, keeps_stock: bool) -> Row:
    return Row(
        position=line.position,
        name=line.name,
        sku=line.sku,
        rate=line.vat_rate,
        left=left,
        quantity=-mine.quantity if mine else ZERO,
        gross=-(mine.net + mine.vat) if mine else ZERO,
        goods=mine.goods if mine else "",
        asks=keeps_stock and line.warehouse_id is not None,
    )


def _lines(opened: Opened, typed: Mapping[str, str], *, may_amounts: bool) -> dict[str, dict[str, str]]:
    unit = minor_unit(opened.note.currency)
    mine = {line.position: line for line in opened.note.lines}
    wrong: dict[str, str] = {}
    kept: dict[str, dict[str, str]] = {}
    total = ZERO
    for row in opened.rows:
        quantity, gross = row.quantity, row.gross
        if may_amounts:
            quantity = _typed(typed, f"quantity-{row.position}", quantity, row.left.quantity, wrong)
            gross = _typed(typed, f"gross-{row.position}", gross, row.left_gross, wrong)
        goods = typed.get(f"goods-{row.position}", row.goods)
        if goods not in ("", *Goods):
            wrong[f"goods-{row.position}"] = "Choose what became of the goods."
        line = mine.get(row.position)
        if line is not None and gross == row.gross:
            vat = -line.vat
        else:
            vat = round_to(gross * row.left.vat / row.left_gross, unit) if row.left_gross else ZERO
        gross = round_to(gross, unit)
        total += gross
        if quantity or gross:
            kept[str(row.position)] = {
                "quantity": plain(quantity), "net": f"{gross - vat:f}", "vat": f"{vat:f}", "goods": goods,
            }  # fmt: skip
    if wrong:
        raise WrongFields(wrong)
    if abs(total - opened.total) > _LIMIT:
        raise BrokenRule(
            f"The lines come to {total:.2f}, and {opened.total:.2f} {opened.note.currency} was given back.",
            fix=f"Type amounts that come to {opened.total:.2f}.",
        )
    return kept


def _typed(typed: Mapping[str, str], name: str, kept: Decimal, left: Decimal, wrong: dict[str, str]) -> Decimal:
    """A figure as typed, between nothing and what is left of the line."""
    text = typed.get(name)
    if text is None:
        return kept
    try:
        value = number_of(text.strip(), example="12.30") if text.strip() else ZERO
    except Wrong as error:
        wrong[name] = str(error)
        return kept
    if not min(left, ZERO) <= value <= max(left, ZERO):
        wrong[name] = f"{plain(value)} is not between 0 and the {plain(left)} that are left of the line."
        return kept
    return value


def _keep(session: Session, opened: Opened, values: dict[str, Any], *, now: datetime, actor: str) -> None:
    note = opened.note
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    statement = dialect.insert(Decision)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["store_order_id", "kind", "subject"],
            set_={name: statement.excluded[name] for name in ("values", "decided_by", "decided_at")},
        ),
        [{"store_order_id": note.store_order_id, "kind": DecisionKind.REFUND, "subject": note.external_id,
          "values": values, "decided_by": actor[:200], "decided_at": now}],
    )  # fmt: skip
    change = audit.Change(note.id, after=values)
    audit.rows(session, at=now, actor=actor, action="refund_decided", subject_kind="invoice", changes=[change])
