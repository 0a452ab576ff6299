"""Quarters: their days, the day whose rates a return takes, and for how long they can be corrected."""

from __future__ import annotations

from datetime import date

import pytest

from monet_web.domain.quarters import Quarter, quarter_of, read_quarter


@pytest.mark.parametrize(
    ("text", "first", "last", "due"),
    [
        ("2026-Q1", date(2026, 1, 1), date(2026, 3, 31), date(2026, 4, 30)),
        ("2026q2", date(2026, 4, 1), date(2026, 6, 30), date(2026, 7, 31)),
        ("2026-Q4", date(2026, 10, 1), date(2026, 12, 31), date(2027, 1, 31)),
    ],
)
def test_a_quarter_s_days(text: str, first: date, last: date, due: date) -> None:
    quarter = read_quarter(text)
    assert quarter is not None
    assert (quarter.first, quarter.last, quarter.due) == (first, last, due)
    assert (quarter_of(first), quarter_of(last)) == (quarter, quarter)


@pytest.mark.parametrize("text", ["", "2026", "2026-Q5", "2026-Q0", "26-Q1", "2026-Q1x", "2026-11", "２026-Q1"])
def test_anything_else_is_none(text: str) -> None:
    assert read_quarter(text) is None


@pytest.mark.parametrize(
    ("quarter", "published", "counts_from"),
    [
        (Quarter(2026, 4), date(2026, 12, 31), date(2027, 1, 4)),  # a Thursday
        (Quarter(2023, 4), date(2024, 1, 2), date(2024, 1, 3)),  # a Sunday: the next bank day
        (Quarter(2024, 1), date(2024, 4, 2), date(2024, 4, 3)),  # Easter Sunday, after it Easter Monday
        (Quarter(2026, 2), date(2026, 6, 30), date(2026, 7, 1)),
    ],
)
def test_rates_are_those_of_the_last_day_or_of_the_next_on_which_there_are_any(
    quarter: Quarter, published: date, counts_from: date
) -> None:
    assert (quarter.published, quarter.rates_count_from) == (published, counts_from)


def test_a_return_is_corrected_for_three_years_from_the_day_it_was_due() -> None:
    assert Quarter(2023, 2).is_correctable_in(Quarter(2026, 2))
    assert not Quarter(2023, 2).is_correctable_in(Quarter(2026, 3))
    assert Quarter(2026, 1).before() == Quarter(2025, 4)
    assert Quarter(2026, 2).before() == Quarter(2026, 1)
