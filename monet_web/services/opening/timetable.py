"""The timetable at work: due slots become runs, exactly one a slot (B7).

What is to come stands on the integration: `next_run_at` is its first slot that no run covers yet. Whoever moves it
holds the rows of the integration and of its waiting run until the commit, so two ticks at once change nothing.

* A slot that falls due while a run is at work or waits joins the run that waits, whose window grows: after an outage
  one run covers the gap.
* A run that fails hands on what it was to cover (failures.py); a plan that changes loses nothing (changes.py).
* A store that refuses the key (NeedsOwner) is not asked again by the timetable, whatever slots come: they gather in
  the waiting run, which is taken as soon as the refusal ends, by a new key, a test or a launch that succeeds. A key
  that is tried at every slot gets the address blocked, and only its owner can mend it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import exists, insert, or_, select, update
from sqlalchemy.orm import Session, aliased, lazyload

from monet_web.domain import timetable as slots_of
from monet_web.domain.timetable import Frequency
from monet_web.models.base import reading, writing
from monet_web.models.integrations import Integration, IntegrationState
from monet_web.models.runs import AT_WORK, Run, RunKind, RunSlot, RunState
from monet_web.services.importing import claims
from monet_web.services.opening import failures, reread, waiting
from monet_web.services.opening.plan import Plan, plan_of, zone_of

log = logging.getLogger(__name__)

BY_ITSELF = (RunKind.TIMETABLE, RunKind.REREAD)
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
        done.taken_back = claims.patiently(
            lambda: claims.take_back(session, now=now, gave_up=failures.gave_up)
        )  # fmt: skip
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
        select(Integration.id, Integration.settings, Integration.next_run_at, Integration.reread_at)
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
    return [
        row.id
        for row in rows
        if row.reread_at is None
        or row.reread_at <= now
        or row.settings.get("frequency", Frequency.OFF) != Frequency.OFF
    ]


def _open_due(session: Session, integration_id: int, done: Ticked, *, now: datetime) -> None:
    with writing(session):
        waits = waiting.lock(session, integration_id)
        integration = waiting.row(session, integration_id)
        plan = plan_of(integration, zone_of(session))
        if not plan.is_on:
            return  # somebody was faster
        was_waiting = waits is not None
        run = cover_due(session, integration, plan, waits, now=now)
        if run is not None:
            (done.joined if was_waiting else done.opened).append(run.id)
        upcoming = plan.next(now)
        values = {"next_run_at": upcoming.at if upcoming else None}
        in_pause = waits is not None and waits.retry_at is not None and waits.retry_at > now
        if integration.reread_at is None:
            values["reread_at"] = plan.reread_at(now)
        elif integration.reread_at <= now and integration.refused_since is None and not in_pause:
            opened = reread.open_run(session, integration, plan.zone, now=now)
            done.opened += [] if opened is None else [opened.id]
            values["reread_at"] = plan.reread_at(now)
        _write(session, integration_id, values)


# --- slots and runs ---------------------------------------------------------------------------------------------


def cover_due(
    session: Session, integration: Integration, plan: Plan, waits: Run | None, *, now: datetime
) -> Run | None:
    """The run that covers the slots due by now, opened or grown; None when nothing is due. The rows are locked."""
    kept = session.execute(
        select(Integration.next_run_at, Integration.reach_back_to, Integration.covered_until).where(
            Integration.id == integration.id
        )
    ).one()
    first = kept.next_run_at
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
    windows = [slot.window for slot in fresh]
    windows.append(slots_of.reaching_back(fresh[0], kept.reach_back_to, plan.zone))
    window = slots_of.catch_up(windows)
    run = waiting.grown(session, integration.id, waits, window, now=now)
    rows = [{"integration_id": integration.id, "slot_at": slot.at, "run_id": run.id} for slot in fresh]
    session.execute(insert(RunSlot), rows)
    # From the first run on it is known what is owed, also when that run never succeeds.
    begun = {} if kept.covered_until is not None else {"covered_until": window.start}
    _write(session, integration.id, {"reach_back_to": None, **begun})
    return run


def _write(session: Session, integration_id: int, values: Mapping[str, datetime | None]) -> None:
    session.execute(
        update(Integration)
        .where(Integration.id == integration_id)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
