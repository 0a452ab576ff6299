"""A living shop: buyers come every few minutes, and now and then an order goes on, is credited or cancelled."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime
from typing import Final

from monet_web.demo.prestashop.patterns import Bundle, patterns
from monet_web.demo.prestashop.store import Store

# How old the newest order is at the start, and the gap between two events, in seconds.
NEWEST_AGE: Final = 4 * 60
SHORTEST_GAP: Final = 60
LONGEST_GAP: Final = 300

_RECENT: Final = 30  # only so many of the newest orders are touched
_AWAITING, _PAID, _PREPARED, _SHIPPED, _DELIVERED, _CANCELLED = 10, 2, 3, 4, 5, 6
_ONWARDS: Final = {_PAID: _PREPARED, _PREPARED: _SHIPPED, _SHIPPED: _DELIVERED}


class Life:
    """Lets what happened since `start` (aware) happen in the store, each time it is asked.

    A pure function of the seed, the start and the time that passed: started again with the same start, the shop has
    the same orders.
    """

    def __init__(self, store: Store, *, seed: int, start: datetime) -> None:
        self._store = store
        self._chance = random.Random(seed)
        self._next = int(start.timestamp()) + self._gap()

    def catch_up(self, now: datetime) -> int:
        """Runs every event due until `now` (aware), each at its own time; returns how many there were."""
        count = 0
        with self._store.lock:
            while self._next <= now.timestamp():
                self._happen(self._next)
                self._next += self._gap()
                count += 1
        return count

    def _gap(self) -> int:
        return self._chance.randint(SHORTEST_GAP, LONGEST_GAP)

    def _happen(self, at: int) -> None:
        kind = self._chance.choices(("new", "onwards", "pays", "credit", "cancel"), (58, 20, 9, 7, 6))[0]
        if kind == "new":
            self._buy(at)
        elif kind == "onwards":
            self._with(lambda b: b.order["current_state"] in _ONWARDS, lambda b: self._go_on(b, at))
        elif kind == "pays":
            self._with(lambda b: b.order["current_state"] == _AWAITING, lambda b: self._pay(b, at))
        elif kind == "credit":
            self._with(_may_be_credited, lambda b: self._credit(b, at))
        else:
            self._with(
                lambda b: b.order["current_state"] == _AWAITING,
                lambda b: self._store.edit(b.order_id, at=at, current_state=_CANCELLED),
            )

    def _buy(self, at: int) -> None:
        state = self._chance.choice((_PAID, _PAID, _PAID, _AWAITING))
        suitable = [
            index
            for index, pattern in enumerate(patterns())
            if bool(pattern.bundle.rows["order_payments"]) is (state == _PAID) and pattern.bundle.rows["order_details"]
        ]
        self._store.buy(at=at, pattern=self._chance.choice(suitable), state=state)

    def _go_on(self, bundle: Bundle, at: int) -> None:
        self._store.edit(bundle.order_id, at=at, current_state=_ONWARDS[bundle.order["current_state"]])

    def _pay(self, bundle: Bundle, at: int) -> None:
        self._store.pay(bundle.order_id, at=at)
        self._store.edit(bundle.order_id, at=at, current_state=_PAID)

    def _credit(self, bundle: Bundle, at: int) -> None:
        line = self._chance.choice(bundle.rows["order_details"])
        self._store.credit(bundle.order_id, {line["id"]: 1}, at=at)

    def _with(self, suits: Callable[[Bundle], bool], do: Callable[[Bundle], object]) -> None:
        """Does it to one of the newest orders, if one suits."""
        newest = self._store.newest(_RECENT)
        bundles = [bundle for order_id in newest if (bundle := self._store.bundle(order_id)) and suits(bundle)]
        if bundles:
            do(self._chance.choice(bundles))


def _may_be_credited(bundle: Bundle) -> bool:
    is_shipped = bundle.order["current_state"] in {_SHIPPED, _DELIVERED}
    return is_shipped and not bundle.rows["order_slip"] and bool(bundle.rows["order_details"])
