"""The ground of every table: exact numbers, UTC, sealed secrets, and how a transaction begins on both databases."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import (
    BigInteger,
    Connection,
    DateTime,
    Dialect,
    Engine,
    Enum,
    Integer,
    MetaData,
    String,
    Text,
    event,
)
from sqlalchemy import text as sql_text
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import TypeDecorator

from monet_web.domain.errors import NeedsOwner

# Names of constraints must be the same on both databases and for ever: migrations find them by name.
_NAMES = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

# SQLite counts only INTEGER PRIMARY KEY as its own row id; PostgreSQL wants 64 bits.
Id = BigInteger().with_variant(Integer(), "sqlite")


class Base(DeclarativeBase):
    """All tables. On SQLite ids are never reused (AUTOINCREMENT), so that an audit entry names one thing for ever."""

    metadata = MetaData(naming_convention=_NAMES)
    __table_args__: Any = {"sqlite_autoincrement": True}


db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False})


class Scaled(TypeDecorator[Decimal]):
    """A Decimal kept as a 64-bit integer of its smallest unit: both databases sum it exactly (SQLite sums floats)."""

    impl = BigInteger
    cache_ok = True
    places: int

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:
        return self.scaled(value)

    def scaled(self, value: Decimal | None) -> int | None:
        """The whole number that is kept. Raises ValueError for an amount with more decimals."""
        if value is None:
            return None
        scaled = Decimal(value).scaleb(self.places)
        whole = int(scaled)
        if whole != scaled:
            raise ValueError(f"{value} has more than {self.places} decimals")
        return whole

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(int(value)).scaleb(-self.places)


class Money(Scaled):
    """An amount of money, Decimal with at most four decimals, kept as ten-thousandths."""

    cache_ok = True
    places = 4


class Quantity(Scaled):
    """A quantity, Decimal with at most six decimals, kept as millionths."""

    cache_ok = True
    places = 6


class ExactText(TypeDecorator[Decimal]):
    """A Decimal of any precision kept as text (unit prices, rates, per cents). Never to be summed or sorted in SQL."""

    impl = String(60)
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> str | None:
        return None if value is None else format(Decimal(value), "f")

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(value)


class Moment(TypeDecorator[datetime]):
    """An aware time, kept in UTC and given back in UTC. A naive one is refused: nobody could say when it was."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a naive time can't be kept: {value}")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def kept_by_value(kind: type[StrEnum]) -> Enum:
    """A column type for a StrEnum, kept by its value (SQLAlchemy keeps the name unless told)."""
    return Enum(
        kind,
        native_enum=False,
        create_constraint=False,
        length=24,
        values_callable=lambda members: [m.value for m in members],
    )


class _Sealer:
    """The keys that seal secrets at rest: the first seals, all open. Bound once, when the program starts."""

    def __init__(self) -> None:
        self._keys: MultiFernet | None = None

    def bind(self, keys: Sequence[str]) -> None:
        self._keys = MultiFernet([Fernet(key) for key in keys])

    def seal(self, text: str) -> str:
        return self._bound().encrypt(text.encode()).decode()

    def open(self, sealed: str) -> str:
        try:
            return self._bound().decrypt(sealed.encode()).decode()
        except InvalidToken:
            raise NeedsOwner(
                "The secrets of this installation were sealed with a key that is not among the present ones.",
                fix="Put the earlier key back into MONET_ENCRYPTION_KEYS (or MONET_HOME/keys), after the present one.",
            ) from None

    def renew(self, sealed: str) -> str:
        """The same secret sealed with the first key."""
        return self.seal(self.open(sealed))

    def _bound(self) -> MultiFernet:
        if self._keys is None:
            raise RuntimeError("sealer.bind(keys) must be called before secrets are read or written")
        return self._keys


sealer = _Sealer()


class Sealed(TypeDecorator[dict[str, str]]):
    """A dict of secrets, encrypted in the database. Equal values never look equal there."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: dict[str, str] | None, dialect: Dialect) -> str | None:
        return None if value is None else sealer.seal(json.dumps(value))

    def process_result_value(self, value: Any, dialect: Dialect) -> dict[str, str] | None:
        return None if value is None else json.loads(sealer.open(value))


# --- transactions -----------------------------------------------------------------------------------------------

_read_only: ContextVar[bool] = ContextVar("monet_read_only", default=False)


@event.listens_for(Engine, "connect")
def _prepare_sqlite(connection: Any, record: Any) -> None:
    if type(connection).__module__.partition(".")[0] != "sqlite3":
        return
    connection.isolation_level = None  # transactions are begun by _begin below, never by the driver
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=10000", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


@event.listens_for(Engine, "begin")
def _begin(connection: Connection) -> None:
    reading_now = _read_only.get()
    if connection.dialect.name == "sqlite":
        # A read that becomes a write after somebody else's commit fails at once, whatever the busy timeout:
        # so whoever may write takes the write lock before the first SELECT.
        connection.exec_driver_sql(f"PRAGMA query_only={'ON' if reading_now else 'OFF'}")
        connection.exec_driver_sql("BEGIN" if reading_now else "BEGIN IMMEDIATE")
    elif reading_now:
        connection.exec_driver_sql("SET TRANSACTION READ ONLY")


@contextmanager
def reading(session: Session) -> Iterator[Session]:
    """A transaction that only reads; it never waits for a writer. Ends with the block, objects stay usable."""
    _must_be_outside(session)
    token = _read_only.set(True)
    try:
        yield session
        session.commit()  # a rollback would expire the objects, and their next use would begin a transaction
    except BaseException:
        session.rollback()
        raise
    finally:
        _read_only.reset(token)


@contextmanager
def writing(session: Session) -> Iterator[Session]:
    """A transaction that writes: committed when the block ends, rolled back when it raises."""
    _must_be_outside(session)
    token = _read_only.set(False)
    try:
        yield session
        session.commit()
    except BaseException:
        session.rollback()
        raise
    finally:
        _read_only.reset(token)


def is_reading() -> bool:
    """True inside `reading`: nothing that is seen there can be rolled back."""
    return _read_only.get()


def _must_be_outside(session: Session) -> None:
    if session.in_transaction():
        raise RuntimeError("a transaction is open already; its own end decides what is kept, so it can't be nested")


def take_ids(session: Session, table: str, count: int) -> list[int]:
    """`count` new ids of `table`, ascending, for rows of this transaction: whole trees are then written at once."""
    return take_many_ids(session, {table: count})[table]


def take_many_ids(session: Session, counts: Mapping[str, int]) -> dict[str, list[int]]:
    """New ids of several tables in one statement: table → as many as are wanted, ascending.

    SQLite: the write lock is held, so the counters of AUTOINCREMENT can't move meanwhile.
    """
    wanted = {table: count for table, count in counts.items() if count}
    found: dict[str, list[int]] = {table: [] for table in counts}
    if not wanted:
        return found
    if session.get_bind().dialect.name == "sqlite":
        last = {row.name: row.seq for row in session.execute(_LAST_IDS)}
        return found | {
            table: list(range(last.get(table, 0) + 1, last.get(table, 0) + 1 + count))
            for table, count in wanted.items()
        }
    for row in session.execute(_NEXT_IDS, {"tables": list(wanted), "counts": list(wanted.values())}):
        found[row.name].append(row.id)
    return {table: sorted(ids) for table, ids in found.items()}


_LAST_IDS = sql_text("SELECT name, seq FROM sqlite_sequence")
_NEXT_IDS = sql_text(
    "SELECT wanted.name, nextval(wanted.sequence) AS id"
    " FROM (SELECT name, count, pg_get_serial_sequence(name, 'id')::regclass AS sequence"
    " FROM unnest(CAST(:tables AS text[]), CAST(:counts AS int[])) AS asked (name, count) OFFSET 0) AS wanted,"
    " generate_series(1, wanted.count)"
)


Clock = Callable[[], datetime]


def now_utc() -> datetime:
    """The wall clock; only the edges (jobs, views, command line) may call it."""
    return datetime.now(UTC)
