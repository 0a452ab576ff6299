"""Events of runs: what a worker appends to a run's Redis Stream after each page, and how whoever watches reads it.

A stream is a bell and a log, never the truth: it is capped, it expires, and a Redis that is down stops no import.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, Self

from redis import Redis
from redis.exceptions import RedisError

from monet_web import queues
from monet_web.models.base import now_utc
from monet_web.models.runs import Run, RunState
from monet_web.services.importing.prepare import Prepared
from monet_web.services.running.progress import Line, lines_of_page

log = logging.getLogger(__name__)

MOST_EVENTS = 300  # of one run; older ones are forgotten
SECONDS_KEPT = 24 * 60 * 60

_ANSWER_SECONDS = 1.0
_SECONDS_WITHOUT = 10.0  # after a Redis that did not answer: a page of orders waits for it once, not each time
_FIELD = "event"


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of a run's stream: how far the row was when it was written, and what the log says."""

    id: str
    version: int
    lines: tuple[Line, ...]


def stream_of(run_id: int) -> str:
    """The key of a run's stream."""
    return f"run:{run_id}:events"


class Teller:
    """Tells of one run at a time from the program that works it; its methods are `watch` and `booked` of the service.

    Nothing it does raises: an import goes on whatever becomes of its log.
    """

    def __init__(self, redis_url: str | None, *, clock: Callable[[], datetime] = now_utc) -> None:
        self._redis = None if redis_url is None else queues.connect(redis_url, seconds=_ANSWER_SECONDS)
        self._clock = clock
        self._silent_until = 0.0
        self._state: RunState | None = None
        self._expected: int | None = None
        self._pages = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._redis is not None:
            self._redis.close()

    def watch(self, run: Run) -> None:
        """Tell when the run was taken up, when the store said how many there are, when it ended."""
        before, self._state = self._state, run.state
        lines = []
        if run.state is RunState.RUNNING and before is not RunState.RUNNING:
            lines.append(Line(self._clock(), "taken", {"attempt": run.attempt}))
        # Before the first page it is what an earlier attempt was told.
        if run.fetched and run.expected is not None and run.expected != self._expected:
            self._expected = run.expected
            lines.append(Line(self._clock(), "expected", {"orders": run.expected}))
        if lines or run.state is not before:
            self._tell(run, lambda: lines)

    def booked(self, run: Run, prepared: Sequence[Prepared]) -> None:
        """Tell of a page that was booked."""
        self._pages += 1
        self._tell(run, lambda: lines_of_page(self._pages, prepared, at=self._clock()))

    def _tell(self, run: Run, lines: Callable[[], Sequence[Line]]) -> None:
        if self._redis is None or time.monotonic() < self._silent_until:
            return
        try:
            tell(self._redis, run, lines())
        except RedisError:
            log.warning("Redis does not answer: the log of the run has a gap", extra={"run": run.id})
            self._silent_until = time.monotonic() + _SECONDS_WITHOUT
        except Exception:  # no log is worth an import
            log.exception("the log of a run could not be written", extra={"run": run.id})


def tell(redis: Redis, run: Run, lines: Iterable[Line] = ()) -> None:
    """Append one event. Raises RedisError."""
    said = {"version": run.progress_version, "lines": [line.as_json() for line in lines]}
    key = stream_of(run.id)
    with redis.pipeline(transaction=False) as pipe:
        pipe.xadd(key, {_FIELD: json.dumps(said, default=str)}, maxlen=MOST_EVENTS, approximate=True)
        pipe.expire(key, SECONDS_KEPT)
        pipe.execute()


def newest(redis: Redis, run_ids: Sequence[int], *, count: int) -> dict[int, list[Event]]:
    """The newest events of runs, the oldest of them first, in one round trip. Raises RedisError."""
    with redis.pipeline(transaction=False) as pipe:
        for run_id in run_ids:
            pipe.xrevrange(stream_of(run_id), count=count)
        answers = pipe.execute()
    return {run_id: _events(reversed(answer)) for run_id, answer in zip(run_ids, answers, strict=True)}


def _events(entries: Iterable[Any]) -> list[Event]:
    return [_event(_text(entry_id), fields) for entry_id, fields in entries]


def _event(entry_id: str, fields: Mapping[Any, Any]) -> Event:
    """An entry that this program did not write, or an earlier version of it, is a bell without a line."""
    values = {_text(name): _text(value) for name, value in fields.items()}
    try:
        said = json.loads(values[_FIELD])
        return Event(entry_id, int(said["version"]), tuple(Line.from_json(line) for line in said["lines"]))
    except (KeyError, TypeError, ValueError):
        return Event(entry_id, 0, ())


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
