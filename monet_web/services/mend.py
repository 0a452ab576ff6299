"""Mending: what waited is checked again after something was set right, and registered where it may be (E2)."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from monet_web.domain.errors import RetryLater
from monet_web.domain.findings import Finding
from monet_web.models.base import Clock, reading, writing
from monet_web.models.integrations import Integration
from monet_web.models.invoices import Invoice, InvoiceFinding, InvoiceKind, InvoiceState
from monet_web.models.runs import Run, RunKind, RunState
from monet_web.models.store_orders import StoreOrder
from monet_web.services import claims, raw_pages
from monet_web.services.book import Counts, book_prepared
from monet_web.services.booking import Booking, booking_for
from monet_web.services.claims import Claim
from monet_web.services.collect import Remembered
from monet_web.services.facts import Living, living_invoices
from monet_web.services.prepare import Prepared, prepare_again

_PAGE = 200  # invoices a transaction
_PATIENCE = 60.0  # seconds to wait for an import of the same integration that is at work


@dataclass(frozen=True, slots=True)
class Checked:
    """One waiting invoice after it was checked again."""

    invoice_id: int
    number: str | None
    registered: bool
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Rechecked:
    """How many were checked again, how many of them are registered now, how many still wait."""

    checked: int = 0
    registered: int = 0
    waiting: int = 0


def check_again(
    session: Session,
    *,
    codes: Collection[str] = (),
    invoice_ids: Sequence[int] | None = None,
    integration_id: int | None = None,
    now: datetime,
    actor: str,
    register_all: bool = False,
) -> Rechecked:
    """Check waiting invoices again: those given, or those with a finding of `codes` (() = all that wait).

    Drafted anew from what the store said last, under today's settings and facts; those that pass are registered when
    their integration registers by itself or `register_all` is given. Raises RetryLater while an import of the same
    integration is at work for too long.
    """
    checked = registered = 0
    for one in checked_again(
        session, codes=codes, invoice_ids=invoice_ids, integration_id=integration_id, now=now, actor=actor,
        by_person=register_all,
    ):  # fmt: skip
        checked += 1
        registered += one.registered
    return Rechecked(checked, registered, checked - registered)


def checked_again(
    session: Session,
    *,
    codes: Collection[str] = (),
    invoice_ids: Sequence[int] | None = None,
    integration_id: int | None = None,
    now: datetime,
    actor: str,
    by_person: bool = False,
) -> Iterator[Checked]:
    """The same, one by one as they are done, page by page and integration by integration."""
    with reading(session):
        integrations = session.scalars(
            select(Invoice.integration_id).distinct().where(*_waiting(codes, invoice_ids, integration_id))
        ).all()
    for one in sorted(integrations):
        yield from _of_integration(
            session, one, codes=codes, invoice_ids=invoice_ids, now=now, actor=actor, by_person=by_person
        )


def _waiting(
    codes: Collection[str], invoice_ids: Sequence[int] | None, integration_id: int | None
) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [
        Invoice.state == InvoiceState.IN_JOURNAL,
        Invoice.kind == InvoiceKind.INVOICE,
        Invoice.touched_at.is_(None),
    ]
    if invoice_ids is not None:
        conditions.append(Invoice.id.in_(invoice_ids))
    if integration_id is not None:
        conditions.append(Invoice.integration_id == integration_id)
    if codes:
        conditions.append(Invoice.id.in_(select(InvoiceFinding.invoice_id).where(InvoiceFinding.code.in_(list(codes)))))
    return conditions


def _of_integration(
    session: Session,
    integration_id: int,
    *,
    codes: Collection[str],
    invoice_ids: Sequence[int] | None,
    now: datetime,
    actor: str,
    by_person: bool,
) -> Iterator[Checked]:
    clock = _going_on_from(now)
    claim, booking = _claim(session, integration_id, clock=clock, actor=actor, by_person=by_person)
    counts = Counts()
    after = 0
    try:
        while True:
            with reading(session):
                ids = session.scalars(
                    select(Invoice.id)
                    .where(*_waiting(codes, invoice_ids, integration_id), Invoice.id > after)
                    .order_by(Invoice.id)
                    .limit(_PAGE)
                ).all()
            if not ids:
                break
            after = ids[-1]
            booking.now = clock()
            prepare_now = partial(_prepare, booking=booking, invoice_ids=ids)
            prepared, counts = book_prepared(session, claim, booking, prepare_now, counts)
            yield from (_checked(one) for one in prepared)
    finally:
        _end(session, claim, now=clock())


def _going_on_from(now: datetime) -> Clock:
    """A clock that shows `now` at first: a claim whose time stood still would be taken for that of a dead process."""
    begun = time.monotonic()
    return lambda: now + timedelta(seconds=time.monotonic() - begun)


def _prepare(session: Session, *, booking: Booking, invoice_ids: Sequence[int]) -> list[Prepared]:
    return prepare_again(session, booking, _remembered(session, booking, invoice_ids))


def _remembered(session: Session, booking: Booking, invoice_ids: Sequence[int]) -> list[tuple[Remembered, Living]]:
    """The orders of waiting invoices, read anew from what the store said last."""
    orders = session.scalars(
        select(StoreOrder)
        .join(Invoice, Invoice.store_order_id == StoreOrder.id)
        .where(Invoice.id.in_(invoice_ids), Invoice.state == InvoiceState.IN_JOURNAL)
        .execution_options(populate_existing=True)
    ).all()
    living = living_invoices(session, booking.store_id, [order.external_id for order in orders])
    raws = raw_pages.load_versions(session, [order.latest_version_id for order in orders if order.latest_version_id])
    found = []
    for order in orders:
        document = living.get(order.external_id)
        if order.latest_version_id is None or document is None or document.touched:
            continue
        raw, context = raws[order.latest_version_id]
        read = booking.connector.read(raw, context)
        found.append((Remembered(order.id, order.latest_version_id, read, order.ignored_version_id), document))
    return found


def _checked(one: Prepared) -> Checked:
    assert one.living is not None  # noqa: S101 - only waiting invoices are checked again
    return Checked(one.living.id, one.number, one.outcome == "registered", tuple(one.findings))


def _claim(
    session: Session, integration_id: int, *, clock: Clock, actor: str, by_person: bool
) -> tuple[Claim, Booking]:
    """A run of kind recheck takes the integration's claim, so that no import books beside it."""
    now = clock()
    with writing(session):
        row = Run(
            integration_id=integration_id, kind=RunKind.RECHECK, state=RunState.QUEUED, window_start=now,
            window_end=now + timedelta(seconds=1), foreground=True, created_at=now, requested_by=actor,
        )  # fmt: skip
        session.add(row)
        session.flush()
    # A refused claim is rolled back, and the row's object would begin a transaction when it is asked for its id.
    run_id = row.id
    deadline = time.monotonic() + _PATIENCE
    while True:
        claims.take_back(session, now=clock())
        claim = claims.claim(session, run_id, now=clock(), worker=claims.this_process())
        if claim is not None:
            break
        if time.monotonic() > deadline:
            with writing(session):
                row.state = RunState.STOPPED
                row.ended_at = clock()
            raise RetryLater(
                "An import of this integration is at work, so what waits could not be checked again.",
                fix="Check it again when the import has ended.",
            )
        time.sleep(0.5)
    with reading(session):
        integration = session.get_one(Integration, integration_id, populate_existing=True)
        booking = booking_for(
            session, integration, run_id=run_id, attempt=claim.attempt, kind=RunKind.RECHECK, now=clock(),
            actor=actor, by_person=by_person,
        )  # fmt: skip
    return claim, booking


def _end(session: Session, claim: Claim, *, now: datetime) -> None:
    with writing(session):
        claims.hold(session, claim, now=now, state=RunState.DONE, ended_at=now)
