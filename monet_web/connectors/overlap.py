"""Questions that overlap: a few are on their way to the store while earlier answers are worked on.

Where a store takes 200 ms a page, the network is the limit, and four pages at once are four times as fast. The answers
are taken in the order of the questions, so that nothing else changes.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from queue import SimpleQueue
from typing import Generic, Protocol, TypeVar

from monet_web.connectors.pace import WIDEST
from monet_web.connectors.paging import Slice

_LOOK_AGAIN = 0.25  # seconds between two looks whether the run was told to stop

Answered = TypeVar("Answered")


class Asker(Protocol):
    """Somebody who asks a store from one thread, and can be doubled for another."""

    def twin(self) -> Asker:
        """Another of the same, with a connection of its own and the pace in common."""

    def check_stop(self) -> None:
        """Raises Stopped when the run was told to stop. Only in the run's own thread."""

    def close(self) -> None:
        """End the connections."""


Who = TypeVar("Who", bound=Asker)


class Overlap(Generic[Who]):
    """Asks through twins of one asker, each in a thread of its own. Made when first needed; `close()` ends them."""

    def __init__(self, asker: Who, *, width: int = WIDEST) -> None:
        self.width = width
        self._asker = asker
        self._pool: ThreadPoolExecutor | None = None
        self._idle: SimpleQueue[Who] = SimpleQueue()
        self._twins: list[Who] = []

    def begin(self, question: Callable[[Who], Answered]) -> Future[Answered]:
        """Put a question on its way; `answer` gives what comes of it."""
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self.width, thread_name_prefix="store")
            for _ in range(self.width):
                twin = self._asker.twin()
                self._twins.append(twin)  # type: ignore[arg-type]  # a twin is what its asker is
                self._idle.put(twin)  # type: ignore[arg-type]
        return self._pool.submit(self._ask, question)

    def answer(self, begun: Future[Answered]) -> Answered:
        """The answer, waited for. Raises what asking raised, and Stopped when the run was told to stop."""
        while True:
            try:
                return begun.result(_LOOK_AGAIN)
            except NotYet:
                if begun.done():
                    raise
            self._asker.check_stop()

    def each(self, questions: Iterable[Callable[[Who], Answered]]) -> Iterator[Answered]:
        """The answers of several questions in their order, all on their way at once."""
        begun = [self.begin(question) for question in questions]
        for one in begun:
            yield self.answer(one)

    def close(self) -> None:
        """End the threads; what is on its way is not waited for longer than one answer takes."""
        if self._pool is None:
            return
        self._pool.shutdown(wait=False, cancel_futures=True)
        for twin in self._twins:
            twin.close()
        self._pool = None

    def _ask(self, question: Callable[[Who], Answered]) -> Answered:
        twin = self._idle.get()
        try:
            return question(twin)
        finally:
            self._idle.put(twin)


class Ahead(Generic[Who]):
    """A list's `fetch` that has the next pieces on their way before they are asked for.

    The first two pieces are asked for alone, and a reader that stops there has cost nothing more. `step`: how far
    apart the pieces begin. A piece that was fetched earlier than its turn is as good as one fetched then: whoever
    reads the list proves for each that no row between it and the last is missing. Another start than expected (the
    list has moved, a smaller piece is tried) forgets what was begun.
    """

    def __init__(
        self, overlap: Overlap[Who], fetch: Callable[[Who, int, int], Slice], first: Callable[[int, int], Slice]
    ) -> None:
        self._overlap = overlap
        self._fetch = fetch
        self._first = first
        self._begun: OrderedDict[tuple[int, int], Future[Slice]] = OrderedDict()
        self._total: int | None = None
        self._in_turn = 0
        self._was_full = False
        self._last = -1

    def __call__(self, start: int, size: int, step: int) -> Slice:
        """The piece, and the following ones begun. Raises what asking raised."""
        begun = self._begun.pop((start, size), None)
        if begun is None:
            self.forget()
            if self._in_turn > 1 and self._was_full and start > self._last:
                self._begin(start + step, size, step)  # the third piece is not alone any more
            found = self._first(start, size)
        else:
            self._begin(start + step, size, step)
            found = self._overlap.answer(begun)
        self._in_turn = self._in_turn + 1 if start > self._last else 0
        self._last = start
        if found.rows:
            self._total = found.total
        self._was_full = len(found.rows) == size
        if self._in_turn > 2 and self._was_full:
            self._begin(start + step, size, step)
        return found

    def forget(self) -> None:
        """Whatever was begun is of no use any more."""
        for one in self._begun.values():
            one.cancel()
        self._begun.clear()

    def _begin(self, start: int, size: int, step: int) -> None:
        for number in range(self._overlap.width - 1):
            at = start + number * step
            if self._total is None or at >= self._total:
                return
            if (at, size) not in self._begun:
                self._begun[at, size] = self._overlap.begin(lambda who, at=at: self._fetch(who, at, size))  # type: ignore[misc]
