"""The tick: each slot has one run, whatever ticks, fails, waits or is changed; and nothing due is lost."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from monet_web.connectors.base import Surroundings
from monet_web.domain.errors import NeedsOwner, RetryLater
from monet_web.domain.orders import Unreadable
from monet_web.models import Integration, Run, RunSlot
from monet_web.models.base import reading, writing
from monet_web.models.runs import RunKind, RunState
from monet_web.services.importing import claims
from monet_web.services.integrations import connect
from monet_web.services.office import company
from monet_web.services.opening import open_runs, timetable
from monet_web.services.running import next_runs, run_import
from tests import builders
from tests.builders import an_order
from tests.services.scripted import ScriptedStore, put

Factory = sessionmaker[Session]

VILNIUS = ZoneInfo("Europe/Vilnius")


def at(text: str) -> datetime:
    """A time of Vilnius."""
    return datetime.fromisoformat(text).replace(tzinfo=VILNIUS).astimezone(UTC)


class Desk:
    """One integration KL of a scripted store, ticks and workers at times of one's choice."""

    def __init__(self, factory: Factory, session: Session, store: type[ScriptedStore]) -> None:
        self.factory, self.session, self.store = factory, session, store

    def add(self, now: str, name: str = "KL", **settings: str) -> Integration:
        values = {"address": name.casefold(), "accounting_type": "amounts", **settings}
        return connect.add_integration(
            self.session, name=name, platform="scripted", values=values, now=at(now), actor="ona"
        )

    def set(self, now: str, **settings: str) -> None:
        connect.set_values(self.session, "KL", settings, now=at(now), actor="ona")

    def tick(self, now: str) -> timetable.Ticked:
        return timetable.tick(self.factory, now=at(now))

    def work(self, now: str, run: Run | None = None) -> list[Run]:
        """A worker at that time takes what a tick would ring."""
        with reading(self.session):
            runs = timetable.to_ring(self.session, now=at(now))
        return [
            run_import.run(
                self.factory, run.id, surroundings=Surroundings(), clock=lambda: at(now), worker=claims.this_process()
            )
            for run in runs
        ]

    def runs(self, kind: RunKind = RunKind.TIMETABLE) -> list[Run]:
        with reading(self.session):
            query = select(Run).where(Run.kind == kind).order_by(Run.id).execution_options(populate_existing=True)
            return list(self.session.scalars(query))

    def slots(self) -> dict[str, int]:
        """Local time of each slot → its run."""
        with reading(self.session):
            rows = self.session.execute(select(RunSlot.slot_at, RunSlot.run_id).order_by(RunSlot.slot_at)).all()
        return {f"{row.slot_at.astimezone(VILNIUS):%d %H:%M}": row.run_id for row in rows}

    def kl(self) -> Integration:
        with reading(self.session):
            query = select(Integration).where(Integration.name == "KL").execution_options(populate_existing=True)
            return self.session.scalars(query).one()

    def kl_id(self) -> int:
        return self.kl().id

    @property
    def next_at(self) -> str:
        moment = self.kl().next_run_at
        return "" if moment is None else f"{moment.astimezone(VILNIUS):%d %H:%M}"


@pytest.fixture
def desk(session_factory: Factory, session: Session, store: type[ScriptedStore]) -> Desk:
    return Desk(session_factory, session, store)


@pytest.fixture
def failing() -> Iterator[Callable[[Exception | None], None]]:
    """Makes the store fail with an error from now on, or answer again."""

    def fail(error: Exception | None) -> None:
        def raise_it(_page: int) -> None:
            assert error is not None
            raise error

        put(ScriptedStore, Unreadable("1", "Broken in the store."))  # in every window, so that there is a page to fail
        ScriptedStore.before_page = None if error is None else raise_it

    yield fail
    ScriptedStore.before_page = None


def window(run: Run) -> tuple[str, str]:
    return tuple(f"{each.astimezone(VILNIUS):%d %H:%M}" for each in (run.window_start, run.window_end))  # type: ignore[return-value]


def test_a_slot_that_falls_due_opens_one_run_of_its_window(desk: Desk) -> None:
    desk.add("2026-11-24 06:00", frequency="hours")
    assert desk.next_at == "24 07:00"
    assert desk.tick("2026-11-24 06:59").opened == []
    done = desk.tick("2026-11-24 07:00")
    assert [run.id for run in done.to_ring] == done.opened
    (run,) = desk.runs()
    assert (run.state, window(run)) == (RunState.QUEUED, ("23 00:00", "24 07:00"))
    assert desk.slots() == {"24 07:00": run.id}
    assert desk.next_at == "24 08:00"


def test_a_second_tick_changes_nothing_and_rings_again(desk: Desk) -> None:
    desk.add("2026-11-24 06:00", frequency="hours")
    first = desk.tick("2026-11-24 07:00")
    second = desk.tick("2026-11-24 07:00")
    assert (second.opened, second.joined) == ([], [])
    assert [run.id for run in second.to_ring] == first.opened
    assert len(desk.runs()) == 1


def test_ticks_at_the_same_time_open_one_run_a_slot(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    for number in range(4):
        desk.add("2026-11-24 06:00", name=f"S{number}", frequency="minutes", number_prefix=f"{number}-")
    together = threading.Barrier(6)
    done: list[timetable.Ticked] = []

    def tick() -> None:
        together.wait()
        done.append(timetable.tick(desk.factory, now=at("2026-11-24 09:30")))

    threads = [threading.Thread(target=tick) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 6
    assert sum(len(each.opened) for each in done) == 4
    assert sum(len(each.joined) for each in done) == 0
    runs = desk.runs()
    assert [window(run) for run in runs] == [("23 00:00", "24 09:30")] * 4
    with reading(desk.session):
        slots = desk.session.scalars(select(RunSlot.slot_at)).all()
    assert len(slots) == 4 * 31
    assert "failed" not in caplog.text  # they wait for each other; the unique index is only the last net


def test_slots_that_fall_due_while_a_run_waits_join_it_and_its_window_grows(desk: Desk) -> None:
    desk.add("2026-11-24 06:00", frequency="hours")
    desk.tick("2026-11-24 07:00")
    done = desk.tick("2026-11-24 09:30")
    (run,) = desk.runs()
    assert (done.opened, done.joined) == ([], [run.id])
    assert window(run) == ("23 00:00", "24 09:00")
    assert desk.slots() == {"24 07:00": run.id, "24 08:00": run.id, "24 09:00": run.id}


def test_slots_that_fall_due_while_a_run_is_at_work_join_the_one_that_waits(desk: Desk) -> None:
    desk.add("2026-11-24 06:00", frequency="hours")
    (first,) = desk.tick("2026-11-24 07:00").opened
    assert claims.claim(desk.session, first, now=at("2026-11-24 07:00"), worker=claims.this_process())
    done = desk.tick("2026-11-24 07:01")
    assert done.to_ring == []
    with writing(desk.session):
        desk.session.execute(update(Run).values(heartbeat_at=at("2026-11-24 09:00")))
    (second,) = desk.tick("2026-11-24 08:00").opened
    done = desk.tick("2026-11-24 09:00")
    assert (done.joined, done.to_ring) == ([second], [])
    assert desk.slots() == {"24 07:00": first, "24 08:00": second, "24 09:00": second}


def test_after_an_outage_one_run_covers_the_gap(desk: Desk) -> None:
    desk.add("2026-11-20 06:00", frequency="daily")
    (opened,) = desk.tick("2026-11-24 12:00").opened
    (run,) = desk.runs()
    assert set(desk.slots().values()) == {opened}
    assert len(desk.slots()) == 4
    assert window(run) == ("18 00:00", "24 04:13")


def test_a_run_whose_worker_is_gone_goes_back_and_is_rung_again(desk: Desk) -> None:
    desk.add("2026-11-24 06:00", frequency="hours")
    (run_id,) = desk.tick("2026-11-24 07:00").opened
    assert claims.claim(desk.session, run_id, now=at("2026-11-24 07:00"), worker="elsewhere:1:1")
    assert desk.tick("2026-11-24 07:01").taken_back == []
    done = desk.tick("2026-11-24 07:03")
    assert done.taken_back == [run_id]
    assert [(run.id, run.attempt) for run in done.to_ring] == [(run_id, 2)]


# --- stores that fail ---------------------------------------------------------------------------------------------


def test_a_failing_store_is_tried_again_after_1_5_15_60_minutes_and_then_at_its_slots(
    desk: Desk, failing: Callable[[Exception | None], None]
) -> None:
    desk.add("2026-11-24 06:00", frequency="hours")
    failing(RetryLater("The store does not answer."))
    desk.tick("2026-11-24 07:00")
    tried = []
    for moment in ("07:00", "07:01", "07:06", "07:21", "08:21", "10:00"):
        desk.tick(f"2026-11-24 {moment}")
        (failed,) = desk.work(f"2026-11-24 {moment}")
        assert failed.state is RunState.FAILED
        assert failed.retry_at is not None
        tried.append(f"{failed.retry_at.astimezone(VILNIUS):%H:%M}")
        too_early = failed.retry_at.astimezone(VILNIUS) - timedelta(seconds=1)
        desk.tick(f"{too_early:%Y-%m-%d %H:%M:%S}")
        assert desk.work(f"{too_early:%Y-%m-%d %H:%M:%S}") == []
    assert tried == ["07:01", "07:06", "07:21", "08:21", "10:00", "11:00"]
    failing(None)
    desk.tick("2026-11-24 11:00")
    (done,) = desk.work("2026-11-24 11:00")
    assert (done.state, done.retry_at, window(done)) == (RunState.DONE, None, ("23 00:00", "24 11:00"))
    assert desk.slots() == dict.fromkeys(("24 07:00", "24 08:00", "24 09:00", "24 10:00", "24 11:00"), done.id)
    # After one that succeeded the first pause is short again.
    failing(RetryLater("The store does not answer."))
    desk.tick("2026-11-24 12:00")
    (again,) = desk.work("2026-11-24 12:00")
    assert again.retry_at == at("2026-11-24 12:01")


def test_a_store_that_says_how_long_is_not_asked_before(
    desk: Desk, failing: Callable[[Exception | None], None]
) -> None:
    desk.add("2026-11-24 06:00", frequency="hours")
    failing(RetryLater("Too many requests.", after_seconds=600))
    desk.tick("2026-11-24 07:00")
    (failed,) = desk.work("2026-11-24 07:00")
    assert failed.retry_at == at("2026-11-24 07:10")


def test_a_bell_that_was_rung_before_the_failure_does_not_cut_the_pause_short(
    desk: Desk, failing: Callable[[Exception | None], None]
) -> None:
    desk.add("2026-11-24 06:00", frequency="hours")
    (first,) = desk.tick("2026-11-24 07:00").opened
    failing(RetryLater("The store does not answer."))
    desk.work("2026-11-24 07:00")
    waiting = desk.runs()[-1]
    assert waiting.id != first
    assert claims.claim(desk.session, waiting.id, now=at("2026-11-24 07:00:30"), worker="w") is None
    assert claims.claim(desk.session, waiting.id, now=at("2026-11-24 07:01"), worker="w") is not None


def test_the_window_of_a_failed_week_is_not_lost(desk: Desk, failing: Callable[[Exception | None], None]) -> None:
    desk.add("2026-11-12 06:00", frequency="weekly")
    failing(RetryLater("The store does not answer."))
    desk.tick("2026-11-16 06:00")
    desk.work("2026-11-16 06:00")
    failing(None)
    desk.tick("2026-11-23 06:00")
    (done,) = desk.work("2026-11-23 06:00")
    assert window(done) == ("09 00:00", "23 00:00")
    assert set(desk.slots().values()) == {done.id}


def test_a_refused_key_is_not_tried_again_until_it_is_replaced(
    desk: Desk, failing: Callable[[Exception | None], None]
) -> None:
    desk.add("2026-11-24 06:00", frequency="hours")
    failing(NeedsOwner("The store refuses the key."))
    desk.tick("2026-11-24 07:00")
    (refused,) = desk.work("2026-11-24 07:00")
    assert (refused.state, refused.retry_at) == (RunState.FAILED, None)
    assert desk.kl().refused_since == at("2026-11-24 07:00")
    for moment in ("07:01", "08:00", "18:30"):
        assert desk.tick(f"2026-11-24 {moment}").to_ring == []
    failing(None)
    connect.set_values(desk.session, "KL", {"address": "KL"}, now=at("2026-11-24 19:00"), actor="ona", same_store=True)
    assert desk.kl().refused_since is None
    (rung,) = desk.tick("2026-11-24 19:00").to_ring
    (done,) = desk.work("2026-11-24 19:00")
    assert (done.id, done.state, window(done)) == (rung.id, RunState.DONE, ("23 00:00", "24 18:00"))
    assert set(desk.slots().values()) == {done.id}
    assert len(desk.slots()) == 12


def test_a_run_that_a_person_stopped_is_not_tried_again(desk: Desk) -> None:
    desk.add("2026-11-24 06:00", frequency="hours")
    (run_id,) = desk.tick("2026-11-24 07:00").opened
    assert open_runs.stop(desk.session, run_id, now=at("2026-11-24 07:01"))
    assert desk.tick("2026-11-24 07:02").to_ring == []
    assert desk.slots() == {"24 07:00": run_id}


def test_a_launch_that_fails_is_left_to_whoever_launched_it(
    desk: Desk, failing: Callable[[Exception | None], None]
) -> None:
    desk.add("2026-11-24 06:00")
    failing(RetryLater("The store does not answer."))
    now = at("2026-11-24 12:00")
    open_runs.launch(desk.session, mask="KL", first=now.date(), last=now.date(), now=now, actor="ona")
    (failed,) = desk.work("2026-11-24 12:00")
    assert failed.retry_at == at("2026-11-24 12:01")
    assert desk.tick("2026-11-24 12:05").to_ring == []


# --- changes of the plan -------------------------------------------------------------------------------------------


def test_another_frequency_takes_effect_at_once_and_loses_no_slot(desk: Desk) -> None:
    desk.add("2026-11-24 06:00", frequency="hours")
    # Nobody ticked since; what was due as it was planned then is covered.
    desk.set("2026-11-24 09:30", frequency="minutes")
    (run,) = desk.runs()
    assert desk.slots() == {"24 07:00": run.id, "24 08:00": run.id, "24 09:00": run.id}
    assert desk.next_at == "24 09:35"
    desk.tick("2026-11-24 09:35")
    assert list(desk.slots()) == ["24 07:00", "24 08:00", "24 09:00", "24 09:35"]


def test_a_frequency_changed_to_and_fro_at_a_slot_doubles_none(desk: Desk) -> None:
    desk.add("2026-11-24 06:00", frequency="hours")
    desk.tick("2026-11-24 09:00")
    desk.set("2026-11-24 09:00", frequency="minutes")
    desk.set("2026-11-24 09:00", frequency="hours")
    desk.set("2026-11-24 09:00:30", frequency="minutes")
    assert desk.next_at == "24 09:05"
    desk.set("2026-11-24 09:05", frequency="hours")
    assert list(desk.slots()) == ["24 07:00", "24 08:00", "24 09:00", "24 09:05"]
    assert len(desk.runs()) == 1


def test_more_days_looked_back_count_from_the_next_slot(desk: Desk) -> None:
    desk.add("2026-11-23 06:00", frequency="daily")
    desk.set("2026-11-23 12:00", daily_days="10")
    desk.tick("2026-11-24 06:00")
    assert [window(run) for run in desk.runs()] == [("14 00:00", "24 04:13")]


def test_a_setting_that_is_not_of_the_timetable_moves_nothing(desk: Desk) -> None:
    desk.add("2026-11-24 06:00", frequency="hours")
    desk.set("2026-11-24 09:30", refunds="off")
    assert desk.next_at == "24 07:00"
    assert desk.runs() == []


@pytest.mark.parametrize("off", [{"enabled": "no"}, {"frequency": "off"}])
def test_switched_off_what_waits_ends_and_switched_on_slots_count_from_then(desk: Desk, off: dict[str, str]) -> None:
    desk.add("2026-11-23 06:00", frequency="hours")
    (run_id,) = desk.tick("2026-11-23 08:00").opened
    desk.set("2026-11-23 08:30", **off)
    (run,) = desk.runs()
    assert (run.state, desk.next_at) == (RunState.STOPPED, "")
    assert desk.tick("2026-11-24 08:00").to_ring == []
    desk.set("2026-11-24 08:31", enabled="yes", frequency="hours")
    assert desk.next_at == "24 09:00"
    (again,) = desk.tick("2026-11-24 09:00").opened
    assert window(desk.runs()[-1]) == ("23 00:00", "24 09:00")
    assert desk.slots() == {"23 07:00": run_id, "23 08:00": run_id, "24 09:00": again}


def test_another_time_zone_moves_the_slots_and_loses_none(desk: Desk) -> None:
    desk.add("2026-11-24 06:00", frequency="hours")
    company.set_values(desk.session, {"time_zone": "Europe/London"}, now=at("2026-11-24 08:30"), actor="ona")
    assert list(desk.slots()) == ["24 07:00", "24 08:00"]
    assert desk.next_at == "24 09:00"  # 07:00 in London
    desk.tick("2026-11-24 09:00")
    (run,) = desk.runs()
    assert window(run) == ("23 00:00", "24 09:00")


def test_a_removed_integration_runs_no_more(desk: Desk) -> None:
    desk.add("2026-11-24 06:00", frequency="hours")
    (run_id,) = desk.tick("2026-11-24 07:00").opened
    connect.retire(desk.session, "KL", now=at("2026-11-24 07:30"), actor="ona")
    done = desk.tick("2026-11-24 09:00")
    assert (done.opened, done.to_ring) == ([], [])
    assert list(desk.slots().values()) == [run_id]


def test_settings_that_cannot_be_read_stop_no_other_integration(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    desk.add("2026-11-24 06:00", name="Broken", frequency="hours", number_prefix="B-")
    desk.add("2026-11-24 06:00", frequency="hours")
    with writing(desk.session):
        broken = {"frequency": "hours", "of_another_version": "1"}
        desk.session.execute(update(Integration).where(Integration.name == "Broken").values(settings=broken))
    assert len(desk.tick("2026-11-24 07:00").opened) == 1
    assert "the timetable of an integration failed" in caplog.text


def test_an_integration_that_was_there_before_the_timetable_begins_at_the_next_slot(desk: Desk) -> None:
    desk.add("2026-11-24 06:00", frequency="hours")
    with writing(desk.session):
        desk.session.execute(update(Integration).values(next_run_at=None, reread_at=None))
    assert desk.tick("2026-11-24 09:30").opened == []
    assert desk.next_at == "24 10:00"
    assert desk.kl().reread_at == at("2026-11-25 05:37")


def test_the_bell_is_for_one_run_an_integration_and_not_for_a_terminals(desk: Desk) -> None:
    kl = desk.add("2026-11-24 06:00", frequency="hours")
    with writing(desk.session):
        builders.a_run(desk.session, desk.session.get_one(Integration, kl.id), foreground=True)
        first = builders.a_run(desk.session, desk.session.get_one(Integration, kl.id))
    assert [run.id for run in desk.tick("2026-11-24 07:00").to_ring] == [first.id]


# --- read again, and the month -------------------------------------------------------------------------------------


def test_once_a_day_the_orders_of_documents_are_read_again(desk: Desk) -> None:
    kl = desk.add("2026-11-23 12:00", frequency="daily")
    placed = at("2026-10-20 10:00")
    put(desk.store, *(an_order(external_id=each, number=each, placed_at=placed, changed_at=placed, paid_at=placed)
                      for each in ("1", "2")))  # fmt: skip
    now = at("2026-11-23 12:00")
    open_runs.launch(desk.session, mask="KL", first=placed.date(), last=placed.date(), now=now, actor="ona")
    (launched,) = desk.work("2026-11-23 12:00")
    assert launched.registered == 2
    # The store changes an order and says nothing of when.
    changed = an_order(
        external_id="2", number="2", placed_at=placed, changed_at=placed, paid_at=placed, is_cancelled=True,
        status="cancelled", is_sale=False,
    )  # fmt: skip
    put(desk.store, changed)
    desk.tick("2026-11-24 04:30")
    (usual,) = desk.work("2026-11-24 04:30")
    assert (usual.kind, usual.fetched) == (RunKind.TIMETABLE, 0)
    desk.tick("2026-11-24 05:37")
    desk.tick("2026-11-24 05:38")
    (run,) = desk.work("2026-11-24 05:38")
    assert (run.kind, run.state, run.error) == (RunKind.REREAD, RunState.DONE, "")
    assert (run.fetched, run.already_there, run.changed, run.expected) == (2, 2, 1, None)
    assert len(desk.runs(RunKind.REREAD)) == 1
    assert kl.id == run.integration_id
    assert desk.kl().reread_at == at("2026-11-25 05:37")


def with_a_document(desk: Desk, now: str, **settings: str) -> None:
    """An integration that has one, launched by hand."""
    desk.add(now, **settings)
    placed = at("2026-11-20 10:00")
    put(desk.store, an_order(external_id="1", number="1", placed_at=placed, changed_at=placed, paid_at=placed))
    moment = at(now)
    open_runs.launch(desk.session, mask="KL", first=placed.date(), last=placed.date(), now=moment, actor="ona")
    assert desk.work(now)[0].registered == 1


def test_what_only_people_launch_is_read_again_too(desk: Desk) -> None:
    with_a_document(desk, "2026-11-23 12:00")
    assert (desk.next_at, desk.kl().reread_at) == ("", at("2026-11-24 05:37"))
    desk.tick("2026-11-24 05:36")
    assert desk.work("2026-11-24 05:36") == []
    desk.tick("2026-11-24 05:37")
    (run,) = desk.work("2026-11-24 05:37")
    assert (run.kind, run.state, run.fetched, run.already_there) == (RunKind.REREAD, RunState.DONE, 1, 1)
    desk.tick("2026-11-24 05:38")
    assert desk.kl().reread_at == at("2026-11-25 05:37")
    with reading(desk.session):
        one = next_runs.next_runs(desk.session, now=at("2026-11-24 06:00"))[run.integration_id]
    assert (one.obstacle, one.reread_at) == (next_runs.Obstacle.FREQUENCY_OFF, at("2026-11-25 05:37"))
    # The frequency switched off it goes on, the integration switched off it ends.
    desk.set("2026-11-24 06:00", frequency="hours")
    desk.set("2026-11-24 06:01", frequency="off")
    assert desk.kl().reread_at == at("2026-11-25 05:37")
    desk.set("2026-11-24 06:02", enabled="no")
    assert desk.kl().reread_at is None
    desk.tick("2026-11-25 06:00")
    assert len(desk.runs(RunKind.REREAD)) == 1
    desk.set("2026-11-25 06:01", enabled="yes")
    assert desk.kl().reread_at == at("2026-11-26 05:37")


def test_one_that_was_there_before_and_runs_by_hand_is_looked_at_once(desk: Desk) -> None:
    desk.add("2026-11-24 06:00")
    with writing(desk.session):
        desk.session.execute(update(Integration).values(reread_at=None))
    desk.tick("2026-11-24 06:00")
    assert desk.kl().reread_at == at("2026-11-25 05:37")


def test_a_store_that_refuses_is_not_asked_to_be_read_again(
    desk: Desk, failing: Callable[[Exception | None], None]
) -> None:
    with_a_document(desk, "2026-11-23 12:00", frequency="daily")
    failing(NeedsOwner("The store refuses the key."))
    desk.tick("2026-11-24 04:30")
    desk.work("2026-11-24 04:30")
    desk.tick("2026-11-24 05:40")
    assert desk.runs(RunKind.REREAD) == []
    failing(None)
    connect.set_values(desk.session, "KL", {"address": "KL"}, now=at("2026-11-24 09:00"), actor="ona", same_store=True)
    desk.tick("2026-11-24 09:00")
    assert len(desk.runs(RunKind.REREAD)) == 1  # late, but the same day


def test_a_store_that_is_left_alone_is_read_again_after_the_pause(
    desk: Desk, failing: Callable[[Exception | None], None]
) -> None:
    with_a_document(desk, "2026-11-23 12:00", frequency="daily")
    failing(RetryLater("Maintenance.", after_seconds=3 * 3600.0))
    desk.tick("2026-11-24 04:30")
    desk.work("2026-11-24 04:30")
    desk.tick("2026-11-24 05:40")
    assert desk.runs(RunKind.REREAD) == []
    desk.tick("2026-11-24 07:31")
    assert len(desk.runs(RunKind.REREAD)) == 1


def test_nothing_is_read_again_where_there_are_no_documents(desk: Desk) -> None:
    desk.add("2026-11-23 12:00", frequency="daily")
    desk.tick("2026-11-24 06:00")
    assert desk.runs(RunKind.REREAD) == []
    assert desk.kl().reread_at == at("2026-11-25 05:37")


def test_on_the_20th_the_previous_month_is_checked_beside_the_store(desk: Desk) -> None:
    desk.add("2026-11-19 12:00", frequency="daily")
    placed, before = at("2026-10-20 10:00"), at("2026-09-30 23:00")
    put(
        desk.store,
        an_order(external_id="1", number="1", placed_at=placed, changed_at=placed, paid_at=placed),
        an_order(external_id="2", number="2", placed_at=placed, changed_at=placed, paid_at=placed,
                 is_cancelled=True, is_sale=False),
        an_order(external_id="3", number="3", placed_at=before, changed_at=placed, paid_at=placed),
    )  # fmt: skip
    desk.tick("2026-11-20 06:00")
    runs = [run for run in desk.work("2026-11-20 06:00") if run.kind is RunKind.TIMETABLE]
    assert [run.fetched for run in runs] == [3]
    assert runs[0].month_check == {
        "month": "2026-10",
        "agrees": True,
        "store": {"orders": 1, "totals": {"EUR": "12.10"}, "left_out": {"cancelled": 1}, "not_booked": 0},
        "ours": {"invoices": 1, "registered": 1, "in_journal": 0, "totals": {"EUR": "12.10"}},
    }
    desk.tick("2026-11-21 06:00")
    assert [run.month_check for run in desk.work("2026-11-21 06:00")] == [None]


def test_a_month_that_differs_from_the_store_does_not_agree(desk: Desk) -> None:
    desk.add("2026-11-19 12:00", frequency="daily")
    placed = at("2026-10-20 10:00")
    order = an_order(external_id="1", number="1", placed_at=placed, changed_at=placed, paid_at=placed)
    put(desk.store, order)
    now = at("2026-11-19 12:00")
    open_runs.launch(desk.session, mask="KL", first=placed.date(), last=placed.date(), now=now, actor="ona")
    desk.work("2026-11-19 12:00")
    dearer = an_order(
        external_id="1", number="1", placed_at=placed, changed_at=placed, paid_at=placed,
        lines=(builders.a_line(net=Decimal("20.00"), taxes=(builders.a_tax(amount="4.20"),)),),
    )  # fmt: skip
    put(desk.store, dearer)
    desk.tick("2026-11-20 06:00")
    run = desk.work("2026-11-20 06:00")[0]
    assert run.month_check is not None
    assert run.month_check["agrees"] is False
    assert run.month_check["store"]["totals"] == {"EUR": "24.20"}
    assert run.month_check["ours"]["totals"] == {"EUR": "12.10"}


def test_a_launch_of_the_month_checks_it_anew_once_it_was_checked(desk: Desk) -> None:
    desk.add("2026-11-19 12:00", frequency="daily")
    october = {"first": at("2026-10-01 00:00").astimezone(VILNIUS).date(), "last": at("2026-10-31 12:00").date()}

    def launched(now: str) -> Run:
        (run,) = open_runs.launch(
            desk.session, mask="KL", first=october["first"], last=october["last"], now=at(now), actor="ona"
        )  # fmt: skip
        return next(each for each in desk.work(now) if each.id == run.id)

    assert launched("2026-11-19 12:00").month_check is None
    desk.tick("2026-11-20 06:00")
    desk.work("2026-11-20 06:00")
    placed = at("2026-10-20 10:00")
    put(desk.store, an_order(external_id="1", number="1", placed_at=placed, changed_at=placed, paid_at=placed))
    check = launched("2026-11-22 12:00").month_check
    assert check is not None
    assert (check["month"], check["agrees"], check["ours"]["invoices"]) == ("2026-10", True, 1)
