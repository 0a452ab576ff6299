"""Credit: registered invoices are taken back by credit notes of today, with the invoice's rates; their goods return.

In full for now: what remains of an invoice. Its lines keep their positions and its amounts are counted from what
remains (domain/credit_notes.py), so a credit note of a part only has to say which part.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session, selectinload

from monet_web.domain import credit_notes
from monet_web.domain.credit_notes import Amounts, LineAmounts, RateAmounts, Totals
from monet_web.models.base import take_ids
from monet_web.models.invoices import Invoice, InvoiceFinding, InvoiceKind, InvoiceLine, InvoiceState
from monet_web.models.stock import Balance, StockMove
from monet_web.models.store_orders import Outcome, StoreOrder
from monet_web.services import audit
from monet_web.services.books.closed import must_be_open
from monet_web.services.books.numbers import number_key
from monet_web.services.goods.stock import lock_balances
from monet_web.services.importing.facts import CHANGED, taken_numbers
from monet_web.services.importing.rows import Batch

_LONGEST_NUMBER = 120
MOVED_BY = "invoice"  # the document type of moves, of invoices and of their credit notes
_Place = tuple[int, int]  # (warehouse, item)


@dataclass(frozen=True, slots=True)
class Credited:
    """An invoice that was credited in full. `number` is the credit note's, None when nothing was left to credit."""

    invoice_id: int
    invoice_number: str | None
    credit_note_id: int | None
    number: str | None
    total: Decimal
    currency: str


def in_full(
    session: Session,
    invoice_ids: Sequence[int],
    *,
    run_id: int,
    day: date,
    reason: str,
    order_becomes: Outcome = Outcome.CREDITED,
    now: datetime,
    actor: str,
) -> list[Credited]:
    """Credit what remains of registered invoices, dated `day`, numbered `<invoice number>-K<n>`; their goods return.

    In the caller's writing transaction, which holds the claim of the integration. The invoices make room for another
    one of their orders, which become `order_becomes`. Those credited in full already are left alone: who asks twice
    credits once. Raises BrokenRule: `day` lies in a closed period.
    """
    if not invoice_ids:
        return []
    must_be_open(session, [("The credit note", day)])
    invoices = _locked(session, invoice_ids)
    notes = _credit_notes(session, [one.id for one in invoices])
    wanted = {one.id: credit_notes.in_full(_left(one, notes.get(one.id, []))) for one in invoices}
    with_note = [one for one in invoices if wanted[one.id].lines or wanted[one.id].totals.total]
    numbers = _numbers(session, with_note, {key: len(of) for key, of in notes.items()})
    ids = dict(
        zip((one.id for one in with_note), take_ids(session, Invoice.__tablename__, len(with_note)), strict=True)
    )
    batch = Batch()
    for one in with_note:
        _add_note(
            batch, one, wanted[one.id], ids[one.id], numbers[one.id], run_id=run_id, day=day, reason=reason, now=now
        )
    _return_goods(session, batch, ids, {key: [each.id for each in of] for key, of in notes.items()}, day)
    for one in invoices:
        one.superseded = True
    # Nothing of a document that is taken back is to be answered any more.
    session.execute(
        delete(InvoiceFinding)
        .where(InvoiceFinding.invoice_id.in_([one.id for one in invoices]), InvoiceFinding.code == CHANGED)
        .execution_options(synchronize_session=False)
    )
    session.flush()
    batch.write(session)
    _tell(session, invoices, ids, numbers, order_becomes, reason=reason, now=now, actor=actor)
    return [
        Credited(one.id, one.number, ids.get(one.id), numbers.get(one.id), wanted[one.id].totals.total, one.currency)
        for one in invoices
    ]


def remaining(session: Session, invoice: Invoice) -> Amounts:
    """What is left of a registered invoice after its credit notes: never more than this is given back (D11)."""
    return _left(invoice, _credit_notes(session, [invoice.id]).get(invoice.id, []))


# --- reading ------------------------------------------------------------------------------------------------------


def _locked(session: Session, invoice_ids: Sequence[int]) -> list[Invoice]:
    """Those of the invoices that can be credited in full, by id, their rows locked."""
    return list(
        session.scalars(
            select(Invoice)
            .where(
                Invoice.id.in_(invoice_ids),
                Invoice.kind == InvoiceKind.INVOICE,
                Invoice.state == InvoiceState.REGISTERED,
                Invoice.superseded.is_(False),
            )
            .order_by(Invoice.id)
            .options(selectinload(Invoice.lines), selectinload(Invoice.vat_rows))
            .with_for_update(of=Invoice)
            .execution_options(populate_existing=True)
        )
    )


def _credit_notes(session: Session, invoice_ids: Sequence[int]) -> dict[int, list[Invoice]]:
    """Invoice → its credit notes, in journals too: what waits there is not credited a second time."""
    found: dict[int, list[Invoice]] = defaultdict(list)
    for note in session.scalars(
        select(Invoice)
        .where(Invoice.credits_invoice_id.in_(invoice_ids), Invoice.kind == InvoiceKind.CREDIT_NOTE)
        .order_by(Invoice.id)
        .options(selectinload(Invoice.lines), selectinload(Invoice.vat_rows))
        .execution_options(populate_existing=True)
    ):
        assert note.credits_invoice_id is not None  # noqa: S101 - asked for by it
        found[note.credits_invoice_id].append(note)
    return dict(found)


def _left(invoice: Invoice, notes: Sequence[Invoice]) -> Amounts:
    return credit_notes.remaining(_amounts(invoice), [_amounts(note) for note in notes])


def _amounts(document: Invoice) -> Amounts:
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


def _numbers(session: Session, invoices: Sequence[Invoice], had: Mapping[int, int]) -> dict[int, str]:
    """Invoice → the number of its next credit note: `<invoice number>-K1`, a number that somebody has stepped over."""
    turns = {one.id: had.get(one.id, 0) + 1 for one in invoices}
    while True:
        numbers = {one.id: _numbered(one, turns[one.id]) for one in invoices}
        taken = taken_numbers(session, {number_key(number) for number in numbers.values()})
        met = [invoice_id for invoice_id, number in numbers.items() if number_key(number) in taken]
        if not met:
            return numbers
        for invoice_id in met:
            turns[invoice_id] += 1


def _numbered(invoice: Invoice, turn: int) -> str:
    ending = f"-K{turn}"
    return (invoice.number or invoice.order_number)[: _LONGEST_NUMBER - len(ending)] + ending


# --- writing ------------------------------------------------------------------------------------------------------


def _add_note(
    batch: Batch,
    invoice: Invoice,
    amounts: Amounts,
    note_id: int,
    number: str,
    *,
    run_id: int,
    day: date,
    reason: str,
    now: datetime,
) -> None:
    totals = amounts.totals
    batch.invoices.append(
        {
            **_columns(invoice),
            "id": note_id,
            "kind": InvoiceKind.CREDIT_NOTE,
            # Of no refund of the store's: unique an invoice, so that even two at once credit it in full but once.
            "external_id": f"in full of {invoice.id}",
            "revision": 1,
            "superseded": False,
            "number": number,
            "number_key": number_key(number),
            "journal_id": None,
            "opened_by_run_id": run_id,
            "registered_by_run_id": run_id,
            "registered_at": now,
            "touched_at": None,
            "touched_by": "",
            "row_version": 1,
            "credits_invoice_id": invoice.id,
            "issued_by_store": False,
            "issue_date": day,
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
            "note": reason,
            "search_text": f"{number.casefold()} {invoice.search_text}",
        }
    )
    lines = {line.position: line for line in invoice.lines}
    batch.lines += [
        {
            **{key: value for key, value in _columns(lines[each.position]).items() if key != "id"},
            "invoice_id": note_id,
            "quantity": each.quantity,
            "discount": each.discount,
            "net": each.net,
            "vat": each.vat,
        }
        for each in amounts.lines
    ]
    batch.vat += [
        {
            "invoice_id": note_id, "rate": each.rate, "code": each.code, "base": each.base, "amount": each.amount,
            "amount_eur": each.amount_eur,
        }
        for each in amounts.vat
    ]  # fmt: skip


def _columns(row: Invoice | InvoiceLine) -> dict[str, Any]:
    return {column.key: getattr(row, column.key) for column in row.__table__.columns}


def _return_goods(
    session: Session, batch: Batch, ids: Mapping[int, int], notes: Mapping[int, Sequence[int]], day: date
) -> None:
    """What the invoices took and no credit note has brought back yet goes to where it was taken from."""
    of_document = {document: invoice for invoice in ids for document in (invoice, *notes.get(invoice, ()))}
    rows = session.execute(
        select(
            StockMove.document_id, StockMove.position, StockMove.item_id, StockMove.warehouse_id,
            func.sum(StockMove.quantity).label("quantity"),
        )
        .where(StockMove.document_type == MOVED_BY, StockMove.document_id.in_(of_document))
        .group_by(StockMove.document_id, StockMove.position, StockMove.item_id, StockMove.warehouse_id)
    )  # fmt: skip
    out: dict[tuple[int, int, _Place], Decimal] = defaultdict(Decimal)
    for row in rows:
        out[of_document[row.document_id], row.position, (row.warehouse_id, row.item_id)] -= row.quantity
    back: dict[_Place, Decimal] = defaultdict(Decimal)
    for (invoice, position, place), quantity in out.items():
        if quantity > 0:
            back[place] += quantity
            batch.moves.append(
                {"document_type": MOVED_BY, "document_id": ids[invoice], "position": position, "item_id": place[1],
                 "warehouse_id": place[0], "quantity": quantity, "day": day}
            )  # fmt: skip
    on_hand = lock_balances(session, back.keys())
    for place, quantity in sorted(back.items()):
        session.execute(
            update(Balance)
            .where(Balance.warehouse_id == place[0], Balance.item_id == place[1])
            .values(on_hand=on_hand[place] + quantity)
            .execution_options(synchronize_session=False)
        )


def _tell(
    session: Session,
    invoices: Sequence[Invoice],
    ids: Mapping[int, int],
    numbers: Mapping[int, str],
    order_becomes: Outcome,
    *,
    reason: str,
    now: datetime,
    actor: str,
) -> None:
    """Where the orders stand now, and the trail of both documents."""
    session.execute(
        update(StoreOrder)
        .where(StoreOrder.id.in_([one.store_order_id for one in invoices]))
        .values(outcome=order_becomes, reason="", details=None)
        .execution_options(synchronize_session=False)
    )
    credited = [audit.Change(one.id, after={"number": numbers.get(one.id, ""), "reason": reason}) for one in invoices]
    audit.rows(session, at=now, actor=actor, action="credited", subject_kind="invoice", changes=credited)
    made = [audit.Change(ids[one.id], after={"number": numbers[one.id]}) for one in invoices if one.id in ids]
    audit.rows(session, at=now, actor=actor, action="registered", subject_kind="invoice", changes=made)
