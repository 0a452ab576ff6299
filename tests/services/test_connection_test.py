"""Testing a connection as typed: sealed, asked once, within 20 s, and only ever about what is saved."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from rq import Queue, SimpleWorker
from sqlalchemy import select, text
from sqlalchemy.orm import Session, sessionmaker

from monet_web import embedded, jobs, queues
from monet_web.connectors.base import Surroundings
from monet_web.domain.errors import BrokenRule, NeedsOwner, RetryLater
from monet_web.models import ConnectionTest
from monet_web.models.base import now_utc, reading, writing
from monet_web.models.connection_tests import TestState
from monet_web.services.integrations import connection_test, integration_form
from tests.builders import NOON
from tests.databases import TEST_KEY
from tests.web.integrating import SECRET, FakeShop, add, again, put_shop

VALUES = {"address": "https://kava.example", "key": "ck_1", "secret": SECRET}
ONA = "ona@example.com"


@pytest.fixture(autouse=True)
def _shop(monkeypatch: pytest.MonkeyPatch) -> None:
    put_shop(monkeypatch)


def begin(session: Session, values: dict[str, str] | None = None, **more: Any) -> ConnectionTest:
    plain: dict[str, Any] = {"platform": "fake", "integration_id": None, "typed": {}, "now": NOON, "actor": ONA}
    return connection_test.begin(session, values=VALUES if values is None else values, **{**plain, **more})


def run(session_factory: sessionmaker[Session], test: ConnectionTest, seconds: int = 1) -> None:
    times = iter([NOON + timedelta(seconds=1), *[NOON + timedelta(seconds=1 + seconds)] * 5])
    connection_test.run(session_factory, test.id, surroundings=Surroundings(), clock=lambda: next(times))


def row(session: Session, test: ConnectionTest) -> ConnectionTest:
    with reading(session):
        return session.get_one(ConnectionTest, test.id, populate_existing=True)


def test_what_is_tested_lies_sealed_in_the_database(session: Session) -> None:
    begin(session)
    with reading(session):
        lines = [str(line) for line in session.execute(text("SELECT * FROM connection_tests")).all()]
    assert lines
    assert all(SECRET not in line and "ck_1" not in line for line in lines)


def test_only_the_id_travels_through_redis(session: Session, tmp_path_factory: pytest.TempPathFactory) -> None:
    test = begin(session)
    with embedded.valkey(tmp_path_factory.mktemp("valkey")) as url:
        assert jobs.ring_test(test.id, url)
        assert jobs.ring_test(test.id, url)
        with queues.connect(url) as redis:
            (job,) = Queue(queues.TIMETABLE, connection=redis).jobs
            assert (job.args, job.kwargs) == ((test.id,), {})
            assert job.timeout == 25
            everything = b"".join(value for key in redis.scan_iter() for value in [redis.dump(key) or b""])
            assert SECRET.encode() not in everything
    assert not jobs.ring_test(test.id, None)


def test_the_job_asks_and_keeps_the_answer(
    session: Session, database_url: str, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("SECRET_KEY", "a-key-of-tests-that-signs-nothing-real")
    monkeypatch.setenv("MONET_ENCRYPTION_KEYS", TEST_KEY)
    monkeypatch.setenv("MONET_HOME", str(tmp_path_factory.mktemp("home")))
    test = begin(session)
    with embedded.valkey(tmp_path_factory.mktemp("valkey")) as url:
        jobs.ring_test(test.id, url)
        with queues.connect(url) as redis:
            SimpleWorker([Queue(queues.TIMETABLE, connection=redis)], connection=redis).work(burst=True)
    assert row(session, test).state is TestState.DONE


def test_a_test_is_asked_once(session: Session, session_factory: sessionmaker[Session]) -> None:
    test = begin(session)
    run(session_factory, test)
    run(session_factory, test)
    assert len(FakeShop.asked_with) == 1
    done = row(session, test)
    assert (done.state, done.started_at, done.ended_at) == (
        TestState.DONE, NOON + timedelta(seconds=1), NOON + timedelta(seconds=2),
    )  # fmt: skip


def test_a_missing_secret_is_refused_before_anything_is_kept(session: Session) -> None:
    with pytest.raises(BrokenRule) as refused:
        begin(session, {**VALUES, "secret": " "})
    assert refused.value.field == "secret"
    with reading(session):
        assert session.scalars(select(ConnectionTest)).all() == []


def test_an_address_that_can_be_none_is_refused_at_its_field(session: Session) -> None:
    with pytest.raises(BrokenRule) as refused:
        begin(session, {**VALUES, "address": "nowhere"})
    assert refused.value.field == "address"


def test_empty_secrets_of_an_installed_integration_are_the_saved_ones(session: Session) -> None:
    one = add(session)
    test = begin(session, {"address": one.parameters["address"], "key": "", "secret": ""}, integration_id=one.id)
    assert test.connection["secret"] == SECRET
    assert test.secrets == {}


def test_saved_secrets_go_to_no_other_address(session: Session) -> None:
    one = add(session)
    with pytest.raises(BrokenRule, match="must be typed again"):
        begin(session, {"address": "https://evil.example", "key": "", "secret": ""}, integration_id=one.id)


def test_held_secrets_go_to_no_other_address_and_no_other_person(session: Session) -> None:
    held = begin(session)
    empty = {**VALUES, "key": "", "secret": ""}
    assert begin(session, empty, held_id=held.id).connection["secret"] == SECRET
    number = begin(session).id
    with pytest.raises(BrokenRule):
        begin(session, {**empty, "address": "https://evil.example"}, held_id=number)
    with pytest.raises(BrokenRule):
        begin(session, empty, held_id=number, actor="jonas@example.com")


def test_what_was_typed_is_forgotten_after_an_hour(session: Session) -> None:
    held = begin(session)
    late = NOON + timedelta(hours=1, seconds=1)
    with reading(session):
        assert connection_test.held(session, held.id, now=late, actor=ONA) is None
    begin(session, now=late)
    with reading(session):
        assert [test.id for test in session.scalars(select(ConnectionTest))] != [held.id]
        assert session.get(ConnectionTest, held.id, populate_existing=True) is None


def test_a_refusal_of_the_saved_connection_is_remembered_and_its_end_too(
    session: Session, session_factory: sessionmaker[Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = add(session)
    values = {"address": one.parameters["address"], "key": "", "secret": ""}
    with monkeypatch.context() as patch:
        patch.setattr(FakeShop, "answer", NeedsOwner("The store refused the key (401).", fix="Make a new one."))
        test = begin(session, values, integration_id=one.id)
        run(session_factory, test)
    assert again(session, one).refused_text == "The store refused the key (401). Make a new one."
    assert (row(session, test).error, row(session, test).fix) == (
        "The store refused the key (401).", "Make a new one.",
    )  # fmt: skip
    run(session_factory, begin(session, values, integration_id=one.id))
    tested = again(session, one)
    assert (tested.refused_since, tested.refused_text) == (None, "")
    assert tested.facts is not None
    assert tested.learned == {"auth": "basic"}


def test_a_refusal_of_a_key_that_is_not_saved_says_nothing_of_the_saved_one(
    session: Session, session_factory: sessionmaker[Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = add(session)
    monkeypatch.setattr(FakeShop, "answer", NeedsOwner("The store refused the key (401)."))
    values = {"address": one.parameters["address"], "key": "ck_typo", "secret": ""}
    test = begin(session, values, integration_id=one.id)
    run(session_factory, test)
    assert row(session, test).state is TestState.FAILED
    assert again(session, one).refused_since is None


def test_a_slow_store_is_no_refusal(
    session: Session, session_factory: sessionmaker[Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = add(session)
    monkeypatch.setattr(FakeShop, "answer", RetryLater("The store is closed for maintenance (503)."))
    run(session_factory, begin(session, {"address": one.parameters["address"]}, integration_id=one.id))
    assert again(session, one).refused_since is None


def test_a_test_that_is_cut_off_after_20_seconds_says_so_and_any_other_fault_gives_a_code(
    session: Session, session_factory: sessionmaker[Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    def burst(self: FakeShop) -> None:
        raise RuntimeError("cut off")

    monkeypatch.setattr(FakeShop, "test", burst)
    slow = begin(session)
    run(session_factory, slow, seconds=21)
    assert row(session, slow).error == "The store did not answer within 20 s."
    broken = begin(session)
    run(session_factory, broken, seconds=2)
    assert "because of a fault of this program, code" in row(session, broken).error


def test_a_test_whose_worker_is_gone_counts_as_lost(session: Session) -> None:
    test = begin(session)
    with writing(session):
        session.merge(test).state = TestState.RUNNING
        session.merge(test).started_at = NOON
    assert not connection_test.is_lost(row(session, test), NOON + timedelta(seconds=44))
    assert connection_test.is_lost(row(session, test), NOON + timedelta(seconds=46))


def test_a_test_given_up_is_not_asked_any_more(session: Session, session_factory: sessionmaker[Session]) -> None:
    test = begin(session)
    connection_test.give_up(session, test.id, RetryLater("No worker is alive.", fix="Start one."), now=now_utc())
    run(session_factory, test)
    assert FakeShop.asked_with == []
    assert (row(session, test).state, row(session, test).error) == (TestState.FAILED, "No worker is alive.")


def test_what_the_store_answered_stays_while_the_form_is_mended(
    session: Session, session_factory: sessionmaker[Session]
) -> None:
    test = begin(session)
    run(session_factory, test)
    held = connection_test.hold(
        session, platform="fake", integration_id=None, values={**VALUES, "secret": ""}, typed={"name": ""},
        held_id=test.id, now=NOON, actor=ONA,
    )  # fmt: skip
    assert (held.state, held.secrets["secret"]) == (TestState.DONE, SECRET)
    assert held.facts is not None
    assert held.typed == {"name": "", "address": "https://kava.example"}


def test_where_the_store_answered_is_kept_in_place_of_what_was_typed(
    session: Session, session_factory: sessionmaker[Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    def settled(values: dict[str, str], learned: dict[str, str]) -> dict[str, str]:
        return {**values, "address": values["address"].removesuffix("/lt")}

    monkeypatch.setattr(FakeShop, "settled", settled)
    typed = {**VALUES, "address": "https://kava.example/lt"}
    test = begin(session, typed)
    run(session_factory, test)
    added, was_tested = integration_form.add(
        session, name="Kava", platform="fake", values=typed, held_id=test.id, now=NOON, actor=ONA
    )
    assert was_tested
    assert added.parameters["address"] == "https://kava.example"
    assert added.store.store_key == FakeShop.store_key(VALUES)
    # What is typed anew after the test is the person's own, and was not tested.
    test = begin(session, typed)
    run(session_factory, test)
    other, was_tested = integration_form.add(
        session, name="Arbata", platform="fake", values={**typed, "address": "https://arbata.example/lt"},
        held_id=test.id, now=NOON, actor=ONA,
    )  # fmt: skip
    assert (other.parameters["address"], was_tested) == ("https://arbata.example/lt", False)
