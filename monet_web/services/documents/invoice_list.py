"""Sales invoices listed: what is looked for, in which order, a page at a time by keyset, and how many there are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Text, cast, func, literal, select, tuple_
from sqlalchemy.orm import Session, defer, selectinload

from monet_web.models.company import CurrencyRate
from monet_web.models.invoices import IS_FOREIGN, NOT_WAITING, Invoice, InvoiceFinding, InvoiceState
from monet_web.services.documents.search import found_by
from monet_web.services.importing.facts import CHANGED

PAGE = 50
MOST_COUNTED = 1000  # beyond it a list says "more than": counting must not grow with the books
EURO = "EUR"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Registered invoices that somebody looks for; what is None, False or "" does not matter."""

    text: str = ""
    integration_id: int | None = None
    first: date | None = None  # of the invoice's date, both days included
    last: date | None = None
    currency: str = ""
    has_notices: bool = False
    is_changed: bool = False  # in the store, after it was registered


@dataclass(frozen=True, slots=True)
class Counted:
    """How many there are, for how much; `is_whole` False: there are more than MOST_COUNTED, and no sums."""

    count: int
    is_whole: bool
    sums: dict[str, Decimal] = field(default_factory=dict)


# What a list is sorted by; the id decides between equal ones, so that no page repeats a row of another.
SORTS: Mapping[str, Any] = {
    "date": Invoice.issue_date,
    "number": Invoice.number_key,
    # Sums of several currencies compare in euros; older documents without them are in euros already.
    "total": func.coalesce(Invoice.total_eur, Invoice.total),
    "buyer": func.lower(Invoice.buyer_name),
}
DEFAULT_SORT = "date"


def conditions(session: Session, wanted: Wanted, *, sort: str = DEFAULT_SORT) -> list[ColumnElement[bool]]:
    """What a query of invoices must ask to get those that are looked for. Inside a transaction."""
    found = found_by(session, wanted.text)
    by_number = sort == "number" and not (wanted.first or wanted.last or wanted.integration_id)
    another_leads = found.leads or wanted.is_changed or wanted.has_notices or by_number
    asked: list[ColumnElement[bool]] = [NOT_WAITING if another_leads else Invoice.state == InvoiceState.REGISTERED]
    if wanted.integration_id is not None:
        asked.append(Invoice.integration_id == wanted.integration_id)
    if wanted.first is not None:
        asked.append(Invoice.issue_date >= wanted.first)
    if wanted.last is not None:
        asked.append(Invoice.issue_date <= wanted.last)
    if wanted.currency:
        asked.append(Invoice.currency == wanted.currency)
        if wanted.currency != EURO:
            asked.append(IS_FOREIGN)
    # From the findings to their invoices: the other way round every invoice would be asked for its own.
    if wanted.is_changed:
        asked.append(Invoice.id.in_(select(InvoiceFinding.invoice_id).where(InvoiceFinding.code == CHANGED)))
    if wanted.has_notices:
        asked.append(Invoice.id.in_(select(InvoiceFinding.invoice_id).where(~InvoiceFinding.stops)))
    return [*asked, *found.conditions]


def page(
    session: Session, wanted: Wanted, *, sort: str = DEFAULT_SORT, descending: bool = True, after: int | None = None
) -> tuple[list[Invoice], int | None]:
    """PAGE invoices with their findings, and the cursor of the next page. Inside a transaction, three queries at most.

    `after` is the id of the last invoice of the page before; registered invoices stay, so it is always there.
    """
    key = SORTS[sort]
    query = select(Invoice).where(*conditions(session, wanted, sort=sort))
    if after is not None:
        # Compared as a pair: both databases then begin in the index where the page before ended.
        last = tuple_(select(key).where(Invoice.id == after).scalar_subquery(), literal(after))
        here = tuple_(key, Invoice.id)
        query = query.where(here < last if descending else here > last)
    order = (key.desc(), Invoice.id.desc()) if descending else (key.asc(), Invoice.id.asc())
    found = list(
        session.scalars(
            query.order_by(*order)
            .limit(PAGE + 1)
            .options(selectinload(Invoice.found), defer(Invoice.search_text), defer(Invoice.buyer))
        )
    )
    return found[:PAGE], found[PAGE - 1].id if len(found) > PAGE else None


def counted(session: Session, wanted: Wanted) -> Counted:
    """How many are looked for and their sums, counting no further than MOST_COUNTED. Inside a transaction."""
    some = (
        select(Invoice.currency, Invoice.total).where(*conditions(session, wanted)).limit(MOST_COUNTED + 1).subquery()
    )
    rows = session.execute(
        select(some.c.currency, func.count().label("invoices"), func.sum(some.c.total).label("total"))
        .group_by(some.c.currency)
        .order_by(some.c.currency)
    ).all()
    count = sum(row.invoices for row in rows)
    if count > MOST_COUNTED:
        return Counted(MOST_COUNTED, False)
    return Counted(count, True, {row.currency: row.total for row in rows})


def currencies(session: Session) -> list[str]:
    """The euro and every currency that has a rate: no invoice of another one can be registered.

    A step of the index for each, however many rates and invoices there are. Inside a transaction.
    """
    first = select(cast(func.min(CurrencyRate.currency), Text).label("currency"))
    steps = first.cte("steps", recursive=True)
    following = (
        select(cast(func.min(CurrencyRate.currency), Text))
        .where(CurrencyRate.currency > steps.c.currency)
        .correlate(steps)
        .scalar_subquery()
    )
    steps = steps.union_all(select(following).where(steps.c.currency.is_not(None)))
    found = session.scalars(select(steps.c.currency).where(steps.c.currency.is_not(None)))
    return [EURO, *(each for each in found if each != EURO)]
