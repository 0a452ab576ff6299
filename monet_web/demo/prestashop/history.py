"""The orders the shop had before anybody touched it: the recorded hundred, then made ones."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

from monet_web.demo.prestashop.generator import Generator, move_dates, reference
from monet_web.demo.prestashop.patterns import Bundle, patterns
from monet_web.demo.prestashop.recordings import RECORDED_AT

FIRST_MADE_ID: Final = 1001


class Header(NamedTuple):
    """What a filter asks of an order most; times in seconds since 1970."""

    id: int
    created: int
    changed: int


@dataclass(frozen=True)
class History:
    """Orders by index, oldest first; ids and creation times grow with it. Nothing in it ever changes.

    `newest`: where the newest order is moved to (seconds since 1970), all others with it; None leaves the recorded
    dates. No date lies after `until`.
    """

    seed: int
    count: int
    newest: int | None = None
    until: int = RECORDED_AT

    def header(self, index: int) -> Header:
        created = self._created(index) + self._shift
        if index < self._recorded:
            pattern = patterns()[index]
            return Header(pattern.bundle.order_id, created, min(created + pattern.lag, self.until))
        pattern = self._generator.pattern(index - self._recorded)
        return Header(self._id(index), created, min(created + pattern.lag, self.until))

    def index_of(self, order_id: int) -> int | None:
        if order_id < FIRST_MADE_ID:
            return self._recorded_ids.get(order_id)
        index = order_id - FIRST_MADE_ID + self._recorded
        return index if index < self.count else None

    def bundle(self, index: int) -> Bundle:
        """The order with its rows, fresh copies."""
        if index >= self._recorded:
            created = self.header(index).created
            return self._generator.bundle(index - self._recorded, self._id(index), created, self.until)
        bundle = patterns()[index].bundle.copied()
        if self._shift or self.until < RECORDED_AT:
            for row in (bundle.order, *(row for rows in bundle.rows.values() for row in rows)):
                move_dates(row, lambda second: min(second + self._shift, self.until))
        return bundle

    def slip_dates(self, index: int) -> list[int]:
        """When its credit slips were made, without making them."""
        made = index - self._recorded
        pattern = patterns()[index] if made < 0 else self._generator.pattern(made)
        return [min(self.header(index).created + lag, self.until) for lag in pattern.slip_lags]

    @cached_property
    def by_reference(self) -> dict[str, list[int]]:
        """Ids of the orders of each cart."""
        found = defaultdict(list)
        for index in range(self.count):
            made = index - self._recorded
            if made < 0:
                cart = str(patterns()[index].bundle.order["reference"])
            else:
                cart = reference(self._generator.place(made).cart)
            found[cart].append(self.header(index).id)
        return dict(found)

    def _created(self, index: int) -> int:
        """Before the shift: recorded ones as recorded, made ones evenly from there to the day of the recording."""
        if index < self._recorded:
            return self._created_recorded[index]
        last = self._created_recorded[-1]
        gap = (RECORDED_AT - last) * 1000 // (self.count - self._recorded)
        made = index - self._recorded + 1
        # People do not buy by the clock: up to half a gap earlier, the newest exactly.
        sway = (self.count - 1 - index) * (7919 + self.seed) % 50
        return last + (made * gap - sway * gap // 100) // 1000

    def _id(self, index: int) -> int:
        return index - self._recorded + FIRST_MADE_ID

    @property
    def _recorded(self) -> int:
        return min(len(patterns()), self.count)

    @cached_property
    def _created_recorded(self) -> list[int]:
        return [pattern.created for pattern in patterns()]

    @cached_property
    def _recorded_ids(self) -> dict[int, int]:
        return {pattern.bundle.order_id: index for index, pattern in enumerate(patterns()[: self.count])}

    @cached_property
    def _shift(self) -> int:
        if self.newest is None or not self.count:
            return 0
        return self.newest - self._created(self.count - 1)

    @cached_property
    def _generator(self) -> Generator:
        return Generator(self.seed)
