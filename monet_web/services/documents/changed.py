"""Changed in the store: documents that are final or corrected by hand and whose order says something else now (D12)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, extract, func, select
from sqlalchemy.orm import Session

from monet_web.domain import change_rows
from monet_web.domain.change_rows import Row
from monet_web.domain.orders import Order, Unreadable
from monet_web.models.company import Company
from monet_web.models.integrations import Integration, Store
from monet_web.models.invoices import Invoice, InvoiceFinding, InvoiceState
from monet_web.models.store_orders import StoreOrder
from monet_web.services.documents import document
from monet_web.services.documents.waiting import Sum
from monet_web.services.importing import raw_pages
from monet_web.services.importing.facts import CANCELLED, CHANGED, REFUNDED_ONLY
from monet_web.services.importing.vanished import GONE

PAGE = 20


class Answer(StrEnum):
    """What accepting a change does with the document."""

    REFRESH = "refresh"  # waiting: drafted anew from what the store says, corrections by hand are lost
    LEAVE = "leave"  # waiting, nothing was sold after all: it leaves the journal
    REPLACE = "replace"  # registered: credited in full, and a new invoice of the next revision
    CREDIT = "credit"  # registered, nothing was sold after all: credited in full
    NONE = "none"  # money given back is no other sale: a credit note of a part, not this


@dataclass(frozen=True, slots=True)
class Kind:
    """Changes that are answered alike: how many documents, for how much, dated when."""

    answer: Answer
    sum: Sum


@dataclass(frozen=True, slots=True)
class Changed:
    """One document whose order changed: what differs row by row, None where that can't be told (deleted, unreadable).

    `version`: of the order, as the finding names it; an answer to an older one is refused.
    """

    invoice: Invoice
    order: StoreOrder
    integration: str
    what: str
    version: str
    answer: Answer
    rows: tuple[Row, ...] | None = None
    is_gone: bool = False
    new_total: Decimal | None = None
    new_currency: str = ""


def answer_of(state: InvoiceState, kind: str) -> Answer:
    """What *Accept* does for a document in `state` whose change is of `kind` (a subject of the finding)."""
    if kind == REFUNDED_ONLY:
        return Answer.NONE
    if state is InvoiceState.REGISTERED:
        return Answer.CREDIT if kind == CANCELLED else Answer.REPLACE
    return Answer.LEAVE if kind == CANCELLED else Answer.REFRESH


def count(session: Session) -> int:
    """How many documents are changed in the store. Inside a transaction, one query of the index of codes."""
    return session.execute(
        select(func.count()).select_from(InvoiceFinding).where(InvoiceFinding.code == CHANGED)
    ).scalar_one()


def kinds(session: Session) -> list[Kind]:
    """The changes by what accepting them does, in the order of Answer. Inside a transaction, one query."""
    year, month = extract("year", Invoice.issue_date), extract("month", Invoice.issue_date)
    rows = session.execute(
        select(
            Invoice.state, InvoiceFinding.subject, Invoice.currency, year.label("year"), month.label("month"),
            func.count().label("documents"), func.sum(Invoice.total).label("total"),
            func.count(Invoice.touched_at).label("touched"),
        )
        .join(Invoice, Invoice.id == InvoiceFinding.invoice_id)
        .where(InvoiceFinding.code == CHANGED)
        .group_by(Invoice.state, InvoiceFinding.subject, Invoice.currency, year, month)
    ).all()  # fmt: skip
    found = []
    for answer in Answer:
        mine = [row for row in rows if answer_of(row.state, row.subject) is answer]
        sums: dict[str, Decimal] = {}
        for row in mine:
            sums[row.currency] = sums.get(row.currency, Decimal(0)) + row.total
        if mine:
            months = tuple(sorted({date(int(row.year), int(row.month), 1) for row in mine}))
            total = Sum(sum(row.documents for row in mine), sums, months, sum(row.touched for row in mine))
            found.append(Kind(answer, total))
    return found


def versions(session: Session, answer: Answer, *, limit: int) -> dict[int, str]:
    """Documents of one kind, the oldest first, and which version of its order each was found to differ from."""
    query = (
        select(Invoice.id, InvoiceFinding.values).join(InvoiceFinding, InvoiceFinding.invoice_id == Invoice.id)
        .where(*_of(answer)).order_by(Invoice.id).limit(limit)
    )  # fmt: skip
    return {row.id: str(row.values.get("version", "")) for row in session.execute(query)}


def page(
    session: Session, *, answer: Answer | None = None, after: int = 0, limit: int = PAGE
) -> tuple[list[Changed], int | None]:
    """Documents whose orders changed, the oldest first, and the next page's cursor. In a transaction, five queries."""
    query = _select().where(*_of(answer), Invoice.id > after).order_by(Invoice.id).limit(limit + 1)
    rows = session.execute(query.execution_options(populate_existing=True)).all()
    found = _told(session, rows[:limit])
    return found, found[-1].invoice.id if len(rows) > limit else None


def of_invoices(session: Session, invoice_ids: Sequence[int]) -> list[Changed]:
    """Those of these documents whose orders changed. Inside a transaction, five queries."""
    query = _select().where(InvoiceFinding.code == CHANGED, Invoice.id.in_(invoice_ids)).order_by(Invoice.id)
    return _told(session, session.execute(query.execution_options(populate_existing=True)).all())


def _of(answer: Answer | None) -> list[ColumnElement[bool]]:
    asked: list[ColumnElement[bool]] = [InvoiceFinding.code == CHANGED]
    match answer:
        case None:
            pass
        case Answer.NONE:
            asked.append(InvoiceFinding.subject == REFUNDED_ONLY)
        case Answer.REPLACE | Answer.REFRESH:
            asked.append(InvoiceFinding.subject.not_in((REFUNDED_ONLY, CANCELLED)))
        case Answer.CREDIT | Answer.LEAVE:
            asked.append(InvoiceFinding.subject == CANCELLED)
    if answer in (Answer.REPLACE, Answer.CREDIT):
        asked.append(Invoice.state == InvoiceState.REGISTERED)
    if answer in (Answer.REFRESH, Answer.LEAVE):
        asked.append(Invoice.state == InvoiceState.IN_JOURNAL)
    return asked


def _select() -> Select[Invoice, InvoiceFinding, StoreOrder, str, str]:
    return (
        select(Invoice, InvoiceFinding, StoreOrder, Integration.name, Store.platform)
        .join(InvoiceFinding, InvoiceFinding.invoice_id == Invoice.id)
        .join(StoreOrder, StoreOrder.id == Invoice.store_order_id)
        .join(Integration, Integration.id == Invoice.integration_id)
        .join(Store, Store.id == Invoice.store_id)
    )


def _told(session: Session, rows: Sequence[Any]) -> list[Changed]:
    zone = ZoneInfo(session.get_one(Company, 1).time_zone)
    versions = {one.drafted_from_version_id for one, *_rest in rows}
    versions |= {order.latest_version_id for _one, _finding, order, *_rest in rows if order.latest_version_id}
    raws = raw_pages.load_versions(session, versions)

    def said(platform: str, version: int | None) -> Order | Unreadable | None:
        return document.read(platform, *raws[version]) if version in raws else None

    found = []
    for invoice, finding, order, name, platform in rows:
        one = Changed(
            invoice=invoice,
            order=order,
            integration=name,
            what=str(finding.values.get("what", "")),
            version=str(finding.values.get("version", "")),
            answer=answer_of(invoice.state, finding.subject),
            is_gone=finding.values.get("what") == GONE,
        )
        old, new = said(platform, invoice.drafted_from_version_id), said(platform, order.latest_version_id)
        if isinstance(old, Order) and isinstance(new, Order) and not one.is_gone:
            rows_of = tuple(change_rows.rows(old, new, zone))
            one = replace(one, rows=rows_of, new_total=new.total, new_currency=new.currency)
        found.append(one)
    return found
