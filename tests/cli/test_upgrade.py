"""`monet upgrade`, the mode of the database's file, and the line of progress."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from monet_web import migrate
from monet_web.commands import _progress
from monet_web.config import CHECKOUT
from monet_web.models import Integration, Run
from tests.cli.conftest import Monet, said


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_upgrade_brings_the_database_to_the_newest_schema(monet: Monet, home: Path) -> None:
    assert monet("upgrade").stdout == "The database is up to date already.\n"
    (home / "monet.sqlite3").unlink()
    found = {one["part"]: one for one in said(monet("doctor", "--json", code=1))}
    assert found["migrations"]["fix"] == "Type: monet upgrade"
    assert monet("upgrade").stdout == "The database is up to date now.\n"
    assert migrate.is_current(f"sqlite:///{home / 'monet.sqlite3'}")


def test_upgrade_works_on_the_database_that_is_named(
    monet: Monet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'other.sqlite3'}")
    monkeypatch.setenv("SECRET_KEY", "k" * 40)
    found = {one["part"]: one for one in said(monet("doctor", "--json", code=1))}
    assert found["migrations"]["fix"] == "Type: monet upgrade"
    assert "Type: monet upgrade" in monet("company", "show", code=1).stderr
    monet("upgrade")
    assert migrate.is_current(f"sqlite:///{tmp_path / 'other.sqlite3'}")


def test_the_release_process_upgrades() -> None:
    assert "release: python -m monet_web.cli upgrade\n" in (CHECKOUT / "Procfile").read_text(encoding="utf-8")


def test_a_database_made_in_an_open_folder_is_for_its_user_alone(monet: Monet, home: Path) -> None:
    (home / "monet.sqlite3").unlink()
    home.chmod(0o755)
    before = os.umask(0o022)
    try:
        monet("company", "set", "name=UAB X")
    finally:
        os.umask(before)
    assert {each.name: mode(each) for each in home.glob("monet.sqlite3*") if mode(each) & 0o077} == {}
    found = {one["part"]: one for one in said(monet("doctor", "--json", code=1))}
    assert found["database file"]["well"]


def test_the_doctor_tells_of_a_database_that_others_may_read(monet: Monet, home: Path) -> None:
    path = home / "monet.sqlite3"
    path.chmod(0o644)
    found = {one["part"]: one for one in said(monet("doctor", "--json", code=1))}["database file"]
    assert (found["well"], found["text"]) == (False, f"Others on this machine may read {path}.")
    assert found["fix"].startswith(f"Type: chmod 600 {path}")


def test_the_time_left_stands_right_after_the_bar_where_80_columns_keep_it() -> None:
    run = Run(fetched=70, expected=1200, registered=43, in_journal=22, filtered=3, already_there=2, conflict=0,
              unreadable=0, integration=Integration(name="Kavos ir arbatos namai Vilniuje"))  # fmt: skip
    line = _progress._line(run, 20.0, with_bar=True)
    assert line == (
        "Kavos ir arbatos na…: [............] 5:22 left · 70 of 1 200 · registered 43 · journal 22 · skipped 5"
    )
    run.integration.name = "Kava Ltd"
    line = _progress._line(run, 20.0, with_bar=True)
    assert line[:79].startswith("Kava Ltd: [............] 5:22 left · 70 of 1 200 · registered 43 · journal 22")
