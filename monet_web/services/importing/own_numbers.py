"""Numbers of our own series, by integration, kind, year and prefix: given while the series' row is locked (E1)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from monet_web.models.invoices import InvoiceKind, Series
from monet_web.services.books.numbers import number_key
from monet_web.services.importing.booking import Booking
from monet_web.services.importing.facts import taken_numbers
from monet_web.services.importing.prepare import Prepared

WIDTH = 6  # of the running number; a series that grows past it goes on with seven
_AHEAD = 500  # numbers asked for at once when the next one is taken


def head(prefix: str, year: int) -> str:
    """What stands before the running number."""
    return f"{prefix}{year}-"


def lock_series(session: Session, booking: Booking, prepared: Sequence[Prepared]) -> dict[int, Series] | None:
    """The series rows of the years of the page, locked and made where missing; None when numbers are not ours."""
    years = {one.draft.issue_date.year for one in prepared if one.draft is not None and one.number is None}
    if booking.settings.number_from != "series" or booking.settings.issued_by == "store" or not years:
        return None
    return locked(session, booking.integration_id, InvoiceKind.INVOICE, booking.settings.number_prefix, years)


def give_numbers(
    session: Session, booking: Booking, registered: Sequence[Prepared], series: dict[int, Series] | None
) -> None:
    """Own numbers ascend in the order of registration, those of one page by their dates."""
    if series is None:
        return
    unnumbered = [one for one in registered if one.number is None and one.draft is not None]
    unnumbered.sort(key=lambda one: one.draft.issue_date if one.draft else booking.today)
    years = [one.draft.issue_date.year for one in unnumbered if one.draft is not None]
    for one, number in zip(unnumbered, next_of(session, series, years), strict=True):
        one.number = number


def locked(
    session: Session, integration_id: int, kind: InvoiceKind, prefix: str, years: Iterable[int]
) -> dict[int, Series]:
    """The rows of a series by year, made where missing and locked until the transaction ends."""
    wanted = sorted(set(years))
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    key = {"integration_id": integration_id, "kind": kind.value, "prefix": prefix}
    session.execute(
        dialect.insert(Series).on_conflict_do_nothing(), [{**key, "year": year, "next": 1} for year in wanted]
    )
    rows = session.scalars(
        select(Series).filter_by(**key).where(Series.year.in_(wanted)).order_by(Series.year).with_for_update()
        .execution_options(populate_existing=True)
    ).all()  # fmt: skip
    return {row.year: row for row in rows}


def next_of(session: Session, series: dict[int, Series], years: Sequence[int]) -> list[str]:
    """The next numbers, one a year named, in that order. The rows stay locked until the commit, so there is no gap.

    A number that somebody used outside the series is stepped over.
    """
    first = {year: row.next for year, row in series.items()}
    taken: set[str] = set()
    while True:
        for year, row in series.items():
            row.next = first[year]
        numbers = [_next(series[year], taken) for year in years]
        met = taken_numbers(session, {number_key(number) for number in numbers})
        if not met:
            return numbers
        # A store that is connected anew goes on where its retired integration ended: far ahead, perhaps.
        ahead = {number_key(_text(series[year], series[year].next + n)) for year in set(years) for n in range(_AHEAD)}
        taken |= met.keys() | taken_numbers(session, ahead).keys()


def _next(row: Series, taken: Collection[str]) -> str:
    while True:
        number = _text(row, row.next)
        row.next += 1
        if number_key(number) not in taken:
            return number


def _text(row: Series, n: int) -> str:
    return f"{head(row.prefix, row.year)}{n:0{WIDTH}d}"
