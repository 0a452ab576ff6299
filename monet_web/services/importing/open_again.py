"""Orders without a document that a run of their period must bring back though the store's list may not (E5).

Deleted from a journal, undone, brought back by hand, remembered before a crash: they are asked for by their ids.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from monet_web.connectors.base import Connector, Page
from monet_web.connectors.paging import SeenIds
from monet_web.domain.windows import Window
from monet_web.models.base import reading
from monet_web.models.runs import Run, RunKind, RunOrder
from monet_web.models.store_orders import Outcome, StoreOrder
from monet_web.services.importing.booking import Booking
from monet_web.services.importing.claims import patiently

_BATCH = 100  # orders asked for at once
_BOOKED_BY = (RunKind.LAUNCH, RunKind.TIMETABLE, RunKind.REREAD)


def pages(session: Session, booking: Booking, connector: Connector, window: Window, seen: SeenIds) -> Iterator[Page]:
    """The open orders of `window` that were not `seen` (ids of store orders) in this run; iterate it last.

    Of the window are those placed or changed in it, and those that an earlier run of an overlapping window met.
    """
    if not connector.fetches_by_id:
        return
    found = patiently(partial(_open, session, booking.store_id, window))
    wanted = [external_id for order_id, external_id in found if order_id not in seen]
    for start in range(0, len(wanted), _BATCH):
        for page in connector.by_ids(wanted[start : start + _BATCH]):
            yield replace(page, expected=None)  # the window's own number stays


def _open(session: Session, store_id: int, window: Window) -> list[tuple[int, str]]:
    met = (
        select(RunOrder.store_order_id)
        .join(Run, Run.id == RunOrder.run_id)
        .where(
            RunOrder.store_order_id == StoreOrder.id,
            Run.kind.in_(_BOOKED_BY),
            Run.window_start < window.end,
            Run.window_end > window.start,
        )
    )
    in_it = or_(
        and_(StoreOrder.placed_at >= window.start, StoreOrder.placed_at < window.end),
        and_(StoreOrder.changed_at >= window.start, StoreOrder.changed_at < window.end),
        met.exists(),
    )
    query = (
        select(StoreOrder.id, StoreOrder.external_id)
        .where(StoreOrder.store_id == store_id, StoreOrder.outcome == Outcome.OPEN, in_it)
        .order_by(StoreOrder.id)
    )
    with reading(session):
        return [(row.id, row.external_id) for row in session.execute(query)]
