"""Small objects that read a long list piece by piece and lose nothing though the list changes meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from monet_web.connectors.broken import BrokenOrders, TooManyBroken
from monet_web.connectors.failures import TimedOut, TooLarge, Unusable
from monet_web.domain.errors import MonetError, NeedsOwner, RetryLater

Row = Mapping[str, Any]

_CHUNK_BITS = 8192
# A smaller question may get an answer after these. Everything else concerns the store and not the rows asked for.
_NARROWABLE = (Unusable, TimedOut, TooLarge)


class SeenIds:
    """A set of whole numbers >= 0 as bits in chunks: 100,000 neighbouring ids take 13 kB. Iterates in order."""

    def __init__(self) -> None:
        self._chunks: dict[int, bytearray] = {}
        self._count = 0

    def add(self, number: int) -> bool:
        """True when the number was not in the set yet."""
        chunk, bit = divmod(number, _CHUNK_BITS)
        bits = self._chunks.setdefault(chunk, bytearray(_CHUNK_BITS // 8))
        mask = 1 << (bit % 8)
        if bits[bit // 8] & mask:
            return False
        bits[bit // 8] |= mask
        self._count += 1
        return True

    def __contains__(self, number: int) -> bool:
        chunk, bit = divmod(number, _CHUNK_BITS)
        bits = self._chunks.get(chunk)
        return bits is not None and bool(bits[bit // 8] & 1 << (bit % 8))

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[int]:
        for chunk in sorted(self._chunks):
            for place, byte in enumerate(self._chunks[chunk]):
                if byte:
                    yield from (chunk * _CHUNK_BITS + place * 8 + bit for bit in range(8) if byte >> bit & 1)


@dataclass(frozen=True, slots=True)
class Slice:
    """Rows of one answer, and how many rows the store says the whole list has."""

    rows: Sequence[Row]
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Hole:
    """A row that could not be fetched, between the ids `after` and `before` (None: the end of the list)."""

    after: int
    before: int | None
    error: MonetError


# start (rows before it), size -> the rows. Raises one of _NARROWABLE when fewer rows might be given.
Fetch = Callable[[int, int], Slice]


class IdOrdered:
    """Every row of a list sorted by id ascending, once, lazily, though rows come and go while it is read.

    Each question after the first begins with the last row already read. If that row is not there again, rows before
    it have vanished and later ones have moved up, so it goes back until it finds its place: nothing is skipped, not
    even when as many rows come as go and the total stays the same. A store that ignores `offset` is read by page
    numbers (`start` is then a multiple of `size`), and a page is read again when the total has dropped.

    `ask_known` asks the store for the row with this id, which it gave before (None: for anything), and raises when
    that fails: so broken rows side by side are told from a store that is not well.
    """

    def __init__(
        self,
        fetch: Fetch,
        ask_known: Callable[[int | None], object],
        *,
        size: int = 100,
        by_page: bool = False,
        slices: int = 50_000,
    ) -> None:
        self.total: int | None = None  # of the first answer: past the end WooCommerce says 0
        self.by_page = by_page
        self._fetch = fetch
        self._size = size
        self._slices_left = slices
        self._first_id: int | None = None
        self._last_total: int | None = None
        self._known: int | None = None
        self._broken = BrokenOrders(lambda: ask_known(self._known))

    @property
    def step(self) -> int:
        """How far apart pieces begin while nothing vanishes: each begins with the last row of the one before."""
        return self._size if self.by_page else self._size - 1

    def __iter__(self) -> Iterator[Row | Hole]:
        last = 0
        position = 0
        stuck_at: int | None = None
        holes: list[MonetError] = []
        while True:
            try:
                self._broken.check()
            except TooManyBroken:
                yield from (Hole(last, None, error) for error in holes)
                raise
            entries, start = self._next(position, last, bool(holes))
            ids = [row_id(entry) for entry in entries if not isinstance(entry, MonetError)]
            if ids != sorted(ids):
                raise NeedsOwner(
                    "The store does not give its orders in the order of their ids, so some could be missed.",
                    fix="A plugin of the shop changes how its REST API sorts orders; it must leave that alone.",
                )
            progress = False
            for entry in entries:
                if isinstance(entry, MonetError):
                    holes.append(entry)
                    progress = True
                    continue
                found = row_id(entry)
                if found <= last:
                    continue
                yield from (Hole(last, found, error) for error in holes)
                holes.clear()
                last = found
                progress = True
                yield entry
            position = start + len(entries)
            if len(entries) < self._size:
                yield from (Hole(last, None, error) for error in holes)
                return
            # After going back a whole piece may hold nothing new; twice at one place, or twice by page, is a circle.
            if not progress and stuck_at is not None and (self.by_page or start == stuck_at):
                if self.by_page:
                    raise _same_again(last)
                self.by_page = True
            stuck_at = None if progress else start

    def _next(self, position: int, last: int, after_hole: bool) -> tuple[list[Row | MonetError], int]:
        """The next entries and where they begin, with proof that no row between them and `last` is missing."""
        if position == 0:
            entries = self._read(0, self._size)
            self._first_id = next((row_id(entry) for entry in entries if not isinstance(entry, MonetError)), None)
            return entries, 0
        # A row that cannot be fetched cannot be recognised either, so after one there is no overlap.
        overlap = 0 if after_hole else 1
        while not self.by_page:
            start = max(0, position - overlap)
            entries = self._read(start, self._size)
            first = row_id(entries[0]) if entries and not isinstance(entries[0], MonetError) else None
            if start and first is not None and first == self._first_id and first < last:
                self.by_page = True  # it gave the beginning again: this store does not know `offset`
                break
            if start == 0 or not overlap or (first is not None and first <= last):
                return entries, start
            overlap *= 4
        return self._next_page(position // self._size * self._size)

    def _next_page(self, start: int) -> tuple[list[Row | MonetError], int]:
        before = self._last_total
        entries = self._read(start, self._size)
        while before is not None and entries and self._last_total is not None and self._last_total < before and start:
            before = self._last_total
            start -= self._size
            entries = self._read(start, self._size)
        return entries, start

    def _read(self, start: int, size: int) -> list[Row | MonetError]:
        """The rows, with an error in the place of each that cannot be fetched: found by asking for fewer at once."""
        self._slices_left -= 1
        if self._slices_left < 0:
            raise NeedsOwner(
                "The store's list of orders does not end.",
                fix="Choose a shorter period; if that does not help, a plugin of the shop breaks its API's paging.",
            )
        error: MonetError
        try:
            found = self._fetch(start, size)
        except _NARROWABLE as failure:
            error = failure
        else:
            if found.rows:
                self._broken.came()
                self._known = row_id(found.rows[-1])
                self.total = found.total if self.total is None else self.total
                self._last_total = found.total if size == self._size else self._last_total
            elif self.total is None:
                self.total = found.total
            return list(found.rows)
        if size == 1:
            self._broken.failed(f"the one after order {self._known}" if self._known else "the first", error)
            return [error]
        part = size // _smallest_factor(size)
        entries: list[Row | MonetError] = []
        for offset in range(0, size, part):
            piece = self._read(start + offset, part)
            entries += piece
            if len(piece) < part:
                break
        return entries


def row_id(row: Row) -> int:
    """A row's id. Raises RetryLater when it has none, because then nothing can be told apart."""
    found = row.get("id")
    if isinstance(found, int) and not isinstance(found, bool) and found > 0:
        return found
    if isinstance(found, str) and found.isascii() and found.isdigit() and int(found):
        return int(found)
    raise RetryLater(
        f"The store gave an order whose id is {found!r:.40}.",
        fix="If it happens again, a plugin of the shop changes the answers of its REST API.",
    )


def _smallest_factor(size: int) -> int:
    return next(factor for factor in range(2, size + 1) if size % factor == 0)


def _same_again(last: int) -> RetryLater:
    return RetryLater(
        f"The store gave the same page of orders again after order {last}.",
        fix="If it happens again, a cache in front of the shop must leave /wp-json/ alone.",
    )
