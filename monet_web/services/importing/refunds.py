"""Refunds booked: each refund of an order that has a document becomes a credit note, waiting or registered (D11).

Done in the transaction that books the orders, with the invoices' rows locked: what is left of an invoice is what no
other credit note holds, waiting ones included. A waiting credit note is made from the order, the invoice and what a
person decided about it, so it is simply made again, under its id, whenever one of them is another one.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from monet_web.domain import credit_notes
from monet_web.domain.checks import DATE_BY_HAND, period_closed
from monet_web.domain.findings import PERSON_MAY_PASS, Finding
from monet_web.domain.line_codes import BookedLine, found_again
from monet_web.domain.money import minor_unit
from monet_web.domain.orders import LineKind, Order, Refund
from monet_web.domain.refund_parts import Sold
from monet_web.domain.refunds import in_turn, propose, refunds_of
from monet_web.domain.windows import local_day
from monet_web.models.invoices import Invoice, InvoiceKind
from monet_web.services.importing.booking import Booking
from monet_web.services.importing.collect import Remembered
from monet_web.services.importing.notes import amounts_of, credit_notes_of, left_of
from monet_web.services.importing.refund_facts import Around, around_of, locked
from monet_web.services.importing.refund_rows import Made, Noted, Parked, delete_waiting, waits, write
from monet_web.services.importing.refund_signs import say_gone, say_not_booked
from monet_web.services.importing.reissued import settled_before

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Followed:
    """An order and its living invoice; `fresh`: the invoice was booked in this very transaction."""

    remembered: Remembered
    invoice_id: int
    fresh: bool = False


def park(session: Session, invoice_ids: Collection[int]) -> dict[int, list[Parked]]:
    """Take the waiting credit notes of these invoices away, to be made again: invoice → what they keep.

    In the writing transaction that deletes or replaces the invoices, before it does.
    """
    waiting = [note for of in credit_notes_of(session, list(invoice_ids)).values() for note in of if waits(note)]
    found: dict[int, list[Parked]] = defaultdict(list)
    for note in waiting:
        assert note.credits_invoice_id is not None  # noqa: S101 - found by it
        found[note.credits_invoice_id].append(_parked(note))
    delete_waiting(session, [note.id for note in waiting])
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
    if not followed:
        return []
    if booking.settings.refunds == "off" and not chosen and not parked:
        say_not_booked(session, booking, _orders(followed))
        return []
    invoices = locked(session, [one.invoice_id for one in followed])
    around = around_of(session, invoices, [one.remembered.store_order_id for one in followed])
    made: list[Made] = []
    gone: list[int] = []
    remade: list[int] = []
    for one in sorted(followed, key=lambda each: each.invoice_id):
        invoice = invoices.get(one.invoice_id)
        if invoice is None or not isinstance(one.remembered.order, Order):
            continue
        mine = {each.external_id: each for each in (parked or {}).get(invoice.id, ())}
        notes = [note for note in around.notes.get(invoice.id, ()) if note.external_id not in mine]
        wanted = {refund.external_id[:120]: refund for refund in refunds_of(one.remembered.order)}
        again = [note for note in notes if waits(note) and _is_due(note, one, chosen)]
        gone += [note.id for note in again if note.external_id not in wanted]
        again = [note for note in again if note.external_id in wanted]
        remade += [note.id for note in again]
        mine |= {note.external_id: _parked(note) for note in again}
        stay = [note for note in notes if note.external_id not in mine and note.id not in gone]
        say_gone(session, stay, wanted)
        made += _of_invoice(booking, invoice, one.remembered, wanted, stay, mine, around, chosen, by_person=by_person)
    delete_waiting(session, [*gone, *remade])
    noted = write(session, booking, made, around)
    say_not_booked(session, booking, _orders(followed))
    return noted


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
        there |= {(invoice_id, refund) for invoice_id, of in settled_before(session, ids).items() for refund in of}
    return sum(
        (invoice_id, refund.external_id[:120]) not in there
        for order, invoice_id in wanted
        for refund in refunds_of(order)
    )


# --- what becomes of each -----------------------------------------------------------------------------------------


def _orders(followed: Sequence[Followed]) -> dict[int, Order]:
    return {one.invoice_id: one.remembered.order for one in followed if isinstance(one.remembered.order, Order)}


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
    around: Around,
    chosen: Collection[int],
    *,
    by_person: bool,
) -> list[Made]:
    left = left_of(invoice, stay)
    there = {note.external_id for note in stay if note.revision == invoice.revision}
    there |= set(around.settled.get(invoice.id, ()))
    codes = _codes(booking, invoice, around)
    sold = [
        Sold(
            line.position, line.store_line_id, line.kind, line.vat_rate, line.net, line.vat,
            asks_for_goods=_asks(invoice, line, around), code=codes.get(line.position),
        )
        for line in invoice.lines
    ]  # fmt: skip
    typed = {key: around.typed.get((invoice.store_order_id, key)) for key in wanted}
    limit = booking.settings.limit_of(len(invoice.lines))
    made: dict[str, Made] = {}
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
        made[external_id] = Made(invoice, remembered, refund, proposal, day, findings, registered, before)
    return [made[key] for key in wanted if key in made]  # the oldest gets the first number


def _codes(booking: Booking, invoice: Invoice, around: Around) -> Mapping[int, str]:
    """Position → classifier code, where the invoice has several codes of one rate."""
    lines = [
        BookedLine(
            line.position, LineKind(line.kind), line.item_id in around.services, line.vat_rate, line.net, line.vat
        )
        for line in invoice.lines
    ]
    rows = amounts_of(invoice).vat
    return found_again(lines, rows, invoice.treatment, invoice.supply_date, booking.vat_codes)


def _asks(invoice: Invoice, line: Any, around: Around) -> bool:
    """What became of the goods matters where the invoice took them, or will take them, from a warehouse."""
    if line.item_id not in around.keeping_stock or line.warehouse_id is None:
        return False
    if waits(invoice) or invoice.stock_not_moved_reason:
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
    if waits(invoice):
        what = invoice.number or invoice.order_number
        found.append(Finding("invoice_not_registered", what[:200], {"what": what}))
    if booking.settings.refunds != "automatic" or not booking.settings.register_automatically:
        found.append(Finding("refund_waits"))
    return found
