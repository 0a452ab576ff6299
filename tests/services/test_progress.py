"""Where a run stands, told from its row alone; its log, which no import depends on."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from sqlalchemy.orm import Session, sessionmaker

from monet_web import embedded, events, queues
from monet_web.domain.orders import Payment, PaymentKind, Unreadable
from monet_web.models import Run
from monet_web.models.base import reading, writing
from monet_web.models.runs import OUTCOME_COUNTS, RunKind, RunState
from monet_web.services.importing import claims
from monet_web.services.importing.prepare import Prepared
from monet_web.services.running.progress import Line, Stage, lines_of_page, lines_of_row, progress, waited_for
from tests.builders import NOON, a_line, a_run, an_item, an_order
from tests.services.scripted import NOW, ScriptedStore, import_all, integrate, put

Factory = sessionmaker[Session]


def run_that_is(state: RunState, **changes: Any) -> Run:
    plain: dict[str, Any] = {
        "id": 7, "kind": RunKind.LAUNCH, "state": state, "attempt": 1, "worker": "elsewhere:1:1", "progress_version": 3,
        "created_at": NOW, "started_at": NOW, "heartbeat_at": NOW, "requested_by": "ona@example.com", "expected": None,
        **dict.fromkeys(("fetched", *OUTCOME_COUNTS), 0),
    }  # fmt: skip
    return Run(**{**plain, **changes})


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("state", "changes", "seconds", "stage"),
    [
        (RunState.QUEUED, {"attempt": 0}, 1, Stage.QUEUED),
        (RunState.QUEUED, {"attempt": 2}, 1, Stage.TAKEN_BACK),
        (RunState.RUNNING, {}, 10, Stage.CONNECTING),
        (RunState.RUNNING, {"fetched": 1}, 10, Stage.BOOKING),
        (RunState.RUNNING, {"fetched": 1}, 45, Stage.BOOKING),
        (RunState.RUNNING, {"fetched": 1}, 46, Stage.QUIET),
        (RunState.RUNNING, {"worker": claims.this_process().rsplit(":", 1)[0] + ":1"}, 1, Stage.QUIET),
        (RunState.STOPPING, {}, 1, Stage.STOPPING),
        (RunState.STOPPING, {}, 50, Stage.QUIET),
        (RunState.DONE, {}, 99, Stage.DONE),
        (RunState.FAILED, {}, 99, Stage.FAILED),
        (RunState.STOPPED, {}, 99, Stage.STOPPED),
    ],
)
def test_the_row_says_the_stage(state: RunState, changes: dict[str, Any], seconds: float, stage: Stage) -> None:
    assert progress(run_that_is(state, **changes), now=at(seconds)).stage is stage


def test_every_order_is_in_one_part_of_the_bar() -> None:
    counts = {"registered": 50, "in_journal": 9, "filtered": 4, "already_there": 14, "conflict": 2, "unreadable": 1}
    seen = progress(run_that_is(RunState.RUNNING, fetched=80, expected=100, **counts), now=at(1))
    parts = (seen.registered, seen.in_journal, seen.skipped, seen.needs_person, seen.to_come)
    assert parts == (50, 9, 18, 3, 20)
    assert (sum(parts), seen.whole, seen.fraction, seen.tenths) == (100, 100, 0.8, 8)


def test_time_left_is_told_by_the_pages_done_and_counts_down_between_them() -> None:
    run = run_that_is(RunState.RUNNING, fetched=100, expected=400, heartbeat_at=at(10))
    assert progress(run, now=at(10)).seconds_left == 30
    assert progress(run, now=at(14)).seconds_left == 26
    assert progress(run, now=at(54)).seconds_left == 1


@pytest.mark.parametrize("changes", [{"fetched": 0}, {"expected": None}, {"fetched": 400}, {"fetched": 500}])
def test_nobody_guesses_the_time_left_without_figures(changes: dict[str, Any]) -> None:
    run = run_that_is(RunState.RUNNING, **{"fetched": 100, "expected": 400, "heartbeat_at": at(10), **changes})
    assert progress(run, now=at(11)).seconds_left is None


def test_a_store_that_says_nothing_has_no_length_and_one_that_said_too_little_is_corrected() -> None:
    assert progress(run_that_is(RunState.RUNNING), now=at(1)).fraction is None
    more = progress(run_that_is(RunState.RUNNING, fetched=12, expected=10), now=at(1))
    assert (more.whole, more.fraction, more.to_come) == (12, 1.0, 0)


def test_a_stopped_run_has_nothing_to_come() -> None:
    stopped = progress(run_that_is(RunState.STOPPED, fetched=100, expected=400, ended_at=at(9)), now=at(50))
    assert (stopped.to_come, stopped.seconds, stopped.fraction) == (0, 9, 0.25)


def test_a_queued_run_names_the_one_it_waits_for(session: Session) -> None:
    mine, other = integrate(session, "KL"), integrate(session, "OT")
    with writing(session):
        busy = a_run(session, mine, state=RunState.RUNNING)
        waits = a_run(session, mine)
        free = a_run(session, other)
    with reading(session):
        waiting = waited_for(session, [busy, waits, free])
    assert waiting == {waits.id: busy.id}
    assert progress(waits, now=NOW, waits_for=busy.id).stage is Stage.WAITING


# --- the log -----------------------------------------------------------------------------------------------------


def test_a_page_says_what_needs_a_person_first_and_how_many_of_each_last(
    session: Session, session_factory: Factory, store: type[ScriptedStore]
) -> None:
    with writing(session):
        an_item(session, "KN-01", on_hand=1)
    integration = integrate(session, payment_methods="cod:skip")
    cash = (Payment("cod", "Grynieji", Decimal("12.10"), kind=PaymentKind.PREPAID, reference="", paid_at=NOON),)
    put(
        store,
        an_order(external_id="1", number="20401"),
        an_order(external_id="2", number="20402", lines=(a_line(sku="ZZ-9", product_id=""),)),
        an_order(external_id="3", number="20403", payments=cash),
        an_order(external_id="4", number="20401"),
        Unreadable("5", "Line 2 has no price.", "20405", NOON),
    )
    pages: list[Sequence[Prepared]] = []
    run = import_all(session_factory, integration, booked=lambda _, prepared: pages.append(prepared))
    lines = lines_of_page(1, pages[0], at=NOW)
    assert [(line.says, line.values.get("number"), line.values.get("outcome")) for line in lines[:-1]] == [
        ("order", "20401", "conflict"),
        ("order", "20405", "unreadable"),
        ("order", "20402", "in_journal"),
        ("order", "20403", "filtered"),
    ]
    assert [finding["code"] for finding in lines[2].values["findings"]] == ["item_unknown"]
    assert lines[3].values["details"] == {"method": "Grynieji"}
    assert lines[-1].values == {
        "page": 1, "registered": 1, "in_journal": 1, "filtered": 1, "conflict": 1, "unreadable": 1
    }  # fmt: skip
    assert [Line.from_json(line.as_json()) for line in lines] == lines
    before, after = lines_of_row(run)
    assert [line.says for line in (*before, *after)] == ["launched", "ended"]


def test_whoever_follows_is_told_after_each_page_is_committed(
    session: Session, session_factory: Factory, store: type[ScriptedStore]
) -> None:
    integration = integrate(session)
    store.PAGE = 2
    put(store, *(an_order(external_id=str(n), number=str(n)) for n in range(5)))
    told: list[tuple[int, int, int]] = []

    def booked(run: Run, prepared: Sequence[Prepared]) -> None:
        with session_factory() as other, reading(other):
            told.append((run.fetched, other.get_one(Run, run.id).fetched, len(prepared)))

    import_all(session_factory, integration, booked=booked)
    assert told == [(2, 2, 2), (4, 4, 2), (5, 5, 1)]


@pytest.mark.parametrize("address", [None, "unix:///nowhere/redis.sock", "redis://127.0.0.1:1/0"])
def test_an_import_goes_on_without_redis(
    session: Session, session_factory: Factory, store: type[ScriptedStore], address: str | None
) -> None:
    integration = integrate(session)
    put(store, an_order())
    with events.Teller(address) as teller:
        run = import_all(session_factory, integration, watch=teller.watch, booked=teller.booked)
        teller.watch(run)
    assert (run.state, run.fetched) == (RunState.DONE, 1)


def test_a_fault_in_the_log_is_no_fault_of_the_import(
    session: Session, session_factory: Factory, store: type[ScriptedStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ValueError("a fault of ours")

    monkeypatch.setattr(events, "lines_of_page", broken)
    integration = integrate(session)
    put(store, an_order())
    with events.Teller("unix:///nowhere/redis.sock") as teller:
        run = import_all(session_factory, integration, booked=teller.booked)
    assert (run.state, run.error) == (RunState.DONE, "")


@pytest.fixture(scope="module")
def valkey() -> Iterator[Redis]:
    with (
        tempfile.TemporaryDirectory(prefix="v-") as home,
        embedded.valkey(Path(home)) as url,
        queues.connect(url) as client,
    ):
        yield client


@pytest.fixture
def redis(valkey: Redis) -> Redis:
    """Empty: runs of different databases have the same ids."""
    valkey.flushall()
    return valkey


def address_of(redis: Redis) -> str:
    return f"unix://{redis.get_connection_kwargs()['path']}"


def test_the_stream_tells_a_run_from_beginning_to_end_in_order(
    session: Session, session_factory: Factory, store: type[ScriptedStore], redis: Redis
) -> None:
    integration = integrate(session)
    store.PAGE = 2
    put(store, *(an_order(external_id=str(n), number=str(n)) for n in range(4)))
    with events.Teller(address_of(redis)) as teller:
        run = import_all(session_factory, integration, watch=teller.watch, booked=teller.booked)
        teller.watch(run)
    told = events.newest(redis, [run.id], count=100)[run.id]
    versions = [event.version for event in told]
    assert versions == sorted(versions)
    assert versions[-1] == run.progress_version
    said = [line.says for event in told for line in event.lines if line.says != "order"]
    assert said == ["taken", "expected", "page", "page"]
    assert 0 < redis.ttl(events.stream_of(run.id)) <= events.SECONDS_KEPT


def test_a_stream_is_capped_and_foreign_entries_are_only_bells(redis: Redis) -> None:
    run = run_that_is(RunState.RUNNING)
    for _ in range(events.MOST_EVENTS * 2):
        events.tell(redis, run)
    assert redis.xlen(events.stream_of(run.id)) < events.MOST_EVENTS * 1.5
    redis.xadd(events.stream_of(run.id), {"event": "{not json"})
    redis.xadd(events.stream_of(run.id), {"other": "1"})
    assert [event.lines for event in events.newest(redis, [run.id], count=2)[run.id]] == [(), ()]


def test_a_later_attempt_does_not_repeat_what_the_store_said_before(redis: Redis) -> None:
    run = run_that_is(RunState.RUNNING, expected=412)
    with events.Teller(address_of(redis)) as teller:
        teller.watch(run)
        teller.watch(run)
        run.fetched = 100
        teller.watch(run)
    told = [line.says for event in events.newest(redis, [7], count=9)[7] for line in event.lines]
    assert told == ["taken", "expected"]


def test_a_preview_is_told_too(
    session: Session, session_factory: Factory, store: type[ScriptedStore], redis: Redis
) -> None:
    integration = integrate(session)
    put(store, replace(an_order(), number="5"))
    with events.Teller(address_of(redis)) as teller:
        run = import_all(session_factory, integration, kind=RunKind.PREVIEW, booked=teller.booked)
    (event,) = events.newest(redis, [run.id], count=9)[run.id]
    assert [line.says for line in event.lines] == ["order", "page"]
    assert progress(run, now=NOW).is_preview
