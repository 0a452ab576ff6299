"""The command line on an embedded database of its own, with a scripted store in place of a platform."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import create_engine
from sqlalchemy.orm import Session, close_all_sessions

from monet_web.cli import cli
from monet_web.connectors import CONNECTORS
from monet_web.models.base import sealer
from tests.databases import TEST_KEY, SqliteDatabases
from tests.services.scripted import ScriptedStore

Monet = Callable[..., Result]


@pytest.fixture
def home(tmp_path: Path, sqlite_databases: SqliteDatabases, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A MONET_HOME with a migrated database; nothing else of the environment reaches the command."""
    for name in ("DATABASE_URL", "REDIS_URL", "MONET_URL", "MONET_DEBUG", "MONET_ALLOW_PRIVATE_ADDRESSES"):
        monkeypatch.delenv(name, raising=False)
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    monkeypatch.setenv("MONET_HOME", str(home))
    monkeypatch.setenv("MONET_ENCRYPTION_KEYS", TEST_KEY)
    url = sqlite_databases.migrated()
    shutil.move(url.removeprefix("sqlite:///"), home / "monet.sqlite3")
    return home


@pytest.fixture
def monet(home: Path, monkeypatch: pytest.MonkeyPatch) -> Monet:
    """Run one command: `monet("import", "%", …)`; `code` is the exit code that is expected."""
    monkeypatch.setitem(CONNECTORS, "scripted", ScriptedStore)
    ScriptedStore.ORDERS = {}
    ScriptedStore.SAID = []
    ScriptedStore.PAGE = 100
    ScriptedStore.before_page = None

    def run(*arguments: object, code: int = 0, text: str | None = None) -> Result:
        result = CliRunner().invoke(cli, [str(each) for each in arguments], input=text, prog_name="monet")
        assert result.exit_code == code, result.output
        assert "Traceback" not in result.output
        return result

    return run


@pytest.fixture
def store() -> type[ScriptedStore]:
    """What the scripted store says; put orders into it."""
    return ScriptedStore


@pytest.fixture
def books(home: Path) -> Iterator[Session]:
    """A session on the command line's database, to look what a command did."""
    sealer.bind([TEST_KEY])
    engine = create_engine(f"sqlite:///{home / 'monet.sqlite3'}")
    yield Session(engine, expire_on_commit=False)
    close_all_sessions()
    engine.dispose()


def said(result: Result) -> Any:
    """What a command printed as JSON: nothing else may be on stdout."""
    return json.loads(result.stdout)
