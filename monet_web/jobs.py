"""What workers do: ids in, one service called. The row is the order to work, the queue only the bell."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, NamedTuple

from redis import Redis
from redis.exceptions import RedisError
from rq import Queue
from rq.exceptions import DuplicateJobError, NoSuchJobError
from rq.job import Job, JobStatus
from rq.registry import StartedJobRegistry

from monet_web import events, notifying, queues
from monet_web.config import Config
from monet_web.installation import opened
from monet_web.models.base import now_utc, reading
from monet_web.models.bundles import Bundle
from monet_web.models.errands import Errand
from monet_web.models.runs import Run
from monet_web.services.books import vies
from monet_web.services.documents import confirm, errands
from monet_web.services.documents.exports import bundles
from monet_web.services.importing import claims
from monet_web.services.integrations import connection_test
from monet_web.services.opening import timetable
from monet_web.services.running import run_import as service

log = logging.getLogger(__name__)

# No run takes a day; a worker that is killed is noticed by its heartbeat long before.
LONGEST_SECONDS = 24 * 60 * 60
# A test takes 20 s at most; a store that holds it longer is cut off.
LONGEST_TEST_SECONDS = 25
# Twenty questions of twelve seconds, and what waited is checked again.
LONGEST_VIES_SECONDS = 15 * 60
# A failed job keeps its id taken, and the same run could not be rung for so long.
REMEMBER_FAILURE_SECONDS = 60
MOST_BELLS = 3  # for one attempt of a run
LAST_TICK = "monet:last-tick"


def run_import(run_id: int) -> None:
    """Work one queued run to its end. One that waits for another of its integration stays queued for the next ring."""
    config = Config.from_environment(os.environ)
    with opened(config) as installation, events.Teller(config.redis_url) as teller:
        ended = service.run(
            installation.session_factory,
            run_id,
            surroundings=installation.surroundings,
            clock=now_utc,
            worker=claims.this_process(),
            watch=teller.watch,
            booked=teller.booked,
        )
        teller.watch(ended)
        # What waited for this one begins at once, not at the next tick.
        session = installation.session_factory()
        with reading(session):
            waiting = timetable.to_ring(session, now=now_utc())
        session.close()
        ring(waiting, config.redis_url)


def tick() -> None:
    """Every 30 s: due slots become runs, lost bells are rung again, runs of dead workers go back to the queue.

    Never raises: what fails is logged, and the next tick looks again.
    """
    config = Config.from_environment(os.environ)
    try:
        _tick(config, now=now_utc())
    except Exception:  # whatever it is, the entry of the scheduler must not end as a failed job
        log.exception("a tick failed")
    notifying.tell(config, now=now_utc())


def _tick(config: Config, *, now: datetime) -> None:
    with opened(config) as installation:
        done = timetable.tick(installation.session_factory, now=now)
        session = installation.session_factory()
        lost_errands = errands.to_ring(session, now=now)
        lost_bundles = bundles.to_ring(session, now=now)
        with reading(session):
            unconfirmed = vies.to_ask(session, now=now)
        session.close()
    if done.opened or done.joined or done.taken_back:
        log.info(
            "tick", extra={"opened": done.opened, "joined": done.joined, "taken_back": done.taken_back}
        )  # fmt: skip
    if config.redis_url is None:
        return
    with queues.connect(config.redis_url) as redis:
        for name in queues.QUEUES:
            # A job whose worker was killed would keep the id of its run until RQ's own sweep.
            StartedJobRegistry(name, connection=redis).cleanup()
        redis.set(LAST_TICK, now.isoformat())
    ring(done.to_ring, config.redis_url)
    ring_errands(lost_errands, config.redis_url)
    ring_bundles(lost_bundles, config.redis_url)
    if unconfirmed:
        ring_vies(unconfirmed, config.redis_url)


def last_tick(redis: Redis) -> datetime | None:
    """When a tick was done last; None when Redis knows of none. Raises RedisError."""
    found = redis.get(LAST_TICK)
    return datetime.fromisoformat(found.decode()) if isinstance(found, bytes) else None


def work_errand(errand_id: int) -> None:
    """Check many waiting invoices again; whoever asked follows it on a page."""
    with opened(Config.from_environment(os.environ)) as installation:
        errands.work(installation.session_factory, errand_id, clock=now_utc, worker=claims.this_process())


def ring_errands(waiting: Iterable[Errand], redis_url: str | None) -> bool:
    """Tell the workers of errands whose rows are committed. False when there is no Redis or it does not answer."""
    calls = [_Call(f"errand-{errand.id}-{errand.attempt}", (errand.id,)) for errand in waiting]
    return _rung("urgent", "work_errand", calls, redis_url)


def draw_bundle(bundle_id: int) -> None:
    """Draw many documents as one file; whoever asked follows it on a page."""
    with opened(Config.from_environment(os.environ)) as installation:
        bundles.work(installation.session_factory, bundle_id, clock=now_utc, worker=claims.this_process())


def ring_bundles(waiting: Iterable[Bundle], redis_url: str | None) -> bool:
    """Tell the workers of bundles whose rows are committed. False when there is no Redis or it does not answer."""
    calls = [_Call(f"bundle-{bundle.id}-{bundle.attempt}", (bundle.id,)) for bundle in waiting]
    return _rung("urgent", "draw_bundle", calls, redis_url)


def ask_vies(codes: list[str], actor: str) -> None:
    """Ask VIES of VAT codes that invoices wait for."""
    with opened(Config.from_environment(os.environ)) as installation:
        confirm.ask_waiting(
            installation.session_factory, codes, surroundings=installation.surroundings, clock=now_utc, actor=actor
        )


def ring_vies(codes: Sequence[str], redis_url: str | None, actor: str = confirm.ACTOR) -> bool:
    """Have VIES asked. False when there is no Redis or it does not answer."""
    # The program asks once at a time; a person's question does not wait for that.
    job_id = "vies" if actor == confirm.ACTOR else f"vies-{codes[0]}"
    call = _Call(job_id, (list(codes), actor))
    return _rung("urgent", "ask_vies", [call], redis_url, seconds=LONGEST_VIES_SECONDS)


def test_connection(test_id: int) -> None:
    """Ask the store of one test of a connection; somebody waits before the form for its answer."""
    with opened(Config.from_environment(os.environ)) as installation:
        connection_test.run(
            installation.session_factory, test_id, surroundings=installation.surroundings, clock=now_utc
        )


def ring_test(test_id: int, redis_url: str | None) -> bool:
    """Tell the workers of a test whose row is committed. False when there is no Redis or it does not answer."""
    call = _Call(f"connection-test-{test_id}", (test_id,))
    return _rung(queues.TIMETABLE, "test_connection", [call], redis_url, seconds=LONGEST_TEST_SECONDS)


def ring(runs: Iterable[Run], redis_url: str | None) -> bool:
    """Tell the workers of queued runs whose rows are committed.

    False when there is no Redis or it does not answer: nothing is lost, the next tick rings again.
    """
    if redis_url is None:
        return False
    try:
        with queues.connect(redis_url) as redis:
            queue = Queue("default", connection=redis)
            for run in runs:
                _ring_one(queue, run, redis)
    except RedisError:
        return False
    return True


def _ring_one(queue: Queue, run: Run, redis: Redis) -> None:
    """An id for each attempt: rung twice it is queued once.

    A worker that was killed between taking the job and claiming the run keeps that id for minutes; so a queued run
    whose job waits nowhere is rung beside it. If its worker lives after all, the second finds nothing to claim.
    """
    for bell in range(1, MOST_BELLS + 1):
        job_id = f"run-{run.id}-{run.attempt}" + ("" if bell == 1 else f"-{bell}")
        try:
            _enqueue(queue, "run_import", _Call(job_id, (run.id,)))
        except DuplicateJobError:
            if _waits(queue, job_id):
                return
            if not _is_forgotten(job_id, redis):
                continue
            with suppress(DuplicateJobError):
                _enqueue(queue, "run_import", _Call(job_id, (run.id,)))
        return


class _Call(NamedTuple):
    """One job: its id, which two of the same share, and what its function gets."""

    job_id: str
    arguments: tuple[Any, ...]


def _rung(
    queue: str, function: str, calls: Iterable[_Call], redis_url: str | None, *, seconds: int = LONGEST_SECONDS
) -> bool:
    """Put jobs of one function of this module on a queue, those that wait there already left alone."""
    if redis_url is None:
        return False
    try:
        with queues.connect(redis_url) as redis:
            for call in calls:
                with suppress(DuplicateJobError):
                    _enqueue(Queue(queue, connection=redis), function, call, seconds)
    except RedisError:
        return False
    return True


def _enqueue(queue: Queue, function: str, call: _Call, seconds: int = LONGEST_SECONDS) -> None:
    queue.enqueue(
        f"monet_web.jobs.{function}",
        *call.arguments,
        job_id=call.job_id,
        unique=True,
        job_timeout=seconds,
        result_ttl=0,  # what came of it stands on its row
        failure_ttl=REMEMBER_FAILURE_SECONDS,
    )


def _waits(queue: Queue, job_id: str) -> bool:
    return queue.get_job_position(job_id) is not None


def _is_forgotten(job_id: str, redis: Redis) -> bool:
    """True when no job has this id any more; one that has ended is forgotten now."""
    try:
        job = Job.fetch(job_id, connection=redis)
        if job.get_status() not in (JobStatus.FAILED, JobStatus.STOPPED, JobStatus.CANCELED, JobStatus.FINISHED):
            return False
        job.delete()
    except NoSuchJobError:
        pass
    return True
