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
        assert silence(redis, now=now) == Silence(Part.WORKER, long_ago)
        worker = Worker(["default"], connection=redis)
        worker.register_birth()
        worker.set_state(WorkerStatus.IDLE)
        assert silence(redis, now=now) == Silence(Part.SCHEDULER, long_ago)
        PersistentScheduler(connection=redis, interval=5).register_birth()
        assert silence(redis, now=now) == Silence(Part.TICK, long_ago)
        worker.set_state(WorkerStatus.BUSY)  # then a tick waits for it, and nothing is wrong
        assert silence(redis, now=now) == Silence()
        worker.set_state(WorkerStatus.IDLE)
        redis.set(jobs.LAST_TICK, now.isoformat())
        assert silence(redis, now=now) == Silence()
