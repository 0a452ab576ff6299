"""What of the machinery is silent, and since when: why nothing is imported by itself (B9)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from redis import Redis
from rq_scheduler import Scheduler

from monet_web import jobs
from monet_web.blueprints.health.views import WORKER_SILENCE, beats, scheduler_sign

# Six ticks. A ticker may be busy with the test of a connection for 25 s, never for so long.
TICK_SILENCE = timedelta(minutes=3)


class Part(StrEnum):
    """The part that is silent."""

    NONE = ""
    UNSET = "unset"  # nobody said where Redis is
    REDIS = "redis"
    WORKER = "worker"  # nobody imports
    SCHEDULER = "scheduler"
    TICKER = "ticker"  # nobody has time to look at the timetable
    TICK = "tick"  # all parts live, and yet nobody looks at the timetable


@dataclass(frozen=True, slots=True)
class Silence:
    """`since`: its last sign of life, None when nobody knows of one."""

    part: Part = Part.NONE
    since: datetime | None = None


def silence(redis: Redis, *, now: datetime) -> Silence:
    """The first part that is silent. Raises RedisError."""
    ticked = jobs.last_tick(redis)
    workers = beats(redis, of_ticker=False)
    if not any(now - beat <= WORKER_SILENCE for beat in workers):
        return Silence(Part.WORKER, max(workers, default=None))
    if not scheduler_sign(redis).lives:
        return Silence(Part.SCHEDULER, ticked)
    # One that never succeeded is silent as long as a scheduler has been sending it.
    heard = ticked if ticked is not None else _scheduling_since(redis)
    if heard is not None and now - heard > TICK_SILENCE:
        # A worker that has nothing else to do looks at the timetable too, so a missing ticker alone stops nothing.
        tickers = beats(redis, of_ticker=True)
        has_ticker = any(now - beat <= WORKER_SILENCE for beat in tickers)
        return Silence(Part.TICK if has_ticker else Part.TICKER, ticked)
    return Silence()


def _scheduling_since(redis: Redis) -> datetime | None:
    """When the oldest scheduler that lives began; None when none says so."""
    births = []
    for key in redis.scan_iter(match=f"{Scheduler.redis_scheduler_namespace_prefix}*", count=1000):
        birth = redis.hget(key, "birth")
        if isinstance(birth, bytes) and not redis.hexists(key, "death"):
            births.append(datetime.fromtimestamp(float(birth), UTC))
    return min(births, default=None)
