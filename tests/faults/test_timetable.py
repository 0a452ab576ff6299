"""Three schedulers, a ticker, four workers and Valkey, killed, restarted, paused: each slot once, no window missed."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from monet_web import embedded
from monet_web.connectors import CONNECTORS
from monet_web.domain.timetable import Frequency, slots
from monet_web.models import Integration, Invoice, Run, RunSlot
from monet_web.models.base import reading
from monet_web.models.runs import RunKind, RunState
from monet_web.services.integrations import connect
from tests.faults import timetable_process
from tests.faults.processes import until
from tests.faults.timetable_process import FastClock, Surround, Timeline

VILNIUS = ZoneInfo("Europe/Vilnius")
# Over the night when clocks are put back, a Monday, the first of a month.
BASE = datetime(2026, 10, 23, 20, 0, tzinfo=UTC)
DAYS = 10
SECONDS = 18.0
SCHEDULERS, TICKERS, WORKERS = 3, 1, 4
FREQUENCIES = [each.value for each in Frequency if each is not Frequency.OFF]

_KINDS = 6  # of what may happen: Valkey, two kinds paused, three kinds killed

_CONTEXT = multiprocessing.get_context("forkserver")


class Crew:
    """Processes that are started again whenever they end, as `monet run` or a service manager does."""

    def __init__(self, around: Surround) -> None:
        self._around = around
        self._targets: list[Callable[[Surround], None]] = []
        self._processes: list[Any] = []

    def add(self, target: Callable[[Surround], None], count: int) -> None:
        for _ in range(count):
            self._targets.append(target)
            self._processes.append(self._started(target))

    def look(self) -> None:
        """Start anew what has ended."""
        for index, process in enumerate(self._processes):
            if process.exitcode is not None:
                self._processes[index] = self._started(self._targets[index])

    def signal(self, index: int, number: signal.Signals) -> None:
        """To the process and to whatever it has forked."""
        pid = self._processes[index].pid
        with suppress(ProcessLookupError):
            for child in _children(pid):
                os.kill(child, number)
        with suppress(ProcessLookupError):
            os.kill(pid, number)

    def end(self) -> None:
        for index, process in enumerate(self._processes):
            self.signal(index, signal.SIGKILL)
            process.join(10)

    def _started(self, target: Callable[[Surround], None]) -> Any:
        process = _CONTEXT.Process(target=target, args=(self._around,), daemon=False)
        process.start()
        return process


def _children(pid: int) -> list[int]:
    try:
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


@contextmanager
def crew(around: Surround) -> Iterator[Crew]:
    """Three schedulers, a ticker, four workers."""
    _CONTEXT.set_forkserver_preload([timetable_process.__name__])
    people = Crew(around)
    try:
        people.add(timetable_process.schedule, SCHEDULERS)
        people.add(timetable_process.look, TICKERS)
        people.add(timetable_process.work, WORKERS)
        yield people
    finally:
        people.end()


def kill_valkey(home: Path) -> None:
    """kill -9, and start it again on the same data."""
    with embedded._client(home) as client:
        pid = client.info("server")["process_id"]
    os.kill(pid, signal.SIGKILL)
    until(lambda: not embedded.answers(home), "Valkey is dead")
    embedded.ensure_running(home)


def disturb(
    people: Crew, home: Path, chance: random.Random, *, stop_at: float, enough: Callable[[], bool]
) -> Counter[str]:
    """Kill each in turn, restart Valkey, pause schedulers and workers in turn for longer than a run may be silent.

    On a slow machine a minute longer, until every kind has happened and `enough` came of it.
    """
    done: Counter[str] = Counter()
    turn = 0
    everybody = SCHEDULERS + TICKERS + WORKERS
    while time.time() < stop_at or (time.time() < stop_at + 60 and (len(done) < _KINDS or not enough())):
        time.sleep(0.7)  # the clock is what this test is about
        people.look()
        victim = turn % everybody
        turn += 1
        if turn % 9 == 5:
            kill_valkey(home)
            done["Valkey restarted"] += 1
        elif turn % 9 == 8:
            # A worker that comes back finds that its run is somebody else's now.
            is_worker = not done["workers paused"] or done["schedulers paused"] > 0
            paused = chance.randrange(SCHEDULERS + TICKERS, everybody) if is_worker else chance.randrange(SCHEDULERS)
            people.signal(paused, signal.SIGSTOP)
            time.sleep(2.5)
            people.signal(paused, signal.SIGCONT)
            done["workers paused" if is_worker else "schedulers paused"] += 1
        else:
            people.signal(victim, signal.SIGKILL)
            done[_kind(victim) + " killed"] += 1
    return done


def _kind(victim: int) -> str:
    if victim < SCHEDULERS:
        return "schedulers"
    return "ticker" if victim < SCHEDULERS + TICKERS else "workers"


@pytest.mark.slow
def test_each_slot_is_covered_once_whoever_is_killed(
    database_url: str, session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setitem(CONNECTORS, "timeline", Timeline)
    for number, frequency in enumerate(FREQUENCIES):
        connect.add_integration(
            session, name=frequency, platform="timeline", now=BASE, actor="ona",
            values={"address": f"{number}-", "accounting_type": "amounts", "frequency": frequency,
                    "number_prefix": f"P{number}-"},
        )  # fmt: skip
    clock = FastClock(BASE, time.time() + 1, DAYS * 86400 / SECONDS)
    with embedded.valkey(tmp_path) as redis_url:
        around = Surround(database_url, redis_url, clock, failing=0.15)
        with crew(around) as people:
            done = disturb(
                people, tmp_path, random.Random(7), stop_at=clock.begun + SECONDS,
                enough=lambda: _came_of_it(session),
            )  # fmt: skip
            end = clock()
            # What is under way comes to its end once nobody is killed any more.

            def all_covered() -> bool:
                people.look()
                return _is_covered(session, end)

            until(all_covered, "every slot is covered")
    told = account(session, end)
    with capsys.disabled():
        print(f"\n{dict(done)}; {told}")  # noqa: T201 - the account is what the test is for
    assert told["doubled"] == told["missed"] == told["window missed"] == 0
    assert told["covered"] == told["due"] > 1000
    # Nothing of this says anything unless it happened.
    assert done.keys() == {
        "Valkey restarted", "schedulers killed", "ticker killed", "workers killed", "schedulers paused",
        "workers paused",
    }  # fmt: skip
    assert min(done.values()) > 0
    assert told["taken back"] > 0
    assert told["of them failed"] > 0
    orders_came_once(session, end)


def _came_of_it(session: Session) -> bool:
    """True when a run was taken back, and one failed."""
    _, runs, _ = _rows(session)
    return any(run.attempt > 1 for run in runs.values()) and any(
        run.state is RunState.FAILED for run in runs.values()
    )  # fmt: skip


def due_until(end: datetime, integration: Integration) -> dict[datetime, Any]:
    frequency = Frequency(integration.settings["frequency"])
    found = slots(frequency, zone=VILNIUS, spread=integration.id, after=BASE, until=end)
    return {slot.at: slot.window for slot in found}


def _rows(session: Session) -> tuple[list[Integration], dict[int, Run], dict[int, list[RunSlot]]]:
    with reading(session):
        session.expire_all()
        integrations = list(session.scalars(select(Integration)))
        runs = {run.id: run for run in session.scalars(select(Run))}
        rows: dict[int, list[RunSlot]] = {one.id: [] for one in integrations}
        for row in session.scalars(select(RunSlot)):
            rows[row.integration_id].append(row)
    return integrations, runs, rows


def _is_covered(session: Session, end: datetime) -> bool:
    integrations, runs, rows = _rows(session)
    waits = any(
        runs[row.run_id].state is not RunState.DONE for each in rows.values() for row in each if row.slot_at <= end
    )
    return not waits and all(one.next_run_at is not None and one.next_run_at > end for one in integrations)


def account(session: Session, end: datetime) -> dict[str, int]:
    """Slots due by an independent count, beside the rows and the runs they point to."""
    integrations, runs, rows = _rows(session)
    told = dict.fromkeys(("due", "covered", "doubled", "missed", "window missed"), 0)
    for one in integrations:
        due = due_until(end, one)
        covered = Counter(row.slot_at for row in rows[one.id] if row.slot_at <= end)
        told["due"] += len(due)
        told["covered"] += len(covered.keys() & due.keys())
        told["missed"] += len(due.keys() - covered.keys())
        told["doubled"] += sum(covered.values()) - len(covered) + len(covered.keys() - due.keys())
        for row in rows[one.id]:
            if row.slot_at in due:
                run, window = runs[row.run_id], due[row.slot_at]
                whole = run.window_start <= window.start and window.end <= run.window_end
                told["window missed"] += not (whole and run.state is RunState.DONE)
    told["runs"] = len(runs)
    told["of them failed"] = sum(run.state is RunState.FAILED for run in runs.values())
    told["taken back"] = sum(run.attempt > 1 for run in runs.values())
    return told


def orders_came_once(session: Session, end: datetime) -> None:
    """Every order of the covered windows is here with one invoice, and none has two."""
    integrations, runs, _ = _rows(session)
    for one in integrations:
        done = [run for run in runs.values() if run.integration_id == one.id and run.state is RunState.DONE]
        ends = [run.window_end for run in done if run.kind is RunKind.TIMETABLE]
        if not ends:
            continue
        last = min(max(ends), end) - timedelta(seconds=1)
        expected = {str(n) for n in range(int((last - BASE) / Timeline.EVERY) + 1)}
        with reading(session):
            invoices = session.scalars(select(Invoice.external_id).where(Invoice.store_id == one.store_id)).all()
        assert len(invoices) == len(set(invoices))
        assert expected <= set(invoices)
