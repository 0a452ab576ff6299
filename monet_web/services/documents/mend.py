"""Mending: what waited is checked again after something was set right, and registered where it may be (E2)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from monet_web.domain.findings import Finding
from monet_web.models.base import reading
from monet_web.models.invoices import Invoice, InvoiceFinding, InvoiceKind, InvoiceState
from monet_web.models.store_orders import StoreOrder
from monet_web.services.importing import raw_pages
from monet_web.services.importing.book import book_prepared
from monet_web.services.importing.booking import Booking
from monet_web.services.importing.claimed import PATIENCE, claimed
from monet_web.services.importing.collect import Remembered
from monet_web.services.importing.counts import Counts
from monet_web.services.importing.facts import Living, living_invoices
from monet_web.services.importing.prepare import Prepared, prepare_again

_PAGE = 200  # invoices a transaction


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
    patience: float = PATIENCE,
) -> Rechecked:
    """Check waiting invoices again: those given, or those with a finding of `codes` (() = all that wait).

    Drafted anew from what the store said last, under today's settings and facts; those that pass are registered when
    their integration registers by itself or `register_all` is given. Raises RetryLater while an import of the same
    integration is at work for longer than `patience` seconds.
    """
    checked = registered = 0
    for one in checked_again(
        session, codes=codes, invoice_ids=invoice_ids, integration_id=integration_id, now=now, actor=actor,
        by_person=register_all, patience=patience,
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
    patience: float = PATIENCE,
) -> Iterator[Checked]:
    """The same, one by one as they are done, page by page and integration by integration."""
    with reading(session):
        integrations = session.scalars(
            select(Invoice.integration_id).distinct().where(*_waiting(codes, invoice_ids, integration_id))
        ).all()
    for one in sorted(integrations):
        yield from _of_integration(
            session, one, codes=codes, invoice_ids=invoice_ids, now=now, actor=actor, by_person=by_person,
            patience=patience,
        )  # fmt: skip


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
    patience: float,
) -> Iterator[Checked]:
    counts = Counts()
    after = 0
    with claimed(session, integration_id, now=now, actor=actor, by_person=by_person, patience=patience) as held:
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
            held.booking.now = held.clock()
            prepare_now = partial(_prepare, booking=held.booking, invoice_ids=ids)
            prepared, counts = book_prepared(session, held.claim, held.booking, prepare_now, counts)
            yield from (_checked(one) for one in prepared)


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
