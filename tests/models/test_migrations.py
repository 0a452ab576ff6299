"""Every migration on a filled database of both kinds, there and back; two at once; what the door to them promises."""

from __future__ import annotations

import multiprocessing
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent

import pytest
from alembic.script import Script, ScriptDirectory
from flask import Flask
from flask_migrate import downgrade as flask_downgrade
from flask_migrate import upgrade as flask_upgrade
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from monet_web import migrate
from monet_web.domain.errors import NeedsOwner
from monet_web.models.customers import search_key
from tests.databases import Databases, postgresql_only, sqlite_only
from tests.filling import counts, fill

STEPS: list[Script] = list(ScriptDirectory(migrate.MIGRATIONS).walk_revisions())[::-1]


@pytest.fixture
def empty_url(databases: Databases) -> Iterator[str]:
    url = databases.empty()
    yield url
    databases.remove(url)


def asked(url: str, sql: str) -> list[object]:
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        return list(connection.execute(text(sql)).scalars())


def told(url: str, *statements: str) -> None:
    with create_engine(url, poolclass=NullPool).begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


def rows_of(url: str, *, add: bool = False) -> dict[str, int]:
    with create_engine(url, poolclass=NullPool).begin() as connection:
        if add:
            fill(connection)
        return counts(connection)


@pytest.mark.parametrize("step", STEPS, ids=[step.revision for step in STEPS])
def test_a_migration_loses_no_row_of_a_filled_database_there_and_back(empty_url: str, step: Script) -> None:
    before = str(step.down_revision or "base")
    if step.down_revision:
        migrate.upgrade(empty_url, before)
    earlier = rows_of(empty_url, add=True)
    migrate.upgrade(empty_url, step.revision)
    assert {table: count for table, count in rows_of(empty_url).items() if table in earlier} == earlier
    migrate.downgrade(empty_url, before)
    assert rows_of(empty_url) == earlier
    migrate.upgrade(empty_url, step.revision)
    assert {table: count for table, count in rows_of(empty_url).items() if table in earlier} == earlier


def test_a_filled_database_of_the_newest_schema_has_no_empty_table(database_url: str) -> None:
    assert {table for table, count in rows_of(database_url, add=True).items() if not count} == set()


def test_a_new_database_has_the_company_and_a_warehouse(database_url: str) -> None:
    assert asked(database_url, "SELECT id FROM company") == [1]
    assert asked(database_url, "SELECT country || currency || time_zone FROM company") == ["LTEUREurope/Vilnius"]
    assert asked(database_url, "SELECT code || ' ' || name FROM warehouses") == ["MAIN Main"]


def test_a_database_is_current_only_after_its_upgrade(empty_url: str) -> None:
    assert not migrate.is_current(empty_url)
    migrate.upgrade(empty_url)
    assert migrate.is_current(empty_url)
    migrate.upgrade(empty_url)
    assert migrate.is_current(empty_url)
    assert asked(empty_url, "SELECT id FROM company") == [1]


@sqlite_only
def test_asking_whether_a_database_is_current_makes_no_file(empty_url: str) -> None:
    assert not migrate.is_current(empty_url)
    assert not Path(str(make_url(empty_url).database)).exists()


def test_a_database_of_a_newer_version_is_refused(database_url: str) -> None:
    told(database_url, "UPDATE alembic_version SET version_num = '9999'")
    assert not migrate.is_current(database_url)
    with pytest.raises(NeedsOwner, match=r"made by a newer version of this program \(schema 9999\)") as caught:
        migrate.upgrade(database_url)
    assert caught.value.fix == "Start that version again, or use a copy of the database from before it."


@contextmanager
def lock_held(url: str) -> Iterator[None]:
    """Nothing but the lock of a migration: SQLite's own write lock is not taken."""
    engine = create_engine(url, poolclass=NullPool)
    if url.startswith("sqlite"):
        with migrate._one_at_a_time(engine):
            yield
    else:
        with engine.begin() as connection:
            connection.execute(text(f"SELECT pg_advisory_xact_lock({migrate._ADVISORY_LOCK})"))
            yield


def test_an_upgrade_waits_for_the_one_before_it(empty_url: str) -> None:
    second = threading.Thread(target=migrate.upgrade, args=(empty_url,))
    with lock_held(empty_url):
        second.start()
        second.join(0.5)
        assert second.is_alive()
        assert not migrate.is_current(empty_url)
    second.join()
    assert migrate.is_current(empty_url)


def test_processes_that_upgrade_at_once_wait_for_each_other(empty_url: str) -> None:
    spawn = multiprocessing.get_context("spawn")
    processes = [spawn.Process(target=migrate.upgrade, args=(empty_url,)) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]
    assert asked(empty_url, "SELECT id FROM company") == [1]
    assert asked(empty_url, "SELECT code FROM warehouses") == ["MAIN"]


def test_flask_s_own_commands_take_the_same_way(app: Flask, database_url: str) -> None:
    with app.app_context():
        flask_downgrade(revision="base")
        assert not migrate.is_current(database_url)
        flask_upgrade()
    assert migrate.is_current(database_url)
    assert asked(database_url, "SELECT id FROM company") == [1]


# --- a migration of tomorrow: it copies a table that others refer to


@pytest.fixture
def tomorrow(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A copy of the migrations, to which a test adds one as `0999`; gives its folder."""
    copy = tmp_path / "migrations"
    shutil.copytree(migrate.MIGRATIONS, copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(migrate, "MIGRATIONS", copy)
    return copy


def written(folder: Path, upgrade: str) -> None:
    head = f"""
        import sqlalchemy as sa
        from alembic import op
        revision = "0999"
        down_revision = "{STEPS[-1].revision}"

        def downgrade():
            pass

        def upgrade():
    """
    body = "\n".join(f"    {line}" for line in dedent(upgrade).strip().splitlines())
    (folder / "versions" / "0999_tomorrow.py").write_text(f"{dedent(head).strip()}\n{body}\n")


# SQLite can't change a column, so the batch copies the table; PostgreSQL just alters it.
COPY_INVOICES = """
    with op.batch_alter_table("invoices", table_kwargs={"sqlite_autoincrement": True}) as batch:
        batch.alter_column("order_number", existing_type=sa.String(120), nullable=True)
"""


def test_copying_a_table_loses_no_row_that_refers_to_it(database_url: str, tomorrow: Path) -> None:
    written(tomorrow, COPY_INVOICES)
    before = rows_of(database_url, add=True)
    migrate.upgrade(database_url)
    assert rows_of(database_url) == before
    assert before["invoice_lines"] == before["findings"] == 2
    told(database_url, "UPDATE invoices SET order_number = NULL")


@sqlite_only
def test_copying_a_table_keeps_its_triggers(database_url: str, tomorrow: Path) -> None:
    triggers = "SELECT name || sql FROM sqlite_master WHERE type = 'trigger' ORDER BY name"
    before = asked(database_url, triggers)
    written(tomorrow, COPY_INVOICES)
    rows_of(database_url, add=True)
    migrate.upgrade(database_url)
    assert asked(database_url, triggers) == before
    assert len(before) == 10
    version = asked(database_url, "SELECT sum(version) FROM waiting_marks")
    told(database_url, "UPDATE invoices SET state = 'in_journal', journal_id = 2 WHERE id = 1")
    told(database_url, "UPDATE invoices SET search_text = 'kept' WHERE id = 1")
    assert asked(database_url, "SELECT rowid FROM invoice_words WHERE invoice_words MATCH 'kep*'") == [1]
    assert asked(database_url, "SELECT sum(version) FROM waiting_marks") > version


@sqlite_only
def test_copying_a_table_remembers_the_ids_of_deleted_rows(database_url: str, tomorrow: Path) -> None:
    written(tomorrow, COPY_INVOICES)
    rows_of(database_url, add=True)
    told(database_url, "DELETE FROM invoices WHERE id = 2")
    migrate.upgrade(database_url)
    assert asked(database_url, "SELECT max(id) FROM invoices") == [1]
    assert asked(database_url, "SELECT seq FROM sqlite_sequence WHERE name = 'invoices'") == [2]
    living = "SELECT sql LIKE '%WHERE kind = ''invoice'' AND NOT superseded' FROM sqlite_master"
    assert asked(database_url, f"{living} WHERE name = 'uq_invoices_living'") == [1]


@sqlite_only
def test_a_migration_that_leaves_rows_pointing_nowhere_is_undone(database_url: str, tomorrow: Path) -> None:
    written(tomorrow, 'op.execute("DELETE FROM invoices")')
    before = rows_of(database_url, add=True)
    with pytest.raises(RuntimeError, match="rows that point nowhere: findings → invoices"):
        migrate.upgrade(database_url)
    assert rows_of(database_url) == before
    assert asked(database_url, "SELECT version_num FROM alembic_version") == [STEPS[-1].revision]


def test_a_migration_that_fails_leaves_nothing_behind(database_url: str, tomorrow: Path) -> None:
    written(tomorrow, 'op.create_table("colours", sa.Column("id", sa.Integer()))\nraise KeyError("half way")')
    with pytest.raises(KeyError, match="half way"):
        migrate.upgrade(database_url)
    assert "colours" not in rows_of(database_url)
    assert asked(database_url, "SELECT version_num FROM alembic_version") == [STEPS[-1].revision]


@sqlite_only
def test_foreign_keys_hold_again_after_a_migration(empty_url: str) -> None:
    migrate.upgrade(empty_url)
    assert asked(empty_url, "PRAGMA foreign_keys") == [1]


@postgresql_only
def test_the_lock_is_gone_when_the_migration_is(database_url: str) -> None:
    def locks(connection: Connection) -> int:
        return len(connection.execute(text("SELECT 1 FROM pg_locks WHERE locktype = 'advisory'")).all())

    with migrate.migrating(database_url) as connection:
        assert locks(connection) == 1
    with create_engine(database_url, poolclass=NullPool).connect() as connection:
        assert locks(connection) == 0


def test_customers_that_were_here_before_are_found_after_the_upgrade(empty_url: str) -> None:
    migrate.upgrade(empty_url, "0012")
    told(
        empty_url,
        "INSERT INTO customers (id, name, is_company, company_code, vat_code, email, country, address) VALUES "
        "(1, 'UAB  ŠVIESA', TRUE, '304 123455', 'lt-100001738313', 'Info@sviesa.lt', 'LT', '{}')",
    )
    migrate.upgrade(empty_url, "0013")
    (key,) = asked(empty_url, "SELECT search_key FROM customers")
    model = search_key(
        name="UAB  ŠVIESA", company_code="304 123455", vat_code="lt-100001738313", email="Info@sviesa.lt"
    )
    assert key == model
    assert str(key).startswith("uab šviesa\n")
    migrate.downgrade(empty_url, "0012")
    assert asked(empty_url, "SELECT name FROM customers") == ["UAB  ŠVIESA"]


def test_a_series_goes_on_with_the_prefix_of_the_settings_after_the_upgrade(empty_url: str) -> None:
    migrate.upgrade(empty_url, "0015")
    rows_of(empty_url, add=True)
    told(
        empty_url, "DELETE FROM series WHERE id > (SELECT min(id) FROM series)",
        "UPDATE integrations SET number_prefix = 'B-'",
        "UPDATE series SET kind = 'invoice', year = 2026, prefix = 'A-', next = 8",
    )  # fmt: skip
    migrate.upgrade(empty_url, "0016")
    assert asked(empty_url, "SELECT prefix FROM series") == ["B-"]
    told(
        empty_url,
        "INSERT INTO series (integration_id, kind, year, prefix, next) "
        "SELECT integration_id, kind, year, 'C-', 9 FROM series",
    )
    migrate.downgrade(empty_url, "0015")
    assert asked(empty_url, "SELECT next FROM series") == [9]
