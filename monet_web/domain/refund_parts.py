"""What is taken back of an invoice's lines: parts, how an amount is shared over lines, and the document they make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from monet_web.domain.credit_notes import Amounts, LineAmounts, RateAmounts, Totals
from monet_web.domain.money import ZERO, allocate, convert, round_to


@dataclass(frozen=True, slots=True)
class Sold:
    """A line of the invoice: what a refund's lines are matched by."""

    position: int
    store_line_id: str
    kind: str
    rate: Decimal | None
    net: Decimal
    vat: Decimal
    asks_for_goods: bool = False  # its item keeps stock: what became of the goods matters
    code: str | None = None  # of the classifier, on the invoice; None: the line does not say which


@dataclass(frozen=True, slots=True)
class Part:
    """What is taken back of one line, positive; `goods` "" = nobody said what became of them."""

    quantity: Decimal = ZERO
    net: Decimal = ZERO
    vat: Decimal = ZERO
    goods: str = ""

    @property
    def gross(self) -> Decimal:
        """With VAT."""
        return self.net + self.vat


def proportion(lines: Sequence[LineAmounts], total: Decimal, unit: Decimal) -> dict[int, Part]:
    """`total` (with VAT) shared over lines by what they come to, the VAT of each share as that of its line.

    Position → part. No share is larger than its line as long as `total` is no larger than all of them.
    """
    grosses = {line.position: line.net + line.vat for line in lines if line.net + line.vat}
    whole = sum(grosses.values(), ZERO)
    if whole <= 0 or not total:
        return {}
    total = min(total, whole)
    below = {key: gross for key, gross in grosses.items() if gross < 0}
    off = round_to(total * sum(below.values(), ZERO) / whole, unit) if below else ZERO
    above = {key: gross for key, gross in grosses.items() if gross > 0}
    shares = dict(zip(above, allocate(total - off, list(above.values()), unit), strict=True))
    shares |= dict(zip(below, allocate(off, list(below.values()), unit), strict=True)) if below else {}
    parts = {}
    for line in lines:
        if share := shares.get(line.position, ZERO):
            vat = round_to(share * line.vat / grosses[line.position], unit)
            parts[line.position] = Part(net=share - vat, vat=vat)
    return parts


def within(part: Part, line: LineAmounts) -> Part:
    """No more than what is left of the line, in pieces, net and VAT each."""
    return replace(
        part,
        quantity=_bounded(part.quantity, line.quantity),
        net=_bounded(part.net, line.net),
        vat=_bounded(part.vat, line.vat),
    )


def _bounded(amount: Decimal, left: Decimal) -> Decimal:
    low, high = min(left, ZERO), max(left, ZERO)
    return min(max(amount, low), high)


def gross(parts: Mapping[int, Part]) -> Decimal:
    """What parts come to, with VAT."""
    return sum((part.gross for part in parts.values()), ZERO)


# --- the document -------------------------------------------------------------------------------------------------


def document(
    parts: Mapping[int, Part], sold: Sequence[Sold], left: Amounts, rounding: Decimal, eur_rate: Decimal | None
) -> Amounts:
    """The credit note of the parts, negative, with VAT by rate and code and the figures in euro."""
    rates = {line.position: line.rate for line in sold}
    codes = {line.position: line.code for line in sold}
    lines = tuple(
        LineAmounts(position, -part.quantity, ZERO, -part.net, -part.vat) for position, part in sorted(parts.items())
    )
    rows: list[RateAmounts] = []
    for rate in dict.fromkeys(row.rate for row in left.vat):
        of_rate = [line for line in lines if rates.get(line.position) == rate]
        if of_rate:
            rows += _rows_of(of_rate, codes, [row for row in left.vat if row.rate == rate], eur_rate)
    net, vat = sum((row.base for row in rows), ZERO), sum((row.amount for row in rows), ZERO)
    total = net + vat - rounding
    euro: tuple[Decimal | None, Decimal | None, Decimal | None] = (None, None, None)
    if eur_rate:
        vat_eur = sum((row.amount_eur or ZERO for row in rows), ZERO)
        total_eur = convert(total, eur_rate)
        euro = (total_eur - vat_eur + convert(rounding, eur_rate), vat_eur, total_eur)
    return Amounts(
        lines,
        tuple(row for row in rows if row.base or row.amount),
        Totals(net, vat, -rounding, total, *euro),
    )


def _rows_of(
    lines: Sequence[LineAmounts],
    codes: Mapping[int, str | None],
    left: Sequence[RateAmounts],
    eur_rate: Decimal | None,
) -> list[RateAmounts]:
    """The VAT of one rate, each line under the code that it has on the invoice.

    Where a line does not say its code, or more would be taken of a code than is left, each gives by its base.
    """
    shares = _by_code(lines, codes, left) or _by_base(lines, left)
    return [
        RateAmounts(row.rate, row.code, base, amount, _in_euro(row, base, amount, eur_rate))
        for row, (base, amount) in zip(left, shares, strict=True)
    ]


def _by_code(
    lines: Sequence[LineAmounts], codes: Mapping[int, str | None], left: Sequence[RateAmounts]
) -> list[tuple[Decimal, Decimal]] | None:
    """Base and VAT of each row of `left`; None where the lines do not decide."""
    taken = {row.code: (ZERO, ZERO) for row in left}
    for line in lines:
        code = codes.get(line.position)
        if code is None or code not in taken:
            return None
        base, amount = taken[code]
        taken[code] = base + line.net, amount + line.vat
    shares = [taken[row.code] for row in left]
    for row, (base, amount) in zip(left, shares, strict=True):
        if _bounded(-base, row.base) != -base or _bounded(-amount, row.amount) != -amount:
            return None
    return shares


def _by_base(lines: Sequence[LineAmounts], left: Sequence[RateAmounts]) -> list[tuple[Decimal, Decimal]]:
    base, amount = sum((line.net for line in lines), ZERO), sum((line.vat for line in lines), ZERO)
    if len(left) == 1:
        return [(base, amount)]
    unit = Decimal(1).scaleb(min(_exponent(base), _exponent(amount)))
    bases = [row.base for row in left]
    return list(zip(allocate(base, bases, unit), allocate(amount, bases, unit), strict=True))


def _exponent(amount: Decimal) -> int:
    return min(int(amount.as_tuple().exponent), 0)


def _in_euro(row: RateAmounts, base: Decimal, amount: Decimal, eur_rate: Decimal | None) -> Decimal | None:
    """The last of a rate takes the cents in euro that the others left."""
    if not eur_rate:
        return None
    if row.base + base == 0 and row.amount + amount == 0 and row.amount_eur is not None:
        return -row.amount_eur
    return convert(amount, eur_rate)


def nothing(left: Amounts) -> Amounts:
    known = left.totals.total_eur is not None
    euro = ZERO if known else None
    return Amounts((), (), Totals(ZERO, ZERO, ZERO, ZERO, euro, euro, euro))
