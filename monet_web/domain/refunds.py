"""Refunds: what of an invoice a refund of the store takes back, at the invoice's rates, never more than remains (D11).

What remains of the invoice bounds everything: the refund that takes all of it is exactly that; one with lines takes
the store's figures of each line; one with an amount only is shared over the lines in proportion to what is left of
each, its VAT as the line's own. What the lines do not explain within the limit of rounding is shared the same way and
waits for a person. Rates are the invoice's, whatever the refund says of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from monet_web.domain.checks import money
from monet_web.domain.credit_notes import Amounts, LineAmounts, RateAmounts, Totals, in_full
from monet_web.domain.findings import Finding
from monet_web.domain.money import ZERO, allocate, convert, round_to
from monet_web.domain.orders import LineKind, Order, Refund, RefundLine


class Goods(StrEnum):
    """What became of goods that were credited; "" on a line means that nobody has said yet."""

    BACK = "back"  # to the stock they came from
    DAMAGED = "damaged"  # returned, and no stock any more
    KEPT = "kept"  # not returned


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


@dataclass(frozen=True, slots=True)
class Proposal:
    """The credit note of a refund: its figures (negative), what became of the goods by position, what is found."""

    amounts: Amounts
    goods: Mapping[int, str]
    findings: tuple[Finding, ...] = ()


def refunds_of(order: Order) -> tuple[Refund, ...]:
    """The refunds of an order, the oldest first; a status that says "given back" without one counts for the rest."""
    found = tuple(sorted(order.refunds, key=lambda one: (one.created_at, len(one.external_id), one.external_id)))
    rest = order.total - sum((one.total for one in found), ZERO)
    if order.is_refunded and rest > 0 and all(one.complete or one.total for one in found):
        moment = order.changed_at or order.placed_at
        found += (Refund(f"status of {order.external_id}", moment, rest, reason=order.status_label),)
    return found


def propose(
    refund: Refund,
    sold: Sequence[Sold],
    left: Amounts,
    *,
    eur_rate: Decimal | None,
    currency: str,
    unit: Decimal,
    limit: Decimal,
    typed: Mapping[int, Part] | None = None,
) -> Proposal:
    """The credit note of `refund` out of what is `left`; `typed`: a person's parts by position. Unit, limit: money.

    Σ base + Σ VAT + rounding = total, and nothing is more than what is left of it.
    """
    total = round_to(refund.total, unit)
    by_position = {line.position: line for line in left.lines}
    values = {"amount": money(total), "left": money(left.totals.total), "currency": currency}
    said = _goods_said(refund, sold)
    if not refund.complete and not total:
        return Proposal(_nothing(left), {}, (Finding("refund_incomplete", "", values),))
    if left.totals.total <= 0:
        return Proposal(_nothing(left), {}, (Finding("refund_over", "", values),))
    findings = [Finding("refund_exceeds", "", values)] if total > left.totals.total else []
    total = min(total, left.totals.total)
    open_amount = ZERO  # what no line of the refund names
    chosen = {key: _within(part, by_position[key]) for key, part in (typed or {}).items() if key in by_position}
    if chosen and abs(total - _gross(chosen)) <= limit:
        amounts = _document(chosen, sold, left, total - _gross(chosen), eur_rate)
    elif total == left.totals.total:
        amounts = in_full(left)
        if refund.lines:
            amounts = _with_quantities(amounts, _of_lines(refund.lines, sold, left, unit))
        else:
            open_amount = total
    else:
        parts = _of_lines(refund.lines, sold, left, unit)
        rest = total - _gross(parts)
        if abs(rest) > limit or not parts:
            open_amount = abs(rest)
            parts = _with_the_rest(parts, left, total, unit)
            rest = total - _gross(parts)
        amounts = _document(parts, sold, left, rest, eur_rate)
    if open_amount:
        findings.append(Finding("refund_amount_only", "", {**values, "open": money(open_amount)}))
    goods = _goods(amounts, sold, said, typed or {})
    if any(not answer for answer in goods.values()):
        findings.append(Finding("goods_unanswered"))
    return Proposal(amounts, goods, tuple(findings))


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


# --- the store's lines --------------------------------------------------------------------------------------------


def _of_lines(refunded: Sequence[RefundLine], sold: Sequence[Sold], left: Amounts, unit: Decimal) -> dict[int, Part]:
    """What the refund's lines take of the invoice's, each within what is left of it; unknown ones are passed over."""
    parts: dict[int, Part] = {}
    for one in refunded:
        of_it = _meant(one, sold)
        if of_it:
            for position, part in _shared(one, of_it, left, unit).items():
                before = parts.get(position, Part())
                parts[position] = Part(before.quantity + part.quantity, before.net + part.net, before.vat + part.vat)
    lines = {line.position: line for line in left.lines}
    within = {position: _within(part, lines[position]) for position, part in parts.items()}
    return {position: part for position, part in within.items() if part != Part()}


def _meant(one: RefundLine, sold: Sequence[Sold]) -> list[Sold]:
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
    """With the pieces that came off each line: by what each had of them."""
    if one.kind not in (LineKind.GOODS, LineKind.SERVICE):
        quantities = {line.position: Decimal(1) for line in of_it}
    else:
        had = {line.position: line.quantity for line in left.lines}
        goods = [line for line in of_it if line.kind == one.kind.value]
        pieces = sum((had.get(line.position, ZERO) for line in goods), ZERO)
        quantities = {
            line.position: round_to(one.quantity * had.get(line.position, ZERO) / pieces, Decimal("0.000001"))
            for line in goods
            if pieces
        }
    positions = dict.fromkeys((*parts, *quantities))
    return {
        position: replace(parts.get(position, Part()), quantity=quantities.get(position, ZERO))
        for position in positions
    }


def _within(part: Part, line: LineAmounts) -> Part:
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


def _with_the_rest(parts: Mapping[int, Part], left: Amounts, total: Decimal, unit: Decimal) -> dict[int, Part]:
    """Parts that come to `total`: what they lack is shared over what is left beside them; too much is scaled down."""
    named = _gross(parts)
    if named >= total:
        shares = proportion(
            [LineAmounts(position, ZERO, ZERO, part.net, part.vat) for position, part in parts.items()], total, unit
        )
        return {
            position: replace(part, net=shares[position].net, vat=shares[position].vat)
            for position, part in parts.items()
            if position in shares
        }
    beside = [
        replace(line, net=line.net - part.net, vat=line.vat - part.vat)
        for line in left.lines
        for part in [parts.get(line.position, Part())]
    ]
    shares = proportion(beside, total - named, unit)
    whole = dict(parts)
    for position, share in shares.items():
        part = parts.get(position, Part())
        whole[position] = replace(part, net=part.net + share.net, vat=part.vat + share.vat)
    return whole


def _with_quantities(amounts: Amounts, parts: Mapping[int, Part]) -> Amounts:
    """All that is left, with the pieces that the store names: a line may be given back in money alone."""
    return replace(
        amounts,
        lines=tuple(
            replace(line, quantity=-parts[line.position].quantity) if line.position in parts else line
            for line in amounts.lines
        ),
    )


# --- the document -------------------------------------------------------------------------------------------------


def _gross(parts: Mapping[int, Part]) -> Decimal:
    return sum((part.gross for part in parts.values()), ZERO)


def _document(
    parts: Mapping[int, Part], sold: Sequence[Sold], left: Amounts, rounding: Decimal, eur_rate: Decimal | None
) -> Amounts:
    """The credit note of the parts, negative, with VAT by rate and code and the figures in euro."""
    rates = {line.position: line.rate for line in sold}
    lines = tuple(
        LineAmounts(position, -part.quantity, ZERO, -part.net, -part.vat) for position, part in sorted(parts.items())
    )
    rows: list[RateAmounts] = []
    for rate in dict.fromkeys(row.rate for row in left.vat):
        of_rate = [line for line in lines if rates.get(line.position) == rate]
        if of_rate:
            rows += _rows_of(rate, of_rate, [row for row in left.vat if row.rate == rate], eur_rate)
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
    rate: Decimal | None, lines: Sequence[LineAmounts], left: Sequence[RateAmounts], eur_rate: Decimal | None
) -> list[RateAmounts]:
    """The VAT of one rate. Of a rate with several classifier codes each gives in proportion to its base."""
    base, amount = sum((line.net for line in lines), ZERO), sum((line.vat for line in lines), ZERO)
    bases, amounts = [base], [amount]
    if len(left) > 1:
        unit = Decimal(1).scaleb(min(_exponent(base), _exponent(amount)))
        bases = allocate(base, [row.base for row in left], unit)
        amounts = allocate(amount, [row.base for row in left], unit)
    return [
        RateAmounts(rate, row.code, its_base, its_amount, _in_euro(row, its_base, its_amount, eur_rate))
        for row, its_base, its_amount in zip(left, bases, amounts, strict=True)
    ]


def _exponent(amount: Decimal) -> int:
    return min(int(amount.as_tuple().exponent), 0)


def _in_euro(row: RateAmounts, base: Decimal, amount: Decimal, eur_rate: Decimal | None) -> Decimal | None:
    """The last of a rate takes the cents in euro that the others left."""
    if not eur_rate:
        return None
    if row.base + base == 0 and row.amount + amount == 0 and row.amount_eur is not None:
        return -row.amount_eur
    return convert(amount, eur_rate)


def _nothing(left: Amounts) -> Amounts:
    known = left.totals.total_eur is not None
    euro = ZERO if known else None
    return Amounts((), (), Totals(ZERO, ZERO, ZERO, ZERO, euro, euro, euro))


# --- goods --------------------------------------------------------------------------------------------------------


def _goods_said(refund: Refund, sold: Sequence[Sold]) -> dict[int, str]:
    """What the store says of the goods, by the invoice's positions."""
    said: dict[int, str] = {}
    for one in refund.lines:
        if one.restocked is not None:
            for line in _meant(one, sold):
                said[line.position] = Goods.BACK if one.restocked else Goods.KEPT
    return said


def _goods(
    amounts: Amounts, sold: Sequence[Sold], said: Mapping[int, str], typed: Mapping[int, Part]
) -> dict[int, str]:
    """What became of the goods of each credited line that has some; a person's word stands above the store's."""
    asking = {line.position for line in sold if line.asks_for_goods}
    return {
        line.position: (typed[line.position].goods if line.position in typed else "") or said.get(line.position, "")
        for line in amounts.lines
        if line.quantity and line.position in asking
    }
