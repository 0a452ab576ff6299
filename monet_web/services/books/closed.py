"""Closed periods, asked by whatever registers, deletes, credits or moves stock: nothing may be dated in one (E7)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from monet_web.domain.errors import BrokenRule
from monet_web.models.company import Company


class PeriodClosed(BrokenRule):
    """Something is dated in a closed period."""

    def __init__(self, what: str, day: date, closed_until: date) -> None:
        super().__init__(
            f"{what} is dated {day}, and periods until {closed_until} are closed.",
            fix="Date it today and keep the supply date, or ask an accountant to reopen the period.",
        )


def closed_until(session: Session, *, lock: bool = False) -> date | None:
    """The last day of the closed periods, None when all are open. Inside a transaction.

    `lock`: whoever closes a period waits for the end of this (writing) transaction, so that what is written in it was
    allowed when it was written. Taken after the run's row and before every other lock.
    """
    return session.scalars(_CLOSED_LOCKED if lock else _CLOSED).one()


_CLOSED = select(Company.closed_until).where(Company.id == 1)
_CLOSED_LOCKED = _CLOSED.with_for_update(read=True)


def must_be_open(session: Session, dated: Iterable[tuple[str, date]]) -> None:
    """Refuse what is dated in a closed period: (what, its day). Locks the period. Raises PeriodClosed."""
    until = closed_until(session, lock=True)
    for what, day in dated:
        if until is not None and day <= until:
            raise PeriodClosed(what, day, until)
