"""OpenCart: draft reader of one order; the connector itself is a later issue, so this kind is not in CONNECTORS.

`read` takes an order as the read-only bridge gives it (2.1 to 4.1: every column of the order, `products`, `totals`,
`vouchers`, `history`) and as context the bridge's `info`. Amounts are in the shop's default currency, four decimals;
the buyer's are these times `currency_value`, exactly, rounded only when an invoice is drafted. Every text is
HTML-escaped once. Where VAT lies is worked out in `opencart_vat`. OpenCart knows no refunds and no paid flag.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal, localcontext
from zoneinfo import ZoneInfo

from monet_web.connectors.base import Json
from monet_web.connectors.foreign import (
    Misfit,
    Row,
    amount,
    identity,
    local_moment,
    needed,
    part,
    rows,
    share,
    text,
    zone_of,
)
from monet_web.connectors.opencart_vat import (
    Base,
    Rate,
    Rates,
    TaxRow,
    Untold,
    charge_rates,
    discount_shares,
    line_tax,
    status_list,
)
from monet_web.domain.money import round_to
from monet_web.domain.orders import (
    Address,
    Buyer,
    Charge,
    LineKind,
    Order,
    OrderLine,
    Payment,
    PaymentKind,
    Tax,
    TaxTotal,
    Unreadable,
)

COMPANY_CODE_FIELDS = ("įmonės kodas", "imones kodas", "company code", "company number", "registration number")
VAT_CODE_FIELDS = ("pvm mokėtojo kodas", "pvm moketojo kodas", "pvm kodas", "vat number", "vat code", "vat id", "vat")

_ZERO = Decimal(0)
_CANCELED, _REFUNDED = "7", "11"  # of a stock shop; used unless the shop itself counts them as sales
_PAYMENT_TOTALS = frozenset({"voucher", "credit"})
_OWN_TOTALS = frozenset({"sub_total", "tax", "total"}) | _PAYMENT_TOTALS
_KINDS = {"shipping": LineKind.SHIPPING, "tip": LineKind.TIP}
_TAG = re.compile(r"<[/!a-zA-Z][^<>]*>")
_HALF_CENT = Decimal("0.005")
_EXCHANGE_UNIT = Decimal("0.0000000001")
_PRECISION = 50


def read(order: Mapping[str, Json], context: Mapping[str, Json]) -> Order | Unreadable:
    """One order of the bridge as the canonical order, pure. Never raises on foreign data."""
    try:
        with localcontext() as exact:
            exact.prec = _PRECISION
            return _Reader(order, context).order()
    except Misfit as misfit:
        found = order.get("order_id")
        external_id = str(found) if isinstance(found, (int, str)) else ""
        return Unreadable(external_id=external_id, number=external_id, reason=str(misfit))


class _Reader:
    """One order with the shop's tables."""

    def __init__(self, header: Row, info: Row) -> None:
        self.header = header
        self.info = info
        self.settings = part(info, "settings")
        self.zone: ZoneInfo = zone_of(text(self.settings, "config_timezone"), "config_timezone")
        self.factor = amount(header, "currency_value")
        if self.factor <= 0:
            raise Misfit(f"currency_value should be above 0 and is '{self.factor}'.")
        self.totals = rows(header, "totals")
        self.rates = Rates.read(_unescaped_names(info))
        self.tax_rows = [self.rates.row(_unescaped(total, "title")) for total in self._totals_of("tax")]
        self.base = Base()

    def order(self) -> Order:
        header = self.header
        external_id = identity(header, "order_id")
        for tax in self.tax_rows:
            if not tax.is_fixed:
                self.base.told[tax.rate] = self.base.told.get(tax.rate, _ZERO) + tax.value
        lines = tuple(self._line(product) for product in rows(header, "products"))
        vouchers = tuple(self._voucher(voucher) for voucher in rows(header, "vouchers"))
        charges = tuple(self._charges(lines + vouchers))
        gift = self._gift_payments()
        # The `total` row is what was left to pay. Certificates and store credit come off after tax, so they are
        # means of payment: the buyer owes what the goods cost, and the payments say that a certificate paid a part.
        left_to_pay = amount(header, "total")
        before_payments = left_to_pay * self.factor + sum((paid.amount for paid in gift), _ZERO)
        status = text(header, "order_status_id")
        complete = status_list(self.settings.get("config_complete_status"))
        is_sale = status in complete | status_list(self.settings.get("config_processing_status"))
        fields = self._fields()
        return Order(
            external_id=external_id,
            number=external_id,
            placed_at=needed(local_moment(header, "date_added", self.zone), "date_added"),
            changed_at=local_moment(header, "date_modified", self.zone),
            shipped_at=self._first_time_in(complete) if status in complete else None,
            currency=self._currency(),
            total=before_payments,
            total_tax=self.factor * sum((tax.value for tax in self.tax_rows if not tax.is_fixed), _ZERO),
            tax_totals=tuple(
                TaxTotal(rate=tax.rate, amount=tax.value * self.factor, label=tax.title)
                for tax in self.tax_rows
                if not tax.is_fixed
            ),
            status=status,
            status_label=_words(header, "order_status"),
            buyer=self._buyer(fields),
            ship_to=self._address("shipping"),
            lines=lines + vouchers,
            charges=charges,
            payments=(*gift, *self._payment(left_to_pay * self.factor, is_sale=is_sale)),
            is_sale=is_sale,
            is_paid=is_sale,  # there is no paid flag: the shop's own list of statuses is the only hint
            is_cancelled=status == _CANCELED and not is_sale,
            is_refunded=status == _REFUNDED and not is_sale,
            shop_currency=text(self.settings, "config_currency"),
            shop_units_per_order_unit=round_to(1 / self.factor, _EXCHANGE_UNIT),
            invoice_number=self._invoice_number(),
            shop_id=text(header, "store_id"),
            note=_words(header, "comment"),
            fields=fields,
        )

    def _totals_of(self, code: str) -> list[Row]:
        return [total for total in self.totals if text(total, "code") == code]

    def _line(self, product: Row) -> OrderLine:
        quantity = amount(product, "quantity")
        net = amount(product, "total")
        found = line_tax(product, self.rates, self.tax_rows)
        taxes = []
        for rate, vat in found.vat:
            taxes.append(Tax(rate=rate, amount=vat * quantity * self.factor, base=net * self.factor))
            self.base.add(rate, net, vat * quantity)
        if not found.vat:
            self.base.add(None, net, _ZERO)
        return OrderLine(
            external_id=identity(product, "order_product_id"),
            name=_words(product, "name"),
            quantity=quantity,
            net=net * self.factor,
            taxes=tuple(taxes),
            # A deleted product has lost its SKU; the model, which stays, is what most shops use as one.
            sku=_words(product, "sku") or _words(product, "model"),
            barcode=text(product, "ean"),
            product_id=text(product, "product_id"),
            unit_price=amount(product, "price") * self.factor,
            options=tuple((_words(option, "name"), _words(option, "value")) for option in rows(product, "options")),
        )

    def _voucher(self, voucher: Row) -> OrderLine:
        """A gift certificate that is sold: no tax, and part of the sub-total."""
        value = amount(voucher, "amount") * self.factor
        return OrderLine(
            external_id=f"voucher:{identity(voucher, 'order_voucher_id')}",
            name=_words(voucher, "description"),
            quantity=Decimal(1),
            net=value,
            kind=LineKind.VOUCHER,
            unit_price=value,
        )

    def _charges(self, lines: Sequence[OrderLine]) -> list[Charge]:
        """Fixed taxes, shipping, fees and discounts, in the order of the totals; unknown codes are kept."""
        extra = [total for total in self.totals if text(total, "code") not in _OWN_TOTALS]
        paid = [total for total in extra if amount(total, "value") > 0]
        reductions = [total for total in extra if amount(total, "value") < 0]
        discount = -sum((amount(total, "value") for total in reductions), _ZERO)
        untold = [self._untold(total) for total in paid]
        charges = [self._fixed(tax) for tax in self.tax_rows if tax.is_fixed and tax.value]
        rates = charge_rates(self.base, untold, discount, self.rates)
        for total, rate in zip(paid, rates, strict=True):
            value = amount(total, "value")
            vat = value * rate / 100 if rate else _ZERO
            self.base.add(rate, value, vat)
            taxes = () if rate is None else (self._tax(rate, vat, value),)
            kind = _KINDS.get(text(total, "code"), LineKind.FEE)
            name = _words(total, "title") or text(total, "code")
            charges.append(Charge(_total_id(total), kind, name, value * self.factor, taxes))
        return [*charges, *self._not_on_lines(lines), *self._discounts(reductions, discount)]

    def _untold(self, total: Row) -> Untold:
        is_shipping = text(total, "code") == "shipping"
        method = self.header.get("shipping_method")
        tax_class = text(method, "tax_class_id") if is_shipping and isinstance(method, Mapping) else ""
        return Untold(amount(total, "value"), self.rates.of_class.get(tax_class, ()), is_shipping)

    def _fixed(self, tax: TaxRow) -> Charge:
        """An amount a piece, like a packaging tax: a charge without VAT, never a VAT rate."""
        return Charge(f"total:{tax.row_id}", LineKind.FEE, tax.title, tax.value * self.factor)

    def _not_on_lines(self, lines: Sequence[OrderLine]) -> list[Charge]:
        """What the sub-total has beyond the lines. 4.1 dropped the table of sold certificates, their value stayed."""
        told = sum((amount(total, "value") for total in self._totals_of("sub_total")), _ZERO) * self.factor
        missing = told - sum((line.net for line in lines), _ZERO)
        if not self._totals_of("sub_total") or abs(missing) < _HALF_CENT:
            return []
        kind = LineKind.FEE if missing > 0 else LineKind.DISCOUNT
        return [Charge("sub_total", kind, "In the sub-total, not among the products", missing)]

    def _discounts(self, reductions: Sequence[Row], discount: Decimal) -> list[Charge]:
        """One charge a reduction and rate; several reductions share a rate's discount by their values."""
        if not reductions:
            return []
        values = [amount(total, "value") for total in reductions]
        charges = []
        for index, (rate, net, vat) in enumerate(discount_shares(self.base, discount), start=1):
            nets, vats = share(net, values), share(vat, values)
            for total, part_of_net, part_of_vat in zip(reductions, nets, vats, strict=True):
                taxes = () if rate is None else (self._tax(rate, -part_of_vat, -part_of_net),)
                charges.append(
                    Charge(
                        external_id=f"{_total_id(total)}:{index}",
                        kind=LineKind.DISCOUNT,
                        name=_words(total, "title") or text(total, "code"),
                        net=-part_of_net * self.factor,
                        taxes=taxes,
                    )
                )
        return charges

    def _tax(self, rate: Rate, vat: Decimal, base: Decimal) -> Tax:
        return Tax(rate=rate, amount=vat * self.factor, base=base * self.factor)

    def _gift_payments(self) -> list[Payment]:
        return [
            Payment(
                method=text(total, "code"),
                title=_words(total, "title"),
                amount=-amount(total, "value") * self.factor,
                kind=PaymentKind.GIFT_CARD,
            )
            for total in self.totals
            if text(total, "code") in _PAYMENT_TOTALS and amount(total, "value")
        ]

    def _payment(self, left: Decimal, *, is_sale: bool) -> list[Payment]:
        """How the rest is paid: text and `_code` columns before 4, an object since."""
        if not left:
            return []
        method = self.header.get("payment_method")
        if isinstance(method, Mapping):
            code, title = text(method, "code"), _words(method, "name")
        else:
            code, title = text(self.header, "payment_code"), _words(self.header, "payment_method")
        if code.split(".")[0] == "cod":
            kind = PaymentKind.CASH_ON_DELIVERY
        else:
            kind = PaymentKind.PREPAID if is_sale else PaymentKind.UNKNOWN
        return [Payment(method=code, title=title, amount=left, kind=kind)]

    def _first_time_in(self, statuses: frozenset[str]) -> datetime | None:
        moments = (
            local_moment(entry, "date_added", self.zone)
            for entry in rows(self.header, "history")
            if text(entry, "order_status_id") in statuses
        )
        return min((moment for moment in moments if moment), default=None)

    def _currency(self) -> str:
        code = text(self.header, "currency_code").upper()
        if not code:
            raise Misfit("currency_code is missing.")
        return code

    def _invoice_number(self) -> str:
        number = text(self.header, "invoice_no")
        return "" if number in {"", "0"} else f"{_words(self.header, 'invoice_prefix')}{number}"

    def _buyer(self, fields: Mapping[str, str]) -> Buyer:
        address = self._address("payment")
        if not address.name and not address.line:  # 4.x with "payment address" switched off
            address = self._address("shipping")
        by_name = {name.casefold(): value for name, value in fields.items()}
        name = " ".join(filter(None, (_words(self.header, "firstname"), _words(self.header, "lastname"))))
        customer = text(self.header, "customer_id")
        return Buyer(
            name=address.name or name,
            company=address.company,
            company_code=next(filter(None, (by_name.get(usual, "") for usual in COMPANY_CODE_FIELDS)), ""),
            vat_code=next(filter(None, (by_name.get(usual, "") for usual in VAT_CODE_FIELDS)), ""),
            email=_words(self.header, "email"),
            phone=_words(self.header, "telephone"),
            address=address,
            external_id="" if customer == "0" else customer,
        )

    def _address(self, which: str) -> Address:
        def of(key: str) -> str:
            return _words(self.header, f"{which}_{key}")

        return Address(
            name=" ".join(filter(None, (of("firstname"), of("lastname")))),
            company=of("company"),
            line=", ".join(filter(None, (of("address_1"), of("address_2")))),
            city=of("city"),
            postcode=of("postcode"),
            state=of("zone"),
            country=of("iso_code_2").upper(),
        )

    def _fields(self) -> dict[str, str]:
        """Custom fields by the names people gave them, those of the payment address first."""
        names: dict[str, str] = {}
        for definition in rows(self.info, "custom_fields"):
            key = text(definition, "custom_field_id")
            same_language = text(definition, "language_id") == text(self.header, "language_id")
            if same_language or key not in names:
                names[key] = _words(definition, "name")
        found: dict[str, str] = {}
        for source in ("payment_custom_field", "custom_field", "shipping_custom_field"):
            values = self.header.get(source)
            if not isinstance(values, Mapping):  # "" or [] where nothing was filled in
                continue
            for key in values:
                value = values[key]
                value_text = _words(values, key) if not isinstance(value, (list, Mapping)) else ""
                if value_text:
                    found.setdefault(names.get(str(key)) or str(key), value_text)
        return found


def _words(parent: Row, key: str) -> str:
    """A text as people wrote it: the shop escapes every text once; markup in it is no text."""
    return _TAG.sub("", html.unescape(text(parent, key))).strip()


def _unescaped(parent: Row, key: str) -> Row:
    return {**parent, key: _words(parent, key)}


def _unescaped_names(info: Row) -> Row:
    return {**info, "tax_rates": [_unescaped(rate, "name") for rate in rows(info, "tax_rates")]}


def _total_id(total: Row) -> str:
    return f"total:{text(total, 'order_total_id')}"
