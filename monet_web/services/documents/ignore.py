"""Ignore a change in the store, for a reason that stays with the document; only a later version asks again (D12)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import delete, insert, update
from sqlalchemy.orm import Session

from monet_web.domain.errors import BrokenRule
from monet_web.models.base import reading, writing
from monet_web.models.invoices import InvoiceFinding
from monet_web.models.store_orders import StoreOrder
from monet_web.services.documents.answers import MEANWHILE, Answered, asked_of, by_integration, forget, refusal, tell
from monet_web.services.documents.changed import Answer
from monet_web.services.importing.claimed import PATIENCE, Claimed, claimed
from monet_web.services.importing.claims import hold
from monet_web.services.importing.facts import IGNORED


def ignore(
    session: Session,
    invoice_ids: Sequence[int],
    *,
    reason: str,
    versions: Mapping[int, str] | None = None,
    may_credit: bool = True,
    now: datetime,
    actor: str,
    patience: float = PATIENCE,
) -> list[Answered]:
    """Leave documents as they are, for a reason that stays with them; only a later version of the order asks again.

    `versions`, `may_credit` and RetryLater as for `accept`. Raises BrokenRule without a reason.
    """
    reason = reason.strip()[:400]
    if not reason:
        raise BrokenRule(
            "Ignoring a change needs a reason.", fix="Type why, for example: only the buyer's name was rewritten.",
            field="reason",
        )  # fmt: skip
    done: list[Answered] = []
    for integration_id, ids in by_integration(session, invoice_ids).items():
        with claimed(session, integration_id, now=now, actor=actor, patience=patience) as held:
            done += [_ignore(session, held, invoice_id, versions, may_credit, reason) for invoice_id in ids]
    return done


def _ignore(
    session: Session,
    held: Claimed,
    invoice_id: int,
    versions: Mapping[int, str] | None,
    may_credit: bool,
    reason: str,
) -> Answered:
    with reading(session):
        asked = asked_of(session, held, invoice_id)
    if asked is None:
        return Answered(invoice_id, "", Answer.NONE, refused=MEANWHILE)
    answered = Answered(invoice_id, asked.invoice.number or asked.invoice.order_number, asked.answer)
    if refused := refusal(asked, versions, may_credit):
        return replace(answered, refused=refused)
    with writing(session):
        hold(session, held.claim, now=held.clock())
        forget(session, asked)
        session.execute(
            delete(InvoiceFinding)
            .where(InvoiceFinding.invoice_id == invoice_id, InvoiceFinding.code == IGNORED)
            .execution_options(synchronize_session=False)
        )
        values = {"what": asked.what, "version": asked.version, "by": held.booking.actor, "reason": reason}
        session.execute(
            insert(InvoiceFinding),
            [{"invoice_id": invoice_id, "code": IGNORED, "subject": "", "values": values, "stops": False}],
        )
        session.execute(
            update(StoreOrder)
            .where(StoreOrder.id == asked.remembered.store_order_id)
            .values(ignored_version_id=asked.remembered.version_id)
            .execution_options(synchronize_session=False)
        )
        tell(session, held, asked, "change_ignored", after={"reason": reason})
    return answered
