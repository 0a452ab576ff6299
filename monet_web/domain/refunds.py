"""Refunds: what of an invoice a refund of the store takes back, at the invoice's rates, never more than remains (D11).

What remains of the invoice bounds everything: the refund that takes all of it is exactly that; one with lines takes
the store's figures of each line; one with an amount only is shared over the lines in proportion to what is left of
each, its VAT as the line's own. What the lines do not explain within the limit of rounding is shared the same way and
waits for a person. Rates are the invoice's, whatever the refund says of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from monet_web.domain.checks import money
from monet_web.domain.credit_notes import Amounts, LineAmounts, in_full
from monet_web.domain.findings import Finding
from monet_web.domain.money import ZERO, round_to
from monet_web.domain.orders import Order, Refund
from monet_web.domain.refund_lines import meant, of_lines
from monet_web.domain.refund_parts import Part, Sold, document, gross, nothing, proportion, within


class Goods(StrEnum):
    """What became of goods that were credited; "" on a line means that nobody has said yet."""

    BACK = "back"  # to the stock they came from
    DAMAGED = "damaged"  # returned, and no stock any more
    KEPT = "kept"  # not returned


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


def in_turn(refunds: Iterable[Refund], typed: Collection[str], limit: Decimal) -> list[Refund]:
    """In the order in which they take from the invoice: those whose lines explain them, then what a person typed.

    An amount alone is shared over what those leave, so that it never eats into a line that the store names. `typed`:
    external ids of refunds that a person has shared out; `limit`: money.
    """

    def turn(refund: Refund) -> int:
        named = sum((line.net + sum((tax.amount for tax in line.taxes), ZERO) for line in refund.lines), ZERO)
        if refund.lines and abs(refund.total - named) <= limit:
            return 0
        if refund.external_id[:120] in typed:
            return 1
        return 2 if refund.lines else 3

    return sorted(refunds, key=turn)


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
        return Proposal(nothing(left), {}, (Finding("refund_incomplete", "", values),))
    if left.totals.total <= 0:
        return Proposal(nothing(left), {}, (Finding("refund_over", "", values),))
    findings = [Finding("refund_exceeds", "", values)] if total > left.totals.total else []
    total = min(total, left.totals.total)
    open_amount = ZERO  # what no line of the refund names
    chosen = {key: within(part, by_position[key]) for key, part in (typed or {}).items() if key in by_position}
    if chosen and abs(total - gross(chosen)) <= limit:
        if total == left.totals.total:  # the last of several takes the cents in euro that the others left
            amounts = _with_quantities(in_full(left), {line.position: Part() for line in left.lines} | chosen)
        else:
            amounts = document(chosen, sold, left, total - gross(chosen), eur_rate)
    elif total == left.totals.total:
        amounts = in_full(left)
        if refund.lines:
            amounts = _with_quantities(amounts, of_lines(refund.lines, sold, left, unit))
        else:
            open_amount = total
    else:
        parts = of_lines(refund.lines, sold, left, unit)
        rest = total - gross(parts)
        if abs(rest) > limit or not parts:
            open_amount = abs(rest)
            parts = _with_the_rest(parts, left, total, unit)
            rest = total - gross(parts)
        amounts = document(parts, sold, left, rest, eur_rate)
    if open_amount:
        findings.append(Finding("refund_amount_only", "", {**values, "open": money(open_amount)}))
    goods = _goods(amounts, sold, said, typed or {})
    if any(not answer for answer in goods.values()):
        findings.append(Finding("goods_unanswered"))
    return Proposal(amounts, goods, tuple(findings))


def _with_the_rest(parts: Mapping[int, Part], left: Amounts, total: Decimal, unit: Decimal) -> dict[int, Part]:
    """Parts that come to `total`: what they lack is shared over what is left beside them; too much is scaled down."""
    named = gross(parts)
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


# --- goods --------------------------------------------------------------------------------------------------------


def _goods_said(refund: Refund, sold: Sequence[Sold]) -> dict[int, str]:
    """What the store says of the goods, by the invoice's positions."""
    said: dict[int, str] = {}
    for one in refund.lines:
        if one.restocked is not None:
            for line in meant(one, sold):
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
