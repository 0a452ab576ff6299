"""Integrations added, changed, tested and retired. Secrets go in and are never given back but to the connector.

Changes open a transaction of their own; what only reads runs inside the caller's.
"""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from itertools import count
from typing import Any, cast

from sqlalchemy import Select, delete, exists, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from monet_web.connectors import CONNECTORS
from monet_web.connectors.address_guard import parse as parse_address
from monet_web.connectors.base import Connector, Parameter, StoreFacts, Surroundings
from monet_web.domain import settings as settings_text
from monet_web.domain.errors import BrokenRule, NeedsOwner
from monet_web.domain.mask import fold
from monet_web.domain.settings import BY_KEY, Settings
from monet_web.models.base import reading, writing
from monet_web.models.connection_tests import ConnectionTest
from monet_web.models.integrations import Integration, IntegrationState, Store
from monet_web.models.invoices import Invoice
from monet_web.models.runs import AT_WORK, Run, RunState
from monet_web.models.store_orders import StoreOrder
from monet_web.services import audit
from monet_web.services.books.numbers import number_key
from monet_web.services.integrations import choices
from monet_web.services.opening import timetable
from monet_web.services.opening.plan import plan_of, zone_of

_LONGEST_NAME = 120
_LONGEST_VALUE = 4000
_KIND = "integration"


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


@dataclass(frozen=True, slots=True)
class _Typed:
    """Values as a person typed them, sorted by what they are."""

    parameters: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)


# --- reading ----------------------------------------------------------------------------------------------------


def find(session: Session, name: str) -> Integration:
    """The living integration of that name, case ignored. Raises BrokenRule naming those that exist."""
    # Sessions keep what they loaded before; somebody may have changed it since.
    query = _living().where(Integration.name_key == fold(name)).execution_options(populate_existing=True)
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
    return list(session.scalars(_living().order_by(Integration.name_key)))


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
        settings=settings_text.as_text(settings_of(integration)),
        learned=integration.learned,
        refused_since=integration.refused_since,
        refused_text=integration.refused_text,
        row_version=integration.row_version,
    )


def settings_of(integration: Integration) -> Settings:
    """The settings in force."""
    return settings_text.parse(integration.settings)


def connector_class(platform: str) -> type[Connector]:
    """The connector of a platform, case ignored. Raises BrokenRule naming the platforms there are."""
    connector = CONNECTORS.get(fold(platform))
    if connector is None:
        raise BrokenRule(f"“{platform}” is not a platform.", fix=f"Type one of: {', '.join(CONNECTORS)}.")
    return connector


def make_connector(integration: Integration, surroundings: Surroundings) -> Connector:
    """The connector of an integration, with its secrets and what earlier tests learned. Close it after use."""
    return _connector(
        connector_class(integration.store.platform),
        {**integration.parameters, **integration.secrets},
        replace(surroundings, learned=dict(integration.learned)),
    )


# --- changing ---------------------------------------------------------------------------------------------------


def add_integration(
    session: Session, *, name: str, platform: str, values: Mapping[str, str], now: datetime, actor: str
) -> Integration:
    """A new integration; `values` are connection parameters and settings alike.

    A store that was connected before is taken over with its memory (A8). Raises BrokenRule.
    """
    connector = connector_class(platform)
    typed = _sorted_by_kind(connector, values)
    name = _checked_name(name)
    parameters, secrets = _complete(connector, typed.parameters), typed.secrets
    _require(connector, {**parameters, **secrets})
    store_key = connector.store_key({**parameters, **secrets})
    # Wrong settings are said before anything is looked up or locked.
    settings = settings_text.parse(typed.settings)
    _check_number_source(connector, settings)
    with writing(session), _lost_races():
        _refuse_same_name(session, name)
        choices.check(session, settings, typed.settings)
        store = _known_store(session, connector, store_key)
        if "number_prefix" not in typed.settings:
            settings = replace(settings, number_prefix=_offered_prefix(session, name, settings, store))
        _refuse_used_prefix(session, settings.number_prefix)
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
        timetable.begin(session, integration, now=now)
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
        typed = _sorted_by_kind(connector, values)
        timetable.lock(session, integration.id)
        zone = zone_of(session)
        plan_before = plan_of(integration, zone)
        before, secrets_before = _said(integration), integration.secrets
        if new_name is not None and _checked_name(new_name) != integration.name:
            _rename(session, integration, _checked_name(new_name))
        _connect_anew(session, integration, connector, typed, same_store=same_store)
        settings = settings_text.parse({**integration.settings, **typed.settings})
        _check_number_source(connector, settings)
        choices.check(session, settings, typed.settings, before=settings_of(integration), facts=integration.facts)
        if settings.number_prefix != integration.number_prefix:
            _refuse_used_prefix(session, settings.number_prefix, but=integration.id)
        _keep_settings(integration, settings)
        session.flush()
        timetable.plan_changed(session, integration, plan_before, plan_of(integration, zone), now=now)
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
        timetable.lock(session, integration.id)
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
        if any(keeps):
            integration.state = IntegrationState.RETIRED
            integration.changed_by_person()
            integration.secrets = {}
            integration.next_run_at = integration.reread_at = None
            _end_queued(session, integration, now)
        else:
            session.delete(integration)
            session.flush()
            _forget_empty_store(session, integration.store_id)
        audit.record(
            session, at=now, actor=actor, action="integration_retired" if any(keeps) else "integration_deleted",
            subject_kind=_KIND, subject_id=integration.id, before=before,
        )  # fmt: skip
    return any(keeps)


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
    typed = _sorted_by_kind(connector, {key: text for key, text in values.items() if key in own})
    if integration is None:
        parameters, secrets = _complete(connector, typed.parameters), typed.secrets
    else:
        parameters, secrets, _ = _merged(integration, connector, typed)
    _require(connector, {**parameters, **secrets})
    return {**parameters, **secrets}


def same_place(platform: str, before: Mapping[str, str], after: Mapping[str, str]) -> bool:
    """True when secrets typed for one address may go to the other: scheme, host and port are the same (A3)."""
    return _moved(connector_class(platform), before, after) is None


def test_values(platform: str, values: Mapping[str, str], surroundings: Surroundings) -> StoreFacts:
    """The same question before anything is saved. Raises BrokenRule, NeedsOwner, RetryLater."""
    kind = connector_class(platform)
    typed = _sorted_by_kind(kind, values)
    complete = {**_complete(kind, typed.parameters), **typed.secrets}
    _require(kind, complete)
    connector = _connector(kind, complete, surroundings)
    try:
        return connector.test()
    finally:
        connector.close()


# --- what was typed ---------------------------------------------------------------------------------------------


def _sorted_by_kind(connector: type[Connector], values: Mapping[str, str]) -> _Typed:
    typed = _Typed()
    parameters = {one.key: one for one in connector.parameters}
    unknown: list[str] = []
    for key, text in values.items():
        parameter = parameters.get(key)
        if len(text) > _LONGEST_VALUE or "\x00" in text:
            raise BrokenRule(f"The value of {key} is too long or no text.", fix="Type it again.")
        if parameter is None and key not in BY_KEY:
            unknown.append(key)
        elif parameter is None:
            typed.settings[key] = text
        elif not parameter.secret:
            typed.parameters[key] = text.strip()
        elif text.strip():
            typed.secrets[key] = text.strip()  # an empty one keeps the old
    if unknown:
        _refuse_unknown(connector, unknown)
    return typed


def _refuse_unknown(connector: type[Connector], unknown: Sequence[str]) -> None:
    known = [one.key for one in connector.parameters] + list(BY_KEY)
    close = [match for key in unknown for match in difflib.get_close_matches(key, known, n=1)]
    raise BrokenRule(
        f"{connector.label} has no parameter or setting named {', '.join(unknown)}.",
        fix=(f"Is it {', '.join(close)}? " if close else "")
        + f"Connection: {', '.join(one.key for one in connector.parameters)}. Settings: {', '.join(BY_KEY)}.",
    )


def _complete(connector: type[Connector], typed: Mapping[str, str]) -> dict[str, str]:
    return {one.key: typed.get(one.key, "") or one.default for one in connector.parameters if not one.secret}


def _require(connector: type[Connector], values: Mapping[str, str]) -> None:
    missing = [one for one in connector.parameters if one.required and not values.get(one.key, "").strip()]
    if missing:
        raise BrokenRule(
            f"{connector.label} needs {', '.join(one.key for one in missing)} too.",
            fix=" ".join(f"{one.key}: {_full_stop(one.help or one.label)}" for one in missing),
            field=missing[0].key,
        )


def _address_key(connector: type[Connector]) -> str:
    return next((one.key for one in connector.parameters if one.is_address), connector.parameters[0].key)


def _full_stop(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _checked_name(name: str) -> str:
    name = unicodedata.normalize("NFC", " ".join(name.split()))
    if not name or len(name) > _LONGEST_NAME or not name.isprintable():
        raise BrokenRule(
            f"A name has 1 to {_LONGEST_NAME} characters.",
            fix="Type what you call the shop, as Kava Ltd.",
            field="name",
        )
    if "," in name:
        # Launch masks are separated by commas: this name could never be typed alone.
        raise BrokenRule(
            f"The name “{name}” has a comma in it.", fix="Take it out: commas separate names in a launch.", field="name"
        )
    return name


def _check_number_source(connector: type[Connector], settings: Settings) -> None:
    sources = (*connector.number_sources, "series")
    if settings.number_from not in sources:
        raise BrokenRule(
            f"{connector.label} gives no {settings.number_from} numbers.",
            fix=f"Type number_from as one of: {', '.join(sources)}.",
            field="number_from",
        )


# --- names, stores, prefixes ------------------------------------------------------------------------------------


def _living() -> Select[Integration]:
    return select(Integration).where(Integration.state != IntegrationState.RETIRED)


def _refuse_same_name(session: Session, name: str) -> None:
    taken = session.scalars(_living().where(Integration.name_key == fold(name))).one_or_none()
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


def _known_store(session: Session, connector: type[Connector], store_key: str) -> Store | None:
    """The store of that key, if it was connected before. Raises BrokenRule when a living integration has it."""
    store = session.scalars(
        select(Store).where(Store.platform == connector.kind, Store.store_key == store_key)
    ).one_or_none()
    if store is None:
        return None
    other = session.scalars(_living().where(Integration.store_id == store.id)).one_or_none()
    if other is not None:
        raise BrokenRule(
            f"The store {store_key} is connected already: it is {other.name}.",
            fix=f"Use {other.name} or change its settings; two connections would invoice every order twice.",
            field=_address_key(connector),
        )
    return store


def _offered_prefix(session: Session, name: str, settings: Settings, store: Store | None) -> str:
    """What a retired integration of the store had, else the initials: "Kava Ltd" → "KL-". Never one in use."""
    if settings.issued_by == "store":
        return ""  # the number is the store's, and a prefix would make it another
    rows = session.execute(
        select(Integration.number_prefix, Integration.store_id, Integration.state).order_by(Integration.id.desc())
    ).all()
    living = {number_key(row.number_prefix) for row in rows if row.state != IntegrationState.RETIRED}
    if store is not None:
        earlier = [row.number_prefix for row in rows if row.store_id == store.id]
        if earlier and (not earlier[0] or number_key(earlier[0]) not in living):
            return str(earlier[0])
    # Documents of a retired one keep their numbers, so its prefix is no good to another store either.
    used = {number_key(row.number_prefix) for row in rows}
    return next(prefix for prefix in _prefixes(name) if number_key(prefix) not in used)


def _prefixes(name: str) -> Iterator[str]:
    plain = "".join(sign for sign in unicodedata.normalize("NFKD", name) if not unicodedata.combining(sign))
    words = "".join(sign if sign.isalnum() else " " for sign in plain).split()
    initials = "".join(word[0] for word in words).upper()[:6] or "S"
    if len(words) == 1:
        initials = words[0][:2].upper()
    yield f"{initials}-"
    for number in count(2):
        yield f"{initials}{number}-"


def _refuse_used_prefix(session: Session, prefix: str, *, but: int | None = None) -> None:
    key = number_key(prefix)
    if not key:
        return
    for other in session.scalars(_living()):
        if other.id != but and number_key(other.number_prefix) == key:
            raise BrokenRule(
                f"The number prefix {prefix} is in use by {other.name}.",
                fix="Type another number_prefix: with one prefix, two stores' orders would meet in one number.",
                field="number_prefix",
            )


# --- parameters and secrets -------------------------------------------------------------------------------------


def _connect_anew(
    session: Session, integration: Integration, connector: type[Connector], typed: _Typed, *, same_store: bool
) -> None:
    parameters, secrets, moved = _merged(integration, connector, typed)
    if parameters == integration.parameters and secrets == integration.secrets:
        return
    _require(connector, {**parameters, **secrets})
    store_key = connector.store_key({**parameters, **secrets})
    if store_key != integration.store.store_key:
        _move_store(session, integration, connector, store_key, same_store=same_store)
    integration.parameters, integration.secrets = parameters, secrets
    # Whatever the store refused before, it was something else that asked.
    integration.refused_since, integration.refused_text = None, ""
    if moved:
        integration.learned, integration.facts, integration.tested_at = {}, None, None


def _merged(
    integration: Integration, connector: type[Connector], typed: _Typed
) -> tuple[dict[str, str], dict[str, str], bool]:
    """Parameters, secrets and whether the address leads elsewhere: what is typed over what is saved."""
    parameters = _complete(connector, {**integration.parameters, **typed.parameters})
    moved = _moved(connector, integration.parameters, parameters)
    if moved:
        needed = [one.key for one in connector.parameters if one.secret and integration.secrets.get(one.key)]
        if untyped := [key for key in needed if key not in typed.secrets]:
            raise BrokenRule(
                f"The address of {integration.name} leads to another place now ({moved.label}), "
                f"so {', '.join(untyped)} must be typed again.",
                fix="A key is only sent to the address it was typed for. Type the new address and all keys together.",
                field=untyped[0],
            )
    secrets = typed.secrets if moved else {**integration.secrets, **typed.secrets}
    return parameters, secrets, moved is not None


def _moved(connector: type[Connector], before: Mapping[str, str], after: Mapping[str, str]) -> Parameter | None:
    """The address parameter whose scheme, host or port differ."""
    for one in connector.parameters:
        if one.is_address and _place(before.get(one.key, "")) != _place(after.get(one.key, "")):
            return one
    return None


def _place(text: str) -> tuple[object, ...]:
    try:
        address = parse_address(text)
    except BrokenRule:
        return (text.strip(),)
    return (address.scheme, address.host, address.port)


def _move_store(
    session: Session, integration: Integration, connector: type[Connector], store_key: str, *, same_store: bool
) -> None:
    old = integration.store
    target = _known_store(session, connector, store_key)
    has_memory = session.execute(select(exists().where(StoreOrder.store_id == old.id))).scalar_one()
    if not has_memory:
        integration.store = target or Store(platform=connector.kind, store_key=store_key)
        session.flush()
        _forget_empty_store(session, old.id)
    elif not same_store:
        raise BrokenRule(
            f"The documents of {integration.name} belong to {old.store_key}, and {store_key} is another store.",
            fix="If it is the same shop under a new address, say so (--same-store). "
            "For another shop, add another integration.",
            field="same_store",
        )
    elif target is not None:
        raise BrokenRule(
            f"{store_key} was connected here before and has orders of its own.",
            fix=f"Remove {integration.name} and add {store_key} as an integration.",
            field=_address_key(connector),
        )
    else:
        old.store_key = store_key


def _forget_empty_store(session: Session, store_id: int) -> None:
    if session.scalars(select(Integration.id).where(Integration.store_id == store_id)).first() is None and (
        session.scalars(select(StoreOrder.id).where(StoreOrder.store_id == store_id)).first() is None
    ):
        session.execute(delete(Store).where(Store.id == store_id))


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


def _connector(kind: type[Connector], values: Mapping[str, str], surroundings: Surroundings) -> Connector:
    # Each connector's own __init__ takes these two; the base class declares none.
    make = cast(Callable[[Mapping[str, str], Surroundings], Connector], kind)
    return make(values, surroundings)


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
            keep_facts(integration, facts, now=now)
        elif refused is not None:
            integration.refused_since = integration.refused_since or now
            integration.refused_text = refused.sentence()
        if before["refused"] != integration.refused_text:
            audit.record(
                session, at=now, actor=actor, action="integration_tested", subject_kind=_KIND,
                subject_id=integration_id, before=before, after={"refused": integration.refused_text},
            )  # fmt: skip


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
