"""One sale as the document Shopify has of it: prices, allocated discounts and taxes, rounded as Shopify does."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from monet_web.demo.shopify.documents import ZERO, Document, allocate, amount_text, cents, date_text

FIRST_ID: Final = 5_000_000_000_000
_TITLE: Final = {"LT": "PVM", "LV": "PVN", "EE": "KM", "DE": "MwSt"}


@dataclass(frozen=True, slots=True)
class Piece:
    """A line: `price` of one as the buyer saw it; `rate` in per cent, None for no tax."""

    title: str
    sku: str
    price: Decimal
    quantity: int = 1
    rate: Decimal | None = Decimal(21)
    variant: str = ""
    is_gift_card: bool = False
    is_tip: bool = False
    ships: bool = True
    by_channel: bool = False
    own_discount: Decimal = ZERO
    has_product: bool = True


@dataclass(frozen=True, slots=True)
class Person:
    """The buyer. `vat_code` goes into the attribute “PVM kodas”."""

    first: str
    last: str
    street: str
    city: str
    postcode: str
    country: str = "LT"
    company: str = ""
    vat_code: str = ""


@dataclass
class Sale:
    """What happened at the till. Money is in `currency`, of which one is worth `worth` of the shop's euros."""

    position: int  # 1, 2 …: ids and name are made from it
    created: datetime
    pieces: list[Piece]
    buyer: Person | None
    until: datetime
    shipping: Decimal | None = None
    shipping_rate: Decimal | None = Decimal(21)
    included: bool = True
    currency: str = "EUR"
    worth: Decimal = Decimal(1)
    off: Decimal = ZERO  # an order-level discount, shared over the lines
    code: str = ""
    tip: Decimal = ZERO
    duties: Decimal = ZERO
    fees: Decimal = ZERO
    cash_rounding: Decimal = ZERO
    gateways: list[tuple[str, str, Decimal | None]] = field(
        default_factory=lambda: [("shopify_payments", "Shopify Payments", None)]
    )
    paid_after: timedelta | None = timedelta(0)  # None: not yet
    authorised_only: bool = False
    shipped_after: timedelta | None = timedelta(hours=20)
    test: bool = False
    source: str = "web"
    note: str | None = None
    attributes: dict[str, str] = field(default_factory=dict)
    company: Document | None = None  # a PurchasingCompany

    @property
    def order_id(self) -> int:
        return FIRST_ID + self.position

    def document(self) -> Document:
        """The Order node with plain lists where Shopify has connections."""
        lines = self._lines()
        delivery = self._delivery()
        tax_lines = self._order_taxes([*lines, *delivery])
        nets = [self._gross(line) for line in lines] + [Decimal(one["_price"]) for one in delivery]
        tax = sum((amount for *_, amount in tax_lines), ZERO)
        tips = self.tip + sum((piece.price * piece.quantity for piece in self.pieces if piece.is_tip), ZERO)
        total = sum(nets, ZERO) + (ZERO if self.included else tax)
        total += self.tip + self.duties + self.fees + self.cash_rounding
        for made in (*lines, *delivery):
            made.pop("_price", None)
        paid = None if self.paid_after is None else self.created + self.paid_after
        shipped = self._moment(self.shipped_after) if paid or self.gateways[0][0].startswith("cash") else None
        changed = max(moment for moment in (self.created, paid, shipped) if moment is not None)
        subtotal = sum((self._gross(line) for line in lines), ZERO)
        document: Document = {
            "id": f"gid://shopify/Order/{self.order_id}",
            "legacyResourceId": str(self.order_id),
            "name": f"#{1000 + self.position}",
            "number": self.position,
            "poNumber": None,
            "createdAt": date_text(self.created),
            "processedAt": date_text(self.created),
            "updatedAt": date_text(changed),
            "cancelledAt": None,
            "cancelReason": None,
            "test": self.test,
            "edited": False,
            "sourceName": self.source,
            "displayFinancialStatus": "PAID" if paid else "AUTHORIZED" if self.authorised_only else "PENDING",
            "displayFulfillmentStatus": "FULFILLED" if shipped else "UNFULFILLED",
            "currencyCode": "EUR",
            "presentmentCurrencyCode": self.currency,
            "taxesIncluded": self.included,
            "dutiesIncluded": False,
            "estimatedTaxes": False,
            "taxExempt": not tax_lines,
            "paymentGatewayNames": [code for code, _, _ in self.gateways],
            "discountCodes": [self.code] if self.code else [],
            "note": self.note,
            "phone": None,
            "customAttributes": [{"key": key, "value": text} for key, text in self.attributes.items()],
            "localizedFields": [],
            **self._people(),
            "subtotalPriceSet": self.bag(subtotal),
            "totalDiscountsSet": self.bag(self.off + sum((piece.own_discount for piece in self.pieces), ZERO)),
            "totalShippingPriceSet": self.bag(self.shipping or ZERO),
            "totalTaxSet": self.bag(tax),
            "totalTipReceivedSet": self.bag(tips),
            "totalPriceSet": self.bag(total),
            "totalCashRoundingAdjustment": {"paymentSet": self.bag(self.cash_rounding), "refundSet": self.bag(ZERO)},
            "currentTotalPriceSet": self.bag(total),
            "currentTotalTaxSet": self.bag(tax),
            "totalRefundedSet": self.bag(ZERO),
            "totalReceivedSet": self.bag(total if paid else ZERO),
            "totalOutstandingSet": self.bag(ZERO if paid else total),
            "originalTotalDutiesSet": self.bag(self.duties) if self.duties else None,
            "originalTotalAdditionalFeesSet": self.bag(self.fees) if self.fees else None,
            "taxLines": [self._tax_line(*one) for one in tax_lines],
            "lineItems": lines,
            "shippingLines": delivery,
            "fulfillments": self._shipments(shipped),
            "transactions": self._transactions(total, paid),
            "refunds": [],
        }
        return document

    def bag(self, amount: Decimal) -> Document:
        """A MoneyBag of an amount in the buyer's currency."""
        return {
            "shopMoney": {"amount": amount_text(cents(amount * self.worth)), "currencyCode": "EUR"},
            "presentmentMoney": {"amount": amount_text(amount), "currencyCode": self.currency},
        }

    def _lines(self) -> list[Document]:
        shares = allocate(
            self.off, [ZERO if piece.is_gift_card else piece.price * piece.quantity for piece in self.pieces]
        )
        return [
            self._line(number, piece, share)
            for number, (piece, share) in enumerate(zip(self.pieces, shares, strict=True))
        ]

    def _line(self, number: int, piece: Piece, share: Decimal) -> Document:
        whole = piece.price * piece.quantity
        off = [amount for amount in (piece.own_discount, share) if amount]
        product = abs(hash_of(piece.sku or piece.title)) % 10**9
        return {
            "__typename": "LineItem",
            "id": f"gid://shopify/LineItem/{self.position * 1000 + number}",
            "title": piece.title,
            "name": f"{piece.title} - {piece.variant}" if piece.variant else piece.title,
            "variantTitle": piece.variant or None,
            "sku": piece.sku or None,
            "quantity": piece.quantity,
            "currentQuantity": piece.quantity,
            "isGiftCard": piece.is_gift_card,
            "taxable": piece.rate is not None,
            "requiresShipping": piece.ships,
            "product": {"id": f"gid://shopify/Product/{product}"} if piece.has_product else None,
            "variant": {"id": f"gid://shopify/ProductVariant/{product + 1}", "barcode": None}
            if piece.has_product
            else None,
            "customAttributes": [],
            "originalUnitPriceSet": self.bag(piece.price),
            "originalTotalSet": self.bag(whole),
            "discountAllocations": [{"allocatedAmountSet": self.bag(amount)} for amount in off],
            "taxLines": self._taxes(whole - sum(off, ZERO), piece.rate, by_channel=piece.by_channel),
        }

    def _gross(self, line: Document) -> Decimal:
        off = [Decimal(one["allocatedAmountSet"]["presentmentMoney"]["amount"]) for one in line["discountAllocations"]]
        return Decimal(line["originalTotalSet"]["presentmentMoney"]["amount"]) - sum(off, ZERO)

    def _delivery(self) -> list[Document]:
        if self.shipping is None:
            return []
        return [
            {
                "id": f"gid://shopify/ShippingLine/{self.position * 10}",
                "title": "Pristatymas į paštomatą",
                "code": "parcel",
                "isRemoved": False,
                "originalPriceSet": self.bag(self.shipping),
                "discountedPriceSet": self.bag(self.shipping),
                "taxLines": self._taxes(self.shipping, self.shipping_rate),
                "_price": str(self.shipping),
            }
        ]

    def _taxes(self, price: Decimal, rate: Decimal | None, *, by_channel: bool = False) -> list[Document]:
        if rate is None:
            return []
        amount = cents(price * rate / (100 + rate)) if self.included else cents(price * rate / 100)
        return [self._tax_line(rate, by_channel, amount)]

    def _tax_line(self, rate: Decimal, by_channel: bool, amount: Decimal) -> Document:
        return {
            "title": _TITLE.get(self.buyer.country if self.buyer else "LT", "VAT"),
            "rate": rate / 100,
            "ratePercentage": rate,
            "channelLiable": by_channel,
            "source": None,
            "priceSet": self.bag(amount),
        }

    def _order_taxes(self, parts: list[Document]) -> list[tuple[Decimal, bool, Decimal]]:
        found: dict[tuple[Decimal, bool], Decimal] = {}
        for tax in (tax for one in parts for tax in one["taxLines"]):
            key = Decimal(str(tax["ratePercentage"])), tax["channelLiable"]
            found[key] = found.get(key, ZERO) + Decimal(tax["priceSet"]["presentmentMoney"]["amount"])
        return [(rate, by_channel, amount) for (rate, by_channel), amount in found.items()]

    def _people(self) -> Document:
        person = self.buyer
        if person is None:
            return dict.fromkeys(("email", "customer", "purchasingEntity", "billingAddress", "shippingAddress"))
        address = {
            "firstName": person.first,
            "lastName": person.last,
            "company": person.company or None,
            "address1": person.street,
            "address2": None,
            "zip": person.postcode,
            "city": person.city,
            "province": None,
            "countryCodeV2": person.country,
            "phone": None,
        }
        customer: Document = {
            "__typename": "Customer",
            "id": f"gid://shopify/Customer/{abs(hash_of(person.last + person.street)) % 10**6 + 1}",
            "firstName": person.first,
            "lastName": person.last,
            "taxExempt": False,
        }
        entity: Any = self.company or customer
        return {
            "email": f"pirkejas{self.position}@example.test",
            "customer": customer,
            "purchasingEntity": entity,
            "billingAddress": address,
            "shippingAddress": dict(address) if self.shipping is not None else None,
        }

    def _shipments(self, shipped: datetime | None) -> list[Document]:
        if shipped is None:
            return []
        gid = f"gid://shopify/Fulfillment/{self.position * 10}"
        return [{"id": gid, "status": "SUCCESS", "createdAt": date_text(shipped)}]

    def _transactions(self, total: Decimal, paid: datetime | None) -> list[Document]:
        if paid is None and not self.authorised_only:
            return []
        told = sum((amount for *_, amount in self.gateways if amount is not None), ZERO)
        return [
            {
                "id": f"gid://shopify/OrderTransaction/{self.position * 10 + number}",
                "kind": "SALE" if paid else "AUTHORIZATION",
                "status": "SUCCESS",
                "gateway": code,
                "formattedGateway": title,
                "processedAt": date_text(paid or self.created),
                "test": self.test,
                "amountSet": self.bag(total - told if amount is None else amount),
            }
            for number, (code, title, amount) in enumerate(self.gateways)
            if total
        ]

    def _moment(self, after: timedelta | None) -> datetime | None:
        """So much later, None when that has not come yet."""
        moment = None if after is None else self.created + after
        return moment if moment is not None and moment <= self.until else None


def hash_of(text: str) -> int:
    """The same number for the same text in every process, which hash() is not."""
    return int.from_bytes(text.encode()[-8:], "big") * 2654435761 % 2**61
