"""A store that fails is tried again later, each time after longer (B8); what its run was to cover is handed on.

A failed run hands its slots and its window to the run that waits; so a slot never stays with a failed run, and no
window is lost. The waiting run is not taken before `retry_at`: 1, 5, 15 and 60 minutes later, then at the first slot
that is an hour away at least; *weekly* and *months*, whose next slot is far, are tried once a day at their own minute.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from monet_web.domain import timetable as slots_of
from monet_web.domain.errors import BrokenRule, MonetError, NeedsOwner, RetryLater
from monet_web.domain.windows import Window
from monet_web.models.runs import Run, RunKind, RunState
from monet_web.services.opening import waiting
from monet_web.services.opening.coverage import IMPORTS
from monet_web.services.opening.plan import Plan, plan_of, zone_of

AFTER_FAILURES = tuple(timedelta(minutes=each) for each in (1, 5, 15, 60))
# A store in maintenance may name any day; whoever runs it may be done in an hour.
LONGEST_PAUSE = timedelta(hours=24)
_MOMENT = timedelta(microseconds=1)


def failed(session: Session, run: Run, error: MonetError, *, now: datetime) -> None:
    """Say on a run that has failed when it is tried again; one of the timetable hands its slots on.

    Inside the transaction that ends the run, whose row is held.
    """
    after = _asked_pause(error)
    if run.kind is not RunKind.TIMETABLE:
        # Nobody tries these again but whoever asked for them; documents are read again tomorrow anyway.
        if isinstance(error, RetryLater):
            run.retry_at = now + (after or timedelta(minutes=1))
        return
    waits = waiting.lock(session, run.integration_id)
    plan = _plan(session, run.integration_id)
    if plan is not None and plan.is_off:
        return
    if not isinstance(error, NeedsOwner):
        run.retry_at = max(_again_at(session, run, plan, now=now), now + after)
    waits = waiting.grown(session, run.integration_id, waits, Window(run.window_start, run.window_end), now=now)
    if run.retry_at is not None:
        waits.retry_at = max(run.retry_at, waits.retry_at or run.retry_at)
    waiting.take_slots(session, waits, run.id)


def gave_up(session: Session, run: Run, times: int, *, now: datetime) -> None:
    """A run that its program never ended, however often it was begun, has failed. The run's row is held."""
    error = RetryLater(
        f"The program that ran this import ended {times} times before it was finished. What was booked stays.",
        fix="If it repeats, tell whoever looks after this program: the machine may be short of memory.",
    )
    run.state, run.ended_at, run.error, run.fix = RunState.FAILED, now, error.message, error.fix
    failed(session, run, error, now=now)


def end_pause(session: Session, integration_id: int) -> None:
    """The store answers again: what waits for its next attempt is worked at once. Inside a writing transaction."""
    waits = waiting.lock(session, integration_id)
    if waits is not None and waits.retry_at is not None:
        waits.retry_at = None
        waits.progress_version += 1


def _asked_pause(error: MonetError) -> timedelta:
    """How long the store asked to be left alone, 24 hours at the most."""
    seconds = error.after_seconds if isinstance(error, RetryLater) else None
    return timedelta(seconds=min(max(seconds or 0.0, 0.0), LONGEST_PAUSE.total_seconds()))


def _plan(session: Session, integration_id: int) -> Plan | None:
    """None when its settings can't be read: then nobody knows its slots."""
    try:
        return plan_of(waiting.row(session, integration_id), zone_of(session))
    except BrokenRule:
        return None


def _again_at(session: Session, run: Run, plan: Plan | None, *, now: datetime) -> datetime:
    failures = max(_failures_in_a_row(session, run.integration_id), 1)
    if failures <= len(AFTER_FAILURES):
        return now + AFTER_FAILURES[failures - 1]
    hour_later = now + AFTER_FAILURES[-1]
    if plan is None:
        return hour_later
    daily = slots_of.tried_daily_at(zone=plan.zone, spread=plan.spread, after=hour_later - _MOMENT)
    slot = plan.next(hour_later - _MOMENT)
    return daily if slot is None else min(daily, slot.at)


def _failures_in_a_row(session: Session, integration_id: int) -> int:
    """How many runs of the timetable have failed since an import succeeded; one that a person stopped counts as that.

    By when they ended: a run that waited long has an early number and a late end.
    """
    ended = Run.ended_at.is_not(None)
    mine = Run.integration_id == integration_id
    begun_anew = select(func.max(Run.ended_at)).where(
        mine, ended, Run.kind.in_(IMPORTS), Run.state.not_in((RunState.FAILED,)),
        (Run.state == RunState.DONE) | (Run.kind == RunKind.TIMETABLE),
    )  # fmt: skip
    since = session.execute(begun_anew).scalar_one_or_none()
    query = select(Run.id).where(mine, ended, Run.kind == RunKind.TIMETABLE, Run.state == RunState.FAILED)
    if since is not None:
        query = query.where(Run.ended_at > since)
    return len(session.scalars(query.limit(len(AFTER_FAILURES) + 1)).all())
