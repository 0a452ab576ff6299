"""What waited is checked again at once for a person at a page: integrations that import right now are named instead."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from monet_web.domain.errors import RetryLater
from monet_web.models.base import reading
from monet_web.models.integrations import Integration
from monet_web.models.invoices import IS_WAITING, Invoice, InvoiceFinding
from monet_web.models.runs import AT_WORK, Run, RunKind
from monet_web.services.documents import mend

_PATIENCE = 3.0  # seconds: somebody looks at the page that waits


@dataclass(frozen=True, slots=True)
class Mended:
    """How many were checked again, registered, still wait; `busy`: integrations that were left for later."""

    checked: int = 0
    registered: int = 0
    waiting: int = 0
    busy: tuple[str, ...] = ()


def check_now(session: Session, *, codes: Collection[str] = (), now: datetime, actor: str) -> Mended:
    """Check again what waits with a finding of `codes` (() = all), integration by integration.

    An integration whose import is at work is not waited for: a page must answer.
    """
    checked = registered = 0
    busy: list[str] = []
    for integration_id, name, is_busy in _concerned(session, codes):
        if is_busy:
            busy.append(name)
            continue
        try:
            done = mend.check_again(
                session, codes=codes, integration_id=integration_id, now=now, actor=actor, patience=_PATIENCE
            )
        except RetryLater:
            busy.append(name)
            continue
        checked += done.checked
        registered += done.registered
    return Mended(checked, registered, checked - registered, tuple(busy))


def waiting_for(session: Session, codes: Collection[str]) -> list[int]:
    """Ids of the invoices that wait with a finding of `codes` (() = all). In a transaction of its own."""
    query = select(Invoice.id).where(IS_WAITING).order_by(Invoice.id)
    if codes:
        found = select(InvoiceFinding.invoice_id).where(InvoiceFinding.code.in_(list(codes)))
        query = query.where(Invoice.id.in_(found))
    with reading(session):
        return list(session.scalars(query))


def _concerned(session: Session, codes: Collection[str]) -> list[tuple[int, str, bool]]:
    at_work = exists(
        select(Run.id).where(Run.integration_id == Integration.id, Run.state.in_(AT_WORK), Run.kind != RunKind.RECHECK)
    )
    waiting = select(Invoice.integration_id).where(IS_WAITING)
    if codes:
        found = select(InvoiceFinding.invoice_id).where(InvoiceFinding.code.in_(list(codes)))
        waiting = waiting.where(Invoice.id.in_(found))
    with reading(session):
        rows = session.execute(
            select(Integration.id, Integration.name, at_work.label("busy"))
            .where(Integration.id.in_(waiting))
            .order_by(Integration.name_key)
        )
        return [(row.id, row.name, bool(row.busy)) for row in rows]
