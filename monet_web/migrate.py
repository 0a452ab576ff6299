"""The database brought to the newest schema: at the start of the embedded default, by `monet`, in tests. No Flask.

`migrations/env.py` stands on `migrating`, so that `flask db upgrade` takes the same lock and makes the same checks.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from monet_web.config import CHECKOUT
from monet_web.domain.errors import NeedsOwner
from monet_web.models.base import reading

MIGRATIONS = CHECKOUT / "migrations"

# Any number will do, as long as nothing else of ours takes it: "MONET" in ASCII.
_ADVISORY_LOCK = 0x4D4F4E4554


def upgrade(database_url: str, revision: str = "head") -> None:
    """Bring the database to `revision`, all or nothing; a second process waits and then finds nothing to do.

    Raises NeedsOwner when the database was made by a newer version of this program.
    """
    _refuse_newer(database_url)
    command.upgrade(_alembic(database_url), revision)


def downgrade(database_url: str, revision: str) -> None:
    """Take the database back to `revision`; "base" drops every table."""
    command.downgrade(_alembic(database_url), revision)


def is_current(database_url: str) -> bool:
    """True when nothing is to be upgraded. Writes nothing and makes no file."""
    return _heads_of(database_url) == _newest()


@contextmanager
def migrating(database_url: str) -> Iterator[Connection]:
    """The one connection that migrates, in its transaction and under its lock; committed only if every key still holds.

    SQLite: foreign keys are off inside, since a batch that drops its old table would delete the rows that point to
    it; and the counters of AUTOINCREMENT are kept, since a copied table would forget the ids of deleted rows, and the
    triggers, which go with the old table.
    """
    engine = _engine(database_url)
    is_sqlite = engine.dialect.name == "sqlite"
    if (file := _sqlite_file(database_url)) is not None:
        # Left to SQLite, others could read it; its -wal and -shm take this file's mode.
        os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
    with _one_at_a_time(engine), engine.connect() as connection:
        if is_sqlite:
            # On the driver's connection: the first statement on ours would begin, and inside a transaction this
            # pragma does nothing. The pool keeps nothing, so the switch ends with this connection.
            connection.connection.cursor().execute("PRAGMA foreign_keys=OFF").close()
            # A copied table takes its old one's name while triggers of others name it: nothing is to be rewritten.
            connection.connection.cursor().execute("PRAGMA legacy_alter_table=ON").close()
        with connection.begin():
            if not is_sqlite:
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _ADVISORY_LOCK})
            counters = _counters(connection) if is_sqlite else {}
            triggers = _triggers(connection) if is_sqlite else {}
            yield connection
            if is_sqlite:
                _keep_triggers(connection, triggers)
                _keep_counters(connection, counters)
                _check_foreign_keys(connection)


def _alembic(database_url: str) -> AlembicConfig:
    config = AlembicConfig()
    # Interpolation: a % in a path or password must not be taken for a variable.
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["database_url"] = database_url
    return config


def _engine(database_url: str) -> Engine:
    return create_engine(database_url, poolclass=NullPool)


def _newest() -> set[str]:
    return set(ScriptDirectory(MIGRATIONS).get_heads())


def _heads_of(database_url: str) -> set[str]:
    file = _sqlite_file(database_url)
    if file is not None and not file.exists():
        return set()
    engine = _engine(database_url)
    with Session(engine) as session, reading(session):
        return set(MigrationContext.configure(session.connection()).get_current_heads())


def _refuse_newer(database_url: str) -> None:
    known = {script.revision for script in ScriptDirectory(MIGRATIONS).walk_revisions()}
    if unknown := _heads_of(database_url) - known:
        raise NeedsOwner(
            f"The database was made by a newer version of this program (schema {', '.join(sorted(unknown))}).",
            fix="Start that version again, or use a copy of the database from before it.",
        )


def _sqlite_file(database_url: str) -> Path | None:
    url = make_url(database_url)
    return Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None


@contextmanager
def _one_at_a_time(engine: Engine) -> Iterator[None]:
    # SQLite's own lock is waited for ten seconds only, and a migration may take longer.
    file = _sqlite_file(engine.url.render_as_string(hide_password=False))
    with _file_lock(file.with_name(f"{file.name}-migrating")) if file is not None else nullcontext():
        yield


@contextmanager
def _file_lock(path: Path) -> Iterator[None]:
    # The file stays: whoever removed it could take the lock from somebody who has just opened it.
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _triggers(connection: Connection) -> dict[str, str]:
    """Name → statement that makes it."""
    rows = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"))
    return {row.name: row.sql for row in rows}


def _keep_triggers(connection: Connection, before: dict[str, str]) -> None:
    """Make those again that are gone, but for those that write into a table that is gone too."""
    tables = set(connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'")).scalars())
    for name in before.keys() - _triggers(connection).keys():
        named = set(re.findall(r"(?:\bON|\bINTO|\bUPDATE)\s+(\w+)", before[name])) - {"OF", "ON", "SET", "CONFLICT"}
        if named <= tables:
            connection.exec_driver_sql(before[name])


def _counters(connection: Connection) -> dict[str, int]:
    has_any = connection.execute(text("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_sequence'")).first()
    if has_any is None:
        return {}
    return {row.name: row.seq for row in connection.execute(text("SELECT name, seq FROM sqlite_sequence"))}


def _keep_counters(connection: Connection, before: dict[str, int]) -> None:
    after = _counters(connection)
    tables = set(connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'")).scalars())
    for name, seq in before.items():
        if name in tables and after.get(name, 0) < seq:
            connection.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), {"name": name})
            connection.execute(
                text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :seq)"), {"name": name, "seq": seq}
            )


def _check_foreign_keys(connection: Connection) -> None:
    broken = connection.execute(text("PRAGMA foreign_key_check")).all()
    if broken:
        tables = ", ".join(sorted({f"{row.table} → {row.parent}" for row in broken}))
        raise RuntimeError(f"the migration would leave {len(broken)} rows that point nowhere: {tables}")
