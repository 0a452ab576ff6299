"""Known orders: what the store says again to the byte needs no reading, no checking and no writing.

An order is passed over when its raw JSON has the digest that was kept when it was read, by the same program, and its
living document was drafted from just that version. Orders with refunds are always read: a credit note may be due.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from monet_web.connectors.base import Page
from monet_web.domain.orders import Unreadable
from monet_web.models.among import among, table_of
from monet_web.models.base import reading
from monet_web.models.invoices import Invoice, InvoiceKind
from monet_web.models.store_orders import StoreOrder
from monet_web.services.importing.claims import patiently
from monet_web.services.importing.collect import Remembered
from monet_web.services.importing.prepare import Prepared
from monet_web.services.importing.understand import ID_LENGTH, raw_digest

_ORDERS, _INVOICES = table_of(StoreOrder).c, table_of(Invoice).c
_UNCHANGED = (
    select(_ORDERS.id, _ORDERS.external_id, _ORDERS.raw_hash)
    .join_from(table_of(StoreOrder), table_of(Invoice), _INVOICES.store_order_id == _ORDERS.id)
    .where(
        _ORDERS.store_id == bindparam("store_id"),
        among(_ORDERS.external_id, "external_ids"),
        _ORDERS.raw_hash.is_not(None),
        _INVOICES.kind == InvoiceKind.INVOICE,
        _INVOICES.superseded.is_(False),
        _INVOICES.drafted_from_version_id == _ORDERS.latest_version_id,
        # What an earlier attempt of this very run booked is counted as booked, so it is read.
        _INVOICES.opened_by_run_id.is_distinct_from(bindparam("run_id")),
    )
)


class Known:
    """Takes known orders out of pages; `taken` gives for each page, in turn, the ids of those that were taken out."""

    def __init__(self, session: Session, *, store_id: int, run_id: int) -> None:
        self._session = session
        self._names = {"store_id": store_id, "run_id": run_id}
        self._taken: deque[list[int]] = deque()

    def without(self, pages: Iterable[Page]) -> Iterator[Page]:
        """The pages without them; a page may be left empty. Must be taken between two transactions."""
        for page in pages:
            found = patiently(partial(self._found, page)) if page.orders else {}
            self._taken.append(list(found.values()))
            yield replace(page, orders=tuple(raw for raw in page.orders if id(raw) not in found)) if found else page

    def taken(self) -> list[int]:
        """Ids of the store orders that were taken out of the page whose turn it is."""
        return self._taken.popleft() if self._taken else []

    def _found(self, page: Page) -> dict[int, int]:
        """id() of a raw order → id of the store order."""
        guessed = {_guessed_id(raw): raw for raw in page.orders}
        with reading(self._session):
            rows = self._session.execute(_UNCHANGED, {**self._names, "external_ids": list(guessed)}).all()
        return {
            id(guessed[row.external_id]): row.id
            for row in rows
            if bytes(row.raw_hash) == raw_digest(guessed[row.external_id], page.context)
        }


def unread(order_id: int) -> Prepared:
    """What became of a known order, for whoever counts: it is there already. Its order was not read."""
    return Prepared(Remembered(order_id, 0, Unreadable("", "", "")), "already_there", "already_there")


def _guessed_id(raw: Mapping[str, Any]) -> str:
    """Where platforms put an order's id. A wrong guess costs a reading and no more: the digest decides."""
    inner = raw.get("order")
    order = inner if isinstance(inner, Mapping) else raw  # beside an order some keep its refunds
    found = order.get("id", order.get("order_id", ""))
    return str(found).rpartition("/")[2][:ID_LENGTH] if isinstance(found, (int, str)) else ""
