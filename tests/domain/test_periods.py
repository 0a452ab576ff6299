"""Periods that people name."""

from __future__ import annotations

from datetime import date

import pytest

from monet_web.domain.periods import PRESETS, Period, last_days, months_before, preset, reaches_far_back

TUESDAY = date(2026, 11, 24)


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("today", date(2026, 11, 24), date(2026, 11, 24)),
        ("yesterday", date(2026, 11, 23), date(2026, 11, 23)),
        ("this_week", date(2026, 11, 23), date(2026, 11, 24)),
        ("last_week", date(2026, 11, 16), date(2026, 11, 22)),
        ("this_month", date(2026, 11, 1), date(2026, 11, 24)),
        ("last_month", date(2026, 10, 1), date(2026, 10, 31)),
    ],
)
def test_a_preset_is_its_days_both_included(name: str, first: date, last: date) -> None:
    assert preset(name, TUESDAY) == Period(first, last)


def test_on_the_first_of_january_last_month_is_december() -> None:
    assert preset("last_month", date(2027, 1, 1)) == Period(date(2026, 12, 1), date(2026, 12, 31))


def test_on_a_monday_this_week_is_one_day_and_on_a_sunday_seven() -> None:
    assert preset("this_week", date(2026, 11, 23)) == Period(date(2026, 11, 23), date(2026, 11, 23))
    assert preset("this_week", date(2026, 11, 29)) == Period(date(2026, 11, 23), date(2026, 11, 29))


def test_no_preset_ends_after_today() -> None:
    assert all(preset(name, TUESDAY).last <= TUESDAY for name in PRESETS)


def test_a_name_that_is_no_preset_is_refused() -> None:
    with pytest.raises(KeyError):
        preset("next_week", TUESDAY)


def test_seven_days_end_today() -> None:
    assert last_days(7, TUESDAY) == Period(date(2026, 11, 18), TUESDAY)


def test_two_months_back_to_the_day_is_not_far_and_one_more_day_is() -> None:
    assert not reaches_far_back(date(2026, 9, 24), TUESDAY)
    assert reaches_far_back(date(2026, 9, 23), TUESDAY)


def test_a_month_without_that_day_lends_its_last() -> None:
    assert months_before(date(2026, 4, 30), 2) == date(2026, 2, 28)
    assert months_before(date(2024, 4, 30), 2) == date(2024, 2, 29)
    assert months_before(date(2026, 1, 31), 2) == date(2025, 11, 30)
