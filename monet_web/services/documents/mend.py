"""Mending: what waited is checked again after something was set right, and registered where it may be (E2)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from monet_web.domain.findings import Finding
from monet_web.models.base import reading, writing
from monet_web.models.invoices import IS_WAITING, Invoice, InvoiceFinding, InvoiceKind
from monet_web.models.store_orders import StoreOrder
from monet_web.services.books.closed import closed_until
from monet_web.services.importing import raw_pages, refunds
from monet_web.services.importing.book import book_prepared
from monet_web.services.importing.booking import Booking
from monet_web.services.importing.claimed import PATIENCE, Claimed, claimed
from monet_web.services.importing.claims import hold, patiently
from monet_web.services.importing.collect import Remembered
from monet_web.services.importing.counts import Counts
from monet_web.services.importing.facts import Living, living_invoices
from monet_web.services.importing.prepare import Prepared, prepare_again

_PAGE = 200  # invoices a transaction
_PART = 1000  # ids a query


@dataclass(frozen=True, slots=True)
class Checked:
    """One waiting invoice after it was checked again."""

    invoice_id: int
    number: str | None
    registered: bool
    findings: tuple[Finding, ...] = ()


@dataclass(slots=True)
class _Meant:
    """Documents of one integration, by id; credit notes are checked another way than invoices."""

    invoices: list[int] = field(default_factory=list)
    notes: list[int] = field(default_factory=list)


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
    dated: date | None = None,
    patience: float = PATIENCE,
) -> Rechecked:
    """Check waiting invoices again: those given, or those with a finding of `codes` (() = all that wait).

    Drafted anew from what the store said last, or as a person corrected them, under today's settings and facts; those
    that pass are registered when
    their integration registers by itself or `register_all` is given. `dated`: the issue date of those whose own lies in
    a closed period; the supply date stays. Raises RetryLater while an import of the same
    integration is at work for longer than `patience` seconds.
    """
    checked = registered = 0
    for one in checked_again(
        session, codes=codes, invoice_ids=invoice_ids, integration_id=integration_id, now=now, actor=actor,
        by_person=register_all, dated=dated, patience=patience,
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
    dated: date | None = None,
    without_stock: str = "",
    patience: float = PATIENCE,
) -> Iterator[Checked]:
    """The same, one by one as they are done, page by page and integration by integration."""
    for one, ids in _by_integration(session, codes, invoice_ids, integration_id).items():
        yield from _of_integration(
            session, one, ids, now=now, actor=actor, by_person=by_person, dated=dated, without_stock=without_stock,
            patience=patience,
        )  # fmt: skip


def _by_integration(
    session: Session, codes: Collection[str], invoice_ids: Sequence[int] | None, integration_id: int | None
) -> dict[int, _Meant]:
    """Integration → what of its documents is meant, by id: all found before the first is changed."""
    parts: list[Sequence[int] | None] = [None]
    if invoice_ids is not None:
        wanted = sorted(set(invoice_ids))
        parts = [wanted[start : start + _PART] for start in range(0, len(wanted), _PART)]
    found: dict[int, _Meant] = defaultdict(_Meant)
    with reading(session):
        for part in parts:
            rows = session.execute(
                select(Invoice.integration_id, Invoice.id, Invoice.kind)
                .where(*_waiting(codes, part, integration_id))
                .order_by(Invoice.integration_id, Invoice.id)
            )
            for row in rows:
                meant = found[row.integration_id]
                (meant.invoices if row.kind is InvoiceKind.INVOICE else meant.notes).append(row.id)
    return dict(sorted(found.items()))


def _waiting(
    codes: Collection[str], invoice_ids: Sequence[int] | None, integration_id: int | None
) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [IS_WAITING]
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
    meant: _Meant,
    *,
    now: datetime,
    actor: str,
    by_person: bool,
    dated: date | None,
    without_stock: str,
    patience: float,
) -> Iterator[Checked]:
    counts = Counts()
    with claimed(session, integration_id, now=now, actor=actor, by_person=by_person, patience=patience) as held:
        held.booking.dated, held.booking.without_stock = dated, without_stock
        ids, notes = meant.invoices, meant.notes
        for start in range(0, len(ids), _PAGE):
            held.booking.now = held.clock()
            prepare_now = partial(_prepare, booking=held.booking, invoice_ids=ids[start : start + _PAGE])
            prepared, counts = book_prepared(session, held.claim, held.booking, prepare_now, counts)
            yield from (_checked(one) for one in prepared)
        for start in range(0, len(notes), _PAGE):  # after the invoices that they may belong to
            part = notes[start : start + _PAGE]
            yield from patiently(partial(_notes_checked, session, held, part, by_person=by_person))


def _notes_checked(session: Session, held: Claimed, note_ids: Sequence[int], *, by_person: bool) -> list[Checked]:
    """Waiting credit notes made again from their orders, invoices and what people decided about them."""
    held.booking.now = held.clock()
    with writing(session):
        hold(session, held.claim, now=held.booking.now)
        held.booking.closed_until = closed_until(session, lock=True)
        noted = refunds.follow(
            session, held.booking, _followed(session, held.booking, note_ids), chosen=note_ids, by_person=by_person
        )
        made = refunds.count_of_run(session, held.claim.run_id)
        if made:
            hold(session, held.claim, now=held.booking.now, credit_notes=made)
    asked = set(note_ids)
    return [Checked(one.id, one.number, one.registered, one.findings) for one in noted if one.id in asked]


def _followed(session: Session, booking: Booking, note_ids: Sequence[int]) -> list[refunds.Followed]:
    """The orders of these credit notes as the store said them last, each with its invoice."""
    rows = session.execute(
        select(StoreOrder, Invoice.credits_invoice_id)
        .join(Invoice, Invoice.store_order_id == StoreOrder.id)
        .where(Invoice.id.in_(note_ids), IS_WAITING)
        .execution_options(populate_existing=True)
    ).all()
    versions = {order.latest_version_id for order, _invoice in rows if order.latest_version_id is not None}
    raws = raw_pages.load_versions(session, versions)
    found: dict[int, refunds.Followed] = {}
    for order, invoice_id in rows:
        version = order.latest_version_id
        if version in raws and invoice_id is not None:
            raw, context = raws[version]
            read = booking.connector.read(raw, context)
            found[invoice_id] = refunds.Followed(Remembered(order.id, version, read), invoice_id)
    return list(found.values())


def _prepare(session: Session, *, booking: Booking, invoice_ids: Sequence[int]) -> list[Prepared]:
    return prepare_again(session, booking, _remembered(session, booking, invoice_ids))


def _remembered(session: Session, booking: Booking, invoice_ids: Sequence[int]) -> list[tuple[Remembered, Living]]:
    """The orders of waiting invoices, read anew from what the store said last."""
    orders = session.scalars(
        select(StoreOrder)
        .join(Invoice, Invoice.store_order_id == StoreOrder.id)
        .where(Invoice.id.in_(invoice_ids), IS_WAITING)
        .execution_options(populate_existing=True)
    ).all()
    living = living_invoices(session, booking.store_id, [order.external_id for order in orders])
    versions = {order.id: _version(order, living.get(order.external_id)) for order in orders}
    raws = raw_pages.load_versions(session, [version for version in versions.values() if version is not None])
    found = []
    for order in orders:
        document, version = living.get(order.external_id), versions[order.id]
        if version is None or document is None:
            continue
        raw, context = raws[version]
        read = booking.connector.read(raw, context)
        found.append((Remembered(order.id, version, read, order.ignored_version_id), document))
    return found


def _version(order: StoreOrder, document: Living | None) -> int | None:
    """What an invoice is drafted from: the newest state, or the one that a person's correction was laid over."""
    if document is not None and document.touched:
        return document.drafted_from_version_id
    return order.latest_version_id


def _checked(one: Prepared) -> Checked:
    assert one.living is not None  # noqa: S101 - only waiting invoices are checked again
    return Checked(one.living.id, one.number, one.outcome == "registered", tuple(one.findings))
