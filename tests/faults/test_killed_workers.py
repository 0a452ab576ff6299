"""kill -9 at any moment of a run: the next process goes on, every order comes once, own numbers have no gap."""

from __future__ import annotations

import random
import socket
import subprocess
import time

import pytest

from monet_web.models.runs import RunState
from monet_web.services.importing import claims
from tests.faults.office import PLENTY, Office
from tests.faults.processes import until

ORDERS = 100
KILLS = 5


def kill_before_random_statements(office: Office, run_id: int, chance: random.Random) -> list[str]:
    """Work the run with processes that are killed one after the other; the statements that were never executed."""
    died_before = []
    for _ in range(KILLS):
        with office.worker(run_id, stop_before=("", chance.randint(10, 110))) as worker:
            worker.go()
            said = worker.wait_for("paused", "ended")
            if said.kind == "ended":
                break
            died_before.append(said.text)
            assert office.state(run_id) is RunState.RUNNING
            worker.kill()
        office.taken_back(run_id)
    else:
        office.worked(run_id)
    return died_before


@pytest.mark.parametrize("seed", [1, 2])
def test_a_run_killed_before_any_statement_goes_on_and_every_order_comes_once(office: Office, seed: int) -> None:
    office.receive(10, PLENTY)
    with office.plain("KL", ORDERS) as shop:
        run_id = office.queued(shop)
        died_before = kill_before_random_statements(office, run_id, random.Random(seed))
        run = office.run(run_id)
        assert len(died_before) >= 3, died_before
        assert (run.state, run.error) == (RunState.DONE, "")
        assert (run.fetched, run.registered) == (ORDERS, ORDERS)
        office.check(runs=(run_id,), whole=(shop,))
        assert office.worked(office.queued(shop)).already_there == ORDERS
        office.check(whole=(shop,))


@pytest.mark.parametrize("seed", [3])
def test_a_run_killed_by_the_clock_goes_on_and_every_order_comes_once(office: Office, seed: int) -> None:
    office.receive(10, 15)  # not enough for all: some wait in a journal
    chance = random.Random(seed)
    with office.plain("KL", ORDERS, private_buyers="each") as shop:
        run_id = office.queued(shop)
        kills = 0
        while office.state(run_id) is RunState.QUEUED:
            with office.worker(run_id) as worker:
                worker.go()
                if kills == KILLS:
                    worker.end()
                    break
                time.sleep(chance.uniform(0.02, 0.3))  # the clock is what this test is about
                worker.kill()
                kills += 1
            if office.state(run_id) is RunState.RUNNING:
                office.taken_back(run_id)
        run = office.run(run_id)
        assert kills >= 2
        assert (run.state, run.error, run.fetched) == (RunState.DONE, "", ORDERS)
        assert run.registered > 0
        assert run.in_journal > 0
        office.check(runs=(run_id,), whole=(shop,))


def test_a_terminal_that_was_killed_has_failed_and_run_again_does_the_rest(office: Office) -> None:
    office.receive(10, PLENTY)
    with office.plain("KL", 60) as shop:
        run_id = office.queued(shop, foreground=True)
        with office.worker(run_id, stop_before=("INSERT INTO run_orders ", 3)) as worker:
            worker.go()
            worker.wait_for("paused")
            worker.kill()
        office.taken_back(run_id)
        again = office.worked(office.queued(shop, foreground=True))
        killed = office.run(run_id)
        assert killed.state is RunState.FAILED
        assert killed.error
        assert killed.fix
        assert killed.registered == 20
        assert (again.state, again.registered, again.already_there) == (RunState.DONE, 40, 20)
        office.check(runs=(run_id, again.id), whole=(shop,))


@pytest.mark.parametrize("seed", [4])
def test_own_numbers_have_no_gap_although_workers_of_two_integrations_are_killed(office: Office, seed: int) -> None:
    office.receive(10, PLENTY)
    chance = random.Random(seed)
    with (
        office.plain("A", ORDERS, number_from="series") as first,
        office.plain("B", ORDERS, number_from="series") as second,
    ):
        runs = (office.queued(first), office.queued(second))
        with office.worker(runs[1]) as beside:
            beside.go()
            died_before = kill_before_random_statements(office, runs[0], chance)
            beside.end()
        assert len(died_before) >= 3, died_before
        for shop, prefix in ((first, "A"), (second, "B")):
            assert office.numbers(shop) == [f"{prefix}-2026-{n:06d}" for n in range(1, ORDERS + 1)]
        office.check(runs=runs, whole=(first, second))


def test_a_process_that_is_dead_and_that_nobody_buried_is_dead() -> None:
    process = subprocess.Popen(["sleep", "60"])
    worker = f"{socket.gethostname()}:{process.pid}:{claims._started(process.pid)}"
    assert not claims.is_dead(worker)
    process.kill()  # without wait() it stays in the table of processes, as under a parent that does not care
    until(lambda: claims.is_dead(worker), "the dead process is seen to be dead")
    process.wait()
    assert claims.is_dead(worker)
