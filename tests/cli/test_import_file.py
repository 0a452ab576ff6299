"""`monet import-file`: the orders of a backup, where the shop can't be asked."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from monet_web.models import Invoice, Run
from monet_web.models.base import reading
from tests.cli.conftest import Monet, said

RECORDED = Path(__file__).parents[1] / "connectors" / "recorded" / "opencart" / "backup_oc3.sql.gz"


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    file = tmp_path / "backup.sql"
    file.write_bytes(gzip.decompress(RECORDED.read_bytes()))
    return file


@pytest.fixture
def arbata(monet: Monet) -> None:
    """An OpenCart that is known by its address alone."""
    monet(
        "integrations", "add", "Arbata", "--platform", "opencart", "--set", "address=https://arbata.example",
        "--set", "not_before=", "--set", "number_prefix=AR-",
    )  # fmt: skip


def test_a_file_is_previewed_imported_and_nothing_of_it_comes_twice(
    monet: Monet, arbata: None, backup: Path, books: Session
) -> None:
    (seen,) = said(monet("import-file", "arbata", backup, "--dry-run", "--json"))["runs"]
    assert (seen["state"], seen["fetched"], seen["in_journal"]) == ("done", 83, 59)
    with reading(books):
        assert books.query(Invoice).count() == 0
    text = monet("import-file", "Arbata", backup).stdout
    assert "83" in text
    (again,) = said(monet("import-file", "Arbata", backup, "--json"))["runs"]
    assert (again["fetched"], again["already_there"], again["in_journal"]) == (83, 59, 0)
    with reading(books):
        assert books.query(Invoice).count() == 59


def test_a_broken_file_ends_with_1_and_one_that_is_none_is_refused(monet: Monet, arbata: None, backup: Path) -> None:
    backup.write_bytes(backup.read_bytes()[:200_000])
    (run,) = said(monet("import-file", "Arbata", backup, "--json", code=1))["runs"]
    assert run["state"] == "failed"
    assert "none of its orders were read" in run["error"]
    other = backup.with_suffix(".zip")
    other.write_bytes(b"PK")
    result = monet("import-file", "Arbata", other, code=2)
    assert "“backup.zip” is no .sql file." in result.stderr


def test_it_can_be_left_to_the_workers(monet: Monet, arbata: None, backup: Path, books: Session) -> None:
    (run,) = said(monet("import-file", "Arbata", backup, "--queue", "--json"))["runs"]
    assert run["state"] == "queued"
    with reading(books):
        row = books.get_one(Run, run["id"])
        assert (row.kind.value, row.file_name, row.foreground) == ("file", "backup.sql", False)


def test_an_unknown_name_says_which_there_are(monet: Monet, arbata: None, backup: Path) -> None:
    result = monet("import-file", "Arbatta", backup, code=2)
    assert "There is no integration named “Arbatta”." in result.stderr
    assert "Is it Arbata?" in result.stderr
