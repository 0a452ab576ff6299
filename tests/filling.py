"""Fills every table of a database of any revision, by looking at what is there: migrations run on filled tables."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Column, Connection, MetaData, Table, func, insert, select

ROWS = 2
_ONE_ROW = ("company_logo", "filing_terms")
_MOMENT = datetime(2026, 11, 23, 10, 0)  # noqa: DTZ001 - SQLite keeps UTC without saying so, PostgreSQL takes it for UTC
_BY_TYPE: dict[type, Any] = {
    int: lambda n: n,
    str: str,
    bool: lambda n: n % 2 == 0,
    date: lambda n: date(2026, 11, n),
    datetime: lambda n: _MOMENT.replace(day=n),
    bytes: lambda n: bytes([n]),
    object: lambda n: {"n": str(n)},  # JSON
}
# What stands in a condition of an index, or may decide what a migration does with the row.
_BY_NAME: dict[tuple[str, str], Any] = {
    ("integrations", "state"): lambda n: "on",
    ("invoices", "state"): lambda n: "in_journal",
    ("invoices", "kind"): lambda n: "invoice",
    ("runs", "state"): lambda n: "done",
    ("runs", "kind"): lambda n: "launch",
    ("store_orders", "outcome"): lambda n: "in_journal",
    ("users", "role"): lambda n: "office",
}


def fill(connection: Connection) -> None:
    """Add rows to every table; a table that allows one row only is left with it."""
    keys: dict[str, list[Any]] = {}
    for table in _tables(connection):
        if table.name != "company":
            keys[table.name] = []
            for n in range(1, (1 if table.name in _ONE_ROW else ROWS) + 1):
                inserted = connection.execute(insert(table).values(_values(table, n, keys)))
                keys[table.name].append(inserted.inserted_primary_key)


def counts(connection: Connection) -> dict[str, int]:
    """How many rows each table has."""
    return {
        table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
        for table in _tables(connection)
    }


def _tables(connection: Connection) -> list[Table]:
    metadata = MetaData()
    metadata.reflect(connection)
    return [table for table in metadata.sorted_tables if is_ours(table.name)]


def is_ours(table: str) -> bool:
    """Neither of Alembic nor of SQLite's index of words, which keeps tables of its own."""
    return table != "alembic_version" and not table.startswith("invoice_words")


def _values(table: Table, n: int, keys: dict[str, list[Any]]) -> dict[str, Any]:
    return {column.name: _value(column, n, keys) for column in table.columns if not _counts_itself(column)}


def _counts_itself(column: Column[Any]) -> bool:
    return column.name == "id" and column.primary_key and column.table.name not in _ONE_ROW


def _value(column: Column[Any], n: int, keys: dict[str, list[Any]]) -> Any:
    for key in column.foreign_keys:
        parents = keys[key.column.table.name]
        return parents[n - 1][0] if len(parents) >= n else None  # a row that refers to its own table
    if (make := _BY_NAME.get((column.table.name, column.name))) is not None:
        return make(n)
    return _BY_TYPE[column.type.python_type](n)
