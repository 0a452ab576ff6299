"""Orders with a document that the store's list no longer returns: trashed, deleted, or of a lost status (D11, D12).

They are asked for once more by their ids after a window was read, so that a trashed order leaves the journal and a
document whose order is gone says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from monet_web.connectors.base import Connector, Page
from monet_web.connectors.paging import SeenIds
from monet_web.domain.windows import Window
from monet_web.models.base import reading, writing
from monet_web.models.invoices import Invoice, InvoiceFinding, InvoiceKind, InvoiceState
from monet_web.models.store_orders import StoreOrder
from monet_web.services.importing.booking import Booking
from monet_web.services.importing.claims import Claim, hold, patiently
from monet_web.services.importing.facts import CANCELLED, CHANGED, IGNORED

_BATCH = 100  # orders asked for at once
_LOOKED_AT = 1000  # documents looked at in one query

GONE = "deleted in the store"


def pages(
    session: Session, claim: Claim, booking: Booking, connector: Connector, window: Window, seen: SeenIds
) -> Iterator[Page]:
    """The orders placed in `window` that have a living document and were not `seen` (ids of store orders) in this run.

    Must be iterated after the window's own pages; `seen` grows while these are booked. What the store does not know
    by its id either is marked on its document.
    """
    if not connector.fetches_by_id or booking.is_preview:
        return
    batch: dict[int, str] = {}
    for order_id, external_id in _documents(session, booking, window):
        if order_id not in seen:
            batch[order_id] = external_id
        if len(batch) == _BATCH:
            yield from _asked(session, claim, booking, connector, batch, seen)
            batch = {}
    if batch:
        yield from _asked(session, claim, booking, connector, batch, seen)


def _documents(session: Session, booking: Booking, window: Window) -> Iterator[tuple[int, str]]:
    after = 0
    while True:
        query = (
            select(StoreOrder.id, StoreOrder.external_id)
            .join(Invoice, Invoice.store_order_id == StoreOrder.id)
            .where(
                StoreOrder.store_id == booking.store_id,
                StoreOrder.placed_at >= window.start,
                StoreOrder.placed_at < window.end,
                StoreOrder.id > after,
                Invoice.kind == InvoiceKind.INVOICE,
                Invoice.superseded.is_(False),
            )
            .order_by(StoreOrder.id)
            .limit(_LOOKED_AT)
        )
        rows = patiently(partial(_read, session, query))
        yield from rows
        if len(rows) < _LOOKED_AT:
            return
        after = rows[-1][0]


def _read(session: Session, query: object) -> list[tuple[int, str]]:
    with reading(session):
        return [(row[0], row[1]) for row in session.execute(query)]  # type: ignore[call-overload]


def _asked(
    session: Session,
    claim: Claim,
    booking: Booking,
    connector: Connector,
    batch: dict[int, str],
    seen: SeenIds,
) -> Iterator[Page]:
    for page in connector.by_ids(list(batch.values())):
        yield replace(page, expected=None)  # the window's own number stays
    gone = [order_id for order_id in batch if order_id not in seen]
    if gone:
        patiently(partial(_mark_gone, session, claim, booking, gone))


def _mark_gone(session: Session, claim: Claim, booking: Booking, order_ids: list[int]) -> None:
    """Say it once on each document: it stops one that waits, and is a notice on a registered one."""
    with writing(session):
        hold(session, claim, now=booking.now)
        said = select(InvoiceFinding.invoice_id).where(InvoiceFinding.code == CHANGED)
        ignored = _ignored(session, order_ids)
        documents = session.execute(
            select(Invoice.id, Invoice.state, StoreOrder.latest_version_id)
            .join(StoreOrder, StoreOrder.id == Invoice.store_order_id)
            .where(
                Invoice.store_order_id.in_(order_ids),
                Invoice.kind == InvoiceKind.INVOICE,
                Invoice.superseded.is_(False),
                Invoice.id.not_in(said),
            )
        ).all()
        rows = [
            {
                "invoice_id": document.id,
                "code": CHANGED,
                "subject": CANCELLED,
                "values": {"what": GONE, "version": str(document.latest_version_id)},
                "stops": document.state is InvoiceState.IN_JOURNAL,
            }
            for document in documents
            if document.id not in ignored
        ]
        if rows:
            session.execute(insert(InvoiceFinding), rows)


def _ignored(session: Session, order_ids: list[int]) -> set[int]:
    """Documents of these orders of which a person said that being gone does not matter."""
    rows = session.execute(
        select(InvoiceFinding.invoice_id, InvoiceFinding.values.label("said"))
        .join(Invoice, Invoice.id == InvoiceFinding.invoice_id)
        .where(Invoice.store_order_id.in_(order_ids), InvoiceFinding.code == IGNORED)
    )
    return {row.invoice_id for row in rows if row.said.get("what") == GONE}
