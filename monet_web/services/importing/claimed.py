"""Claimed: work on documents beside the imports takes the integration's claim, so that no import books meanwhile."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from monet_web.domain.errors import RetryLater
from monet_web.models.base import Clock, reading, writing
from monet_web.models.integrations import Integration
from monet_web.models.runs import Run, RunKind, RunState
from monet_web.services.importing import claims
from monet_web.services.importing.booking import Booking, booking_for
from monet_web.services.importing.claims import Claim

PATIENCE = 60.0  # seconds to wait for an import of the same integration that is at work
SHORT_PATIENCE = 8.0  # of a person who looks at a page
_LOOK_AGAIN = 0.5
_IN_THE_WAY = {
    RunKind.RECHECK: "An import of this integration is at work, so what waits could not be checked again.",
    RunKind.UNDO: "An import of this integration is at work, so nothing was undone.",
}


@dataclass(frozen=True, slots=True)
class Claimed:
    """The claim, what to book by, and the clock that both go by."""

    claim: Claim
    booking: Booking
    clock: Clock


@contextmanager
def claimed(
    session: Session,
    integration_id: int,
    *,
    now: datetime,
    actor: str,
    by_person: bool = False,
    patience: float = PATIENCE,
    kind: RunKind = RunKind.RECHECK,
) -> Iterator[Claimed]:
    """Hold the claim of an integration by a run of its own (recheck, or undo), which ends with the block.

    Raises RetryLater when an import of it is at work for longer than `patience` seconds.
    """
    clock = _going_on_from(now)
    run_id, claim = _claim(session, integration_id, kind, clock=clock, actor=actor, patience=patience)
    try:
        with reading(session):
            integration = session.get_one(Integration, integration_id, populate_existing=True)
            booking = booking_for(
                session, integration, run_id=run_id, attempt=claim.attempt, kind=kind, now=clock(),
                actor=actor, by_person=by_person,
            )  # fmt: skip
        yield Claimed(claim, booking, clock)
    finally:
        with writing(session):
            claims.hold(session, claim, now=clock(), state=RunState.DONE, ended_at=clock())


def _going_on_from(now: datetime) -> Clock:
    """A clock that shows `now` at first: a claim whose time stood still would be taken for that of a dead process."""
    begun = time.monotonic()
    return lambda: now + timedelta(seconds=time.monotonic() - begun)


def _claim(
    session: Session, integration_id: int, kind: RunKind, *, clock: Clock, actor: str, patience: float
) -> tuple[int, Claim]:
    now = clock()
    with writing(session):
        row = Run(
            integration_id=integration_id, kind=kind, state=RunState.QUEUED, window_start=now,
            window_end=now + timedelta(seconds=1), foreground=True, created_at=now, requested_by=actor,
            worker=claims.this_process(),
        )  # fmt: skip
        session.add(row)
        session.flush()
    # A refused claim is rolled back, and the row's object would begin a transaction when it is asked for its id.
    run_id = row.id
    deadline = time.monotonic() + patience
    while True:
        claims.take_back(session, now=clock())
        claim = claims.claim(session, run_id, now=clock(), worker=claims.this_process())
        if claim is not None:
            return run_id, claim
        if time.monotonic() > deadline:
            with writing(session):
                row.state = RunState.STOPPED
                row.ended_at = clock()
            raise RetryLater(_IN_THE_WAY[kind], fix="Do it again when the import has ended.")
        time.sleep(_LOOK_AGAIN)
