"""Credit slips as refunds. A slip's header has products and shipping apart, six decimals; its rows are in cents.

A slip says what the shop gave back of the lines' prices. Cart rules are not taken off it unless the person who made
it chose so, so it may come to more than the order cost: how much of it remains to be credited is judged elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from zoneinfo import ZoneInfo

from monet_web.connectors.foreign import Row, amount, identity, local_moment, needed, part, rows, share, text
from monet_web.connectors.prestashop.lines import Taxes, carrier_rate
from monet_web.domain.orders import LineKind, OrderLine, Refund, RefundLine, Tax

_ZERO = Decimal(0)


def read_refund(slip: Row, header: Row, lines: Sequence[OrderLine], taxes: Taxes, zone: ZoneInfo) -> Refund:
    """One row of `order_slip`; its own id, because a slip's id is not an order's."""
    of_order = {line.external_id: line for line in lines}
    found = [
        _line(item, of_order.get(text(item, "id_order_detail")), taxes)
        for item in rows(part(slip, "associations"), "order_slip_details")
    ]
    shipping = amount(slip, "total_shipping_tax_excl", _ZERO)
    shipping_tax = amount(slip, "total_shipping_tax_incl", _ZERO) - shipping
    if shipping or shipping_tax:
        found.append(_shipping(shipping, shipping_tax, header, taxes))
    products_tax = amount(slip, "total_products_tax_incl") - amount(slip, "total_products_tax_excl")
    return Refund(
        external_id=identity(slip, "id"),
        created_at=needed(local_moment(slip, "date_add", zone), "order_slip date_add"),
        total=amount(slip, "amount") + shipping + shipping_tax,
        total_tax=products_tax + shipping_tax,
        lines=tuple(found),
    )


def _line(item: Row, line: OrderLine | None, taxes: Taxes) -> RefundLine:
    net = amount(item, "amount_tax_excl")
    tax = amount(item, "amount_tax_incl") - net
    return RefundLine(
        line_id=text(item, "id_order_detail"),
        kind=line.kind if line else LineKind.GOODS,
        name=line.name if line else "",
        sku=line.sku if line else "",
        quantity=amount(item, "product_quantity"),
        net=net,
        taxes=_taxes(line, net, tax, taxes),
    )


def _taxes(line: OrderLine | None, net: Decimal, tax: Decimal, taxes: Taxes) -> tuple[Tax, ...]:
    """The rates of the line that is given back: a refund keeps the rates of its original."""
    if line is None or not line.taxes:
        return () if not tax else (taxes.by_ratio(net, tax),)
    amounts = share(tax, [original.amount for original in line.taxes])
    return tuple(
        Tax(rate=original.rate, amount=found, base=net, label=original.label)
        for original, found in zip(line.taxes, amounts, strict=True)
    )


def _shipping(net: Decimal, tax: Decimal, header: Row, taxes: Taxes) -> RefundLine:
    rate = carrier_rate(header)
    of_it = Tax(rate=rate, amount=tax, base=net) if rate else taxes.by_ratio(net, tax)
    return RefundLine("shipping", LineKind.SHIPPING, "Shipping", quantity=Decimal(1), net=net, taxes=(of_it,))
