"""What waits: which waiting invoices somebody means, a page of them, how many and for how much."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, extract, func, select, type_coerce
from sqlalchemy.orm import Session, defer, selectinload

from monet_web.domain.findings import OF_A_LINE, PERSON_MAY_PASS
from monet_web.models.invoices import IS_WAITING, AccountingType, Invoice, InvoiceFinding, InvoiceKind
from monet_web.services.books import waiting_figures
from monet_web.services.books.waiting_figures import Figures, Sort, Tally
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

    @property
    def is_counted(self) -> bool:
        """True when the figures of journals answer it: it names no invoices one by one, no words, no subject alone."""
        return self.invoice_ids is None and not self.text.strip()

    @property
    def sort(self) -> dict[str, Any]:
        """What it wants of a sort of invoices."""
        wanted = {
            "kind": self.kind.value if self.kind else None,
            "accounting_type": self.accounting_type.value if self.accounting_type else None,
            "integration_id": self.integration_id,
            "month": self.month,
            "passing": True if self.passing else (False if self.failing else None),
        }
        return {name: value for name, value in wanted.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Sum:
    """How many invoices, for how much in each currency, dated in which months, how many corrected by hand."""

    count: int = 0
    sums: dict[str, Decimal] = field(default_factory=dict)
    months: tuple[date, ...] = ()
    touched: int = 0


def conditions(session: Session, which: Which) -> list[ColumnElement[bool]]:
    """What a query of invoices must ask to get those that are meant. Inside a transaction."""
    found_here = found_by(session, which.text)
    asked: list[ColumnElement[bool]] = [IS_WAITING]
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
    return [*asked, *found_here.conditions]


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
        .where(*conditions(session, which), Invoice.id > after)
        .order_by(Invoice.id)
        .limit(limit + 1)
        .options(selectinload(Invoice.found), defer(Invoice.search_text), defer(Invoice.buyer))
        .execution_options(populate_existing=True)
    )
    found = list(session.scalars(query))
    return found[:limit], found[limit - 1].id if len(found) > limit else None


def ids(session: Session, which: Which, *, limit: int) -> list[int]:
    """The ids of those that are meant, the oldest first, at most `limit`. Inside a transaction."""
    return list(
        session.scalars(select(Invoice.id).where(*conditions(session, which)).order_by(Invoice.id).limit(limit))
    )


def summary(session: Session, which: Which) -> Sum:
    """What a question before registering or deleting names (H6). Inside a transaction, one query where all is known."""
    tallies = _tallies(session, which) if which.is_counted else _summed(session, which)
    sums: dict[str, Decimal] = {}
    for sort, tally in sorted(tallies, key=lambda one: one[0].currency):
        sums[sort.currency] = sums.get(sort.currency, Decimal(0)) + waiting_figures.money(tally.total)
    return Sum(
        count=sum(tally.invoices for _, tally in tallies),
        sums=sums,
        months=tuple(sorted({sort.month for sort, _ in tallies})),
        touched=sum(tally.touched for _, tally in tallies),
    )


def months(session: Session, which: Which) -> Sequence[tuple[date, int]]:
    """The months in which invoices wait, the newest first, and how many. Inside a transaction, as `summary`."""
    counted: dict[date, int] = {}
    for sort, tally in _tallies(session, which) if which.is_counted else _summed(session, which):
        counted[sort.month] = counted.get(sort.month, 0) + tally.invoices
    return sorted(counted.items(), reverse=True)


def figures_of(session: Session, which: Which) -> Figures:
    """Those of the journal that is meant, else of all. Inside a transaction."""
    if which.journal_id is None:
        return waiting_figures.of_all(session)
    return waiting_figures.of_journals(session, [which.journal_id]).get(which.journal_id, Figures())


def _tallies(session: Session, which: Which) -> list[tuple[Sort, Tally]]:
    figures = figures_of(session, which)
    if which.code is None:
        tallies = figures.invoices
    elif which.subject is not None and which.code not in OF_A_LINE:
        tallies = figures.causes.get((which.code, which.subject), {})
    else:
        tallies = figures.codes.get(which.code, {})
    return list(waiting_figures.sorts(tallies, which.sort))


def _summed(session: Session, which: Which) -> list[tuple[Sort, Tally]]:
    year, month = extract("year", Invoice.issue_date), extract("month", Invoice.issue_date)
    rows = session.execute(
        select(
            Invoice.currency, year.label("year"), month.label("month"), func.count(Invoice.id).label("invoices"),
            type_coerce(func.sum(Invoice.total), BigInteger).label("total"),
            func.count(Invoice.touched_at).label("touched"),
        )
        .where(*conditions(session, which))
        .group_by(Invoice.currency, year, month)
    ).all()  # fmt: skip
    return [
        (
            Sort("", "", 0, row.currency, date(int(row.year), int(row.month), 1), passing=False),
            Tally(row.invoices, int(row.total), row.touched),
        )
        for row in rows
    ]


def next_month(first: date) -> date:
    """The first day of the month after."""
    return date(first.year + first.month // 12, first.month % 12 + 1, 1)
