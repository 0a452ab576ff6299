"""Runs followed over a real Valkey: in order, resumed by id, capped; a real worker killed with -9 and what is told."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis
from sqlalchemy.orm import Session, sessionmaker

from monet_web import embedded, events, jobs, queues, supervisor
from monet_web.app import create_app
from monet_web.blueprints.runs import following, signs
from monet_web.config import CHECKOUT, Config
from monet_web.demo.serve import serve
from monet_web.demo.woocommerce import plain_shop
from monet_web.demo.woocommerce.auth import DEMO_KEY, DEMO_SECRET
from monet_web.models import Integration, Run, db
from monet_web.models.base import now_utc, reading, writing
from monet_web.models.runs import RunState
from monet_web.models.users import Role
from monet_web.services.importing import claims
from monet_web.services.integrations import connect
from monet_web.services.opening import open_runs
from monet_web.services.running.progress import Line
from tests.builders import a_run, an_integration
from tests.databases import TEST_KEY
from tests.web.integrating import browser, words

PATIENCE = 40.0  # seconds; the machine may be busy with other tests


@pytest.fixture(scope="module")
def valkey() -> Iterator[Redis]:
    with (
        tempfile.TemporaryDirectory(prefix="v-") as home,
        embedded.valkey(Path(home)) as url,
        queues.connect(url) as client,
    ):
        yield client


@pytest.fixture
def redis(valkey: Redis) -> Redis:
    """Empty: runs of different databases have the same ids."""
    valkey.flushall()
    return valkey


@pytest.fixture
def config(config: Config, redis: Redis) -> Config:
    """With that Redis."""
    return replace(config, redis_url=f"unix://{redis.get_connection_kwargs()['path']}")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "SECONDS_BETWEEN_LOOKS", 0.1)
    monkeypatch.setattr(following, "SECONDS_BETWEEN_HEARTBEATS", 0.2)
    monkeypatch.setattr(signs, "SECONDS_REMEMBERED", 0.0)


class Follower:
    """A page that follows runs as the browser's EventSource does, in a thread of its own as every request has one."""

    def __init__(self, client: FlaskClient, address: str, last_id: str = "") -> None:
        self.last_id = last_id
        self.status = 0
        self.headers: dict[str, str] = {}
        self._events: queue.Queue[tuple[str, dict[str, Any]]] = queue.Queue()
        self._is_open = threading.Event()
        self._leaves = threading.Event()
        self._thread = threading.Thread(target=self._follow, args=(client, address, last_id), daemon=True)
        self._thread.start()
        assert self._is_open.wait(PATIENCE)

    def next(self) -> tuple[str, dict[str, Any]]:
        """The next event: its kind and what it says; `closed` when the stream has ended."""
        return self._events.get(timeout=PATIENCE)

    def close(self) -> None:
        """The person leaves the page."""
        self._leaves.set()
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()

    def _follow(self, client: FlaskClient, address: str, last_id: str) -> None:
        with client.get(address, headers={"Last-Event-ID": last_id} if last_id else {}, buffered=False) as answer:
            self.status, self.headers = answer.status_code, dict(answer.headers)
            self._is_open.set()
            for chunk in answer.response:
                self._hear(chunk.decode() if isinstance(chunk, bytes) else str(chunk))
                if self._leaves.is_set():
                    return
        self._events.put(("closed", {}))

    def _hear(self, text: str) -> None:
        # Comments, and the wish of when to come again, are no events.
        said = dict(line.split(": ", 1) for line in text.strip().split("\n") if ": " in line and line[0] != ":")
        self.last_id = said.get("id", self.last_id)
        if "event" in said:
            self._events.put((said["event"], json.loads(said["data"])))


def at_work(session: Session, **changes: Any) -> Run:
    now = now_utc()
    plain: dict[str, Any] = {
        "state": RunState.RUNNING, "attempt": 1, "worker": claims.this_process(), "created_at": now, "started_at": now,
        "heartbeat_at": now, "progress_version": 1, "expected": 100,
    }  # fmt: skip
    with writing(session):
        return a_run(session, an_integration(session, changes.pop("name", "Molis LT")), **{**plain, **changes})


def page_booked(session: Session, redis: Redis, run: Run, number: int, *, state: RunState = RunState.RUNNING) -> None:
    with writing(session):
        row = session.get_one(Run, run.id, populate_existing=True)
        row.progress_version, row.fetched, row.registered, row.state = number + 1, number * 10, number * 10, state
        row.ended_at = None if state is RunState.RUNNING else now_utc()
    events.tell(redis, row, [Line(now_utc(), "page", {"page": number, "registered": 10})])


def test_a_stream_paints_in_order_and_ends_with_the_run(app: Flask, session: Session, redis: Redis) -> None:
    run = at_work(session)
    page = Follower(browser(app, session, Role.VIEWER), f"/runs/events?run={run.id}")
    assert (page.status, page.headers["Content-Type"]) == (200, "text/event-stream; charset=utf-8")
    assert page.headers["Cache-Control"] == "no-store"
    kind, first = page.next()
    assert (kind, first["run"], first["version"]) == ("painting", run.id, 1)
    for number in (1, 2):
        page_booked(session, redis, run, number)
        kind, said = page.next()
        assert (kind, said["version"]) == ("painting", number + 1)
        assert f"{number}0 of 100 orders" in words(said["html"])
        assert f"Page {number} booked: 10 registered." in words(said["html"])
        assert 'hx-trigger="every' in said["html"]
    page_booked(session, redis, run, 3, state=RunState.DONE)
    kind, said = page.next()
    assert (kind, said["version"]) == ("painting", 4)
    assert "hx-trigger" not in said["html"]
    assert page.next()[0] == "end"
    assert page.next()[0] == "closed"
    page.close()


def test_a_page_that_comes_again_goes_on_where_it_was(app: Flask, session: Session, redis: Redis) -> None:
    run = at_work(session)
    client = browser(app, session, Role.VIEWER)
    page = Follower(client, f"/runs/events?run={run.id}")
    page.next()
    page_booked(session, redis, run, 1)
    page.next()
    page.close()
    seen = page.last_id
    assert seen == f"{run.id}_2"
    # Nothing happened meanwhile: nothing is painted until something does.
    again = Follower(client, f"/runs/events?run={run.id}", seen)
    threading.Timer(0.5, page_booked, (session, redis, run, 2)).start()
    began = time.monotonic()
    assert again.next()[1]["version"] == 3
    assert time.monotonic() - began > 0.3
    again.close()
    # It ended while nobody listened: the end is told, by the header or by the address.
    page_booked(session, redis, run, 3, state=RunState.DONE)
    for last in (
        Follower(client, f"/runs/events?run={run.id}", seen),
        Follower(client, f"/runs/events?run={run.id}&since={seen}"),
    ):
        assert last.next()[1]["version"] == 4
        assert last.next()[0] == "end"
        last.close()
    # A page that knows the end, and one that never followed it, are told to go on without.
    assert client.get(f"/runs/events?run={run.id}&since={last.last_id}").status_code == 204
    assert client.get(f"/runs/events?run={run.id}").status_code == 204


@pytest.mark.parametrize("since", ["x", "1_", "1_2_x", "1_9999999999999999999999", "..", "1_-1", "²_1", "1_²"])
def test_an_id_that_is_none_of_ours_is_a_new_page(app: Flask, session: Session, since: str) -> None:
    run = at_work(session)
    page = Follower(browser(app, session, Role.VIEWER), f"/runs/events?run={run.id}", since.encode().decode("latin-1"))
    assert page.next()[1]["version"] == 1
    page.close()


def test_one_stream_follows_every_run_of_a_launch(app: Flask, session: Session, redis: Redis) -> None:
    first, second = at_work(session, name="A"), at_work(session, name="B")
    page = Follower(browser(app, session, Role.VIEWER), f"/runs/events?run={first.id},{second.id}")
    assert [page.next()[1]["run"] for _ in range(2)] == [first.id, second.id]
    page_booked(session, redis, second, 1, state=RunState.DONE)
    assert page.next()[1]["run"] == second.id
    page_booked(session, redis, first, 1, state=RunState.DONE)
    assert page.next()[1]["run"] == first.id
    assert page.next()[0] == "end"
    page.close()


def test_what_nobody_told_is_seen_in_the_row(app: Flask, session: Session) -> None:
    run = at_work(session)
    page = Follower(browser(app, session, Role.VIEWER), f"/runs/events?run={run.id}")
    page.next()
    with writing(session):  # no event: whoever wrote it had no Redis
        row = session.get_one(Run, run.id)
        row.progress_version, row.fetched = 2, 10
    assert page.next()[1]["version"] == 2
    with writing(session):  # its worker died, which no row says
        session.get_one(Run, run.id).worker = claims.this_process().rsplit(":", 1)[0] + ":1"
    assert "The program that ran this has ended" in words(page.next()[1]["html"])
    page.close()


def test_beyond_the_cap_a_page_is_told_to_ask_by_itself(config: Config, session: Session) -> None:
    app = create_app(config)
    app.extensions["monet_places"] = following.Places(2)
    run = at_work(session)
    client = browser(app, session, Role.VIEWER)
    address = f"/runs/events?run={run.id}"
    open_ones = [Follower(client, address) for _ in range(2)]
    assert client.get(address).status_code == 204
    open_ones[0].close()  # nothing was read of it
    third = Follower(client, address)
    assert third.next()[0] == "painting"
    for each in (third, open_ones[1]):
        each.close()
    assert client.get("/runs/events?run=999").status_code == 204  # gives its place back too
    assert client.get("/runs/events?run=999").status_code == 204
    last = [Follower(client, address) for _ in range(2)]
    assert [each.status for each in last] == [200, 200]
    for each in last:
        each.close()
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def test_streams_leave_half_of_the_threads_to_other_pages(config: Config) -> None:
    (web,) = [one for one in supervisor.programs(config, host="127.0.0.1", port=1) if one.name == "web"]
    threads = int(web.arguments[web.arguments.index("--threads") + 1])
    procfile = (CHECKOUT / "Procfile").read_text()
    assert threads >= following.MOST_STREAMS * 2
    assert int(procfile.split("--threads ")[1].split()[0]) >= following.MOST_STREAMS * 2


def test_stop_is_told_to_every_page_at_once(app: Flask, session: Session) -> None:
    run = at_work(session)
    client = browser(app, session, Role.OFFICE)
    page = Follower(client, f"/runs/events?run={run.id}")
    page.next()
    browser(app, session, Role.OFFICE, "ona@example.com").post(f"/runs/{run.id}/stop")
    said = words(page.next()[1]["html"])
    assert "Stopping stops after the page of orders in hand" in said
    assert "Stop asked by Rūta office." in said
    page.close()


def test_a_queued_run_says_that_no_worker_lives_and_that_redis_is_away(
    config: Config, app: Flask, session: Session
) -> None:
    with writing(session):
        run = a_run(session, an_integration(session), created_at=now_utc())
    client = browser(app, session, Role.VIEWER)
    assert "No worker is alive: nothing is imported until one is started." in client.get(f"/runs/{run.id}/now").text
    gone = create_app(replace(config, redis_url="unix:///nowhere/valkey.sock"))
    client = browser(gone, session, Role.VIEWER)
    for path in ("/runs", f"/runs/{run.id}", f"/runs/{run.id}/now", f"/runs?launch={run.id}"):
        assert "Automatic import has stopped: Redis does not answer." in client.get(path).text
    page = Follower(client, f"/runs/events?run={run.id}")
    assert "Automatic import has stopped: Redis does not answer." in words(page.next()[1]["html"])
    page.close()
    with gone.app_context():
        db.session.remove()
        db.engine.dispose()


# --- real processes ----------------------------------------------------------------------------------------------


def test_a_worker_that_is_killed_is_told_and_its_run_ends_done_after_it_is_taken_back(
    app: Flask, config: Config, session: Session, session_factory: sessionmaker[Session], database_url: str
) -> None:
    shop = plain_shop(400, first=datetime(2026, 11, 1, tzinfo=UTC), last=datetime(2026, 11, 20, tzinfo=UTC))
    hold, asked = threading.Event(), []

    def fourth_page_waits(request: Any) -> None:
        if request.path.endswith("/orders") and "_fields" not in request.parameters:
            asked.append(request.path)
            if len(asked) == 4:
                hold.wait(PATIENCE)

    shop.hooks.append(fourth_page_waits)
    environ = {
        **os.environ, "DATABASE_URL": database_url, "REDIS_URL": str(config.redis_url), "SECRET_KEY": "s" * 40,
        "MONET_ENCRYPTION_KEYS": TEST_KEY, "MONET_HOME": str(config.home), "MONET_ALLOW_PRIVATE_ADDRESSES": "1",
        "PYTHONPATH": str(CHECKOUT),
    }  # fmt: skip
    with serve(shop) as address:
        values = {"address": address, "consumer_key": DEMO_KEY, "consumer_secret": DEMO_SECRET, "not_before": ""}
        connect.add_integration(
            session, name="Demo", platform="woocommerce", values={**values, "unknown_items": "create"}, now=now_utc(),
            actor="test",
        )  # fmt: skip
        (run,) = open_runs.launch(
            session, mask="%", first=date(2026, 11, 1), last=date(2026, 11, 20), now=now_utc(),
            actor="ona@example.com",
        )  # fmt: skip
        client = browser(app, session, Role.OFFICE)
        worker = subprocess.Popen(
            [sys.executable, str(CHECKOUT / "worker.py")],
            env=environ,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            assert jobs.ring([run], config.redis_url)
            page = Follower(client, f"/runs/events?run={run.id}")
            versions, text = [], ""
            while "Page 2 booked" not in text:
                kind, said = page.next()
                assert kind == "painting"
                versions.append(said["version"])
                text = words(said["html"])
            assert versions == sorted(set(versions))
            assert "200 of 400 orders" in text
            assert (
                "The store says 400 orders. Page 1 booked: 100 registered. Page 2 booked: 100 registered."
                in _untimed(text)
            )
            with reading(session):
                at = session.get_one(Run, run.id, populate_existing=True)
            os.kill(int(at.worker.split(":")[1]), signal.SIGKILL)
            while "The program that ran this has ended; it is queued again by itself." not in text:
                text = words(page.next()[1]["html"])
            hold.set()
            assert claims.take_back(session_factory(), now=now_utc()) == [run.id]
            while "The program that ran this ended; it is queued again." not in text:
                text = words(page.next()[1]["html"])
            with reading(session):
                assert jobs.ring([session.get_one(Run, run.id, populate_existing=True)], config.redis_url)
            kind = ""
            while kind != "end":
                kind, said = page.next()
                text = words(said["html"]) if said else text
            page.close()
            assert "Done 400 orders in" in text
            whole = words(client.get(f"/runs/{run.id}").text)
            assert "Where the 400 orders went" in whole
            assert "Taken up again. What was booked before is skipped." in whole
            with reading(session):
                ended = session.get_one(Run, run.id, populate_existing=True)
                assert session.query(Integration).count() == 1
            assert (ended.state, ended.fetched, ended.registered, ended.attempt) == (RunState.DONE, 400, 400, 3)
        finally:
            hold.set()
            os.killpg(worker.pid, signal.SIGKILL)  # with the scheduler that RQ puts beside it
            worker.wait(PATIENCE)


def _untimed(text: str) -> str:
    return " ".join(word for word in text.split() if word.count(":") != 2)
