"""The lines of a store's refund laid over the lines of the invoice: which are meant, and what each of them gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from monet_web.domain.credit_notes import Amounts, LineAmounts
from monet_web.domain.money import ZERO, allocate, round_to
from monet_web.domain.orders import LineKind, RefundLine
from monet_web.domain.refund_parts import Part, Sold, proportion, within

_SMALLEST = Decimal("0.000001")  # of a quantity


def of_lines(refunded: Sequence[RefundLine], sold: Sequence[Sold], left: Amounts, unit: Decimal) -> dict[int, Part]:
    """What the refund's lines take of the invoice's, each within what is left of it; unknown ones are passed over."""
    parts: dict[int, Part] = {}
    for one in refunded:
        of_it = meant(one, sold)
        if of_it:
            for position, part in _shared(one, of_it, left, unit).items():
                before = parts.get(position, Part())
                parts[position] = Part(before.quantity + part.quantity, before.net + part.net, before.vat + part.vat)
    lines = {line.position: line for line in left.lines}
    bounded = {position: within(part, lines[position]) for position, part in parts.items()}
    return {position: part for position, part in bounded.items() if part != Part()}


def meant(one: RefundLine, sold: Sequence[Sold]) -> list[Sold]:
    """The invoice's lines that a refund's line speaks of: by the store's id, else the only charge of its kind."""
    if one.line_id:
        found = [line for line in sold if line.store_line_id == one.line_id[:120]]
        if found:
            return found
    if one.kind in (LineKind.GOODS, LineKind.SERVICE):
        return []
    ids = {line.store_line_id for line in sold if line.kind == one.kind.value}
    return [line for line in sold if line.kind == one.kind.value] if len(ids) == 1 else []


def _shared(one: RefundLine, of_it: Sequence[Sold], left: Amounts, unit: Decimal) -> dict[int, Part]:
    """A refund's line over the lines of one row of the order: one of each rate, or goods and their discount."""
    net = round_to(one.net, unit)
    vat_of: dict[Decimal | None, Decimal] = {}
    for tax in one.taxes:
        vat_of[tax.rate] = vat_of.get(tax.rate, ZERO) + tax.amount
    vat_of = {rate: round_to(amount, unit) for rate, amount in vat_of.items()}
    vat = sum(vat_of.values(), ZERO)
    rates = list(dict.fromkeys(line.rate for line in of_it))
    taxed = any(line.vat for line in of_it)
    if len(rates) == 1 and (None in vat_of or set(vat_of) <= set(rates)) and bool(vat) == taxed:
        vat_of = {rates[0]: vat}
    elif not (set(vat_of) <= set(rates) and bool(vat) == taxed):
        # Not the rates of the invoice, or no VAT told of what was taxed: it is an amount with VAT, at the old rates.
        by_line = proportion([_whole(line) for line in of_it], abs(net + vat), unit)
        sign = -1 if net + vat < 0 else 1
        shares = {key: Part(net=sign * part.net, vat=sign * part.vat) for key, part in by_line.items()}
        return _counted(one, of_it, left, shares)
    nets = allocate(net, [sum((line.net for line in of_it if line.rate == rate), ZERO) for rate in rates], unit)
    parts: dict[int, Part] = {}
    for rate, net_of_rate in zip(rates, nets, strict=True):
        lines = [line for line in of_it if line.rate == rate]
        for_net = _signed(net_of_rate, [line.net for line in lines], unit)
        for_vat = _signed(vat_of.get(rate, ZERO), [line.vat for line in lines], unit)
        for line, its_net, its_vat in zip(lines, for_net, for_vat, strict=True):
            parts[line.position] = Part(net=its_net, vat=its_vat)
    return _counted(one, of_it, left, parts)


def _whole(line: Sold) -> LineAmounts:
    return LineAmounts(line.position, ZERO, ZERO, line.net, line.vat)


def _signed(amount: Decimal, weights: Sequence[Decimal], unit: Decimal) -> list[Decimal]:
    """`amount` by weights that may be negative (a discount beside its goods); the largest takes what is left over."""
    whole = sum(weights, ZERO)
    if len(weights) == 1 or not whole:
        return [amount, *([ZERO] * (len(weights) - 1))]
    shares = [round_to(amount * weight / whole, unit) for weight in weights]
    largest = max(range(len(weights)), key=lambda index: (abs(weights[index]), -index))
    shares[largest] += amount - sum(shares, ZERO)
    return shares


def _counted(one: RefundLine, of_it: Sequence[Sold], left: Amounts, parts: dict[int, Part]) -> dict[int, Part]:
    """With the pieces that came off each line: by what each had of them.

    A discount that stands on a line of its own comes off with its goods: half of it with half of the pieces.
    """
    if one.kind not in (LineKind.GOODS, LineKind.SERVICE):
        quantities = {line.position: Decimal(1) for line in of_it}
    else:
        had = {line.position: line.quantity for line in left.lines}
        pieces = sum((had.get(line.position, ZERO) for line in of_it if line.kind == one.kind.value), ZERO)
        quantities = {
            line.position: round_to(one.quantity * had.get(line.position, ZERO) / pieces, _SMALLEST)
            for line in of_it
            if pieces
        }
    positions = dict.fromkeys((*parts, *quantities))
    return {
        position: replace(parts.get(position, Part()), quantity=quantities.get(position, ZERO))
        for position in positions
    }
