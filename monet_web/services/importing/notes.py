"""Rows of credit notes: a document that keeps its invoice's lines and positions, and how much of each it takes back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select, tuple_, update
from sqlalchemy.orm import Session, selectinload

from monet_web.domain import credit_notes
from monet_web.domain.credit_notes import Amounts, LineAmounts, RateAmounts, Totals
from monet_web.models.invoices import Invoice, InvoiceKind, InvoiceLine, InvoiceState, InvoiceVat
from monet_web.models.stock import Balance, StockMove
from monet_web.services.books.numbers import number_key
from monet_web.services.importing.rows import Batch

IN_FULL = "in full of "  # how the external id of a credit note begins that is of no refund of the store's
MOVED_BY = "invoice"  # the document type of moves, of invoices and of their credit notes


@dataclass(frozen=True, slots=True)
class Note:
    """A credit note to be written. `journal_id` None: it is registered, by the run `registered_by`."""

    id: int
    external_id: str
    number: str | None
    amounts: Amounts
    day: date
    text: str
    opened_by: int
    registered_by: int | None
    registered_at: datetime | None
    journal_id: int | None = None
    revision: int = 1
    version_id: int | None = None  # of the order; None: the invoice's
    row_version: int = 1
    goods: Mapping[int, str] | None = None  # what became of the goods, by position


def credit_notes_of(session: Session, invoice_ids: Sequence[int]) -> dict[int, list[Invoice]]:
    """Invoice → its credit notes, in journals too: what waits there is not credited a second time."""
    found: dict[int, list[Invoice]] = defaultdict(list)
    for note in session.scalars(
        select(Invoice)
        .where(Invoice.credits_invoice_id.in_(invoice_ids), Invoice.kind == InvoiceKind.CREDIT_NOTE)
        .order_by(Invoice.id)
        .options(selectinload(Invoice.lines), selectinload(Invoice.vat_rows), selectinload(Invoice.found))
        .execution_options(populate_existing=True)
    ):
        assert note.credits_invoice_id is not None  # noqa: S101 - asked for by it
        found[note.credits_invoice_id].append(note)
    return dict(found)


def amounts_of(document: Invoice) -> Amounts:
    """The figures of an invoice, or the negative ones of a credit note."""
    return Amounts(
        lines=tuple(
            LineAmounts(line.position, line.quantity, line.discount, line.net, line.vat) for line in document.lines
        ),
        vat=tuple(
            RateAmounts(row.rate, row.code, row.base, row.amount, row.amount_eur) for row in document.vat_rows
        ),
        totals=Totals(
            net=document.net, vat=document.vat, rounding=document.rounding, total=document.total,
            net_eur=document.net_eur, vat_eur=document.vat_eur, total_eur=document.total_eur,
        ),
    )  # fmt: skip


def left_of(invoice: Invoice, notes: Sequence[Invoice]) -> Amounts:
    """What is left of an invoice after these credit notes."""
    return credit_notes.remaining(amounts_of(invoice), [amounts_of(note) for note in notes])


def add_note(batch: Batch, invoice: Invoice, note: Note) -> None:
    """The document with its lines and VAT; everything that it does not say of itself is the invoice's."""
    totals = note.amounts.totals
    batch.invoices.append(
        {
            **columns_of(invoice),
            "id": note.id,
            "kind": InvoiceKind.CREDIT_NOTE,
            "state": InvoiceState.IN_JOURNAL if note.journal_id else InvoiceState.REGISTERED,
            "external_id": note.external_id[:120],
            "revision": note.revision,
            "superseded": False,
            "number": note.number,
            "number_key": number_key(note.number) if note.number else None,
            "journal_id": note.journal_id,
            "opened_by_run_id": note.opened_by,
            "registered_by_run_id": note.registered_by,
            "registered_at": note.registered_at,
            "drafted_from_version_id": note.version_id or invoice.drafted_from_version_id,
            "touched_at": None,
            "touched_by": "",
            "row_version": note.row_version,
            "credits_invoice_id": invoice.id,
            "reissues_invoice_id": None,
            "issued_by_store": False,
            "issue_date": note.day,
            "vat_date": None,
            "payment": "",
            "payments": [],
            "stock_not_moved_reason": "",  # what never left need not be settled any more
            "net": totals.net,
            "vat": totals.vat,
            "rounding": totals.rounding,
            "total": totals.total,
            "net_eur": totals.net_eur,
            "vat_eur": totals.vat_eur,
            "total_eur": totals.total_eur,
            "note": note.text,
            "search_text": f"{(note.number or '').casefold()} {invoice.search_text}",
        }
    )
    lines = {line.position: line for line in invoice.lines}
    goods = note.goods or {}
    batch.lines += [
        {
            **{key: value for key, value in columns_of(lines[each.position]).items() if key != "id"},
            "invoice_id": note.id,
            "quantity": each.quantity,
            "discount": each.discount,
            "net": each.net,
            "vat": each.vat,
            "goods": goods.get(each.position, ""),
        }
        for each in note.amounts.lines
    ]
    batch.vat += [
        {
            "invoice_id": note.id, "rate": each.rate, "code": each.code, "base": each.base, "amount": each.amount,
            "amount_eur": each.amount_eur,
        }
        for each in note.amounts.vat
    ]  # fmt: skip


def bring_back(session: Session, back: Mapping[tuple[int, int], Decimal]) -> None:
    """(warehouse, item) → pieces that are on hand again; their balances are there, since they were taken from them."""
    if not back:
        return
    locked = (
        select(Balance.warehouse_id, Balance.item_id, Balance.on_hand)
        .where(tuple_(Balance.warehouse_id, Balance.item_id).in_(sorted(back)))
        .order_by(Balance.warehouse_id, Balance.item_id)
        .with_for_update()
    )
    for warehouse_id, item_id, on_hand in session.execute(locked).all():
        session.execute(
            update(Balance)
            .where(Balance.warehouse_id == warehouse_id, Balance.item_id == item_id)
            .values(on_hand=on_hand + back[warehouse_id, item_id])
            .execution_options(synchronize_session=False)
        )


def columns_of(row: Invoice | InvoiceLine | InvoiceVat) -> dict[str, Any]:
    """A row as its columns, to be copied."""
    return {column.key: getattr(row, column.key) for column in row.__table__.columns}


def taken_out(session: Session, of_document: Mapping[int, int]) -> dict[tuple[int, int, int, int], Decimal]:
    """What each line took from its warehouse and no document has brought back: (invoice, position, warehouse, item).

    `of_document`: an invoice and its credit notes by id → the invoice. Inside a transaction, one query.
    """
    rows = session.execute(
        select(
            StockMove.document_id, StockMove.position, StockMove.warehouse_id, StockMove.item_id,
            func.sum(StockMove.quantity).label("quantity"),
        )
        .where(StockMove.document_type == MOVED_BY, StockMove.document_id.in_(of_document))
        .group_by(StockMove.document_id, StockMove.position, StockMove.warehouse_id, StockMove.item_id)
    )  # fmt: skip
    out: dict[tuple[int, int, int, int], Decimal] = defaultdict(Decimal)
    for row in rows:
        out[of_document[row.document_id], row.position, row.warehouse_id, row.item_id] -= row.quantity
    return dict(out)
