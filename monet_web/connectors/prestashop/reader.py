"""One order of PrestaShop becomes the canonical order: pure, exact, and never raising on foreign data.

A bundle is made of the webservice's rows (1.6 to 9, in lists; numbers and ids may be texts, as XML has them):
    {"order", "details": order_details, "cart_rules": order_cart_rules (1.6: order_discounts), "slips": order_slip,
    "invoices": order_invoices, "payments": order_payments of the reference, "addresses", "customer": {} when gone}
and a context that the orders of a page share, the rows of these resources:
    {"taxes", "states": order_states, "currencies", "countries", "carriers", "configurations",
    "translated_configurations"}
Amounts are in the order's currency, six decimals, as text; `order_payments.conversion_rate` is not to be trusted.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, localcontext

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
    rows,
    shown,
    text,
)
from monet_web.connectors.prestashop.buyers import Buyers
from monet_web.connectors.prestashop.configuration import CURRENCY, Configuration, Told, in_language
from monet_web.connectors.prestashop.discounts import discounts
from monet_web.connectors.prestashop.lines import Taxes, read_charges, read_lines
from monet_web.connectors.prestashop.payments import moment_paid, read_payments, says_paid
from monet_web.connectors.prestashop.refunds import read_refund
from monet_web.domain.money import round_to
from monet_web.domain.orders import Order, Unreadable

_EXCHANGE_UNIT = Decimal("0.0000000001")
_PRECISION = 50
# Only for these two there is no flag; the mail template is the code that a renamed state keeps.
_CANCELLED, _REFUNDED = "order_canceled", "refund"
# What people call the fields that a misfit's text begins with.
_NAMES = {
    "id": "The order's number",
    "date_add": "The order's date",
    "date_upd": "The date of the order's last change",
    "delivery_date": "The order's delivery date",
    "invoice_date": "The date of the shop's invoice",
    "total_paid_tax_incl": "The order's total",
    "total_paid_tax_excl": "The order's total without VAT",
    "total_price_tax_incl": "The sum of a line",
    "total_price_tax_excl": "The sum of a line without VAT",
    "product_quantity": "The quantity of a line",
    "original_product_price": "The price of a line",
    "value": "The worth of a voucher",
    "value_tax_excl": "The worth of a voucher without VAT",
    "amount": "The amount of a payment or of a credit slip",
    "amount_tax_incl": "The amount of a credit slip's line",
    "amount_tax_excl": "The amount of a credit slip's line without VAT",
    "order_slip": "The date of a credit slip",
    "rate": "The rate of one of the shop's taxes",
}
_LOOK = "In PrestaShop open the order and look at that value: a module or an import may have written it."


def read_order(bundle: Mapping[str, Json], context: Mapping[str, Json]) -> Order | Unreadable:
    """One bundle; what cannot be understood becomes Unreadable with a sentence that says what to do."""
    header = bundle.get("order")
    if not isinstance(header, Mapping):
        return Unreadable("", f"The shop gave “{shown(header)}” where an order should be.")
    try:
        with localcontext() as exact:
            exact.prec = _PRECISION
            return _read(header, bundle, context)
    except Told as misfit:
        reason = str(misfit)
    except Misfit as misfit:
        field, _, rest = str(misfit).partition(" ")
        reason = f"{_NAMES[field]} ({field}) {rest} {_LOOK}" if field in _NAMES else f"{misfit} {_LOOK}"
    found = header.get("id")
    order_id = str(found) if isinstance(found, (int, str)) and not isinstance(found, bool) else ""
    return Unreadable(order_id, reason, order_id, _placed(header, context))


def _read(header: Row, bundle: Row, context: Row) -> Order:
    external_id = identity(header, "id")
    configuration = Configuration.of(context, header)
    zone = configuration.zone()
    state = by_id(context, "states").get(text(header, "current_state"), {})
    template = in_language(state, "template")
    is_refunded = template == _REFUNDED
    taxes = Taxes(context)
    buyers = Buyers(bundle, context)

    total = amount(header, "total_paid_tax_incl")
    lines = read_lines(rows(bundle, "details"), header, taxes)
    carrier = by_id(context, "carriers").get(text(header, "id_carrier"), {})
    charges = read_charges(header, lines, taxes, text(carrier, "name"))
    vouchers = discounts(header, rows(bundle, "cart_rules"), lines, charges)
    payments = read_payments(
        header, rows(bundle, "payments"), total, zone, is_paid=bool(state) and says_paid(state, header)
    )
    numbers = _invoice_numbers(bundle, header, configuration)
    return Order(
        external_id=external_id,
        # Orders of a split cart share one reference: people may search by it, invoices cannot be numbered by it.
        number=external_id,
        reference=text(header, "reference"),
        placed_at=needed(local_moment(header, "date_add", zone), "date_add"),
        changed_at=local_moment(header, "date_upd", zone),
        paid_at=moment_paid(payments),
        shipped_at=local_moment(header, "delivery_date", zone) if flag(state, "shipped") else None,
        currency=_currency(context, text(header, "id_currency"), "The order's currency (id_currency)"),
        total=total,
        total_tax=total - amount(header, "total_paid_tax_excl"),
        status=text(header, "current_state"),
        status_label=in_language(state, "name"),
        buyer=buyers.buyer(header),
        ship_to=buyers.ship_to(header),
        lines=lines,
        charges=(*charges, *vouchers),
        payments=payments,
        refunds=tuple(read_refund(slip, header, lines, taxes, zone) for slip in rows(bundle, "slips")),
        # Flags, never ids or names: shops rename states and make their own. `valid` is what `logable` made of it.
        is_sale=flag(state, "logable") if state else flag(header, "valid"),
        is_paid=says_paid(state, header) or is_refunded,  # refunded: its `paid` flag is off, but it was paid
        is_cancelled=template == _CANCELLED,
        is_refunded=is_refunded,
        shop_currency=_shop_currency(context, configuration),
        shop_units_per_order_unit=_exchange(header),
        invoice_number=numbers[0],
        invoice_date=local_moment(header, "invoice_date", zone) if numbers[0] else None,
        shop_id=text(header, "id_shop"),
        note=text(header, "note"),
        fields=_fields(buyers, header, numbers[1:]),
    )


def _invoice_numbers(bundle: Row, header: Row, configuration: Configuration) -> list[str]:
    """The header's invoice number as printed ("" for 0), then those of all invoices: an edited order has several."""
    language = text(header, "id_lang")
    invoices = rows(bundle, "invoices")
    made = {text(invoice, "number"): text(invoice, "date_add") for invoice in invoices}
    own = text(header, "invoice_number")
    first = configuration.invoice_number(own, language, made.get(own) or text(header, "invoice_date"))
    return [first, *filter(None, (configuration.invoice_number(number, language, made[number]) for number in made))]


def _fields(buyers: Buyers, header: Row, invoice_numbers: list[str]) -> dict[str, str]:
    """What settings may take codes from, and what only a person reads."""
    found = {
        **buyers.fields(header),
        "gift_message": text(header, "gift_message"),
        "invoice_numbers": ", ".join(invoice_numbers) if len(invoice_numbers) > 1 else "",
    }
    return {key: value for key, value in found.items() if value}


def _currency(context: Row, currency_id: str, what: str) -> str:
    code = text(by_id(context, "currencies").get(currency_id, {}), "iso_code").upper()
    if not code:
        raise Told(
            f"{what} is number {currency_id or '0'}, which is not among the shop's currencies. "
            "In PrestaShop open International → Localization → Currencies and add it again."
        )
    return code


def _shop_currency(context: Row, configuration: Configuration) -> str:
    default = configuration.get(CURRENCY)
    return _currency(context, default, f"The shop's own currency ({CURRENCY})") if default else ""


def _exchange(header: Row) -> Decimal | None:
    """The header says units of the order's currency for one of the shop's; the order wants it the other way."""
    rate = amount(header, "conversion_rate", Decimal(0))
    return round_to(1 / rate, _EXCHANGE_UNIT) if rate > 0 else None


def _placed(header: Row, context: Mapping[str, Json]) -> datetime | None:
    """When an unreadable order was placed, if that much is known."""
    try:
        return local_moment(header, "date_add", Configuration.of(context, header).zone())
    except Misfit:
        return None
