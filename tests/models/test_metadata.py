"""What holds for every table: no inexact number, names that migrations find, and migrations in step with the models."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, Engine, Enum, Float, Numeric, create_engine, inspect, text
from sqlalchemy.types import TypeDecorator

from monet_web.models import Base
from tests.databases import Databases, sqlite_only
from tests.filling import is_ours

TABLES = list(Base.metadata.sorted_tables)


def test_no_column_is_numeric_or_float() -> None:
    # SQLite sums both as binary floats.
    def plain(kind: Any) -> Any:
        return plain(kind.impl) if isinstance(kind, TypeDecorator) else kind

    inexact = [
        str(column) for table in TABLES for column in table.columns if isinstance(plain(column.type), Numeric | Float)
    ]
    assert inexact == []


def test_enumerations_are_kept_by_value_as_text() -> None:
    for table in TABLES:
        for column in table.columns:
            if isinstance(column.type, Enum):
                assert not column.type.native_enum, column
                assert column.type.enums == [str(each) for each in column.type.enums], column
                assert all(each == each.lower() for each in column.type.enums), column


def test_every_constraint_and_index_has_a_name_of_the_convention() -> None:
    for table in TABLES:
        for constraint in table.constraints:
            assert re.match(rf"(pk|uq|ck|fk)_{table.name}(_|$)", str(constraint.name)), (table.name, constraint)
        for index in table.indexes:
            assert re.match(rf"(ix|uq)_{table.name}_", str(index.name)), (table.name, index)


def test_names_are_short_enough_for_postgresql() -> None:
    for table in TABLES:
        names = [str(each.name) for each in table.constraints] + [str(each.name) for each in table.indexes]
        assert [name for name in names if len(name) > 63] == []


def test_migrations_are_in_step_with_the_models(engine: Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={"compare_type": True, "include_name": lambda name, kind, _: kind != "table" or is_ours(name)},
        )
        assert compare_metadata(context, Base.metadata) == []


@pytest.fixture
def made_by_models(databases: Databases) -> Iterator[Engine]:
    url = databases.empty()
    made = create_engine(url)
    Base.metadata.create_all(made)
    yield made
    made.dispose()
    databases.remove(url)


def test_a_migrated_database_has_the_same_conditions_as_one_made_from_the_models(
    engine: Engine, made_by_models: Engine
) -> None:
    # Alembic compares neither checks nor the conditions of indexes.
    with engine.connect() as migrated, made_by_models.connect() as made:
        assert described(migrated) == described(made)


def described(connection: Connection) -> dict[str, Any]:
    looked_at = inspect(connection)
    tables = [name for name in looked_at.get_table_names() if is_ours(name)]
    return {name: (columns(looked_at, name), sorted(conditions(connection, name))) for name in tables}


def columns(looked_at: Any, table: str) -> list[tuple[str, ...]]:
    return sorted(
        (column["name"], str(column["type"]), str(column["nullable"]), str(column["default"]))
        for column in looked_at.get_columns(table)
    )


def conditions(connection: Connection, table: str) -> list[str]:
    if connection.dialect.name == "sqlite":
        rows = connection.execute(
            text("SELECT sql FROM sqlite_master WHERE tbl_name = :table AND sql IS NOT NULL"), {"table": table}
        ).scalars()
        # Of a table's own statement only what it says beside its columns, which are compared above.
        return [
            part
            for row in rows
            for part in ([row] if row.startswith(("CREATE INDEX", "CREATE UNIQUE")) else clauses(row))
        ]
    constraints = text(
        "SELECT conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint "
        "WHERE conrelid = CAST(:table AS regclass)"
    )
    indexes = text("SELECT indexdef FROM pg_indexes WHERE tablename = :table")
    return [
        definition
        for query in (constraints, indexes)
        for definition in connection.execute(query, {"table": table}).scalars()
    ]


def clauses(statement: str) -> list[str]:
    lines = [line.strip().rstrip(",") for line in statement.splitlines()]
    return [line for line in lines if line.startswith("CONSTRAINT")] + ["AUTOINCREMENT"] * (
        "AUTOINCREMENT" in statement
    )


@sqlite_only
def test_sqlite_never_gives_an_id_again(engine: Engine) -> None:
    counted = {table.name for table in TABLES if list(table.primary_key.columns.keys()) == ["id"]} - {
        "company", "company_logo", "filing_terms",
    }  # fmt: skip
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT name FROM sqlite_master WHERE sql LIKE '%AUTOINCREMENT%'"))
        assert set(rows.scalars()) == counted
