"""Two hundred people watch one run: it is read and painted once for all, for each by their right, in their language."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from monet_web.blueprints.remembered import Remembered
from monet_web.blueprints.runs import board, following
from monet_web.models import Run, User
from monet_web.models.base import now_utc, writing
from monet_web.models.runs import RunState
from monet_web.models.users import Role
from monet_web.services.importing import claims
from tests.builders import a_run, an_integration
from tests.web.integrating import browser, statements, words

LONG = 3600  # seconds: what is shared stays shared for all of a test


def at_work(session: Session) -> Run:
    now = now_utc()
    with writing(session):
        return a_run(
            session, an_integration(session, "Molis LT"), state=RunState.RUNNING, attempt=1, created_at=now,
            started_at=now, heartbeat_at=now, worker=claims.this_process(), progress_version=5,
            expected=100, fetched=10,
        )  # fmt: skip


def crowd(app: Flask, session: Session, count: int) -> list[FlaskClient]:
    return [browser(app, session, Role.VIEWER, f"watcher{number}@example.com") for number in range(count)]


def test_however_many_watch_the_database_is_asked_as_often_as_for_one(app: Flask, session: Session) -> None:
    run = at_work(session)
    people = crowd(app, session, 30)
    app.config["MONET_SHARED_SECONDS"] = LONG
    address = f"/runs/{run.id}/now?version=5"
    for each in people:  # each is looked up when they first come
        assert each.get(address).status_code == 200
    with statements(app) as asked:
        for each in people * 2:
            assert "10 of 100 orders" in words(each.get(address).text)
    assert asked == []
    # Once the time is over: all people in one query, the run and what its part says in three, and one transaction each.
    app.config["MONET_SHARED_SECONDS"] = 0
    with statements(app) as by_one:
        people[0].get(address)
    assert 0 < len([each for each in by_one if each.startswith("SELECT")]) <= 5
    app.extensions["monet_board"]._painted.clear()
    app.extensions["monet_people"]._read_at = 0.0
    app.config["MONET_SHARED_SECONDS"] = LONG
    with statements(app) as by_all:
        for each in people:
            each.get(address)
    assert len(by_all) == len(by_one)


def test_what_is_shared_says_what_the_row_says_when_its_time_is_over(app: Flask, session: Session) -> None:
    run = at_work(session)
    (client,) = crowd(app, session, 1)
    address = f"/runs/{run.id}/now"
    app.config["MONET_SHARED_SECONDS"] = LONG
    client.get(address)
    with writing(session):
        row = session.get_one(Run, run.id)
        row.fetched, row.progress_version = 20, 6
    assert "10 of 100 orders" in words(client.get(address).text)
    assert client.get(f"{address}?version=6").status_code == 204  # the page knows more already
    app.config["MONET_SHARED_SECONDS"] = 0
    assert "20 of 100 orders" in words(client.get(address).text)


def test_whoever_is_shut_out_sees_nothing_more(app: Flask, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "SECONDS_BETWEEN_LOOKS", 0.01)
    run = at_work(session)
    out, stays = crowd(app, session, 2)
    address = f"/runs/{run.id}/now"
    with out.get(f"/runs/events?run={run.id}", buffered=False) as stream:
        chunks = stream.iter_encoded()
        assert b"retry" in next(chunks)
        assert b"event: painting" in next(chunks)
        with writing(session):
            session.query(User).filter(User.email == "watcher0@example.com").one().disabled_at = now_utc()
        assert list(chunks) == []
    assert out.get(address).status_code == 302
    assert stays.get(address).status_code == 200
    # A raised version signs out too: the cookie is of the one before.
    with writing(session):
        session.query(User).filter(User.email == "watcher1@example.com").one().session_version += 1
    assert stays.get(address).status_code == 302


def test_each_reads_in_their_own_language(app: Flask, session: Session) -> None:
    run = at_work(session)
    english, lithuanian = crowd(app, session, 2)
    with writing(session):
        session.query(User).filter(User.email == "watcher1@example.com").one().language = "lt"
    app.config["MONET_SHARED_SECONDS"] = LONG
    address = f"/runs/{run.id}/now"
    first = [english.get(address).text, lithuanian.get(address).text]
    assert "10 of 100 orders" in words(first[0])
    assert "10 of 100 orders" not in words(first[1])
    assert [english.get(address).text, lithuanian.get(address).text] == first


def test_what_a_page_shows_already_is_not_sent_again(app: Flask, session: Session) -> None:
    run = at_work(session)
    (client,) = crowd(app, session, 1)
    app.config["MONET_SHARED_SECONDS"] = LONG
    address = f"/runs/{run.id}/now"
    answer = client.get(address)
    assert answer.headers["Cache-Control"] == "private, no-cache"
    again = client.get(address, headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data, again.headers["X-Progress-Version"]) == (304, b"", "5")
    with writing(session):
        session.get_one(Run, run.id).fetched = 11
    app.config["MONET_SHARED_SECONDS"] = 0
    assert client.get(address, headers={"If-None-Match": answer.headers["ETag"]}).status_code == 200


def test_a_page_that_asks_by_itself_keeps_nobody_signed_in(app: Flask, session: Session) -> None:
    run = at_work(session)
    (client,) = crowd(app, session, 1)
    with client.session_transaction() as cookie:
        cookie.permanent = True
    assert "Set-Cookie" in client.get(f"/runs/{run.id}").headers  # a person did something: fourteen more days
    assert "Set-Cookie" not in client.get(f"/runs/{run.id}/now").headers


def test_while_one_paints_the_others_do_not_wait(app: Flask, session: Session) -> None:
    run = at_work(session)
    (client,) = crowd(app, session, 1)
    address = f"/runs/{run.id}/now"
    before = client.get(address).text
    with writing(session):
        session.get_one(Run, run.id).fetched = 99
    with app.extensions["monet_board"]._lock:  # somebody paints
        assert client.get(address).text == before
    assert "99 of 100" in words(client.get(address).text)


@pytest.mark.parametrize(
    ("watchers", "seconds_between", "expected"),
    [(1, 1, 1), (60, 1, 1), (61, 1, 2), (200, 1, 4), (600, 1, 10), (5000, 1, 10), (100, 2, 1), (200, 2, 2)],
)
def test_a_crowd_asks_more_rarely_and_its_pace_is_steady(watchers: int, seconds_between: int, expected: int) -> None:
    kept = 1
    for _ in range(4):
        asks = round(watchers * 60 / (seconds_between * kept))
        kept = board.pace(asks, 60, kept)
        assert kept == expected


def test_pages_are_told_how_often_to_ask(app: Flask, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(board, "_SECONDS_COUNTED", 0.0)
    monkeypatch.setattr(board, "MOST_ASKS", 0.000001)
    run = at_work(session)
    (client,) = crowd(app, session, 1)
    client.get(f"/runs/{run.id}/now")
    assert 'hx-trigger="every 10s"' in client.get(f"/runs/{run.id}/now").text


# --- the short memory --------------------------------------------------------------------------------------------


def test_who_is_remembered_is_looked_up_with_all_others() -> None:
    asked: list[list[str]] = []

    def look_up(keys: Sequence[str]) -> Mapping[str, Any]:
        asked.append(sorted(keys))
        return {key: f"{key} {len(asked)}" for key in keys if key != "nobody"}

    memory = Remembered(look_up)
    assert memory.get("a", seconds=LONG) == "a 1"
    assert memory.get("b", seconds=LONG) == "b 2"
    assert memory.get("a", seconds=LONG) == "a 1"
    assert memory.get("nobody", seconds=LONG) is None
    assert memory.get("nobody", seconds=LONG) is None
    assert asked == [["a"], ["b"], ["nobody"]]
    assert memory.get("a", seconds=0) == "a 4"
    assert asked[3:] == [["a", "b", "nobody"]]


def test_many_threads_share_one_memory() -> None:
    asked: list[list[str]] = []

    def look_up(keys: Sequence[str]) -> Mapping[str, Any]:
        asked.append(list(keys))
        return dict.fromkeys(keys, "here")

    memory = Remembered(look_up)
    found: list[str | None] = []
    threads = [
        threading.Thread(target=lambda: found.extend(memory.get("a", seconds=LONG) for _ in range(50)))
        for _ in range(8)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert found == ["here"] * 400
    assert asked == [["a"]]
