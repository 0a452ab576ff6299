"""The bell: rung twice it is one job, and a job works the run that the row describes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rq import Queue, SimpleWorker
from sqlalchemy.orm import Session

from monet_web import embedded, jobs, queues
from monet_web.models import Run
from monet_web.models.base import reading
from monet_web.models.runs import RunState
from tests.builders import an_order
from tests.cli.conftest import Monet, books, home, monet, store
from tests.services.scripted import ScriptedStore, put

__all__ = ["books", "home", "monet", "store"]  # fixtures of the command line's tests


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with embedded.valkey(tmp_path_factory.mktemp("valkey")) as url:
        yield url


def queued(monet: Monet, store: type[ScriptedStore]) -> None:
    monet("integrations", "add", "Kava", "--platform", "scripted", "--set", "address=kava")
    put(store, an_order(placed_at=datetime(2026, 1, 5, 10, 0, tzinfo=UTC)))
    monet("import", "Kava", "--from", "2026-01-05", "--to", "2026-01-05", "--queue")


def the_run(books: Session) -> Run:
    with reading(books):
        return books.get_one(Run, 1, populate_existing=True)


def test_a_run_that_is_rung_twice_is_one_job_and_is_worked(
    monet: Monet, store: type[ScriptedStore], books: Session, redis_url: str
) -> None:
    queued(monet, store)
    run = the_run(books)
    assert jobs.ring([run], redis_url)
    assert jobs.ring([run], redis_url)
    with queues.connect(redis_url) as redis:
        queue = Queue("default", connection=redis)
        assert queue.job_ids == ["run-1-0"]
        SimpleWorker([queue], connection=redis).work(burst=True)
        assert queue.job_ids == []
    ended = the_run(books)
    assert (ended.state, ended.fetched, ended.in_journal) == (RunState.DONE, 1, 1)


def test_a_run_that_has_ended_is_not_worked_again(monet: Monet, store: type[ScriptedStore], books: Session) -> None:
    queued(monet, store)
    jobs.run_import(1)
    ended_at = the_run(books).ended_at
    jobs.run_import(1)
    assert the_run(books).ended_at == ended_at


def test_without_redis_the_bell_is_silent_and_nothing_is_lost(
    monet: Monet, store: type[ScriptedStore], books: Session, tmp_path: Path
) -> None:
    queued(monet, store)
    assert not jobs.ring([the_run(books)], None)
    assert not jobs.ring([the_run(books)], f"unix://{tmp_path}/none.sock")
    assert the_run(books).state is RunState.QUEUED
