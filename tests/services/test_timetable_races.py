"""Two at once on PostgreSQL, step by step: a person, a worker and a tick change the same runs."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import text, update
from sqlalchemy.orm import Session, sessionmaker

from monet_web.domain.errors import RetryLater
from monet_web.models import Run
from monet_web.models.base import reading, writing
from monet_web.models.runs import RunState
from monet_web.services.importing import claims
from monet_web.services.opening import failures, open_runs, timetable, waiting
from monet_web.services.opening.plan import plan_of, zone_of
from monet_web.services.running import run_import
from tests.faults.processes import until
from tests.services.scripted import ScriptedStore
from tests.services.test_timetable import Desk, at

pytestmark = pytest.mark.parametrize("databases", ["postgresql"], indirect=True)


@pytest.fixture
def desk(session_factory: sessionmaker[Session], session: Session, store: type[ScriptedStore]) -> Desk:
    return Desk(session_factory, session, store)


def somebody_waits(desk: Desk) -> bool:
    """True when a session of this database waits for a lock that another one holds."""
    with desk.factory() as looking:
        query = text(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return bool(looking.execute(query).scalar_one())


def test_stop_while_the_run_comes_to_its_end_leaves_it_done(desk: Desk) -> None:
    desk.add("2026-11-24 06:00", frequency="hours")
    (run_id,) = desk.tick("2026-11-24 07:00").opened
    held = claims.claim(desk.session, run_id, now=at("2026-11-24 07:00"), worker="elsewhere:1:1")
    assert held is not None
    worker = desk.factory()
    # The worker's last transaction holds the row when the person presses Stop.
    worker.begin()
    claims.hold(worker, held, now=at("2026-11-24 07:01"))
    stopped: list[bool] = []
    person = threading.Thread(
        target=lambda: stopped.append(open_runs.stop(desk.factory(), run_id, now=at("2026-11-24 07:01")))
    )
    person.start()
    until(lambda: somebody_waits(desk), "the other one waits for the row")
    run = worker.get_one(Run, run_id)
    run.state, run.ended_at = RunState.DONE, at("2026-11-24 07:01")
    worker.commit()
    worker.close()
    person.join(10)
    assert stopped == [False]
    desk.tick("2026-11-24 07:10")
    assert desk.runs()[0].state is RunState.DONE


@pytest.mark.parametrize("how", ["fails", "is given up"])
def test_a_run_that_ends_badly_while_a_tick_opens_the_next_makes_no_second_one_wait(desk: Desk, how: str) -> None:
    integration_id = desk.add("2026-11-24 06:00", frequency="hours").id
    (run_id,) = desk.tick("2026-11-24 07:00").opened
    held = claims.claim(desk.session, run_id, now=at("2026-11-24 07:59"), worker="elsewhere:1:1")
    assert held is not None
    with writing(desk.session):  # its third attempt
        desk.session.execute(update(Run).values(attempt=5))
    held = claims.Claim(run_id, 5)
    now = at("2026-11-24 08:02")

    def fail() -> None:
        if how == "fails":
            error = RetryLater("The store does not answer.")
            run_import._write_failure(desk.factory(), held, error, clock=lambda: now)
        else:
            claims.take_back(desk.factory(), now=now, gave_up=failures.gave_up)

    ticking = desk.factory()
    ticking.begin()
    assert waiting.lock(ticking, integration_id) is None
    integration = waiting.row(ticking, integration_id)
    opened = timetable.cover_due(ticking, integration, plan_of(integration, zone_of(ticking)), None, now=now)
    assert opened is not None
    opened_id = opened.id
    worker = threading.Thread(target=fail)
    worker.start()
    until(lambda: somebody_waits(desk), "the other one waits for the row")
    ticking.commit()
    ticking.close()
    worker.join(10)
    first, second = desk.runs()
    assert (first.state, second.id, second.state) == (RunState.FAILED, opened_id, RunState.QUEUED)
    assert second.retry_at == at("2026-11-24 08:03")
    assert set(desk.slots().values()) == {opened_id}
    with reading(desk.session):
        assert timetable.to_ring(desk.session, now=now) == []
