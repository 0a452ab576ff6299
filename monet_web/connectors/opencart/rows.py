"""The rows of an order: its products and certificates as lines, its other totals as charges, each with its VAT."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from monet_web.connectors.foreign import Row, amount, identity, rows, share, text
from monet_web.connectors.opencart.vat import (
    Base,
    Rate,
    Rates,
    TaxRow,
    Untold,
    charge_rates,
    discount_shares,
    line_tax,
)
from monet_web.connectors.opencart.words import unescaped, words
from monet_web.domain.orders import Charge, LineKind, OrderLine, Payment, PaymentKind, Tax, TaxTotal

_ZERO = Decimal(0)
_PAYMENT_TOTALS = frozenset({"voucher", "credit"})  # they come off after tax: means of payment, not discounts
_OWN_TOTALS = frozenset({"sub_total", "tax", "total"}) | _PAYMENT_TOTALS
_KINDS = {"shipping": LineKind.SHIPPING, "tip": LineKind.TIP}
_HALF_CENT = Decimal("0.005")


class Rows:
    """An order's rows in its own currency: the shop's amounts times `factor`, exactly."""

    def __init__(self, header: Row, info: Row, factor: Decimal) -> None:
        self._header = header
        self._factor = factor
        self._totals = rows(header, "totals")
        self._rates = Rates.read({**info, "tax_rates": [unescaped(rate, "name") for rate in rows(info, "tax_rates")]})
        self._tax_rows = [self._rates.row(unescaped(total, "title")) for total in self._of("tax")]
        self._base = Base()
        for tax in self._vat_rows():
            self._base.told[tax.rate] = self._base.told.get(tax.rate, _ZERO) + tax.value
        self.lines: tuple[OrderLine, ...] = (
            *(self._line(product) for product in rows(header, "products")),
            *(self._certificate(voucher) for voucher in rows(header, "vouchers")),
        )
        self.charges: tuple[Charge, ...] = tuple(self._charges())

    @property
    def total_tax(self) -> Decimal:
        """VAT of the whole order; fixed amounts a piece are none."""
        return self._factor * sum((tax.value for tax in self._vat_rows()), _ZERO)

    @property
    def tax_totals(self) -> tuple[TaxTotal, ...]:
        """What the order says of each rate."""
        return tuple(
            TaxTotal(rate=tax.rate, amount=tax.value * self._factor, label=tax.title) for tax in self._vat_rows()
        )

    @property
    def certificates_used(self) -> tuple[Payment, ...]:
        """Gift certificates and store credit that paid a part."""
        return tuple(
            Payment(
                method=text(total, "code"),
                title=words(total, "title"),
                amount=-amount(total, "value") * self._factor,
                kind=PaymentKind.GIFT_CARD,
            )
            for total in self._totals
            if text(total, "code") in _PAYMENT_TOTALS and amount(total, "value")
        )

    def _of(self, code: str) -> list[Row]:
        return [total for total in self._totals if text(total, "code") == code]

    def _vat_rows(self) -> list[TaxRow]:
        return [tax for tax in self._tax_rows if not tax.is_fixed]

    def _line(self, product: Row) -> OrderLine:
        quantity = amount(product, "quantity")
        net = amount(product, "total")
        found = line_tax(product, self._rates, self._tax_rows)
        for rate, vat in found.vat:
            self._base.add(rate, net, vat * quantity)
        if not found.vat:
            self._base.add(None, net, _ZERO)
        return OrderLine(
            external_id=identity(product, "order_product_id"),
            name=words(product, "name"),
            quantity=quantity,
            net=net * self._factor,
            taxes=tuple(self._tax(rate, vat * quantity, net) for rate, vat in found.vat),
            # A deleted product has lost its SKU; the model, which stays, is what most shops use as one.
            sku=words(product, "sku") or words(product, "model"),
            barcode=text(product, "ean"),
            product_id=text(product, "product_id"),
            unit_price=amount(product, "price") * self._factor,
            options=tuple((words(option, "name"), words(option, "value")) for option in rows(product, "options")),
        )

    def _certificate(self, voucher: Row) -> OrderLine:
        """A gift certificate that is sold: no tax, and part of the sub-total."""
        value = amount(voucher, "amount") * self._factor
        return OrderLine(
            external_id=f"voucher:{identity(voucher, 'order_voucher_id')}",
            name=words(voucher, "description"),
            quantity=Decimal(1),
            net=value,
            kind=LineKind.VOUCHER,
            unit_price=value,
        )

    def _charges(self) -> list[Charge]:
        """Fixed taxes, shipping, fees and discounts, in the order of the totals; unknown codes are kept."""
        extra = [total for total in self._totals if text(total, "code") not in _OWN_TOTALS]
        paid = [total for total in extra if amount(total, "value") > 0]
        reductions = [total for total in extra if amount(total, "value") < 0]
        discount = -sum((amount(total, "value") for total in reductions), _ZERO)
        charges = [self._fixed(tax) for tax in self._tax_rows if tax.is_fixed and tax.value]
        rates = charge_rates(self._base, [self._untold(total) for total in paid], discount, self._rates)
        for total, rate in zip(paid, rates, strict=True):
            value = amount(total, "value")
            vat = value * rate / 100 if rate else _ZERO
            self._base.add(rate, value, vat)
            taxes = () if rate is None else (self._tax(rate, vat, value),)
            kind = _KINDS.get(text(total, "code"), LineKind.FEE)
            charges.append(Charge(_total_id(total), kind, _name(total), value * self._factor, taxes))
        return [*charges, *self._not_on_lines(), *self._discounts(reductions, discount)]

    def _untold(self, total: Row) -> Untold:
        is_shipping = text(total, "code") == "shipping"
        method = self._header.get("shipping_method")
        tax_class = text(method, "tax_class_id") if is_shipping and isinstance(method, Mapping) else ""
        return Untold(amount(total, "value"), self._rates.of_class.get(tax_class, ()), is_shipping)

    def _fixed(self, tax: TaxRow) -> Charge:
        """An amount a piece, like a packaging tax: a fee without VAT, never a VAT rate.

        It is no deposit: the buyer does not get it back. OpenCart reckons no VAT on it, so none is added here.
        """
        return Charge(f"total:{tax.row_id}", LineKind.FEE, tax.title, tax.value * self._factor)

    def _not_on_lines(self) -> list[Charge]:
        """What the sub-total has beyond the lines. 4.1 dropped the table of sold certificates, their value stayed."""
        told = sum((amount(total, "value") for total in self._of("sub_total")), _ZERO) * self._factor
        missing = told - sum((line.net for line in self.lines), _ZERO)
        if not self._of("sub_total") or abs(missing) < _HALF_CENT:
            return []
        kind = LineKind.FEE if missing > 0 else LineKind.DISCOUNT
        return [Charge("sub_total", kind, "In the sub-total, not among the products", missing)]

    def _discounts(self, reductions: Sequence[Row], discount: Decimal) -> list[Charge]:
        """One charge a reduction and rate; several reductions share a rate's discount by their values."""
        if not reductions:
            return []
        values = [amount(total, "value") for total in reductions]
        charges = []
        for index, (rate, net, vat) in enumerate(discount_shares(self._base, discount), start=1):
            nets, vats = share(net, values), share(vat, values)
            for total, part_of_net, part_of_vat in zip(reductions, nets, vats, strict=True):
                taxes = () if rate is None else (self._tax(rate, -part_of_vat, -part_of_net),)
                name = f"{_total_id(total)}:{index}"
                charges.append(Charge(name, LineKind.DISCOUNT, _name(total), -part_of_net * self._factor, taxes))
        return charges

    def _tax(self, rate: Rate, vat: Decimal, base: Decimal) -> Tax:
        return Tax(rate=rate, amount=vat * self._factor, base=base * self._factor)


def _name(total: Row) -> str:
    return words(total, "title") or text(total, "code")


def _total_id(total: Row) -> str:
    return f"total:{text(total, 'order_total_id')}"
