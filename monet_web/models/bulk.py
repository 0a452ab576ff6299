"""Bulk writing: many rows of one table in one statement, past the ORM and the compiler, with the columns' own types.

SQLite gets one prepared statement for all rows, PostgreSQL a COPY: both measured several times faster than an insert
that SQLAlchemy compiles anew for each row's parameters. Rows whose triggers write words go to SQLite many a statement.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from operator import itemgetter
from typing import Any, cast

import orjson
from sqlalchemy import JSON, Column, Date, Dialect, Enum, Table
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from monet_web.models.base import Base, Moment, Scaled

Row = Mapping[str, Any]
_Bind = Callable[[Any], Any]
# Before each statement that fires triggers, SQLite's index of words writes out what it holds: a row a statement made a
# piece of index of each invoice, to be merged later. A few sizes, so that a few statements are kept prepared.
_WORDED = frozenset({"invoices"})
_ROWS_A_STATEMENT = (64, 16, 4)


@dataclass(frozen=True, slots=True)
class _Plan:
    """How rows with the same keys become rows of a table: what is written where, and how each value is bound."""

    columns: tuple[Column[Any], ...]  # those of the keys, then those with a default that no row names
    values_of: Callable[[Row], tuple[Any, ...]]
    binds: tuple[tuple[int, _Bind], ...]  # (place, how its values are bound) where they are not taken as they are
    constants: tuple[Any, ...]  # of the columns that no row names

    def tuples(self, rows: Sequence[Row]) -> list[tuple[Any, ...]]:
        """The rows as the driver takes them."""
        return list(zip(*self.lists(rows), strict=True))

    def lists(self, rows: Sequence[Row]) -> list[Sequence[Any]]:
        """A list a column."""
        found: list[Sequence[Any]] = list(zip(*map(self.values_of, rows), strict=True))
        for place, bind in self.binds:
            found[place] = [bind(value) for value in found[place]]
        return [*found, *([constant] * len(rows) for constant in self.constants)]

    def names(self, dialect: Dialect) -> str:
        return ", ".join(dialect.identifier_preparer.quote(column.name) for column in self.columns)


def insert_rows(session: Session, model: type[Base], rows: Sequence[Row]) -> None:
    """Insert rows, all with the same keys (column names). Raises IntegrityError as any insert does.

    Columns that no row names get their default where it is a constant, else what the database gives them.
    """
    if not rows:
        return
    connection = session.connection()
    dialect = connection.dialect
    table = cast("Table", model.__table__)
    plan = _plan(table, dialect, tuple(rows[0]))
    if dialect.name == "sqlite":
        tuples = plan.tuples(rows)
        for count in _ROWS_A_STATEMENT if table.name in _WORDED else ():
            whole = len(tuples) - len(tuples) % count
            if whole:
                many = [tuple(chain.from_iterable(tuples[at : at + count])) for at in range(0, whole, count)]
                connection.exec_driver_sql(_insert(table, plan, dialect, count), many)
                tuples = tuples[whole:]
        if tuples:
            connection.exec_driver_sql(_insert(table, plan, dialect), tuples)
        return
    sql = f"COPY {dialect.identifier_preparer.quote(table.name)} ({plan.names(dialect)}) FROM STDIN"
    values = plan.tuples(rows)
    driver = cast("Any", connection.connection.driver_connection)
    try:
        with driver.cursor() as cursor, cursor.copy(sql) as copy:
            for each in values:
                copy.write_row(each)
    except connection.dialect.loaded_dbapi.Error as error:
        # What the session's own statements raise; SQLAlchemy sees nothing of a COPY.
        failure = DBAPIError.instance(
            sql, None, error, connection.dialect.loaded_dbapi.Error, dialect=connection.dialect,
            connection_invalidated=connection.dialect.is_disconnect(error, driver, None),
        )  # fmt: skip
        raise failure from error


def insert_missing(session: Session, model: type[Base], rows: Sequence[Row]) -> int:
    """Insert rows as `insert_rows` does, but leave out those that a unique index has already. How many were new."""
    return _insert_unless(session, model, rows, "ON CONFLICT DO NOTHING")


def write_over(session: Session, model: type[Base], rows: Sequence[Row], *, unique: Sequence[str]) -> None:
    """Insert rows, or write their values over the row that has the same in the columns `unique` (of a unique index).

    In the order given, which is the order in which the rows are locked.
    """
    if rows:
        changed = ", ".join(f"{name} = excluded.{name}" for name in rows[0] if name not in unique)
        _insert_unless(session, model, rows, f"ON CONFLICT ({', '.join(unique)}) DO UPDATE SET {changed}")


def _insert_unless(session: Session, model: type[Base], rows: Sequence[Row], conflict: str) -> int:
    """One statement for all rows; on PostgreSQL with an array a column."""
    if not rows:
        return 0
    connection = session.connection()
    dialect = connection.dialect
    table = cast("Table", model.__table__)
    plan = _plan(table, dialect, tuple(rows[0]))
    if dialect.name == "sqlite":
        sql = f"{_insert(table, plan, dialect)} {conflict}"
        return connection.exec_driver_sql(sql, plan.tuples(rows)).rowcount
    arrays = ", ".join(f"%s::{column.type.compile(dialect)}[]" for column in plan.columns)
    name = dialect.identifier_preparer.quote(table.name)
    sql = f"INSERT INTO {name} ({plan.names(dialect)}) SELECT * FROM unnest({arrays}) {conflict}"  # noqa: S608 - ours
    return connection.exec_driver_sql(sql, tuple(list(column) for column in plan.lists(rows))).rowcount


@lru_cache(maxsize=200)
def _insert(table: Table, plan: _Plan, dialect: Dialect, count: int = 1) -> str:
    row = f"({', '.join('?' * len(plan.columns))})"
    name = dialect.identifier_preparer.quote(table.name)
    values = ", ".join([row] * count)
    return f"INSERT INTO {name} ({plan.names(dialect)}) VALUES {values}"  # noqa: S608 - names of our own tables


@lru_cache(maxsize=200)
def _plan(table: Table, dialect: Dialect, keys: tuple[str, ...]) -> _Plan:
    named = [table.c[key] for key in keys]
    others = [
        column
        for column in table.c
        if column.name not in keys and column.default is not None and column.default.is_scalar
    ]
    binds: list[tuple[int, _Bind]] = []
    for place, column in enumerate(named):
        bind = _bind_of(column, dialect)
        if bind is not None:
            binds.append((place, bind))
    constants = []
    for column in others:
        bind = _bind_of(column, dialect)
        value = cast("Any", column.default).arg
        constants.append(value if bind is None else bind(value))
    values_of = itemgetter(*keys) if len(keys) > 1 else lambda row: (row[keys[0]],)
    return _Plan((*named, *others), values_of, tuple(binds), tuple(constants))


def _bind_of(column: Column[Any], dialect: Dialect) -> _Bind | None:
    """How values of a column are bound; None: as they are.

    The quicker of two ways to the same value: this is done some thirty times an order.
    """
    kind = column.type
    if isinstance(kind, JSON):
        return _nullable_json if kind.none_as_null else _json
    if isinstance(kind, Scaled):
        return kind.scaled
    bind = kind.dialect_impl(dialect).bind_processor(dialect)
    if bind is not None and isinstance(kind, (Date, Moment, Enum)):
        return lru_cache(maxsize=1000)(bind)  # a page has a few days, states and moments, said hundreds of times
    return bind


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


def _nullable_json(value: Any) -> str | None:
    return None if value is None else _json(value)
