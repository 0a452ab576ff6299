"""Numbers of our own series: given while the series' row is locked, so that there is no gap (E1)."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from monet_web.models.invoices import InvoiceKind, Series
from monet_web.services.books.numbers import number_key
from monet_web.services.importing.booking import Booking
from monet_web.services.importing.facts import taken_numbers
from monet_web.services.importing.prepare import Prepared


def lock_series(session: Session, booking: Booking, prepared: Sequence[Prepared]) -> dict[int, Series] | None:
    """The series rows of the years of the page, locked and made where missing; None when numbers are not ours."""
    years = sorted({one.draft.issue_date.year for one in prepared if one.draft is not None and one.number is None})
    if booking.settings.number_from != "series" or booking.settings.issued_by == "store" or not years:
        return None
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    key = {"integration_id": booking.integration_id, "kind": InvoiceKind.INVOICE.value}
    session.execute(
        dialect.insert(Series).on_conflict_do_nothing(),
        [{**key, "year": year, "prefix": booking.settings.number_prefix, "next": 1} for year in years],
    )
    rows = session.scalars(
        select(Series).filter_by(**key).where(Series.year.in_(years)).order_by(Series.year).with_for_update()
        .execution_options(populate_existing=True)
    ).all()  # fmt: skip
    return {row.year: row for row in rows}


def give_numbers(
    session: Session, booking: Booking, registered: Sequence[Prepared], series: dict[int, Series] | None
) -> None:
    """Own numbers ascend in the order of registration; the row stays locked until the commit, so there is no gap.

    A number that somebody used outside the series is stepped over.
    """
    if series is None:
        return
    unnumbered = [one for one in registered if one.number is None and one.draft is not None]
    unnumbered.sort(key=lambda one: one.draft.issue_date if one.draft else booking.today)
    first = {year: row.next for year, row in series.items()}
    taken: set[str] = set()
    while True:
        for year, row in series.items():
            row.next = first[year]
        for one in unnumbered:
            assert one.draft is not None  # noqa: S101 - chosen so above
            one.number = _next_number(booking, series[one.draft.issue_date.year], taken)
        met = taken_numbers(session, {number_key(one.number) for one in unnumbered if one.number})
        if not met:
            return
        taken |= met.keys()


def _next_number(booking: Booking, row: Series, taken: set[str]) -> str:
    while True:
        number = f"{booking.settings.number_prefix}{row.year}-{row.next:06d}"
        row.next += 1
        if number_key(number) not in taken:
            return number
