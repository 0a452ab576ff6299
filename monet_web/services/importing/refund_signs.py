"""What documents say of refunds without a credit note, and of credit notes whose refund the store knows no more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, delete, insert, select
from sqlalchemy.orm import Session

from monet_web.domain.checks import money
from monet_web.domain.orders import Order, Refund
from monet_web.domain.refunds import refunds_of
from monet_web.domain.windows import local_day
from monet_web.models.invoices import Invoice, InvoiceFinding
from monet_web.services.importing.booking import Booking
from monet_web.services.importing.facts import CHANGED, REFUNDED_ONLY
from monet_web.services.importing.notes import IN_FULL
from monet_web.services.importing.refund_rows import waits
from monet_web.services.importing.reissued import settled_before

GONE = "refund_gone"
NOT_BOOKED = "refund_not_booked"
LEFT = "refund_left"  # the settings read refunds, and this one has no credit note all the same


def say_gone(session: Session, notes: Sequence[Invoice], wanted: Mapping[str, Refund]) -> None:
    """A registered credit note whose refund the store knows no more says so; no longer, when it is there again."""
    for note in notes:
        if waits(note) or note.external_id.startswith(IN_FULL):
            continue
        said = [found for found in note.found if found.code == GONE]
        if note.external_id not in wanted and not said:
            values = {"number": note.number or "", "amount": f"{-note.total:.2f}", "currency": note.currency}
            row = {"invoice_id": note.id, "code": GONE, "subject": "", "values": values, "stops": False}
            session.execute(insert(InvoiceFinding), [row])
        elif note.external_id in wanted and said:
            _take_away(session, [found.id for found in said])


def say_not_booked(session: Session, booking: Booking, orders: Mapping[int, Order]) -> None:
    """Invoices say how much of theirs was given back without a credit note, whether the settings read refunds or not.

    They say it no longer when it is booked. `orders`: invoice → its order as it is now.
    """
    is_off = booking.settings.refunds == "off"
    code = NOT_BOOKED if is_off else LEFT
    wanted = _not_booked(session, booking, orders)
    said: ColumnElement[bool] = InvoiceFinding.code.in_((NOT_BOOKED, LEFT))
    if not is_off:
        # So is the change that was told while they were not read: the credit note answers it.
        said |= (InvoiceFinding.code == CHANGED) & (InvoiceFinding.subject == REFUNDED_ONLY)
    query = select(InvoiceFinding.id, InvoiceFinding.invoice_id, InvoiceFinding.code, InvoiceFinding.values)
    query = query.where(InvoiceFinding.invoice_id.in_(list(orders)), said)
    old = []
    for row in session.execute(query):
        if row.code == code and wanted.get(row.invoice_id) == row.values:
            del wanted[row.invoice_id]
        else:
            old.append(row.id)
    _take_away(session, old)
    rows = [
        {"invoice_id": invoice_id, "code": code, "subject": "", "values": values, "stops": False}
        for invoice_id, values in wanted.items()
    ]
    if rows:
        session.execute(insert(InvoiceFinding), rows)


def say_deleted(session: Session, notes: Sequence[Invoice]) -> None:
    """Invoices whose waiting credit notes a person deletes say that their refunds are in no document until a run.

    In the writing transaction that deletes them, while their invoices stay.
    """
    deleted: dict[int, list[Invoice]] = {}
    for note in notes:
        if note.credits_invoice_id is not None and not note.external_id.startswith(IN_FULL):
            deleted.setdefault(note.credits_invoice_id, []).append(note)
    if not deleted:
        return
    query = select(InvoiceFinding).where(InvoiceFinding.invoice_id.in_(list(deleted)), InvoiceFinding.code == LEFT)
    before = {found.invoice_id: found for found in session.scalars(query)}
    rows = []
    for invoice_id, of in deleted.items():
        amount, days = -sum((note.total for note in of), Decimal(0)), {note.issue_date.isoformat() for note in of}
        if (told := before.get(invoice_id)) is not None:
            amount += Decimal(told.values["amount"])
            days |= set(told.values["count"].split(", "))
        values = {"amount": money(amount), "currency": of[0].currency, "count": ", ".join(sorted(days))}
        rows.append({"invoice_id": invoice_id, "code": LEFT, "subject": "", "values": values, "stops": False})
    _take_away(session, [found.id for found in before.values()])
    session.execute(insert(InvoiceFinding), rows)


def _not_booked(session: Session, booking: Booking, orders: Mapping[int, Order]) -> dict[int, dict[str, Any]]:
    query = select(Invoice.credits_invoice_id, Invoice.external_id).where(Invoice.credits_invoice_id.in_(list(orders)))
    booked = {(row.credits_invoice_id, row.external_id) for row in session.execute(query)}
    booked |= {(id_, refund) for id_, of in settled_before(session, list(orders)).items() for refund in of}
    found = {}
    for invoice_id, order in orders.items():
        left = [one for one in refunds_of(order) if (invoice_id, one.external_id[:120]) not in booked]
        if left:
            days = dict.fromkeys(local_day(one.created_at, booking.zone).isoformat() for one in left)
            found[invoice_id] = {
                "amount": money(sum((one.total for one in left), Decimal(0))), "currency": order.currency,
                "count": ", ".join(days),
            }  # fmt: skip
    return found


def _take_away(session: Session, finding_ids: Sequence[int]) -> None:
    if finding_ids:
        session.execute(
            delete(InvoiceFinding)
            .where(InvoiceFinding.id.in_(finding_ids))
            .execution_options(synchronize_session=False)
        )
