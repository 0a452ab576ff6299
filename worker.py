"""A worker process: takes jobs from Redis and runs each in a child of its own. `python worker.py`."""

import os
import sys

from rq import Worker

from monet_web import logs, queues
from monet_web.app import create_app
from monet_web.config import Config, ConfigError, require_redis

# It says that it lives at least every (this - 15) seconds; /readyz counts on that.
SECONDS_BETWEEN_SIGNS = 30
# RQ's own sweep of 600 s would leave the job of a killed worker "started" for ten minutes.
SECONDS_BETWEEN_SWEEPS = 30


def main() -> int:
    """Work until a signal comes: the first ends after the job in hand, the second at once."""
    try:
        config = Config.from_environment(os.environ)
        redis_url = require_redis(config)
    except ConfigError as error:
        sys.stderr.write(f"worker: {error}\n")
        return 2
    logs.configure(config.log)
    worker = Worker(
        list(queues.QUEUES),
        connection=queues.connect(redis_url),
        worker_ttl=SECONDS_BETWEEN_SIGNS,
        maintenance_interval=SECONDS_BETWEEN_SWEEPS,
    )
    # Children inherit the context, so a job has its database as a page has. They are forked: no connection may be
    # open yet, and none is before the first query.
    with create_app(config).app_context():
        worker.work(with_scheduler=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
