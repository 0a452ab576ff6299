"""A living shop: buyers come every few minutes, and now and then an order is paid, shipped, refunded or cancelled."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Final

from monet_web.demo.shopify.documents import Document
from monet_web.demo.shopify.store import Store

NEWEST_AGE: Final = timedelta(minutes=4)
_GAP: Final = (120, 600)  # seconds between two events
_RECENT: Final = 30  # only so many of the newest orders are touched
_TRIES: Final = 6


class Life:
    """Lets what happened since `start` (aware) happen in the store, each time it is asked.

    A pure function of the seed, the start and the time that passed: started again with the same start, the shop has
    the same orders.
    """

    def __init__(self, store: Store, *, seed: int, start: datetime) -> None:
        self._store = store
        self._chance = random.Random(seed)
        self._next = start.replace(microsecond=0) + self._gap()

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
        what = self._chance.choices(("sale", "paid", "shipped", "refunded", "cancelled"), (60, 10, 18, 8, 4))[0]
        if what == "sale":
            self._store.add(at=at)
            return
        order = self._suitable(what)
        if order is None:
            return
        number = int(order["legacyResourceId"])
        if what == "paid":
            self._store.pay(number, at=at)
        elif what == "shipped":
            self._store.ship(number, at=at)
        elif what == "cancelled":
            self._store.cancel(number, at=at)
        else:
            self._store.refund(number, at=at, pieces={0: 1}, note="Pirkėjas grąžino prekę")

    def _suitable(self, what: str) -> Document | None:
        """One of the newest orders to which this may happen; after some tries none, as on a quiet day."""
        for number in self._chance.choices(self._store.newest(_RECENT), k=_TRIES):
            order = self._store.order(number)
            if order is not None and _suits(order, what):
                return order
        return None


def _suits(order: Document, what: str) -> bool:
    if order["test"] or order["cancelledAt"]:
        return False
    status = order["displayFinancialStatus"]
    match what:
        case "paid" | "cancelled":
            return bool(status == "PENDING")
        case "shipped":
            return bool(status == "PAID" and order["displayFulfillmentStatus"] == "UNFULFILLED")
        case _:
            pass
    line = order["lineItems"][0]
    return bool(status == "PAID" and line["currentQuantity"] and not line["isGiftCard"] and not order["refunds"])
