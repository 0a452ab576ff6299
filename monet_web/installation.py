"""One installation without Flask: its database, its surroundings and the demo stores that may be spoken to.

The command line and the jobs stand on it; what a person sees stands on `app`.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.orm import Session, sessionmaker

from monet_web.config import Config
from monet_web.connectors.base import Surroundings
from monet_web.models.base import sealer

DEMO_FILE = "demo_addresses"
# Longer than any page of orders is booked; whoever waited tries again, and a tick goes on with the other integrations.
LOCK_SECONDS = 5
# Half of the silence after which a run is taken back: its rows are free by then.
IDLE_SECONDS = 60
_LOOPBACK = ("127.0.0.1:", "[::1]:", "localhost:")


@dataclass(frozen=True, slots=True)
class Installation:
    """What commands and jobs work on. Sessions of `session_factory` need no application context, in any thread."""

    config: Config
    engine: Engine
    session_factory: Callable[[], Session]
    surroundings: Surroundings


@contextmanager
def opened(config: Config) -> Iterator[Installation]:
    """The installation of a configuration; its connections end with the block.

    The embedded default's database is made or brought up to date first; one named by DATABASE_URL never is.
    """
    sealer.bind(config.encryption_keys)
    if config.is_embedded_database:
        # Loaded late: only the embedded default needs Alembic at every start.
        from monet_web import migrate

        if not migrate.is_current(config.database_url):
            migrate.upgrade(config.database_url)
    engine = create_engine(config.database_url)
    limit_waiting(engine)
    try:
        yield Installation(
            config=config,
            engine=engine,
            session_factory=sessionmaker(engine, expire_on_commit=False),
            surroundings=surroundings_of(config),
        )
    finally:
        engine.dispose()


def limit_waiting(engine: Engine) -> None:
    """On PostgreSQL: a process that is frozen inside a transaction holds its rows for a minute, not for ever.

    For whoever works by itself: its transactions are short and ask no store and no person.
    """
    if engine.dialect.name != "postgresql":
        return

    @event.listens_for(engine, "connect")
    def _limit(connection: Any, _record: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"SET lock_timeout = {LOCK_SECONDS * 1000}")
            cursor.execute(f"SET idle_in_transaction_session_timeout = {IDLE_SECONDS * 1000}")
        connection.commit()


def surroundings_of(config: Config) -> Surroundings:
    """What the operator allows connectors: private addresses, or only those of demo stores that run now."""
    return Surroundings(
        allow_private_addresses=config.allow_private_addresses, allowed_addresses=demo_addresses(config.home)
    )


def demo_addresses(home: Path) -> tuple[str, ...]:
    """host:port of the demo stores that `monet demo` serves at this moment; always of this machine itself."""
    return tuple(address for address, pid in _announced(home / DEMO_FILE) if _lives(pid))


@contextmanager
def announced_demo(home: Path, address: str) -> Iterator[None]:
    """While the block runs, connectors of this installation may speak to the demo store at `address` (host:port)."""
    if not _is_loopback(address):
        raise ValueError(f"a demo store is served on this machine only, not at {address}")
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    path, mine = home / DEMO_FILE, (address, os.getpid())
    _change(path, lambda found: [*found, mine])
    try:
        yield
    finally:
        _change(path, lambda found: [each for each in found if each != mine])


def _change(path: Path, change: Callable[[list[tuple[str, int]]], list[tuple[str, int]]]) -> None:
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        # Those whose program was killed are forgotten here too.
        left = change([(address, pid) for address, pid in _announced(path) if _lives(pid)])
        if not left:
            path.unlink(missing_ok=True)
            return
        unfinished = path.with_name(f".{path.name}")
        unfinished.unlink(missing_ok=True)
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.writelines(f"{address} {pid}\n" for address, pid in left)
        unfinished.replace(path)
    finally:
        os.close(folder)


def _announced(path: Path) -> list[tuple[str, int]]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return []
    found = []
    for line in lines:
        address, _, pid = line.partition(" ")
        if _is_loopback(address) and pid.isascii() and pid.isdigit():
            found.append((address, int(pid)))
    return found


def _is_loopback(address: str) -> bool:
    port = address.rpartition(":")[2]
    return address.startswith(_LOOPBACK) and port.isascii() and port.isdigit()


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (OSError, OverflowError):
        return False
    return True
