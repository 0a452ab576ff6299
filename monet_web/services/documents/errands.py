"""Errands: many waiting invoices checked again or registered by a worker, page by page, so that no page has to wait."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from monet_web.domain.errors import MonetError
from monet_web.domain.findings import PERSON_MAY_PASS
from monet_web.models.base import reading, writing
from monet_web.models.errands import Errand, ErrandState
from monet_web.services.documents import mend
from monet_web.services.documents.mend import Checked
from monet_web.services.importing import claims

FEW = 200  # that many are checked at once, while the person waits
SILENT_FOR = timedelta(seconds=120)
RING_AGAIN = timedelta(seconds=30)
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
    with writing(session):
        found = session.scalars(
            select(Errand)
            .where(Errand.state.in_((ErrandState.QUEUED, ErrandState.RUNNING)))
            .with_for_update(skip_locked=True)
            .execution_options(populate_existing=True)
        ).all()
        ring = []
        for one in found:
            if one.state is ErrandState.RUNNING:
                silent = one.heartbeat_at is None or now - one.heartbeat_at > SILENT_FOR
                if not silent and not claims.is_dead(one.worker):
                    continue
                one.state, one.attempt = ErrandState.QUEUED, one.attempt + 1
                ring.append(one)
            elif now - one.created_at > RING_AGAIN:
                ring.append(one)
    return ring


def work(session_factory: Callable[[], Session], errand_id: int, *, clock: Callable[[], datetime], worker: str) -> None:
    """Work one queued errand to its end; nothing happens when it is not queued any more."""
    session = session_factory()
    try:
        attempt = _claim(session, errand_id, now=clock(), worker=worker)
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


def _claim(session: Session, errand_id: int, *, now: datetime, worker: str) -> int | None:
    with writing(session):
        return session.execute(
            update(Errand)
            .where(Errand.id == errand_id, Errand.state == ErrandState.QUEUED)
            .values(
                state=ErrandState.RUNNING, attempt=Errand.attempt + 1, worker=worker[:120], heartbeat_at=now,
                checked=0, registered=0, waits=[], error="",
            )
            .returning(Errand.attempt)
            .execution_options(synchronize_session=False)
        ).scalar_one_or_none()  # fmt: skip


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
    with writing(session):
        done = session.execute(
            update(Errand)
            .where(Errand.id == errand_id, Errand.attempt == attempt, Errand.state == ErrandState.RUNNING)
            .values(heartbeat_at=now, **values)
            .execution_options(synchronize_session=False)
        )
    if done.rowcount != 1:  # type: ignore[attr-defined]
        raise _Lost


def _end(session: Session, errand_id: int, attempt: int, *, now: datetime, error: str) -> None:
    with writing(session):
        session.execute(
            update(Errand)
            .where(Errand.id == errand_id, Errand.attempt == attempt, Errand.state == ErrandState.RUNNING)
            .values(state=ErrandState.FAILED if error else ErrandState.DONE, error=error, ended_at=now)
            .execution_options(synchronize_session=False)
        )
