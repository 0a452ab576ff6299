"""What waits: which waiting invoices somebody means, a page of them, how many and for how much."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from sqlalchemy import ColumnElement, extract, func, select
from sqlalchemy.orm import Session, defer, selectinload

from monet_web.domain.findings import OF_A_LINE, PERSON_MAY_PASS
from monet_web.models.invoices import AccountingType, Invoice, InvoiceFinding, InvoiceKind, InvoiceState
from monet_web.services.documents.search import found_by

PAGE = 50


@dataclass(frozen=True, slots=True)
class Which:
    """Waiting invoices that somebody means; what is None does not matter. `invoice_ids` names them one by one."""

    invoice_ids: tuple[int, ...] | None = None
    journal_id: int | None = None
    code: str | None = None  # of a finding that stops
    subject: str | None = None  # of that finding; None: any
    integration_id: int | None = None
    accounting_type: AccountingType | None = None
    month: date | None = None  # its first day; of the invoice's date
    text: str = ""
    passing: bool = False  # only those that a person may register: nothing else stands in the way
    failing: bool = False  # only the others
    kind: InvoiceKind | None = None


@dataclass(frozen=True, slots=True)
class Sum:
    """How many invoices, for how much in each currency, dated in which months, how many corrected by hand."""

    count: int = 0
    sums: dict[str, Decimal] = field(default_factory=dict)
    months: tuple[date, ...] = ()
    touched: int = 0


def conditions(which: Which) -> list[ColumnElement[bool]]:
    """What a query of invoices must ask to get those that are meant."""
    asked: list[ColumnElement[bool]] = [Invoice.state == InvoiceState.IN_JOURNAL]
    if which.invoice_ids is not None:
        asked.append(Invoice.id.in_(which.invoice_ids))
    if which.journal_id is not None:
        asked.append(Invoice.journal_id == which.journal_id)
    if which.integration_id is not None:
        asked.append(Invoice.integration_id == which.integration_id)
    if which.kind is not None:
        asked.append(Invoice.kind == which.kind)
    if which.accounting_type is not None:
        asked.append(Invoice.accounting_type == which.accounting_type)
    if which.month is not None:
        asked += [Invoice.issue_date >= which.month, Invoice.issue_date < next_month(which.month)]
    if which.code is not None:
        found = select(InvoiceFinding.invoice_id).where(InvoiceFinding.code == which.code, InvoiceFinding.stops)
        if which.subject is not None and which.code not in OF_A_LINE:
            found = found.where(InvoiceFinding.subject == which.subject)
        asked.append(Invoice.id.in_(found))
    if which.passing:
        asked.append(~held())
    if which.failing:
        asked.append(held())
    return [*asked, *found_by(which.text)]


def held() -> ColumnElement[bool]:
    """True of an invoice with something in the way that no person may pass; for a query of invoices."""
    found = select(InvoiceFinding.id).where(
        InvoiceFinding.invoice_id == Invoice.id, InvoiceFinding.stops, InvoiceFinding.code.not_in(PERSON_MAY_PASS)
    )
    return found.correlate(Invoice).exists()


def page(session: Session, which: Which, *, after: int = 0, limit: int = PAGE) -> tuple[list[Invoice], int | None]:
    """The oldest first, with their findings, and the cursor of the next page. Inside a transaction, two queries."""
    query = (
        select(Invoice)
        .where(*conditions(which), Invoice.id > after)
        .order_by(Invoice.id)
        .limit(limit + 1)
        .options(selectinload(Invoice.found), defer(Invoice.search_text), defer(Invoice.buyer))
        .execution_options(populate_existing=True)
    )
    found = list(session.scalars(query))
    return found[:limit], found[limit - 1].id if len(found) > limit else None


def ids(session: Session, which: Which, *, limit: int) -> list[int]:
    """The ids of those that are meant, the oldest first, at most `limit`. Inside a transaction."""
    return list(session.scalars(select(Invoice.id).where(*conditions(which)).order_by(Invoice.id).limit(limit)))


def summary(session: Session, which: Which) -> Sum:
    """What a question before registering or deleting names (H6). Inside a transaction, one query."""
    year, month = extract("year", Invoice.issue_date), extract("month", Invoice.issue_date)
    rows = session.execute(
        select(
            Invoice.currency, year.label("year"), month.label("month"), func.count(Invoice.id).label("invoices"),
            func.sum(Invoice.total).label("total"), func.count(Invoice.touched_at).label("touched"),
        )
        .where(*conditions(which))
        .group_by(Invoice.currency, year, month)
        .order_by(Invoice.currency)
    ).all()  # fmt: skip
    sums: dict[str, Decimal] = {}
    for row in rows:
        sums[row.currency] = sums.get(row.currency, Decimal(0)) + row.total
    return Sum(
        count=sum(row.invoices for row in rows),
        sums=sums,
        months=tuple(sorted({date(int(row.year), int(row.month), 1) for row in rows})),
        touched=sum(row.touched for row in rows),
    )


def months(session: Session, which: Which) -> Sequence[tuple[date, int]]:
    """The months in which invoices wait, the newest first, and how many. Inside a transaction, one query."""
    year, month = extract("year", Invoice.issue_date), extract("month", Invoice.issue_date)
    rows = session.execute(
        select(year.label("year"), month.label("month"), func.count(Invoice.id).label("invoices"))
        .where(*conditions(which))
        .group_by(year, month)
        .order_by(year.desc(), month.desc())
    ).all()
    return [(date(int(row.year), int(row.month), 1), row.invoices) for row in rows]


def next_month(first: date) -> date:
    """The first day of the month after."""
    return date(first.year + first.month // 12, first.month % 12 + 1, 1)
