"""VAT of OpenCart's orders, which store no rate: found from the rates of the shop, the tax rows and the amounts.

Lines have their tax per piece, before coupons; the tax rows ("PVM 21%") are after coupons and are the truth; shipping
and fees have no tax of their own at all. So: a line's rate is its tax per price, snapped to a rate of the shop; the
rate of shipping and fees is the one that explains the tax rows best; and what a rate's lines and charges have beyond
its tax row divided by the rate is that rate's share of the discounts, whatever kind of coupon it was. The rest of the
discounts lies on what has no tax. All amounts here are in the shop's own currency.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import combinations, product

from monet_web.connectors.base import Json
from monet_web.connectors.foreign import Row, amount, plain, rows, text
from monet_web.domain.money import round_to

_ZERO = Decimal(0)
_RATE_IN_TITLE = re.compile(r"(\d{1,2}(?:[.,]\d{1,3})?)\s*%")
_POINT = Decimal("0.0005")  # 0.05 points of a price: what rounding both to four decimals may make of a rate
_LEAST_NOISE = Decimal("0.0002")
_NOISE = Decimal("0.02")  # of a whole order
_BASE_UNIT = Decimal("0.000001")
_MOST_UNKNOWN = 4  # charges whose rate is searched for; more would be too many combinations

Rate = Decimal | None  # None: no tax


@dataclass(frozen=True, slots=True)
class TaxRow:
    """One tax row of the order's totals. `rate` None: a title without rate that the shop does not know."""

    row_id: str
    title: str
    rate: Rate
    value: Decimal
    is_fixed: bool  # an amount a piece (packaging tax), no VAT


@dataclass(frozen=True, slots=True)
class Rates:
    """The shop's rates: of percentages and fixed amounts by name, and by tax class."""

    percent: Mapping[str, Decimal]
    fixed: Mapping[str, Decimal]
    of_class: Mapping[str, tuple[str, ...]]  # tax class → names

    @classmethod
    def read(cls, info: Row) -> Rates:
        """From `tax_rates` and `tax_rules` of the bridge's info."""
        percent, fixed, names = {}, {}, {}
        for rate in rows(info, "tax_rates"):
            name = text(rate, "name")
            names[text(rate, "tax_rate_id")] = name
            if text(rate, "type") == "F":
                fixed[name] = amount(rate, "rate")
            else:
                percent[name] = plain(amount(rate, "rate"))
        of_class: dict[str, tuple[str, ...]] = {}
        for rule in rows(info, "tax_rules"):
            name = names.get(text(rule, "tax_rate_id"), "")
            key = text(rule, "tax_class_id")
            of_class[key] = (*of_class.get(key, ()), name)
        return cls(percent=percent, fixed=fixed, of_class=of_class)

    def row(self, total: Row) -> TaxRow:
        """A tax row of an order: its rate by the shop's name, else by the per cents in its title."""
        title = text(total, "title")
        rate = self.percent.get(title)
        if rate is None and title not in self.fixed:
            found = _RATE_IN_TITLE.search(title)
            rate = plain(Decimal(found[1].replace(",", "."))) if found else None
        return TaxRow(text(total, "order_total_id"), title, rate, amount(total, "value"), title in self.fixed)


@dataclass(frozen=True, slots=True)
class LineTax:
    """The taxes of one piece: VAT by rate (None where no rate fits), and fixed amounts that are no VAT."""

    vat: tuple[tuple[Rate, Decimal], ...] = ()


def line_tax(product_row: Row, rates: Rates, tax_rows: Sequence[TaxRow]) -> LineTax:
    """Which rates make the `tax` of a piece of its `price`. Products that were deleted have no class any more."""
    price, tax = amount(product_row, "price"), amount(product_row, "tax", _ZERO)
    names = rates.of_class.get(text(product_row, "tax_class_id"), ())
    if not tax:
        at_zero = any(rates.percent.get(name) == 0 for name in names)
        return LineTax(((_ZERO, _ZERO),) if at_zero else ())
    in_order = [row.rate for row in tax_rows if row.rate is not None and not row.is_fixed]
    candidates = list(dict.fromkeys([*in_order, *rates.percent.values()]))
    fixed_amounts = [rates.fixed[row.title] for row in tax_rows if row.is_fixed]
    if any(name in rates.fixed for name in names):
        fixed_options = [*fixed_amounts, _ZERO]
    else:
        fixed_options = [_ZERO, *fixed_amounts]
    noise = max(_LEAST_NOISE, abs(price) * _POINT)
    for fixed in fixed_options:
        vat = tax - fixed
        if fixed and abs(vat) <= _LEAST_NOISE:
            return LineTax()
        near = [(abs(vat - price * rate / 100), rate) for rate in candidates if rate]
        if near and min(near)[0] <= noise:
            return LineTax(((min(near)[1], vat),))
    for one, other in combinations(in_order, 2):
        if abs(tax - price * (one + other) / 100) <= noise:
            of_one = price * one / 100
            return LineTax(((one, of_one), (other, tax - of_one)))
    return LineTax(((None, tax),))


@dataclass(frozen=True, slots=True)
class Untold:
    """A charge whose rate nobody says. `names` are the rates of its tax class where the order has one."""

    value: Decimal
    names: tuple[str, ...] = ()
    is_shipping: bool = False


@dataclass(slots=True)
class Base:
    """What an order's lines come to: net and VAT by rate (None: no tax), and the tax rows by rate."""

    net: dict[Rate, Decimal] = field(default_factory=dict)
    vat: dict[Rate, Decimal] = field(default_factory=dict)
    told: dict[Rate, Decimal] = field(default_factory=dict)

    def add(self, rate: Rate, net: Decimal, vat: Decimal) -> None:
        """Count a line or charge of `rate`."""
        self.net[rate] = self.net.get(rate, _ZERO) + net
        self.vat[rate] = self.vat.get(rate, _ZERO) + vat

    def taxed(self) -> list[Decimal]:
        """The rates above 0 of lines and tax rows, the highest first."""
        return sorted({rate for rate in (*self.net, *self.told) if rate}, reverse=True)


def charge_rates(base: Base, charges: Sequence[Untold], discount: Decimal, rates: Rates) -> list[Rate]:
    """For each charge the rate that explains the tax rows best, None for no tax. `discount` >= 0 is the order's."""
    searched = list(charges[:_MOST_UNKNOWN])
    options = [_options(charge, base, rates) for charge in searched]
    together = sum(base.net.values(), _ZERO)

    def misses(assignment: tuple[Rate, ...], *, shipping_is_free: bool) -> tuple[bool, Decimal]:
        kept = [c.value if not (c.is_shipping and shipping_is_free) else _ZERO for c in searched]
        on_goods = discount - sum((c.value - keeps for c, keeps in zip(searched, kept, strict=True)), _ZERO)
        left = 1 - on_goods / together if together else _ZERO
        missing, impossible, shared_out = _ZERO, False, _ZERO
        for rate in base.taxed():
            told = base.told.get(rate, _ZERO)
            of_rate = [index for index, found in enumerate(assignment) if found == rate]
            predicted = base.net.get(rate, _ZERO) * left + sum((kept[index] for index in of_rate), _ZERO)
            missing += abs(predicted * rate / 100 - told)
            whole = base.net.get(rate, _ZERO) + sum((searched[index].value for index in of_rate), _ZERO)
            discounted = whole - told * 100 / rate
            impossible = impossible or discounted < -_NOISE
            shared_out += discounted
        return impossible or shared_out > discount + _NOISE, missing

    found = min(
        (
            (misses(assignment, shipping_is_free=free), assignment)
            for assignment in product(*options)
            for free in ((False, True) if discount else (False,))
        ),
        key=lambda candidate: candidate[0],
    )[1]
    return [*found, *([None] * (len(charges) - len(searched)))]


def _options(charge: Untold, base: Base, rates: Rates) -> list[Rate]:
    of_class = {rates.percent[name] for name in charge.names if name in rates.percent}
    taxed: list[Rate] = [rate for rate in base.taxed() if not of_class or rate in of_class]
    return [*taxed, None]


def discount_shares(base: Base, discount: Decimal) -> list[tuple[Rate, Decimal, Decimal]]:
    """How much of `discount` (>= 0) lies on each rate, as (rate, net, VAT); charges are in `base` by now."""
    shares: list[tuple[Rate, Decimal, Decimal]] = []
    left = discount
    for rate in base.taxed():
        told = base.told.get(rate, _ZERO)
        net = base.net.get(rate, _ZERO) - round_to(told * 100 / rate, _BASE_UNIT)
        vat = base.vat.get(rate, _ZERO) - told
        if abs(net) <= _NOISE / 2 and abs(vat) <= _NOISE / 2:
            continue
        shares.append((rate, net, vat))
        left -= net
    if not left:
        return shares
    if shares and abs(left) <= _NOISE:  # what rounding left over is no discount of its own
        largest = max(range(len(shares)), key=lambda index: shares[index][1])
        at, its_net, its_vat = shares[largest]
        shares[largest] = (at, its_net + left, its_vat)
        return shares
    untaxed: Rate = _ZERO if base.net.get(_ZERO) and not base.net.get(None) else None
    return [*shares, (untaxed, left, _ZERO)]


def status_list(value: Json) -> frozenset[str]:
    """A setting that lists order statuses: JSON text in 3 and 4, PHP's serialised text in 2, or a list."""
    if isinstance(value, list):
        return frozenset(str(item) for item in value if isinstance(item, (str, int)))
    if not isinstance(value, str):
        return frozenset()
    return frozenset(re.findall(r'"(\d+)"', value) or re.findall(r"\d+", value))
