"""One order of Shopify as the canonical order, to the cent.

`read` takes an Order node of the Admin GraphQL API (2025-10 to 2026-10) whose connections were read to their ends and
are plain lists (`completing.py`), refunds in full. The context is the `shop` object. Every amount is a MoneyBag; the
invoice is in what the buyer saw and paid, `presentmentMoney`. Whether prices hold VAT is said by the order,
`taxesIncluded`. Lines count refunded and removed pieces: refunds are told apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal, localcontext
from itertools import combinations

from monet_web.connectors.base import Json
from monet_web.connectors.foreign import Misfit, Row, amount, flag, identity, needed, part, rows, text, utc_moment
from monet_web.connectors.shopify.buyer import address, buyer, fields
from monet_web.connectors.shopify.money import Money, nodes, tail
from monet_web.connectors.shopify.payments import PAID, SALES, paid_at, payments
from monet_web.connectors.shopify.refunds import refunds
from monet_web.domain.money import round_to
from monet_web.domain.orders import Charge, LineKind, Order, OrderLine, Refund, Tax, TaxTotal, Unreadable

_ZERO = Decimal(0)
_UNIT_PRICE = Decimal("0.000001")
_EXCHANGE_UNIT = Decimal("0.0000000001")
_PRECISION = 50
_WHAT_TO_DO = (
    "So Shopify's answer is not as Shopify describes it: enter this order by hand, and send this sentence to whoever "
    "looks after this program."
)


def read(order: Mapping[str, Json], context: Mapping[str, Json]) -> Order | Unreadable:
    """One Order node as the canonical order, pure. Never raises on foreign data."""
    try:
        with localcontext() as exact:
            exact.prec = _PRECISION
            return _Reader(order, context).order()
    except Misfit as misfit:
        found, name = order.get("legacyResourceId"), order.get("name")
        number = name.lstrip("#") if isinstance(name, str) else ""
        return Unreadable(
            external_id=str(found) if isinstance(found, (int, str)) else "",
            number=number,
            reason=f"{misfit} {_WHAT_TO_DO}",
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
        found_fields = fields(node)
        charges = (*shipping, *extra)
        of_order: list[OrderLine | Charge] = [*lines, *charges]
        given_back = refunds(node, self.money, of_order, taxes_included=self.taxes_included)
        placed_at = needed(utc_moment(node, "processedAt") or utc_moment(node, "createdAt"), "processedAt")
        external_id = text(node, "legacyResourceId") or tail(identity(node, "id"))
        return Order(
            external_id=external_id,
            number=text(node, "name").lstrip("#") or text(node, "number"),
            reference=text(node, "poNumber"),
            # An order that was imported from elsewhere has the import as its creation.
            placed_at=placed_at,
            changed_at=utc_moment(node, "updatedAt"),
            paid_at=paid_at(node),
            shipped_at=_shipped_at(node),
            cancelled_at=cancelled_at,
            currency=self.currency,
            total=total,
            total_tax=self.money.of(node, "totalTaxSet", _ZERO),
            tax_totals=self._tax_totals(shipping),
            rounding=rounding,
            status=status,
            status_label=status.replace("_", " ").capitalize(),
            buyer=buyer(node, found_fields),
            ship_to=address(part(node, "shippingAddress")),
            lines=lines,
            charges=charges,
            payments=payments(node, self.money, total),
            refunds=(*given_back, *self._edited_away(external_id, placed_at, total, given_back)),
            is_sale=status in SALES and cancelled_at is None and not is_test,
            is_paid=status in PAID,
            is_cancelled=cancelled_at is not None,
            is_test=is_test,
            is_refunded=status == "REFUNDED",
            prices_include_tax=self.taxes_included,
            shop_currency=text(self.shop, "currencyCode") or text(node, "currencyCode"),
            shop_units_per_order_unit=self._exchange(),
            marketplace=text(node, "sourceName") if _sold_by_marketplace(of_order) else "",
            note=text(node, "note"),
            fields=found_fields,
        )

    def _tax_totals(self, shipping: Sequence[Charge]) -> tuple[TaxTotal, ...]:
        """The order's tax lines. Shopify calls them those of the goods: shipping's are added if they are missing."""
        found = list(self.money.taxes(self.node))
        of_shipping = [tax for charge in shipping for tax in charge.taxes]
        missing = self.money.of(self.node, "totalTaxSet", _ZERO) - sum((tax.amount for tax in found), _ZERO)
        if found and missing and missing == sum((tax.amount for tax in of_shipping), _ZERO):
            found += of_shipping
        return tuple(TaxTotal(rate=tax.rate, amount=tax.amount, label=tax.label) for tax in found)

    def _line(self, line: Row) -> OrderLine:
        """Net = original total − every allocation (order-level ones are among them) − VAT where prices hold it."""
        before = self.money.of(line, "originalTotalSet")
        off = sum((self.money.of(found, "allocatedAmountSet") for found in rows(line, "discountAllocations")), _ZERO)
        taxes = self.money.taxes(line)
        net = before - off - self._vat_inside(taxes)
        without_vat = self._without_vat(taxes)
        return OrderLine(
            external_id=tail(identity(line, "id")),
            name=text(line, "title"),
            quantity=amount(line, "quantity"),
            net=net,
            taxes=taxes,
            kind=self._kind(line, net),
            sku=text(line, "sku"),
            barcode=text(part(line, "variant"), "barcode"),
            product_id=tail(text(part(line, "product"), "id")),
            variation_id=tail(text(part(line, "variant"), "id")),
            unit_price=round_to(self.money.of(line, "originalUnitPriceSet", _ZERO) * without_vat, _UNIT_PRICE),
            discount=round_to(off * without_vat, _UNIT_PRICE),
            options=_options(line),
        )

    def _kind(self, line: Row, net: Decimal) -> LineKind:
        """A tip may come as a line: one without product that is worth exactly the order's tips."""
        if flag(line, "isGiftCard"):
            return LineKind.VOUCHER
        if line.get("requiresShipping") is not False:
            return LineKind.GOODS
        tips = self.money.of(self.node, "totalTipReceivedSet", _ZERO)
        if tips and net == tips and not part(line, "product") and not text(line, "sku"):
            return LineKind.TIP
        return LineKind.SERVICE

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

    def _edited_away(
        self, external_id: str, placed_at: datetime, total: Decimal, given_back: Sequence[Refund]
    ) -> tuple[Refund, ...]:
        """What an edit took off an order without a refund that tells of it: a person has to look.

        The total is the one before returns, so that what is left of it after all refunds must be what is owed now.
        """
        if not flag(self.node, "edited"):
            return ()
        owed = self.money.of(self.node, "currentTotalPriceSet", total)
        gone = total - sum((refund.total for refund in given_back), _ZERO) - owed
        if gone <= 0:
            return ()
        reason = "The order was edited in Shopify: this much less is owed, and no refund tells of which lines."
        return (Refund(f"{external_id}-edited", placed_at, gone, reason=reason, complete=False),)

    def _exchange(self) -> Decimal | None:
        """Shopify's own rate at checkout: the total in the shop's currency by the buyer's."""
        ours, theirs = self.money.both(self.node, "totalPriceSet")
        return round_to(ours / theirs, _EXCHANGE_UNIT) if theirs > 0 and ours > 0 else None


def _sold_by_marketplace(parts: Sequence[OrderLine | Charge]) -> bool:
    return any(tax.collected_by_marketplace for found in parts for tax in found.taxes)


def _shipped_at(node: Row) -> datetime | None:
    """When the last of the goods left, None as long as some have not: that is the supply date (D7)."""
    if text(node, "displayFulfillmentStatus") != "FULFILLED":
        return None
    shipped = [
        utc_moment(found, "createdAt") for found in nodes(node, "fulfillments") if text(found, "status") == "SUCCESS"
    ]
    return max((moment for moment in shipped if moment is not None), default=None)


def _options(line: Row) -> tuple[tuple[str, str], ...]:
    """The variant, and what the buyer chose or wrote; names that begin with _ are the shop's own business."""
    variant = text(line, "variantTitle")
    chosen = [(text(found, "key"), text(found, "value")) for found in nodes(line, "customAttributes")]
    own = [(name, value) for name, value in chosen if name and value and not name.startswith("_")]
    return ((("Variant", variant),) if variant else ()) + tuple(own)
