"""One run: claim, collect and book page by page, close. What was read equals what became of it, or the run fails."""

from __future__ import annotations

import gc
import logging
import os
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import chain

from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from monet_web.connectors.base import Connector, Page, Selection, Surroundings
from monet_web.connectors.http import Stopped
from monet_web.connectors.paging import SeenIds
from monet_web.domain import settings as settings_text
from monet_web.domain.errors import BrokenRule, MonetError, NeedsOwner, RetryLater
from monet_web.domain.windows import Window
from monet_web.models.base import Clock, reading, writing
from monet_web.models.integrations import Integration
from monet_web.models.runs import ENDED, Run, RunKind, RunState
from monet_web.services.importing import claims, from_file, open_again, vanished
from monet_web.services.importing.beside import understood
from monet_web.services.importing.book import book_page
from monet_web.services.importing.booking import Booking, booking_for
from monet_web.services.importing.claims import Claim, LostClaim, patiently
from monet_web.services.importing.collect import remember
from monet_web.services.importing.counts import Counts
from monet_web.services.importing.foreseen import Causes
from monet_web.services.importing.known import Known, unread
from monet_web.services.importing.month_check import MonthCheck, month_check_of
from monet_web.services.importing.prepare import Prepared
from monet_web.services.integrations.installed import make_connector
from monet_web.services.opening import coverage, failures, reread, uploads

log = logging.getLogger(__name__)

_LOOK_AGAIN = 1.0  # seconds between two looks at the run that is waited for

Watch = Callable[[Run], None]
Booked = Callable[[Run, Sequence[Prepared]], None]


def _unwatched(run: Run) -> None:
    """Nobody watches."""


def _untold(run: Run, prepared: Sequence[Prepared]) -> None:
    """Nobody wants to know of each order."""


def run(
    session_factory: Callable[[], Session],
    run_id: int,
    *,
    surroundings: Surroundings,
    clock: Clock,
    worker: str,
    watch: Watch = _unwatched,
    booked: Booked = _untold,
    wait: bool = False,
) -> Run:
    """Work a queued run to its end and return its row; `watch` is called with the row after each page's commit.

    `booked` is called then too, with what became of each order of the page; neither may raise.
    `wait`: when another run of the integration is at work, wait for its end; otherwise the run stays queued. A run
    that another process took is returned as it is. Errors of the store end in the row (state failed, error, fix).
    """
    session = session_factory()
    try:
        claim = _claim(session, run_id, clock=clock, worker=worker, wait=wait, watch=watch)
        if claim is not None:
            with claims.heartbeat(session_factory, claim, clock=clock), _rare_collections():
                _work(session, claim, surroundings=surroundings, clock=clock, watch=watch, booked=booked)
        return _row(session, run_id)
    finally:
        session.close()


@contextmanager
def _rare_collections() -> Iterator[None]:
    """A page is thousands of small objects without a circle among them: looking for circles was a tenth of the time.

    What reference counts free is freed as ever, so memory does not grow with the number of pages.
    """
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def _claim(session: Session, run_id: int, *, clock: Clock, worker: str, wait: bool, watch: Watch) -> Claim | None:
    while True:
        patiently(lambda: claims.take_back(session, now=clock(), gave_up=failures.gave_up))
        claim = patiently(lambda: claims.claim(session, run_id, now=clock(), worker=worker))
        row = patiently(lambda: _row(session, run_id))
        watch(row)
        if claim is not None or not wait or row.state is not RunState.QUEUED:
            return claim
        time.sleep(_LOOK_AGAIN)


def _work(
    session: Session, claim: Claim, *, surroundings: Surroundings, clock: Clock, watch: Watch, booked: Booked
) -> None:
    try:
        state = _pages(session, claim, surroundings=surroundings, clock=clock, watch=watch, booked=booked)
        patiently(partial(_close, session, claim, state, clock=clock))
    except LostClaim:
        log.warning("the run was taken over", extra={"run": claim.run_id})
    except Stopped:
        patiently(partial(_close, session, claim, RunState.STOPPED, clock=clock))
    except MonetError as error:
        _fail(session, claim, error, clock=clock)
    except OperationalError:
        log.exception("the database failed", extra={"run": claim.run_id})
        trouble = RetryLater("The database was busy or away for too long.", fix="Nothing is lost; run it again.")
        _fail(session, claim, trouble, clock=clock)
    except Exception:  # the row must tell that the run has ended, whatever ended it
        code = secrets.token_hex(3).upper()
        log.exception("a run ended by a fault", extra={"run": claim.run_id, "code": code})
        message = f"This did not work because of a fault of this program, code {code}. What was booked stays."
        _fail(session, claim, BrokenRule(message, fix="Run it again; if it repeats, send us the code."), clock=clock)


def _pages(
    session: Session, claim: Claim, *, surroundings: Surroundings, clock: Clock, watch: Watch, booked: Booked
) -> RunState:
    integration, task, booking = patiently(partial(_prepare, session, claim, clock=clock))
    known = dict(integration.learned)
    connector = make_connector(integration, replace(surroundings, should_stop=_Stop(session, claim)))
    try:
        watch(patiently(partial(_row, session, claim.run_id)))
        return _read_and_book(session, claim, booking, connector, task, clock=clock, watch=watch, booked=booked)
    finally:
        connector.close()
        learned = getattr(connector, "learned", {})
        if learned and learned != known:
            patiently(partial(_remember_learned, session, claim, learned, clock=clock))


@dataclass(frozen=True, slots=True)
class _Task:
    """What a run is to read: a window, or (`ids`) the orders of documents once more."""

    window: Window
    ids: list[str] | None
    check: MonthCheck | None
    upload: tuple[int, str] | None = None  # id and name of a file that is read in place of the store

    @property
    def asks_the_store(self) -> bool:
        return self.upload is None

    def pages(self, session: Session, connector: Connector, select_by: str) -> Iterator[Page]:
        if self.upload is not None:
            return connector.pages_of_file(uploads.lines(session, *self.upload))
        if self.ids is not None:
            return connector.by_ids(self.ids)
        return connector.pages(Selection(self.window, select_by))


def _prepare(session: Session, claim: Claim, *, clock: Clock) -> tuple[Integration, _Task, Booking]:
    with reading(session):
        row = session.get_one(Run, claim.run_id, populate_existing=True)
        integration = session.get_one(Integration, row.integration_id, populate_existing=True)
        booking = booking_for(
            session, integration, run_id=row.id, attempt=claim.attempt, kind=row.kind, now=clock(),
            actor=f"run {row.id}",
        )  # fmt: skip
        is_reread = row.kind is RunKind.REREAD
        task = _Task(
            Window(row.window_start, row.window_end),
            reread.external_ids(session, row, integration.store_id, booking.zone) if is_reread else None,
            month_check_of(session, row, booking.zone) if row.kind in coverage.IMPORTS else None,
            (row.upload_id, row.file_name) if row.upload_id is not None else None,
        )
    with writing(session):
        claims.hold(session, claim, now=clock(), settings_used=settings_text.as_text(booking.settings))
    return integration, task, booking


def _read_and_book(
    session: Session,
    claim: Claim,
    booking: Booking,
    connector: Connector,
    task: _Task,
    *,
    clock: Clock,
    watch: Watch,
    booked: Booked,
) -> RunState:
    counts = Counts(causes=Causes() if booking.is_preview else None)
    expected: int | None = None
    seen = SeenIds()
    own = task.pages(session, connector, booking.settings.select_by)
    if not task.asks_the_store:
        own = from_file.pages(session, booking.store_id, booking.connector, own)
    is_window = task.ids is None and task.asks_the_store
    gone = vanished.pages(session, claim, booking, connector, task.window, seen) if is_window else iter(())
    left = open_again.pages(session, booking, connector, task.window, seen) if is_window else iter(())
    # A preview and the check of a month want to see each order.
    known = Known(session, store_id=booking.store_id, run_id=booking.run_id)
    if task.asks_the_store and task.check is None and not booking.is_preview:
        own = known.without(own)
    # These two ask what was seen until then, so they are never taken from before their turn.
    read = chain(
        understood(own, booking.connector, beside=task.asks_the_store and _has_room_beside(session)),
        understood(chain(gone, left), booking.connector, beside=False),
    )
    for read_page in read:
        page = read_page.page
        booking.now = clock()
        if page.expected is not None and page.expected != expected:
            expected = page.expected
            patiently(partial(_expect, session, claim, expected, now=booking.now))
        taken = known.taken()
        for order_id in taken:
            seen.add(order_id)
        counts.add_known(len(taken))
        if taken and not read_page.reads:
            patiently(partial(_count, session, claim, counts, now=booking.now))
            prepared: list[Prepared] = []
        else:
            remembered = patiently(
                partial(remember, session, claim, store_id=booking.store_id, page=read_page, now=booking.now)
            )
            for one in remembered:
                seen.add(one.store_order_id)
            prepared, counts = book_page(session, claim, booking, remembered, counts)
        if task.check is not None:
            task.check.add(prepared)
        now_stands = patiently(partial(_row, session, claim.run_id))
        watch(now_stands)
        booked(now_stands, [*prepared, *(unread(order_id) for order_id in taken)])
        if now_stands.state is not RunState.RUNNING or now_stands.attempt != claim.attempt:
            return RunState.STOPPED
    if task.check is not None:
        patiently(partial(_keep_check, session, claim, task.check, booking.store_id, now=clock()))
    return RunState.DONE


def _has_room_beside(session: Session) -> bool:
    """SQLite lets one run write at a time, so a second core is free for reading its pages.

    On PostgreSQL the other cores belong to other workers, and a run that takes two of them only takes theirs.
    """
    return session.get_bind().dialect.name == "sqlite" and (os.cpu_count() or 1) > 1


def _keep_check(session: Session, claim: Claim, check: MonthCheck, store_id: int, *, now: datetime) -> None:
    with reading(session):
        both = check.beside_ours(session, store_id)
    with writing(session):
        claims.hold(session, claim, now=now, month_check=both)


def _expect(session: Session, claim: Claim, expected: int, *, now: datetime) -> None:
    with writing(session):
        claims.hold(session, claim, now=now, expected=expected)


def _count(session: Session, claim: Claim, counts: Counts, *, now: datetime) -> None:
    with writing(session):
        claims.hold(session, claim, now=now, **counts.values())


class _Stop:
    """Asked by the connector while it waits for a slow store; looks at the row once a second at most."""

    def __init__(self, session: Session, claim: Claim) -> None:
        self._session = session
        self._claim = claim
        self._looked = time.monotonic()

    def __call__(self) -> bool:
        if time.monotonic() - self._looked < _LOOK_AGAIN:
            return False
        self._looked = time.monotonic()
        return patiently(partial(_asked_to_stop, self._session, self._claim))


def _asked_to_stop(session: Session, claim: Claim) -> bool:
    with reading(session):
        return claims.asked_to_stop(session, claim)


def _close(session: Session, claim: Claim, state: RunState, *, clock: Clock) -> None:
    """End the run; the six outcomes must add up to what was fetched (D1)."""
    with writing(session):
        claims.hold(session, claim, now=clock())
        row = session.get_one(Run, claim.run_id, populate_existing=True)
        if sum(row.outcomes().values()) != row.fetched:
            raise RuntimeError(f"run {row.id}: {row.outcomes()} do not add up to {row.fetched}")
        row.state = state
        row.ended_at = clock()
        if row.upload_id is not None:
            return  # whether the store answers, a file does not tell
        if state is RunState.DONE:
            failures.end_pause(session, row.integration_id)
        coverage.ended(session, row)
        integration = session.get_one(Integration, row.integration_id)
        if integration.refused_since is not None:
            integration.refused_since, integration.refused_text = None, ""


def _fail(session: Session, claim: Claim, error: MonetError, *, clock: Clock) -> None:
    try:
        patiently(partial(_write_failure, session, claim, error, clock=clock))
    except LostClaim:
        log.warning("the run was taken over", extra={"run": claim.run_id})


def _write_failure(session: Session, claim: Claim, error: MonetError, *, clock: Clock) -> None:
    with writing(session):
        claims.hold(session, claim, now=clock())
        row = session.get_one(Run, claim.run_id, populate_existing=True)
        row.state = RunState.FAILED
        row.ended_at = clock()
        row.error = error.message
        row.fix = error.fix
        failures.failed(session, row, error, now=row.ended_at)
        if isinstance(error, NeedsOwner):
            integration = session.get_one(Integration, row.integration_id)
            integration.refused_since = integration.refused_since or clock()
            integration.refused_text = error.sentence()


def _remember_learned(session: Session, claim: Claim, learned: dict[str, str], *, clock: Clock) -> None:
    """What the connector learned of its store (the way to sign in, whether a filter is known) is kept for next time."""
    # No object is asked for the id: a transaction that was rolled back leaves them all to be loaded anew.
    integration_id = select(Run.integration_id).where(Run.id == claim.run_id).scalar_subquery()
    with writing(session):
        claims.hold(session, claim, now=clock())
        session.execute(
            update(Integration)
            .where(Integration.id == integration_id)
            .values(learned=dict(learned))
            .execution_options(synchronize_session=False)
        )


def _row(session: Session, run_id: int) -> Run:
    with reading(session):
        return session.get_one(Run, run_id, populate_existing=True)


def has_ended(run: Run) -> bool:
    """True when nothing more will happen to the run."""
    return run.state in ENDED
