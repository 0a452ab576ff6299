"""The database goes away in the middle of a run: the page is tried again, or the run fails in words; never double."""

from __future__ import annotations

import random

import pytest
from sqlalchemy import text

from monet_web.models.base import writing
from monet_web.models.runs import RunKind, RunState
from tests.databases import postgresql_only
from tests.faults.office import PLENTY, Office

ORDERS = 50
CHANCE = random.Random(6)


def end_connections(office: Office) -> int:
    """Every connection to this database but the test's own ends; how many there were."""
    with writing(office.session):
        rows = office.session.execute(
            text(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )
        ).all()
    return len(rows)


@postgresql_only
@pytest.mark.parametrize("before", sorted(CHANCE.sample(range(12, 150), 5)))
def test_a_connection_lost_before_any_statement_costs_nothing(office: Office, before: int) -> None:
    office.receive(10, PLENTY)
    with office.plain("KL", ORDERS) as shop:
        run_id = office.queued(shop)
        with office.worker(run_id, stop_before=("", before)) as worker:
            worker.go()
            at = worker.wait_for("paused").text
            assert end_connections(office) >= 1
            worker.go()
            said = worker.end()
            assert worker.troubles, at
        run = office.run(run_id)
        assert said.text in ("done", "failed")
        office.check(runs=(run_id,))
        if run.state is RunState.FAILED:
            assert (run.error, run.fix) == (
                "The database was busy or away for too long.",
                "Nothing is lost; run the import again.",
            )
            assert run.retry_at is not None
            again = office.worked(office.queued(shop))
            assert (again.state, again.registered + again.already_there) == (RunState.DONE, ORDERS)
        else:
            assert run.registered == ORDERS
        office.check(whole=(shop,))


# Whoever did not hear the answer to a commit can't know whether it was done: here it was, each time.
@pytest.mark.parametrize("commit", [8, 10, 18, 19])
def test_an_answer_to_a_commit_that_was_lost_books_nothing_twice(office: Office, commit: int) -> None:
    office.receive(10, PLENTY)
    with office.plain("KL", 20, number_from="series") as shop:
        run_id = office.queued(shop)
        with office.worker(run_id, deaf_at=commit) as worker:
            worker.go()
            worker.end()
            assert len(worker.troubles) == 1
        run = office.run(run_id)
        assert (run.state, run.error, run.registered) == (RunState.DONE, "", 20)
        assert office.numbers(shop) == [f"KL-2026-{n:06d}" for n in range(1, 21)]
        office.check(runs=(run_id,), whole=(shop,))


@postgresql_only
def test_a_preview_that_lost_its_connection_spends_no_stock_twice(office: Office) -> None:
    office.receive(10, 8)
    with office.plain("KL", ORDERS) as shop:
        undisturbed = office.worked(office.queued(shop, kind=RunKind.PREVIEW))
        assert undisturbed.registered > 0
        assert undisturbed.in_journal > 0
        run_id = office.queued(shop, kind=RunKind.PREVIEW)
        with office.worker(run_id, stop_before=("INSERT INTO run_orders", 1)) as worker:
            worker.go()
            worker.wait_for("paused")
            end_connections(office)
            worker.go()
            assert worker.end().result["registered"] == undisturbed.registered
            assert worker.troubles
        office.check()
