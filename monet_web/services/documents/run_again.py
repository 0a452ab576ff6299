"""Deleted and run again: which launch brings back the orders of waiting invoices that are deleted (E5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from monet_web.domain.windows import local_day
from monet_web.models.integrations import Integration, IntegrationState
from monet_web.models.invoices import Invoice, InvoiceState
from monet_web.models.store_orders import StoreOrder

_PART = 1000  # ids a query


@dataclass(frozen=True, slots=True)
class Launch:
    """The integrations to launch by name, and the days on which the orders were placed, both included."""

    names: tuple[str, ...]
    first: date
    last: date


def launch_of(session: Session, invoice_ids: Sequence[int], zone: ZoneInfo) -> Launch | None:
    """The launch that asks for the orders of these waiting invoices; None when no store is connected any more.

    Asked before they are deleted, inside a transaction.
    """
    names: set[str] = set()
    days: list[date] = []
    for start in range(0, len(invoice_ids), _PART):
        rows = session.execute(
            select(Integration.name, func.min(StoreOrder.placed_at), func.max(StoreOrder.placed_at))
            .join(Invoice, Invoice.integration_id == Integration.id)
            .join(StoreOrder, StoreOrder.id == Invoice.store_order_id)
            .where(
                Invoice.id.in_(invoice_ids[start : start + _PART]),
                Invoice.state == InvoiceState.IN_JOURNAL,
                Integration.state != IntegrationState.RETIRED,
            )
            .group_by(Integration.name)
        ).all()
        names |= {name for name, _first, _last in rows}
        days += [local_day(moment, zone) for _name, *both in rows for moment in both if moment is not None]
    return Launch(tuple(sorted(names)), min(days), max(days)) if days else None
