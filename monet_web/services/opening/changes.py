"""The plan of an integration changes: at once, and no slot is lost or doubled.

* Another frequency or time zone: what was due before is covered as it was planned, and the first slot of the new plan
  reaches back to where what is here ends (`reach_back_to`, 60 days at the most).
* Off: what waits ends and slots count no more. On again, they count from that moment, each with its usual window. Who
  switched off may have invoiced otherwise meanwhile, so that gap is kept and told, and a person imports it or not.
* On again within a day: what was due and waited when it was switched off is owed as before, and tried at once.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import and_, exists, or_, select, update
from sqlalchemy.orm import Session, defer, lazyload

from monet_web.domain.errors import BrokenRule
from monet_web.domain.windows import Window
from monet_web.models.integrations import Integration, IntegrationState
from monet_web.models.runs import Run, RunKind, RunSlot, RunState
from monet_web.services.opening import coverage, timetable, waiting
from monet_web.services.opening.plan import Plan, plan_of, zone_of

# Switched off by mistake, or for an afternoon's work on the store: what was due is due still.
SHORT_BREAK = timedelta(days=1)


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
        waiting.lock(session, integration.id)
        try:
            plan_changed(session, integration, plan_of(integration, before), plan_of(integration, after), now=now)
        except BrokenRule:
            continue  # its settings can't be read, so nothing of it runs by itself until they are mended


def plan_changed(
    session: Session, integration: Integration, before: Plan | None, after: Plan, *, now: datetime
) -> None:
    """A person has changed frequency, days, state or time zone; `before` None: what was kept could not be read.

    Inside the transaction of the change, after `waiting.lock`.
    """
    if before == after:
        return
    if after.is_off:
        if integration.next_run_at is not None:
            _stop(session, integration, before, after, now=now)
        integration.reread_at = (integration.reread_at or after.reread_at(now)) if after.is_on else None
        return
    upcoming = after.next(now)
    assert upcoming is not None  # noqa: S101 - a plan that is not off has slots
    was_off = before.is_off if before is not None else integration.next_run_at is None
    if was_off:
        if not _is_owed_again(session, integration, now=now):
            left = coverage.of(integration).going_on_at(upcoming.window.start)
            coverage.keep(integration, left)
    else:
        timetable.cover_due(session, integration, before or after, waiting.lock(session, integration.id), now=now)
        session.refresh(integration, ["reach_back_to", "covered_until"])
        if before is None or (before.frequency, before.zone) != (after.frequency, after.zone):
            integration.reach_back_to = _owed_from(session, integration, before or after, now=now)
    integration.next_run_at, integration.off_since = upcoming.at, None
    if before is None or before.is_off or before.zone != after.zone or integration.reread_at is None:
        integration.reread_at = after.reread_at(now)


def _stop(session: Session, integration: Integration, before: Plan | None, after: Plan, *, now: datetime) -> None:
    if before is not None and not before.is_off:
        # What is due this moment and nobody has opened yet was due before the change.
        timetable.cover_due(session, integration, before, waiting.lock(session, integration.id), now=now)
        session.refresh(integration, ["reach_back_to", "covered_until"])
    kinds = (RunKind.TIMETABLE,) if after.is_on else timetable.BY_ITSELF
    session.execute(
        update(Run)
        .where(Run.integration_id == integration.id, Run.kind.in_(kinds), Run.state == RunState.QUEUED)
        .values(
            state=RunState.STOPPED, ended_at=now, progress_version=Run.progress_version + 1,
            error=f"{integration.name} no longer runs by itself; it was changed before this import began.",
        )
        .execution_options(synchronize_session=False)
    )  # fmt: skip
    integration.next_run_at, integration.off_since = None, now


def _is_owed_again(session: Session, integration: Integration, *, now: datetime) -> bool:
    """True when a run waits again for what was due when it was switched off, less than a day ago."""
    since = integration.off_since
    if since is None or now - since > SHORT_BREAK:
        return False
    left = session.scalars(
        select(Run)
        .where(
            Run.integration_id == integration.id,
            Run.kind == RunKind.TIMETABLE,
            exists().where(RunSlot.run_id == Run.id),
            or_(
                and_(Run.state == RunState.STOPPED, Run.ended_at == since),
                # It was at work then, and nobody took what it was to cover.
                and_(Run.state == RunState.FAILED, Run.ended_at >= since),
            ),
        )
        .options(lazyload(Run.integration))
    ).all()
    if not left:
        return False
    waits = waiting.lock(session, integration.id)
    for run in left:
        window = Window(run.window_start, run.window_end)
        waits = waiting.grown(session, integration.id, waits, window, now=now)
    assert waits is not None  # noqa: S101 - there was one at least
    waits.retry_at = None
    waiting.take_slots(session, waits, *(run.id for run in left))
    return True


def _owed_from(session: Session, integration: Integration, before: Plan, *, now: datetime) -> datetime | None:
    """From when on the plan before would have imported what is not here yet."""
    upcoming = before.next(now)
    usual = upcoming.window.start if upcoming is not None else None
    until = integration.covered_until
    has_run = session.scalars(select(RunSlot.slot_at).where(RunSlot.integration_id == integration.id).limit(1)).first()
    if until is None or (has_run is None and usual is not None and usual > until):
        # A launch by hand of some days long ago is no beginning of what comes by itself.
        owed = usual
    else:
        owed = until
    moments = [each for each in (owed, integration.reach_back_to) if each is not None]
    return min(moments, default=None)
