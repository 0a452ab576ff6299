"""Testing a connection as typed, before it is saved: kept sealed in a row, asked by a worker, adopted when saved (A4).

The secrets of a test stand in the row `connection_tests`, encrypted; only its id goes through Redis.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from monet_web.connectors.base import StoreFacts, Surroundings
from monet_web.domain.errors import BrokenRule, MonetError, NeedsOwner, RetryLater
from monet_web.models.base import Clock, reading, writing
from monet_web.models.connection_tests import ConnectionTest, TestState
from monet_web.models.integrations import Integration, IntegrationState
from monet_web.services.integrations import asking, installed

log = logging.getLogger(__name__)

LONGEST = timedelta(seconds=20)
# What was typed and never saved is forgotten then.
KEPT_FOR = timedelta(hours=1)
# A worker that was killed never says so.
GONE_AFTER = timedelta(seconds=45)


def begin(
    session: Session,
    *,
    platform: str,
    integration_id: int | None,
    values: Mapping[str, str],
    typed: Mapping[str, Any],
    now: datetime,
    actor: str,
    held_id: int | None = None,
) -> ConnectionTest:
    """A queued test of a connection as typed; ring the workers with its id.

    `values`: parameters and secrets; an empty secret means the one typed before (`held_id`), else the saved one.
    `typed`: the form's other fields, kept for its next drawing. Raises BrokenRule with its field (A3 among them).
    """
    with writing(session):
        _forget_old(session, now)
        values = with_held_secrets(session, held_id, platform=platform, values=values, now=now, actor=actor)
        integration = _integration(session, integration_id)
        connection = asking.connection_for(integration, platform, values)
        _check_address(platform, connection)
        test = _row(platform, integration_id, TestState.QUEUED, values, typed, now=now, actor=actor)
        test.connection = connection
        session.add(test)
        _forget(session, held_id, actor)
    return test


def hold(
    session: Session,
    *,
    platform: str,
    integration_id: int | None,
    values: Mapping[str, str],
    typed: Mapping[str, Any],
    now: datetime,
    actor: str,
    held_id: int | None = None,
    refused: BrokenRule | None = None,
) -> ConnectionTest:
    """Keep what was typed, sealed, while a form is mended: no page ever gives a secret back.

    `refused`: why no test of it was begun.
    """
    with writing(session):
        _forget_old(session, now)
        values = with_held_secrets(session, held_id, platform=platform, values=values, now=now, actor=actor)
        earlier = held(session, held_id, now=now, actor=actor)
        test = _row(platform, integration_id, TestState.HELD, values, typed, now=now, actor=actor)
        if refused is not None:
            test.state, test.ended_at, test.error, test.fix = TestState.FAILED, now, refused.message, refused.fix
        elif earlier is not None and earlier.state is TestState.DONE:
            # What the store answered stays beside the form that is being mended.
            test.state, test.facts, test.connection = earlier.state, earlier.facts, earlier.connection
            test.started_at, test.ended_at = earlier.started_at, earlier.ended_at
        session.add(test)
        _forget(session, held_id, actor)
    return test


def held(session: Session, test_id: int | None, *, now: datetime, actor: str) -> ConnectionTest | None:
    """What this person typed and has not saved yet. Inside a transaction."""
    if test_id is None:
        return None
    test = session.get(ConnectionTest, test_id, populate_existing=True)
    if test is None or test.requested_by != actor or now - test.created_at > KEPT_FOR:
        return None
    return test


def with_held_secrets(
    session: Session, held_id: int | None, *, platform: str, values: Mapping[str, str], now: datetime, actor: str
) -> dict[str, str]:
    """`values` with the secrets this person typed before, where none is typed now and the address is the same (A3)."""
    test = held(session, held_id, now=now, actor=actor)
    if test is None or test.platform != platform or not asking.same_place(platform, test.typed, values):
        return dict(values)
    return {**values, **{key: text for key, text in test.secrets.items() if not values.get(key, "").strip()}}


def with_settled_address(
    session: Session, held_id: int | None, *, values: Mapping[str, str], now: datetime, actor: str
) -> dict[str, str]:
    """`values` with what the test found to be right in place of what was typed, where that is still what is typed.

    Inside a transaction.
    """
    test = held(session, held_id, now=now, actor=actor)
    if test is None or test.state is not TestState.DONE:
        return dict(values)
    return {
        **values,
        **{
            key: text
            for key, text in _settled(test).items()
            if text != test.connection.get(key) and values.get(key, "").strip() == test.connection.get(key)
        },
    }


def adopt(session: Session, held_id: int | None, integration: Integration, *, now: datetime, actor: str) -> bool:
    """The form is saved: what the test found is the integration's, if that connection was saved; the row is gone.

    Inside a writing transaction. True when there was something to adopt.
    """
    test = held(session, held_id, now=now, actor=actor)
    if test is None:
        return False
    is_same = _settled(test) == {**integration.parameters, **integration.secrets}
    if is_same and test.state is TestState.DONE and test.facts:
        integration.learned = {**integration.learned, **test.facts.get("learned", {})}
        integration.facts = {**test.facts, "learned": {}}
        integration.tested_at = test.ended_at
    session.delete(test)
    return is_same and integration.facts is not None


def run(session_factory: Callable[[], Session], test_id: int, *, surroundings: Surroundings, clock: Clock) -> None:
    """Ask the store of a queued test and keep its answer. One that is not queued any more is left alone."""
    session = session_factory()
    try:
        started = clock()
        with writing(session):
            taken = session.execute(
                update(ConnectionTest)
                .where(ConnectionTest.id == test_id, ConnectionTest.state == TestState.QUEUED)
                .values(state=TestState.RUNNING, started_at=started)
                .returning(ConnectionTest.id)
                .execution_options(synchronize_session=False)
            ).scalar_one_or_none()
        if taken is None:
            return
        with reading(session):
            test = session.get_one(ConnectionTest, test_id)
            integration = _integration(session, test.integration_id)
            if integration is not None and asking.same_place(test.platform, integration.parameters, test.connection):
                surroundings = replace(surroundings, learned=dict(integration.learned))
        facts, trouble = _ask(test, surroundings, started, clock)
        _keep(session, test, integration, facts, trouble, now=clock())
    finally:
        session.close()


def give_up(session: Session, test_id: int, error: MonetError, *, now: datetime) -> None:
    """A test that nobody will make: it ends with these words."""
    with writing(session):
        session.execute(
            update(ConnectionTest)
            .where(ConnectionTest.id == test_id, ConnectionTest.state.in_((TestState.QUEUED, TestState.RUNNING)))
            .values(state=TestState.FAILED, ended_at=now, error=error.message, fix=error.fix)
            .execution_options(synchronize_session=False)
        )


def is_lost(test: ConnectionTest, now: datetime) -> bool:
    """True when its worker is gone: a test takes 20 s at most."""
    return test.state is TestState.RUNNING and test.started_at is not None and now - test.started_at > GONE_AFTER


def _ask(
    test: ConnectionTest, surroundings: Surroundings, started: datetime, clock: Clock
) -> tuple[StoreFacts | None, MonetError | None]:
    try:
        return asking.test_values(test.platform, test.connection, surroundings), None
    except MonetError as error:
        return None, error
    except Exception:  # the row must tell that the test has ended, whatever ended it
        if clock() - started >= LONGEST:
            return None, too_slow()
        code = secrets.token_hex(3).upper()
        log.exception("a connection test ended by a fault", extra={"test": test.id, "code": code})
        return None, BrokenRule(
            f"This did not work because of a fault of this program, code {code}.",
            fix="Test again; if it repeats, send us the code.",
        )


def too_slow() -> RetryLater:
    """What is said of a store that took longer than a test may."""
    return RetryLater(
        f"The store did not answer within {LONGEST.seconds} s.",
        fix="Open the shop in a browser: if it is slow there too, test again later, or ask who hosts it.",
    )


def _keep(
    session: Session,
    test: ConnectionTest,
    integration: Integration | None,
    facts: StoreFacts | None,
    trouble: MonetError | None,
    *,
    now: datetime,
) -> None:
    # What was typed and not saved says nothing of the connection in use.
    is_saved = integration is not None and test.connection == {**integration.parameters, **integration.secrets}
    if integration is not None and is_saved and not isinstance(trouble, RetryLater | BrokenRule):
        refused = trouble if isinstance(trouble, NeedsOwner) else None
        asking.remember_test(session, integration.id, facts, refused, now=now, actor=test.requested_by)
    with writing(session):
        row = session.get(ConnectionTest, test.id, populate_existing=True)
        if row is None or row.state is not TestState.RUNNING:
            return
        row.ended_at = now
        if facts is not None:
            row.state = TestState.DONE
            row.facts = {**asking.facts_as_json(facts), "learned": dict(facts.learned)}
        elif trouble is not None:
            row.state, row.error, row.fix = TestState.FAILED, trouble.message, trouble.fix


def _row(
    platform: str,
    integration_id: int | None,
    state: TestState,
    values: Mapping[str, str],
    typed: Mapping[str, Any],
    *,
    now: datetime,
    actor: str,
) -> ConnectionTest:
    secret = {one.key for one in installed.connector_class(platform).parameters if one.secret}
    return ConnectionTest(
        platform=platform,
        integration_id=integration_id,
        state=state,
        connection={},
        secrets={key: text for key, text in values.items() if key in secret and text.strip()},
        typed={key: text for key, text in {**typed, **values}.items() if key not in secret},
        requested_by=actor,
        created_at=now,
    )


def _settled(test: ConnectionTest) -> dict[str, str]:
    learned = (test.facts or {}).get("learned", {})
    return installed.connector_class(test.platform).settled(test.connection, learned)


def _check_address(platform: str, connection: Mapping[str, str]) -> None:
    """An address that cannot be one is said at once, beside its field. Raises BrokenRule."""
    connector = installed.connector_class(platform)
    try:
        connector.store_key(connection)
    except MonetError as error:
        field = next((one.key for one in connector.parameters if one.is_address), "")
        raise BrokenRule(error.message, fix=error.fix, field=field) from None


def _integration(session: Session, integration_id: int | None) -> Integration | None:
    if integration_id is None:
        return None
    query = select(Integration).where(Integration.id == integration_id, Integration.state != IntegrationState.RETIRED)
    return session.scalars(query.execution_options(populate_existing=True)).one_or_none()


def _forget(session: Session, held_id: int | None, actor: str) -> None:
    if held_id is not None:
        session.execute(
            delete(ConnectionTest)
            .where(ConnectionTest.id == held_id, ConnectionTest.requested_by == actor)
            .execution_options(synchronize_session=False)
        )


def _forget_old(session: Session, now: datetime) -> None:
    session.execute(
        delete(ConnectionTest)
        .where(ConnectionTest.created_at < now - KEPT_FOR)
        .execution_options(synchronize_session=False)
    )
