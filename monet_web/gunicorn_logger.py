"""gunicorn's own lines, sent through the same door as all others."""

import logging
import os
from typing import Any

from gunicorn.glogging import Logger

from monet_web import logs
from monet_web.config import Config


class GunicornLogger(Logger):
    """Named by --logger-class; its handlers are taken away, so that its lines reach ours."""

    def setup(self, cfg: Any) -> None:
        """Called once in the master, before the application is loaded. Raises ConfigError."""
        super().setup(cfg)
        logs.configure(Config.from_environment(os.environ).log)
        for each in (self.error_log, self.access_log):
            each.handlers.clear()
            each.propagate = each is self.error_log  # addresses of pages name people; there is no access log
        logging.getLogger("gunicorn.error").setLevel(self.LOG_LEVELS.get(cfg.loglevel, logging.INFO))
