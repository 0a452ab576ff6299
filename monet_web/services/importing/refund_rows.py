"""Credit notes of refunds as rows: numbered, with goods back in stock and their trail, or taken away to be remade."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import delete
from sqlalchemy.orm import Session

from monet_web.domain.findings import Finding
from monet_web.domain.orders import Refund
from monet_web.domain.periods import open_day
from monet_web.domain.refunds import Goods, Proposal
from monet_web.models.base import take_ids
from monet_web.models.invoices import Invoice, InvoiceState
from monet_web.services.books.numbers import number_key
from monet_web.services.importing import note_numbers
from monet_web.services.importing.booking import Booking
from monet_web.services.importing.collect import Remembered
from monet_web.services.importing.journal import journal_of_run
from monet_web.services.importing.notes import MOVED_BY, Note, add_note, bring_back
from monet_web.services.importing.refund_facts import Around
from monet_web.services.importing.rows import Batch, add_audit


@dataclass(frozen=True, slots=True)
class Parked:
    """What a waiting credit note keeps when it is made again: its identity, place, number and a person's date."""

    id: int
    external_id: str
    number: str | None
    opened_by: int | None
    journal_id: int | None
    row_version: int
    day: date
    date_by_hand: bool


@dataclass(frozen=True, slots=True)
class Noted:
    """A credit note that was made or checked again."""

    id: int
    number: str | None
    registered: bool
    findings: tuple[Finding, ...]


@dataclass(slots=True)
class Made:
    """A credit note decided and not written yet."""

    invoice: Invoice
    remembered: Remembered
    refund: Refund
    proposal: Proposal
    day: date
    findings: list[Finding]
    registered: bool
    before: Parked | None
    number: str | None = None


def waits(note: Invoice) -> bool:
    """It lies in a journal."""
    return note.state is InvoiceState.IN_JOURNAL


def delete_waiting(session: Session, note_ids: Sequence[int]) -> None:
    """Those of them that wait."""
    if note_ids:
        session.execute(
            delete(Invoice)
            .where(Invoice.id.in_(note_ids), Invoice.state == InvoiceState.IN_JOURNAL)
            .execution_options(synchronize_session=False)
        )


def write(session: Session, booking: Booking, made: Sequence[Made], around: Around) -> list[Noted]:
    """Number and write what was decided, each under the id it had; goods that are back are on hand again."""
    if not made:
        return []
    _number(session, booking, made)
    ids = iter(take_ids(session, Invoice.__tablename__, sum(one.before is None for one in made)))
    batch, noted = Batch(), []
    back: dict[tuple[int, int], Decimal] = defaultdict(Decimal)
    out = dict(around.out)
    for one in made:
        note_id = one.before.id if one.before is not None else next(ids)
        add_note(batch, one.invoice, _note(session, booking, one, note_id))
        batch.findings += [
            {"invoice_id": note_id, "code": found.code, "subject": found.subject[:200], "values": dict(found.values),
             "stops": found.stops}
            for found in one.findings
        ]  # fmt: skip
        if one.registered:
            _return_goods(batch, booking, one, note_id, out, back)
            said = {"number": one.number, "total": str(one.proposal.amounts.totals.total)}
            add_audit(batch, booking, "registered", note_id, said)
        noted.append(Noted(note_id, one.number, one.registered, tuple(one.findings)))
    batch.write(session)
    bring_back(session, back)
    return noted


def _note(session: Session, booking: Booking, one: Made, note_id: int) -> Note:
    before, journal_id = one.before, None
    if not one.registered:
        journal_id = one.invoice.journal_id if waits(one.invoice) else before.journal_id if before else None
        journal_id = journal_id or journal_of_run(session, booking)
    return Note(
        id=note_id,
        external_id=one.refund.external_id,
        number=one.number,
        amounts=one.proposal.amounts,
        day=one.day,
        text=one.refund.reason,
        opened_by=(before.opened_by if before else None) or booking.run_id,
        registered_by=booking.run_id if one.registered else None,
        registered_at=booking.now if one.registered else None,
        journal_id=journal_id,
        revision=one.invoice.revision,
        version_id=one.remembered.version_id,
        row_version=before.row_version + 1 if before else 1,
        goods=one.proposal.goods,
    )


def _number(session: Session, booking: Booking, made: Sequence[Made]) -> None:
    """After that of the invoice, which it keeps while its invoice does; of a series when it is registered."""
    if note_numbers.are_of_series(booking.settings):
        registered = [one for one in made if one.registered]
        days = [one.day for one in registered]
        given = note_numbers.of_series(session, booking.integration_id, booking.settings, days)
        for one, number in zip(registered, given, strict=True):
            one.number = number
        return
    for one in made:
        had = one.before.number if one.before is not None else None
        if had and one.invoice.number and had.startswith(f"{one.invoice.number[:100]}-K"):
            one.number = had
    new = [one for one in made if one.number is None and one.invoice.number]
    reserved = {number_key(one.number) for one in made if one.number}
    after = note_numbers.after_invoices(session, [one.invoice for one in new], {}, reserved)
    for one, number in zip(new, after, strict=True):
        one.number = number


def _return_goods(
    batch: Batch,
    booking: Booking,
    one: Made,
    note_id: int,
    out: dict[tuple[int, int, int, int], Decimal],
    back: dict[tuple[int, int], Decimal],
) -> None:
    """What is back goes to where it was taken from, never more than was taken; damaged and kept goods do not move."""
    lines = {line.position: line for line in one.invoice.lines}
    for credited in one.proposal.amounts.lines:
        line = lines[credited.position]
        if one.proposal.goods.get(credited.position) != Goods.BACK or line.warehouse_id is None or not line.item_id:
            continue
        key = (one.invoice.id, line.position, line.warehouse_id, line.item_id)
        quantity = min(-credited.quantity, out.get(key, Decimal(0)))
        if quantity > 0:
            out[key] -= quantity
            back[line.warehouse_id, line.item_id] += quantity
            batch.moves.append(
                {"document_type": MOVED_BY, "document_id": note_id, "position": line.position,
                 "item_id": line.item_id, "warehouse_id": line.warehouse_id, "quantity": quantity,
                 "day": open_day(one.day, booking.today, booking.closed_until)}
            )  # fmt: skip
