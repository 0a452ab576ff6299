"""When the ECB publishes, and from when a published rate counts (D8)."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from dateutil.easter import easter as known_easter  # type: ignore[import-untyped]

from monet_web.domain.bank_days import accounting_day, counts_from, easter, is_bank_day


@pytest.mark.parametrize(
    ("published", "first"),
    [
        ("2026-11-23", "2026-11-24"),  # Monday
        ("2026-11-20", "2026-11-23"),  # Friday counts from Monday
        ("2026-04-02", "2026-04-07"),  # before Good Friday: over Easter Monday
        ("2026-12-24", "2026-12-28"),  # over both days of Christmas and the weekend
        ("2026-12-31", "2027-01-04"),
        ("2026-04-30", "2026-05-04"),  # 1 May is a Friday
    ],
)
def test_a_rate_counts_from_the_next_working_day(published: str, first: str) -> None:
    assert counts_from(date.fromisoformat(published)) == date.fromisoformat(first)


@pytest.mark.parametrize(
    ("day", "rate_of"),
    [
        ("2026-11-23", "2026-11-23"),  # Monday
        ("2026-11-22", "2026-11-20"),  # Sunday
        ("2026-04-06", "2026-04-02"),  # Easter Monday
        ("2027-01-01", "2026-12-31"),
        ("2026-12-27", "2026-12-24"),  # Sunday after both days of Christmas
    ],
)
def test_a_day_without_publication_has_the_rate_of_the_last_bank_day(day: str, rate_of: str) -> None:
    assert accounting_day(date.fromisoformat(day)) == date.fromisoformat(rate_of)


def test_easter_of_two_centuries() -> None:
    assert [easter(year) for year in range(1950, 2150)] == [known_easter(year) for year in range(1950, 2150)]


def test_every_bank_day_counts_for_the_days_up_to_the_next() -> None:
    day = date(2024, 1, 1)
    while day < date(2031, 1, 1):
        following = counts_from(day)
        assert is_bank_day(following)
        assert not any(is_bank_day(day + timedelta(days=n)) for n in range(1, (following - day).days))
        day += timedelta(days=1)
