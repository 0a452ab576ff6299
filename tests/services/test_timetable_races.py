"""Two at once on PostgreSQL, step by step: a person, a worker and a tick change the same runs."""

from __future__ import annotations

import threading
import time

import pytest
from sqlalchemy.orm import Session, sessionmaker

from monet_web.domain.errors import RetryLater
from monet_web.models import Run
from monet_web.models.base import reading
from monet_web.models.runs import RunState
from monet_web.services.importing import claims
from monet_web.services.opening import open_runs, timetable, waiting
from monet_web.services.opening.plan import plan_of, zone_of
from monet_web.services.running import run_import
from tests.services.scripted import ScriptedStore
from tests.services.test_timetable import Desk, at

pytestmark = pytest.mark.parametrize("databases", ["postgresql"], indirect=True)


@pytest.fixture
def desk(session_factory: sessionmaker[Session], session: Session, store: type[ScriptedStore]) -> Desk:
    return Desk(session_factory, session, store)


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
    time.sleep(0.5)
    run = worker.get_one(Run, run_id)
    run.state, run.ended_at = RunState.DONE, at("2026-11-24 07:01")
    worker.commit()
    worker.close()
    person.join(10)
    assert stopped == [False]
    desk.tick("2026-11-24 07:10")
    assert desk.runs()[0].state is RunState.DONE


def test_a_run_that_fails_while_a_tick_opens_the_next_makes_no_second_one_wait(desk: Desk) -> None:
    integration_id = desk.add("2026-11-24 06:00", frequency="hours").id
    (run_id,) = desk.tick("2026-11-24 07:00").opened
    held = claims.claim(desk.session, run_id, now=at("2026-11-24 07:59"), worker="elsewhere:1:1")
    assert held is not None
    now = at("2026-11-24 08:00")
    ticking = desk.factory()
    ticking.begin()
    assert waiting.lock(ticking, integration_id) is None
    integration = waiting.row(ticking, integration_id)
    opened = timetable.cover_due(ticking, integration, plan_of(integration, zone_of(ticking)), None, now=now)
    assert opened is not None
    opened_id = opened.id
    worker = threading.Thread(
        target=lambda: run_import._write_failure(
            desk.factory(), held, RetryLater("The store does not answer."), clock=lambda: now
        )
    )
    worker.start()
    time.sleep(0.5)
    ticking.commit()
    ticking.close()
    worker.join(10)
    first, second = desk.runs()
    assert (first.state, second.id, second.state) == (RunState.FAILED, opened_id, RunState.QUEUED)
    assert second.retry_at == at("2026-11-24 08:01")
    assert set(desk.slots().values()) == {opened_id}
    with reading(desk.session):
        assert timetable.to_ring(desk.session, now=now) == []
