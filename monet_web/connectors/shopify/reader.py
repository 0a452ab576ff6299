"""Shopify: draft reader of one order; the connector itself is a later issue, so this kind is not in CONNECTORS.

`read` takes an Order node of the Admin GraphQL API (2025-10 to 2026-10) into which `transactions` and full `refunds`
of the second query were put, connections as `{"nodes": […], "pageInfo"}` or plain lists. The context is the `shop`
object. Every amount is a MoneyBag; the invoice is in what the buyer saw and paid, `presentmentMoney`. Whether prices
hold VAT is said by the order, `taxesIncluded`. Lines count refunded and removed pieces: refunds are told apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal, localcontext
from itertools import combinations

from monet_web.connectors.shopify.refunds import refunds
from monet_web.connectors.base import Json
from monet_web.connectors.foreign import Misfit, Row, amount, flag, identity, needed, part, rows, text, utc_moment
from monet_web.connectors.shopify.money import Money, nodes, tail
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
VAT_CODE_FIELDS = ("pvm kodas", "pvm mokėtojo kodas", "pvm moketojo kodas", "vat number", "vat code", "vat id", "vat")

_ZERO = Decimal(0)
_SALES = frozenset({"PAID", "PARTIALLY_PAID", "PARTIALLY_REFUNDED", "REFUNDED"})
_PAID = _SALES - {"PARTIALLY_PAID"}
_TAKEN = frozenset({"SALE", "CAPTURE"})
_UNIT_PRICE = Decimal("0.000001")
_EXCHANGE_UNIT = Decimal("0.0000000001")
_PRECISION = 50


def read(order: Mapping[str, Json], context: Mapping[str, Json]) -> Order | Unreadable:
    """One Order node as the canonical order, pure. Never raises on foreign data."""
    try:
        with localcontext() as exact:
            exact.prec = _PRECISION
            return _Reader(order, context).order()
    except Misfit as misfit:
        found, name = order.get("legacyResourceId"), order.get("name")
        return Unreadable(
            external_id=str(found) if isinstance(found, (int, str)) else "",
            number=name.lstrip("#") if isinstance(name, str) else "",
            reason=str(misfit),
        )


class _Reader:
    def __init__(self, node: Row, shop: Row) -> None:
        self.node = node
        self.shop = shop
        self.currency = text(node, "presentmentCurrencyCode") or text(node, "currencyCode")
        if not self.currency:
            raise Misfit("presentmentCurrencyCode is missing.")
        self.money = Money(self.currency)
        self.taxes_included = flag(node, "taxesIncluded")

    def order(self) -> Order:
        node = self.node
        lines = tuple(self._line(line) for line in nodes(node, "lineItems"))
        shipping = [self._shipping(line) for line in nodes(node, "shippingLines") if not flag(line, "isRemoved")]
        total = self.money.of(node, "totalPriceSet")
        extra, rounding = self._what_is_missing(total, [*lines, *shipping])
        status = text(node, "displayFinancialStatus")  # nullable
        cancelled_at = utc_moment(node, "cancelledAt")
        is_test = flag(node, "test")
        fields = self._fields()
        charges = (*shipping, *extra)
        payments = tuple(self._payments(total))
        of_order: list[OrderLine | Charge] = [*lines, *charges]
        return Order(
            external_id=text(node, "legacyResourceId") or tail(identity(node, "id")),
            number=text(node, "name").lstrip("#") or text(node, "number"),
            reference=text(node, "poNumber"),
            # An order that was imported from elsewhere has the import as its creation.
            placed_at=needed(utc_moment(node, "processedAt") or utc_moment(node, "createdAt"), "processedAt"),
            changed_at=utc_moment(node, "updatedAt"),
            paid_at=max((paid.paid_at for paid in payments if paid.paid_at), default=None),
            cancelled_at=cancelled_at,
            currency=self.currency,
            total=total,
            total_tax=self.money.of(node, "totalTaxSet", _ZERO),
            tax_totals=tuple(
                TaxTotal(rate=tax.rate, amount=tax.amount, label=tax.label) for tax in self.money.taxes(node)
            ),
            rounding=rounding,
            status=status,
            status_label=status.replace("_", " ").capitalize(),
            buyer=self._buyer(fields),
            ship_to=_address(part(node, "shippingAddress")),
            lines=lines,
            charges=charges,
            payments=payments,
            refunds=refunds(node, self.money, of_order, taxes_included=self.taxes_included),
            is_sale=status in _SALES and cancelled_at is None and not is_test,
            is_paid=status in _PAID,
            is_cancelled=cancelled_at is not None,
            is_test=is_test,
            is_refunded=status == "REFUNDED",
            prices_include_tax=self.taxes_included,
            shop_currency=text(self.shop, "currencyCode") or text(node, "currencyCode"),
            shop_units_per_order_unit=self._exchange(),
            marketplace=text(node, "sourceName") if _sold_by_marketplace(of_order) else "",
            note=text(node, "note"),
            fields=fields,
        )

    def _line(self, line: Row) -> OrderLine:
        """Net = original total − every allocation (order-level ones are among them) − VAT where prices hold it."""
        before = self.money.of(line, "originalTotalSet")
        off = sum((self.money.of(found, "allocatedAmountSet") for found in rows(line, "discountAllocations")), _ZERO)
        taxes = self.money.taxes(line)
        net = before - off - self._vat_inside(taxes)
        without_vat = self._without_vat(taxes)
        variant = text(line, "variantTitle")
        kind = LineKind.GOODS if line.get("requiresShipping") is not False else LineKind.SERVICE
        return OrderLine(
            external_id=tail(identity(line, "id")),
            name=text(line, "title"),
            quantity=amount(line, "quantity"),
            net=net,
            taxes=taxes,
            kind=LineKind.VOUCHER if flag(line, "isGiftCard") else kind,
            sku=text(line, "sku"),
            product_id=tail(text(part(line, "product"), "id")),
            variation_id=tail(text(part(line, "variant"), "id")),
            unit_price=round_to(self.money.of(line, "originalUnitPriceSet", _ZERO) * without_vat, _UNIT_PRICE),
            discount=round_to(off * without_vat, _UNIT_PRICE),
            options=(("Variant", variant),) if variant else (),
        )

    def _shipping(self, line: Row) -> Charge:
        """`discountedPriceSet` has cart-level discounts in it; `totalShippingPriceSet` of the order has not."""
        taxes = self.money.taxes(line)
        return Charge(
            external_id=tail(identity(line, "id")),
            kind=LineKind.SHIPPING,
            name=text(line, "title") or "Shipping",
            net=self.money.of(line, "discountedPriceSet") - self._vat_inside(taxes),
            taxes=taxes,
        )

    def _vat_inside(self, taxes: Sequence[Tax]) -> Decimal:
        return sum((tax.amount for tax in taxes), _ZERO) if self.taxes_included else _ZERO

    def _without_vat(self, taxes: Sequence[Tax]) -> Decimal:
        """What a price of this line has to be multiplied by to be net; for prices that are only shown."""
        if not self.taxes_included:
            return Decimal(1)
        return 1 / (1 + sum((tax.rate or _ZERO for tax in taxes), _ZERO) / 100)

    def _what_is_missing(self, total: Decimal, parts: Sequence[OrderLine | Charge]) -> tuple[list[Charge], Decimal]:
        """Tip, duties, fees and cash rounding: those that together close the gap to the total, exactly.

        Shopify shows a tip both as a line and as a sum of its own, and duties may be in the prices already: what is
        added without being missing would be counted twice. If nothing closes the gap, duties and fees that the order
        says are not in its prices are added and the rest stays a difference that is found later.
        """
        node = self.node
        offered = [
            Charge("tip", LineKind.TIP, "Tip", self.money.of(node, "totalTipReceivedSet", _ZERO)),
            Charge("duties", LineKind.FEE, "Duties", self.money.of(node, "originalTotalDutiesSet", _ZERO)),
            Charge(
                "fees", LineKind.FEE, "Additional fees", self.money.of(node, "originalTotalAdditionalFeesSet", _ZERO)
            ),
        ]
        offered = [charge for charge in offered if charge.net]
        rounding = self.money.of(part(node, "totalCashRoundingAdjustment"), "paymentSet", _ZERO)
        gap = total - sum((found.net + sum((tax.amount for tax in found.taxes), _ZERO) for found in parts), _ZERO)
        if not gap:
            return [], _ZERO
        for rounded in (_ZERO, rounding) if rounding else (_ZERO,):
            for count in range(len(offered) + 1):
                for chosen in combinations(offered, count):
                    if sum((charge.net for charge in chosen), rounded) == gap:
                        return list(chosen), rounded
        outside = {"fees"} if flag(node, "dutiesIncluded") else {"fees", "duties"}
        return [charge for charge in offered if charge.external_id in outside], _ZERO

    def _payments(self, total: Decimal) -> list[Payment]:
        """What was taken; else how it is promised. An authorisation is no payment, its capture is."""
        taken = [
            found
            for found in nodes(self.node, "transactions")
            if text(found, "kind") in _TAKEN and text(found, "status") == "SUCCESS"
        ]
        payments = [
            Payment(
                method=text(found, "gateway"),
                title=text(found, "formattedGateway") or text(found, "gateway"),
                amount=self.money.of(found, "amountSet"),
                kind=_payment_kind(text(found, "gateway"), PaymentKind.PREPAID),
                reference=tail(text(found, "id")),
                paid_at=utc_moment(found, "processedAt"),
            )
            for found in taken
        ]
        if payments or not total:
            return payments
        gateways = self.node.get("paymentGatewayNames")
        method = next((name for name in gateways if isinstance(name, str)), "") if isinstance(gateways, list) else ""
        return [Payment(method, method, total, _payment_kind(method, PaymentKind.UNKNOWN))]

    def _buyer(self, fields: Mapping[str, str]) -> Buyer:
        """Billing address, else shipping; both are null on shops without rights to personal data, as is the rest."""
        node = self.node
        address = _address(part(node, "billingAddress") or part(node, "shippingAddress"))
        customer = part(node, "customer")
        entity = part(node, "purchasingEntity")
        tax_settings = part(part(entity, "location"), "taxSettings")
        by_name = {name.casefold(): value for name, value in fields.items()}
        vat_code = text(tax_settings, "taxRegistrationId")
        return Buyer(
            name=address.name or _name(customer),
            company=text(part(entity, "company"), "name") or address.company,
            company_code=next(filter(None, (by_name.get(usual, "") for usual in COMPANY_CODE_FIELDS)), ""),
            vat_code=vat_code or next(filter(None, (by_name.get(usual, "") for usual in VAT_CODE_FIELDS)), ""),
            email=text(node, "email"),
            phone=text(node, "phone") or text(part(node, "billingAddress"), "phone"),
            address=address,
            external_id=tail(text(customer, "id")),
        )

    def _fields(self) -> dict[str, str]:
        """Custom attributes and tax fields by their keys, and what a person should know about the order."""
        found: dict[str, str] = {}
        for attribute in (*nodes(self.node, "customAttributes"), *nodes(self.node, "localizedFields")):
            key, value = text(attribute, "key"), text(attribute, "value")
            if key and value:
                found.setdefault(key, value)
        if flag(self.node, "edited"):
            found.setdefault("edited", "true")
        return found

    def _exchange(self) -> Decimal | None:
        """Shopify's own rate at checkout: the total in the shop's currency by the buyer's."""
        ours, theirs = self.money.both(self.node, "totalPriceSet")
        return round_to(ours / theirs, _EXCHANGE_UNIT) if theirs > 0 and ours > 0 else None


def _payment_kind(gateway: str, otherwise: PaymentKind) -> PaymentKind:
    name = gateway.casefold().replace("_", " ")
    if name == "gift card":
        return PaymentKind.GIFT_CARD
    return PaymentKind.CASH_ON_DELIVERY if "cash on delivery" in name else otherwise


def _sold_by_marketplace(parts: Sequence[OrderLine | Charge]) -> bool:
    return any(tax.collected_by_marketplace for found in parts for tax in found.taxes)


def _name(person: Row) -> str:
    return " ".join(filter(None, (text(person, "firstName"), text(person, "lastName"))))


def _address(found: Row) -> Address:
    address = Address(
        name=_name(found),
        company=text(found, "company"),
        line=", ".join(filter(None, (text(found, "address1"), text(found, "address2")))),
        city=text(found, "city"),
        postcode=text(found, "zip"),
        state=text(found, "province"),
    )
    return replace(address, country=text(found, "countryCodeV2").upper())
