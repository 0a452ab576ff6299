"""Register: a person enters waiting invoices, one, the chosen or all; what does not pass says why in the same words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from monet_web.domain.findings import PERSON_MAY_PASS, Finding
from monet_web.services.documents.mend import checked_again
from monet_web.services.importing.claimed import PATIENCE


@dataclass(frozen=True, slots=True)
class Registered:
    """What became of one invoice; `findings` are those that stopped it, () when it is registered."""

    invoice_id: int
    number: str | None
    ok: bool
    findings: tuple[Finding, ...] = ()


def register(
    session: Session,
    invoice_ids: Sequence[int],
    *,
    now: datetime,
    actor: str,
    without_stock: str = "",
    patience: float = PATIENCE,
) -> list[Registered]:
    """Register waiting invoices by a person's word. What only waits for a person passes; everything else must be right.

    `without_stock`: why stock does not move now, an accountant's reason; what should have moved is kept to be settled.
    Raises RetryLater while an import of the same integration is at work for longer than `patience` seconds.
    """
    done = []
    for one in checked_again(
        session, invoice_ids=invoice_ids, now=now, actor=actor, by_person=True, without_stock=without_stock,
        patience=patience,
    ):  # fmt: skip
        stops = tuple(found for found in one.findings if found.stops and found.code not in PERSON_MAY_PASS)
        done.append(Registered(one.invoice_id, one.number, one.registered, () if one.registered else stops))
    return done
