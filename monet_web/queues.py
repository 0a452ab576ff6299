"""How to reach Redis, and which queues there are: the bell's wiring, not what it rings for."""

from redis import Redis

# Ticks and connection tests: seconds each, and a worker of their own takes nothing else, so that no long import makes
# the timetable of all others wait.
TIMETABLE = "timetable"
# A worker that is not told which empties them in this order: somebody waits before the page for what is urgent.
QUEUES: tuple[str, ...] = (TIMETABLE, "urgent", "default")

# redis-py's own limit of 5 s is shorter than a worker's blocking read.
SOCKET_SECONDS = 30


def connect(redis_url: str, *, seconds: float = SOCKET_SECONDS) -> Redis:
    """A client with a pool of its own; it connects at its first command. `seconds` limits every answer."""
    return Redis.from_url(redis_url, socket_timeout=seconds, socket_connect_timeout=min(seconds, 5))
