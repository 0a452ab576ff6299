"""Credit notes: what is left of an invoice after its credit notes, and the document that takes it back (D11).

A credit note's amounts and quantities are negative, so that an invoice and its credit notes simply add up. Its lines
keep the positions of the invoice's lines, which is how what remains of each line is known. What it takes back is
always counted from what remains: the last of several credit notes gets the cents that the others left, in euro too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from monet_web.domain.money import ZERO


@dataclass(frozen=True, slots=True)
class LineAmounts:
    """The figures of one line of a document; `position` is the invoice's, on its credit notes too."""

    position: int
    quantity: Decimal
    discount: Decimal
    net: Decimal
    vat: Decimal

    @property
    def is_nothing(self) -> bool:
        """Neither goods nor money are left on it."""
        return not (self.quantity or self.net or self.vat)


@dataclass(frozen=True, slots=True)
class RateAmounts:
    """The VAT of one rate (None = no tax) and classifier code; `amount_eur` None where the document has no rate."""

    rate: Decimal | None
    code: str
    base: Decimal
    amount: Decimal
    amount_eur: Decimal | None


@dataclass(frozen=True, slots=True)
class Totals:
    """The sums of a document, in its currency and (None: without an exchange rate) in euro."""

    net: Decimal
    vat: Decimal
    rounding: Decimal
    total: Decimal
    net_eur: Decimal | None
    vat_eur: Decimal | None
    total_eur: Decimal | None


@dataclass(frozen=True, slots=True)
class Amounts:
    """All figures of one document: Σ base + Σ VAT + rounding = total, whatever was taken off it."""

    lines: tuple[LineAmounts, ...]
    vat: tuple[RateAmounts, ...]
    totals: Totals

    @property
    def is_nothing(self) -> bool:
        """Nothing is left to credit."""
        return not self.totals.total and all(line.is_nothing for line in self.lines)


def remaining(invoice: Amounts, credit_notes: Iterable[Amounts]) -> Amounts:
    """What is left of `invoice` after its credit notes, whose figures are negative."""
    left = invoice
    for note in credit_notes:
        left = Amounts(
            tuple(_line_left(line, note.lines) for line in left.lines),
            tuple(_rate_left(row, note.vat) for row in left.vat),
            _both(left.totals, note.totals),
        )
    return left


def in_full(left: Amounts) -> Amounts:
    """The credit note that takes back all that is left: lines and rates of which nothing is left are not on it."""
    totals = left.totals
    return Amounts(
        tuple(
            replace(line, quantity=-line.quantity, discount=-line.discount, net=-line.net, vat=-line.vat)
            for line in left.lines
            if not line.is_nothing
        ),
        tuple(
            replace(row, base=-row.base, amount=-row.amount, amount_eur=_minus(row.amount_eur))
            for row in left.vat
            if row.base or row.amount or row.amount_eur
        ),
        Totals(
            net=-totals.net,
            vat=-totals.vat,
            rounding=-totals.rounding,
            total=-totals.total,
            net_eur=_minus(totals.net_eur),
            vat_eur=_minus(totals.vat_eur),
            total_eur=_minus(totals.total_eur),
        ),
    )


def _line_left(line: LineAmounts, credited: Sequence[LineAmounts]) -> LineAmounts:
    of_it = [each for each in credited if each.position == line.position]
    return replace(
        line,
        quantity=sum((each.quantity for each in of_it), line.quantity),
        discount=sum((each.discount for each in of_it), line.discount),
        net=sum((each.net for each in of_it), line.net),
        vat=sum((each.vat for each in of_it), line.vat),
    )


def _rate_left(row: RateAmounts, credited: Sequence[RateAmounts]) -> RateAmounts:
    for each in credited:
        if (each.rate, each.code) == (row.rate, row.code):
            row = replace(
                row,
                base=row.base + each.base,
                amount=row.amount + each.amount,
                amount_eur=_sum(row.amount_eur, each.amount_eur),
            )
    return row


def _both(one: Totals, other: Totals) -> Totals:
    return Totals(
        net=one.net + other.net,
        vat=one.vat + other.vat,
        rounding=one.rounding + other.rounding,
        total=one.total + other.total,
        net_eur=_sum(one.net_eur, other.net_eur),
        vat_eur=_sum(one.vat_eur, other.vat_eur),
        total_eur=_sum(one.total_eur, other.total_eur),
    )


def _minus(amount: Decimal | None) -> Decimal | None:
    return None if amount is None else -amount


def _sum(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    return None if one is None else one + (other or ZERO)
