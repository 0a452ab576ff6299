"""What workers do: ids in, one service called. The row is the order to work, the queue only the bell."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress

from redis.exceptions import RedisError
from rq import Queue
from rq.exceptions import DuplicateJobError

from monet_web import events, queues
from monet_web.config import Config
from monet_web.installation import opened
from monet_web.models.base import now_utc
from monet_web.models.runs import Run
from monet_web.services import claims, connection_test
from monet_web.services import run_import as service

# No run takes a day; a worker that is killed is noticed by its heartbeat long before.
LONGEST_SECONDS = 24 * 60 * 60
# A test takes 20 s at most; a store that holds it longer is cut off.
LONGEST_TEST_SECONDS = 25
# A failed job keeps its id taken, and the same run could not be rung for so long.
REMEMBER_FAILURE_SECONDS = 60


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


def test_connection(test_id: int) -> None:
    """Ask the store of one test of a connection; somebody waits before the form for its answer."""
    with opened(Config.from_environment(os.environ)) as installation:
        connection_test.run(
            installation.session_factory, test_id, surroundings=installation.surroundings, clock=now_utc
        )


def ring_test(test_id: int, redis_url: str | None) -> bool:
    """Tell the workers of a test whose row is committed. False when there is no Redis or it does not answer."""
    if redis_url is None:
        return False
    try:
        with queues.connect(redis_url) as redis, suppress(DuplicateJobError):
            Queue("urgent", connection=redis).enqueue(
                "monet_web.jobs.test_connection",
                test_id,
                job_id=f"connection-test-{test_id}",
                unique=True,
                job_timeout=LONGEST_TEST_SECONDS,
                result_ttl=0,
                failure_ttl=REMEMBER_FAILURE_SECONDS,
            )
    except RedisError:
        return False
    return True


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
                # An id for each attempt: rung twice it is queued once.
                with suppress(DuplicateJobError):
                    queue.enqueue(
                        "monet_web.jobs.run_import",
                        run.id,
                        job_id=f"run-{run.id}-{run.attempt}",
                        unique=True,
                        job_timeout=LONGEST_SECONDS,
                        result_ttl=0,  # what came of it stands on the run's row
                        failure_ttl=REMEMBER_FAILURE_SECONDS,
                    )
    except RedisError:
        return False
    return True
