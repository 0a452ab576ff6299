"""Errands as RQ sees them: rung once, worked by a worker, rung again by a tick when the bell was lost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from redis import Redis
from rq import Queue, SimpleWorker
from sqlalchemy import select
from sqlalchemy.orm import Session

from monet_web import jobs
from monet_web.models import Errand, Invoice
from monet_web.models.base import reading, writing
from monet_web.models.errands import ErrandState
from monet_web.services.documents import errands
from tests.builders import a_line, an_item, an_order
from tests.cli.conftest import Monet, books, home, monet, store
from tests.jobs.test_tick import redis, redis_url
from tests.services.scripted import ScriptedStore, put

__all__ = ["books", "home", "monet", "redis", "redis_url", "store"]  # fixtures of other tests

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


@pytest.fixture
def errand(monet: Monet, books: Session, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Errand:
    """An errand of two invoices that wait for an item which is here by now."""
    monet("integrations", "add", "Kava", "--platform", "scripted", "--set", "address=kava")
    line = a_line(product_id="")
    put(ScriptedStore, *(an_order(external_id=str(n), number=str(n), lines=(line,)) for n in (1, 2)))
    monet("import", "Kava", "--from", "2026-11-01", "--to", "2026-11-24")
    monkeypatch.setenv("REDIS_URL", redis_url)
    with writing(books):
        an_item(books, "KN-01", on_hand=9)
    with reading(books):
        ids = list(books.scalars(select(Invoice.id)))
    return errands.begin(books, ids, now=NOW, actor="ona")


def states(books: Session) -> set[str]:
    with reading(books):
        return {state.value for state in books.scalars(select(Invoice.state))}


def test_an_errand_is_rung_once_and_worked(errand: Errand, books: Session, redis: Redis, redis_url: str) -> None:
    assert jobs.ring_errands([errand], redis_url)
    assert jobs.ring_errands([errand], redis_url)
    urgent = Queue("urgent", connection=redis)
    assert urgent.job_ids == [f"errand-{errand.id}-0"]
    SimpleWorker([urgent], connection=redis).work(burst=True)
    with reading(books):
        done = books.get_one(Errand, errand.id, populate_existing=True)
    assert (done.state, done.registered) == (ErrandState.DONE, 2)
    assert states(books) == {"registered"}


def test_a_lost_bell_is_rung_again_by_a_tick(errand: Errand, redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    urgent = Queue("urgent", connection=redis)
    monkeypatch.setattr(jobs, "now_utc", lambda: NOW + timedelta(seconds=10))
    jobs.tick()
    assert urgent.job_ids == []  # it was asked for just now
    monkeypatch.setattr(jobs, "now_utc", lambda: NOW + timedelta(seconds=60))
    jobs.tick()
    assert urgent.job_ids == [f"errand-{errand.id}-0"]


def test_without_redis_nothing_is_rung_and_nothing_lost(errand: Errand, books: Session) -> None:
    assert not jobs.ring_errands([errand], None)
    assert not jobs.ring_errands([errand], "redis://127.0.0.1:1")
    assert [one.id for one in errands.to_ring(books, now=NOW + timedelta(minutes=1))] == [errand.id]
