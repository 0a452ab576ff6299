"""The pace of a run towards its store, shared by all who ask at once: how many, how soon, what waiting cost."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

WIDEST = 4  # questions at once: what an ordinary host's PHP workers bear beside its buyers


@dataclass(slots=True)
class Pace:
    """Counts of one run, and the moment before which nobody asks. `clock` gives seconds, as time.monotonic does."""

    width: int = WIDEST
    waited: float = 0.0
    retries: int = 0
    requests: int = 0
    free_at: float = 0.0  # by `clock`: the store has asked everybody to stay away until then
    clock: Callable[[], float] = time.monotonic
    ended: threading.Event = field(default_factory=threading.Event)  # whoever asks beside the run's own thread ends too
    _asking: int = 0
    _turn: threading.Condition = field(default_factory=threading.Condition)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """One question on its way; waits while as many are as may be."""
        with self._turn:
            while self._asking >= self.width and not self.ended.is_set():
                self._turn.wait(0.5)
            self._asking += 1
            self.requests += 1
        try:
            yield
        finally:
            with self._turn:
                self._asking -= 1
                self._turn.notify()

    def slow_down(self, seconds: float) -> None:
        """The store says that it is busy: nobody asks for so long, and from now on one at a time."""
        with self._turn:
            self.width = 1
            self.free_at = max(self.free_at, self.clock() + seconds)

    def count_wait(self, seconds: float) -> None:
        """One more retry and what is waited for it."""
        with self._turn:
            self.waited += seconds
            self.retries += 1
