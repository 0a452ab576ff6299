"""The sums of an order in WooCommerce's manner: tax rounded a line, totals that add up to the cent."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from monet_web.demo.woocommerce.documents import Document

CENT: Final = Decimal("0.01")
ZERO: Final = Decimal("0.00")

_MILLIONTH = Decimal("0.000001")
_UNIT = Decimal("0.0001")


def cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_UP)


def millionths(amount: Decimal) -> Decimal:
    return amount.quantize(_MILLIONTH, ROUND_HALF_UP)


def percents(document: Document) -> dict[int, Decimal]:
    """Rate id → percent, as the order's tax lines say."""
    return {line["rate_id"]: Decimal(line["rate_percent"]) for line in document["tax_lines"]}


def price(total: Decimal, quantity: int) -> int | Decimal:
    """`line_items[].price`: unrounded net a piece; PHP writes a whole number without a point."""
    if quantity == 0:
        return 0
    each = (total / quantity).quantize(Decimal("1e-14"), ROUND_HALF_UP).normalize()
    return int(each) if each == each.to_integral_value() else each


def set_quantities(document: Document, quantities: Sequence[int]) -> None:
    """Gives every line item its new quantity at the price and the discount it had, and sums the order anew.

    Prices entered with VAT: the gross is exact, tax is taken out of it and rounded, net is the rest. Entered without:
    the net is exact, tax is added and rounded. A line of quantity 0 stays as it is. Shipping and fees stay.
    """
    rates = percents(document)
    includes_tax = bool(document["prices_include_tax"])
    for line, quantity in zip(document["line_items"], quantities, strict=True):
        if line["quantity"] == 0:
            continue
        _set_quantity(line, quantity, rates, includes_tax)
    add_up(document)


def add_up(document: Document) -> None:
    """Sums lines, charges and taxes into the order's totals, tax lines and coupons."""
    items, fees, shipping = document["line_items"], document["fee_lines"], document["shipping_lines"]
    cart_tax = _sum(items, "total_tax") + _sum(fees, "total_tax")
    shipping_tax = _sum(shipping, "total_tax")
    net = _sum(items, "total") + _sum(fees, "total") + _sum(shipping, "total")
    discount = _sum(items, "subtotal") - _sum(items, "total")
    discount_tax = _sum(items, "subtotal_tax") - _sum(items, "total_tax")
    document.update(
        discount_total=str(discount),
        discount_tax=str(discount_tax),
        shipping_total=str(_sum(shipping, "total")),
        shipping_tax=str(shipping_tax),
        cart_tax=str(cart_tax),
        total_tax=str(cart_tax + shipping_tax),
        total=str(net + cart_tax + shipping_tax),
    )
    for tax_line in document["tax_lines"]:
        tax_line["tax_total"] = str(_sum_of_rate([*items, *fees], tax_line["rate_id"]))
        tax_line["shipping_tax_total"] = str(_sum_of_rate(shipping, tax_line["rate_id"]))
    _share_discount(document["coupon_lines"], discount, discount_tax)


def with_decimals(document: Document, places: int) -> None:
    """Rewrites the amounts for `dp`: more places show what WooCommerce keeps unrounded, fewer round the output."""
    rates = percents(document) if "tax_lines" in document else {}
    includes_tax = bool(document.get("prices_include_tax"))
    for line in document.get("line_items", ()):
        _unround(line, rates, includes_tax)
    for line in document.get("shipping_lines", ()):
        for tax in line["taxes"]:
            if len(line["taxes"]) == 1 and tax["id"] in rates:
                tax["total"] = str(Decimal(line["total"]) * rates[tax["id"]] / 100)
    _reformat(document, Decimal(1).scaleb(-places))


_AMOUNTS: Final = frozenset({
    "discount_total", "discount_tax", "shipping_total", "shipping_tax", "cart_tax", "total", "total_tax",
    "subtotal", "subtotal_tax", "tax_total", "shipping_tax_total", "amount",
})  # fmt: skip


def _reformat(value: Any, unit: Decimal) -> None:
    if isinstance(value, list):
        for part in value:
            _reformat(part, unit)
    elif isinstance(value, dict):
        for key, part in value.items():
            if key in _AMOUNTS and isinstance(part, str) and part:
                # A fee's own `amount` is what somebody typed ("-3"): no decimals are added to it.
                if key != "amount" or "." in part:
                    value[key] = f"{Decimal(part).quantize(unit, ROUND_HALF_UP):f}"
            elif key not in {"meta_data", "coupon_lines"}:
                _reformat(part, unit)


def _unround(line: Document, rates: dict[int, Decimal], includes_tax: bool) -> None:
    total, subtotal = Decimal(line["total"]), Decimal(line["subtotal"])
    kept = millionths(Decimal(str(line["price"])) * Decimal(str(line["quantity"])))
    is_undiscounted = total == subtotal
    if abs(kept - total) <= Decimal("0.005"):
        line["total"] = str(kept)
    rate = rates.get(line["taxes"][0]["id"]) if len(line["taxes"]) == 1 else None
    if is_undiscounted:
        line["subtotal"] = line["total"]
    elif includes_tax and rate is not None:
        gross = subtotal + Decimal(line["subtotal_tax"])
        line["subtotal"] = str(millionths(gross / (1 + rate / 100)))
    if rate is not None:
        for name in ("total", "subtotal"):
            line["taxes"][0][name] = str(millionths(Decimal(line[name]) * rate / 100))


def _set_quantity(line: Document, quantity: int, rates: dict[int, Decimal], includes_tax: bool) -> None:
    had = Decimal(line["quantity"])
    before = Decimal(line["subtotal"]) + (Decimal(line["subtotal_tax"]) if includes_tax else 0)
    after = Decimal(line["total"]) + (Decimal(line["total_tax"]) if includes_tax else 0)
    entered = cents((before / had).quantize(_UNIT, ROUND_HALF_UP) * quantity)
    paid = cents(entered * after / before) if before else ZERO
    rate = sum((rates[tax["id"]] for tax in line["taxes"]), Decimal(0))
    subtotal, subtotal_tax, _ = _split(entered, rate, includes_tax)
    total, total_tax, unrounded = _split(paid, rate, includes_tax)
    line.update(
        quantity=quantity,
        subtotal=str(subtotal),
        subtotal_tax=str(subtotal_tax),
        total=str(total),
        total_tax=str(total_tax),
        price=price(unrounded, quantity),
    )
    for tax in line["taxes"]:
        tax["total"], tax["subtotal"] = str(total_tax), str(subtotal_tax)


def _split(amount: Decimal, rate: Decimal, includes_tax: bool) -> tuple[Decimal, Decimal, Decimal]:
    """(net, tax, net to a millionth) of an amount that includes the tax, or not."""
    if not includes_tax:
        return amount, cents(amount * rate / 100), amount
    unrounded = millionths(amount / (1 + rate / 100))
    tax = cents(amount - amount / (1 + rate / 100))
    return amount - tax, tax, unrounded


def _share_discount(coupons: list[Document], discount: Decimal, discount_tax: Decimal) -> None:
    # In proportion to what they gave in the pattern; the last one takes the rest, so nothing is lost.
    weights = [Decimal(coupon["discount"]) for coupon in coupons]
    for position, coupon in enumerate(coupons):
        if position == len(coupons) - 1:
            share, share_tax = discount, discount_tax
        else:
            part = weights[position] / sum(weights[position:]) if sum(weights[position:]) else Decimal(0)
            share, share_tax = cents(discount * part), cents(discount_tax * part)
        coupon["discount"], coupon["discount_tax"] = str(share), str(share_tax)
        discount, discount_tax = discount - share, discount_tax - share_tax


def _sum(rows: Sequence[Document], name: str) -> Decimal:
    return sum((Decimal(row[name]) for row in rows), ZERO)


def _sum_of_rate(rows: Sequence[Document], rate_id: int) -> Decimal:
    amounts = (Decimal(tax["total"] or 0) for row in rows for tax in row["taxes"] if tax["id"] == rate_id)
    return cents(sum(amounts, ZERO))
