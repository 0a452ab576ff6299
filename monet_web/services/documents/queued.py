"""Work that lies in a table until a worker takes it: taken by one, told of meanwhile, rung for when nobody has it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TypeVar

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from monet_web.models.base import writing
from monet_web.models.bundles import Bundle
from monet_web.models.errands import Errand, ErrandState
from monet_web.services.importing import claims

SILENT_FOR = claims.SILENT_FOR
RING_AGAIN = timedelta(seconds=30)

Work = TypeVar("Work", Errand, Bundle)


def to_ring(session: Session, kind: type[Work], *, now: datetime) -> list[Work]:
    """What a worker should be told of again: queued a while ago, or taken by one that died; that is queued anew."""
    with writing(session):
        found = session.scalars(
            select(kind)
            .where(kind.state.in_((ErrandState.QUEUED, ErrandState.RUNNING)))
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


def take(session: Session, kind: type[Work], row_id: int, *, now: datetime, worker: str, **fresh: object) -> int | None:
    """Begin it: the attempt's number, None when it is not queued any more. `fresh`: what an attempt begins with."""
    with writing(session):
        taken: int | None = session.execute(
            update(kind)
            .where(kind.id == row_id, kind.state == ErrandState.QUEUED)
            .values(
                state=ErrandState.RUNNING, attempt=kind.attempt + 1, worker=worker[:120], heartbeat_at=now, **fresh
            )
            .returning(kind.attempt)
            .execution_options(synchronize_session=False)
        ).scalar_one_or_none()  # fmt: skip
    return taken


def tell(session: Session, kind: type[Work], row_id: int, attempt: int, **values: object) -> bool:
    """Write how far the attempt is, or how it ended; False when another worker has it now."""
    with writing(session):
        done = session.execute(
            update(kind)
            .where(kind.id == row_id, kind.attempt == attempt, kind.state == ErrandState.RUNNING)
            .values(**values)
            .returning(kind.id)
            .execution_options(synchronize_session=False)
        )
        return done.scalar_one_or_none() is not None
