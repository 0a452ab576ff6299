"""A series of our own as the books hold it, whatever the days: what is before a number, dated later, or at its end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from monet_web.domain.number_gaps import Numbered, Why
from monet_web.models.invoices import Invoice, InvoiceState, Series
from monet_web.services.books.numbers import number_key
from monet_web.services.importing.own_numbers import WIDTH, head

_MOST_LATER = 1000
_LARGEST = int("9" * WIDTH)


@dataclass(frozen=True, slots=True)
class Own:
    """One series of an integration: what stands before its numbers, and the one that it gives next."""

    head: str
    next: int

    def holds(self, n: int) -> bool:
        """Its numbers are compared as texts, which goes as long as all are of one width."""
        return 0 < n <= _LARGEST

    def key(self, n: int) -> str:
        """A number of the series as numbers are compared."""
        return number_key(f"{self.head}{n:0{WIDTH}d}")


def of(session: Session, integration_id: int) -> dict[str, Own]:
    """Head → series, of invoices and of credit notes. Inside a transaction, one query."""
    rows = session.execute(
        select(Series.prefix, Series.year, Series.next).where(Series.integration_id == integration_id)
    )
    found = (Own(head(row.prefix, row.year), row.next) for row in rows)
    return {one.head: one for one in found}


def before(session: Session, own: Own, n: int) -> int:
    """The largest number below `n` that a registered document has, 0 when there is none."""
    return _largest(session, own, Invoice.number_key < own.key(n))


def missing_at_the_end(session: Session, own: Own, n: int) -> tuple[int, int] | None:
    """Numbers that the series gave after `n`, its last document, and that are on none."""
    if own.next <= n + 1 or _largest(session, own, Invoice.number_key > own.key(n)):
        return None
    return n + 1, own.next - 1


def dated_after(session: Session, own: Own, last: date, n: int) -> list[Numbered]:
    """Documents dated after `last` with a number below `n`, the first of them."""
    rows = session.execute(
        select(Invoice.number, Invoice.issue_date, Invoice.touched_at)
        .where(*_of(own), Invoice.number_key < own.key(n), Invoice.issue_date > last)
        .order_by(Invoice.number_key)
        .limit(_MOST_LATER)
    )
    return [
        Numbered(row.number or "", row.issue_date, is_in_month=False, touched=row.touched_at is not None, is_later=True)
        for row in rows
    ]


def all_there(session: Session, own: Own, first: int, last: int) -> Why | None:
    """On which days the documents of these numbers are dated; None when one of them is missing."""
    row = session.execute(
        select(
            func.count().label("documents"), func.min(Invoice.issue_date).label("first"),
            func.max(Invoice.issue_date).label("last"),
        ).where(*_of(own), Invoice.number_key >= own.key(first), Invoice.number_key <= own.key(last))
    ).one()  # fmt: skip
    if row.documents != last - first + 1:
        return None
    return Why("dated_between", {"first": row.first.isoformat(), "last": row.last.isoformat()})


def _largest(session: Session, own: Own, asked: ColumnElement[bool]) -> int:
    key = session.scalar(select(func.max(Invoice.number_key)).where(*_of(own), asked))
    return int(key[-WIDTH:]) if key else 0


def _of(own: Own) -> tuple[ColumnElement[bool], ...]:
    """Registered documents of the series. All have the same head and as many digits, so that texts sort as numbers."""
    start = number_key(own.head)
    digits = func.substr(Invoice.number_key, len(start) + 1)
    return (
        Invoice.state == InvoiceState.REGISTERED,
        # The range is what the index of numbers is looked through by.
        Invoice.number_key.between(own.key(0), own.key(_LARGEST)),
        Invoice.number_key.startswith(start, autoescape=True),
        func.length(Invoice.number_key) == len(start) + WIDTH,
        *(func.substr(digits, place, 1).between("0", "9") for place in range(1, WIDTH + 1)),
    )
