"""The newest check of a month of each integration (B3): what the 20th found, until another check, or for 31 days."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, lazyload

from monet_web.models.integrations import Integration, IntegrationState
from monet_web.models.runs import Run, RunState

# The next 20th checks the next month; what nobody mended until then is in the books as it is.
_NEWS = timedelta(days=31)


def newest(session: Session, *, now: datetime) -> dict[int, Run]:
    """By integration that is switched on: the run that checked a month last. One query. Inside a transaction."""
    of_one = (
        select(Run.id)
        .where(
            Run.integration_id == Integration.id, Run.month_check.is_not(None), Run.state == RunState.DONE,
            Run.ended_at > now - _NEWS,
        )
        .order_by(Run.ended_at.desc())
        .limit(1)
        .correlate(Integration)
        .scalar_subquery()
    )  # fmt: skip
    wanted = select(of_one).where(Integration.state == IntegrationState.ON)
    query = select(Run).where(Run.id.in_(wanted)).options(lazyload(Run.integration))
    return {run.integration_id: run for run in session.scalars(query.execution_options(populate_existing=True))}


def differing(session: Session, *, now: datetime) -> dict[int, Run]:
    """Those of them whose month differs from the store's. Inside a transaction."""
    return {key: run for key, run in newest(session, now=now).items() if differs(run)}


def differs(run: Run) -> bool:
    """True for a run that checked a month and found it other than the store's."""
    return bool(run.month_check) and not (run.month_check or {})["agrees"]
