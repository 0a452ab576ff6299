"""Windows of local days: half-open, in UTC, 23, 24 or 25 hours a day in Vilnius."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monet_web.domain.windows import Window, days, local_day, start_of_day

VILNIUS = ZoneInfo("Europe/Vilnius")
HOUR = timedelta(hours=1)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type,misc]


@pytest.mark.parametrize(
    ("day", "start", "hours"),
    [
        (date(2026, 11, 23), utc(2026, 11, 22, 22), 24),
        (date(2026, 7, 1), utc(2026, 6, 30, 21), 24),
        (date(2026, 3, 29), utc(2026, 3, 28, 22), 23),
        (date(2026, 10, 25), utc(2026, 10, 24, 21), 25),
    ],
)
def test_a_day_in_vilnius_is_as_long_as_its_clocks_make_it(day: date, start: datetime, hours: int) -> None:
    window = days(day, day, VILNIUS)
    assert window.start == start
    assert window.end - window.start == hours * HOUR
    assert window.start.utcoffset() == timedelta(0)


def test_both_days_are_included() -> None:
    assert days(date(2026, 11, 1), date(2026, 11, 30), VILNIUS) == Window(utc(2026, 10, 31, 22), utc(2026, 11, 30, 22))


def test_a_day_whose_midnight_is_skipped_begins_at_the_first_moment_there_is() -> None:
    # Beirut's clocks went from 00:00 to 01:00 on 27 March 2022.
    beirut = ZoneInfo("Asia/Beirut")
    start = start_of_day(date(2022, 3, 27), beirut)
    assert start == utc(2022, 3, 26, 22)
    assert local_day(start, beirut) == date(2022, 3, 27)
    assert local_day(start - timedelta(microseconds=1), beirut) == date(2022, 3, 26)


def test_the_start_is_inside_and_the_end_is_not() -> None:
    window = Window(utc(2026, 11, 22, 22), utc(2026, 11, 23, 22))
    assert window.holds(utc(2026, 11, 22, 22))
    assert window.holds(utc(2026, 11, 23, 21, 59, 59, 999999))
    assert not window.holds(utc(2026, 11, 23, 22))
    assert not window.holds(utc(2026, 11, 22, 21, 59, 59, 999999))
    assert not window.holds(None)


@given(st.datetimes(datetime(2021, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_every_moment_is_in_the_window_of_its_day_and_of_no_other(moment: datetime) -> None:
    day = local_day(moment, VILNIUS)
    assert days(day, day, VILNIUS).holds(moment)
    assert not days(day - timedelta(days=1), day - timedelta(days=1), VILNIUS).holds(moment)
    assert not days(day + timedelta(days=1), day + timedelta(days=1), VILNIUS).holds(moment)


def test_an_overlap_widens_both_ends() -> None:
    window = Window(utc(2026, 11, 22, 22), utc(2026, 11, 23, 22)).widened(HOUR)
    assert window == Window(utc(2026, 11, 22, 21), utc(2026, 11, 23, 23))


@pytest.mark.parametrize("end", [utc(2026, 11, 22), utc(2026, 11, 21)])
def test_a_window_ends_after_it_starts(end: datetime) -> None:
    with pytest.raises(ValueError, match="must end after it starts"):
        Window(utc(2026, 11, 22), end)


def test_a_window_of_naive_times_is_refused() -> None:
    with pytest.raises(ValueError, match="needs aware times"):
        Window(datetime(2026, 11, 22), utc(2026, 11, 23))  # noqa: DTZ001


def test_the_local_day_is_the_one_on_the_wall() -> None:
    assert local_day(utc(2026, 11, 23, 21, 59), VILNIUS) == date(2026, 11, 23)
    assert local_day(utc(2026, 11, 23, 22, 0), VILNIUS) == date(2026, 11, 24)
