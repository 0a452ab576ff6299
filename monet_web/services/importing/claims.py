"""Claims: a run is worked by one process at a time; whoever lost its claim writes nothing more."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol, TypeVar

from sqlalchemy import Select, and_, bindparam, delete, or_, select, update
from sqlalchemy.exc import DBAPIError, IntegrityError, InternalError, OperationalError
from sqlalchemy.orm import Session, lazyload

from monet_web.domain.errors import RetryLater
from monet_web.models.among import table_of
from monet_web.models.base import Clock, reading, writing
from monet_web.models.runs import AT_WORK, BESIDE_COUNTS, ENDED, OUTCOME_COUNTS, Run, RunOrder, RunState

log = logging.getLogger(__name__)

HEARTBEAT = timedelta(seconds=15)
SILENT_FOR = timedelta(seconds=120)  # eight missed heartbeats: the worker is gone
# By then it is the run that ends its programs, not chance.
MOST_TAKEN_BACK = 3
LONGEST_IN_FRONT = timedelta(days=1)
_TRIES = 5  # of a transaction that met a lock or a lost connection

Result = TypeVar("Result")


class GaveUp(Protocol):
    """Ends a run that was taken back so many `times`: it has failed, whatever follows from that."""

    def __call__(self, session: Session, run: Run, times: int, *, now: datetime) -> None:
        """Inside the transaction that holds the run's row."""


class LostClaim(Exception):
    """Another process has this run now (or a person ended it): stop at once and write nothing."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A run being worked here: valid while the row still has this attempt."""

    run_id: int
    attempt: int


def this_process() -> str:
    """host:pid:start, which no other process ever has; written on the run that it works."""
    return f"{socket.gethostname()}:{os.getpid()}:{_started(os.getpid())}"


def claim(session: Session, run_id: int, *, now: datetime, worker: str) -> Claim | None:
    """Take a queued run. None when it is not queued any more or not to be taken yet (`retry_at`).

    None too when another run of its integration is at work.
    """
    try:
        with writing(session):
            attempt = session.execute(
                update(Run)
                .where(Run.id == run_id, Run.state == RunState.QUEUED, or_(Run.retry_at.is_(None), Run.retry_at <= now))
                .values(
                    state=RunState.RUNNING,
                    attempt=Run.attempt + 1,
                    worker=worker,
                    heartbeat_at=now,
                    started_at=now,
                    retry_at=None,
                    error="",
                    fix="",
                    progress_version=Run.progress_version + 1,
                    findings={},
                    filter_reasons={},
                    totals={},
                    vat_totals=None,
                    causes=None,
                    **dict.fromkeys((*OUTCOME_COUNTS, *BESIDE_COUNTS, "fetched"), 0),
                )
                .returning(Run.attempt)
                .execution_options(synchronize_session=False)
            ).scalar_one_or_none()
            if attempt is None:
                return None
            # An attempt before this one may have said what became of some orders: they are read again now.
            session.execute(delete(RunOrder).where(RunOrder.run_id == run_id))
            return Claim(run_id, attempt)
    except IntegrityError:
        return None


def hold(session: Session, held: Claim, *, now: datetime, **values: object) -> None:
    """Prove inside a writing transaction that the claim is still ours, and write `values` to the run.

    Raises LostClaim when it is not. It is the first statement of the transaction: the run's row is locked by it.
    """
    statement = _HELD.values(**values) if values else _HELD
    done = session.execute(statement, {"run": held.run_id, "mine": held.attempt, "now": now})
    if done.rowcount != 1:  # type: ignore[attr-defined]
        raise LostClaim(held.run_id)


_RUNS = table_of(Run).c
_HELD = (
    update(table_of(Run))
    .where(_RUNS.id == bindparam("run"), _RUNS.attempt == bindparam("mine"), _RUNS.state.in_(AT_WORK))
    .values(heartbeat_at=bindparam("now"), progress_version=_RUNS.progress_version + 1)
)


def patiently(transaction: Callable[[], Result]) -> Result:
    """What `transaction` gives; one that met a lock or a lost connection is done again. Raises RetryLater."""
    trouble: DBAPIError | None = None
    for attempt in range(_TRIES):
        try:
            return transaction()
        except (OperationalError, InternalError) as error:
            # PostgreSQL ends the session of a process that was frozen inside a transaction with an InternalError.
            if isinstance(error, InternalError) and not error.connection_invalidated:
                raise
            trouble = error
            time.sleep(0.05 * 2**attempt)
    raise RetryLater(
        "The database was busy or away for too long.", fix="Nothing is lost; run the import again."
    ) from trouble


@contextmanager
def heartbeat(session_factory: Callable[[], Session], held: Claim, *, clock: Clock) -> Iterator[None]:
    """Tell every 15 s that the run is being worked, also while a slow store keeps it waiting."""
    stop = threading.Event()

    def beat() -> None:
        while not stop.wait(HEARTBEAT.total_seconds()):
            session = session_factory()
            try:
                with writing(session):
                    hold(session, held, now=clock())
            except LostClaim:
                return
            except (OperationalError, InternalError):
                continue  # the database is busy or away: the next beat tells
            finally:
                session.close()

    thread = threading.Thread(target=beat, name=f"heartbeat-{held.run_id}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def take_back(session: Session, *, now: datetime, gave_up: GaveUp | None = None) -> list[int]:
    """Runs whose worker is gone go back to the queue; the ids of those. A terminal's run has failed instead.

    Gone = silent for two minutes, or a process of this machine that no longer lives. One that was taken back three
    times is ended by `gave_up`, inside the transaction; without that it is left to whoever knows how. Each in a
    transaction of its own.
    """
    with reading(session):
        looked_at = select(Run).where(
            or_(Run.state.in_(AT_WORK), and_(Run.state == RunState.QUEUED, Run.foreground.is_(True)))
        )
        gone = [run.id for run in session.scalars(_anew(looked_at)) if _is_gone(run, now)]
    requeued: list[int] = []
    for run_id in gone:
        try:
            if _taken(session, run_id, now=now, gave_up=gave_up):
                requeued.append(run_id)
        except OperationalError:
            # Somebody holds its integration: the next tick looks again, and the other runs do not wait for that.
            log.warning("a run could not be taken back yet", extra={"run": run_id})
    return requeued


def _taken(session: Session, run_id: int, *, now: datetime, gave_up: GaveUp | None) -> bool:
    with writing(session):
        mine = select(Run).where(Run.id == run_id).with_for_update(skip_locked=True, of=Run)
        run = session.scalars(_anew(mine)).one_or_none()
        if run is None or run.state in ENDED or not _is_gone(run, now):
            return False
        _take(session, run, now=now, gave_up=gave_up)
        return run.state is RunState.QUEUED


def _take(session: Session, run: Run, *, now: datetime, gave_up: GaveUp | None) -> None:
    # Raised when it is claimed and when it is taken back.
    times = (run.attempt + 1) // 2
    ends_by_itself = run.foreground or run.state is RunState.STOPPING
    if not ends_by_itself and times >= MOST_TAKEN_BACK and gave_up is None:
        return
    run.progress_version += 1
    run.attempt += 1  # whoever still works it has lost its claim
    if ends_by_itself:
        run.state = RunState.STOPPED if run.state is RunState.STOPPING else RunState.FAILED
        run.ended_at = now
        run.error = "The program that ran this import ended before it was finished. What was booked stays."
        run.fix = "Run it again: orders already here are skipped."
    elif times >= MOST_TAKEN_BACK and gave_up is not None:
        gave_up(session, run, times, now=now)
    else:
        run.state = RunState.QUEUED


def _is_gone(run: Run, now: datetime) -> bool:
    if run.state is RunState.QUEUED:
        # Of a terminal that waits for its turn: on another machine nobody can tell but by its patience.
        return is_dead(run.worker) or now - run.created_at > LONGEST_IN_FRONT
    silent = run.heartbeat_at is None or now - run.heartbeat_at > SILENT_FOR
    return silent or is_dead(run.worker)


def _anew(query: Select[Run]) -> Select[Run]:
    return query.options(lazyload(Run.integration)).execution_options(populate_existing=True)


def is_dead(worker: str) -> bool:
    """True when `worker` names a process of this machine that no longer lives; of other machines nobody can tell."""
    host, _, rest = worker.rpartition(":")[0].rpartition(":")[0], None, worker.rsplit(":", 2)
    if len(rest) != 3 or host != socket.gethostname() or not rest[1].isdigit():
        return False
    return _started(int(rest[1])) != rest[2]


def _started(pid: int) -> str:
    """When a process started, in clock ticks since boot (field 22 of /proc/PID/stat); "" when there is none.

    One that has died and that its parent has not asked after still has a row there (state Z): it is none any more.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        if pid == os.getpid():
            return "0"
        try:
            os.kill(pid, 0)
        except OSError:
            return ""
        return "0"  # a system without /proc: the process id alone must do
    fields = stat.rpartition(")")[2].split()
    return "" if fields[0] in ("Z", "X") else fields[19]


def running_beside(session: Session, run_id: int) -> Run | None:
    """The run of the same integration that is at work now and that `run_id` waits for."""
    mine = session.get_one(Run, run_id)
    return session.scalars(
        select(Run).where(Run.integration_id == mine.integration_id, Run.state.in_(AT_WORK), Run.id != run_id)
    ).first()


def asked_to_stop(session: Session, held: Claim) -> bool:
    """True when a person pressed Stop (or the claim is gone): end between two pages."""
    state = session.execute(
        select(Run.state).where(Run.id == held.run_id, Run.attempt == held.attempt)
    ).scalar_one_or_none()
    return state is not RunState.RUNNING
