"""Whether anybody works what is queued, in a sentence: asked of Redis, which may be away."""

from __future__ import annotations

from flask import current_app
from redis.exceptions import RedisError

from monet_web import queues
from monet_web.blueprints.health.views import ANSWER_SECONDS, worker_sign
from monet_web.blueprints.integrations.translating import _
from monet_web.blueprints.runs import signs
from monet_web.config import Config


def redis_url() -> str | None:
    """Where the bell hangs, None when nobody set one up."""
    config: Config = current_app.config["MONET"]
    return config.redis_url


def why_idle() -> str:
    """Why what is queued will not be worked now; "" when a worker is alive."""
    url = redis_url()
    if url is None:
        return _("No worker is alive, because Redis is not set up (REDIS_URL). Start everything with: monet run")
    try:
        with queues.connect(url, seconds=ANSWER_SECONDS) as redis:
            if worker_sign(redis).lives:
                return ""
    except RedisError:
        return _("No worker can be reached, because Redis does not answer. Start everything with: monet run")
    return _("No worker is alive. Start everything with: monet run")


def why_still() -> str:
    """Why nothing runs by itself, whether or not what is launched would be worked; "" when all is well."""
    return signs.why_still() if redis_url() is not None else why_idle()
