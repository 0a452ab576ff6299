"""Own series, of invoices and of credit notes: four processes at once, kill -9 at any moment, no gap, none twice."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Collection, Sequence
from contextlib import ExitStack

import pytest
from sqlalchemy import select

from monet_web.models import Invoice, Series
from monet_web.models.base import reading
from monet_web.models.invoices import InvoiceKind, InvoiceState
from monet_web.models.runs import RunState
from tests.faults.office import PLENTY, Office, Shop
from tests.faults.processes import Worker, first_to_say

SETTINGS = {
    "number_from": "series", "credit_number_from": "series", "refunds": "automatic", "accounting_type": "amounts",
    "vat_rate_check": "off",
}  # fmt: skip


def check_series(office: Office) -> dict[tuple[int, str], int]:
    """Each series gave the numbers from 1 to its next, each to one registered document.

    (integration, kind) → how many.
    """
    given: dict[tuple[int, str, str], list[str]] = defaultdict(list)
    found: dict[tuple[int, str], int] = {}
    with reading(office.session):
        office.session.expire_all()
        series = office.session.scalars(select(Series)).all()
        for one in office.session.scalars(select(Invoice)):
            if one.state is InvoiceState.REGISTERED:
                assert one.number
                given[one.integration_id, one.kind.value, one.number[:-6]].append(one.number)
            else:
                assert one.number is None
    for row in series:
        head = f"{row.prefix}{row.year}-"
        numbers = sorted(given.pop((row.integration_id, row.kind, head), []))
        assert numbers == [f"{head}{n:06d}" for n in range(1, row.next)]
        found[row.integration_id, row.kind] = found.get((row.integration_id, row.kind), 0) + len(numbers)
    assert not given, "numbers of no series"
    return found


def killed_at_random(
    office: Office, stack: ExitStack, runs: Sequence[int], chance: random.Random, *, rounds: int
) -> dict[int, int]:
    """All runs worked at once, each by a process that is killed before a random statement; in the last round none is.

    Run → how often its process was killed.
    """
    killed = dict.fromkeys(runs, 0)
    left = list(runs)
    for _ in range(rounds):
        stops = [("", chance.randint(15, 90)) for _ in left]
        tasks = zip(left, stops, strict=True)
        working = {stack.enter_context(office.worker(run_id, stop_before=stop)): run_id for run_id, stop in tasks}
        left = [working[worker] for worker in all_go(working)]
        for run_id in left:
            killed[run_id] += 1
            if office.state(run_id) is RunState.RUNNING:
                office.taken_back(run_id)
    all_go([stack.enter_context(office.worker(run_id)) for run_id in left])
    return killed


def all_go(workers: Collection[Worker]) -> list[Worker]:
    """Begun at once; who pauses is killed there and then, since it may hold a lock. Those who were."""
    for worker in workers:
        worker.go()
    working, killed = list(workers), []
    while working:
        worker, said = first_to_say(working, "paused", "ended")
        working.remove(worker)
        if said.kind == "paused":
            worker.kill()
            killed.append(worker)
    return killed


@pytest.mark.parametrize("seed", [11])
def test_four_workers_killed_again_and_again_leave_no_gap_in_eight_series(office: Office, seed: int) -> None:
    chance = random.Random(seed)
    with ExitStack() as stack:
        shops = [stack.enter_context(office.realistic(name, 60, **SETTINGS)) for name in "ABCD"]
        runs = [office.queued(shop) for shop in shops]
        killed = killed_at_random(office, stack, runs, chance, rounds=3)
        assert min(killed.values()) >= 1, killed
        assert sum(killed.values()) >= 6, killed
        assert {office.run(run_id).state for run_id in runs} == {RunState.DONE}
        counts = check_series(office)
        for shop in shops:
            assert counts[shop.integration_id, "invoice"] > 10
            assert counts.get((shop.integration_id, "credit_note"), 0) > 1, counts
        # All four stores are the same: whoever was killed made what the others made.
        assert len({counts[shop.integration_id, "invoice"] for shop in shops}) == 1
        assert len({counts[shop.integration_id, "credit_note"] for shop in shops}) == 1


@pytest.mark.parametrize("seed", [12])
def test_four_processes_that_credit_by_one_series_get_every_number_once(office: Office, seed: int) -> None:
    """Past the claims, which keep them apart: the row of the series alone must."""
    office.receive(10, PLENTY)
    chance = random.Random(seed)
    with office.plain("KL", 60, number_from="series", credit_number_from="series") as shop, ExitStack() as stack:
        run_id = office.queued(shop)
        assert office.worked(run_id).registered == 60
        ids = invoice_ids(office, shop)
        parts = [ids[place::4] for place in range(4)]
        stops = [("", chance.randint(60, 160)) if place < 3 else None for place in range(4)]
        tasks = zip(parts, stops, strict=True)
        workers = [
            stack.enter_context(office.worker(run_id, credit=tuple(part), stop_before=stop)) for part, stop in tasks
        ]
        killed = all_go(workers)
        assert killed, "nobody was killed"
        before = check_series(office)[shop.integration_id, "credit_note"]
        assert 15 <= before < 60
        again = [parts[workers.index(worker)] for worker in killed]
        assert all_go([stack.enter_context(office.worker(run_id, credit=tuple(part))) for part in again]) == []
        assert check_series(office) == {(shop.integration_id, "invoice"): 60, (shop.integration_id, "credit_note"): 60}


@pytest.mark.parametrize("seed", [13])
def test_what_waited_gets_the_next_numbers_although_who_registers_it_is_killed(office: Office, seed: int) -> None:
    chance = random.Random(seed)
    office.receive(10, 12)
    with office.plain("KL", 60, number_from="series", credit_number_from="series") as shop:
        first = office.worked(office.queued(shop))
        assert first.registered > 0
        assert first.in_journal > 0
        office.receive(10, PLENTY)
        kills = 0
        while kills < 3:
            with office.worker(recheck=shop.integration_id, stop_before=("", chance.randint(20, 70))) as worker:
                worker.go()
                said = worker.wait_for("paused", "ended")
                if said.kind == "ended":
                    break
                worker.kill()
                kills += 1
            office.look_for_the_dead()
            check_series(office)
        assert kills > 0
        with office.worker(recheck=shop.integration_id) as worker:
            worker.go()
            worker.end()
        assert check_series(office) == {(shop.integration_id, "invoice"): 60}
        office.check(whole=(shop,))


def invoice_ids(office: Office, shop: Shop) -> list[int]:
    with reading(office.session):
        query = select(Invoice.id).where(Invoice.store_id == shop.store_id, Invoice.kind == InvoiceKind.INVOICE)
        return list(office.session.scalars(query.order_by(Invoice.id)))
