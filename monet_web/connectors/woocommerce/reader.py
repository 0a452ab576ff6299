"""One order of WooCommerce becomes the canonical order: pure, exact, and never raising on foreign data.

A bundle is `{"order": <the order as /wc/v3/orders gives it>, "refunds": [<entries of /orders/<id>/refunds>]}`.
Line `total`, shipping `total` and fee `total` are without VAT whatever `prices_include_tax` says, and coupons are
inside them already. Only `*_gmt` dates are used: local ones go backwards when the clocks change.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from monet_web.connectors.woocommerce.fields import (
    Json,
    Problem,
    Record,
    amount,
    identity,
    moment,
    number,
    optional_records,
    record,
    records,
    reference,
    shown,
    text,
    title,
)
from monet_web.connectors.woocommerce.payments import SALE_STATUSES, is_paid, read_payments, sum_of
from monet_web.connectors.woocommerce.refunds import read_refunds
from monet_web.connectors.woocommerce.taxes import Rates, line_taxes, tax_totals
from monet_web.domain.orders import (
    Address,
    Buyer,
    Charge,
    LineKind,
    Order,
    OrderLine,
    Unreadable,
)

# Keys of plugins that ask buyers for their codes, the ones seen in Lithuanian shops first.
COMPANY_CODE_FIELDS = (
    "_billing_company_code",
    "billing_company_code",
    "_billing_imones_kodas",
    "billing_imones_kodas",
    "_billing_company_number",
    "billing_company_number",
    "_company_code",
)
VAT_CODE_FIELDS = (
    "_billing_vat_number",
    "billing_vat_number",
    "billing_pvm_kodas",
    "_billing_pvm_kodas",
    "_billing_vat_code",
    "billing_vat_code",
    "_billing_eu_vat_number",
    "_billing_vat_id",
    "billing_vat_id",
    "_billing_vat",
    "billing_vat",
    "_vat_number",
    "vat_number",
)
INVOICE_NUMBER_FIELDS = (
    "_wcpdf_invoice_number",
    "_ywpi_invoice_formatted_number",
    "_ywpi_invoice_number",
    "_bewpi_invoice_number",
    "wf_invoice_number",
)
_BILLING_FIELDS = frozenset(
    "first_name last_name company address_1 address_2 city state postcode country email phone".split()  # noqa: SIM905
)


@dataclass(frozen=True, slots=True)
class _Dates:
    placed: datetime
    changed: datetime | None
    paid: datetime | None
    completed: datetime | None


def read_order(bundle: Json) -> Order | Unreadable:
    """One bundle; what cannot be understood becomes Unreadable with a sentence."""
    order = bundle.get("order") if isinstance(bundle, Mapping) else None
    if not isinstance(order, Mapping):
        what = "nothing" if order in (None, "", []) else shown(order)
        return Unreadable("", f"The store gave {what} where an order should be.")
    try:
        return _read(order, bundle.get("refunds"))
    except Problem as problem:
        return Unreadable(text(order, "id"), str(problem), text(order, "number"), _moment_or_none(order))


def _read(order: Record, refund_details: Json) -> Order:
    order_id = identity(order)
    order_number = text(order, "number") or order_id
    status = text(order, "status")
    if not status:
        raise Problem(f"Its status is {shown(order.get('status'))}, which is not a status.")
    currency = text(order, "currency").upper()
    if not re.fullmatch(r"[A-Z]{3}", currency):
        raise Problem(f"Its currency is {shown(order.get('currency'))}, which is not a currency's code.")
    placed = moment(order, "date_created_gmt")
    if placed is None:
        raise Problem("Its date (date_created_gmt) is empty, so the day of the sale is not known.")
    dates = _Dates(
        placed, moment(order, "date_modified_gmt"), moment(order, "date_paid_gmt"), moment(order, "date_completed_gmt")
    )
    total = amount(order, "total")
    rates = Rates.of(order)
    fields = _fields(order)
    lines = tuple(_line(entry, rates) for entry in records(order, "line_items"))
    charges = (
        *(_charge(entry, rates, LineKind.SHIPPING) for entry in records(order, "shipping_lines")),
        *(_charge(entry, rates, LineKind.FEE) for entry in records(order, "fee_lines")),
    )
    return Order(
        external_id=order_id,
        number=order_number,
        placed_at=dates.placed,
        currency=currency,
        total=total,
        total_tax=amount(order, "total_tax"),
        status=status,
        buyer=_buyer(order, fields),
        lines=lines,
        charges=charges,
        tax_totals=tax_totals(order, rates),
        payments=read_payments(order, total, dates.paid, sum_of((*lines, *charges))),
        refunds=read_refunds(order, refund_details, rates, dates.changed or dates.placed),
        changed_at=dates.changed,
        paid_at=dates.paid,
        shipped_at=dates.completed,
        is_sale=status in SALE_STATUSES,
        is_paid=is_paid(status, dates.paid, text(order, "payment_method")),
        is_cancelled=status in ("cancelled", "trash"),
        is_refunded=status == "refunded",
        ship_to=_address(_optional(order, "shipping")),
        prices_include_tax=order.get("prices_include_tax") is True,
        invoice_number=_first(fields, INVOICE_NUMBER_FIELDS),
        invoice_date=_unix_moment(fields.get("_wcpdf_invoice_date", "")),
        reference=order_id if order_number != order_id else "",
        note=text(order, "customer_note"),
        fields=fields,
    )


def _line(entry: Record, rates: Rates) -> OrderLine:
    where = f"line {text(entry, 'id') or '?'}: "
    line_id = identity(entry, where=where)
    quantity = number(entry, "quantity", where)
    subtotal = amount(entry, "subtotal", where)
    net = amount(entry, "total", where)
    discount = subtotal - net
    return OrderLine(
        external_id=line_id,
        name=title(entry, "name"),
        quantity=quantity,
        net=net,
        taxes=line_taxes(entry, rates, where),
        sku=text(entry, "sku"),
        barcode=text(entry, "global_unique_id"),
        product_id=reference(entry, "product_id"),
        variation_id=reference(entry, "variation_id"),
        unit_price=subtotal / quantity if quantity else _price(entry),
        # An admin may raise a line above its subtotal; that is a dearer line and no discount.
        discount=max(discount, Decimal(0)) if net >= 0 else Decimal(0),
        options=_options(entry),
    )


def _price(entry: Record) -> Decimal | None:
    try:
        return number(entry, "price")
    except Problem:
        return None


def _options(entry: Record) -> tuple[tuple[str, str], ...]:
    chosen = []
    for meta in optional_records(entry, "meta_data"):
        name, value = title(meta, "display_key") or title(meta, "key"), title(meta, "display_value")
        if name and value and not name.startswith("_"):
            chosen.append((name, value))
    return tuple(chosen)


def _charge(entry: Record, rates: Rates, kind: LineKind) -> Charge:
    where = f"{kind.value} line {text(entry, 'id') or '?'}: "
    return Charge(
        external_id=identity(entry, where=where),
        kind=kind,
        name=title(entry, "method_title" if kind is LineKind.SHIPPING else "name"),
        net=amount(entry, "total", where),
        taxes=line_taxes(entry, rates, where),
    )


def _buyer(order: Record, fields: Mapping[str, str]) -> Buyer:
    billing = record(order.get("billing"), "billing")
    address = _address(billing)
    return Buyer(
        name=address.name or address.company,
        company=address.company,
        company_code=_first(fields, COMPANY_CODE_FIELDS),
        vat_code=_first(fields, VAT_CODE_FIELDS),
        email=text(billing, "email"),
        phone=text(billing, "phone"),
        address=address,
        external_id=reference(order, "customer_id"),
    )


def _address(group: Record) -> Address:
    return Address(
        name=" ".join(part for part in (text(group, "first_name"), text(group, "last_name")) if part),
        company=text(group, "company"),
        line=", ".join(part for part in (text(group, "address_1"), text(group, "address_2")) if part),
        city=text(group, "city"),
        postcode=text(group, "postcode"),
        state=text(group, "state"),
        country=text(group, "country").upper(),
    )


def _fields(order: Record) -> dict[str, str]:
    """Custom fields with a text or a number; a key that occurs twice keeps its first filled value."""
    found: dict[str, str] = {}
    for meta in optional_records(order, "meta_data"):
        key, value = text(meta, "key"), meta.get("value")
        filled = str(value) if isinstance(value, (Decimal, float)) else text(meta, "value")
        if key and not isinstance(value, bool) and not found.get(key):
            found[key] = filled
    billing = _optional(order, "billing")
    for key in billing:
        # What plugins add to the address itself, and the company's name, which some buyers write their code into.
        if (key == "company" or key not in _BILLING_FIELDS) and text(billing, key):
            found[f"billing.{key}"] = text(billing, key)
    return found


def _first(fields: Mapping[str, str], keys: tuple[str, ...]) -> str:
    return next((fields[key].strip() for key in keys if fields.get(key, "").strip()), "")


def _optional(parent: Record, key: str) -> Record:
    value = parent.get(key)
    return value if isinstance(value, Mapping) else {}


def _unix_moment(value: str) -> datetime | None:
    if not re.fullmatch(r"\d{9,11}", value, re.ASCII):
        return None
    return datetime.fromtimestamp(int(value), UTC)


def _moment_or_none(order: Record) -> datetime | None:
    try:
        return moment(order, "date_created_gmt")
    except Problem:
        return None
