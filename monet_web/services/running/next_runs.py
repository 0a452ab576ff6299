"""What is to come by the timetable: slots of days, the next run of each integration, and what stands in its way."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, defer, lazyload

from monet_web.domain.errors import BrokenRule
from monet_web.domain.periods import Period
from monet_web.domain.timetable import Slot, catch_up, reaching_back
from monet_web.domain.windows import Window, days
from monet_web.models.integrations import Integration, IntegrationState
from monet_web.models.runs import AT_WORK, Run, RunKind, RunState
from monet_web.services.integrations import installed
from monet_web.services.opening import coverage
from monet_web.services.opening.coverage import IMPORTS
from monet_web.services.opening.plan import Plan, plan_of, zone_of

OVERDUE_AFTER = timedelta(minutes=3)  # six ticks
_MOMENT = timedelta(microseconds=1)
_LAST_RUNS = 5


@dataclass(frozen=True, slots=True)
class Planned:
    """One slot in the company's time."""

    name: str
    at: datetime
    start: datetime
    end: datetime


class Obstacle(StrEnum):
    """Why the next run does not simply come at its time."""

    NONE = ""
    SWITCHED_OFF = "switched_off"
    FREQUENCY_OFF = "frequency_off"
    REFUSED = "refused"  # the store's owner is needed: `integration.refused_since`, `refused_text`
    TRIED_AGAIN = "tried_again"  # the store failed: at `at`, because of `because`
    AT_WORK = "at_work"  # a run is at work; the next waits for its end
    QUEUED = "queued"  # due, and no worker has taken it yet
    OVERDUE = "overdue"  # due for three minutes and nobody opened it: no tick comes
    UNREADABLE = "unreadable"  # its settings can't be read (`because`): nobody knows when it would run


@dataclass(frozen=True, slots=True)
class NextRun:
    """The next run of an integration: `at` is None when nothing runs by itself or only a person can bring it on."""

    integration_id: int
    obstacle: Obstacle = Obstacle.NONE
    at: datetime | None = None
    window: Window | None = None  # what it imports
    waiting: Run | None = None  # the run that waits already
    because: str = ""  # the error of the run that failed before, or of settings that can't be read
    gaps: tuple[Window, ...] = ()  # what no import covered and none will by itself, the oldest first
    last: tuple[Run, ...] = ()  # the newest imports that have ended, newest first
    reread_at: datetime | None = None  # when the orders of its documents are read again; None: it has none


# --- slots of days ----------------------------------------------------------------------------------------------


def planned(session: Session, period: Period, *, name: str | None = None) -> list[Planned]:
    """Every slot of the local days, of all integrations that are on or of one, by time. Inside a transaction."""
    zone = zone_of(session)
    window = days(period.first, period.last, zone)
    found = []
    for one in _meant(session, name):
        plan = _plan(one, zone)
        if isinstance(plan, Plan) and plan.is_on:
            found.append(_slots_of(one, plan, window, zone))
    return list(heapq.merge(*found, key=lambda each: (each.at.timestamp(), each.name)))


def why_never(session: Session, *, name: str | None = None) -> list[str]:
    """A sentence for each integration that does not run by itself. Inside a transaction."""
    said = []
    zone = zone_of(session)
    for one in _meant(session, name):
        plan = _plan(one, zone)
        if one.state is IntegrationState.OFF:
            said.append(f"{one.name} is switched off.")
        elif isinstance(plan, BrokenRule):
            said.append(f"{one.name} does not run: {plan.sentence()}")
        elif plan.is_off:
            said.append(f"{one.name} does not run by itself: its frequency is off.")
        elif one.refused_since is not None:
            said.append(f"{one.name} waits for its owner: {one.refused_text}")
    return said


def _plan(one: Integration, zone: ZoneInfo) -> Plan | BrokenRule:
    """Its plan, or why there is none: one that can't be read hides no other."""
    try:
        return plan_of(one, zone)
    except BrokenRule as wrong:
        return BrokenRule(
            f"its settings can't be read. {wrong.message}",
            fix=f"Type the right value: monet integrations set “{one.name}” key=value.",
        )


def _meant(session: Session, name: str | None) -> Sequence[Integration]:
    return [installed.find(session, name)] if name is not None else session.scalars(_living()).all()


def _living() -> Select[Integration]:
    return (
        select(Integration)
        .where(Integration.state != IntegrationState.RETIRED)
        .order_by(Integration.name_key)
        .options(defer(Integration.secrets))
        .execution_options(populate_existing=True)
    )


def _slots_of(one: Integration, plan: Plan, window: Window, zone: ZoneInfo) -> list[Planned]:
    return [
        Planned(one.name, *(each.astimezone(zone) for each in (slot.at, *_ends(_window_of(one, slot, zone)))))
        for slot in plan.slots(after=window.start - _MOMENT, until=window.end - _MOMENT)
    ]


def _window_of(one: Integration, slot: Slot, zone: ZoneInfo) -> Window:
    """The slot's window; the first one to come may reach back."""
    return reaching_back(slot, one.reach_back_to if slot.at == one.next_run_at else None, zone)


def _ends(window: Window) -> tuple[datetime, datetime]:
    return window.start, window.end


# --- the next run of each ---------------------------------------------------------------------------------------


def next_runs(session: Session, *, now: datetime) -> dict[int, NextRun]:
    """The next run of every living integration; as many questions for one as for a hundred. Inside a transaction."""
    zone = zone_of(session)
    integrations = session.scalars(_living()).all()
    current = _current(session)
    last = _last(session, [one.id for one in integrations])
    return {
        one.id: _next_run(one, zone, current.get(one.id, []), tuple(last.get(one.id, [])), now=now)
        for one in integrations
    }


def _next_run(one: Integration, zone: ZoneInfo, current: list[Run], last: tuple[Run, ...], *, now: datetime) -> NextRun:
    plan = _plan(one, zone)
    if one.state is IntegrationState.OFF:
        return NextRun(one.id, Obstacle.SWITCHED_OFF, last=last)
    if isinstance(plan, BrokenRule):
        return NextRun(one.id, Obstacle.UNREADABLE, because=plan.sentence(), last=last)
    reread_at = one.reread_at if any(run.state is RunState.DONE for run in last) else None
    if plan.is_off:
        return NextRun(one.id, Obstacle.FREQUENCY_OFF, last=last, reread_at=reread_at)
    waits = next((run for run in current if run.state is RunState.QUEUED and run.kind is RunKind.TIMETABLE), None)
    slots = plan.slots(after=one.next_run_at - _MOMENT, until=max(now, one.next_run_at)) if one.next_run_at else []
    due = [slot for number, slot in enumerate(slots) if slot.at <= now or (number == 0 and waits is None)]
    windows = [_window_of(one, slot, zone) for slot in due]
    if waits is not None:
        windows.append(Window(waits.window_start, waits.window_end))
    window = catch_up(windows) if windows else None
    gaps = coverage.missing(one, zone, next_start=None if window is None else window.start)
    obstacle, at, because = Obstacle.NONE, one.next_run_at, ""
    if one.refused_since is not None:
        obstacle, at = Obstacle.REFUSED, None
    elif any(run.state in AT_WORK for run in current):
        obstacle = Obstacle.AT_WORK
        at = None if waits is not None else at
    elif waits is not None and waits.retry_at is not None and waits.retry_at > now:
        obstacle, at = Obstacle.TRIED_AGAIN, waits.retry_at
        because = next((run.error for run in last if run.state is RunState.FAILED), "")
    elif waits is not None:
        obstacle, at = Obstacle.QUEUED, waits.retry_at or waits.created_at
    elif one.next_run_at is not None and one.next_run_at < now - OVERDUE_AFTER:
        obstacle = Obstacle.OVERDUE
    return NextRun(one.id, obstacle, at, window, waits, because, gaps, last, reread_at)


def _current(session: Session) -> dict[int, list[Run]]:
    found: dict[int, list[Run]] = {}
    query = select(Run).where(Run.state.in_((RunState.QUEUED, *AT_WORK))).order_by(Run.id)
    for run in session.scalars(query.options(lazyload(Run.integration)).execution_options(populate_existing=True)):
        found.setdefault(run.integration_id, []).append(run)
    return found


def _last(session: Session, ids: Sequence[int]) -> dict[int, list[Run]]:
    # The newest few of each by the index of (integration, end), however many runs there were.
    newest = (
        select(Run.id)
        .where(Run.integration_id == Integration.id, Run.kind.in_(IMPORTS), Run.ended_at.is_not(None))
        .order_by(Run.ended_at.desc(), Run.id.desc())
    )
    wanted = [
        select(newest.offset(n).limit(1).correlate(Integration).scalar_subquery()).where(Integration.id.in_(ids))
        for n in range(_LAST_RUNS)
    ]
    found: dict[int, list[Run]] = {}
    query = (
        select(Run)
        .where(Run.id.in_(wanted[0].union_all(*wanted[1:])))
        .order_by(Run.ended_at.desc(), Run.id.desc())
    )  # fmt: skip
    for run in session.scalars(query.options(lazyload(Run.integration)).execution_options(populate_existing=True)):
        found.setdefault(run.integration_id, []).append(run)
    return found
