"""A living shop: buyers come every few minutes, and now and then an order is edited, refunded or cancelled."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from monet_web.demo.woocommerce.clock import moment, seconds
from monet_web.demo.woocommerce.history import RealisticHistory
from monet_web.demo.woocommerce.store import Store

# How old the newest order is at the start, and the gap between two events, in seconds.
NEWEST_AGE: Final = 4 * 60
SHORTEST_GAP: Final = 60
LONGEST_GAP: Final = 300

# Only so many of the newest orders are touched, as in a shop where old ones are done.
_RECENT: Final = 30
_NEXT_STATUS: Final = {"pending": "processing", "on-hold": "processing", "processing": "completed"}


class Life:
    """Lets what happened since `start` happen in the store, each time it is asked.

    A pure function of the seed, the start and the time that passed: started again with the same start, the shop has
    the same orders. `start` is aware; the history must end before it.
    """

    def __init__(self, store: Store, *, seed: int, start: datetime) -> None:
        self._store = store
        self._chance = random.Random(seed)
        self._next = start + self._gap()

    def catch_up(self, now: datetime) -> int:
        """Runs every event due until `now` (aware), each at its own time; returns how many there were."""
        count = 0
        with self._store.lock:
            while self._next <= now:
                self._happen(self._next)
                self._next += self._gap()
                count += 1
        return count

    def _gap(self) -> timedelta:
        return timedelta(seconds=self._chance.randint(SHORTEST_GAP, LONGEST_GAP))

    def _happen(self, at: datetime) -> None:
        kind = self._chance.choices(("new", "onwards", "note", "refund", "cancel"), (60, 22, 6, 7, 5))[0]
        if kind == "new":
            status = self._chance.choice(("processing", "processing", "processing", "pending", "on-hold"))
            self._store.add(pattern=self._chance.randrange(200), at=at, **_fresh(status))
            return
        order_id = self._recent(lambda status: status in _NEXT_STATUS if kind != "refund" else status == "completed")
        if order_id is None:
            return
        document = self._store.order(order_id)
        if document is None:
            return
        if kind == "onwards":
            self._store.edit(order_id, at=at, status=_NEXT_STATUS[document["status"]])
        elif kind == "note":
            self._store.edit(order_id, at=at, customer_note="Prašau paskambinti prieš pristatant.")
        elif kind == "cancel":
            self._store.edit(order_id, at=at, status="cancelled")
        else:
            self._refund(order_id, at)

    def _refund(self, order_id: int, at: datetime) -> None:
        document = self._store.order(order_id)
        if document is None or document["refunds"]:
            return
        lines = [line for line in document["line_items"] if line["quantity"] > 0]
        if lines and self._chance.random() < 0.7:
            line = self._chance.choice(lines)
            pieces = {line["id"]: self._chance.randint(1, line["quantity"])}
            try:
                self._store.refund(order_id, quantities=pieces, reason="Pirkėjas grąžino prekę", at=at)
            except ValueError:
                # A negative fee: less was paid than the goods cost. Then money is given back, as below.
                pass
            else:
                return
        # By money alone, as people do who do not look for the lines: no VAT is told.
        self._store.refund(order_id, at=at)

    def _recent(self, suits: Callable[[str], bool]) -> int | None:
        store = self._store
        history = store.history
        first = max(history.count - _RECENT, 0)
        headers = list(store.untouched_headers(first, history.count))
        headers += [changed.header for changed in store.changed.values()]
        newest = sorted(headers, key=lambda header: header.created)[-_RECENT:]
        suitable = [header.id for header in newest if suits(header.status)]
        return self._chance.choice(suitable) if suitable else None


def living_store(*, seed: int, orders: int, start: datetime) -> tuple[Store, Life]:
    """A shop of `orders` orders whose newest is minutes old at `start`, and its life from then on."""
    begin = seconds(start)
    history = RealisticHistory(seed=seed, total=orders, newest=begin - NEWEST_AGE, until=begin)
    store = Store(history, now=lambda: datetime.now(UTC))
    return store, Life(store, seed=seed, start=moment(begin))


def _fresh(status: str) -> dict[str, object]:
    """What a new order has instead of its pattern's end: nothing completed yet; paid only if in processing."""
    fields: dict[str, object] = {"status": status, "date_completed": None, "date_completed_gmt": None}
    if status != "processing":
        fields |= {"date_paid": None, "date_paid_gmt": None}
    return fields
