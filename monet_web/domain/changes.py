"""What of an order changed in the store in a way that its invoice must know (D12)."""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from monet_web.domain.orders import Buyer, Charge, Order, OrderLine, Tax
from monet_web.domain.windows import local_day

REFUNDED = "refunded "  # how the phrase of money given back begins


def differences(old: Order, new: Order, zone: ZoneInfo) -> list[str]:
    """Short English phrases of what differs between two readings of one order; empty: nothing an invoice shows.

    Left out on purpose: SKU and product ids (live in some stores: a renamed product would flag its whole past), status,
    e-mail and telephone, and a shipping date that merely appears: every order is shipped some time after it is paid,
    and the invoice was dated by what was known.
    """
    return list(_differences(old, new, zone))


def _differences(old: Order, new: Order, zone: ZoneInfo) -> Iterator[str]:
    if new.is_cancelled and not old.is_cancelled:
        yield "cancelled"
    if old.currency != new.currency:
        yield f"currency {old.currency} → {new.currency}"
    if old.total != new.total:
        yield f"total {old.total} → {new.total}"
    if old.total_tax != new.total_tax:
        yield f"VAT {old.total_tax} → {new.total_tax}"
    if [_line(line) for line in old.lines] != [_line(line) for line in new.lines]:
        yield "lines"
    if [_charge(charge) for charge in old.charges] != [_charge(charge) for charge in new.charges]:
        yield "shipping or fees"
    if _buyer(old.buyer) != _buyer(new.buyer):
        yield "buyer"
    if old.ship_to.country != new.ship_to.country:
        yield f"country of delivery {old.ship_to.country or '–'} → {new.ship_to.country or '–'}"
    if local_day(old.placed_at, zone) != local_day(new.placed_at, zone):
        yield "order date"
    if old.paid_at and (new.paid_at is None or local_day(old.paid_at, zone) != local_day(new.paid_at, zone)):
        yield "payment date"
    if old.shipped_at and (
        new.shipped_at is None or local_day(old.shipped_at, zone) != local_day(new.shipped_at, zone)
    ):
        yield "supply date"
    if old.invoice_number != new.invoice_number and old.invoice_number:
        yield f"store's invoice number {old.invoice_number} → {new.invoice_number or '–'}"
    given_back = sum(refund.total for refund in new.refunds) - sum(refund.total for refund in old.refunds)
    if given_back:
        yield f"refunded {given_back} {new.currency}"


def _taxes(taxes: tuple[Tax, ...]) -> list[tuple[object, object]]:
    return [(tax.rate, tax.amount) for tax in taxes]


def _line(line: OrderLine) -> tuple[object, ...]:
    return (line.name, line.quantity, line.net, line.discount, _taxes(line.taxes))


def _charge(charge: Charge) -> tuple[object, ...]:
    return (charge.kind, charge.name, charge.net, _taxes(charge.taxes))


def _buyer(buyer: Buyer) -> tuple[object, ...]:
    return (buyer.name, buyer.company, buyer.company_code, buyer.vat_code, buyer.address)
