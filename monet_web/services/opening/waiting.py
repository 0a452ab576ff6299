"""The one run of the timetable that waits: locked together with its integration, grown, or opened."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Select, select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, defer, lazyload

from monet_web.domain import timetable as slots_of
from monet_web.domain.windows import Window
from monet_web.models.integrations import Integration
from monet_web.models.runs import Run, RunKind, RunSlot, RunState

_ROUNDS = 20


def lock(session: Session, integration_id: int) -> Run | None:
    """The timetable run of the integration that waits, if any; both rows are ours until the commit.

    The run's row first, as everywhere: whoever fails holds its own run, then this, then the integration. Whoever held
    the integration before us may have opened one meanwhile; to lock that one now would be the other way round, and
    two could wait for each other for ever, so the integration is let go and everything begins anew.
    """
    found: Run | None = None
    for _ in range(_ROUNDS):
        with session.begin_nested() as rows:
            found = session.scalars(_waiting(integration_id).with_for_update()).first()
            session.execute(select(Integration.id).where(Integration.id == integration_id).with_for_update()).all()
            if found is not None or session.scalars(_waiting(integration_id)).first() is None:
                return found
            rows.rollback()
    raise OperationalError("runs of this integration come and go", None, RuntimeError("try again"))


def _waiting(integration_id: int) -> Select[Run]:
    return (
        select(Run)
        .where(Run.integration_id == integration_id, Run.kind == RunKind.TIMETABLE, Run.state == RunState.QUEUED)
        .order_by(Run.id)
        .options(lazyload(Run.integration))
        .execution_options(populate_existing=True)
    )


def row(session: Session, integration_id: int) -> Integration:
    """The integration as it is now, its secrets left sealed."""
    query = (
        select(Integration)
        .where(Integration.id == integration_id)
        .options(defer(Integration.secrets))
        .execution_options(populate_existing=True)
    )
    return session.scalars(query).one()


def grown(session: Session, integration_id: int, waiting: Run | None, window: Window, *, now: datetime) -> Run:
    """The waiting run with its window grown by this one, or a new run of it. The rows are locked."""
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


def take_slots(session: Session, waiting: Run, *of: int) -> None:
    """The slots of these runs are covered by the one that waits."""
    session.execute(
        update(RunSlot)
        .where(RunSlot.run_id.in_(of))
        .values(run_id=waiting.id)
        .execution_options(synchronize_session=False)
    )
