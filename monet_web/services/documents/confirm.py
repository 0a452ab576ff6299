"""Confirm: VIES is asked of the VAT codes that waiting invoices need, and what waited for them is checked again."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.orm import Session

from monet_web.connectors.base import Surroundings
from monet_web.domain.errors import MonetError
from monet_web.models.base import Clock, reading
from monet_web.services.books import vies
from monet_web.services.books.vies import Said
from monet_web.services.documents import mend
from monet_web.services.documents.mend import Rechecked
from monet_web.services.importing.claimed import PATIENCE

log = logging.getLogger(__name__)

ACTOR = "VIES"


@dataclass(frozen=True, slots=True)
class Asked:
    """What VIES said, and what became of the invoices that waited for it; `later`: why they were not checked."""

    said: tuple[Said, ...] = ()
    checked: Rechecked = field(default_factory=Rechecked)
    later: str = ""


def ask(
    session: Session,
    codes: Sequence[str] | None = None,
    *,
    surroundings: Surroundings,
    now: datetime,
    actor: str,
    patience: float = PATIENCE,
) -> Asked:
    """Ask of `codes` (None: of all that wait and were not asked lately), then check again. Raises BrokenRule."""
    if codes is None:
        with reading(session):
            codes = vies.to_ask(session, now=now)
    if not codes:
        return Asked()
    said = vies.ask(session, codes, surroundings=surroundings, now=now, actor=actor, address=vies.ADDRESS)
    if all(one.valid is None for one in said):
        return Asked(tuple(said))
    try:
        done = mend.check_again(session, codes=vies.WAITING, now=now, actor=actor, patience=patience)
    except MonetError as error:
        return Asked(tuple(said), later=error.sentence())
    return Asked(tuple(said), done)


def ask_waiting(
    session_factory: Callable[[], Session],
    codes: Sequence[str] | None = None,
    *,
    surroundings: Surroundings,
    clock: Clock,
    actor: str = ACTOR,
) -> None:
    """The same for a worker; what came of it is in the log and in the audit trail."""
    session = session_factory()
    try:
        done = ask(session, codes, surroundings=surroundings, now=clock(), actor=actor)
    finally:
        session.close()
    if done.said:
        counts = {"asked": len(done.said), "answered": sum(one.valid is not None for one in done.said)}
        log.info("VIES was asked", extra={**counts, "registered": done.checked.registered})
