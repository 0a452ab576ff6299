"""Progress: what a page needs of a run, computed from its row, and the lines of its log as codes with values.

The row is the truth; a page puts both into words in the language of whoever looks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from monet_web.models.runs import AT_WORK, Run, RunKind, RunState
from monet_web.services.importing import claims
from monet_web.services.importing.prepare import Prepared

# Three heartbeats that did not come: whoever looks is told, two minutes before anybody takes the run back.
QUIET_FOR = 3 * claims.HEARTBEAT
_MOST_ORDERS = 4  # of a page in its log; with the page's own line they are the five that a page shows


class Stage(StrEnum):
    """Where a run stands, as a person tells it: finer than the state of its row."""

    QUEUED = "queued"
    WAITING = "waiting"  # another run of its integration is at work (B8)
    TAKEN_BACK = "taken_back"  # queued again, since the program that ran it ended
    CONNECTING = "connecting"
    BOOKING = "booking"
    QUIET = "quiet"  # at work by its row, but nobody has heard of its program for a while
    STOPPING = "stopping"
    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"

    @property
    def is_over(self) -> bool:
        """True when nothing more will happen."""
        return self in (Stage.DONE, Stage.FAILED, Stage.STOPPED)

    @property
    def is_waiting(self) -> bool:
        """True while no program has it."""
        return self in (Stage.QUEUED, Stage.WAITING, Stage.TAKEN_BACK)


@dataclass(frozen=True, slots=True)
class Progress:
    """One run at one moment. The four counts are the parts of its bar; with `to_come` they make `whole`."""

    run_id: int
    version: int
    stage: Stage
    is_preview: bool
    fetched: int
    whole: int  # how many orders the store says the period has, at least those fetched; 0: nobody knows yet
    registered: int
    in_journal: int
    skipped: int
    needs_person: int
    seconds: int | None  # at work so far, or in all
    seconds_left: int | None  # None: nobody can tell
    seconds_quiet: int  # since the program that runs it was heard of
    program_ended: bool  # the program that ran it is known to live no more
    waits_for: int | None  # the run of the same integration that is at work

    @property
    def fraction(self) -> float | None:
        """How much of the way is done, 0 to 1; None when nobody knows how long it is."""
        if self.stage is Stage.DONE:
            return 1.0
        return min(1.0, self.fetched / self.whole) if self.whole else None

    @property
    def tenths(self) -> int:
        """Full tenths of the way."""
        return int((self.fraction or 0) * 10)

    @property
    def to_come(self) -> int:
        """Orders of the period that were not fetched yet."""
        return 0 if self.stage.is_over else self.whole - self.fetched


def progress(run: Run, *, now: datetime, waits_for: int | None = None) -> Progress:
    """Where a run stands. `waits_for`: see `waited_for`."""
    program_ended = run.state in AT_WORK and claims.is_dead(run.worker)
    quiet = timedelta(0) if run.heartbeat_at is None or run.state not in AT_WORK else now - run.heartbeat_at
    stage = _stage(run, is_quiet=program_ended or quiet > QUIET_FOR, waits=waits_for is not None)
    return Progress(
        run_id=run.id,
        version=run.progress_version,
        stage=stage,
        is_preview=run.kind is RunKind.PREVIEW,
        fetched=run.fetched,
        whole=max(run.expected or 0, run.fetched),
        registered=run.registered,
        in_journal=run.in_journal,
        skipped=run.filtered + run.already_there,
        needs_person=run.conflict + run.unreadable,
        seconds=_seconds(run, now, stage),
        seconds_left=_seconds_left(run, now) if stage is Stage.BOOKING else None,
        seconds_quiet=max(0, int(quiet.total_seconds())),
        program_ended=program_ended,
        waits_for=waits_for,
    )


def waited_for(session: Session, runs: Iterable[Run]) -> dict[int, int]:
    """Queued run → the run of the same integration that is at work. Inside a transaction, at most one query."""
    queued = [run for run in runs if run.state is RunState.QUEUED]
    if not queued:
        return {}
    rows = session.execute(
        select(Run.integration_id, Run.id).where(
            Run.state.in_(AT_WORK), Run.integration_id.in_({run.integration_id for run in queued})
        )
    ).all()
    at_work = {row.integration_id: row.id for row in rows}
    return {run.id: at_work[run.integration_id] for run in queued if run.integration_id in at_work}


def _stage(run: Run, *, is_quiet: bool, waits: bool) -> Stage:
    match run.state:
        case RunState.QUEUED if waits:
            return Stage.WAITING
        case RunState.QUEUED:
            return Stage.TAKEN_BACK if run.attempt else Stage.QUEUED
        case RunState.RUNNING | RunState.STOPPING if is_quiet:
            return Stage.QUIET
        case RunState.RUNNING:
            return Stage.BOOKING if run.fetched else Stage.CONNECTING
        case _:
            return Stage(run.state.value)


def _seconds(run: Run, now: datetime, stage: Stage) -> int | None:
    if run.started_at is None or stage.is_waiting:
        return None
    return seconds_of(run, now)


def seconds_of(run: Run, now: datetime) -> int:
    """How long a run that began was at work, in full seconds: until it ended, else until now."""
    assert run.started_at is not None  # noqa: S101 - callers ask of begun runs only
    return max(0, int(((run.ended_at or now) - run.started_at).total_seconds()))


def _seconds_left(run: Run, now: datetime) -> int | None:
    """By the pages done so far; between two pages it counts down."""
    if run.started_at is None or run.heartbeat_at is None or not run.expected or run.expected <= run.fetched:
        return None
    spent = (run.heartbeat_at - run.started_at).total_seconds()
    left = spent / run.fetched * (run.expected - run.fetched)
    return max(1, round(left - (now - run.heartbeat_at).total_seconds()))


# --- the log -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a run's log: what it says, by a code, with the values of its sentence."""

    at: datetime
    says: str  # launched, taken, expected, page, order, stop_asked, ended
    values: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Plain values, to be read back by `from_json`."""
        return {"at": self.at.isoformat(), "says": self.says, "values": dict(self.values)}

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Line:
        """Raises KeyError, TypeError or ValueError for what `as_json` did not write."""
        return cls(datetime.fromisoformat(said["at"]), str(said["says"]), dict(said["values"]))


def lines_of_page(number: int, prepared: Sequence[Prepared], *, at: datetime) -> list[Line]:
    """What the log says of a booked page: a few of the orders that made no registered invoice, then how many of each.

    Orders that need a person come first, then those in a journal, then the filtered ones.
    """
    outcomes: dict[str, int] = {}
    for one in prepared:
        outcomes[one.outcome] = outcomes.get(one.outcome, 0) + 1
    told = sorted((one for one in prepared if one.outcome in _WORTH_A_LINE), key=_worth)[:_MOST_ORDERS]
    lines = [Line(at, "order", _order(one)) for one in told]
    return [*lines, Line(at, "page", {"page": number, **outcomes})]


_WORTH_A_LINE = ("conflict", "unreadable", "in_journal", "filtered")


def _worth(one: Prepared) -> int:
    return _WORTH_A_LINE.index(one.outcome)


def _order(one: Prepared) -> dict[str, Any]:
    stopping = [finding for finding in one.findings if finding.stops]
    return {
        "number": one.remembered.order.number or one.remembered.external_id,
        "outcome": one.outcome,
        "reason": one.reason,
        "details": dict(one.details),
        "findings": [
            {"code": finding.code, "subject": finding.subject, "values": dict(finding.values)}
            for finding in stopping[:2]
        ],
    }


def lines_of_row(run: Run) -> tuple[list[Line], list[Line]]:
    """The lines that the row itself tells, so that a log is never empty: those before the pages, those after."""
    before = [Line(run.created_at, "launched", {"by": run.requested_by, "kind": run.kind.value})]
    after = [] if run.ended_at is None else [Line(run.ended_at, "ended", {"state": run.state.value})]
    return before, after
