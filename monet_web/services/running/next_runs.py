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

from monet_web.domain import settings as settings_text
from monet_web.domain.periods import Period
from monet_web.domain.timetable import catch_up
from monet_web.domain.windows import Window, days, start_of_day
from monet_web.models.integrations import Integration, IntegrationState
from monet_web.models.runs import AT_WORK, Run, RunKind, RunState
from monet_web.services.integrations import installed
from monet_web.services.opening.plan import Plan, plan_of, zone_of

_OVERDUE = timedelta(minutes=3)  # six ticks
_MOMENT = timedelta(microseconds=1)
_LAST_RUNS = 5
IMPORTS = (RunKind.LAUNCH, RunKind.TIMETABLE)


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


@dataclass(frozen=True, slots=True)
class NextRun:
    """The next run of an integration: `at` is None when nothing runs by itself or only a person can bring it on."""

    integration_id: int
    obstacle: Obstacle = Obstacle.NONE
    at: datetime | None = None
    window: Window | None = None  # what it imports
    waiting: Run | None = None  # the run that waits already
    because: str = ""  # the error of the run that failed before
    gap: Window | None = None  # after it was switched on again: what no import covered and none by itself will
    last: tuple[Run, ...] = ()  # the newest imports that have ended, newest first


# --- slots of days ----------------------------------------------------------------------------------------------


def planned(session: Session, period: Period, *, name: str | None = None) -> list[Planned]:
    """Every slot of the local days, of all integrations that are on or of one, by time. Inside a transaction."""
    zone = zone_of(session)
    window = days(period.first, period.last, zone)
    found = [
        _slots_of(one.name, plan_of(one, zone), window, zone)
        for one in _meant(session, name)
        if one.state is IntegrationState.ON
    ]
    return list(heapq.merge(*found, key=lambda each: (each.at.timestamp(), each.name)))


def why_never(session: Session, *, name: str | None = None) -> list[str]:
    """A sentence for each integration that never runs by itself. Inside a transaction."""
    said = []
    for one in _meant(session, name):
        if one.state is IntegrationState.OFF:
            said.append(f"{one.name} is switched off.")
        elif plan_of(one, zone_of(session)).is_off:
            said.append(f"{one.name} does not run by itself: its frequency is off.")
        elif one.refused_since is not None:
            said.append(f"{one.name} waits for its owner: {one.refused_text}")
    return said


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


def _slots_of(name: str, plan: Plan, window: Window, zone: ZoneInfo) -> list[Planned]:
    return [
        Planned(name, *(each.astimezone(zone) for each in (slot.at, slot.window.start, slot.window.end)))
        for slot in plan.slots(after=window.start - _MOMENT, until=window.end - _MOMENT)
    ]


# --- the next run of each ---------------------------------------------------------------------------------------


def next_runs(session: Session, *, now: datetime) -> dict[int, NextRun]:
    """The next run of every living integration; as many questions for one as for a hundred. Inside a transaction."""
    zone = zone_of(session)
    integrations = session.scalars(_living()).all()
    current = _current(session)
    last = _last(session, [one.id for one in integrations])
    reached = _reached(session)
    return {
        one.id: _next_run(
            one, zone, current.get(one.id, []), tuple(last.get(one.id, [])), reached.get(one.id), now=now
        )
        for one in integrations
    }  # fmt: skip


def _next_run(
    one: Integration,
    zone: ZoneInfo,
    current: list[Run],
    last: tuple[Run, ...],
    reached: datetime | None,
    *,
    now: datetime,
) -> NextRun:
    plan = plan_of(one, zone)
    if plan.is_off:
        off = one.state is IntegrationState.OFF
        return NextRun(one.id, Obstacle.SWITCHED_OFF if off else Obstacle.FREQUENCY_OFF, last=last)
    waiting = next(
        (run for run in current if run.state is RunState.QUEUED and run.kind is RunKind.TIMETABLE), None
    )  # fmt: skip
    slots = plan.slots(after=one.next_run_at - _MOMENT, until=max(now, one.next_run_at)) if one.next_run_at else []
    windows = [slot.window for slot in slots[:1] if waiting is None] + [slot.window for slot in slots if slot.at <= now]
    if waiting is not None:
        windows.append(Window(waiting.window_start, waiting.window_end))
    window = catch_up(windows) if windows else None
    gap = _gap(one, zone, window, _closed_by(last, reached)) if waiting is None else None
    obstacle, at, because = Obstacle.NONE, one.next_run_at, ""
    if one.refused_since is not None:
        obstacle, at = Obstacle.REFUSED, None
    elif any(run.state in AT_WORK for run in current):
        obstacle = Obstacle.AT_WORK
        at = None if waiting is not None else at
    elif waiting is not None and waiting.retry_at is not None and waiting.retry_at > now:
        obstacle, at = Obstacle.TRIED_AGAIN, waiting.retry_at
        because = next((run.error for run in last if run.state is RunState.FAILED), "")
    elif waiting is not None:
        obstacle, at = Obstacle.QUEUED, waiting.created_at
    elif one.next_run_at is not None and one.next_run_at < now - _OVERDUE:
        obstacle = Obstacle.OVERDUE
    return NextRun(one.id, obstacle, at, window, waiting, because, gap, last)


def _gap(one: Integration, zone: ZoneInfo, window: Window | None, reached: datetime | None) -> Window | None:
    """From the end of what was imported to the beginning of the next window, but nothing before `not_before`."""
    if window is None or reached is None:
        return None
    first_day = settings_text.parse(one.settings).not_before
    start = reached if first_day is None else max(reached, start_of_day(first_day, zone))
    return Window(start, window.start) if start < window.start else None


def _closed_by(last: tuple[Run, ...], reached: datetime | None) -> datetime | None:
    """Launches by hand that go on where the timetable ended have closed the gap that far."""
    for run in sorted(last, key=lambda run: run.window_start):
        if reached is not None and run.state is RunState.DONE and run.window_start <= reached < run.window_end:
            reached = run.window_end
    return reached


def _current(session: Session) -> dict[int, list[Run]]:
    found: dict[int, list[Run]] = {}
    query = select(Run).where(Run.state.in_((RunState.QUEUED, *AT_WORK))).order_by(Run.id)
    for run in session.scalars(query.options(lazyload(Run.integration)).execution_options(populate_existing=True)):
        found.setdefault(run.integration_id, []).append(run)
    return found


def _last(session: Session, ids: Sequence[int]) -> dict[int, list[Run]]:
    # The newest few of each by the index of (integration, id), however many runs there were.
    newest = (
        select(Run.id)
        .where(Run.integration_id == Integration.id, Run.kind.in_(IMPORTS), Run.ended_at.is_not(None))
        .order_by(Run.id.desc())
    )
    wanted = [
        select(newest.offset(n).limit(1).correlate(Integration).scalar_subquery()).where(Integration.id.in_(ids))
        for n in range(_LAST_RUNS)
    ]
    found: dict[int, list[Run]] = {}
    query = select(Run).where(Run.id.in_(wanted[0].union_all(*wanted[1:]))).order_by(Run.id.desc())
    for run in session.scalars(query.options(lazyload(Run.integration)).execution_options(populate_existing=True)):
        found.setdefault(run.integration_id, []).append(run)
    return found


def _reached(session: Session) -> dict[int, datetime]:
    """Until when the newest run of the timetable of each integration has imported."""
    newest = (
        select(Run.window_end)
        .where(Run.integration_id == Integration.id, Run.kind == RunKind.TIMETABLE, Run.state == RunState.DONE)
        .order_by(Run.id.desc())
        .limit(1)
        .correlate(Integration)
        .scalar_subquery()
    )
    rows = session.execute(
        select(Integration.id, newest.label("until")).where(Integration.state == IntegrationState.ON)
    ).all()
    return {row.id: row.until for row in rows if row.until is not None}
