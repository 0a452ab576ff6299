"""Re-reading (B10): once a day the orders of the documents of the last 60 days, for what a store does not announce.

A run of its own kind, because it has no window of orders: what it fetches are the orders that have documents here.
Every integration that is switched on has one, those that only people launch too; it waits like any run, and one that
fails is not tried again before the next day, when it reads the same orders anyway.
"""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, lazyload

from monet_web.connectors import CONNECTORS
from monet_web.domain.timetable import reread_window
from monet_web.domain.windows import local_day
from monet_web.models.integrations import Integration
from monet_web.models.invoices import Invoice, InvoiceKind
from monet_web.models.runs import Run, RunKind, RunState
from monet_web.models.store_orders import StoreOrder


def open_run(session: Session, integration: Integration, zone: ZoneInfo, *, now: datetime) -> Run | None:
    """A queued run; None when there is nothing to read again or one waits already. The integration's row is locked."""
    connector = CONNECTORS.get(integration.store.platform)
    window = reread_window(now, zone)
    if connector is None or not connector.fetches_by_id:
        return None
    if session.scalars(_ids(integration.store_id, window.start, zone).limit(1)).first() is None:
        return None
    waits = (
        select(Run)
        .where(Run.integration_id == integration.id, Run.kind == RunKind.REREAD, Run.state == RunState.QUEUED)
        .options(lazyload(Run.integration))
    )
    if session.scalars(waits).first() is not None:
        return None
    run = Run(
        integration_id=integration.id, kind=RunKind.REREAD, state=RunState.QUEUED, created_at=now,
        window_start=window.start, window_end=window.end,
    )  # fmt: skip
    session.add(run)
    session.flush()
    return run


def external_ids(session: Session, run: Run, store_id: int, zone: ZoneInfo) -> list[str]:
    """The store's ids of the orders that this run reads again. Inside a transaction."""
    return list(session.scalars(_ids(store_id, run.window_start, zone)))


def _ids(store_id: int, since: datetime, zone: ZoneInfo) -> Select[str]:
    return (
        select(StoreOrder.external_id)
        .join(Invoice, Invoice.store_order_id == StoreOrder.id)
        .where(
            StoreOrder.store_id == store_id,
            Invoice.kind == InvoiceKind.INVOICE,
            Invoice.superseded.is_(False),
            Invoice.issue_date >= local_day(since, zone),
        )
        .order_by(StoreOrder.id)
    )
