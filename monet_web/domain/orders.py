"""The canonical order: what every store's order becomes, whatever the platform, with the store's own figures.

Amounts are Decimals in the order's currency, exactly as the store says them: four or six decimals are kept here and
rounded only when an invoice is drafted. Amounts of lines and charges are **without VAT and after every discount**;
readers of stores that speak gross prices take the VAT that the store itself names off them. Times are aware, in UTC.
A tuple of taxes that is empty means "no tax", which is not the same as a tax of 0 %.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum


class LineKind(StrEnum):
    """What a line or charge is. Only `goods` and `service` name items; the rest never need one."""

    GOODS = "goods"
    SERVICE = "service"
    SHIPPING = "shipping"
    FEE = "fee"
    WRAPPING = "wrapping"
    TIP = "tip"
    DISCOUNT = "discount"
    VOUCHER = "voucher"  # a gift card or certificate that is sold
    DEPOSIT = "deposit"  # packaging deposit, outside VAT


class PaymentKind(StrEnum):
    """How an amount of the order was or will be paid."""

    PREPAID = "prepaid"
    CASH_ON_DELIVERY = "cash_on_delivery"
    CASH_WITH_RECEIPT = "cash_with_receipt"  # at a till, whose receipt the buyer has
    GIFT_CARD = "gift_card"  # also store credit and vouchers that are means of payment
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Tax:
    """One tax of a line. `rate` in per cent (21 for 21 %), None when the store does not say it."""

    rate: Decimal | None
    amount: Decimal
    base: Decimal | None = None  # the part of the line's net this tax is of, where the store says so
    label: str = ""
    collected_by_marketplace: bool = False


@dataclass(frozen=True, slots=True)
class OrderLine:
    """A product of the order. `quantity` counts what was ordered, refunded pieces included."""

    external_id: str
    name: str
    quantity: Decimal
    net: Decimal
    taxes: tuple[Tax, ...] = ()
    kind: LineKind = LineKind.GOODS
    sku: str = ""
    barcode: str = ""
    product_id: str = ""
    variation_id: str = ""
    unit: str = ""
    unit_price: Decimal | None = None  # net, before discounts; only shown, sums come from `net`
    discount: Decimal = Decimal(0)  # net amount, >= 0, already taken off `net`
    options: tuple[tuple[str, str], ...] = ()  # chosen variant or customisation, (name, value)


@dataclass(frozen=True, slots=True)
class Charge:
    """What is on the order beside products: shipping, fees (also negative), wrapping, tips, order-level discounts."""

    external_id: str
    kind: LineKind
    name: str
    net: Decimal
    taxes: tuple[Tax, ...] = ()


@dataclass(frozen=True, slots=True)
class TaxTotal:
    """What the store says of one rate on the whole order. `base` only where the store itself gives one."""

    rate: Decimal | None
    amount: Decimal
    base: Decimal | None = None
    label: str = ""


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment or the way one is promised; `method` is the store's code, the key of the setting `payment_methods`."""

    method: str
    title: str
    amount: Decimal
    kind: PaymentKind = PaymentKind.UNKNOWN
    reference: str = ""
    paid_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Address:
    """A postal address; `country` is an ISO 3166 alpha-2 code or empty."""

    name: str = ""
    company: str = ""
    line: str = ""
    city: str = ""
    postcode: str = ""
    state: str = ""
    country: str = ""


@dataclass(frozen=True, slots=True)
class Buyer:
    """Who buys. Codes are as the store's own field holds them; settings may name other fields (`Order.fields`)."""

    name: str
    company: str = ""
    company_code: str = ""
    vat_code: str = ""
    email: str = ""
    phone: str = ""
    address: Address = Address()
    external_id: str = ""  # the store's customer, empty for a guest


@dataclass(frozen=True, slots=True)
class RefundLine:
    """A part of a refund, positive amounts. `line_id` is the order line's or charge's external id, "" when unknown."""

    line_id: str
    kind: LineKind
    name: str
    quantity: Decimal
    net: Decimal
    taxes: tuple[Tax, ...] = ()
    sku: str = ""
    restocked: bool | None = None  # None: the store does not say whether the goods came back


@dataclass(frozen=True, slots=True)
class Refund:
    """Money given back. `total` is gross and positive. No lines: an amount-only refund, its VAT unknown."""

    external_id: str
    created_at: datetime
    total: Decimal
    reason: str = ""
    total_tax: Decimal | None = None
    lines: tuple[RefundLine, ...] = ()
    complete: bool = True  # False: the store told of the refund but not of its lines


@dataclass(frozen=True, slots=True)
class Order:
    """One order as the store says it now."""

    external_id: str  # the store's own identity, unique in the store; never shown as the number
    number: str  # what people call it; usually but not always unique
    placed_at: datetime
    currency: str  # ISO code of every amount here
    total: Decimal  # what the buyer owes, with VAT
    total_tax: Decimal
    status: str  # the store's code of the status, what the setting `statuses` names
    buyer: Buyer
    lines: tuple[OrderLine, ...] = ()
    charges: tuple[Charge, ...] = ()
    tax_totals: tuple[TaxTotal, ...] = ()
    payments: tuple[Payment, ...] = ()
    refunds: tuple[Refund, ...] = ()
    changed_at: datetime | None = None
    paid_at: datetime | None = None
    shipped_at: datetime | None = None  # shipped or completed: the supply date
    cancelled_at: datetime | None = None
    is_sale: bool = True  # the store counts it as a sale (platform's own flag or list), for the default of `statuses`
    is_paid: bool = True
    is_cancelled: bool = False
    is_test: bool = False
    is_refunded: bool = False  # the store says that all of it was given back
    status_label: str = ""
    ship_to: Address = Address()
    prices_include_tax: bool = False  # how prices were entered; amounts here are net anyway
    rounding: Decimal = Decimal(0)  # a rounding that the store itself names (cash rounding), part of `total`
    shop_currency: str = ""
    shop_units_per_order_unit: Decimal | None = None  # the store's own exchange rate, for information
    invoice_number: str = ""  # the store's own invoice, "" when it gave none
    invoice_date: datetime | None = None
    reference: str = ""  # a second number people search by
    shop_id: str = ""  # which shop of a multi-shop installation
    marketplace: str = ""
    note: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)  # custom fields and meta keys → text

    def moment_paid(self) -> datetime:
        """When it was paid, else placed."""
        return self.paid_at or self.placed_at

    def moment_supplied(self) -> datetime:
        """When it was shipped or completed, else paid, else placed (D7)."""
        return self.shipped_at or self.moment_paid()


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An order of the store that could not be understood; `reason` is a full sentence with the actual value."""

    external_id: str
    reason: str
    number: str = ""
    placed_at: datetime | None = None


def is_empty(order: Order) -> bool:
    """True when there is nothing to invoice: no line and no charge of any amount, and nothing owed."""
    return not order.lines and not order.total and not any(charge.net or charge.taxes for charge in order.charges)
