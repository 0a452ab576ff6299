"""Saving the form of an integration: its values, what a test of them found, and what waited for them checked again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from monet_web.domain import periods
from monet_web.domain.errors import BrokenRule, RetryLater
from monet_web.domain.windows import local_day
from monet_web.models.audit import AuditEntry
from monet_web.models.base import reading, writing
from monet_web.models.integrations import Integration, IntegrationState
from monet_web.models.invoices import Invoice, InvoiceState
from monet_web.models.runs import AT_WORK, Run, RunKind
from monet_web.models.users import User
from monet_web.services.documents import mend
from monet_web.services.documents.mend import Rechecked
from monet_web.services.integrations import connect, connection_test
from monet_web.services.office import company
from monet_web.services.opening import open_runs

PREVIEWED_DAYS = 7
_PATIENCE = 3.0  # seconds: somebody looks at the form that waits


@dataclass(frozen=True, slots=True)
class Saved:
    """What a save did: the integration, and what became of the invoices that waited for a setting."""

    integration: Integration
    rechecked: Rechecked | None = None
    not_checked: str = ""  # why what waits was not looked at


@dataclass(frozen=True, slots=True)
class Change:
    """Who changed an integration last, when, and what: (key, from, to)."""

    by: str
    at: datetime
    what: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Stays:
    """What is kept when an integration is retired."""

    invoices: int
    waiting: int


def find(session: Session, integration_id: int) -> Integration | None:
    """The living integration of that id. Inside a transaction."""
    query = select(Integration).where(Integration.id == integration_id, Integration.state != IntegrationState.RETIRED)
    return session.scalars(query.execution_options(populate_existing=True)).one_or_none()


def add(
    session: Session,
    *,
    name: str,
    platform: str,
    values: Mapping[str, str],
    held_id: int | None,
    now: datetime,
    actor: str,
) -> tuple[Integration, bool]:
    """A new integration, with what its test found; the second says whether that connection was tested.

    Raises BrokenRule with its field.
    """
    with reading(session):
        values = connection_test.with_held_secrets(
            session, held_id, platform=platform, values=values, now=now, actor=actor
        )
        values = connection_test.with_settled_address(session, held_id, values=values, now=now, actor=actor)
    added = connect.add_integration(session, name=name, platform=platform, values=values, now=now, actor=actor)
    with writing(session):
        integration = session.get_one(Integration, added.id, populate_existing=True)
        was_tested = connection_test.adopt(session, held_id, integration, now=now, actor=actor)
    return integration, was_tested


def save(
    session: Session,
    integration_id: int,
    values: Mapping[str, str],
    *,
    new_name: str | None = None,
    same_store: bool = False,
    row_version: int | None = None,
    held_id: int | None = None,
    now: datetime,
    actor: str,
) -> Saved:
    """Change an integration and check again what waits in its journals (E2). Raises BrokenRule with its field."""
    with reading(session):
        before = find(session, integration_id)
        if before is None:
            raise BrokenRule("This integration was removed meanwhile.", fix="Connect the store again.")
        name, settings_before = before.name, dict(before.settings)
        values = connection_test.with_held_secrets(
            session, held_id, platform=before.store.platform, values=values, now=now, actor=actor
        )
        values = connection_test.with_settled_address(session, held_id, values=values, now=now, actor=actor)
    changed = connect.set_values(
        session, name, values, new_name=new_name, same_store=same_store, row_version=row_version, now=now, actor=actor
    )
    if held_id is not None:
        with writing(session):
            changed = session.get_one(Integration, integration_id, populate_existing=True)
            connection_test.adopt(session, held_id, changed, now=now, actor=actor)
    if changed.settings == settings_before:
        return Saved(changed)
    return _checked_again(session, changed, now=now, actor=actor)


def switch(session: Session, integration_id: int, *, on: bool, now: datetime, actor: str) -> Integration:
    """Switch an integration on or off. Raises BrokenRule."""
    return save(session, integration_id, {"enabled": "yes" if on else "no"}, now=now, actor=actor).integration


def preview(session: Session, integration_id: int, *, now: datetime, actor: str) -> Run:
    """A queued preview of the last seven days of one integration (A7). Raises BrokenRule."""
    with reading(session):
        integration = find(session, integration_id)
        if integration is None:
            raise BrokenRule("This integration was removed meanwhile.", fix="Connect the store again.")
        period = periods.last_days(PREVIEWED_DAYS, local_day(now, company.zone(session)))
        name = integration.name
    return open_runs.launch(
        session, mask=name, first=period.first, last=period.last, kind=RunKind.PREVIEW, now=now, actor=actor
    )[0]


def newest_preview(session: Session, integration_id: int) -> Run | None:
    """The last preview of an integration. Inside a transaction."""
    return session.scalars(
        select(Run)
        .where(Run.integration_id == integration_id, Run.kind == RunKind.PREVIEW)
        .order_by(Run.id.desc())
        .limit(1)
        .execution_options(populate_existing=True)
    ).first()


def last_change(session: Session, integration_id: int) -> Change | None:
    """The newest change of an integration, out of the audit trail. Inside a transaction."""
    entry = session.execute(
        select(AuditEntry, User.name)
        .outerjoin(User, User.email == AuditEntry.actor)
        .where(
            AuditEntry.subject_kind == "integration",
            AuditEntry.subject_id == integration_id,
            AuditEntry.action.in_(("integration_added", "integration_changed")),
        )
        .order_by(AuditEntry.id.desc())
        .limit(1)
    ).first()
    if entry is None:
        return None
    audited, name = entry
    before, after = _flat(audited.before or {}), _flat(audited.after or {})
    what = tuple(
        (key, before.get(key, ""), after.get(key, ""))
        for key in sorted({*before, *after})
        if before.get(key, "") != after.get(key, "")
    )
    return Change(name or audited.actor, audited.at, what)


def stays(session: Session, integration_id: int) -> Stays:
    """How many documents an integration has: they stay when it goes (A8). Inside a transaction."""
    counted = session.execute(
        select(Invoice.state, func.count().label("number"))
        .where(Invoice.integration_id == integration_id)
        .group_by(Invoice.state)
    )
    counts: dict[InvoiceState, int] = {row.state: row.number for row in counted}
    return Stays(counts.get(InvoiceState.REGISTERED, 0), counts.get(InvoiceState.IN_JOURNAL, 0))


def _checked_again(session: Session, integration: Integration, *, now: datetime, actor: str) -> Saved:
    with reading(session):
        is_at_work = session.scalars(
            select(Run.id).where(Run.integration_id == integration.id, Run.state.in_(AT_WORK))
        ).first()
    if is_at_work is not None:
        # Its end may be far; nobody is to wait for it before a form.
        return Saved(integration, not_checked=f"What waits was not checked again: run {is_at_work} is at work.")
    try:
        return Saved(
            integration,
            mend.check_again(session, integration_id=integration.id, now=now, actor=actor, patience=_PATIENCE),
        )
    except RetryLater as error:
        return Saved(integration, not_checked=error.sentence())


def _flat(said: Mapping[str, object]) -> dict[str, str]:
    flat: dict[str, str] = {}
    for key, value in said.items():
        if isinstance(value, Mapping):
            flat.update({str(inner): str(each) for inner, each in value.items()})
        else:
            flat[key] = str(value)
    return flat
