"""Integrations added, changed and retired. Secrets go in and are never given back but to the connector.

Each opens a transaction of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

from sqlalchemy import delete, exists, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from monet_web.connectors.base import Connector
from monet_web.domain import settings as settings_text
from monet_web.domain.errors import BrokenRule
from monet_web.domain.mask import fold
from monet_web.domain.settings import Settings
from monet_web.models.base import writing
from monet_web.models.connection_tests import ConnectionTest
from monet_web.models.integrations import Integration, IntegrationState, Store
from monet_web.models.invoices import Invoice
from monet_web.models.runs import AT_WORK, Run, RunState
from monet_web.services import audit
from monet_web.services.integrations import choices
from monet_web.services.integrations.installed import connector_class, find, living, readable
from monet_web.services.integrations.stores import (
    forget_empty_store,
    known_store,
    move_store,
    offered_prefix,
    refuse_used_credit_prefix,
    refuse_used_prefix,
)
from monet_web.services.integrations.typed_values import (
    Typed,
    check_number_source,
    checked_name,
    complete,
    merged,
    require,
    sorted_by_kind,
)
from monet_web.services.opening import changes, failures, uploads, waiting
from monet_web.services.opening.plan import plan_of, zone_of

_KIND = "integration"


def add_integration(
    session: Session, *, name: str, platform: str, values: Mapping[str, str], now: datetime, actor: str
) -> Integration:
    """A new integration; `values` are connection parameters and settings alike.

    A store that was connected before is taken over with its memory (A8). Raises BrokenRule.
    """
    connector = connector_class(platform)
    typed = sorted_by_kind(connector, values)
    name = checked_name(name)
    parameters, secrets = complete(connector, typed.parameters), typed.secrets
    require(connector, {**parameters, **secrets})
    store_key = connector.store_key({**parameters, **secrets})
    # Wrong settings are said before anything is looked up or locked.
    settings = settings_text.parse(typed.settings)
    check_number_source(connector, settings)
    with writing(session), _lost_races():
        _refuse_same_name(session, name)
        choices.check(session, settings, typed.settings)
        store = known_store(session, connector, store_key)
        if "number_prefix" not in typed.settings:
            settings = replace(settings, number_prefix=offered_prefix(session, name, settings, store))
        refuse_used_prefix(session, settings.number_prefix)
        refuse_used_credit_prefix(session, settings)
        integration = Integration(
            store=store or Store(platform=connector.kind, store_key=store_key),
            name=name,
            name_key=fold(name),
            parameters=parameters,
            secrets=secrets,
            created_at=now,
        )
        _keep_settings(integration, settings)
        session.add(integration)
        session.flush()
        changes.begin(session, integration, now=now)
        audit.record(
            session, at=now, actor=actor, action="integration_added",
            subject_kind=_KIND, subject_id=integration.id, after=_said(integration),
        )  # fmt: skip
    return integration


def set_values(
    session: Session,
    name: str,
    values: Mapping[str, str],
    *,
    now: datetime,
    actor: str,
    new_name: str | None = None,
    same_store: bool = False,
    row_version: int | None = None,
) -> Integration:
    """Change an integration; what is not in `values` stays, an empty secret stays too.

    A changed scheme, host or port asks for all secrets again (A3). `same_store`: a new address is the same shop that
    moved, with the same orders. `row_version`: the one a form was filled from; refused when somebody was faster.
    Raises BrokenRule.
    """
    with writing(session), _lost_races():
        integration = find(session, name)
        if row_version is not None and row_version != integration.row_version:
            raise _changed_meanwhile()
        connector = connector_class(integration.store.platform)
        typed = sorted_by_kind(connector, values)
        waiting.lock(session, integration.id)
        zone = zone_of(session)
        settings_before = readable(integration)
        plan_before = plan_of(integration, zone) if settings_before is not None else None
        before, secrets_before = _said(integration), integration.secrets
        if new_name is not None and checked_name(new_name) != integration.name:
            _rename(session, integration, checked_name(new_name))
        _connect_anew(session, integration, connector, typed, same_store=same_store)
        # What another version kept and this one does not know is forgotten; what it can't read must be typed.
        kept = {key: text for key, text in integration.settings.items() if key in settings_text.BY_KEY}
        settings = settings_text.parse({**kept, **typed.settings})
        check_number_source(connector, settings)
        choices.check(session, settings, typed.settings, before=settings_before, facts=integration.facts)
        if settings.number_prefix != integration.number_prefix:
            refuse_used_prefix(session, settings.number_prefix, but=integration.id)
        refuse_used_credit_prefix(session, settings, but=integration.id)
        _keep_settings(integration, settings)
        session.flush()
        changes.plan_changed(session, integration, plan_before, plan_of(integration, zone), now=now)
        after = _said(integration)
        changed_secrets = [key for key in typed.secrets if secrets_before.get(key) != integration.secrets.get(key)]
        if before != after or changed_secrets:
            integration.changed_by_person()
            if changed_secrets:
                after["secrets_changed"] = changed_secrets
            audit.record(
                session, at=now, actor=actor, action="integration_changed",
                subject_kind=_KIND, subject_id=integration.id, before=before, after=after,
            )  # fmt: skip
    return integration


def retire(session: Session, name: str, *, now: datetime, actor: str) -> bool:
    """Delete an integration; one that ever ran is retired instead: its store keeps its memory and documents (A8).

    True when it was retired, False when nothing of it is left. Its secrets are gone either way. Raises BrokenRule.
    """
    with writing(session), _lost_races():
        integration = find(session, name)
        waiting.lock(session, integration.id)
        at_work = session.scalars(
            select(Run).where(Run.integration_id == integration.id, Run.state.in_(AT_WORK))
        ).first()
        if at_work is not None:
            raise BrokenRule(
                f"Run {at_work.id} of {integration.name} is at work.",
                fix="Stop it or wait for its end, then try again.",
            )
        keeps = session.execute(
            select(
                exists().where(Run.integration_id == integration.id),
                exists().where(Invoice.integration_id == integration.id),
            )
        ).one()
        before = _said(integration)
        session.execute(delete(ConnectionTest).where(ConnectionTest.integration_id == integration.id))
        uploads.forget(session, integration.id)
        if any(keeps):
            integration.state = IntegrationState.RETIRED
            integration.changed_by_person()
            integration.secrets = {}
            integration.next_run_at = integration.reread_at = None
            _end_queued(session, integration, now)
        else:
            session.delete(integration)
            session.flush()
            forget_empty_store(session, integration.store_id)
        audit.record(
            session, at=now, actor=actor, action="integration_retired" if any(keeps) else "integration_deleted",
            subject_kind=_KIND, subject_id=integration.id, before=before,
        )  # fmt: skip
    return any(keeps)


def _refuse_same_name(session: Session, name: str) -> None:
    taken = session.scalars(living().where(Integration.name_key == fold(name))).one_or_none()
    if taken is not None:
        raise BrokenRule(
            f"There is an integration named {taken.name} already.",
            fix="Type another name, or change that one.",
            field="name",
        )


def _rename(session: Session, integration: Integration, name: str) -> None:
    if fold(name) != integration.name_key:
        _refuse_same_name(session, name)
    integration.name, integration.name_key = name, fold(name)


def _connect_anew(
    session: Session, integration: Integration, connector: type[Connector], typed: Typed, *, same_store: bool
) -> None:
    parameters, secrets, moved = merged(integration, connector, typed)
    if parameters == integration.parameters and secrets == integration.secrets:
        return
    require(connector, {**parameters, **secrets})
    store_key = connector.store_key({**parameters, **secrets})
    if store_key != integration.store.store_key:
        move_store(session, integration, connector, store_key, same_store=same_store)
    integration.parameters, integration.secrets = parameters, secrets
    # Whatever the store refused before, it was something else that asked.
    integration.refused_since, integration.refused_text = None, ""
    failures.end_pause(session, integration.id)
    if moved:
        integration.learned, integration.facts, integration.tested_at = {}, None, None


def _keep_settings(integration: Integration, settings: Settings) -> None:
    """Keep what differs from the defaults. State and prefix have columns too, which indexes and lists need."""
    defaults = settings_text.as_text(Settings())
    texts = settings_text.as_text(settings)
    integration.settings = {key: text for key, text in texts.items() if text != defaults[key]}
    integration.number_prefix = settings.number_prefix
    integration.state = IntegrationState.ON if settings.enabled else IntegrationState.OFF


def _said(integration: Integration) -> dict[str, object]:
    """What the audit trail keeps of an integration."""
    return {
        "name": integration.name,
        "store": integration.store.store_key,
        "state": integration.state.value,
        "parameters": dict(integration.parameters),
        "settings": dict(integration.settings),
    }


def _end_queued(session: Session, integration: Integration, now: datetime) -> None:
    for run in session.scalars(select(Run).where(Run.integration_id == integration.id, Run.state == RunState.QUEUED)):
        run.state, run.ended_at = RunState.STOPPED, now
        run.error = f"{integration.name} was removed before this import began."


@contextmanager
def _lost_races() -> Iterator[None]:
    """Somebody else was faster with the same name, store or row: the database says so, here it becomes a sentence."""
    try:
        yield
    except (IntegrityError, StaleDataError):
        raise _changed_meanwhile() from None


def _changed_meanwhile() -> BrokenRule:
    return BrokenRule(
        "Somebody else has changed this integration meanwhile.",
        fix="Look at it again, then try again.",
        field="row_version",
    )
