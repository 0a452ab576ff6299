"""What is silent, and since when: asked of a real Redis."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from rq import Worker
from rq.worker import WorkerStatus

from monet_web import embedded, jobs, queues
from monet_web.blueprints.health.silence import Part, Silence, silence
from monet_web.models.base import now_utc
from monet_web.scheduler import PersistentScheduler


def test_the_first_part_that_is_silent_is_named_with_its_last_sign_of_life(tmp_path: Path) -> None:
    now = now_utc()
    long_ago = now - timedelta(minutes=40)
    with embedded.valkey(tmp_path) as url, queues.connect(url) as redis:
        assert silence(redis, now=now) == Silence(Part.WORKER, None)
        redis.set(jobs.LAST_TICK, long_ago.isoformat())
        assert silence(redis, now=now) == Silence(Part.WORKER, None)
        worker = Worker(["default"], connection=redis)
        worker.register_birth()
        worker.set_state(WorkerStatus.BUSY)
        assert silence(redis, now=now) == Silence(Part.SCHEDULER, long_ago)
        PersistentScheduler(connection=redis, interval=5).register_birth()
        assert silence(redis, now=now) == Silence(Part.TICKER, long_ago)
        ticker = Worker([queues.TIMETABLE], connection=redis)
        ticker.register_birth()
        assert silence(redis, now=now) == Silence(Part.TICK, long_ago)
        redis.set(jobs.LAST_TICK, now.isoformat())
        assert silence(redis, now=now) == Silence()
        # An idle worker looks at the timetable too.
        redis.hset(ticker.key, "last_heartbeat", "2020-01-01T00:00:00.000000Z")
        assert silence(redis, now=now) == Silence()
        # A ticker imports nothing.
        ticker.heartbeat()
        redis.hset(worker.key, "last_heartbeat", long_ago.strftime("%Y-%m-%dT%H:%M:%S.%fZ"))
        assert silence(redis, now=now) == Silence(Part.WORKER, long_ago)


def test_a_tick_that_never_succeeded_is_silent_once_there_was_time_for_six(tmp_path: Path) -> None:
    now = now_utc()
    with embedded.valkey(tmp_path) as url, queues.connect(url) as redis:
        for names in (["default"], [queues.TIMETABLE]):
            Worker(names, connection=redis).register_birth()
        scheduler = PersistentScheduler(connection=redis, interval=5)
        scheduler.register_birth()
        assert silence(redis, now=now + timedelta(minutes=1)) == Silence()
        redis.hset(scheduler.key, "birth", (now - timedelta(minutes=4)).timestamp())
        assert silence(redis, now=now) == Silence(Part.TICK, None)
