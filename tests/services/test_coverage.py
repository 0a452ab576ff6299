"""Nothing due is lost by a change of plan, a stop or a pause; what nobody will import is told till it is settled."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from monet_web.connectors.base import Surroundings
from monet_web.domain.coverage import Coverage
from monet_web.domain.errors import BrokenRule, RetryLater
from monet_web.domain.orders import Unreadable
from monet_web.domain.periods import Period
from monet_web.domain.windows import Window
from monet_web.models import Integration, Run, RunSlot
from monet_web.models.audit import AuditEntry
from monet_web.models.base import reading, writing
from monet_web.models.runs import RunKind, RunState
from monet_web.services.importing import claims
from monet_web.services.integrations import asking, connect
from monet_web.services.office import company
from monet_web.services.opening import coverage, open_runs, timetable
from monet_web.services.running import next_runs
from monet_web.services.running.next_runs import NextRun, Obstacle
from tests.services.scripted import ScriptedStore, put
from tests.services.test_timetable import VILNIUS, Desk, at


@pytest.fixture
def desk(session_factory: sessionmaker[Session], session: Session, store: type[ScriptedStore]) -> Iterator[Desk]:
    yield Desk(session_factory, session, store)
    ScriptedStore.before_page = None


def fail(error: Exception | None) -> None:
    def raise_it(_page: int) -> None:
        assert error is not None
        raise error

    put(ScriptedStore, Unreadable("1", "Broken in the store."))  # in every window, so that there is a page to fail
    ScriptedStore.before_page = None if error is None else raise_it


def said(desk: Desk, now: str) -> NextRun:
    kl_id = desk.kl_id()
    with reading(desk.session):
        return next_runs.next_runs(desk.session, now=at(now))[kl_id]


def text(window: Window | Run | None) -> tuple[str, str]:
    if isinstance(window, Run):
        window = Window(window.window_start, window.window_end)
    assert window is not None
    return tuple(f"{each.astimezone(VILNIUS):%m-%d %H:%M}" for each in (window.start, window.end))  # type: ignore[return-value]


def gaps(desk: Desk, now: str) -> list[tuple[str, str]]:
    return [text(each) for each in said(desk, now).gaps]


def launch(desk: Desk, first: date, last: date, now: str) -> Run:
    open_runs.launch(desk.session, mask="KL", first=first, last=last, now=at(now), actor="ona")
    return desk.work(now)[0]


def worked(desk: Desk, now: str) -> Run:
    """What the timetable has at that time, tick and worker."""
    desk.tick(now)
    return desk.work(now)[-1]


# --- windows that are here ----------------------------------------------------------------------------------------


def day(first: int, last: int) -> Window:
    return Window(at(f"2026-11-{first:02} 00:00"), at(f"2026-11-{last:02} 00:00"))


def test_a_window_that_begins_later_leaves_a_gap_and_one_that_covers_it_closes_it() -> None:
    here = Coverage().read(day(1, 5))
    assert (here.until, here.gaps) == (day(1, 5).end, ())
    here = here.read(day(8, 10))
    assert (here.until, here.gaps) == (day(8, 10).end, (day(5, 8),))
    assert here.read(day(6, 7)).gaps == (day(5, 6), day(7, 8))
    assert here.read(day(4, 20)) == Coverage(day(4, 20).end, ())
    assert here.read(day(1, 3)) == here
    assert here.going_on_at(day(12, 13).start).gaps == (day(5, 8), day(10, 12))
    assert here.going_on_at(day(9, 13).start) == here
    assert Coverage(day(1, 5).end, (day(1, 3),)).read(day(5, 6)).gaps == (day(1, 3),)
    assert Coverage(day(1, 5).end, (day(3, 5),)).going_on_at(day(7, 8).start).gaps == (day(3, 7),)


# --- changes of the plan --------------------------------------------------------------------------------------------


def test_from_weekly_to_daily_the_first_run_begins_where_the_week_ended(desk: Desk) -> None:
    desk.add("2026-11-20 06:00", frequency="weekly")
    worked(desk, "2026-11-23 06:00")
    desk.set("2026-11-27 18:00", frequency="daily")
    one = said(desk, "2026-11-27 18:00")
    assert (text(one.window), one.gaps) == (("11-23 00:00", "11-28 04:13"), ())
    with reading(desk.session):
        first = next_runs.planned(desk.session, Period(date(2026, 11, 28), date(2026, 11, 29)))
    assert [(f"{each.at:%d}", f"{each.start:%d}") for each in first] == [("28", "23"), ("29", "26")]
    assert text(worked(desk, "2026-11-28 05:00")) == ("11-23 00:00", "11-28 04:13")
    assert gaps(desk, "2026-11-28 09:00") == []
    assert text(worked(desk, "2026-11-29 05:00")) == ("11-26 00:00", "11-29 04:13")


def test_what_was_owed_survives_a_failure_and_a_second_change(desk: Desk) -> None:
    desk.add("2026-10-20 06:00", frequency="months")
    worked(desk, "2026-11-01 06:00")
    desk.set("2026-11-25 18:00", frequency="daily")
    desk.set("2026-11-25 18:01", frequency="hours")
    fail(RetryLater("The store does not answer."))
    assert worked(desk, "2026-11-26 07:00").state is RunState.FAILED
    fail(None)
    done = worked(desk, "2026-11-26 08:00")
    assert (done.state, text(done)) == (RunState.DONE, ("11-01 00:00", "11-26 08:00"))
    assert gaps(desk, "2026-11-26 09:00") == []


def test_a_change_before_the_first_run_owes_what_the_plan_before_would_have_brought(desk: Desk) -> None:
    desk.add("2026-11-20 06:00", frequency="weekly")
    launch(desk, date(2026, 1, 1), date(2026, 1, 31), "2026-11-20 07:00")  # no beginning of the timetable
    desk.set("2026-11-21 18:00", frequency="daily")
    assert text(worked(desk, "2026-11-22 05:00")) == ("11-16 00:00", "11-22 04:13")


def test_the_first_run_after_a_change_reaches_two_months_back_and_the_rest_is_told(desk: Desk) -> None:
    desk.add("2026-06-01 06:00", frequency="months")
    worked(desk, "2026-07-01 06:00")
    with writing(desk.session):  # nobody ticked for months
        desk.session.execute(update(Integration).values(next_run_at=at("2026-12-01 02:37")))
    desk.set("2026-11-25 18:00", frequency="daily")
    assert text(said(desk, "2026-11-25 18:00").window) == ("09-28 00:00", "11-26 04:13")
    assert gaps(desk, "2026-11-25 18:00") == [("07-01 00:00", "09-28 00:00")]
    assert text(worked(desk, "2026-11-26 05:00")) == ("09-28 00:00", "11-26 04:13")
    worked(desk, "2026-11-27 05:00")
    assert gaps(desk, "2026-11-27 06:00") == [("07-01 00:00", "09-28 00:00")]


def test_a_zone_changed_to_and_fro_before_the_slot_loses_no_week(desk: Desk) -> None:
    desk.add("2026-11-10 06:00", frequency="weekly")
    worked(desk, "2026-11-16 06:00")
    zones = {"2026-11-21 06:00": "America/New_York", "2026-11-23 08:00": "Europe/Vilnius"}
    for now, zone in zones.items():
        company.set_values(desk.session, {"time_zone": zone}, now=at(now), actor="ona")
    assert text(said(desk, "2026-11-23 08:00").window) == ("11-16 00:00", "11-30 00:00")
    assert text(worked(desk, "2026-11-30 05:00")) == ("11-16 00:00", "11-30 00:00")
    assert gaps(desk, "2026-11-30 06:00") == []


def test_only_more_days_looked_back_fetch_nothing_that_a_person_stopped(desk: Desk) -> None:
    desk.add("2026-11-10 06:00", frequency="daily")
    worked(desk, "2026-11-11 06:00")
    (run_id,) = desk.tick("2026-11-18 06:00").opened
    open_runs.stop(desk.session, run_id, now=at("2026-11-18 06:01"))
    desk.set("2026-11-18 06:02", daily_days="2")
    assert text(worked(desk, "2026-11-19 06:00")) == ("11-17 00:00", "11-19 04:13")


# --- off and on -----------------------------------------------------------------------------------------------------


def test_the_days_of_a_week_off_are_told_until_a_launch_covers_them(desk: Desk) -> None:
    desk.add("2026-11-01 06:00", frequency="daily")
    worked(desk, "2026-11-02 06:00")
    desk.set("2026-11-02 12:00", enabled="no")
    desk.set("2026-11-12 12:00", enabled="yes")
    expected = [("11-02 04:13", "11-10 00:00")]
    assert gaps(desk, "2026-11-12 12:00") == expected
    for number in (13, 14, 15):
        assert text(worked(desk, f"2026-11-{number} 05:30"))[0] == f"11-{number - 3} 00:00"
        assert gaps(desk, f"2026-11-{number} 08:00") == expected
    # A change of the plan imports nothing that was left while a person had it off.
    desk.set("2026-11-15 09:00", frequency="hours")
    assert gaps(desk, "2026-11-15 09:00") == expected
    assert text(worked(desk, "2026-11-15 10:00"))[0] == "11-14 00:00"
    launch(desk, date(2026, 11, 2), date(2026, 11, 5), "2026-11-15 10:30")
    assert gaps(desk, "2026-11-15 10:31") == [("11-06 00:00", "11-10 00:00")]
    launch(desk, date(2026, 11, 6), date(2026, 11, 9), "2026-11-15 10:32")
    assert gaps(desk, "2026-11-15 10:33") == []


def test_a_change_right_after_switching_on_fetches_nothing_of_the_time_off(desk: Desk) -> None:
    desk.add("2026-11-01 06:00", frequency="daily")
    worked(desk, "2026-11-02 06:00")
    desk.set("2026-11-02 12:00", enabled="no")
    desk.set("2026-11-12 12:00", enabled="yes")
    desk.set("2026-11-12 12:01", frequency="hours")
    one = said(desk, "2026-11-12 12:01")
    # From where the daily run would have begun.
    assert text(one.window) == ("11-10 00:00", "11-12 13:00")
    assert gaps(desk, "2026-11-12 12:01") == [("11-02 04:13", "11-10 00:00")]


def test_a_launch_that_is_stopped_or_only_a_preview_closes_no_gap(desk: Desk) -> None:
    desk.add("2026-11-01 06:00", frequency="daily")
    worked(desk, "2026-11-02 06:00")
    desk.set("2026-11-02 12:00", enabled="no")
    desk.set("2026-11-12 12:00", enabled="yes")
    before = gaps(desk, "2026-11-12 12:00")
    now = at("2026-11-12 12:01")
    (run,) = open_runs.launch(
        desk.session, mask="KL", first=date(2026, 11, 2), last=date(2026, 11, 9), now=now, actor="ona"
    )

    def stop(_page: int) -> None:
        open_runs.stop(desk.factory(), run.id, now=now)

    put(ScriptedStore, Unreadable("1", "Broken in the store."))
    ScriptedStore.before_page = stop
    assert desk.work("2026-11-12 12:01")[0].state is RunState.STOPPED
    ScriptedStore.before_page = None
    open_runs.launch(
        desk.session, mask="KL", first=date(2026, 11, 2), last=date(2026, 11, 9), now=now, actor="ona",
        kind=RunKind.PREVIEW,
    )  # fmt: skip
    assert desk.work("2026-11-12 12:02")[0].state is RunState.DONE
    assert gaps(desk, "2026-11-12 12:03") == before != []


def test_a_gap_that_a_person_leaves_out_is_told_no_more(desk: Desk) -> None:
    desk.add("2026-11-01 06:00", frequency="daily")
    worked(desk, "2026-11-02 06:00")
    desk.set("2026-11-02 12:00", enabled="no")
    desk.set("2026-11-12 12:00", enabled="yes", not_before="2026-11-05")
    assert gaps(desk, "2026-11-12 12:00") == [("11-05 00:00", "11-10 00:00")]
    (gap,) = said(desk, "2026-11-12 12:00").gaps
    for _ in range(2):  # pressed twice it is one decision
        coverage.leave_out(desk.session, desk.kl_id(), gap, now=at("2026-11-12 12:01"), actor="ona")
    assert gaps(desk, "2026-11-12 12:02") == []
    with reading(desk.session):
        told = desk.session.scalars(select(AuditEntry).where(AuditEntry.action == "gap_left_out")).all()
    assert [(one.actor, one.subject_id) for one in told] == [("ona", desk.kl_id())]
    # Only that part was left out: what lies before the first day counts again when that day moves.
    desk.set("2026-11-12 12:03", not_before="")
    assert gaps(desk, "2026-11-12 12:03") == [("11-02 04:13", "11-05 00:00")]
    connect.retire(desk.session, "KL", now=at("2026-11-12 12:04"), actor="ona")
    with pytest.raises(BrokenRule, match="deleted"):
        coverage.leave_out(desk.session, gap_of(desk), gap, now=at("2026-11-12 12:05"), actor="ona")


def gap_of(desk: Desk) -> int:
    with reading(desk.session):
        return desk.session.scalars(select(Integration.id)).one()


def test_a_stopped_catch_up_is_told_also_after_the_next_run(desk: Desk) -> None:
    desk.add("2026-11-02 06:00", frequency="daily")
    worked(desk, "2026-11-03 06:00")
    (run_id,) = desk.tick("2026-11-10 06:00").opened  # after an outage of a week
    open_runs.stop(desk.session, run_id, now=at("2026-11-10 06:01"))
    expected = [("11-03 04:13", "11-08 00:00")]
    assert gaps(desk, "2026-11-10 06:02") == expected
    for number in (11, 12, 13):
        worked(desk, f"2026-11-{number} 06:00")
    assert gaps(desk, "2026-11-13 06:02") == expected


def test_the_first_run_stopped_is_told_too(desk: Desk) -> None:
    desk.add("2026-11-12 06:00", frequency="weekly")
    (run_id,) = desk.tick("2026-11-16 06:00").opened
    open_runs.stop(desk.session, run_id, now=at("2026-11-16 06:01"))
    assert gaps(desk, "2026-11-16 06:02") == [("11-09 00:00", "11-16 00:00")]
    worked(desk, "2026-11-23 06:00")
    assert gaps(desk, "2026-11-23 06:02") == [("11-09 00:00", "11-16 00:00")]


@pytest.mark.parametrize("off", [{"enabled": "no"}, {"frequency": "off"}])
def test_off_and_on_in_a_pause_loses_no_week(desk: Desk, off: dict[str, str]) -> None:
    desk.add("2026-11-20 06:00", frequency="weekly")
    fail(RetryLater("The store does not answer."))
    for now in ("05:00", "05:01", "05:06"):
        worked(desk, f"2026-11-23 {now}")
    slots = desk.slots()
    desk.set("2026-11-23 05:10", **off)
    assert desk.tick("2026-11-23 05:10").to_ring == []
    desk.set("2026-11-23 05:11", enabled="yes", frequency="weekly")
    one = said(desk, "2026-11-23 05:12")
    assert (one.obstacle, text(one.window)) == (Obstacle.QUEUED, ("11-16 00:00", "11-23 00:00"))
    fail(None)
    done = worked(desk, "2026-11-23 05:12")
    assert (done.state, text(done)) == (RunState.DONE, ("11-16 00:00", "11-23 00:00"))
    assert desk.slots() == dict.fromkeys(slots, done.id)
    assert gaps(desk, "2026-11-23 05:13") == []


def test_off_while_the_run_is_at_work_and_fails_loses_no_week(desk: Desk) -> None:
    desk.add("2026-11-20 06:00", frequency="weekly")
    fail(RetryLater("The store does not answer."))
    before_page = ScriptedStore.before_page
    assert before_page is not None

    def off_meanwhile(page: int) -> None:
        other = Desk(desk.factory, desk.factory(), desk.store)
        other.set("2026-11-23 05:00", frequency="off")
        before_page(page)

    ScriptedStore.before_page = off_meanwhile
    assert worked(desk, "2026-11-23 05:00").state is RunState.FAILED
    fail(None)
    desk.set("2026-11-23 05:10", frequency="weekly")
    assert text(worked(desk, "2026-11-23 05:11")) == ("11-16 00:00", "11-23 00:00")


def test_what_was_due_and_nobody_had_opened_when_it_was_switched_off_is_owed_within_a_day(desk: Desk) -> None:
    desk.add("2026-11-20 06:00", frequency="weekly")
    desk.set("2026-11-23 06:00", frequency="off")  # no tick came since the slot
    desk.set("2026-11-24 05:00", frequency="weekly")
    assert text(worked(desk, "2026-11-24 05:01")) == ("11-16 00:00", "11-23 00:00")


def test_switched_on_after_more_than_a_day_the_week_is_a_gap(desk: Desk) -> None:
    desk.add("2026-11-20 06:00", frequency="weekly")
    fail(RetryLater("The store does not answer."))
    worked(desk, "2026-11-23 05:00")
    desk.set("2026-11-23 05:10", frequency="off")
    desk.set("2026-11-24 05:11", frequency="weekly")
    assert desk.tick("2026-11-24 05:12").to_ring == []
    assert gaps(desk, "2026-11-24 05:12") == [("11-16 00:00", "11-23 00:00")]


# --- pauses ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [30 * 86400.0, 251_000_000_000.0])  # a month, and the year 9999
def test_a_store_is_left_alone_for_a_day_at_most(desk: Desk, seconds: float) -> None:
    desk.add("2026-11-20 06:00", frequency="daily")
    fail(RetryLater("Maintenance.", after_seconds=seconds))
    failed = worked(desk, "2026-11-22 05:00")
    assert (failed.state, failed.retry_at) == (RunState.FAILED, at("2026-11-23 05:00"))
    now = at("2026-11-22 06:00")
    open_runs.launch(desk.session, mask="KL", first=now.date(), last=now.date(), now=now, actor="ona")
    assert desk.work("2026-11-22 06:00")[0].retry_at == at("2026-11-23 06:00")


@pytest.mark.parametrize("how", ["launch", "test", "typed"])
def test_a_store_that_answers_a_person_is_waited_for_no_longer(desk: Desk, how: str) -> None:
    desk.add("2026-11-20 06:00", frequency="daily")
    fail(RetryLater("Maintenance.", after_seconds=86400.0))
    worked(desk, "2026-11-22 05:00")
    assert desk.tick("2026-11-22 06:00").to_ring == []
    fail(None)
    if how == "launch":
        launch(desk, date(2026, 11, 1), date(2026, 11, 1), "2026-11-22 06:00")
    elif how == "test":
        asking.test_integration(
            desk.session, "KL", surroundings=Surroundings(), now=at("2026-11-22 06:00"), actor="ona"
        )  # fmt: skip
    else:
        connect.set_values(
            desk.session, "KL", {"address": "KL"}, now=at("2026-11-22 06:00"), actor="ona", same_store=True
        )  # fmt: skip
    (done,) = [run for run in desk.work("2026-11-22 06:01") if run.state is RunState.DONE]
    assert text(done) == ("11-18 00:00", "11-22 04:13")


def test_a_launch_that_fails_too_ends_no_pause(desk: Desk) -> None:
    desk.add("2026-11-20 06:00", frequency="daily")
    fail(RetryLater("Maintenance.", after_seconds=86400.0))
    worked(desk, "2026-11-22 05:00")
    launch(desk, date(2026, 11, 1), date(2026, 11, 1), "2026-11-22 06:00")
    assert desk.tick("2026-11-22 06:01").to_ring == []


def test_the_longer_pause_of_two_holds(desk: Desk) -> None:
    desk.add("2026-11-24 06:00", frequency="hours")
    desk.tick("2026-11-24 07:00")
    # A second one waits already while the first is at work, and was told to wait long.
    fail(RetryLater("Maintenance.", after_seconds=7200.0))
    first = desk.runs()[0]
    assert claims.claim(desk.session, first.id, now=at("2026-11-24 07:59"), worker="elsewhere:1:1")
    (second,) = desk.tick("2026-11-24 08:00").opened
    with writing(desk.session):
        desk.session.execute(update(Run).where(Run.id == second).values(retry_at=at("2026-11-24 12:00")))
    desk.tick("2026-11-24 08:05")  # the first is taken back, and fails
    assert desk.work("2026-11-24 08:05")[0].retry_at == at("2026-11-24 10:05")
    waits = desk.runs()[-1]
    assert (waits.id, waits.retry_at) == (second, at("2026-11-24 12:00"))


def worked_at(desk: Desk, start: str, hours: int) -> Iterator[datetime]:
    """The moments at which a run was worked: tick and worker every 5 minutes for 3 hours, then each quarter.

    What is due waits for the next tick, so a try too many would be seen with the longer steps too.
    """
    begin = moment = at(start)
    while moment < begin + timedelta(hours=hours):
        local = f"{moment.astimezone(VILNIUS):%Y-%m-%d %H:%M}"
        desk.tick(local)
        if desk.work(local):
            yield moment
        moment += timedelta(minutes=5 if moment - begin < timedelta(hours=3) else 15 - moment.minute % 15)


@pytest.mark.parametrize(
    ("frequency", "added", "begins", "day_after"),
    [("weekly", "2026-11-20 06:00", "2026-11-23 04:10", 24), ("months", "2026-10-20 06:00", "2026-11-01 02:35", 2)],
)
def test_a_far_slot_is_tried_once_a_day_after_the_four_pauses(
    desk: Desk, frequency: str, added: str, begins: str, day_after: int
) -> None:
    desk.add(added, frequency=frequency)
    fail(RetryLater("The store does not answer."))
    tried = [each.astimezone(VILNIUS) for each in worked_at(desk, begins, 75)]
    late = [f"{each:%d %H:%M}" for each in tried[5:]]
    assert late == [f"{number:02} 04:15" for number in range(day_after, day_after + 3)]
    one = said(desk, f"2026-11-{day_after + 2:02} 12:00")
    assert one.at is not None
    assert (one.obstacle, f"{one.at.astimezone(VILNIUS):%d %H:%M}") == (
        Obstacle.TRIED_AGAIN, f"{day_after + 3:02} 04:13",
    )  # fmt: skip


def test_a_launch_that_succeeded_makes_the_pauses_short_again(desk: Desk) -> None:
    desk.add("2026-11-24 06:00", frequency="hours")
    fail(RetryLater("The store does not answer."))
    for now in ("07:00", "07:01", "07:06", "07:21"):
        worked(desk, f"2026-11-24 {now}")
    fail(None)
    launch(desk, date(2026, 11, 24), date(2026, 11, 24), "2026-11-24 07:30")
    fail(RetryLater("The store does not answer."))
    assert worked(desk, "2026-11-24 07:31").retry_at == at("2026-11-24 07:32")


# --- runs that end their programs ------------------------------------------------------------------------------------


def killed(desk: Desk, now: datetime) -> timetable.Ticked:
    """Somebody takes what is to be worked and is never heard of again; two and a half minutes later comes a tick."""
    with reading(desk.session):
        runs = timetable.to_ring(desk.session, now=now)
    for run in runs:
        assert claims.claim(desk.session, run.id, now=now, worker="elsewhere:1:1")
    return timetable.tick(desk.factory, now=now + timedelta(seconds=150))


def test_a_run_that_ends_its_program_three_times_has_failed_and_is_tried_again_later(desk: Desk) -> None:
    desk.add("2026-11-23 06:00", frequency="daily")
    desk.tick("2026-11-24 05:00")
    now = at("2026-11-24 05:00")
    taken = []
    for _ in range(3):
        taken.append(killed(desk, now).taken_back)
        now += timedelta(seconds=150)
    assert taken == [[1], [1], []]
    first, waits = desk.runs()
    assert first.state is RunState.FAILED
    assert first.error == (
        "The program that ran this import ended 3 times before it was finished. What was booked stays."
    )  # fmt: skip
    assert (waits.state, waits.attempt, waits.retry_at) == (RunState.QUEUED, 0, now + timedelta(minutes=1))
    assert list(desk.slots().values()) == [waits.id]
    pauses = []
    for _ in range(4):
        now = desk.runs()[-1].retry_at or now
        for _ in range(3):
            killed(desk, now)
            now += timedelta(seconds=150)
        retry_at = desk.runs()[-1].retry_at
        assert retry_at is not None
        pauses.append(retry_at - now)
    assert [int(each.total_seconds() // 60) for each in pauses[:3]] == [5, 15, 60]
    assert pauses[3] > timedelta(hours=20)


def test_without_anybody_to_say_what_follows_a_run_given_up_is_left_alone(desk: Desk) -> None:
    desk.add("2026-11-23 06:00", frequency="daily")
    desk.tick("2026-11-24 05:00")
    now = at("2026-11-24 05:00")
    for _ in range(2):
        killed(desk, now)
        now += timedelta(seconds=150)
    claims.claim(desk.session, 1, now=now, worker="elsewhere:1:1")
    assert claims.take_back(desk.session, now=now + timedelta(seconds=150)) == []
    assert desk.runs()[0].state is RunState.RUNNING


def test_a_terminal_that_ended_before_its_turn_leaves_no_run_behind(desk: Desk) -> None:
    desk.add("2026-11-23 06:00")
    now = at("2026-11-24 08:00")

    def mine_too() -> Run:
        first = last = date(2026, 11, 23)
        (run,) = open_runs.launch(
            desk.session, mask="KL", first=first, last=last, now=now, actor="ona", foreground=True
        )  # fmt: skip
        return run

    mine, dead, far = mine_too(), mine_too(), mine_too()
    host = claims.this_process().partition(":")[0]
    with writing(desk.session):
        desk.session.execute(update(Run).where(Run.id == dead.id).values(worker=f"{host}:{2**22 + 1}:1"))
        desk.session.execute(update(Run).where(Run.id == far.id).values(worker="elsewhere:1:1"))
    desk.tick("2026-11-24 08:01")
    states = {run.id: run.state for run in desk.runs(RunKind.LAUNCH)}
    assert states == {mine.id: RunState.QUEUED, dead.id: RunState.FAILED, far.id: RunState.QUEUED}
    assert said(desk, "2026-11-24 08:02").obstacle is Obstacle.FREQUENCY_OFF
    desk.tick("2026-11-25 08:02")  # nobody waits a day before a terminal
    assert desk.runs(RunKind.LAUNCH)[-1].state is RunState.FAILED


def test_stop_does_not_undo_the_end_of_a_run(desk: Desk) -> None:
    desk.add("2026-11-23 06:00")
    now = at("2026-11-24 08:00")
    (run,) = open_runs.launch(
        desk.session, mask="KL", first=date(2026, 11, 23), last=date(2026, 11, 23), now=now, actor="ona"
    )
    other = desk.factory()
    with reading(other):
        assert other.get_one(Run, run.id).state is RunState.QUEUED  # as a page saw it
    assert desk.work("2026-11-24 08:00")[0].state is RunState.DONE
    assert not open_runs.stop(other, run.id, now=now)
    assert desk.runs(RunKind.LAUNCH)[0].state is RunState.DONE
    other.close()


def test_a_slot_that_has_its_row_already_is_covered_no_second_time(desk: Desk) -> None:
    desk.add("2026-11-24 06:00", frequency="hours")
    (run_id,) = desk.tick("2026-11-24 07:00").opened
    desk.work("2026-11-24 07:00")
    with writing(desk.session):  # as two versions of the program side by side might leave it
        desk.session.execute(update(Integration).values(next_run_at=at("2026-11-24 07:00")))
    (second,) = desk.tick("2026-11-24 08:00").opened
    assert desk.slots() == {"24 07:00": run_id, "24 08:00": second}
    with reading(desk.session):
        assert len(desk.session.scalars(select(RunSlot)).all()) == 2
