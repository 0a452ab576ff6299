"""Bundles of documents as RQ sees them: rung once, drawn by a worker, rung again by a tick when the bell was lost."""

from __future__ import annotations

import io
import zipfile
from datetime import timedelta

import pytest
from redis import Redis
from rq import Queue, SimpleWorker
from sqlalchemy.orm import Session

from monet_web import jobs
from monet_web.models import Bundle
from monet_web.models.base import reading, writing
from monet_web.models.errands import ErrandState
from monet_web.services.documents.exports import bundles
from tests.cli.conftest import Monet, books, home, monet, store
from tests.jobs.test_errands import NOW
from tests.jobs.test_tick import redis, redis_url
from tests.services.test_pdf import a_company, a_document

__all__ = ["books", "home", "monet", "redis", "redis_url", "store"]  # fixtures of other tests


@pytest.fixture
def bundle(monet: Monet, books: Session, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Bundle:
    """A bundle of two documents."""
    monkeypatch.setenv("REDIS_URL", redis_url)
    with writing(books):
        a_company(books)
        ids = [a_document(books, number=number) for number in ("KL-1", "KL-2")]
    return bundles.begin(books, ids, ending="zip", language="lt", now=NOW, actor="ona")


def test_a_bundle_is_rung_once_and_drawn(bundle: Bundle, books: Session, redis: Redis, redis_url: str) -> None:
    assert jobs.ring_bundles([bundle], redis_url)
    assert jobs.ring_bundles([bundle], redis_url)
    urgent = Queue("urgent", connection=redis)
    assert urgent.job_ids == [f"bundle-{bundle.id}-0"]
    SimpleWorker([urgent], connection=redis).work(burst=True)
    with reading(books):
        done, body = bundles.find(books, bundle.id), bundles.body(books, bundle.id)
    assert done is not None
    assert done.state is ErrandState.DONE
    assert body is not None
    with zipfile.ZipFile(io.BytesIO(body)) as file:
        assert file.namelist() == ["KL-1.pdf", "KL-2.pdf"]


def test_a_lost_bell_is_rung_again_by_a_tick(bundle: Bundle, redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    urgent = Queue("urgent", connection=redis)
    monkeypatch.setattr(jobs, "now_utc", lambda: NOW + timedelta(seconds=60))
    jobs.tick()
    assert urgent.job_ids == [f"bundle-{bundle.id}-0"]


def test_without_redis_nothing_is_rung_and_nothing_lost(bundle: Bundle, books: Session) -> None:
    assert not jobs.ring_bundles([bundle], None)
    assert not jobs.ring_bundles([bundle], "redis://127.0.0.1:1")
    assert [one.id for one in bundles.to_ring(books, now=NOW + timedelta(minutes=1))] == [bundle.id]
