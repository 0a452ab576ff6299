"""A short memory of who asks again and again: all of them are looked up together, in one query, not one by one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Generic, TypeVar

Known = TypeVar("Known")

_SECONDS_AFTER_LAST = 15.0  # pages ask at least every five seconds; whoever did not has left


class Remembered(Generic[Known]):
    """Things by their key, at most `seconds` old. `look_up` gives those of some keys that exist.

    What is asked for the first time is looked up at once, alone; what is remembered is looked up again with all the
    others. Threads share it.
    """

    def __init__(self, look_up: Callable[[Sequence[str]], Mapping[str, Known]]) -> None:
        self._look_up = look_up
        self._lock = threading.Lock()
        self._known: dict[str, Known | None] = {}
        self._asked_at: dict[str, float] = {}
        self._read_at = 0.0

    def get(self, key: str, *, seconds: float) -> Known | None:
        """What has this key; None when nothing has. Opens a transaction when it must look."""
        with self._lock:
            now = time.monotonic()
            self._asked_at[key] = now
            if now - self._read_at >= seconds:
                self._read_again(now)
            elif key not in self._known:
                self._known[key] = self._look_up([key]).get(key)
            return self._known[key]

    def _read_again(self, now: float) -> None:
        self._asked_at = {key: at for key, at in self._asked_at.items() if now - at < _SECONDS_AFTER_LAST}
        found = self._look_up(list(self._asked_at))
        self._known = {key: found.get(key) for key in self._asked_at}
        self._read_at = now
