"""Settings of another version, or touched by hand: only that integration stands still, and setting them mends it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session, sessionmaker

from monet_web.domain.errors import BrokenRule
from monet_web.domain.periods import Period
from monet_web.models import Integration
from monet_web.models.base import reading, writing
from monet_web.models.runs import RunState
from monet_web.services import doctor
from monet_web.services.integrations import installed
from monet_web.services.office import company
from monet_web.services.running import next_runs
from monet_web.services.running.next_runs import Obstacle
from tests.services.scripted import ScriptedStore
from tests.services.test_timetable import Desk, at, window


@pytest.fixture
def desk(session_factory: sessionmaker[Session], session: Session, store: type[ScriptedStore]) -> Iterator[Desk]:
    desk = Desk(session_factory, session, store)
    desk.add("2026-11-24 06:00", frequency="hours")
    desk.add("2026-11-24 06:00", name="Other", frequency="hours", number_prefix="O-")
    yield desk
    ScriptedStore.before_page = None


def spoil(desk: Desk, **texts: str) -> None:
    with writing(desk.session):
        one = desk.session.get_one(Integration, 1, populate_existing=True)
        desk.session.execute(
            update(Integration).where(Integration.id == 1).values(settings={**one.settings, **texts})
        )  # fmt: skip


@pytest.mark.parametrize("texts", [{"refunds": "someday"}, {"of_another_version": "1"}])
def test_the_others_run_and_it_is_said_which_one_does_not_and_how_to_mend_it(desk: Desk, texts: dict[str, str]) -> None:
    spoil(desk, **texts)
    now = at("2026-11-24 07:00")
    assert [run.integration_id for run in desk.tick("2026-11-24 07:00").to_ring] == [2]
    with reading(desk.session):
        first, second = next_runs.next_runs(desk.session, now=now).values()
        planned = next_runs.planned(desk.session, Period(date(2026, 11, 24), date(2026, 11, 24)))
        (silent,) = next_runs.why_never(desk.session)
    assert (first.obstacle, second.obstacle) == (Obstacle.UNREADABLE, Obstacle.QUEUED)
    assert next(iter(texts)) in first.because
    assert "monet integrations set “KL” key=value" in first.because
    assert {each.name for each in planned} == {"Other"}
    assert silent.startswith("KL does not run: its settings can't be read.")
    signs = {sign.part: sign for sign in doctor.checks_of_data(desk.session, now=now)}
    assert not signs["timetable"].well
    assert f"KL: its settings can't be read. {next(iter(texts))}" in signs["timetable"].sentence
    with reading(desk.session):
        shown = installed.show(desk.session.get_one(Integration, 1, populate_existing=True))
    assert shown.settings["frequency"] == "hours"
    company.set_values(desk.session, {"time_zone": "Europe/London"}, now=now, actor="ona")  # stops at none


@pytest.mark.parametrize(
    ("texts", "mended"), [({"refunds": "someday"}, {"refunds": "journal"}), ({"of_another_version": "1"}, {})]
)
def test_setting_it_mends_it_and_no_slot_was_lost(desk: Desk, texts: dict[str, str], mended: dict[str, str]) -> None:
    spoil(desk, **texts)
    desk.tick("2026-11-24 09:30")
    if mended:
        with pytest.raises(BrokenRule, match="refunds=someday: Type one of"):
            desk.set("2026-11-24 09:31", daily_days="5")
    desk.set("2026-11-24 09:31", **mended)
    desk.tick("2026-11-24 09:31")
    assert len(desk.slots()) == 3  # of each integration the same moments
    mine = [run for run in desk.runs() if run.integration_id == 1]
    assert [window(run) for run in mine] == [("23 00:00", "24 09:00")]


def test_a_run_that_finds_them_unreadable_fails_with_a_sentence_and_keeps_its_slots(desk: Desk) -> None:
    desk.tick("2026-11-24 07:00")
    spoil(desk, refunds="someday")
    failed = next(run for run in desk.work("2026-11-24 07:00") if run.integration_id == 1)
    assert failed.state is RunState.FAILED
    assert "refunds=someday" in failed.error
    assert failed.retry_at is not None
    waits = [run for run in desk.runs() if run.integration_id == 1][-1]
    assert (waits.state, window(waits)) == (RunState.QUEUED, ("23 00:00", "24 07:00"))
