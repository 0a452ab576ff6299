"""A living shop: buyers come every few minutes, and now and then an order goes on, is edited, cancelled or refunded."""

from __future__ import annotations

import random
from collections.abc import Container
from datetime import UTC, datetime, timedelta
from typing import Final

from monet_web.demo.opencart.documents import Document
from monet_web.demo.opencart.store import Store

_NEWEST_AGE: Final = timedelta(minutes=4)
_GAP: Final = (60, 300)  # seconds between two events
_RECENT: Final = 30  # only so many of the newest orders are touched, as in a shop where old ones are done
_PENDING, _PROCESSING, _SHIPPED, _COMPLETE, _CANCELED, _REFUNDED = "1", "2", "3", "5", "7", "11"
_NEXT: Final = {_PENDING: _PROCESSING, _PROCESSING: _SHIPPED, _SHIPPED: _COMPLETE}


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
        return timedelta(seconds=self._chance.randint(*_GAP))

    def _happen(self, at: datetime) -> None:
        kind = self._chance.choices(("new", "onwards", "edit", "refund", "cancel"), (60, 22, 6, 7, 5))[0]
        if kind == "new":
            status = self._chance.choice((_PROCESSING, _PROCESSING, _PROCESSING, _PENDING))
            order_id = self._store.add(pattern=self._chance.randrange(83), at=at, order_status_id=status, history=[])
            self._store.step(order_id, status, at=at)
            return
        suits = {_COMPLETE} if kind == "refund" else _NEXT.keys()
        order = self._recent(suits)
        if order is None:
            return
        order_id = int(order["order_id"])
        if kind == "onwards":
            self._store.step(order_id, _NEXT[order["order_status_id"]], at=at)
        elif kind == "edit":
            self._store.edit(order_id, at=at, comment="Prašau paskambinti prieš pristatant.")
        elif kind == "cancel":
            self._store.step(order_id, _CANCELED, at=at)
        else:
            self._store.step(order_id, _REFUNDED, at=at, comment="Grąžinta visa suma")

    def _recent(self, suits: Container[str]) -> Document | None:
        newest = [self._store.orders[number] for number in sorted(self._store.orders)[-_RECENT:]]
        suitable = [order for order in newest if order["order_status_id"] in suits]
        return self._chance.choice(suitable) if suitable else None


def living_store(*, seed: int, orders: int, start: datetime, version: str) -> tuple[Store, Life]:
    """A shop of `orders` orders whose newest is minutes old at `start`, and its life from then on."""
    begin = start.replace(microsecond=0)
    store = Store(
        version=version, seed=seed, total=orders, newest=begin - _NEWEST_AGE, until=begin, now=lambda: datetime.now(UTC)
    )
    return store, Life(store, seed=seed, start=begin)
