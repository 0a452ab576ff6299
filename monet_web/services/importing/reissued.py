"""Reissued: an invoice to another buyer holds what was left of the former one; what was given back of it stays so."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import replace
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from monet_web.domain.credit_notes import Amounts, LineAmounts
from monet_web.domain.invoices import Draft, DraftLine, sum_by_rate
from monet_web.domain.money import ZERO, minor_unit, round_to
from monet_web.models.invoices import Invoice, InvoiceKind, InvoiceState
from monet_web.services.importing.notes import IN_FULL, credit_notes_of, left_of


def left_before(session: Session, invoices: Collection[Invoice]) -> dict[int, Amounts]:
    """Invoice → what was left of it when it was, or is, taken back as a whole: less its registered credit notes alone.

    Inside a transaction. The invoices have their lines and VAT loaded.
    """
    notes = credit_notes_of(session, [one.id for one in invoices])
    return {
        one.id: left_of(
            one,
            [
                note
                for note in notes.get(one.id, [])
                if note.state is InvoiceState.REGISTERED and not note.external_id.startswith(IN_FULL)
            ],
        )
        for one in invoices
    }


def remaining(draft: Draft, left: Amounts) -> tuple[Draft, list[int]]:
    """The draft of an invoice for what is `left` of it, and which of its lines these are, counted from 0."""
    unit = minor_unit(draft.currency)
    kept = [
        (index, _line(line, of_it, unit))
        for index, (line, of_it) in enumerate(zip(draft.lines, left.lines, strict=True))
        if not of_it.is_nothing
    ]
    lines = tuple(line for _index, line in kept)
    rounding, total = round_to(left.totals.rounding, unit), round_to(left.totals.total, unit)
    whole = replace(draft, lines=lines, vat=sum_by_rate(lines), rounding=rounding, total=total)
    return whole, [index for index, _line in kept]


def _line(line: DraftLine, left: LineAmounts, unit: Decimal) -> DraftLine:
    """What is left of a line. Money that was given back without goods is a discount of what stays."""
    now = replace(
        line, quantity=left.quantity, discount=round_to(left.discount, unit), net=round_to(left.net, unit),
        vat=round_to(left.vat, unit),
    )  # fmt: skip
    before = line.unit_price * line.quantity - line.discount - line.net
    after = now.unit_price * now.quantity - now.discount - now.net
    return now if abs(after - before) < unit else replace(now, discount=now.discount + round_to(after - before, unit))


def settled_before(session: Session, invoice_ids: Collection[int]) -> Mapping[int, set[str]]:
    """Invoice → refunds (external ids) that credit notes of invoices before it hold, which it was issued instead of.

    Such an invoice was made for what was left, so they are no refunds of it. Inside a transaction; one statement for
    most pages.
    """
    found: dict[int, set[str]] = defaultdict(set)
    query = select(Invoice.id, Invoice.reissues_invoice_id).where(Invoice.reissues_invoice_id.is_not(None))
    chain = {each: each for each in invoice_ids}  # an invoice on the way back → the living one
    while chain:
        rows = session.execute(query.where(Invoice.id.in_(chain))).all()
        chain = {row.reissues_invoice_id or 0: chain[row.id] for row in rows}
        if not chain:
            break
        notes = select(Invoice.credits_invoice_id, Invoice.external_id).where(
            Invoice.credits_invoice_id.in_(chain),
            Invoice.kind == InvoiceKind.CREDIT_NOTE,
            Invoice.state == InvoiceState.REGISTERED,
            Invoice.external_id.not_like(f"{IN_FULL}%"),
        )
        for credited, external_id in session.execute(notes):
            found[chain[credited or 0]].add(external_id)
    return found


def is_left(left: Amounts) -> bool:
    """True when something can be issued to another buyer."""
    return left.totals.total > ZERO
