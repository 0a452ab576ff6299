"""Workers and schedulers of the tests of the timetable: the product's own, on a clock that runs fast.

Children are forked from multiprocessing's forkserver and are sessions of their own, so that kill -9 of a worker takes
its work horse along, as the end of a machine does.
"""

from __future__ import annotations

import logging
import os
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

from rq import Worker

from monet_web import jobs, queues, scheduler
from monet_web.connectors import CONNECTORS
from monet_web.connectors.base import Page, Selection, Surroundings
from monet_web.domain.errors import RetryLater
from monet_web.domain.orders import Order, Unreadable
from monet_web.services.importing import claims
from tests.builders import an_order
from tests.databases import TEST_KEY
from tests.services.scripted import ScriptedStore


@dataclass(frozen=True, slots=True)
class FastClock:
    """Shows `base` at the moment `begun` (of time.time) and runs `speed` times as fast; the same in every process."""

    base: datetime
    begun: float
    speed: float

    def __call__(self) -> datetime:
        return self.base + timedelta(seconds=(time.time() - self.begun) * self.speed)


@dataclass(frozen=True, slots=True)
class Surround:
    """What every process is told. `failing`: how often, of all pages asked for, the store does not answer."""

    database_url: str
    redis_url: str
    clock: FastClock
    failing: float


class Timeline(ScriptedStore):
    """A store with an order every three hours for ever, as far as the clock has come. Nothing is kept in memory."""

    kind = "timeline"
    EVERY: ClassVar[timedelta] = timedelta(hours=3)
    around: ClassVar[Surround]

    def __init__(self, values: Mapping[str, str], surroundings: Surroundings) -> None:
        super().__init__(values, surroundings)
        self._prefix = values["address"]

    def pages(self, selection: Selection) -> Iterator[Page]:
        if random.random() < self.around.failing:
            raise RetryLater("The store does not answer.")
        window = selection.window
        placed = [n for n in range(self._come_so_far()) if window.holds(self.around.clock.base + n * self.EVERY)]
        yield Page(tuple({"n": n, "of": self._prefix} for n in placed), expected=len(placed))

    def by_ids(self, external_ids: Sequence[str]) -> Iterator[Page]:
        yield Page(tuple({"n": int(each), "of": self._prefix} for each in external_ids))

    @classmethod
    def read(cls, order: Mapping[str, Any], context: Mapping[str, Any]) -> Order | Unreadable:
        placed = cls.around.clock.base + order["n"] * cls.EVERY
        number = f"{order['of']}{order['n']}"
        return an_order(
            external_id=str(order["n"]), number=number, placed_at=placed, changed_at=placed, paid_at=placed
        )  # fmt: skip

    def _come_so_far(self) -> int:
        return int((self.around.clock() - self.around.clock.base) / self.EVERY) + 1


def work(around: Surround) -> None:
    """A worker until it is ended."""
    _prepare(around)
    Worker(
        list(queues.QUEUES), connection=queues.connect(around.redis_url), worker_ttl=30, maintenance_interval=5
    ).work(logging_level="ERROR")


def look(around: Surround) -> None:
    """A ticker until it is ended: it opens runs and imports none."""
    _prepare(around)
    Worker([queues.TIMETABLE], connection=queues.connect(around.redis_url), worker_ttl=30, maintenance_interval=5).work(
        logging_level="ERROR"
    )


def schedule(around: Surround) -> None:
    """A scheduler until it is ended."""
    _prepare(around)
    vars(scheduler)["SECONDS_BETWEEN_TICKS"] = 1
    scheduler.PersistentScheduler("default", connection=queues.connect(around.redis_url), interval=1).run()


def _prepare(around: Surround) -> None:
    os.setsid()
    random.seed()
    os.environ.update(
        DATABASE_URL=around.database_url,
        REDIS_URL=around.redis_url,
        SECRET_KEY="a-key-of-tests-that-signs-nothing-real",
        MONET_ENCRYPTION_KEYS=TEST_KEY,
    )
    Timeline.around = around
    CONNECTORS[Timeline.kind] = Timeline
    vars(jobs)["now_utc"] = around.clock
    # Real times, so that two minutes of a clock on the wall are two seconds here.
    vars(claims)["HEARTBEAT"] = timedelta(seconds=0.25)
    vars(claims)["SILENT_FOR"] = timedelta(seconds=2 * around.clock.speed)
    logging.disable(logging.ERROR)  # a killed neighbour and a Redis that is away are what these tests are about
