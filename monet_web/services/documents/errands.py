"""Errands: many waiting invoices checked again or registered by a worker, page by page, so that no page has to wait."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from monet_web.domain.errors import MonetError
from monet_web.domain.findings import PERSON_MAY_PASS
from monet_web.models.base import reading, writing
from monet_web.models.errands import Errand, ErrandState
from monet_web.services.documents import mend, queued
from monet_web.services.documents.mend import Checked

FEW = 200  # that many are checked at once, while the person waits
MOST_NAMED = 5  # of those that still wait
_STEP = 200
ENDED = (ErrandState.DONE, ErrandState.FAILED)


def begin(
    session: Session,
    invoice_ids: Sequence[int],
    *,
    by_person: bool = False,
    dated: date | None = None,
    about: str = "",
    back: str = "",
    now: datetime,
    actor: str,
) -> Errand:
    """A queued errand; commit first, then ring. `by_person`: register what only waits for a person."""
    with writing(session):
        row = Errand(
            invoice_ids=list(invoice_ids), total=len(invoice_ids), by_person=by_person, dated=dated, about=about,
            back=back[:2000], requested_by=actor[:200], created_at=now,
        )  # fmt: skip
        session.add(row)
        session.flush()
    return row


def find(session: Session, errand_id: int) -> Errand | None:
    """The errand as it is now. Inside a transaction."""
    return session.get(Errand, errand_id, populate_existing=True)


def unfinished(session: Session) -> list[Errand]:
    """Those queued or at work, the oldest first. Inside a transaction."""
    query = select(Errand).where(Errand.state.in_((ErrandState.QUEUED, ErrandState.RUNNING))).order_by(Errand.id)
    return list(session.scalars(query.limit(20).execution_options(populate_existing=True)))


def to_ring(session: Session, *, now: datetime) -> list[Errand]:
    """Errands that a worker should be told of again: queued a while ago, or taken by one that died."""
    return queued.to_ring(session, Errand, now=now)


def work(session_factory: Callable[[], Session], errand_id: int, *, clock: Callable[[], datetime], worker: str) -> None:
    """Work one queued errand to its end; nothing happens when it is not queued any more."""
    session = session_factory()
    try:
        fresh = {"checked": 0, "registered": 0, "waits": [], "error": ""}
        attempt = queued.take(session, Errand, errand_id, now=clock(), worker=worker, **fresh)
        if attempt is None:
            return
        with reading(session):
            errand = session.get_one(Errand, errand_id, populate_existing=True)
        error = ""
        try:
            _check(session, errand, attempt, clock=clock)
        except _Lost:
            return
        except MonetError as trouble:
            error = trouble.sentence()
        except Exception:
            _end(session, errand_id, attempt, now=clock(), error="A fault of this program; what was done stays.")
            raise
        _end(session, errand_id, attempt, now=clock(), error=error)
    finally:
        session.close()


class _Lost(Exception):
    """Another worker has it now."""


def _check(session: Session, errand: Errand, attempt: int, *, clock: Callable[[], datetime]) -> None:
    checked = registered = 0
    waits: list[dict[str, object]] = []
    for one in mend.checked_again(
        session,
        invoice_ids=errand.invoice_ids,
        by_person=errand.by_person,
        dated=errand.dated,
        now=clock(),
        actor=errand.requested_by,
    ):
        checked += 1
        registered += one.registered
        if not one.registered and len(waits) < MOST_NAMED:
            waits.append(_waits(one, by_person=errand.by_person))
        if checked % _STEP == 0:
            _tell(session, errand.id, attempt, now=clock(), checked=checked, registered=registered, waits=waits)
    _tell(session, errand.id, attempt, now=clock(), checked=checked, registered=registered, waits=waits)


def _waits(one: Checked, *, by_person: bool) -> dict[str, object]:
    passed = PERSON_MAY_PASS if by_person else frozenset[str]()
    stops = sum(finding.stops and finding.code not in passed for finding in one.findings)
    return {"invoice": one.invoice_id, "number": one.number or "", "causes": stops}


def _tell(session: Session, errand_id: int, attempt: int, *, now: datetime, **values: object) -> None:
    if not queued.tell(session, Errand, errand_id, attempt, heartbeat_at=now, **values):
        raise _Lost


def _end(session: Session, errand_id: int, attempt: int, *, now: datetime, error: str) -> None:
    state = ErrandState.FAILED if error else ErrandState.DONE
    queued.tell(session, Errand, errand_id, attempt, state=state, error=error, ended_at=now)
