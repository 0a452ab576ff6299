"""The list of integrations (A1): last run, run at work, what waits; as many questions for one as for a hundred."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session, defer, lazyload

from monet_web.models.audit import AuditEntry
from monet_web.models.integrations import Integration, IntegrationState
from monet_web.models.runs import AT_WORK, Run, RunKind, RunState
from monet_web.models.users import User
from monet_web.services.books import waiting_figures
from monet_web.services.integrations import installed
from monet_web.services.opening.timetable import BY_ITSELF

IMPORTS = (RunKind.LAUNCH, RunKind.TIMETABLE)


@dataclass(frozen=True, slots=True)
class SwitchedOff:
    """When and by whom."""

    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class Row:
    """One integration of the list."""

    integration: Integration
    last: Run | None = None  # the newest import that has ended
    current: Run | None = None  # the run at work, else the one that waits
    waiting: int = 0
    sums: dict[str, Decimal] = field(default_factory=dict)  # of what waits, by currency
    switched_off: SwitchedOff | None = None
    month: Run | None = None  # the newest check of a month, when that differs from the store
    is_readable: bool = True  # its settings are

    @property
    def needs_somebody(self) -> bool:
        """True when nothing gets better without a person."""
        if self.integration.refused_since is not None or self.month is not None or not self.is_readable:
            return True
        last = self.last
        return last is not None and (last.state is RunState.FAILED or bool(last.conflict or last.unreadable))


def rows(session: Session, *, now: datetime, months: Mapping[int, Run] | None = None) -> list[Row]:
    """Every living integration by name. Inside a transaction; the integrations come without their secrets.

    `months`: by integration, the runs whose check of a month found a difference.
    A run that waits for its next attempt or for the store's owner is no current one: it is told as the next run.
    """
    integrations = session.scalars(
        select(Integration)
        .where(Integration.state != IntegrationState.RETIRED)
        .order_by(Integration.name_key)
        .options(defer(Integration.secrets))
    ).all()
    refused = {one.id for one in integrations if one.refused_since is not None}
    last, current = _last_runs(session), _current_runs(session, refused, now=now)
    waiting = _waiting(session)
    off = _switched_off(session, [one.id for one in integrations if one.state is IntegrationState.OFF])
    found = []
    for one in integrations:
        sums = waiting.get(one.id, {})
        found.append(
            Row(
                integration=one,
                last=last.get(one.id),
                current=current.get(one.id),
                waiting=sum(count for count, _ in sums.values()),
                sums={currency: total for currency, (_, total) in sums.items()},
                switched_off=off.get(one.id),
                month=(months or {}).get(one.id),
                is_readable=installed.readable(one) is not None,
            )
        )
    return found


def row(session: Session, integration_id: int, *, now: datetime) -> Row | None:
    """The same of one integration, None when there is none (any more)."""
    return next((one for one in rows(session, now=now) if one.integration.id == integration_id), None)


def waits_for_later(run: Run, *, is_refused: bool, now: datetime) -> bool:
    """True for a run of the timetable that no worker may take now: the store failed or refuses the key."""
    if run.state is not RunState.QUEUED or run.kind not in BY_ITSELF:
        return False
    return is_refused or (run.retry_at is not None and run.retry_at > now)


def _runs() -> Select[Run]:
    return select(Run).options(lazyload(Run.integration))  # it stands in the list already


def _last_runs(session: Session) -> dict[int, Run]:
    # One look into the index for each integration, however many runs there were: the newest is the one that ended last.
    newest = (
        select(Run.id)
        .where(Run.integration_id == Integration.id, Run.kind.in_((*IMPORTS, RunKind.FILE)), Run.ended_at.is_not(None))
        .order_by(Run.ended_at.desc(), Run.id.desc())
        .limit(1)
        .correlate(Integration)
        .scalar_subquery()
    )
    wanted = select(newest).where(Integration.state != IntegrationState.RETIRED)
    return {run.integration_id: run for run in session.scalars(_runs().where(Run.id.in_(wanted)))}


def _current_runs(session: Session, refused: Collection[int], *, now: datetime) -> dict[int, Run]:
    # What waits for somebody's terminal hides nothing of what everybody waits for.
    is_ours = or_(Run.state.in_(AT_WORK), Run.foreground.is_(False))
    query = _runs().where(Run.state.in_((RunState.QUEUED, *AT_WORK)), Run.kind != RunKind.TEST, is_ours)
    query = query.order_by(Run.id.desc())
    found: dict[int, Run] = {}
    for run in session.scalars(query):  # the one at work comes before those that wait
        if waits_for_later(run, is_refused=run.integration_id in refused, now=now):
            continue
        if run.integration_id not in found or run.state in AT_WORK or found[run.integration_id].state not in AT_WORK:
            found[run.integration_id] = run
    return found


def _waiting(session: Session) -> dict[int, dict[str, tuple[int, Decimal]]]:
    found: dict[int, dict[str, tuple[int, Decimal]]] = {}
    tallies = waiting_figures.of_all(session).invoices
    for sort in sorted(tallies, key=lambda sort: (sort.integration_id, sort.currency)):
        of = found.setdefault(sort.integration_id, {})
        count, total = of.get(sort.currency, (0, Decimal(0)))
        of[sort.currency] = (count + tallies[sort].invoices, total + waiting_figures.money(tallies[sort].total))
    return found


def _switched_off(session: Session, ids: Sequence[int]) -> dict[int, SwitchedOff]:
    """Of those that are off: the change that switched them off, out of the audit trail."""
    if not ids:
        return {}
    entries = session.execute(
        select(AuditEntry.subject_id, AuditEntry.at, AuditEntry.actor, AuditEntry.before, AuditEntry.after, User.name)
        .outerjoin(User, User.email == AuditEntry.actor)
        .where(
            AuditEntry.subject_kind == "integration",
            AuditEntry.subject_id.in_(ids),
            AuditEntry.action.in_(("integration_added", "integration_changed")),
        )
        .order_by(AuditEntry.id)
    )
    found: dict[int, SwitchedOff] = {}
    for entry in entries:
        before, after = (entry.before or {}).get("state"), (entry.after or {}).get("state")
        if after == IntegrationState.OFF and before != IntegrationState.OFF:
            found[entry.subject_id] = SwitchedOff(entry.at, entry.name or entry.actor)
    return found
