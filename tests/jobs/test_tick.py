"""The tick as RQ and rq-scheduler see it: one entry that is never lost, bells that are rung again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from redis import Redis
from rq import Queue, SimpleWorker
from rq.job import Job, JobStatus
from rq_scheduler import Scheduler
from sqlalchemy import update
from sqlalchemy.orm import Session

from monet_web import embedded, jobs, queues, scheduler
from monet_web.models import Integration, Run
from monet_web.models.base import reading, writing
from monet_web.models.runs import RunState
from monet_web.scheduler import PersistentScheduler, keep_tick
from tests.cli.conftest import Monet, books, home, monet, store

__all__ = ["books", "home", "monet", "store"]  # fixtures of the command line's tests

NOW = datetime(2026, 11, 24, 8, 0, 10, tzinfo=UTC)  # ten seconds after a slot


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with embedded.valkey(tmp_path_factory.mktemp("valkey")) as url:
        yield url


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    with queues.connect(redis_url) as client:
        client.flushall()
        yield client


@pytest.fixture
def clock(redis: Redis) -> PersistentScheduler:
    return PersistentScheduler("default", connection=redis, interval=1)


def entry(redis: Redis) -> float | None:
    """When the tick comes next."""
    return redis.zscore(Scheduler.scheduled_jobs_key, scheduler.TICK)


# --- the entry of rq-scheduler -----------------------------------------------------------------------------------


def test_the_tick_is_registered_once_and_an_overdue_one_stays_overdue(redis: Redis, clock: PersistentScheduler) -> None:
    assert keep_tick(clock)
    redis.zadd(Scheduler.scheduled_jobs_key, {scheduler.TICK: 12})
    assert not keep_tick(clock)
    assert entry(redis) == 12
    assert redis.zcard(Scheduler.scheduled_jobs_key) == 1


@pytest.mark.parametrize("lost", ["entry", "job", "everything"])
def test_a_tick_that_redis_has_forgotten_is_registered_again_by_the_next_sign_of_life(
    redis: Redis, clock: PersistentScheduler, lost: str
) -> None:
    keep_tick(clock)
    match lost:
        case "entry":
            redis.zrem(Scheduler.scheduled_jobs_key, scheduler.TICK)
        case "job":
            redis.delete(f"rq:job:{scheduler.TICK}")
        case _:
            redis.flushall()
    clock.heartbeat()
    assert entry(redis) is not None
    assert Job.fetch(scheduler.TICK, connection=redis).func_name == "monet_web.jobs.tick"


def test_a_tick_of_another_version_is_changed(
    redis: Redis, clock: PersistentScheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_tick(clock)
    monkeypatch.setattr(scheduler, "SECONDS_BETWEEN_TICKS", 60)
    assert keep_tick(clock)
    assert Job.fetch(scheduler.TICK, connection=redis).meta["interval"] == 60


def test_the_entry_is_there_while_the_job_is_put_into_its_queue(
    redis: Redis, clock: PersistentScheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_tick(clock)

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Queue, "enqueue_job", killed)
    with pytest.raises(KeyboardInterrupt):
        clock.enqueue_jobs()
    moment = entry(redis)
    assert moment is not None
    assert moment > time.time() + 20


def test_ticks_that_nobody_takes_do_not_heap_up(redis: Redis, clock: PersistentScheduler) -> None:
    keep_tick(clock)
    for _ in range(5):
        redis.zadd(Scheduler.scheduled_jobs_key, {scheduler.TICK: 12})
        clock.enqueue_jobs()
    assert Queue(queues.TIMETABLE, connection=redis).job_ids == [scheduler.TICK]


# --- the tick ------------------------------------------------------------------------------------------------------


@pytest.fixture
def due(monet: Monet, books: Session, redis: Redis, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """Kava's integration, with a slot that was due ten seconds ago."""
    monkeypatch.setenv("REDIS_URL", redis_url)
    monet(
        "integrations", "add", "Kava", "--platform", "scripted", "--set", "address=kava", "--set", "frequency=minutes"
    )
    monkeypatch.setattr(jobs, "now_utc", lambda: NOW)
    with writing(books):
        books.execute(update(Integration).values(next_run_at=NOW - timedelta(seconds=10)))
    return 1


def the_run(books: Session) -> Run:
    with reading(books):
        return books.get_one(Run, 1, populate_existing=True)


def test_the_entry_of_the_scheduler_opens_runs_and_workers_work_them(
    due: int, books: Session, redis: Redis, clock: PersistentScheduler
) -> None:
    keep_tick(clock)
    clock.enqueue_jobs()
    SimpleWorker([Queue(name, connection=redis) for name in queues.QUEUES], connection=redis).work(burst=True)
    run = the_run(books)
    assert (run.state, run.integration_id) == (RunState.DONE, due)
    assert jobs.last_tick(redis) == NOW
    # The job's own row is still there for the next time.
    assert Job.exists(scheduler.TICK, connection=redis)


def test_a_ticker_opens_runs_and_imports_none(
    due: int, books: Session, redis: Redis, clock: PersistentScheduler
) -> None:
    keep_tick(clock)
    clock.enqueue_jobs()
    SimpleWorker([Queue(queues.TIMETABLE, connection=redis)], connection=redis).work(burst=True)
    assert (the_run(books).state, the_run(books).attempt) == (RunState.QUEUED, 0)
    assert Queue("default", connection=redis).job_ids == ["run-1-0"]
    assert jobs.last_tick(redis) == NOW


def test_a_lost_bell_is_rung_again(due: int, redis: Redis) -> None:
    queue = Queue("default", connection=redis)
    jobs.tick()
    assert queue.job_ids == ["run-1-0"]
    jobs.tick()
    assert queue.job_ids == ["run-1-0"]
    redis.flushall()
    jobs.tick()
    assert queue.job_ids == ["run-1-0"]


@pytest.mark.parametrize(
    ("status", "rung"),
    [(JobStatus.FAILED, "run-1-0"), (JobStatus.STARTED, "run-1-0-2"), (JobStatus.QUEUED, "run-1-0-2")],
)
def test_a_job_that_was_taken_and_never_claimed_its_run_does_not_silence_the_bell(
    due: int, redis: Redis, status: JobStatus, rung: str
) -> None:
    queue = Queue("default", connection=redis)
    jobs.tick()
    redis.delete(queue.key)  # a worker has taken it, and was killed
    Job.fetch("run-1-0", connection=redis).set_status(status)
    jobs.tick()
    assert queue.job_ids == [rung]


def test_a_job_of_a_killed_worker_leaves_the_registry_of_started_ones(due: int, redis: Redis) -> None:
    queue = Queue("default", connection=redis)
    jobs.tick()
    redis.delete(queue.key)
    redis.zadd(queue.started_job_registry.key, {"run-1-0:gone": time.time() - 1})
    jobs.tick()
    assert redis.zcard(queue.started_job_registry.key) == 0
    assert queue.job_ids == ["run-1-0"]


def test_a_tick_without_a_database_is_logged_and_raises_nothing(
    redis_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("REDIS_URL", redis_url)
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    monkeypatch.setenv("SECRET_KEY", "a-key-of-tests-that-signs-nothing-real")
    monkeypatch.setenv("MONET_ENCRYPTION_KEYS", "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=")
    jobs.tick()
    assert "a tick failed" in caplog.text


def test_what_waited_for_a_run_is_rung_when_that_ends(due: int, books: Session, redis: Redis) -> None:
    jobs.tick()
    with writing(books):
        waits = Run(
            integration_id=due, kind="launch", state=RunState.QUEUED, created_at=NOW,
            window_start=NOW - timedelta(days=1), window_end=NOW,
        )  # fmt: skip
        books.add(waits)
    redis.flushall()
    jobs.run_import(1)
    assert Queue("default", connection=redis).job_ids == ["run-2-0"]
