"""A store asked who it is, and what is kept of its answer (A4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from monet_web.connectors.base import StoreFacts, Surroundings
from monet_web.domain.errors import NeedsOwner
from monet_web.models.base import reading, writing
from monet_web.models.integrations import Integration, IntegrationState
from monet_web.services import audit
from monet_web.services.integrations.installed import connector_class, connector_with, find, make_connector
from monet_web.services.integrations.typed_values import complete, merged, moved, require, sorted_by_kind
from monet_web.services.opening import failures

_KIND = "integration"


def test_integration(
    session: Session, name: str, *, surroundings: Surroundings, now: datetime, actor: str
) -> StoreFacts:
    """Ask the store who it is and keep what was learned; a store that refuses the key is remembered as such.

    Opens its transactions before and after the request, none while the store is asked.
    Raises NeedsOwner and RetryLater as the connector does, BrokenRule for an unknown name.
    """
    with reading(session):
        integration = find(session, name)
        integration_id = integration.id
        connector = make_connector(integration, surroundings)
    try:
        facts = connector.test()
    except NeedsOwner as refused:
        remember_test(session, integration_id, None, refused, now=now, actor=actor)
        raise
    finally:
        connector.close()
    remember_test(session, integration_id, facts, None, now=now, actor=actor)
    return facts


def keep_facts(integration: Integration, facts: StoreFacts, *, now: datetime) -> None:
    """What a test found is the integration's from now on: what its connector learned, and lists for its form (A4)."""
    integration.learned = {**integration.learned, **facts.learned}
    integration.facts, integration.tested_at = facts_as_json(facts), now
    integration.refused_since, integration.refused_text = None, ""


def facts_as_json(facts: StoreFacts) -> dict[str, Any]:
    """What a form reads of a test: everything but `learned`, which is for connectors alone."""
    return asdict(replace(facts, learned={}))


def connection_for(integration: Integration | None, platform: str, values: Mapping[str, str]) -> dict[str, str]:
    """Parameters and secrets that a store would be asked with: `values` over what is saved, under the rule of A3.

    Raises BrokenRule, with its field, when one is missing or must be typed again.
    """
    connector = connector_class(platform)
    own = {one.key for one in connector.parameters}
    typed = sorted_by_kind(connector, {key: text for key, text in values.items() if key in own})
    if integration is None:
        parameters, secrets = complete(connector, typed.parameters), typed.secrets
    else:
        parameters, secrets, _ = merged(integration, connector, typed)
    require(connector, {**parameters, **secrets})
    return {**parameters, **secrets}


def same_place(platform: str, before: Mapping[str, str], after: Mapping[str, str]) -> bool:
    """True when secrets typed for one address may go to the other: scheme, host and port are the same (A3)."""
    return moved(connector_class(platform), before, after) is None


def test_values(platform: str, values: Mapping[str, str], surroundings: Surroundings) -> StoreFacts:
    """The same question before anything is saved. Raises BrokenRule, NeedsOwner, RetryLater."""
    kind = connector_class(platform)
    typed = sorted_by_kind(kind, values)
    values = {**complete(kind, typed.parameters), **typed.secrets}
    require(kind, values)
    connector = connector_with(kind, values, surroundings)
    try:
        return connector.test()
    finally:
        connector.close()


def remember_test(
    session: Session,
    integration_id: int,
    facts: StoreFacts | None,
    refused: NeedsOwner | None,
    *,
    now: datetime,
    actor: str,
) -> None:
    """Keep what a test of the saved connection found, or that the store refuses it, in a transaction of its own."""
    with writing(session):
        integration = session.get(Integration, integration_id, populate_existing=True)
        if integration is None or integration.state is IntegrationState.RETIRED:
            return
        before = {"refused": integration.refused_text}
        if facts is not None:
            failures.end_pause(session, integration_id)
            keep_facts(integration, facts, now=now)
        elif refused is not None:
            integration.refused_since = integration.refused_since or now
            integration.refused_text = refused.sentence()
        if before["refused"] != integration.refused_text:
            audit.record(
                session, at=now, actor=actor, action="integration_tested", subject_kind=_KIND,
                subject_id=integration_id, before=before, after={"refused": integration.refused_text},
            )  # fmt: skip
