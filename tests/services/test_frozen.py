"""A process frozen inside a transaction on PostgreSQL: nobody waits for it for ever, and it writes nothing later.

SQLite has one lock, which the system takes from a process that ends; one that is only stopped holds up everybody.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from sqlalchemy import create_engine, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, sessionmaker

from monet_web import installation
from monet_web.domain.errors import RetryLater
from monet_web.models import Integration
from monet_web.models.runs import RunState
from monet_web.services.importing import claims
from tests.services.scripted import ScriptedStore
from tests.services.test_timetable import Desk, at

pytestmark = pytest.mark.parametrize("databases", ["postgresql"], indirect=True)


@pytest.fixture
def limited(
    database_url: str, session: Session, store: type[ScriptedStore], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Desk]:
    """Connections as workers have them, with limits of one second."""
    monkeypatch.setattr(installation, "LOCK_SECONDS", 1)
    monkeypatch.setattr(installation, "IDLE_SECONDS", 2)
    engine = create_engine(database_url)
    installation.limit_waiting(engine)
    desk = Desk(sessionmaker(engine, expire_on_commit=False), session, store)
    desk.add("2026-11-24 06:00", frequency="hours")
    desk.add("2026-11-24 06:00", name="Other", frequency="hours", number_prefix="O-")
    yield desk
    engine.dispose()


def test_a_frozen_hold_on_an_integration_delays_no_other_and_ends(limited: Desk) -> None:
    frozen = limited.factory()
    frozen.execute(select(Integration.id).where(Integration.name == "KL").with_for_update()).all()
    begun = time.monotonic()
    assert [run.integration_id for run in limited.tick("2026-11-24 07:00").to_ring] == [2]
    assert time.monotonic() - begun < 10
    time.sleep(2.5)
    assert [run.integration_id for run in limited.tick("2026-11-24 07:01").to_ring] == [2, 1]
    with pytest.raises(DBAPIError):  # whoever thaws finds that its transaction is gone
        frozen.execute(select(1))
    frozen.close()


def test_a_run_whose_worker_froze_in_a_transaction_is_taken_back_and_gets_nothing_more(limited: Desk) -> None:
    run_id = limited.tick("2026-11-24 07:00").opened[0]
    held = claims.claim(limited.session, run_id, now=at("2026-11-24 07:00"), worker="elsewhere:1:1")
    assert held is not None
    frozen = limited.factory()
    frozen.execute(select(1))
    claims.hold(frozen, held, now=at("2026-11-24 07:00"), fetched=7)
    done = limited.tick("2026-11-24 07:30")
    assert run_id not in done.taken_back  # held still
    time.sleep(2.5)
    assert limited.tick("2026-11-24 07:31").taken_back == [run_id]
    with pytest.raises(DBAPIError):
        frozen.execute(select(1))
    frozen.close()
    run = next(each for each in limited.runs() if each.id == run_id)
    assert (run.state, run.fetched) == (RunState.QUEUED, 0)


def test_a_transaction_that_was_ended_while_frozen_is_done_again(limited: Desk) -> None:
    session = limited.factory()
    tries = []

    def transaction() -> int:
        tries.append(1)
        with session.begin():
            session.execute(select(1))
            time.sleep(2.5 if len(tries) == 1 else 0)
            return len(session.execute(select(Integration.id)).all())

    assert claims.patiently(transaction) == 2
    assert len(tries) == 2
    session.close()


def test_one_that_is_ended_each_time_is_given_up(limited: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    frozen = limited.factory()
    frozen.execute(select(Integration.id).with_for_update()).all()
    monkeypatch.setattr(claims, "_TRIES", 1)
    session = limited.factory()
    with pytest.raises(RetryLater), session.begin():
        claims.patiently(lambda: session.execute(select(Integration.id).with_for_update()).all())
    session.close()
    frozen.close()


def test_what_a_worker_opens_has_the_limits(limited: Desk, database_url: str) -> None:
    engine = create_engine(database_url)
    installation.limit_waiting(engine)
    with engine.connect() as connection:
        shown = [connection.exec_driver_sql(f"SHOW {name}").scalar_one() for name in (
            "lock_timeout", "idle_in_transaction_session_timeout",
        )]  # fmt: skip
    engine.dispose()
    assert shown == ["1s", "2s"]
