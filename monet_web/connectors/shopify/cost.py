"""Shopify's price of a question in points: when the next one may be asked, and how many orders it may ask for.

A bucket of points is filled at a steady rate. The *requested* cost of a question must be in it; what the question
did not really cost is given back. One question costs 1,000 points at most, whatever the plan.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

_FIRST_TRY: Final = 25
_MOST_ORDERS: Final = 50  # a larger answer takes long to make, and is lost whole when it fails
_DEAREST: Final = 900  # points that one question should stay below
_USUAL: Final = 250.0  # points of a question that was not asked before
_LONGEST: Final = 60.0  # seconds: what a store may make us wait between two questions


class Points:
    """What is known of the bucket: the numbers come from the answers, and before the first nothing is waited for."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._costs: dict[str, tuple[float, int]] = {}  # by question: points, and for how many rows
        self._available = 0.0
        self._restored = 0.0
        self._most = 0.0
        self._at = 0.0

    def note(self, name: str, cost: Mapping[str, Any], rows: int = 1) -> float | None:
        """Keeps what an answer says of its price and of the bucket; gives the price that was asked for."""
        status = cost.get("throttleStatus")
        requested = _points(cost.get("requestedQueryCost"))
        if requested is not None:
            self._costs[name] = (requested, rows)
        if isinstance(status, Mapping):
            self._available = _points(status.get("currentlyAvailable")) or 0.0
            self._restored = _points(status.get("restoreRate")) or 0.0
            self._most = _points(status.get("maximumAvailable")) or 0.0
            self._at = self._clock()
        return requested

    def seconds_until(self, name: str, rows: int = 1) -> float:
        """How long until the bucket holds the price of this question: as it was the last time, more for more rows."""
        if self._restored <= 0:
            return 0.0
        price, had = self._costs.get(name, (_USUAL, rows))
        price *= max(1.0, rows / had)
        now = min(self._most, self._available + (self._clock() - self._at) * self._restored)
        return min(_LONGEST, max(0.0, (min(price, self._most) - now) / self._restored))

    def seconds_after_refusal(self) -> float:
        """How long to wait after THROTTLED, when the price is not known."""
        return 1.0


class BatchSize:
    """How many orders to ask for at once: as many as a question may cost, found out from the prices of the answers."""

    def __init__(self) -> None:
        self.orders = _FIRST_TRY
        self._limit = _MOST_ORDERS

    def paid(self, orders: int, price: float | None) -> None:
        """A question for so many orders had this price. The price grows more slowly than the number."""
        if price:
            self.orders = max(1, min(self._limit, int(orders * _DEAREST / price)))

    def too_dear(self, orders: int) -> bool:
        """A question for so many orders was refused for its price. False when not even one may be asked for."""
        self._limit = self.orders = max(1, orders // 2)
        return orders > 1


def _points(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, Decimal)) and not isinstance(value, bool) else None
