"""The orders a shop had before anybody touched it: recorded ones, then made ones, or plain ones for a benchmark."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple, Protocol

from monet_web.demo.woocommerce.clock import read_utc, set_dates
from monet_web.demo.woocommerce.documents import Document, copy
from monet_web.demo.woocommerce.generator import ID_STEP, Generator, patterns
from monet_web.demo.woocommerce.plain import COMPLETED_AFTER, PlainGenerator

FIRST_MADE_ID: Final = 1000

# The recording was made at this moment (UTC); a still shop has no order after it.
RECORDED_AT: Final = read_utc("2026-11-24T05:00:00")

_USUAL_GAP = 4 * 3600
_YEAR = 365 * 86400


class Header(NamedTuple):
    """What a filter asks of an order; times in seconds since 1970."""

    id: int
    created: int
    modified: int
    status: str


class History(Protocol):
    """Orders by index, oldest first; ids and creation times grow with it. Nothing in it ever changes."""

    @property
    def count(self) -> int: ...

    @property
    def lag(self) -> tuple[int, int]:
        """The shortest and the longest time from an order's creation to its last change, in seconds."""

    def created(self, index: int) -> int: ...

    def header(self, index: int) -> Header: ...

    def index_of(self, order_id: int) -> int | None: ...

    @property
    def statuses(self) -> frozenset[str]:
        """The statuses its orders have."""

    def refunds(self, index: int) -> list[tuple[int, int]]:
        """(id, creation time) of the order's refunds, without making them."""

    def order(self, index: int) -> tuple[Document, tuple[Document, ...]]:
        """(order, its refunds, newest first), fresh copies with the recorded address."""

    def encoded(self, index: int, *, shape: object, encode: Callable[[Document], bytes]) -> bytes | None:
        """The order's JSON where the history knows a faster way than order(), else None."""


@dataclass(frozen=True)
class RealisticHistory:
    """The 200 recorded orders, and `total - 200` made after them.

    `newest`: where the newest order is moved to (seconds since 1970), all others with it; None leaves the recorded
    dates. No date lies after `until`.
    """

    seed: int
    total: int
    newest: int | None = None
    until: int = RECORDED_AT

    @property
    def count(self) -> int:
        return self.total

    @cached_property
    def lag(self) -> tuple[int, int]:
        lags = [header.modified - header.created for header in map(self.header, range(self._recorded))]
        lags += [pattern.lag for pattern in patterns()]
        return 0, max(lags)

    def created(self, index: int) -> int:
        if index < self._recorded:
            return self._recorded_created[index] + self._shift
        made = index - self._recorded
        # People do not buy by the clock: up to 0.6 of a gap earlier, the newest exactly. Never before the one before.
        sway = (self.total - 1 - index) * (7919 + self.seed) % 61
        return self._first_made + made * self._gap_thousandths // 1000 - sway * self._gap_thousandths // 100_000

    def header(self, index: int) -> Header:
        created = self.created(index)
        if index < self._recorded:
            order = patterns()[index].document
            modified = min(read_utc(order["date_modified_gmt"]) + self._shift, self._limit)
            return Header(order["id"], created, modified, order["status"])
        pattern = self._generator.pattern(index - self._recorded)
        modified = min(created + pattern.lag, self._limit)
        return Header(self._made_id(index), created, modified, pattern.status)

    def index_of(self, order_id: int) -> int | None:
        if order_id < FIRST_MADE_ID:
            return self._recorded_ids.get(order_id)
        made, rest = divmod(order_id - FIRST_MADE_ID, ID_STEP)
        index = made + self._recorded
        return index if rest == 0 and index < self.total else None

    @cached_property
    def statuses(self) -> frozenset[str]:
        return frozenset(pattern.status for pattern in patterns())

    def refunds(self, index: int) -> list[tuple[int, int]]:
        if index < self._recorded:
            return [
                (refund["id"], min(read_utc(refund["date_created_gmt"]) + self._shift, self._limit))
                for refund in patterns()[index].refunds
            ]
        offsets = self._generator.pattern(index - self._recorded).refunded
        first_id, created = self._made_id(index), self.created(index)
        return [
            (first_id + len(offsets) - place, min(created + offset, self._limit))
            for place, offset in enumerate(offsets)
        ]

    def order(self, index: int) -> tuple[Document, tuple[Document, ...]]:
        if index >= self._recorded:
            made = index - self._recorded
            return self._generator.order(made, self._made_id(index), self.created(index), self._limit)
        pattern = patterns()[index]
        document, refunds = copy(pattern.document), copy(list(pattern.refunds))
        if self._shift:
            for name in ("date_created", "date_modified", "date_paid", "date_completed"):
                self._move(document, name)
            for refund in refunds:
                self._move(refund, "date_created")
        return document, tuple(refunds)

    def encoded(self, index: int, *, shape: object, encode: Callable[[Document], bytes]) -> bytes | None:  # noqa: ARG002
        return None

    def _move(self, document: Document, name: str) -> None:
        had = document[f"{name}_gmt"]
        if had is not None:
            set_dates(document, name, min(read_utc(had) + self._shift, self._limit))

    def _made_id(self, index: int) -> int:
        return FIRST_MADE_ID + (index - self._recorded) * ID_STEP

    @cached_property
    def _recorded(self) -> int:
        return min(self.total, len(patterns()))

    @cached_property
    def _recorded_created(self) -> list[int]:
        return [read_utc(pattern.document["date_created_gmt"]) for pattern in patterns()]

    @cached_property
    def _recorded_ids(self) -> dict[int, int]:
        return {patterns()[index].document["id"]: index for index in range(self._recorded)}

    @cached_property
    def _generator(self) -> Generator:
        return Generator(self.seed)

    @cached_property
    def _gap_thousandths(self) -> int:
        """Thousandths of a second between two made orders."""
        made = max(self.total - self._recorded, 1)
        room = _YEAR if self.newest is not None else RECORDED_AT - self._recorded_created[-1] - _USUAL_GAP
        return min(_USUAL_GAP * 1000, room * 1000 // made)

    @cached_property
    def _still_first_made(self) -> int:
        return self._recorded_created[-1] + self._gap_thousandths // 1000 + 1

    @cached_property
    def _first_made(self) -> int:
        return self._still_first_made + self._shift

    @cached_property
    def _shift(self) -> int:
        if self.newest is None or self.total == 0:
            return 0
        made = self.total - self._recorded
        if made == 0:
            return self.newest - self._recorded_created[self._recorded - 1]
        return self.newest - (self._still_first_made + (made - 1) * self._gap_thousandths // 1000)

    @property
    def _limit(self) -> int:
        # A still shop shows what was recorded, hand edits and all; a moved one has no date in the future.
        return self.until if self.newest is not None else max(self.until, _LAST_RECORDED_CHANGE)


@dataclass(frozen=True)
class PlainHistory:
    """`total` plain orders spread evenly from `first` to `last` (seconds since 1970)."""

    total: int
    first: int
    last: int
    generator: PlainGenerator

    @property
    def count(self) -> int:
        return self.total

    @property
    def lag(self) -> tuple[int, int]:
        return COMPLETED_AFTER, COMPLETED_AFTER

    def created(self, index: int) -> int:
        return self.first + (self.last - self.first) * index // max(self.total - 1, 1)

    def header(self, index: int) -> Header:
        created = self.created(index)
        return Header(FIRST_MADE_ID + index * ID_STEP, created, created + COMPLETED_AFTER, "completed")

    def index_of(self, order_id: int) -> int | None:
        index, rest = divmod(order_id - FIRST_MADE_ID, ID_STEP)
        return index if rest == 0 and 0 <= index < self.total else None

    @property
    def statuses(self) -> frozenset[str]:
        return frozenset({"completed"})

    def refunds(self, index: int) -> list[tuple[int, int]]:  # noqa: ARG002
        return []

    def order(self, index: int) -> tuple[Document, tuple[Document, ...]]:
        header = self.header(index)
        return self.generator.order(index, header.id, header.created), ()

    def encoded(self, index: int, *, shape: object, encode: Callable[[Document], bytes]) -> bytes | None:
        header = self.header(index)
        return self.generator.encoded(index, header.id, header.created, shape=shape, encode=encode)


_LAST_RECORDED_CHANGE = read_utc("2026-11-24T06:00:00")
