"""Numbers of credit notes: after that of the invoice, or of a series of their own where the settings say so (D11)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import date

from sqlalchemy.orm import Session

from monet_web.domain.settings import Settings
from monet_web.models.invoices import Invoice, InvoiceKind
from monet_web.services.books.numbers import number_key
from monet_web.services.importing.facts import taken_numbers
from monet_web.services.importing.own_numbers import locked, next_of

_LONGEST_NUMBER = 120


def are_of_series(settings: Settings) -> bool:
    """Then a credit note has no number until it is registered."""
    return settings.credit_number_from == "series"


def of_series(session: Session, integration_id: int, settings: Settings, days: Sequence[date]) -> list[str]:
    """The next numbers of the integration's credit notes, one a day named; earlier days get the smaller ones.

    The series stays locked until the commit, so there is no gap. For registered ones alone. A page locks it after its
    balances: only who holds the integration's claim asks for it, so that nobody waits for it with balances in hand.
    """
    if not days:
        return []
    years = {day.year for day in days}
    series = locked(session, integration_id, InvoiceKind.CREDIT_NOTE, settings.credit_prefix, years)
    order = sorted(range(len(days)), key=lambda index: days[index])
    numbers = next_of(session, series, [days[index].year for index in order])
    return [number for _, number in sorted(zip(order, numbers, strict=True))]


def after_invoices(
    session: Session, invoices: Sequence[Invoice], had: Mapping[int, int], reserved: Collection[str] = ()
) -> list[str]:
    """A number for a credit note of each: `<invoice number>-K1`, a number that somebody has stepped over.

    `had`: how many an invoice has already; one that is named twice gets two. `reserved`: keys of numbers that others
    of this transaction will get.
    """
    turns: Counter[int] = Counter(had)
    tries: list[int] = []
    for invoice in invoices:
        turns[invoice.id] += 1
        tries.append(turns[invoice.id])
    while True:
        numbers = [_numbered(*each) for each in zip(invoices, tries, strict=True)]
        taken = taken_numbers(session, {number_key(number) for number in numbers})
        met = [
            index
            for index, number in enumerate(numbers)
            if number_key(number) in taken or number_key(number) in reserved
        ]
        if not met:
            return numbers
        first = invoices[met[0]].id
        for index, invoice in enumerate(invoices):
            # Those after it of the same invoice move on with it, so that no two get one number.
            if invoice.id == first and index >= met[0]:
                tries[index] += 1


def _numbered(invoice: Invoice, turn: int) -> str:
    ending = f"-K{turn}"
    return (invoice.number or invoice.order_number)[: _LONGEST_NUMBER - len(ending)] + ending
