"""B3's check of a month: what the store said of its orders, counted while a run reads them, beside our documents.

It stands in for the reconciliation of G1 until that is built. The run of the 20th reads the whole previous month
anyway; both sides are counted apart: the store's from its orders, ours from the invoices in the books.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from monet_web.domain.orders import Order, Unreadable
from monet_web.domain.timetable import CHECK_DAY, month_before
from monet_web.domain.windows import Window, days, local_day
from monet_web.models.invoices import Invoice, InvoiceKind
from monet_web.models.runs import Run, RunKind, RunSlot
from monet_web.models.store_orders import StoreOrder
from monet_web.services.importing.prepare import Prepared


@dataclass(slots=True)
class MonthCheck:
    """The store's side of a month, growing page by page."""

    month: str  # 2026-10
    window: Window
    orders: int = 0  # that make an invoice, or have one
    left_out: Counter[str] = field(default_factory=Counter)  # why → how many that make none
    not_booked: int = 0  # conflicts and unreadable ones
    totals: dict[str, Decimal] = field(default_factory=dict)

    def add(self, prepared: Sequence[Prepared]) -> None:
        """Count the orders of a page that were placed in the month; unreadable ones also without a date."""
        for one in prepared:
            order = one.remembered.order
            if not isinstance(order, Order):
                self.not_booked += one.outcome == "unreadable" and self._holds(order)
            elif not self.window.holds(order.placed_at):
                continue
            elif one.outcome == "filtered":
                self.left_out[one.reason] += 1
            else:
                self.orders += 1
                self.not_booked += one.outcome in ("conflict", "unreadable")
                self.totals[order.currency] = self.totals.get(order.currency, Decimal(0)) + order.total

    def _holds(self, order: Unreadable) -> bool:
        return order.placed_at is None or self.window.holds(order.placed_at)

    def beside_ours(self, session: Session, store_id: int) -> dict[str, Any]:
        """Both sides as the run's row keeps them. Inside a transaction."""
        rows = session.execute(
            select(Invoice.state, Invoice.currency, func.count(), func.sum(Invoice.total))
            .join(StoreOrder, StoreOrder.id == Invoice.store_order_id)
            .where(
                StoreOrder.store_id == store_id,
                StoreOrder.placed_at >= self.window.start,
                StoreOrder.placed_at < self.window.end,
                Invoice.kind == InvoiceKind.INVOICE,
                Invoice.superseded.is_(False),
            )
            .group_by(Invoice.state, Invoice.currency)
        ).all()
        counts: Counter[str] = Counter()
        totals: dict[str, Decimal] = {}
        for state, currency, count, total in rows:
            counts[state.value] += count
            totals[currency] = totals.get(currency, Decimal(0)) + total
        agrees = self.orders == sum(counts.values()) and self.not_booked == 0 and _same(self.totals, totals)
        return {
            "month": self.month,
            "agrees": agrees,
            "store": {
                "orders": self.orders,
                "totals": _texts(self.totals),
                "left_out": dict(self.left_out),
                "not_booked": self.not_booked,
            },
            "ours": {
                "invoices": sum(counts.values()),
                "registered": counts["registered"],
                "in_journal": counts["in_journal"],
                "totals": _texts(totals),
            },
        }


def month_check_of(session: Session, run: Run, zone: ZoneInfo) -> MonthCheck | None:
    """The check that a run makes: it covers a slot of a 20th and the whole month before. Inside a transaction.

    A launch of that month checks it anew, once it was checked: whoever mended a difference sees that it is gone.
    """
    if run.kind is RunKind.LAUNCH:
        found = {local_day(run.created_at, zone)} if _was_checked(session, run) else set()
    else:
        moments = session.scalars(select(RunSlot.slot_at).where(RunSlot.run_id == run.id)).all()
        found = _check_days(moments, zone)
    for day in sorted(found, reverse=True):
        month = month_before(day)
        window = days(month.first, month.last, zone)
        if run.window_start <= window.start and window.end <= run.window_end:
            return MonthCheck(f"{month.first:%Y-%m}", window)
    return None


def _was_checked(session: Session, run: Run) -> bool:
    query = select(Run.id).where(Run.integration_id == run.integration_id, Run.month_check.is_not(None))
    return session.scalars(query.limit(1)).first() is not None


def _check_days(moments: Iterable[datetime], zone: ZoneInfo) -> set[date]:
    return {day for each in moments if (day := local_day(each, zone)).day == CHECK_DAY}


def _same(one: dict[str, Decimal], other: dict[str, Decimal]) -> bool:
    return all(one.get(key, Decimal(0)) == other.get(key, Decimal(0)) for key in one.keys() | other.keys())


def _texts(totals: dict[str, Decimal]) -> dict[str, str]:
    return {currency: f"{amount:.2f}" for currency, amount in sorted(totals.items())}
