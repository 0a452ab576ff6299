"""Fixtures of every test: a database of either kind, sessions on it, the application. The rest is in databases.py."""

from __future__ import annotations

import decimal
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from hypothesis import settings
from jinja2 import FileSystemBytecodeCache
from sqlalchemy import Engine, create_engine
from sqlalchemy.orm import Session, close_all_sessions, sessionmaker

from monet_web.app import create_app
from monet_web.config import Config
from monet_web.models import db
from monet_web.models.base import sealer
from tests import made_once
from tests.databases import TEST_KEY, Databases, PostgresqlDatabases, SqliteDatabases, postgresql_server

made_once.keep()

# A float that becomes a Decimal, or is compared with one, fails the test that it happens in, in any thread (D13).
decimal.DefaultContext.traps[decimal.FloatOperation] = True
decimal.getcontext().traps[decimal.FloatOperation] = True

# How long an example takes says nothing on a machine that runs other tests beside it.
settings.register_profile("monet", deadline=None)
settings.load_profile("monet")


@pytest.fixture(autouse=True)
def _push_request_context() -> None:
    """pytest-flask's own would share `g`, and so the person signed in, over all requests of a test."""


@pytest.fixture(scope="session")
def postgresql_databases() -> Iterator[PostgresqlDatabases]:
    """One server a process (a worker of pytest-xdist has its own), started by the first test that needs it."""
    with postgresql_server() as databases:
        yield databases


@pytest.fixture(scope="session")
def sqlite_databases(tmp_path_factory: pytest.TempPathFactory) -> SqliteDatabases:
    """Files in a folder of pytest's."""
    return SqliteDatabases(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture(params=["sqlite", "postgresql"])
def databases(request: pytest.FixtureRequest) -> Databases:
    """Makes databases of this kind: for tests of migrations, which want empty ones."""
    made: Databases = request.getfixturevalue(f"{request.param}_databases")
    return made


@pytest.fixture
def database_url(databases: Databases, request: pytest.FixtureRequest) -> Iterator[str]:
    """A database of this test alone, with the newest schema, company 1 and warehouse MAIN."""
    url = databases.migrated(unused=request.node.get_closest_marker("unused_database") is not None)
    yield url
    databases.remove(url)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An engine on the test's database; the sealer has a key."""
    sealer.bind([TEST_KEY])
    engine = create_engine(database_url)
    yield engine
    close_all_sessions()
    engine.dispose()


@pytest.fixture
def session_factory(engine: Engine) -> sessionmaker[Session]:
    """Makes sessions on the test's database: one a thread. A process makes its own engine from `database_url`."""
    return sessionmaker(engine, expire_on_commit=False)


@pytest.fixture
def session(session_factory: sessionmaker[Session]) -> Session:
    """A session on the test's database; use it within `reading(session)` or `writing(session)`."""
    return session_factory()


@pytest.fixture
def config(database_url: str, tmp_path: Path) -> Config:
    """A configuration for the test's database, without Redis."""
    return Config(
        database_url=database_url,
        is_embedded_database=database_url.startswith("sqlite"),
        redis_url=None,
        secret_key="a-key-of-tests-that-signs-nothing-real",
        encryption_keys=(TEST_KEY,),
        home=tmp_path,
        url="http://localhost",
    )


@pytest.fixture(scope="session")
def compiled_templates(tmp_path_factory: pytest.TempPathFactory) -> FileSystemBytecodeCache:
    """Compiling templates anew for each application would be nearly half the time of a page's test."""
    return FileSystemBytecodeCache(str(tmp_path_factory.mktemp("templates")))


@pytest.fixture
def app(config: Config, compiled_templates: FileSystemBytecodeCache) -> Iterator[Flask]:
    """The application on the test's database. No context is pushed; forms need no CSRF token."""
    app = create_app(config)
    app.jinja_env.bytecode_cache = compiled_templates
    # A test changes a row and looks at once: what pages share for half a second is read anew each time.
    app.config.update(TESTING=True, WTF_CSRF_ENABLED=False, MONET_SHARED_SECONDS=0)
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
