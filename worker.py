"""A worker process: takes jobs from Redis and runs each in a child of its own. `python worker.py [--queue NAME …]`.

Without a name it takes everything, imports last. With `--queue timetable` it is the ticker: ticks, with the notices
they send, and connection tests; each takes seconds, and it keeps no scheduler of RQ's own in memory.
"""

import argparse
import os
import sys
from collections.abc import Sequence

from rq import Worker

from monet_web import logs, queues
from monet_web.config import Config, ConfigError, require_redis

# It says that it lives at least every (this - 15) seconds; /readyz counts on that.
SECONDS_BETWEEN_SIGNS = 30
# RQ's own sweep of 600 s would leave the job of a killed worker "started" for ten minutes.
SECONDS_BETWEEN_SWEEPS = 30


def main(arguments: Sequence[str] | None = None) -> int:
    """Work until a signal comes: the first ends after the job in hand, the second at once."""
    parser = argparse.ArgumentParser(prog="worker.py", description="Work what waits in the queues.")
    parser.add_argument("--queue", choices=queues.QUEUES, action="append", help="only this one; may be repeated")
    chosen: list[str] = parser.parse_args(arguments).queue or list(queues.QUEUES)
    try:
        config = Config.from_environment(os.environ)
        redis_url = require_redis(config)
    except ConfigError as error:
        sys.stderr.write(f"worker: {error}\n")
        return 2
    logs.configure(config.log)
    worker = Worker(
        chosen,
        connection=queues.connect(redis_url),
        worker_ttl=SECONDS_BETWEEN_SIGNS,
        maintenance_interval=SECONDS_BETWEEN_SWEEPS,
    )
    # What children inherit: loaded once, shared by all, and late, so that a wrong configuration is said at once. They
    # are forked, so no connection may be open yet; each opens its own database.
    import monet_web.jobs  # noqa: F401

    is_ticker = chosen == [queues.TIMETABLE]
    worker.work(with_scheduler=not is_ticker)
    return 0


if __name__ == "__main__":
    sys.exit(main())
