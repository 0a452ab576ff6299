"""`/healthz`: this process answers. `/readyz`: everything it needs answers too, else 503."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Blueprint, current_app
from redis import Redis
from redis.exceptions import RedisError
from rq import Worker
from rq_scheduler import Scheduler
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from monet_web import queues
from monet_web.blueprints.access import open_to_everybody
from monet_web.config import Config
from monet_web.models.base import db, reading

health = Blueprint("health", __name__)

# A worker says that it lives every 15 seconds when idle and every 30 at work (see worker.py).
WORKER_SILENCE = timedelta(seconds=90)
ANSWER_SECONDS = 2.0

Answer = tuple[dict[str, Any], int]


@dataclass(frozen=True, slots=True)
class Sign:
    """Whether one part lives, in a sentence."""

    lives: bool
    sentence: str


@health.get("/healthz")
@open_to_everybody
def alive() -> Answer:
    """200 while this process answers at all. It asks nobody else: a slow database must restart no web process."""
    return {"ok": True, "web": "The web process answers."}, 200


@health.get("/readyz")
@open_to_everybody
def ready() -> Answer:
    """`{"ok": bool, part: sentence, …}`; 503 when a part is dead."""
    signs = {"database": database_sign(), **_signs_in_redis(current_app.config["MONET"])}
    is_ready = all(sign.lives for sign in signs.values())
    return {"ok": is_ready, **{part: sign.sentence for part, sign in signs.items()}}, 200 if is_ready else 503


def database_sign() -> Sign:
    """Asks the database for one row; needs an application context."""
    try:
        with reading(db.session()):
            db.session.execute(text("SELECT 1"))
    except SQLAlchemyError:
        return Sign(False, "The database does not answer.")
    return Sign(True, "The database answers.")


def redis_sign(redis: Redis) -> Sign:
    """One ping. Raises RedisError."""
    redis.ping()
    return Sign(True, "Redis answers.")


def beats(redis: Redis, *, of_ticker: bool) -> list[datetime]:
    """When each worker that takes imports, or each ticker, spoke last. Raises RedisError.

    One that was killed stays in RQ's registry for a while.
    """
    return [
        worker.last_heartbeat
        for worker in Worker.all(connection=redis)
        if worker.last_heartbeat is not None and (worker.queue_names() == [queues.TIMETABLE]) is of_ticker
    ]


def _living(redis: Redis, *, of_ticker: bool) -> int:
    now = datetime.now(UTC)
    return sum(now - beat <= WORKER_SILENCE for beat in beats(redis, of_ticker=of_ticker))


def ticker_sign(redis: Redis) -> Sign:
    """Lives when the worker of the timetable spoke lately. Raises RedisError."""
    if not _living(redis, of_ticker=True):
        return Sign(False, "No ticker is alive: while a worker imports, nobody looks at the timetable.")
    return Sign(True, "The ticker is alive.")


def worker_sign(redis: Redis) -> Sign:
    """Lives when a worker that takes imports spoke lately. Raises RedisError."""
    count = _living(redis, of_ticker=False)
    if not count:
        return Sign(False, "No worker is alive: nothing is imported until one is started.")
    return Sign(True, "1 worker is alive." if count == 1 else f"{count} workers are alive.")


def scheduler_sign(redis: Redis) -> Sign:
    """Lives when a scheduler's key is there, which goes 15 s after its last word. Raises RedisError."""
    for key in redis.scan_iter(match=f"{Scheduler.redis_scheduler_namespace_prefix}*", count=1000):
        if not redis.hexists(key, "death"):
            return Sign(True, "The scheduler is alive.")
    return Sign(False, "No scheduler is alive: the timetable stands still until one is started.")


_PARTS_IN_REDIS: dict[str, Callable[[Redis], Sign]] = {
    "redis": redis_sign,
    "worker": worker_sign,
    "ticker": ticker_sign,
    "scheduler": scheduler_sign,
}


def _signs_in_redis(config: Config) -> dict[str, Sign]:
    if config.redis_url is None:
        return dict.fromkeys(_PARTS_IN_REDIS, Sign(False, "REDIS_URL is not set, so nothing is imported by itself."))
    with queues.connect(config.redis_url, seconds=ANSWER_SECONDS) as redis:
        try:
            return {part: sign(redis) for part, sign in _PARTS_IN_REDIS.items()}
        except RedisError:
            return dict.fromkeys(_PARTS_IN_REDIS, Sign(False, "Redis does not answer."))
