"""Opening runs: a launch by mask and dates becomes one queued run for each integration it means (C2, C4)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from monet_web.domain import mask as masks
from monet_web.domain.errors import BrokenRule
from monet_web.domain.windows import Window, days, local_day
from monet_web.models.base import writing
from monet_web.models.company import Company
from monet_web.models.integrations import Integration, IntegrationState
from monet_web.models.runs import Run, RunKind, RunState
from monet_web.services.importing import claims

EARLIEST = date(2000, 1, 1)


def launch(
    session: Session,
    *,
    mask: str,
    first: date,
    last: date,
    kind: RunKind = RunKind.LAUNCH,
    now: datetime,
    actor: str,
    foreground: bool = False,
) -> list[Run]:
    """Queued runs of the local days `first` to `last` (both included) for every integration that `mask` means.

    `foreground`: a terminal works them itself, no worker may. Raises BrokenRule when the dates are reversed or the
    mask means nobody; the message says which names exist. A window that reaches into the future ends now.
    """
    if last < first:
        raise BrokenRule(f"The period ends on {last} before it starts on {first}.", fix="Swap the two dates.")
    with writing(session):
        integrations = meant_by(session, mask)
        window = window_of(session, first, last, now)
        runs = [
            Run(
                integration_id=one.id,
                kind=kind,
                state=RunState.QUEUED,
                window_start=window.start,
                window_end=window.end,
                foreground=foreground,
                # Whose terminal it is: killed before its turn, nobody else may ever take the run.
                worker=claims.this_process() if foreground else "",
                created_at=now,
                requested_by=actor,
            )
            for one in integrations
        ]
        session.add_all(runs)
        session.flush()
        for run, integration in zip(runs, integrations, strict=True):
            run.integration = integration
    return runs


def window_of(session: Session, first: date, last: date, now: datetime) -> Window:
    """The window of local days; its end is now when the last day is not over. Inside a transaction."""
    zone = ZoneInfo(session.get_one(Company, 1).time_zone)
    today = local_day(now, zone)
    if first < EARLIEST:
        raise BrokenRule(f"The period starts on {first}, before there were e-shops.", fix="Choose days since 2000.")
    if first > today:
        raise BrokenRule(f"The period starts on {first}, which is not here yet.", fix="Choose days until today.")
    window = days(first, min(last, today), zone)
    if window.start >= now:  # the very moment of midnight
        raise BrokenRule("The day has only just begun.", fix="Try again in a minute.")
    return Window(window.start, min(window.end, now))


def meant_by(session: Session, mask: str) -> list[Integration]:
    """The integrations a mask means, by name. Inside a transaction. Raises BrokenRule when there is none."""
    known = session.scalars(
        select(Integration).where(Integration.state != IntegrationState.RETIRED).order_by(Integration.name_key)
    ).all()
    names = masks.matches(mask, [masks.Named(one.name, one.state is IntegrationState.ON) for one in known])
    if names:
        return [one for one in known if one.name in names]
    message, fix = _nobody(mask, known)
    raise BrokenRule(message, fix=fix)


def _nobody(mask: str, known: Sequence[Integration]) -> tuple[str, str]:
    if not known:
        return "There is no integration yet.", "Add one: monet integrations add NAME --platform woocommerce --set …"
    names = ", ".join(one.name + ("" if one.state is IntegrationState.ON else " (switched off)") for one in known)
    if all(one.state is not IntegrationState.ON for one in known):
        return f"No integration is switched on: {names}.", "Switch one on, or type its exact name."
    return f"No integration is meant by “{mask}”.", f"There are: {names}. Type a name, a part with %, or % for all."


def stop(session: Session, run_id: int, *, now: datetime) -> bool:
    """Ask a run to end between two pages; a queued one ends at once. False when it had ended already (C5)."""
    with writing(session):
        # Counted, not looked at first: between the look and the word the run may come to its own end.
        return _moved(session, run_id, RunState.RUNNING, state=RunState.STOPPING) or _moved(
            session, run_id, RunState.QUEUED, state=RunState.STOPPED, ended_at=now
        )


def _moved(session: Session, run_id: int, of: RunState, **values: object) -> bool:
    done = session.execute(
        update(Run)
        .where(Run.id == run_id, Run.state == of)
        .values(progress_version=Run.progress_version + 1, **values)
        .execution_options(synchronize_session=False)
    )
    return bool(done.rowcount)  # type: ignore[attr-defined]


def again(session: Session, run_id: int, *, now: datetime, actor: str) -> Run:
    """A queued run of the same integration and window; always safe, what is already here is skipped (C5).

    A preview stays a preview, a run of a file reads it again; everything else becomes a launch. Raises BrokenRule
    when the integration was deleted.
    """
    with writing(session):
        before = session.get_one(Run, run_id, populate_existing=True)
        integration = session.get_one(Integration, before.integration_id, populate_existing=True)
        if integration.state is IntegrationState.RETIRED:
            raise BrokenRule(
                f"{integration.name} was deleted, so its orders can't be asked for any more.",
                fix="Connect the store again; its memory is still here.",
            )
        run = Run(
            integration_id=integration.id,
            kind=before.kind if before.kind in (RunKind.PREVIEW, RunKind.FILE) else RunKind.LAUNCH,
            state=RunState.QUEUED,
            window_start=before.window_start,
            window_end=before.window_end,
            foreground=False,
            created_at=now,
            requested_by=actor,
            upload_id=before.upload_id,
            file_name=before.file_name,
        )
        session.add(run)
        session.flush()
        run.integration = integration
    return run
