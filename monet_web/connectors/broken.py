"""Orders that cannot be fetched: named one by one while the store answers other questions, else the store is unwell."""

from __future__ import annotations

from collections.abc import Callable

from monet_web.connectors.failures import TimedOut
from monet_web.domain.errors import MonetError, NeedsOwner

_ASK_AFTER = 5  # failures in a row before the store is asked for something that it is known to give
_MOST = 500  # of one run; beyond that a list of orders is no help any more


class TooManyBroken(NeedsOwner):
    """Hundreds of orders cannot be fetched, though the store answers. What was read before is whole."""


class BrokenOrders:
    """Counts a run's failures. `ask_known` asks the store for what it gave before; it raises when that fails too."""

    def __init__(self, ask_known: Callable[[], object], *, most: int = _MOST) -> None:
        self._ask_known = ask_known
        self._most = most
        self._count = 0
        self._in_a_row = 0
        self._first = self._last = ""

    @property
    def in_a_row(self) -> int:
        """Failures since an order last came, or since the store last proved well."""
        return self._in_a_row

    def came(self) -> None:
        """An order came whole."""
        self._in_a_row = 0

    def failed(self, order: str, error: MonetError) -> None:
        """Counts an order (`order` names it within a sentence) that fails alone.

        Raises `error` when it is the store that is not well: it gives no answer in time, or none to another question.
        """
        if isinstance(error, TimedOut):
            raise error
        self._first, self._last = self._first or order, order
        self._count += 1
        self._in_a_row += 1
        if self._in_a_row >= _ASK_AFTER:
            if not self._is_well():
                raise error
            self._in_a_row = 0

    def check(self) -> None:
        """Asked before more is fetched. Raises TooManyBroken when the run has seen enough."""
        if self._count >= self._most:
            raise TooManyBroken(
                f"The store fails on {self._count} orders, from {self._first} to {self._last}, though it answers other "
                "questions. Those behind them were not read.",
                fix="Show this to whoever looks after the shop: a plugin or a damaged table breaks its orders. Until "
                "it is mended, import periods without them.",
            )

    def _is_well(self) -> bool:
        try:
            self._ask_known()
        except MonetError:
            return False
        return True
