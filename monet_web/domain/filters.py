"""Why an order makes no invoice (D1): the reasons are a closed list, each naming the setting or the fact behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from zoneinfo import ZoneInfo

from monet_web.domain.orders import Order, is_empty
from monet_web.domain.settings import Settings
from monet_web.domain.windows import local_day

REASONS: Mapping[str, tuple[str, str]] = {
    "test_order": ("a test order", "bandomasis užsakymas"),
    "nothing_to_invoice": ("nothing to invoice: no lines and nothing owed", "nėra už ką išrašyti: nei eilučių, nei sumos"),
    "before_start": ("placed before {not_before} (setting not_before)", "pateiktas anksčiau nei {not_before} (not_before)"),
    "cancelled": ("cancelled in the store ({status})", "parduotuvėje atšauktas ({status})"),
    "refunded_before_import": ("refunded in full before it was invoiced", "grąžintas visas dar iki sąskaitos"),
    "not_paid": ("not paid yet ({status})", "dar neapmokėtas ({status})"),
    "status": ("status {status} makes no invoice (setting statuses)", "būsena {status} sąskaitos nekuria (statuses)"),
    "payment_method": ("paid by {method} (setting payment_methods: skip)", "mokėta {method} (payment_methods: skip)"),
    "left_out": ("left out by hand", "neįtrauktas ranka"),
    "credited": ("its invoice was credited in full; importing it anew needs your yes",
                 "jo sąskaita kredituota visa; importuoti iš naujo reikia jūsų sutikimo"),
    "gone": ("deleted in the store", "parduotuvėje ištrintas"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Filtered:
    """One reason of REASONS with the values of its words."""

    reason: str
    details: Mapping[str, str] = field(default_factory=dict)

    def text(self, language: str = "en") -> str:
        """The reason in words."""
        return REASONS[self.reason][1 if language == "lt" else 0].format(**self.details)


def why_not(order: Order, settings: Settings, zone: ZoneInfo) -> Filtered | None:
    """The first reason why `order` makes no new invoice, None when it makes one. `zone` is the company's."""
    status = order.status_label or order.status
    if order.is_test:
        return Filtered("test_order")
    if is_empty(order):
        return Filtered("nothing_to_invoice")
    if settings.not_before is not None and local_day(order.placed_at, zone) < settings.not_before:
        return Filtered("before_start", {"not_before": settings.not_before.isoformat()})
    chosen = order.status in settings.statuses
    if order.is_cancelled and not chosen:
        return Filtered("cancelled", {"status": status})
    if order.is_refunded or _all_given_back(order):
        return Filtered("refunded_before_import")
    if not (chosen if settings.statuses else order.is_sale):
        return Filtered("status" if order.is_paid else "not_paid", {"status": status})
    for payment in order.payments:
        if settings.payment_methods.get(payment.method) == "skip":
            return Filtered("payment_method", {"method": payment.title or payment.method})
    return None


def _all_given_back(order: Order) -> bool:
    return order.total > 0 and sum((refund.total for refund in order.refunds), Decimal(0)) >= order.total
