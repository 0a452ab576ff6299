"""The scheduler process: rq-scheduler, whose one entry is the tick. `python -m monet_web.scheduler`."""

import logging
import os
import sys
import time

from rq_scheduler import Scheduler

from monet_web import logs, queues
from monet_web.config import Config, ConfigError, require_redis

# How late the tick may be; after a scheduler that was killed another waits this and 10 s more.
SECONDS_BETWEEN_LOOKS = 5


class PersistentScheduler(Scheduler):
    """A scheduler that stays visible: Redis may have forgotten its key, which the library then never makes again."""

    def heartbeat(self) -> None:
        """Say that it lives, whether or not its key is still there."""
        self.connection.hsetnx(self.key, "birth", time.time())
        super().heartbeat()


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
