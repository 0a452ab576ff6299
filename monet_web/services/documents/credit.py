"""Credit: registered invoices are taken back by credit notes of today, with the invoice's rates; their goods return.

In full: what remains of an invoice (domain/credit_notes.py). Refunds of a part are services/importing/refunds.py.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session, selectinload

from monet_web.domain import credit_notes
from monet_web.domain import settings as settings_text
from monet_web.domain.credit_notes import Amounts
from monet_web.domain.refunds import Goods
from monet_web.models.base import take_ids
from monet_web.models.integrations import Integration
from monet_web.models.invoices import Invoice, InvoiceFinding, InvoiceKind, InvoiceLine, InvoiceState
from monet_web.models.store_orders import Outcome, StoreOrder
from monet_web.services import audit
from monet_web.services.books.closed import must_be_open
from monet_web.services.importing import note_numbers
from monet_web.services.importing.facts import CHANGED
from monet_web.services.importing.notes import (
    IN_FULL,
    MOVED_BY,
    Note,
    add_note,
    bring_back,
    credit_notes_of,
    left_of,
    taken_out,
)
from monet_web.services.importing.refunds import park
from monet_web.services.importing.rows import Batch


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
    """Credit what remains of registered invoices, dated `day`, numbered as their integrations say; their goods return.

    In the caller's writing transaction, which holds the claim of the integration. The invoices make room for another
    one of their orders, which become `order_becomes`. Those credited in full already are left alone: who asks twice
    credits once. Raises BrokenRule: `day` lies in a closed period.
    """
    if not invoice_ids:
        return []
    must_be_open(session, [("The credit note", day)])
    invoices = _locked(session, invoice_ids)
    park(session, [one.id for one in invoices])  # what waits to be given back is given back by this
    notes = credit_notes_of(session, [one.id for one in invoices])
    wanted = {one.id: credit_notes.in_full(left_of(one, notes.get(one.id, []))) for one in invoices}
    with_note = [one for one in invoices if wanted[one.id].lines or wanted[one.id].totals.total]
    had = {key: len(of) for key, of in notes.items()}
    numbers = _numbers(session, with_note, had, day)
    ids = dict(
        zip((one.id for one in with_note), take_ids(session, Invoice.__tablename__, len(with_note)), strict=True)
    )
    batch = Batch()
    for one in with_note:
        note = Note(
            id=ids[one.id],
            # Of no refund of the store's: unique an invoice, so that even two at once credit it in full but once.
            external_id=f"{IN_FULL}{one.id}",
            number=numbers[one.id],
            amounts=wanted[one.id],
            day=day,
            text=reason,
            opened_by=run_id,
            registered_by=run_id,
            registered_at=now,
        )
        add_note(batch, one, note)
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
    return left_of(invoice, credit_notes_of(session, [invoice.id]).get(invoice.id, []))


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


# --- writing ------------------------------------------------------------------------------------------------------


def _numbers(session: Session, invoices: Sequence[Invoice], had: Mapping[int, int], day: date) -> dict[int, str]:
    """Invoice → the number of its credit note."""
    numbers: dict[int, str] = {}
    for integration_id in sorted({one.integration_id for one in invoices}):
        settings = settings_text.parse(session.get_one(Integration, integration_id).settings)
        of_it = [one for one in invoices if one.integration_id == integration_id]
        if note_numbers.are_of_series(settings):
            given = note_numbers.of_series(session, integration_id, settings, [day] * len(of_it))
        else:
            given = note_numbers.after_invoices(session, of_it, had)
        numbers |= dict(zip((one.id for one in of_it), given, strict=True))
    return numbers


def _return_goods(
    session: Session, batch: Batch, ids: Mapping[int, int], notes: Mapping[int, Sequence[int]], day: date
) -> None:
    """What the invoices took and no credit note has brought back yet goes to where it was taken from.

    What an earlier credit note says is damaged or was not returned stays away.
    """
    of_document = {document: invoice for invoice in ids for document in (invoice, *notes.get(invoice, ()))}
    stays = _stays_away(session, list(ids))
    back: dict[tuple[int, int], Decimal] = defaultdict(Decimal)
    for (invoice, position, warehouse, item), taken in taken_out(session, of_document).items():
        kept = min(taken, stays.get((invoice, position), Decimal(0)))
        quantity = taken - kept
        if kept > 0:
            stays[invoice, position] -= kept
        if quantity > 0:
            back[warehouse, item] += quantity
            batch.moves.append(
                {"document_type": MOVED_BY, "document_id": ids[invoice], "position": position, "item_id": item,
                 "warehouse_id": warehouse, "quantity": quantity, "day": day}
            )  # fmt: skip
    bring_back(session, back)


def _stays_away(session: Session, invoice_ids: Sequence[int]) -> dict[tuple[int, int], Decimal]:
    """(invoice, position) → what registered credit notes say is damaged or was not returned."""
    rows = session.execute(
        select(Invoice.credits_invoice_id, InvoiceLine.position, func.sum(InvoiceLine.quantity).label("quantity"))
        .join(InvoiceLine, InvoiceLine.invoice_id == Invoice.id)
        .where(
            Invoice.credits_invoice_id.in_(invoice_ids),
            Invoice.state == InvoiceState.REGISTERED,
            InvoiceLine.goods.in_((Goods.DAMAGED, Goods.KEPT)),
        )
        .group_by(Invoice.credits_invoice_id, InvoiceLine.position)
    )
    return {(row.credits_invoice_id, row.position): -row.quantity for row in rows}


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
