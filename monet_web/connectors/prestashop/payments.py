"""How a PrestaShop order is paid. Payments belong to the cart: orders of a split cart share them by their reference."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from monet_web.connectors.foreign import Row, amount, flag, local_moment, text
from monet_web.domain.orders import Payment, PaymentKind


def read_payments(
    header: Row, paid: Sequence[Row], total: Decimal, zone: ZoneInfo, *, is_paid: bool
) -> tuple[Payment, ...]:
    """The cart's payments, cut off at what this order costs; a promised one where nothing is booked yet.

    A split cart is paid once for all its orders, and a later discount leaves more paid than owed: what is over
    belongs to the other orders or is given back, and must not count here.
    """
    module = text(header, "module")
    kind = PaymentKind.CASH_ON_DELIVERY if "cashondelivery" in module else PaymentKind.PREPAID
    payments, left = [], total
    for found in paid:
        worth = min(amount(found, "amount"), left)
        if not worth:
            continue
        left -= worth
        payments.append(
            Payment(
                method=module,
                title=text(found, "payment_method") or text(header, "payment"),
                amount=worth,
                kind=kind,
                reference=text(found, "transaction_id"),
                paid_at=local_moment(found, "date_add", zone),
            )
        )
    if not payments and total:
        is_unknown = kind is PaymentKind.PREPAID and not is_paid
        payments.append(Payment(module, text(header, "payment"), total, PaymentKind.UNKNOWN if is_unknown else kind))
    return tuple(payments)


def moment_paid(payments: Sequence[Payment]) -> datetime | None:
    """When the last of them came."""
    return max((paid.paid_at for paid in payments if paid.paid_at), default=None)


def says_paid(state: Row, header: Row) -> bool:
    """What the order's state says of payment; a state that is gone leaves only `valid`, what it made of the header."""
    return flag(state, "paid") if state else flag(header, "valid")
