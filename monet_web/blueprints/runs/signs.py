"""Whether anybody works what is queued: asked of Redis, which may be away, and remembered for a few seconds."""

from __future__ import annotations

import time
from typing import Any

from flask import current_app
from redis import Redis
from redis.exceptions import RedisError

from monet_web import queues
from monet_web.blueprints.formats import moment
from monet_web.blueprints.health.silence import Part, Silence, silence
from monet_web.blueprints.runs.texts import _, duration
from monet_web.config import Config
from monet_web.models.base import now_utc

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
    silent = _silent()
    match silent.part:
        case Part.UNSET:
            return _("Nothing is imported by itself: Redis is not set up (REDIS_URL).")
        case Part.REDIS:
            return _("Automatic import has stopped: Redis does not answer. It goes on by itself when Redis does.")
        case Part.WORKER if silent.since is not None:
            return _(
                "No worker has reported for %(time)s: nothing is imported until one is started.",
                time=duration(int((now_utc() - silent.since).total_seconds())),
            )
        case Part.WORKER:
            return _("No worker is alive: nothing is imported until one is started.")
        case _:
            return ""


def why_still() -> str:
    """The same for the timetable too: what does not happen by itself."""
    silent = _silent()
    since = moment(silent.since) if silent.since is not None else ""
    match silent.part:
        case Part.SCHEDULER if since:
            return _("Automatic import has stopped since %(moment)s: no scheduler is alive.", moment=since)
        case Part.SCHEDULER:
            return _("Automatic import has stopped: no scheduler is alive, so the timetable stands still.")
        case Part.TICKER if since:
            return _(
                "Automatic import has stopped since %(moment)s: no ticker is alive, and every worker is busy.",
                moment=since,
            )
        case Part.TICKER:
            return _("Automatic import has not begun: no ticker is alive, and every worker is busy.")
        case Part.TICK if not since:
            return _("Automatic import has not begun: nobody has looked at the timetable yet, though all is started.")
        case Part.TICK:
            return _(
                "Automatic import has stopped since %(moment)s: nobody looks at the timetable, though worker and "
                "scheduler are alive.",
                moment=since,
            )
        case _:
            return why_idle()


def _silent() -> Silence:
    kept: dict[str, Any] = current_app.extensions.setdefault("monet_runs", {})
    asked_at, found = kept.get("silent", (0.0, Silence()))
    if not asked_at or time.monotonic() - asked_at > SECONDS_REMEMBERED:
        found = _ask()
        kept["silent"] = (time.monotonic(), found)
    return found  # type: ignore[no-any-return]


def _ask() -> Silence:
    client = redis()
    if client is None:
        return Silence(Part.UNSET)
    try:
        return silence(client, now=now_utc())
    except RedisError:
        return Silence(Part.REDIS)
