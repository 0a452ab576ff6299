"""What of each store is here, kept on its integration: moved by imports that end well, told where something is missing.

A gap is what nobody will import by itself: a person switched the integration off meanwhile, or stopped the run. It is
told until an import covers it or a person says that it may stay out.
"""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from monet_web.domain import settings as settings_text
from monet_web.domain.coverage import Coverage
from monet_web.domain.errors import BrokenRule
from monet_web.domain.windows import Window, start_of_day
from monet_web.models.base import writing
from monet_web.models.integrations import Integration, IntegrationState
from monet_web.models.runs import Run, RunKind, RunState
from monet_web.services import audit
from monet_web.services.opening import waiting

IMPORTS = (RunKind.LAUNCH, RunKind.TIMETABLE)


def of(integration: Integration) -> Coverage:
    """As its row says."""
    gaps = (Window(*(datetime.fromisoformat(each) for each in gap)) for gap in integration.gaps or ())
    return Coverage(integration.covered_until, tuple(gaps))


def keep(integration: Integration, coverage: Coverage) -> None:
    """Write it to the row, which is locked."""
    integration.covered_until = coverage.until
    gaps = [[each.start.isoformat(), each.end.isoformat()] for each in coverage.gaps]
    if gaps != (integration.gaps or []):
        integration.gaps = gaps or None


def ended(session: Session, run: Run) -> None:
    """An import has ended: what it read to its end is here. Inside the transaction that ends it."""
    if run.state is RunState.DONE and run.kind in IMPORTS:
        integration = waiting.row(session, run.integration_id)
        keep(integration, of(integration).read(Window(run.window_start, run.window_end)))


def missing(integration: Integration, zone: ZoneInfo, *, next_start: datetime | None) -> tuple[Window, ...]:
    """What nobody will import by itself, nothing before `not_before`; `next_start`: where the next import begins."""
    coverage = of(integration)
    if next_start is not None:
        coverage = coverage.going_on_at(next_start)
    first_day = settings_text.parse(integration.settings).not_before
    if first_day is None:
        return coverage.gaps
    first = start_of_day(first_day, zone)
    return tuple(Window(max(each.start, first), each.end) for each in coverage.gaps if first < each.end)


def leave_out(session: Session, integration_id: int, window: Window, *, now: datetime, actor: str) -> Integration:
    """A person says that this part of a gap may stay out: it is told no more. Raises BrokenRule."""
    with writing(session):
        waiting.lock(session, integration_id)
        integration = session.get(Integration, integration_id, populate_existing=True)
        if integration is None or integration.state is IntegrationState.RETIRED:
            raise BrokenRule("This integration was deleted.", fix="Look at the list again.")
        before = of(integration)
        # To be told no more is the same as to be read, but for the future, which is nobody's to leave out.
        until = min(window.end, now)
        after = before if until <= window.start else before.read(Window(window.start, until))
        if before.until is not None and after != before:
            keep(integration, after)
            audit.record(
                session, at=now, actor=actor, action="gap_left_out", subject_kind="integration",
                subject_id=integration_id, after={"from": window.start.isoformat(), "until": window.end.isoformat()},
            )  # fmt: skip
    return integration
