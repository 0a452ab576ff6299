"""A window's orders, by id: pages that lose nothing while the shop changes, and go round an order that breaks them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from monet_web.connectors.base import Json, Page, Selection
from monet_web.connectors.broken import BrokenOrders
from monet_web.connectors.failures import TimedOut, TooLarge, Unusable
from monet_web.connectors.foreign import Misfit, Row, local_moment
from monet_web.connectors.opencart.api import Api, Orders, order_id
from monet_web.domain.orders import Unreadable

PER_PAGE = 100
_NARROWABLE = (Unusable, TooLarge, TimedOut)


def by_ids(api: Api, ids: Sequence[int]) -> tuple[Sequence[Row], tuple[Unreadable, ...]]:
    """These orders, and those that break even an answer of their own: an answer that fails is asked for in halves.

    Raises what the shop says when several in a row fail and it does not tell who it is any more.
    """
    many = BrokenOrders(api.info)

    def fetched(some: Sequence[int]) -> tuple[list[Row], tuple[Unreadable, ...]]:
        try:
            rows = list(api.by_ids(some))
        except _NARROWABLE as error:
            if len(some) > 1:
                middle = len(some) // 2
                left, right = fetched(some[:middle]), fetched(some[middle:])
                return [*left[0], *right[0]], (*left[1], *right[1])
            many.failed(f"order {some[0]}", error)
            reason = f"The shop fails when it is asked for order {some[0]}. {error.message}"
            return [], (Unreadable(str(some[0]), reason, number=str(some[0])),)
        many.came()
        return rows, ()

    return fetched(ids)


@dataclass
class Reading:
    """Reads one selection from one shop. `context` is what reading an order needs of the shop."""

    api: Api
    selection: Selection
    zone: ZoneInfo
    context: Mapping[str, Json]
    _total: int | None = None
    _left_out: int = 0
    _known: int = 0  # the last order that came whole
    _size: int = field(default=PER_PAGE)
    _broken: BrokenOrders = field(init=False)

    def __post_init__(self) -> None:
        self._broken = BrokenOrders(self._ask_known)

    def pages(self) -> Iterator[Page]:
        """Pages of at most 100 orders, lazily. A keyset on the id: what comes or goes meanwhile moves nothing."""
        after: int | None = 0
        while after is not None:
            self._broken.check()
            rows, unreadable, after = self._next(after)
            held = tuple(row for row in rows if self._holds(row))
            self._left_out += len(rows) - len(held)
            if held or unreadable:
                expected = None if self._total is None else max(0, self._total - self._left_out)
                yield Page(orders=held, context=self.context, expected=expected, unreadable=unreadable)

    def _next(self, after: int) -> tuple[Sequence[Row], tuple[Unreadable, ...], int | None]:
        """The rows behind `after`, the order that cannot be fetched, and where to go on."""
        while True:
            try:
                found = self._ask(after, self._size)
            except _NARROWABLE as failure:
                error = failure
            else:
                if found.rows:
                    self._broken.came()
                    self._known = order_id(found.rows[-1])
                self._size = min(PER_PAGE, self._size * 5)
                return found.rows, (), found.after
            if self._size == 1:
                return self._around(after, error)
            self._size = max(1, self._size // 5)

    def _around(
        self, after: int, error: Unusable | TooLarge | TimedOut
    ) -> tuple[list[Row], tuple[Unreadable, ...], int | None]:
        """The next order breaks even a page of its own: its id is asked for alone, and reading goes on behind it."""
        if isinstance(error, TimedOut):
            raise error  # not one bad order, but a shop that is not well
        found = self._ask(after, 1, brief=True)
        if not found.rows:
            raise error
        row = found.rows[0]
        is_first = not self._broken.in_a_row
        self._broken.failed(f"order {order_id(row)}", error)
        self._size = PER_PAGE if is_first else 1  # broken orders stand alone, or many side by side
        if not self._holds(row):
            self._left_out += 1
            return [], (), found.after
        name = str(order_id(row))
        reason = f"The shop fails when it is asked for order {name}. {error.message}"
        return [], (Unreadable(name, reason, number=name),), found.after

    def _ask_known(self) -> None:
        """The order that came last; before any has come, who the shop is."""
        if self._known:
            self.api.by_ids([self._known])
        else:
            self.api.info()

    def _ask(self, after: int, size: int, *, brief: bool = False) -> Orders:
        found = self.api.orders(
            self.selection.window, self.zone, by=self.selection.by, after=after, limit=size, brief=brief
        )
        if self._total is None:
            self._total = found.total
        return found

    def _holds(self, row: Row) -> bool:
        try:
            added = local_moment(row, "date_added", self.zone)
            changed = local_moment(row, "date_modified", self.zone)
        except Misfit:
            return True  # with dates that nobody understands it is shown as unreadable, and not left out in silence
        return self.selection.holds(created=added, changed=changed, paid=added)
