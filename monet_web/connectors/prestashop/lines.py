"""Lines and charges of a PrestaShop order with their VAT: rates are named by tax ids, amounts stand in the totals.

Amounts are without VAT and after product discounts, in the order's currency, six decimals as text. A line without tax
ids and without VAT has no tax; the id 0 stands for "exempt by the VAT module", which is 0 %.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from monet_web.connectors.foreign import Row, amount, by_id, identity, part, plain, rows, share, snap, text
from monet_web.connectors.prestashop.configuration import Told, in_language
from monet_web.domain.orders import Charge, LineKind, OrderLine, Tax

_ZERO = Decimal(0)
_RATE_NOISE = Decimal("0.5")  # points by which incl/excl may miss a rate, both being rounded to cents
_REDUCTIONS = ("reduction_percent", "reduction_amount", "group_reduction")


class Taxes:
    """The shop's taxes by id, deleted ones too."""

    def __init__(self, context: Row) -> None:
        self._by_id = by_id(context, "taxes")
        self._rates = sorted({plain(amount(tax, "rate")) for tax in self._by_id.values()} | {_ZERO})

    def of(self, ids: Sequence[str], net: Decimal, tax: Decimal) -> tuple[Tax, ...]:
        """The taxes of a line: none without ids and VAT; of several, each has its share of the VAT by its rate."""
        if not ids and not tax:
            return ()
        known = [self._by_id[found] for found in ids if found in self._by_id]
        if not known or len(known) != len(ids):
            return (self.by_ratio(net, tax),)
        rates = [plain(amount(found, "rate")) for found in known]
        return tuple(
            Tax(rate=rate, amount=of_rate, base=net, label=in_language(found, "name"))
            for rate, of_rate, found in zip(rates, share(tax, rates), known, strict=True)
        )

    def by_ratio(self, net: Decimal, tax: Decimal) -> Tax:
        """A tax whose rate is only in the amounts; the rate is None when none of the shop's comes near."""
        if not tax:
            return Tax(rate=_ZERO, amount=_ZERO, base=net)
        rate = snap(tax * 100 / net, self._rates, _RATE_NOISE) if net else None
        return Tax(rate=rate, amount=tax, base=net)


def read_lines(details: Sequence[Row], header: Row, taxes: Taxes) -> tuple[OrderLine, ...]:
    """The lines: rows of `order_details`. The header's `order_rows` name them too, so that a missing one is noticed."""
    brought = {text(detail, "id") for detail in details}
    for named in rows(part(header, "associations"), "order_rows"):
        if text(named, "id") not in brought:
            raise Told(
                f"The shop names line {text(named, 'id')} ({text(named, 'product_name')}) of the order and does not "
                "give it, so the invoice would lack it. The next run asks again; if that does not help, a module of "
                "the shop hides rows of order_details."
            )
    return tuple(_line(detail, taxes) for detail in details)


def _line(detail: Row, taxes: Taxes) -> OrderLine:
    # Unit prices have six decimals and do not come to the totals, which the shop rounded: only totals count.
    net = amount(detail, "total_price_tax_excl")
    tax = amount(detail, "total_price_tax_incl") - net
    quantity = amount(detail, "product_quantity")
    before = amount(detail, "original_product_price", _ZERO)  # without VAT, before reductions
    is_reduced = any(amount(detail, key, _ZERO) for key in _REDUCTIONS)
    discount = max(before * quantity - net, _ZERO) if is_reduced else _ZERO
    ids = [text(item, "id") for item in rows(part(detail, "associations"), "taxes")]
    return OrderLine(
        external_id=identity(detail, "id"),
        name=text(detail, "product_name"),
        quantity=quantity,
        net=net,
        taxes=taxes.of(ids, net, tax),
        sku=text(detail, "product_reference"),
        barcode=text(detail, "product_ean13") or text(detail, "product_upc"),
        product_id=id_or_nothing(detail, "product_id"),
        variation_id=id_or_nothing(detail, "product_attribute_id"),
        unit_price=before if discount else amount(detail, "unit_price_tax_excl", _ZERO),
        discount=discount,
    )


def read_charges(header: Row, lines: Sequence[OrderLine], taxes: Taxes, carrier: str) -> tuple[Charge, ...]:
    """Shipping and gift wrapping, where they cost something."""
    # A carrier without rate says the same for "exempt" and for "no tax"; the lines know which it is.
    is_exempt = any(tax.rate == 0 for line in lines for tax in line.taxes)
    charges = []
    for kind, name in ((LineKind.SHIPPING, carrier or "Shipping"), (LineKind.WRAPPING, "Gift wrapping")):
        net = amount(header, f"total_{kind.value}_tax_excl", _ZERO)
        tax = amount(header, f"total_{kind.value}_tax_incl", _ZERO) - net
        if not net and not tax:
            continue
        of_it = (taxes.by_ratio(net, tax),) if tax or is_exempt else ()
        rate = carrier_rate(header)
        if kind is LineKind.SHIPPING and tax and rate:
            of_it = (Tax(rate=rate, amount=tax, base=net),)
        charges.append(Charge(external_id=kind.value, kind=kind, name=name, net=net, taxes=of_it))
    return tuple(charges)


def carrier_rate(header: Row) -> Decimal:
    """The VAT of the shipping in per cent; 0 also where it is exempt or has none."""
    return plain(amount(header, "carrier_tax_rate", _ZERO))


def id_or_nothing(parent: Row, key: str) -> str:
    """The id under `key`, "" for PrestaShop's 0."""
    value = text(parent, key)
    return "" if value == "0" else value
