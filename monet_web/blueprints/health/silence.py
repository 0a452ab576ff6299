"""What of the machinery is silent, and since when: why nothing is imported by itself (B9)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from redis import Redis
from rq import Worker
from rq.worker import WorkerStatus

from monet_web import jobs
from monet_web.blueprints.health.views import WORKER_SILENCE, scheduler_sign

# Six ticks. A tick needs a worker: while every worker is busy it waits, and so does what it would begin.
TICK_SILENCE = timedelta(minutes=3)


class Part(StrEnum):
    """The part that is silent."""

    NONE = ""
    UNSET = "unset"  # nobody said where Redis is
    REDIS = "redis"
    WORKER = "worker"
    SCHEDULER = "scheduler"
    TICK = "tick"  # all parts live, and yet nobody looks at the timetable


@dataclass(frozen=True, slots=True)
class Silence:
    """`since`: its last sign of life, None when nobody knows of one."""

    part: Part = Part.NONE
    since: datetime | None = None


def silence(redis: Redis, *, now: datetime) -> Silence:
    """The first part that is silent. Raises RedisError."""
    ticked = jobs.last_tick(redis)
    beats = [
        (worker.last_heartbeat, worker) for worker in Worker.all(connection=redis) if worker.last_heartbeat is not None
    ]
    living = [worker for beat, worker in beats if now - beat <= WORKER_SILENCE]
    if not living:
        # A tick is worked by a worker, so the last one is a sign of life too.
        known = [beat for beat, _ in beats] + ([ticked] if ticked is not None else [])
        return Silence(Part.WORKER, max(known, default=None))
    if not scheduler_sign(redis).lives:
        return Silence(Part.SCHEDULER, ticked)
    somebody_is_idle = any(worker.get_state() == WorkerStatus.IDLE for worker in living)
    if ticked is not None and now - ticked > TICK_SILENCE and somebody_is_idle:
        return Silence(Part.TICK, ticked)
    return Silence()
