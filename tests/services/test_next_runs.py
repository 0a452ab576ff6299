"""What the page says of the next run of each integration, and why it does not simply come."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session, sessionmaker

from monet_web.domain.errors import NeedsOwner, RetryLater
from monet_web.domain.orders import Unreadable
from monet_web.domain.periods import Period
from monet_web.models.base import reading
from monet_web.models.runs import RunState
from monet_web.services.importing import claims
from monet_web.services.opening import open_runs
from monet_web.services.running import next_runs
from monet_web.services.running.next_runs import NextRun, Obstacle
from tests.services.scripted import ScriptedStore, put
from tests.services.test_timetable import VILNIUS, Desk, at


@pytest.fixture
def desk(session_factory: sessionmaker[Session], session: Session, store: type[ScriptedStore]) -> Iterator[Desk]:
    yield Desk(session_factory, session, store)
    ScriptedStore.before_page = None


def fail(error: Exception) -> None:
    def raise_it(_page: int) -> None:
        raise error

    put(ScriptedStore, Unreadable("1", "Broken in the store."))
    ScriptedStore.before_page = raise_it


def said(desk: Desk, now: str) -> NextRun:
    with reading(desk.session):
        found = next_runs.next_runs(desk.session, now=at(now))
    (one,) = found.values()
    return one


def local(each: Any) -> str:
    return f"{each.astimezone(VILNIUS):%d %H:%M}"


def test_the_next_run_and_the_period_it_will_import(desk: Desk) -> None:
    desk.add("2026-11-24 06:00", frequency="daily")
    one = said(desk, "2026-11-24 06:00")
    assert (one.obstacle, one.at, one.gaps) == (Obstacle.NONE, at("2026-11-25 04:13"), ())
    assert one.window is not None
    assert (local(one.window.start), local(one.window.end)) == ("22 00:00", "25 04:13")


def test_off_says_which_of_the_two(desk: Desk) -> None:
    desk.add("2026-11-24 06:00")
    assert said(desk, "2026-11-24 06:00").obstacle is Obstacle.FREQUENCY_OFF
    desk.set("2026-11-24 06:00", enabled="no")
    assert said(desk, "2026-11-24 06:00").obstacle is Obstacle.SWITCHED_OFF


def test_a_store_that_failed_says_when_it_is_tried_again_and_why(desk: Desk) -> None:
    desk.add("2026-11-24 06:00", frequency="hours")
    fail(RetryLater("The store does not answer."))
    desk.tick("2026-11-24 07:00")
    desk.work("2026-11-24 07:00")
    one = said(desk, "2026-11-24 07:00:30")
    assert (one.obstacle, one.at, one.because) == (
        Obstacle.TRIED_AGAIN, at("2026-11-24 07:01"), "The store does not answer.",
    )  # fmt: skip
    assert [run.state for run in one.last] == [RunState.FAILED]


def test_a_refused_key_has_no_next_run(desk: Desk) -> None:
    desk.add("2026-11-24 06:00", frequency="hours")
    fail(NeedsOwner("The store refuses the key."))
    desk.tick("2026-11-24 07:00")
    desk.work("2026-11-24 07:00")
    one = said(desk, "2026-11-24 07:00:30")
    assert (one.obstacle, one.at) == (Obstacle.REFUSED, None)


def test_a_due_run_waits_for_a_worker_then_is_at_work(desk: Desk) -> None:
    desk.add("2026-11-24 06:00", frequency="hours")
    (run_id,) = desk.tick("2026-11-24 07:00").opened
    assert said(desk, "2026-11-24 07:01").obstacle is Obstacle.QUEUED
    claims.claim(desk.session, run_id, now=at("2026-11-24 07:01"), worker=claims.this_process())
    one = said(desk, "2026-11-24 07:02")
    assert (one.obstacle, one.at) == (Obstacle.AT_WORK, at("2026-11-24 08:00"))


def test_a_slot_that_nobody_opened_is_overdue(desk: Desk) -> None:
    desk.add("2026-11-24 06:00", frequency="hours")
    assert said(desk, "2026-11-24 07:02").obstacle is Obstacle.NONE
    assert said(desk, "2026-11-24 07:03:01").obstacle is Obstacle.OVERDUE
    one = said(desk, "2026-11-24 09:40")
    assert (one.obstacle, one.at) == (Obstacle.OVERDUE, at("2026-11-24 07:00"))
    assert one.window is not None
    assert local(one.window.end) == "24 09:00"


def test_a_gap_after_switching_on_again_is_told_until_it_is_launched(desk: Desk) -> None:
    desk.add("2026-11-10 06:00", frequency="hours")
    desk.tick("2026-11-10 07:00")
    desk.work("2026-11-10 07:00")
    desk.set("2026-11-10 07:30", enabled="no")
    desk.set("2026-11-24 07:30", enabled="yes")
    (gap,) = said(desk, "2026-11-24 07:30").gaps
    assert (local(gap.start), local(gap.end)) == ("10 07:00", "23 00:00")
    desk.set("2026-11-24 07:30", not_before="2026-11-20")
    (gap,) = said(desk, "2026-11-24 07:30").gaps
    assert local(gap.start) == "20 00:00"
    open_runs.launch(
        desk.session, mask="KL", first=date(2026, 11, 10), last=date(2026, 11, 22), now=at("2026-11-24 07:31"),
        actor="ona",
    )  # fmt: skip
    desk.work("2026-11-24 07:31")
    assert said(desk, "2026-11-24 07:32").gaps == ()


def test_the_last_five_imports_newest_first(desk: Desk) -> None:
    desk.add("2026-11-24 06:00", frequency="hours")
    for hour in range(7, 14):
        desk.tick(f"2026-11-24 {hour:02}:00")
        desk.work(f"2026-11-24 {hour:02}:00")
    last = said(desk, "2026-11-24 13:30").last
    assert [local(run.window_end) for run in last] == ["24 13:00", "24 12:00", "24 11:00", "24 10:00", "24 09:00"]


def test_a_hundred_integrations_cost_as_many_questions_as_one(desk: Desk) -> None:
    def questions() -> int:
        asked: list[str] = []
        bind = desk.session.get_bind()
        event.listen(bind, "before_cursor_execute", lambda _c, _cursor, statement, *_: asked.append(statement))
        with reading(desk.session):
            next_runs.next_runs(desk.session, now=at("2026-11-24 07:30"))
        return sum(statement.startswith("SELECT") for statement in asked)

    desk.add("2026-11-24 06:00", frequency="hours", number_prefix="0-")
    one = questions()
    for number in range(1, 12):
        desk.add("2026-11-24 06:00", name=f"S{number}", frequency="hours", number_prefix=f"{number}-")
    assert questions() == one


def test_slots_of_days_are_listed_by_time(desk: Desk) -> None:
    desk.add("2026-11-24 06:00", frequency="daily")
    desk.add("2026-11-24 06:00", name="Off", enabled="no", frequency="hours", number_prefix="F-")
    desk.add("2026-11-24 06:00", name="S2", frequency="weekly", number_prefix="2-")
    with reading(desk.session):
        found = next_runs.planned(desk.session, Period(date(2026, 11, 29), date(2026, 11, 30)))
        silent = next_runs.why_never(desk.session)
    assert [(one.name, f"{one.at:%d %H:%M}", f"{one.start:%d}") for one in found] == [
        ("KL", "29 04:13", "26"),
        ("KL", "30 04:13", "27"),
        ("S2", "30 04:39", "23"),
    ]
    assert silent == ["Off is switched off."]
