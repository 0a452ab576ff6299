"""PrestaShop's cart rules as order-level discounts, one charge a rule and rate: the shop itself says no rate of them.

A rule says its value without and with VAT. Free shipping comes off the shipping first; the rest lies on the lines in
proportion to their totals, which gave the shop's own VAT in 87 of 90 measured orders. The others are rules bound to
one product (a percentage on a book, a gift): there the two values together say which rate, or which two, they are of.
Amounts in are positive, charges out negative; together they are what the header says was taken off, to the cent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations

from monet_web.connectors.foreign import Row, amount, flag, share, text
from monet_web.domain.money import allocate, round_cents
from monet_web.domain.orders import Charge, LineKind, OrderLine, Tax

_ZERO = Decimal(0)
_NOISE = Decimal("0.03")  # VAT that rounding alone explains: both values of a rule are rounded, and so is each line
_NOTHING = Decimal("0.005")
_CENT_OF_A_RULE = Decimal("0.01")  # what rounding a rule's worth to cents may come to

Rates = tuple[Decimal | None, ...]


@dataclass(frozen=True, slots=True)
class _Group:
    """What a discount can lie on: the lines of one set of rates. `net` is their sum; no rates: no tax."""

    rates: Rates
    net: Decimal

    @property
    def factor(self) -> Decimal:
        """VAT for one of net."""
        return sum((rate or _ZERO for rate in self.rates), _ZERO) / 100


@dataclass(frozen=True, slots=True)
class _Worth:
    """What a rule takes off, without and with VAT."""

    rule: Row
    net: Decimal
    gross: Decimal


@dataclass(frozen=True, slots=True)
class _Part:
    rates: Rates
    net: Decimal
    tax: Decimal


def discounts(header: Row, rules: Sequence[Row], lines: Sequence[OrderLine], others: Sequence[Charge]) -> list[Charge]:
    """The discounts of an order. What the header has beyond its rules (or all, where rules were not asked) too."""
    groups = _groups(lines) or _groups(others)
    shipping = next((charge for charge in others if charge.kind is LineKind.SHIPPING), None)
    worth = [_Worth(rule, amount(rule, "value_tax_excl", _ZERO), amount(rule, "value", _ZERO)) for rule in rules]
    worth = [one for one in worth if not flag(one.rule, "deleted")]
    worth, left_net, left_tax = _to_the_headers_cents(header, worth)
    found: list[Charge] = []
    for one in worth:
        net, tax = one.net, one.gross - one.net
        parts = []
        if flag(one.rule, "free_shipping") and shipping is not None:
            part = _off_shipping(shipping, net)
            shipping = None  # it can be given away only once
            parts.append(part)
            net, tax = net - part.net, tax - part.tax
        parts += _spread(net, tax, groups, lines)
        found += _as_charges(f"cart_rule:{text(one.rule, 'id')}", text(one.rule, "name"), parts)
    if abs(left_net) > _NOTHING or abs(left_tax) > _NOTHING:
        found += _as_charges("discount", "Discount", _spread(left_net, left_tax, groups, lines))
    return found


def _to_the_headers_cents(header: Row, worth: list[_Worth]) -> tuple[list[_Worth], Decimal, Decimal]:
    """Rules say their worth in six decimals, the header what was taken off, in cents: the parts of a cent between them
    go to the largest rule. What is more than that is given back as net and VAT of a discount without a rule.
    """
    left_net = amount(header, "total_discounts_tax_excl", _ZERO) - sum((one.net for one in worth), _ZERO)
    left_gross = amount(header, "total_discounts_tax_incl", _ZERO) - sum((one.gross for one in worth), _ZERO)
    most = _CENT_OF_A_RULE * len(worth)
    if not worth or abs(left_net) > most or abs(left_gross) > most:
        return worth, left_net, left_gross - left_net
    largest = max(range(len(worth)), key=lambda at: worth[at].gross)
    one = worth[largest]
    rounded = _Worth(one.rule, one.net + left_net, one.gross + left_gross)
    return [*worth[:largest], rounded, *worth[largest + 1 :]], _ZERO, _ZERO


def _groups(of: Sequence[OrderLine] | Sequence[Charge]) -> list[_Group]:
    sums: dict[Rates, Decimal] = {}
    for line in of:
        rates = tuple(tax.rate for tax in line.taxes)
        sums[rates] = sums.get(rates, _ZERO) + line.net
    return [_Group(rates, net) for rates, net in sums.items() if net]


def _off_shipping(shipping: Charge, at_most: Decimal) -> _Part:
    """The shipping's own net and VAT, or as much of it as the rule is worth."""
    tax = sum((tax.amount for tax in shipping.taxes), _ZERO)
    rates = tuple(found.rate for found in shipping.taxes)
    if shipping.net <= at_most + _NOTHING or not shipping.net:
        return _Part(rates, shipping.net, tax)
    return _Part(rates, at_most, tax * at_most / shipping.net)


def _spread(net: Decimal, tax: Decimal, groups: list[_Group], lines: Sequence[OrderLine]) -> list[_Part]:
    """Where `net` and `tax` of a discount lie. In proportion if that gives this VAT, else solved from the two."""
    if abs(net) <= _NOTHING and abs(tax) <= _NOTHING:
        if not net and not tax:
            return []
        groups = groups[:1] or [_Group((), net)]
    if not groups:
        return [_Part((None,) if tax else (), net, tax)]
    shares = share(net, [group.net for group in groups])
    parts = [_Part(g.rates, part, part * g.factor) for g, part in zip(groups, shares, strict=True)]
    if abs(tax - sum((part.tax for part in parts), _ZERO)) > _NOISE:
        parts = _of_one_product(net, tax, lines) or _of_one_or_two_rates(net, tax, groups) or parts
    return _with_exact_tax(_in_cents(parts, net, tax), tax)


def _of_one_product(net: Decimal, tax: Decimal, lines: Sequence[OrderLine]) -> list[_Part]:
    """A gift: the rule is worth exactly what one line costs."""
    for line in lines:
        line_tax = sum((found.amount for found in line.taxes), _ZERO)
        if abs(line.net - net) <= _NOISE and abs(line_tax - tax) <= _NOISE:
            return [_Part(tuple(found.rate for found in line.taxes), net, tax)]
    return []


def _of_one_or_two_rates(net: Decimal, tax: Decimal, groups: list[_Group]) -> list[_Part]:
    """All of it on the rate that gives this VAT; else on the two heaviest between whose VAT it lies."""
    for group in groups:
        if abs(net * group.factor - tax) <= _NOISE:
            return [_Part(group.rates, net, tax)]
    heaviest_first = sorted(groups, key=lambda group: -abs(group.net))
    for one, other in combinations(heaviest_first, 2):
        if one.factor == other.factor:
            continue
        of_one = (tax - net * other.factor) / (one.factor - other.factor)
        if min(net, _ZERO) <= of_one <= max(net, _ZERO):
            return [
                _Part(one.rates, of_one, of_one * one.factor),
                _Part(other.rates, net - of_one, (net - of_one) * other.factor),
            ]
    return []


def _in_cents(parts: list[_Part], net: Decimal, tax: Decimal) -> list[_Part]:
    """The parts in cents where the whole is, or rounding each of them would leave a cent over on the invoice."""
    if net != round_cents(net) or tax != round_cents(tax):
        return parts
    nets = allocate(net, [part.net for part in parts])
    return [_Part(part.rates, of_it, round_cents(part.tax)) for part, of_it in zip(parts, nets, strict=True)]


def _with_exact_tax(parts: list[_Part], tax: Decimal) -> list[_Part]:
    """The parts with the cents that are still missing to `tax` on the heaviest that has VAT."""
    missing = tax - sum((part.tax for part in parts), _ZERO)
    if not missing:
        return parts
    heaviest = max(range(len(parts)), key=lambda index: (abs(parts[index].tax), abs(parts[index].net)))
    part = parts[heaviest]
    parts[heaviest] = _Part(part.rates or (None,), part.net, part.tax + missing)
    return parts


def _as_charges(external_id: str, name: str, parts: Sequence[_Part]) -> list[Charge]:
    together: dict[Rates, _Part] = {}
    for part in parts:
        before = together.get(part.rates, _Part(part.rates, _ZERO, _ZERO))
        together[part.rates] = _Part(part.rates, before.net + part.net, before.tax + part.tax)
    return [
        Charge(
            external_id=f"{external_id}:{index}",
            kind=LineKind.DISCOUNT,
            name=name or "Discount",
            net=-part.net,
            taxes=_taxes(part),
        )
        for index, part in enumerate(together.values(), start=1)
        if part.net or part.tax
    ]


def _taxes(part: _Part) -> tuple[Tax, ...]:
    amounts = share(part.tax, [rate or _ZERO for rate in part.rates]) if part.rates else []
    return tuple(Tax(rate=rate, amount=-found, base=-part.net) for rate, found in zip(part.rates, amounts, strict=True))
