"""A backup of an OpenCart's orders goes the way of every import: previewed, booked, never twice, never backwards."""

from __future__ import annotations

import gzip
import io
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from monet_web.connectors.base import Surroundings
from monet_web.domain.errors import BrokenRule
from monet_web.models import Integration, Invoice, Run, StoreOrder, StoreOrderVersion, Upload, UploadPart
from monet_web.models.base import reading
from monet_web.models.runs import RunKind, RunState
from monet_web.services.importing import claims
from monet_web.services.integrations import connect
from monet_web.services.opening import open_runs, uploads
from monet_web.services.running import run_import

Factory = sessionmaker[Session]
NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
FILE = Path(__file__).parents[1] / "connectors" / "recorded" / "opencart" / "backup_oc3.sql.gz"


def backup() -> bytes:
    return gzip.decompress(FILE.read_bytes())


@pytest.fixture
def integration(session: Session) -> Integration:
    """Without a key: no bridge may be installed."""
    return connect.add_integration(
        session,
        name="Arbata",
        platform="opencart",
        values={"address": "https://arbata.example", "number_prefix": "AR-"},
        now=NOW,
        actor="test",
    )


def keep(session: Session, integration: Integration, data: bytes, name: str = "backup.sql") -> Upload:
    return uploads.keep(session, integration.id, io.BytesIO(data), name=name, now=NOW, actor="test")


def read(factory: Factory, session: Session, upload: Upload, kind: RunKind = RunKind.FILE) -> Run:
    run = uploads.open_run(session, upload.id, kind=kind, now=NOW, actor="test", foreground=True)
    return work(factory, run)


def work(factory: Factory, run: Run) -> Run:
    surroundings = Surroundings()
    return run_import.run(factory, run.id, surroundings=surroundings, clock=lambda: NOW, worker=claims.this_process())


def count(session: Session, model: type[object]) -> int:
    with reading(session):
        return session.scalar(select(func.count()).select_from(model)) or 0


def test_a_backup_is_booked_as_any_import_and_a_second_time_nothing_is(
    session: Session, session_factory: Factory, integration: Integration
) -> None:
    upload = keep(session, integration, backup())
    assert (upload.name, upload.size, upload.is_whole) == ("backup.sql", len(backup()), True)
    run = read(session_factory, session, upload)
    assert (run.state, run.error, run.fetched) == (RunState.DONE, "", 83)
    assert (run.in_journal, run.filtered, run.unreadable) == (59, 24, 0)
    assert (run.kind, run.file_name) == (RunKind.FILE, "backup.sql")
    again = read(session_factory, session, keep(session, integration, backup()))
    assert (again.fetched, again.already_there, again.filtered, again.in_journal) == (83, 59, 24, 0)
    assert (count(session, Invoice), count(session, StoreOrderVersion)) == (59, 83)


def test_a_preview_writes_no_document(session: Session, session_factory: Factory, integration: Integration) -> None:
    run = read(session_factory, session, keep(session, integration, backup()), RunKind.PREVIEW)
    assert (run.state, run.fetched, run.in_journal) == (RunState.DONE, 83, 59)
    assert count(session, Invoice) == 0


def test_what_a_file_says_tells_nothing_of_the_store(
    session: Session, session_factory: Factory, integration: Integration
) -> None:
    """Neither what is imported of its days, nor whether it lets us in."""
    read(session_factory, session, keep(session, integration, backup()))
    with reading(session):
        row = session.get_one(Integration, integration.id, populate_existing=True)
        assert (row.covered_until, row.gaps) == (None, None)
        assert row.refused_since is None
    broken = backup()[:200_000]
    run = read(session_factory, session, keep(session, integration, broken))
    assert run.state is RunState.FAILED
    assert run.error.endswith("so none of its orders were read.")
    assert run.fix
    assert run.fetched == 0
    with reading(session):
        assert session.get_one(Integration, integration.id, populate_existing=True).refused_since is None


def later(data: bytes, order: int, date: str, name: str) -> bytes:
    """The order of another company, changed at `date`."""
    lines = data.splitlines(keepends=True)
    for number, line in enumerate(lines):
        if line.startswith(b"INSERT INTO `oc_order` ") and f" VALUES ('{order}',".encode() in line:
            changed = re.sub(rb"'[^']*'\);\s*$", f"'{date}');\n".encode(), line)
            lines[number] = changed.replace("'MB Eglės namai'".encode(), f"'{name}'".encode())
            assert lines[number] != line
    return b"".join(lines)


def test_a_newer_backup_refreshes_what_waits_and_an_older_one_takes_nothing_back(
    session: Session, session_factory: Factory, integration: Integration
) -> None:
    def buyer() -> str:
        with reading(session):
            order = session.scalars(select(StoreOrder).where(StoreOrder.external_id == "2")).one()
            invoice = session.scalars(select(Invoice).where(Invoice.store_order_id == order.id)).one()
            return str(invoice.buyer_name)

    read(session_factory, session, keep(session, integration, backup()))
    before = buyer()
    newer = later(backup(), 2, "2026-11-20 10:00:00", "MB Rožės namai")
    assert read(session_factory, session, keep(session, integration, newer)).refreshed == 1
    after = buyer()
    assert (before, after) == ("MB Eglės namai", "MB Rožės namai")
    run = read(session_factory, session, keep(session, integration, backup()))
    assert (run.state, run.fetched, run.refreshed, run.changed) == (RunState.DONE, 83, 0, 0)
    assert buyer() == after


def test_run_again_reads_the_file_again_until_a_newer_one_takes_its_place(
    session: Session, session_factory: Factory, integration: Integration
) -> None:
    first = read(session_factory, session, keep(session, integration, backup(), "first.sql"))
    again = open_runs.again(session, first.id, now=NOW, actor="test")
    assert (again.kind, again.upload_id, again.file_name) == (RunKind.FILE, first.upload_id, "first.sql")
    done = work(session_factory, again)
    assert (done.state, done.already_there) == (RunState.DONE, 59)
    keep(session, integration, backup(), "second.sql")
    assert count(session, Upload) == 1
    late = work(session_factory, open_runs.again(session, first.id, now=NOW, actor="test"))
    assert (late.state, late.error) == (
        RunState.FAILED,
        "first.sql is not kept any more: a newer file took its place.",
    )


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("backup.zip", b"PK", "“backup.zip” is no .sql file."),
        ("a.sql", b"", "This file holds no orders of an OpenCart."),
        ("a.sql", b"<html>" * 1000, "This file holds no orders of an OpenCart."),
        ("a.sql", b"x" * (16 * 1024**2 + 1), "A line of the file is longer than 16 MB, which no backup of orders has."),
    ],
)
def test_a_file_that_is_none_is_refused_and_leaves_nothing(
    session: Session, integration: Integration, name: str, data: bytes, said: str
) -> None:
    with pytest.raises(BrokenRule) as caught:
        keep(session, integration, data, name)
    assert caught.value.message == said
    assert caught.value.fix
    assert (count(session, Upload), count(session, UploadPart)) == (0, 0)


def test_a_refused_file_leaves_the_one_before_it(
    session: Session, session_factory: Factory, integration: Integration
) -> None:
    upload = keep(session, integration, backup())
    with pytest.raises(BrokenRule):
        keep(session, integration, b"nothing")
    assert read(session_factory, session, upload).fetched == 83


def test_a_large_file_is_kept_in_parts_and_read_whole(session: Session, integration: Integration) -> None:
    data = backup() * 12  # 4 MB
    upload = keep(session, integration, data)
    assert count(session, UploadPart) >= 3
    kept = list(uploads.lines(session, upload.id, upload.name))
    wanted = [line for line in data.splitlines(keepends=True) if line.startswith(b"INSERT")]
    assert [line for line in kept if line.strip()] == wanted


def test_a_platform_without_files_says_how_its_orders_come(session: Session) -> None:
    other = connect.add_integration(
        session,
        name="Kava",
        platform="woocommerce",
        values={"address": "https://kava.example", "consumer_key": "ck_1", "consumer_secret": "cs_1"},
        now=NOW,
        actor="test",
    )
    with pytest.raises(BrokenRule, match="WooCommerce gives its orders by its address and key"):
        keep(session, other, backup())


def test_a_removed_integration_takes_its_files_along(
    session: Session, session_factory: Factory, integration: Integration
) -> None:
    upload = keep(session, integration, backup())
    assert connect.retire(session, "Arbata", now=NOW, actor="test") is False
    assert (count(session, Upload), count(session, UploadPart), count(session, Integration)) == (0, 0, 0)
    with pytest.raises(BrokenRule, match="not kept any more"):
        uploads.open_run(session, upload.id, kind=RunKind.FILE, now=NOW + timedelta(1), actor="test", foreground=False)
