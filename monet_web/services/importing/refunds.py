"""Refunds booked: each refund of an order that has a document becomes a credit note, waiting or registered (D11).

Done in the transaction that books the orders, with the invoices' rows locked: what is left of an invoice is what no
other credit note holds, waiting ones included. A waiting credit note is made from the order, the invoice and what a
person decided about it, so it is simply made again, under its id, whenever one of them is another one.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session, selectinload

from monet_web.domain import credit_notes
from monet_web.domain.checks import DATE_BY_HAND, period_closed
from monet_web.domain.findings import PERSON_MAY_PASS, Finding
from monet_web.domain.money import minor_unit
from monet_web.domain.orders import Order, Refund
from monet_web.domain.periods import open_day
from monet_web.domain.refund_parts import Part, Sold
from monet_web.domain.refunds import Goods, Proposal, in_turn, propose, refunds_of
from monet_web.domain.windows import local_day
from monet_web.models.base import take_ids
from monet_web.models.decisions import Decision, DecisionKind
from monet_web.models.invoices import Invoice, InvoiceFinding, InvoiceKind, InvoiceState
from monet_web.models.items import Item
from monet_web.models.stock import StockMove
from monet_web.services.books.numbers import number_key
from monet_web.services.importing import note_numbers
from monet_web.services.importing.booking import Booking
from monet_web.services.importing.collect import Remembered
from monet_web.services.importing.journal import journal_of_run
from monet_web.services.importing.notes import (
    IN_FULL,
    MOVED_BY,
    Note,
    add_note,
    bring_back,
    credit_notes_of,
    left_of,
)
from monet_web.services.importing.rows import Batch, add_audit

log = logging.getLogger(__name__)

GONE = "refund_gone"


@dataclass(frozen=True, slots=True)
class Followed:
    """An order and its living invoice; `fresh`: the invoice was booked in this very transaction."""

    remembered: Remembered
    invoice_id: int
    fresh: bool = False


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
class _Made:
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


@dataclass(slots=True)
class _Around:
    """What is known around the invoices of a page, loaded at once."""

    notes: Mapping[int, list[Invoice]]
    typed: Mapping[tuple[int, str], Mapping[int, Part]]
    keeping_stock: Collection[int]
    out: Mapping[tuple[int, int, int, int], Decimal] = field(default_factory=dict)  # invoice, position, place → pieces


def park(session: Session, invoice_ids: Collection[int]) -> dict[int, list[Parked]]:
    """Take the waiting credit notes of these invoices away, to be made again: invoice → what they keep.

    In the writing transaction that deletes or replaces the invoices, before it does.
    """
    waiting = [note for of in credit_notes_of(session, list(invoice_ids)).values() for note in of if _waits(note)]
    found: dict[int, list[Parked]] = defaultdict(list)
    for note in waiting:
        assert note.credits_invoice_id is not None  # noqa: S101 - found by it
        found[note.credits_invoice_id].append(_parked(note))
    _delete(session, [note.id for note in waiting])
    return dict(found)


def follow(
    session: Session,
    booking: Booking,
    followed: Sequence[Followed],
    *,
    parked: Mapping[int, Sequence[Parked]] | None = None,
    chosen: Collection[int] = (),
    by_person: bool = False,
) -> list[Noted]:
    """Credit notes of these orders' refunds, made where they are missing, made again where their ground is new.

    `parked`: those taken away before; `chosen`: ids of waiting ones to be checked again, which a person's word lets
    pass what only waits for a person. In the caller's writing transaction, which holds the integration's claim.
    """
    if not followed or (booking.settings.refunds == "off" and not chosen and not parked):
        return []
    invoices = _locked(session, [one.invoice_id for one in followed])
    around = _around(session, invoices, followed)
    made: list[_Made] = []
    gone: list[int] = []
    remade: list[int] = []
    for one in sorted(followed, key=lambda each: each.invoice_id):
        invoice = invoices.get(one.invoice_id)
        if invoice is None or not isinstance(one.remembered.order, Order):
            continue
        mine = {each.external_id: each for each in (parked or {}).get(invoice.id, ())}
        notes = [note for note in around.notes.get(invoice.id, ()) if note.external_id not in mine]
        wanted = {refund.external_id[:120]: refund for refund in refunds_of(one.remembered.order)}
        again = [note for note in notes if _waits(note) and _is_due(note, one, chosen)]
        gone += [note.id for note in again if note.external_id not in wanted]
        again = [note for note in again if note.external_id in wanted]
        remade += [note.id for note in again]
        mine |= {note.external_id: _parked(note) for note in again}
        stay = [note for note in notes if note.external_id not in mine and note.id not in gone]
        _say_gone(session, stay, wanted)
        made += _of_invoice(booking, invoice, one.remembered, wanted, stay, mine, around, chosen, by_person=by_person)
    _delete(session, [*gone, *remade])
    return _write(session, booking, made, around)


def count_of_run(session: Session, run_id: int) -> int:
    """How many credit notes a run has made, its earlier attempts included. Inside a transaction."""
    query = select(func.count()).where(Invoice.opened_by_run_id == run_id, Invoice.kind == InvoiceKind.CREDIT_NOTE)
    return session.execute(query).scalar_one()


def foreseen(session: Session, booking: Booking, orders: Iterable[tuple[Order, int | None]]) -> int:
    """How many credit notes a run would make: (order, id of its invoice or None). Inside a transaction; a preview."""
    if booking.settings.refunds == "off":
        return 0
    wanted = [(order, invoice_id) for order, invoice_id in orders if order.refunds or order.is_refunded]
    ids = [invoice_id for _order, invoice_id in wanted if invoice_id is not None]
    there = set()
    if ids:
        query = select(Invoice.credits_invoice_id, Invoice.external_id).where(Invoice.credits_invoice_id.in_(ids))
        there = {(row[0], row[1]) for row in session.execute(query)}
    return sum(
        (invoice_id, refund.external_id[:120]) not in there
        for order, invoice_id in wanted
        for refund in refunds_of(order)
    )


# --- what becomes of each -----------------------------------------------------------------------------------------


def _waits(note: Invoice) -> bool:
    return note.state is InvoiceState.IN_JOURNAL


def _is_due(note: Invoice, one: Followed, chosen: Collection[int]) -> bool:
    """A run never makes again what waits unchanged."""
    return one.fresh or note.id in chosen or note.drafted_from_version_id != one.remembered.version_id


def _parked(note: Invoice) -> Parked:
    by_hand = any(found.code == DATE_BY_HAND for found in note.found)
    return Parked(
        note.id, note.external_id, note.number, note.opened_by_run_id, note.journal_id, note.row_version,
        note.issue_date, by_hand,
    )  # fmt: skip


def _of_invoice(
    booking: Booking,
    invoice: Invoice,
    remembered: Remembered,
    wanted: Mapping[str, Refund],
    stay: Sequence[Invoice],
    mine: Mapping[str, Parked],
    around: _Around,
    chosen: Collection[int],
    *,
    by_person: bool,
) -> list[_Made]:
    left = left_of(invoice, stay)
    there = {note.external_id for note in stay if note.revision == invoice.revision}
    sold = [
        Sold(
            line.position, line.store_line_id, line.kind, line.vat_rate, line.net, line.vat,
            asks_for_goods=_asks(invoice, line, around),
        )
        for line in invoice.lines
    ]  # fmt: skip
    typed = {key: around.typed.get((invoice.store_order_id, key)) for key in wanted}
    limit = booking.settings.limit_of(len(invoice.lines))
    made: dict[str, _Made] = {}
    for refund in in_turn(wanted.values(), {key for key, parts in typed.items() if parts}, limit):
        external_id = refund.external_id[:120]
        before = mine.get(external_id)
        if external_id in there or (before is None and booking.settings.refunds == "off"):
            continue
        try:
            proposal = propose(
                refund, sold, left,
                eur_rate=invoice.eur_rate, currency=invoice.currency, unit=minor_unit(invoice.currency),
                limit=limit, typed=typed[external_id],
            )  # fmt: skip
        except Exception:
            # One bad refund never stops its order or another (D3); the next run tries it again.
            log.exception("a refund could not be booked", extra={"invoice": invoice.id})
            continue
        left = credit_notes.remaining(left, [proposal.amounts])
        day, findings = _dated(booking, invoice, refund, before)
        findings = [*proposal.findings, *findings, *_waiting(booking, invoice)]
        passed = PERSON_MAY_PASS if by_person and before is not None and before.id in chosen else frozenset[str]()
        registered = not any(found.stops and found.code not in passed for found in findings)
        made[external_id] = _Made(invoice, remembered, refund, proposal, day, findings, registered, before)
    return [made[key] for key in wanted if key in made]  # the oldest gets the first number


def _asks(invoice: Invoice, line: Any, around: _Around) -> bool:
    """What became of the goods matters where the invoice took them, or will take them, from a warehouse."""
    if line.item_id not in around.keeping_stock or line.warehouse_id is None:
        return False
    if _waits(invoice) or invoice.stock_not_moved_reason:
        return True
    return around.out.get((invoice.id, line.position, line.warehouse_id, line.item_id), Decimal(0)) > 0


def _dated(booking: Booking, invoice: Invoice, refund: Refund, before: Parked | None) -> tuple[date, list[Finding]]:
    """Of the day of the refund, never before its invoice; a person may have given another day (E7)."""
    of_refund = local_day(refund.created_at, booking.zone)
    if booking.settings.invoice_date == "import":
        of_refund = before.day if before is not None and not before.date_by_hand else booking.today
    of_refund = max(of_refund, invoice.issue_date)
    day = before.day if before is not None and before.date_by_hand else of_refund
    closed = list(period_closed(day, booking.closed_until))
    if closed and booking.dated is not None:
        day = booking.dated
        closed = list(period_closed(day, booking.closed_until))
    if day != of_refund:
        values = {"day": day.isoformat(), "instead": of_refund.isoformat()}
        closed.append(Finding(DATE_BY_HAND, "", values, stops=False))
    return day, closed


def _waiting(booking: Booking, invoice: Invoice) -> list[Finding]:
    found = []
    if _waits(invoice):
        what = invoice.number or invoice.order_number
        found.append(Finding("invoice_not_registered", what[:200], {"what": what}))
    if booking.settings.refunds != "automatic" or not booking.settings.register_automatically:
        found.append(Finding("refund_waits"))
    return found


def _say_gone(session: Session, notes: Sequence[Invoice], wanted: Mapping[str, Refund]) -> None:
    """A registered credit note whose refund the store knows no more says so; no longer, when it is there again."""
    for note in notes:
        if _waits(note) or note.external_id.startswith(IN_FULL):
            continue
        said = [found for found in note.found if found.code == GONE]
        if note.external_id not in wanted and not said:
            values = {"number": note.number or "", "amount": f"{-note.total:.2f}", "currency": note.currency}
            row = {"invoice_id": note.id, "code": GONE, "subject": "", "values": values, "stops": False}
            session.execute(insert(InvoiceFinding), [row])
        elif note.external_id in wanted and said:
            session.execute(
                delete(InvoiceFinding)
                .where(InvoiceFinding.id.in_([found.id for found in said]))
                .execution_options(synchronize_session=False)
            )


# --- reading ------------------------------------------------------------------------------------------------------


def _locked(session: Session, invoice_ids: Sequence[int]) -> dict[int, Invoice]:
    query = (
        select(Invoice)
        .where(Invoice.id.in_(invoice_ids), Invoice.kind == InvoiceKind.INVOICE, Invoice.superseded.is_(False))
        .order_by(Invoice.id)
        .options(selectinload(Invoice.lines), selectinload(Invoice.vat_rows))
        .with_for_update(of=Invoice)
        .execution_options(populate_existing=True)
    )
    return {invoice.id: invoice for invoice in session.scalars(query)}


def _around(session: Session, invoices: Mapping[int, Invoice], followed: Sequence[Followed]) -> _Around:
    notes = credit_notes_of(session, list(invoices))
    items = {line.item_id for invoice in invoices.values() for line in invoice.lines if line.item_id}
    keeping: Collection[int] = ()
    if items:
        keeping = set(session.scalars(select(Item.id).where(Item.id.in_(items), Item.keeps_stock.is_(True))))
    around = _Around(notes, _typed(session, [one.remembered.store_order_id for one in followed]), keeping)
    if keeping:
        around.out = _out(session, invoices, notes)
    return around


def _typed(session: Session, store_order_ids: Sequence[int]) -> dict[tuple[int, str], dict[int, Part]]:
    """(order, refund) → what a person said of it, by position."""
    rows = session.scalars(
        select(Decision).where(Decision.store_order_id.in_(store_order_ids), Decision.kind == DecisionKind.REFUND)
    )
    return {(row.store_order_id, row.subject): parts_of(row.values) for row in rows}


def parts_of(values: Mapping[str, Any]) -> dict[int, Part]:
    """A decision's values as parts by position."""
    return {
        int(position): Part(Decimal(said["quantity"]), Decimal(said["net"]), Decimal(said["vat"]), said["goods"])
        for position, said in values["lines"].items()
    }


def _out(
    session: Session, invoices: Mapping[int, Invoice], notes: Mapping[int, Sequence[Invoice]]
) -> dict[tuple[int, int, int, int], Decimal]:
    """What each line of the invoices took from its warehouse and no credit note has brought back."""
    of_document = {document: invoice for invoice in invoices for document in _documents(invoice, notes)}
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


def _documents(invoice_id: int, notes: Mapping[int, Sequence[Invoice]]) -> list[int]:
    return [invoice_id, *(note.id for note in notes.get(invoice_id, ()))]


# --- writing ------------------------------------------------------------------------------------------------------


def _delete(session: Session, note_ids: Sequence[int]) -> None:
    if note_ids:
        session.execute(
            delete(Invoice)
            .where(Invoice.id.in_(note_ids), Invoice.state == InvoiceState.IN_JOURNAL)
            .execution_options(synchronize_session=False)
        )


def _write(session: Session, booking: Booking, made: Sequence[_Made], around: _Around) -> list[Noted]:
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


def _note(session: Session, booking: Booking, one: _Made, note_id: int) -> Note:
    before, journal_id = one.before, None
    if not one.registered:
        journal_id = one.invoice.journal_id if _waits(one.invoice) else before.journal_id if before else None
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


def _number(session: Session, booking: Booking, made: Sequence[_Made]) -> None:
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
    one: _Made,
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
