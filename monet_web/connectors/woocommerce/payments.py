"""How an order of WooCommerce is paid, and whether it is."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from monet_web.connectors.woocommerce.fields import Problem, Record, amount, optional_records, text, title
from monet_web.domain.orders import Charge, OrderLine, Payment, PaymentKind

SALE_STATUSES = ("processing", "completed")
_UNPAID_STATUSES = frozenset({"pending", "on-hold", "failed", "checkout-draft", "auto-draft", "draft"})
_CORE_STATUSES = _UNPAID_STATUSES | {*SALE_STATUSES, "cancelled", "refunded", "trash"}


def sum_of(rows: Iterable[OrderLine | Charge]) -> Decimal:
    """Net and VAT of lines and charges together."""
    return sum((row.net + sum((tax.amount for tax in row.taxes), Decimal(0)) for row in rows), Decimal(0))


def read_payments(order: Record, total: Decimal, paid_at: datetime | None, lines_say: Decimal) -> tuple[Payment, ...]:
    """How the order is paid. `lines_say` is what its lines and charges add up to, with VAT."""
    method = text(order, "payment_method")
    payments = []
    if method or total:
        kind = PaymentKind.CASH_ON_DELIVERY if method == "cod" else PaymentKind.PREPAID
        payments.append(
            Payment(
                method=method,
                title=title(order, "payment_method_title"),
                amount=total,
                kind=kind,
                reference=text(order, "transaction_id"),
                paid_at=paid_at,
            )
        )
    gift_cards = _gift_cards(order)
    if gift_cards and sum(card.amount for card in gift_cards) == lines_say - total:
        # Only when the store's own total is lower by exactly them: then they paid, and are no discount.
        payments.extend(gift_cards)
    return tuple(payments)


def is_paid(status: str, paid_at: datetime | None, method: str) -> bool:
    """Whether the goods may be invoiced: paid, or to be paid to the courier of an order the shop works on."""
    if status in SALE_STATUSES:
        return True
    if status in _UNPAID_STATUSES:
        return False
    # Cash on delivery has no date_paid; in a status of the shop's own ("shipped") the goods are on their way.
    return paid_at is not None or (method == "cod" and status not in _CORE_STATUSES)


def _gift_cards(order: Record) -> list[Payment]:
    """What the gift card plugins that lower `total` list beside the order's own fields."""
    cards = []
    for key in ("gift_cards", "pw_gift_cards", "gift_card_lines"):
        for card in optional_records(order, key):
            try:
                worth = amount(card, "amount")
            except Problem:
                continue
            if worth > 0:
                cards.append(
                    Payment(key, "Gift card", worth, PaymentKind.GIFT_CARD, reference=text(card, "code")),
                )
    return cards
