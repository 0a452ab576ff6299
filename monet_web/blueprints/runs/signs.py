"""Whether anybody works what is queued: asked of Redis, which may be away, and remembered for a few seconds."""

from __future__ import annotations

import time
from typing import Any

from flask import current_app
from redis import Redis
from redis.exceptions import RedisError

from monet_web import queues
from monet_web.blueprints.health.views import scheduler_sign, worker_sign
from monet_web.blueprints.runs.texts import _
from monet_web.config import Config

_ANSWER_SECONDS = 1.0
SECONDS_REMEMBERED = 5.0  # pages that follow a run ask every second


def redis_url() -> str | None:
    """Where the bell hangs, None when nobody set one up."""
    config: Config = current_app.config["MONET"]
    return config.redis_url


def redis() -> Redis | None:
    """A client that all requests of this process share; it connects at its first command."""
    url = redis_url()
    if url is None:
        return None
    kept: dict[str, Any] = current_app.extensions.setdefault("monet_runs", {})
    if "redis" not in kept:
        kept["redis"] = queues.connect(url, seconds=_ANSWER_SECONDS)
    shared: Redis = kept["redis"]
    return shared


def why_idle() -> str:
    """Why nothing that is queued will begin, in a sentence; "" when a worker lives."""
    return {
        "": "",
        "scheduler": "",
        "unset": _("Nothing is imported by itself: Redis is not set up (REDIS_URL)."),
        "redis": _("Automatic import has stopped: Redis does not answer. It goes on by itself when Redis does."),
        "worker": _("No worker is alive: nothing is imported until one is started."),
    }[_silent_part()]


def why_still() -> str:
    """The same for the timetable too: what does not happen by itself."""
    if _silent_part() == "scheduler":
        return _("Automatic import has stopped: no scheduler is alive, so the timetable stands still.")
    return why_idle()


def _silent_part() -> str:
    kept: dict[str, Any] = current_app.extensions.setdefault("monet_runs", {})
    asked_at, part = kept.get("silent", (0.0, ""))
    if not asked_at or time.monotonic() - asked_at > SECONDS_REMEMBERED:
        part = _ask()
        kept["silent"] = (time.monotonic(), part)
    return str(part)


def _ask() -> str:
    client = redis()
    if client is None:
        return "unset"
    try:
        if not worker_sign(client).lives:
            return "worker"
        return "" if scheduler_sign(client).lives else "scheduler"
    except RedisError:
        return "redis"
