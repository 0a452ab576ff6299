"""The installed integrations: found by name, shown without their secrets, made into connectors."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import cast

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from monet_web.connectors import CONNECTORS
from monet_web.connectors.base import Connector, Surroundings
from monet_web.domain import settings as settings_text
from monet_web.domain.errors import BrokenRule
from monet_web.domain.mask import fold
from monet_web.domain.settings import Settings
from monet_web.models.integrations import Integration, IntegrationState


@dataclass(frozen=True, slots=True)
class Shown:
    """An integration as pages and commands may show it: secrets only as "is there"."""

    id: int
    name: str
    platform: str
    label: str
    state: str
    parameters: Mapping[str, str]
    secrets: Mapping[str, bool]
    settings: Mapping[str, str]  # every setting as text, defaults included
    learned: Mapping[str, str]
    refused_since: datetime | None
    refused_text: str
    row_version: int


def find(session: Session, name: str) -> Integration:
    """The living integration of that name, case ignored. Raises BrokenRule naming those that exist."""
    # Sessions keep what they loaded before; somebody may have changed it since.
    query = living().where(Integration.name_key == fold(name)).execution_options(populate_existing=True)
    found = session.scalars(query).one_or_none()
    if found is None:
        names = [one.name for one in list_integrations(session)]
        close = difflib.get_close_matches(fold(name), [fold(each) for each in names], n=1)
        meant = next((each for each in names if close and fold(each) == close[0]), "")
        raise BrokenRule(
            f"There is no integration named “{name}”.",
            fix=(f"Is it {meant}? " if meant else "")
            + (f"Names: {', '.join(names)}." if names else "Add one first: monet integrations add NAME."),
        )
    return found


def list_integrations(session: Session) -> list[Integration]:
    """The living integrations by name."""
    return list(session.scalars(living().order_by(Integration.name_key)))


def show(integration: Integration) -> Shown:
    """What may be shown of an integration: never a secret."""
    connector = connector_class(integration.store.platform)
    secrets = integration.secrets
    return Shown(
        id=integration.id,
        name=integration.name,
        platform=connector.kind,
        label=connector.label,
        state=integration.state.value,
        parameters={one.key: integration.parameters.get(one.key, "") for one in connector.parameters if not one.secret},
        secrets={one.key: bool(secrets.get(one.key)) for one in connector.parameters if one.secret},
        settings=setting_texts(integration),
        learned=integration.learned,
        refused_since=integration.refused_since,
        refused_text=integration.refused_text,
        row_version=integration.row_version,
    )


def settings_of(integration: Integration) -> Settings:
    """The settings in force. Raises BrokenRule for what this version can't read."""
    return settings_text.parse(integration.settings)


def readable(integration: Integration) -> Settings | None:
    """The settings in force, None when they can't be read: then whoever mends them needs the rest all the same."""
    try:
        return settings_of(integration)
    except BrokenRule:
        return None


def setting_texts(integration: Integration) -> dict[str, str]:
    """Every setting as text, defaults included; what can't be read as it stands there."""
    settings = readable(integration)
    if settings is not None:
        return settings_text.as_text(settings)
    return {**settings_text.as_text(Settings()), **{key: str(text) for key, text in integration.settings.items()}}


def connector_class(platform: str) -> type[Connector]:
    """The connector of a platform, case ignored. Raises BrokenRule naming the platforms there are."""
    connector = CONNECTORS.get(fold(platform))
    if connector is None:
        raise BrokenRule(f"“{platform}” is not a platform.", fix=f"Type one of: {', '.join(CONNECTORS)}.")
    return connector


def make_connector(integration: Integration, surroundings: Surroundings) -> Connector:
    """The connector of an integration, with its secrets and what earlier tests learned. Close it after use."""
    return connector_with(
        connector_class(integration.store.platform),
        {**integration.parameters, **integration.secrets},
        replace(surroundings, learned=dict(integration.learned)),
    )


def connector_with(kind: type[Connector], values: Mapping[str, str], surroundings: Surroundings) -> Connector:
    # Each connector's own __init__ takes these two; the base class declares none.
    make = cast(Callable[[Mapping[str, str], Surroundings], Connector], kind)
    return make(values, surroundings)


def living() -> Select[Integration]:
    return select(Integration).where(Integration.state != IntegrationState.RETIRED)
