"""A worker that slept through its claim writes nothing more when it wakes up, wherever it slept."""

from __future__ import annotations

import signal
from datetime import timedelta

import pytest
from sqlalchemy import update

from monet_web.models import Run
from monet_web.models.base import now_utc, writing
from monet_web.models.runs import RunState
from monet_web.services.importing import claims
from tests.faults import books
from tests.faults.office import PLENTY, Office

ORDERS = 60


def silent_for_too_long(office: Office, run_id: int) -> None:
    with writing(office.session):
        office.session.execute(
            update(Run)
            .where(Run.id == run_id)
            .values(heartbeat_at=now_utc() - claims.SILENT_FOR - timedelta(seconds=1))
        )


def test_a_worker_stopped_while_the_store_answers_writes_nothing_when_it_wakes_up(office: Office) -> None:
    office.receive(10, PLENTY)
    with office.plain("KL", ORDERS) as shop:
        run_id = office.queued(shop)
        with office.worker(run_id) as sleeper, office.worker(run_id) as other:
            with shop.held_at_page(4):
                sleeper.go()
                shop.wait_until_held()
                sleeper.signal(signal.SIGSTOP)
                assert 0 < office.run(run_id).registered < ORDERS
                silent_for_too_long(office, run_id)
                assert claims.take_back(office.session, now=now_utc()) == [run_id]
                other.go()
                assert other.end().result["registered"] == ORDERS
                left = books.dump(office.session)
            sleeper.signal(signal.SIGCONT)
            sleeper.end()
            assert sleeper.troubles == []
        assert books.dump(office.session) == left
        assert (office.run(run_id).state, office.run(run_id).attempt) == (RunState.DONE, 3)
        office.check(runs=(run_id,), whole=(shop,))


# Every transaction of a run begins with a proof of its claim: before the first page, before a page's orders are
# remembered, before they are booked; the last two keep what was learned of the store, and end the run. On SQLite
# BEGIN IMMEDIATE stands before it and takes the lock.
@pytest.mark.parametrize("proof", [1, 3, 4, 15, 16])
def test_a_worker_stopped_before_it_proves_its_claim_writes_nothing_when_it_wakes_up(
    office: Office, proof: int
) -> None:
    office.receive(10, PLENTY)
    before = ("UPDATE runs SET heartbeat", proof)
    if office.database_url.startswith("sqlite"):
        before = ("BEGIN IMMEDIATE", proof + 1)  # the first claims the run
    with office.plain("KL", ORDERS) as shop:
        run_id = office.queued(shop)
        with office.worker(run_id, stop_before=before) as sleeper, office.worker(run_id) as other:
            sleeper.go()
            sleeper.wait_for("paused")
            silent_for_too_long(office, run_id)
            assert claims.take_back(office.session, now=now_utc()) == [run_id]
            other.go()
            assert other.end().result["registered"] == ORDERS
            left = books.dump(office.session)
            sleeper.go()
            sleeper.end()
            assert sleeper.troubles == []
        assert books.dump(office.session) == left
        office.check(runs=(run_id,), whole=(shop,))
