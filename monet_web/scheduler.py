"""The scheduler process: rq-scheduler, whose one entry is the tick. `python -m monet_web.scheduler`."""

import logging
import os
import sys
import time
from datetime import UTC, datetime

from redis import Redis
from rq.exceptions import NoSuchJobError
from rq.job import Job
from rq_scheduler import Scheduler

from monet_web import logs, queues
from monet_web.config import Config, ConfigError, require_redis

# How late the tick may be; after a scheduler that was killed another waits this and 10 s more.
SECONDS_BETWEEN_LOOKS = 5

SECONDS_BETWEEN_TICKS = 30
TICK = "tick"
TICK_DOES = "monet_web.jobs.tick"
TICK_QUEUE = queues.TIMETABLE
LONGEST_TICK_SECONDS = 120


class PersistentScheduler(Scheduler):
    """A scheduler that keeps its one entry, and stays visible: Redis may forget both, and the library neither makes
    its key nor an entry anew.
    """

    def heartbeat(self) -> None:
        """Say that it lives and look after the tick, whether or not Redis still knows them."""
        self.connection.hsetnx(self.key, "birth", time.time())
        super().heartbeat()
        keep_tick(self)

    def enqueue_job(self, job: Job) -> None:
        """Put the next moment in the place of this one, then put the job into its queue, unless it waits there still.

        The library takes the entry away first: killed before it puts it back, the entry is lost.
        """
        if job.id != TICK:
            super().enqueue_job(job)
            return
        self.connection.zadd(self.scheduled_jobs_key, {job.id: int(time.time()) + int(job.meta["interval"])})
        queue = self.get_queue_for_job(job)
        if queue.get_job_position(job.id) is None:
            queue.enqueue_job(job)


def keep_tick(scheduler: Scheduler) -> bool:
    """Register the tick where it is absent or was registered otherwise, and nothing else; whether it was.

    One that is there stays as it is: registering it again would move an overdue one into the future.
    """
    if TICK in scheduler and _is_as_meant(scheduler.connection):
        return False
    scheduler.schedule(
        datetime.now(UTC),
        TICK_DOES,
        interval=SECONDS_BETWEEN_TICKS,
        id=TICK,
        queue_name=TICK_QUEUE,
        result_ttl=-1,  # the job's own row must outlive it: the entry points to it
        timeout=LONGEST_TICK_SECONDS,
        description="the timetable",
    )
    return True


def _is_as_meant(redis: Redis) -> bool:
    try:
        job = Job.fetch(TICK, connection=redis)
    except NoSuchJobError:
        return False
    return (job.func_name, job.origin, job.meta.get("interval"), job.result_ttl, job.timeout) == (
        TICK_DOES, TICK_QUEUE, SECONDS_BETWEEN_TICKS, -1, LONGEST_TICK_SECONDS,
    )  # fmt: skip


def main() -> int:
    """Run until a signal comes."""
    try:
        config = Config.from_environment(os.environ)
        redis_url = require_redis(config)
    except ConfigError as error:
        sys.stderr.write(f"scheduler: {error}\n")
        return 2
    logs.configure(config.log)
    # "Lock already taken" is what every second scheduler says all day.
    logging.getLogger("rq_scheduler.scheduler").setLevel(logging.ERROR)
    PersistentScheduler(
        queue_name="default", connection=queues.connect(redis_url), interval=SECONDS_BETWEEN_LOOKS
    ).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
