"""The pace of a run towards its store, shared by all who ask at once: how many, how soon, what waiting cost."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

WIDEST = 4  # questions at once: what an ordinary host's PHP workers bear beside its buyers


LONGEST_GAP = 60.0  # seconds between two questions that a refusal may lead to


@dataclass(slots=True)
class Pace:
    """Counts of one run, and the moment before which nobody asks. `clock` gives seconds, as time.monotonic does.

    A store that says 429 has told its pace: so many questions went well since it last refused one, in the time until
    this refusal and until it wants to be asked again. From then on no two questions are closer than that.
    """

    width: int = WIDEST
    waited: float = 0.0
    retries: int = 0
    requests: int = 0
    free_at: float = 0.0  # by `clock`: the store has asked everybody to stay away until then
    clock: Callable[[], float] = time.monotonic
    ended: threading.Event = field(default_factory=threading.Event)  # whoever asks beside the run's own thread ends too
    gap: float = 0.0  # seconds between the beginnings of two questions
    _asking: int = 0
    _last: float | None = None  # when the last question began
    _first: float | None = None  # when the first one began since the last refusal
    _well: int = 0  # how many went well since then
    _refused_at: float | None = None
    _turn: threading.Condition = field(default_factory=threading.Condition)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """One question on its way; waits while as many are as may be."""
        with self._turn:
            while self._asking >= self.width and not self.ended.is_set():
                self._turn.wait(0.5)
            self._asking += 1
        try:
            yield
        finally:
            with self._turn:
                self._asking -= 1
                self._turn.notify()

    def until_next(self) -> float:
        """Seconds until the next question may begin, by the gap alone. Asked by whoever has the turn."""
        return 0.0 if self._last is None else max(0.0, self._last + self.gap - self.clock())

    def begins(self) -> float:
        """A question begins now; the moment."""
        with self._turn:
            now = self.clock()
            self.requests += 1
            self._last = now
            self._first = now if self._first is None else self._first
            return now

    def went_well(self) -> None:
        """The store answered, whatever it said."""
        with self._turn:
            self._well += 1

    def slow_down(self, seconds: float) -> None:
        """The store says that it is busy: nobody asks for so long, and from now on one at a time."""
        with self._turn:
            self.width = 1
            self.free_at = max(self.free_at, self.clock() + seconds)

    def refused(self, began: float, seconds: float) -> None:
        """The question that began then was one too many: the store wants to be asked again in `seconds`."""
        with self._turn:
            if self._refused_at is not None and began <= self._refused_at:
                return  # it was on its way when another one was refused
            now = self.clock()
            if self._well:
                took = now - (began if self._first is None else self._first) + seconds
                self.gap = min(max(self.gap, took / self._well), LONGEST_GAP)
            self._refused_at, self._first, self._well = now, None, 0

    def count_wait(self, seconds: float) -> None:
        """One more retry and what is waited for it."""
        with self._turn:
            self.waited += seconds
            self.retries += 1
