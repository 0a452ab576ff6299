"""PrestaShop: draft reader of one order; the connector itself is a later issue, so this kind is not in CONNECTORS.

`read` takes a bundle made of the webservice's JSON rows (1.6 to 9.0, lists with `display=full`):
    {"order", "details": order_details, "cart_rules": order_cart_rules, "slips": order_slips, "invoices":
    order_invoices, "payments": order_payments of the reference, "addresses", "customer": {} when it is gone}
and a context that the orders of a run share:
    {"taxes", "states": order_states, "currencies", "countries", "carriers": the rows of these resources,
    "zone": PS_TIMEZONE, "default_currency": PS_CURRENCY_DEFAULT, "invoice_prefix": PS_INVOICE_PREFIX}
Amounts are in the order's currency, six decimals, as text; `order_payments.conversion_rate` is not to be trusted.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, localcontext
from zoneinfo import ZoneInfo

from monet_web.connectors import prestashop_discounts
from monet_web.connectors.base import Json
from monet_web.connectors.foreign import (
    Misfit,
    Row,
    amount,
    by_id,
    flag,
    identity,
    local_moment,
    needed,
    part,
    plain,
    row,
    rows,
    share,
    snap,
    text,
    zone_of,
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
    Refund,
    RefundLine,
    Tax,
    Unreadable,
)

_ZERO = Decimal(0)
_RATE_NOISE = Decimal("0.5")  # points by which incl/excl may miss a rate, both being rounded to cents
_EXCHANGE_UNIT = Decimal("0.0000000001")
_PRECISION = 50


def read(order: Mapping[str, Json], context: Mapping[str, Json]) -> Order | Unreadable:
    """One bundle as the canonical order, pure. Never raises on foreign data."""
    try:
        with localcontext() as exact:
            exact.prec = _PRECISION
            return _Reader(order, context).order()
    except Misfit as misfit:
        header = order.get("order")
        found = header.get("id") if isinstance(header, Mapping) else None
        external_id = str(found) if isinstance(found, (int, str)) else ""
        return Unreadable(external_id=external_id, number=external_id, reason=str(misfit))


class _Reader:
    """The tables of one bundle, looked up once."""

    def __init__(self, bundle: Mapping[str, Json], context: Mapping[str, Json]) -> None:
        self.bundle = row(bundle, "bundle")
        self.context = row(context, "context")
        self.header = row(self.bundle.get("order"), "order")
        self.zone: ZoneInfo = zone_of(text(self.context, "zone"), "PS_TIMEZONE")
        self.taxes = by_id(self.context, "taxes")
        self.rates = sorted({plain(amount(tax, "rate")) for tax in self.taxes.values()} | {_ZERO})
        self.state = by_id(self.context, "states").get(text(self.header, "current_state"), {})
        self.countries = by_id(self.context, "countries")
        self.addresses = by_id(self.bundle, "addresses")
        self.customer = part(self.bundle, "customer")
        self.details = rows(self.bundle, "details")
        self.slips = rows(self.bundle, "slips")

    def order(self) -> Order:
        header = self.header
        external_id = identity(header, "id")
        self._check_that_no_row_is_missing()
        total = amount(header, "total_paid_tax_incl")
        lines = tuple(self._line(detail) for detail in self.details)
        charges = tuple(self._charges(lines))
        discounts = prestashop_discounts.charges(header, rows(self.bundle, "cart_rules"), lines, charges)
        currency = self._currency(text(header, "id_currency"), "id_currency")
        invoice_number, numbers = self._invoice_numbers()
        payments = tuple(self._payments(total))
        shipped = flag(self.state, "shipped")
        refunded = _in_language(self.state, "template") == "refund"  # its `paid` flag is off, but it was paid
        return Order(
            external_id=external_id,
            # Orders of a split cart share one reference: people may search by it, invoices cannot be numbered by it.
            number=external_id,
            reference=text(header, "reference"),
            placed_at=needed(local_moment(header, "date_add", self.zone), "date_add"),
            changed_at=local_moment(header, "date_upd", self.zone),
            paid_at=max((paid.paid_at for paid in payments if paid.paid_at), default=None),
            shipped_at=local_moment(header, "delivery_date", self.zone) if shipped else None,
            currency=currency,
            total=total,
            total_tax=total - amount(header, "total_paid_tax_excl"),
            status=text(header, "current_state"),
            status_label=_in_language(self.state, "name"),
            buyer=self._buyer(),
            ship_to=self._address(text(header, "id_address_delivery")),
            lines=lines,
            charges=charges + tuple(discounts),
            payments=payments,
            refunds=tuple(self._refund(slip, lines) for slip in self.slips),
            # Flags, never ids or names: shops rename states and make their own. `valid` is what `logable` made of it.
            is_sale=flag(self.state, "logable") if self.state else flag(header, "valid"),
            is_paid=(flag(self.state, "paid") if self.state else flag(header, "valid")) or refunded,
            # Only for these two there is no flag; the mail template is the code that a renamed state keeps.
            is_cancelled=_in_language(self.state, "template") == "order_canceled",
            is_refunded=refunded,
            shop_currency=self._default_currency(),
            shop_units_per_order_unit=self._exchange(),
            invoice_number=invoice_number,
            invoice_date=local_moment(header, "invoice_date", self.zone) if invoice_number else None,
            shop_id=text(header, "id_shop"),
            note=text(header, "note"),
            fields=self._fields(numbers),
        )

    def _check_that_no_row_is_missing(self) -> None:
        """`order_rows` of the header name the lines that `order_details`, asked for apart, must have brought."""
        brought = {text(detail, "id") for detail in self.details}
        for line in rows(part(self.header, "associations"), "order_rows"):
            if text(line, "id") not in brought:
                raise Misfit(f"order_details has no row {text(line, 'id')} that order_rows names.")

    def _line(self, detail: Row) -> OrderLine:
        net = amount(detail, "total_price_tax_excl")
        gross = amount(detail, "total_price_tax_incl")
        quantity = amount(detail, "product_quantity")
        unit_price = amount(detail, "unit_price_tax_excl", _ZERO)
        reduced = any(
            amount(detail, key, _ZERO) for key in ("reduction_percent", "reduction_amount", "group_reduction")
        )
        before = amount(detail, "original_product_price", _ZERO)  # before reductions, without VAT
        discount = max(before * quantity - net, _ZERO) if reduced else _ZERO
        variation = text(detail, "product_attribute_id")
        return OrderLine(
            external_id=identity(detail, "id"),
            name=text(detail, "product_name"),
            quantity=quantity,
            net=net,
            taxes=self._line_taxes(detail, net, gross - net),
            sku=text(detail, "product_reference"),
            barcode=text(detail, "product_ean13") or text(detail, "product_upc"),
            product_id=_id_or_nothing(text(detail, "product_id")),
            variation_id=_id_or_nothing(variation),
            unit_price=before if discount else unit_price,
            discount=discount,
        )

    def _line_taxes(self, detail: Row, net: Decimal, tax: Decimal) -> tuple[Tax, ...]:
        """No tax ids: no tax. `{"id": 0}`: exempt by the VAT module, 0 %. Otherwise the rates of these taxes."""
        ids = [text(item, "id") for item in rows(part(detail, "associations"), "taxes")]
        if not ids and not tax:
            return ()
        known = [self.taxes[found] for found in ids if found in self.taxes]
        if not known or len(known) != len(ids):
            return (self._tax_by_ratio(net, tax),)
        rates = [plain(amount(found, "rate")) for found in known]
        amounts = share(tax, rates)
        return tuple(
            Tax(rate=rate, amount=part_of_tax, base=net, label=_in_language(found, "name"))
            for rate, part_of_tax, found in zip(rates, amounts, known, strict=True)
        )

    def _tax_by_ratio(self, net: Decimal, tax: Decimal) -> Tax:
        """A tax whose rate is only in the amounts; None when no rate of the shop comes near."""
        if not tax:
            return Tax(rate=_ZERO, amount=_ZERO, base=net)
        rate = snap(tax * 100 / net, self.rates, _RATE_NOISE) if net else None
        return Tax(rate=rate, amount=tax, base=net)

    def _charges(self, lines: tuple[OrderLine, ...]) -> list[Charge]:
        # A carrier without rate says the same for "exempt" and for "no tax"; the lines know which it is.
        exempt = any(tax.rate == 0 for line in lines for tax in line.taxes)
        charges = []
        for external_id, kind, key in (
            ("shipping", LineKind.SHIPPING, "total_shipping"),
            ("wrapping", LineKind.WRAPPING, "total_wrapping"),
        ):
            net = amount(self.header, f"{key}_tax_excl", _ZERO)
            tax = amount(self.header, f"{key}_tax_incl", _ZERO) - net
            if not net and not tax:
                continue
            taxes = (self._tax_by_ratio(net, tax),) if tax or exempt else ()
            carrier_rate = plain(amount(self.header, "carrier_tax_rate", _ZERO))
            if kind is LineKind.SHIPPING and tax and carrier_rate:
                taxes = (Tax(rate=carrier_rate, amount=tax, base=net),)
            carrier = by_id(self.context, "carriers").get(text(self.header, "id_carrier"), {})
            name = text(carrier, "name") if kind is LineKind.SHIPPING else "Gift wrapping"
            charges.append(Charge(external_id=external_id, kind=kind, name=name or "Shipping", net=net, taxes=taxes))
        return charges

    def _refund(self, slip: Row, lines: tuple[OrderLine, ...]) -> Refund:
        """A credit slip. Its header has products and shipping apart, six decimals; its rows are in cents."""
        of_order = {line.external_id: line for line in lines}
        found = []
        for item in rows(part(slip, "associations"), "order_slip_details"):
            net = amount(item, "amount_tax_excl")
            line = of_order.get(text(item, "id_order_detail"))
            found.append(
                RefundLine(
                    line_id=text(item, "id_order_detail"),
                    kind=line.kind if line else LineKind.GOODS,
                    name=line.name if line else "",
                    sku=line.sku if line else "",
                    quantity=amount(item, "product_quantity"),
                    net=net,
                    taxes=self._refund_taxes(line, net, amount(item, "amount_tax_incl") - net),
                )
            )
        shipping = amount(slip, "total_shipping_tax_excl", _ZERO)
        shipping_tax = amount(slip, "total_shipping_tax_incl", _ZERO) - shipping
        if shipping or shipping_tax:
            rate = plain(amount(self.header, "carrier_tax_rate", _ZERO))
            tax = Tax(rate=rate, amount=shipping_tax, base=shipping)
            taxes = (tax if rate else self._tax_by_ratio(shipping, shipping_tax),)
            found.append(
                RefundLine("shipping", LineKind.SHIPPING, "Shipping", quantity=Decimal(1), net=shipping, taxes=taxes)
            )
        products_tax = amount(slip, "total_products_tax_incl") - amount(slip, "total_products_tax_excl")
        return Refund(
            external_id=identity(slip, "id"),
            created_at=needed(local_moment(slip, "date_add", self.zone), "order_slip date_add"),
            total=amount(slip, "amount") + shipping + shipping_tax,
            total_tax=products_tax + shipping_tax,
            lines=tuple(found),
        )

    def _refund_taxes(self, line: OrderLine | None, net: Decimal, tax: Decimal) -> tuple[Tax, ...]:
        """The rates of the line that is given back: a refund keeps the rates of its original."""
        if line is None or not line.taxes:
            return () if not tax else (self._tax_by_ratio(net, tax),)
        amounts = share(tax, [original.amount for original in line.taxes])
        return tuple(
            Tax(rate=original.rate, amount=found, base=net, label=original.label)
            for original, found in zip(line.taxes, amounts, strict=True)
        )

    def _payments(self, total: Decimal) -> list[Payment]:
        """Payments of the whole cart, cut off at what this order costs.

        A split cart is paid once for all its orders, and a later discount leaves more paid than owed: what is over
        belongs to the other orders or is given back, and must not count here.
        """
        module = text(self.header, "module")
        kind = PaymentKind.CASH_ON_DELIVERY if "cashondelivery" in module else PaymentKind.PREPAID
        payments, left = [], total
        for found in rows(self.bundle, "payments"):
            paid = min(amount(found, "amount"), left)
            if not paid:
                continue
            left -= paid
            payments.append(
                Payment(
                    method=module,
                    title=text(found, "payment_method") or text(self.header, "payment"),
                    amount=paid,
                    kind=kind,
                    reference=text(found, "transaction_id"),
                    paid_at=local_moment(found, "date_add", self.zone),
                )
            )
        if not payments and total:
            prepaid = kind is PaymentKind.PREPAID and not flag(self.state, "paid")
            promised = PaymentKind.UNKNOWN if prepaid else kind
            payments.append(Payment(module, text(self.header, "payment"), total, promised))
        return payments

    def _invoice_numbers(self) -> tuple[str, list[str]]:
        """The header's invoice number as printed ("" for 0), and those of all invoices of an order edited later."""
        number = text(self.header, "invoice_number")
        numbers = [self._printed(text(invoice, "number")) for invoice in rows(self.bundle, "invoices")]
        return self._printed(number), [found for found in numbers if found]

    def _printed(self, number: str) -> str:
        """Prefix and six digits, as the shop's own PDF has it."""
        if number in {"", "0"}:
            return ""
        return f"{text(self.context, 'invoice_prefix')}{number.zfill(6)}"

    def _buyer(self) -> Buyer:
        address_id = text(self.header, "id_address_invoice")
        found = self.addresses.get(address_id, {})
        address = self._address(address_id)
        guest = flag(self.customer, "is_guest")
        return Buyer(
            name=address.name or _name(self.customer),
            company=address.company or text(self.customer, "company"),
            company_code=text(found, "dni") or text(self.customer, "siret"),
            vat_code=text(found, "vat_number"),
            email=text(self.customer, "email"),
            phone=text(found, "phone") or text(found, "phone_mobile"),
            address=address,
            external_id="" if guest else _id_or_nothing(text(self.header, "id_customer")),
        )

    def _address(self, address_id: str) -> Address:
        found = self.addresses.get(address_id, {})
        country = self.countries.get(text(found, "id_country"), {})
        return Address(
            name=_name(found),
            company=text(found, "company"),
            line=", ".join(filter(None, (text(found, "address1"), text(found, "address2")))),
            city=text(found, "city"),
            postcode=text(found, "postcode"),
            country=text(country, "iso_code").upper(),
        )

    def _fields(self, invoice_numbers: list[str]) -> dict[str, str]:
        """What settings may take company and VAT codes from, and what only a person reads."""
        address = self.addresses.get(text(self.header, "id_address_invoice"), {})
        found = {
            "address.vat_number": text(address, "vat_number"),
            "address.dni": text(address, "dni"),
            "address.other": text(address, "other"),
            "customer.siret": text(self.customer, "siret"),
            "customer.ape": text(self.customer, "ape"),
            "gift_message": text(self.header, "gift_message"),
            "invoice_numbers": ", ".join(invoice_numbers) if len(invoice_numbers) > 1 else "",
        }
        return {key: value for key, value in found.items() if value}

    def _currency(self, currency_id: str, where: str) -> str:
        code = text(by_id(self.context, "currencies").get(currency_id, {}), "iso_code").upper()
        if not code:
            raise Misfit(f"{where} is '{currency_id}', which is not among the shop's currencies.")
        return code

    def _default_currency(self) -> str:
        default = text(self.context, "default_currency")
        return self._currency(default, "PS_CURRENCY_DEFAULT") if default else ""

    def _exchange(self) -> Decimal | None:
        """The header says units of the order's currency for one of the shop's; the order wants it the other way."""
        rate = amount(self.header, "conversion_rate", _ZERO)
        return round_to(1 / rate, _EXCHANGE_UNIT) if rate > 0 else None


def _in_language(parent: Row, key: str) -> str:
    """A text in several languages, the first that is filled; plain text where the shop has one language."""
    if isinstance(parent.get(key), (list, tuple)):
        return next(filter(None, (text(entry, "value") for entry in rows(parent, key))), "")
    return text(parent, key)


def _name(person: Row) -> str:
    return " ".join(filter(None, (text(person, "firstname"), text(person, "lastname"))))


def _id_or_nothing(value: str) -> str:
    return "" if value == "0" else value
