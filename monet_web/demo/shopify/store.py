"""What a demo shop holds: the made-up samples, sales made after them by seed, and what was changed since."""

from __future__ import annotations

import threading
from bisect import bisect_left, insort
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from monet_web.demo.shopify import changes
from monet_web.demo.shopify.documents import Document, copy, date, date_text, moved, recorded
from monet_web.demo.shopify.kinds import sale
from monet_web.demo.shopify.sales import FIRST_ID

SAMPLES: Final = 10
RECORDED_AT: Final = datetime(2026, 11, 24, 5, tzinfo=UTC)  # a still shop has no order after it
_SAMPLES_END: Final = datetime(2026, 11, 19, 8, tzinfo=UTC)
_USUAL_GAP: Final = timedelta(hours=4)


@dataclass(frozen=True, slots=True)
class Header:
    """What a search asks of an order."""

    id: int
    created: datetime
    processed: datetime
    updated: datetime
    financial: str
    cancelled: bool
    test: bool
    name: str


class Store:
    """`newest`: where the newest order is moved to, all others with it; None leaves the dates as they are made up.

    Safe from several threads. Sales are made, and what happened to them done, when they are asked for: only headers
    are kept.
    """

    def __init__(self, *, seed: int = 1, total: int = 200, newest: datetime | None = None) -> None:
        self.seed = seed
        self.total = total
        self.lock = threading.RLock()
        self._given: dict[int, Document] = {}  # documents put in as they are
        self._changes: dict[int, list[Callable[[Document], object]]] = {}  # what was done to an order since it was made
        self._sold: dict[int, datetime] = {}  # position → moment of sales that came later
        self._ids = [FIRST_ID + position for position in range(1, total + 1)]
        self._headers: dict[int, Header] = {}
        self._next = total + 1
        made = max(total - SAMPLES, 0)
        room = RECORDED_AT - _SAMPLES_END
        self._gap = _USUAL_GAP if newest is not None or not made else min(_USUAL_GAP, room / made)
        last = _SAMPLES_END + self._gap * made
        self._shift = timedelta(0) if newest is None else newest - last
        self._until = RECORDED_AT if newest is None else newest + timedelta(minutes=3)

    @property
    def shop(self) -> Document:
        found: Document = recorded()["shop"]
        return found

    def ids(self) -> list[int]:
        """All orders there are, ascending."""
        with self.lock:
            return list(self._ids)

    def newest(self, count: int) -> list[int]:
        """The last `count` orders."""
        with self.lock:
            return self._ids[-count:]

    def order(self, order_id: int) -> Document | None:
        """A copy of the order with plain lists, None when there is none."""
        with self.lock:
            place = bisect_left(self._ids, order_id)
            if place == len(self._ids) or self._ids[place] != order_id:
                return None
            given = self._given.get(order_id)
            document: Document = copy(given) if given is not None else self._made(order_id - FIRST_ID)
            for change in self._changes.get(order_id, ()):
                change(document)
            return document

    def header(self, order_id: int) -> Header | None:
        with self.lock:
            if order_id not in self._headers:
                document = self.order(order_id)
                if document is None:
                    return None
                self._headers[order_id] = _header(document)
            return self._headers[order_id]

    # What people do in the shop.

    def add(self, *, at: datetime, document: Callable[[int], Document] | None = None) -> int:
        """A new sale at this moment, or the given document; returns its id."""
        with self.lock:
            position, self._next = self._next, self._next + 1
            if document is not None:
                self._keep(document(position))
            else:
                self._sold[position] = at.replace(microsecond=0)
                insort(self._ids, FIRST_ID + position)
            return FIRST_ID + position

    def put(self, document: Document) -> None:
        """Any order as it is; replaces the one with its id."""
        with self.lock:
            self._keep(copy(document))

    def edit(self, order_id: int, *, at: datetime, **fields: Any) -> None:
        """Replaces fields of an order."""
        self._change(order_id, lambda document: document.update(fields, updatedAt=date_text(at)))

    def refund(self, order_id: int, *, at: datetime, **how: Any) -> None:
        """As `changes.refund`."""
        self._change(order_id, lambda document: changes.refund(document, at=at, **how))

    def cancel(self, order_id: int, *, at: datetime) -> None:
        self._change(order_id, lambda document: changes.cancel(document, at=at))

    def pay(self, order_id: int, *, at: datetime) -> None:
        self._change(order_id, lambda document: changes.pay(document, at=at))

    def ship(self, order_id: int, *, at: datetime) -> None:
        self._change(order_id, lambda document: changes.ship(document, at=at))

    def remove(self, order_id: int) -> None:
        """Deleted for good."""
        with self.lock:
            self._ids.remove(order_id)
            self._headers.pop(order_id, None)

    def _change(self, order_id: int, how: Callable[[Document], object]) -> None:
        with self.lock:
            document = self.order(order_id)
            if document is None:
                message = f"the demo shop has no order {order_id}"
                raise LookupError(message)
            how(document)  # what cannot be done is refused now, and not each time the order is asked for
            self._changes.setdefault(order_id, []).append(how)
            self._headers.pop(order_id, None)

    def _keep(self, document: Document) -> None:
        order_id = int(document["legacyResourceId"])
        if self.order(order_id) is None:
            insort(self._ids, order_id)
        self._given[order_id] = document
        self._changes.pop(order_id, None)
        self._headers.pop(order_id, None)

    def _made(self, position: int) -> Document:
        if position <= SAMPLES:
            sample: Document = moved(recorded()["orders"][position - 1], self._shift, self._until)
            return _with_what_samples_lack(sample)
        if position in self._sold:
            return sale(position, self._sold[position], self._sold[position], self.seed)
        created = _SAMPLES_END + self._gap * (position - SAMPLES) + self._shift
        return sale(position, created.replace(microsecond=0), self._until, self.seed)


def _header(document: Document) -> Header:
    return Header(
        id=int(document["legacyResourceId"]),
        created=date(document["createdAt"]),
        processed=date(document["processedAt"]),
        updated=date(document["updatedAt"]),
        financial=document["displayFinancialStatus"] or "",
        cancelled=document["cancelledAt"] is not None,
        test=document["test"],
        name=document["name"],
    )


def _with_what_samples_lack(document: Document) -> Document:
    """The samples were made up before some of these fields were asked for."""
    nothing = {"amount": "0.0", "currencyCode": document["presentmentCurrencyCode"]}
    none = {"shopMoney": {**nothing, "currencyCode": document["currencyCode"]}, "presentmentMoney": nothing}
    document.setdefault("totalCashRoundingAdjustment", {"paymentSet": none, "refundSet": none})
    document.setdefault("fulfillments", [])
    for line in document["lineItems"]:
        line.setdefault("product", None)
        line.setdefault("variant", None)
        line.setdefault("customAttributes", [])
    return document
