"""The timetable at work: due slots become runs, exactly one a slot (B7), and a failing store is tried again later (B8).

What is to come stands on the integration: `next_run_at` is its first slot that no run covers yet. Whoever moves it
holds the rows of the integration and of its waiting run until the commit, so two ticks at once change nothing.

* A slot that falls due while a run is at work or waits joins the run that waits, whose window grows: after an outage
  one run covers the gap.
* A run that fails hands its slots and its window to the run that waits; so a slot never stays with a failed run, and
  no window is lost. The waiting run is not taken before `retry_at`: 1, 5, 15 and 60 minutes later, then at the first
  slot that is an hour away at least.
* A store that refuses the key (NeedsOwner) is not asked again by the timetable, whatever slots come: they gather in
  the waiting run, which is taken as soon as the refusal ends, by a new key, a test or a launch that succeeds. A key
  that is tried at every slot gets the address blocked, and only its owner can mend it.
* Switched off (or frequency *off*), what waits ends and slots count no more. Switched on again, they count from that
  moment, each with its usual window: who switched off may have invoiced otherwise meanwhile, so that gap is told on
  the page (`NextRun.gap`) and a person launches it or not.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import exists, insert, or_, select, update
from sqlalchemy.orm import Session, aliased, defer, lazyload

from monet_web.domain import timetable as slots_of
from monet_web.domain.errors import MonetError, NeedsOwner, RetryLater
from monet_web.domain.timetable import Frequency
from monet_web.domain.windows import Window
from monet_web.models.base import reading, writing
from monet_web.models.integrations import Integration, IntegrationState
from monet_web.models.runs import AT_WORK, Run, RunKind, RunSlot, RunState
from monet_web.services.importing import claims
from monet_web.services.opening import reread
from monet_web.services.opening.plan import Plan, plan_of, zone_of

log = logging.getLogger(__name__)

BY_ITSELF = (RunKind.TIMETABLE, RunKind.REREAD)
AFTER_FAILURES = tuple(timedelta(minutes=each) for each in (1, 5, 15, 60))
_MOMENT = timedelta(microseconds=1)


@dataclass(slots=True)
class Ticked:
    """What a tick did: ids of runs."""

    opened: list[int] = field(default_factory=list)
    joined: list[int] = field(default_factory=list)
    taken_back: list[int] = field(default_factory=list)
    to_ring: list[Run] = field(default_factory=list)


# --- the tick ---------------------------------------------------------------------------------------------------


def tick(session_factory: Callable[[], Session], *, now: datetime) -> Ticked:
    """Take back runs whose process is gone, open or grow runs for what is due; `to_ring` are those to be worked now.

    Each integration in a transaction of its own: one that can't be read stops no other.
    """
    done = Ticked()
    session = session_factory()
    try:
        done.taken_back = claims.patiently(lambda: claims.take_back(session, now=now))
        with reading(session):
            due = _due(session, now)
        for integration_id in due:
            try:
                _open_due(session, integration_id, done, now=now)
            except Exception:
                # A lock, a lost connection, settings of another version: the next tick looks again.
                log.exception("the timetable of an integration failed", extra={"integration": integration_id})
        with reading(session):
            done.to_ring = to_ring(session, now=now)
    finally:
        session.close()
    return done


def to_ring(session: Session, *, now: datetime) -> list[Run]:
    """The queued runs that a worker can take now, one an integration, the oldest first. Inside a transaction.

    Not those that wait for a run at work, for their time or for the store's owner, nor a terminal's own.
    """
    beside = aliased(Run)
    query = (
        select(Run)
        .join(Integration, Integration.id == Run.integration_id)
        .where(
            Run.state == RunState.QUEUED,
            Run.foreground.is_(False),
            or_(Run.retry_at.is_(None), Run.retry_at <= now),
            or_(Run.kind.not_in(BY_ITSELF), Integration.refused_since.is_(None)),
            ~exists().where(beside.integration_id == Run.integration_id, beside.state.in_(AT_WORK)),
        )
        .order_by(Run.id)
        .options(lazyload(Run.integration))
        .execution_options(populate_existing=True)
    )
    first: dict[int, Run] = {}
    for run in session.scalars(query):
        first.setdefault(run.integration_id, run)
    return list(first.values())


def _due(session: Session, now: datetime) -> list[int]:
    rows = session.execute(
        select(Integration.id, Integration.settings)
        .where(
            Integration.state == IntegrationState.ON,
            or_(
                Integration.next_run_at.is_(None),
                Integration.next_run_at <= now,
                Integration.reread_at.is_(None),
                Integration.reread_at <= now,
            ),
        )
        .order_by(Integration.next_run_at, Integration.id)
    )
    return [row.id for row in rows if row.settings.get("frequency", Frequency.OFF) != Frequency.OFF]


def _open_due(session: Session, integration_id: int, done: Ticked, *, now: datetime) -> None:
    with writing(session):
        waiting = lock(session, integration_id)
        integration = _row(session, integration_id)
        plan = plan_of(integration, zone_of(session))
        if plan.is_off:
            return  # somebody was faster
        was_waiting = waiting is not None
        run = _cover_due(session, integration, plan, waiting, now=now)
        if run is not None:
            (done.joined if was_waiting else done.opened).append(run.id)
        upcoming = plan.next(now)
        values = {"next_run_at": upcoming.at if upcoming else None}
        in_pause = waiting is not None and waiting.retry_at is not None and waiting.retry_at > now
        if integration.reread_at is None:
            values["reread_at"] = plan.reread_at(now)
        elif integration.reread_at <= now and integration.refused_since is None and not in_pause:
            opened = reread.open_run(session, integration, plan.zone, now=now)
            done.opened += [] if opened is None else [opened.id]
            values["reread_at"] = plan.reread_at(now)
        _write(session, integration_id, values)


def _row(session: Session, integration_id: int) -> Integration:
    """The integration as it is now, its secrets left sealed."""
    query = (
        select(Integration)
        .where(Integration.id == integration_id)
        .options(defer(Integration.secrets))
        .execution_options(populate_existing=True)
    )
    return session.scalars(query).one()


def _write(session: Session, integration_id: int, values: dict[str, datetime | None]) -> None:
    session.execute(
        update(Integration)
        .where(Integration.id == integration_id)
        .values(values)
        .execution_options(synchronize_session=False)
    )


# --- slots and runs ---------------------------------------------------------------------------------------------


def lock(session: Session, integration_id: int) -> Run | None:
    """The timetable run of the integration that waits, if any; both rows are ours until the commit.

    The run's row first, as everywhere: whoever fails holds its own run, then this, then the integration.
    """
    waiting = session.scalars(
        select(Run)
        .where(
            Run.integration_id == integration_id, Run.kind == RunKind.TIMETABLE, Run.state == RunState.QUEUED,
        )
        .order_by(Run.id)
        .with_for_update()
        .options(lazyload(Run.integration))
        .execution_options(populate_existing=True)
    ).all()  # fmt: skip
    session.execute(select(Integration.id).where(Integration.id == integration_id).with_for_update()).all()
    return waiting[0] if waiting else None


def _cover_due(
    session: Session, integration: Integration, plan: Plan, waiting: Run | None, *, now: datetime
) -> Run | None:
    """The run that covers the slots due by now, opened or grown; None when nothing is due. The rows are locked."""
    first = session.execute(select(Integration.next_run_at).where(Integration.id == integration.id)).scalar_one()
    if first is None or first > now:
        return None
    due = plan.slots(after=first - _MOMENT, until=now)
    known = set(
        session.scalars(
            select(RunSlot.slot_at).where(RunSlot.integration_id == integration.id, RunSlot.slot_at >= first)
        )
    )
    fresh = [slot for slot in due if slot.at not in known]
    if not fresh:
        return None
    run = _grown(session, integration.id, waiting, slots_of.catch_up(slot.window for slot in fresh), now=now)
    rows = [{"integration_id": integration.id, "slot_at": slot.at, "run_id": run.id} for slot in fresh]
    session.execute(insert(RunSlot), rows)
    return run


def _grown(session: Session, integration_id: int, waiting: Run | None, window: Window, *, now: datetime) -> Run:
    """The waiting run with its window grown by this one, or a new run of it."""
    if waiting is None:
        waiting = Run(
            integration_id=integration_id, kind=RunKind.TIMETABLE, state=RunState.QUEUED, created_at=now,
            window_start=window.start, window_end=window.end,
        )  # fmt: skip
        session.add(waiting)
    else:
        whole = slots_of.catch_up((window, Window(waiting.window_start, waiting.window_end)))
        waiting.window_start, waiting.window_end = whole.start, whole.end
        waiting.progress_version += 1
    session.flush()
    return waiting


# --- failures ---------------------------------------------------------------------------------------------------


def failed(session: Session, run: Run, error: MonetError, *, now: datetime) -> None:
    """Say on a run that has failed when it is tried again; one of the timetable hands its slots on.

    Inside the transaction that ends the run, whose row is held.
    """
    after = timedelta(seconds=(error.after_seconds or 0.0) if isinstance(error, RetryLater) else 0.0)
    if run.kind is not RunKind.TIMETABLE:
        # Nobody tries these again but whoever asked for them; documents are read again tomorrow anyway.
        if isinstance(error, RetryLater):
            run.retry_at = now + (after or timedelta(minutes=1))
        return
    waiting = lock(session, run.integration_id)
    plan = plan_of(_row(session, run.integration_id), zone_of(session))
    if plan.is_off:
        return
    if not isinstance(error, NeedsOwner):
        run.retry_at = max(_again_at(session, run, plan, now=now), now + after)
    waiting = _grown(
        session, run.integration_id, waiting, Window(run.window_start, run.window_end), now=now
    )  # fmt: skip
    if run.retry_at is not None:
        waiting.retry_at = max(run.retry_at, waiting.retry_at or run.retry_at)
    session.execute(
        update(RunSlot)
        .where(RunSlot.run_id == run.id)
        .values(run_id=waiting.id)
        .execution_options(synchronize_session=False)
    )


def _again_at(session: Session, run: Run, plan: Plan, *, now: datetime) -> datetime:
    states: Sequence[RunState] = session.scalars(
        select(Run.state)
        .where(Run.integration_id == run.integration_id, Run.kind == RunKind.TIMETABLE, Run.ended_at.is_not(None))
        .order_by(Run.id.desc())
        .limit(len(AFTER_FAILURES) + 1)
    ).all()
    failures = next((n for n, state in enumerate(states) if state is not RunState.FAILED), len(states))
    if failures <= len(AFTER_FAILURES):
        return now + AFTER_FAILURES[max(failures, 1) - 1]
    hour_later = now + AFTER_FAILURES[-1]
    slot = plan.next(hour_later - _MOMENT)
    return slot.at if slot else hour_later


# --- changes of the plan ----------------------------------------------------------------------------------------


def begin(session: Session, integration: Integration, *, now: datetime) -> None:
    """The slots of a new integration count from now. Inside the transaction that adds it."""
    plan = plan_of(integration, zone_of(session))
    upcoming = plan.next(now)
    integration.next_run_at, integration.reread_at = upcoming.at if upcoming else None, plan.reread_at(now)


def zone_changed(session: Session, before: ZoneInfo, after: ZoneInfo, *, now: datetime) -> None:
    """The company keeps its books by another time zone. Inside the transaction of the change."""
    query = (
        select(Integration)
        .where(Integration.state == IntegrationState.ON)
        .order_by(Integration.id)
        .options(defer(Integration.secrets))
    )
    for integration in session.scalars(query).all():
        lock(session, integration.id)
        plan_changed(session, integration, plan_of(integration, before), plan_of(integration, after), now=now)


def plan_changed(session: Session, integration: Integration, before: Plan, after: Plan, *, now: datetime) -> None:
    """A person has changed frequency, days, state or time zone: at once, and no slot is lost or doubled.

    What was due before is covered as it was planned. Inside the transaction of the change, after `lock`.
    """
    if before == after:
        return
    if after.is_off:
        _end_waiting(session, integration, now=now)
        integration.next_run_at = integration.reread_at = None
        return
    if not before.is_off:
        _cover_due(session, integration, before, lock(session, integration.id), now=now)
    upcoming = after.next(now)
    integration.next_run_at = upcoming.at if upcoming else None
    if before.is_off or before.zone != after.zone or integration.reread_at is None:
        integration.reread_at = after.reread_at(now)


def _end_waiting(session: Session, integration: Integration, *, now: datetime) -> None:
    session.execute(
        update(Run)
        .where(Run.integration_id == integration.id, Run.kind.in_(BY_ITSELF), Run.state == RunState.QUEUED)
        .values(
            state=RunState.STOPPED, ended_at=now, progress_version=Run.progress_version + 1,
            error=f"{integration.name} no longer runs by itself; it was changed before this import began.",
        )
        .execution_options(synchronize_session=False)
    )  # fmt: skip
