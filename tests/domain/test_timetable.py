"""Every slot of seven years beside a reference that walks minute by minute, and the days that are not like others."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monet_web.domain.timetable import Frequency, Slot, catch_up, next_slot, reread_at, reread_window, slots
from monet_web.domain.windows import Window

ZONES = ("Europe/Vilnius", "Europe/London", "America/New_York", "UTC")
VILNIUS = ZoneInfo("Europe/Vilnius")
RUNNING = [each for each in Frequency if each is not Frequency.OFF]
FIRST, LAST = datetime(2024, 1, 1, tzinfo=UTC), datetime(2031, 1, 1, tzinfo=UTC)


def local(text: str, zone: ZoneInfo = VILNIUS) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


def found(
    frequency: Frequency,
    after: str,
    until: str,
    *,
    zone: ZoneInfo = VILNIUS,
    spread: int = 0,
    daily_days: int = 3,
) -> list[Slot]:
    """Slots between two local times."""
    return list(
        slots(
            frequency, zone=zone, spread=spread, after=local(after, zone), until=local(until, zone),
            daily_days=daily_days,
        )
    )  # fmt: skip


def times(slots_found: list[Slot], zone: ZoneInfo = VILNIUS) -> list[str]:
    return [f"{slot.at.astimezone(zone):%m-%d %H:%M %z}" for slot in slots_found]


# --- the reference ----------------------------------------------------------------------------------------------
# It knows nothing but what a clock on the wall shows each minute: something due at a time of the wall happens in the
# first minute in which the wall shows that time or a later one of that day.


def wall(days_from: date, clock: int) -> int:
    """A local day and a minute of it, as one number of minutes."""
    return (days_from - date(1970, 1, 1)).days * 1440 + clock


def wanted(own_daily: int, own_months: int) -> Iterator[tuple[int, Frequency | None, date]]:
    """(minute on the wall, frequency or None for midnight, day) for all the years."""
    day = date(2023, 10, 1)
    while day < date(2031, 1, 3):
        yield wall(day, 0), None, day
        for hour in range(7, 19):
            yield wall(day, hour * 60), Frequency.HOURS, day
            for minute in range(0, 60, 5):
                yield wall(day, hour * 60 + minute), Frequency.MINUTES, day
        yield wall(day, own_daily), Frequency.DAILY, day
        if day.isoweekday() == 1:
            yield wall(day, own_daily), Frequency.WEEKLY, day
        if day.day == 1:
            yield wall(day, own_months), Frequency.MONTHS, day
        day += timedelta(days=1)


def walk(zone: ZoneInfo, own_daily: int, own_months: int) -> dict[Frequency | None, dict[date, list[datetime]]]:
    """When each of them happens, by looking at the wall in every minute of the years."""
    due = sorted(wanted(own_daily, own_months), key=lambda each: each[0])
    happened: dict[Frequency | None, dict[date, list[datetime]]] = {each: {} for each in (None, *RUNNING)}
    moment, index, minute = datetime(2023, 10, 1, 12, tzinfo=UTC), 0, timedelta(minutes=1)
    shows = wall(moment.date(), 12 * 60)
    while index < len(due) and due[index][0] < shows + 1440:  # what was due before the walk began
        index += 1
    while index < len(due):
        offset = moment.astimezone(zone).utcoffset()
        assert offset is not None
        ahead = int(offset.total_seconds()) // 60
        while index < len(due) and due[index][0] <= shows + ahead:
            _, frequency, day = due[index]
            happened[frequency].setdefault(day, []).append(moment)
            index += 1
        moment += minute
        shows += 1
    return happened


def reference_window(
    frequency: Frequency, day: date, at: datetime, midnights: dict[date, list[datetime]], daily_days: int
) -> tuple[datetime, datetime]:
    def midnight(which: date) -> datetime:
        return midnights[which][0]

    last_month = date(day.year - (day.month == 1), 12 if day.month == 1 else day.month - 1, 1)
    match frequency:
        case Frequency.WEEKLY:
            return midnight(day - timedelta(7)), midnight(day)
        case Frequency.MONTHS:
            return midnight(last_month), midnight(day)
        case Frequency.DAILY if day.day == 20:
            return min(midnight(last_month), midnight(day - timedelta(daily_days))), at
        case Frequency.DAILY:
            return midnight(day - timedelta(daily_days)), at
        case _:
            return midnight(day - timedelta(1)), at


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("name", ZONES)
def test_every_slot_of_seven_years_is_as_the_clock_on_the_wall_says(name: str) -> None:
    zone, spread, daily_days = ZoneInfo(name), 11, 5
    own_daily, own_months = 3 * 60 + 83, 2 * 60 + 47  # 11 × 73 modulo 120, 11 × 37 modulo 60
    happened = walk(zone, own_daily, own_months)
    midnights = happened[None]
    for frequency in RUNNING:
        expected = [
            (at, *reference_window(frequency, day, at, midnights, daily_days))
            for day, moments in happened[frequency].items()
            for at in moments
            if FIRST < at <= LAST
        ]
        got = [
            (slot.at, slot.window.start, slot.window.end)
            for slot in slots(frequency, zone=zone, spread=spread, after=FIRST, until=LAST, daily_days=daily_days)
        ]
        assert len(got) > 80
        assert got == expected, frequency


# --- what holds for any two moments -----------------------------------------------------------------------------

moments = st.datetimes(datetime(2024, 1, 1), datetime(2030, 12, 1), timezones=st.just(UTC))  # noqa: DTZ001
zones = st.sampled_from([*ZONES, "Australia/Lord_Howe", "Asia/Beirut", "Africa/Cairo", "America/Santiago"]).map(
    ZoneInfo
)
spreads = st.integers(0, 10**9)


@settings(max_examples=50)
@given(st.sampled_from(RUNNING), zones, spreads, moments, st.integers(0, 12), st.integers(0, 100))
def test_slots_cut_into_two_are_the_same_slots(
    frequency: Frequency, zone: ZoneInfo, spread: int, after: datetime, length: int, part: int
) -> None:
    until = after + timedelta(days=length)
    cut = after + (until - after) * part / 100
    whole = list(slots(frequency, zone=zone, spread=spread, after=after, until=until))
    first = list(slots(frequency, zone=zone, spread=spread, after=after, until=cut))
    second = list(slots(frequency, zone=zone, spread=spread, after=cut, until=until))
    assert first + second == whole
    assert all(one.at < other.at for one, other in pairwise(whole))
    assert all(after < slot.at <= until for slot in whole)


@settings(max_examples=50)
@given(st.sampled_from(RUNNING), zones, spreads, moments)
def test_the_next_slot_is_later_and_none_lies_between(
    frequency: Frequency, zone: ZoneInfo, spread: int, after: datetime
) -> None:
    slot = next_slot(frequency, zone=zone, spread=spread, after=after)
    assert slot is not None
    assert slot.at > after
    assert not list(slots(frequency, zone=zone, spread=spread, after=after, until=slot.at - timedelta(microseconds=1)))


@settings(max_examples=50)
@given(st.sampled_from(RUNNING), zones, spreads, moments)
def test_the_windows_of_slots_that_follow_each_other_leave_no_gap(
    frequency: Frequency, zone: ZoneInfo, spread: int, after: datetime
) -> None:
    length = {Frequency.MINUTES: 3, Frequency.HOURS: 8}.get(frequency, 70)
    until = after + timedelta(days=length)
    windows = [slot.window for slot in slots(frequency, zone=zone, spread=spread, after=after, until=until)]
    assert all(later.start <= earlier.end for earlier, later in pairwise(windows))
    covered = catch_up(windows)
    assert covered == Window(min(each.start for each in windows), windows[-1].end)


@settings(max_examples=50)
@given(zones, spreads, moments)
def test_documents_are_read_again_once_a_local_day(zone: ZoneInfo, spread: int, after: datetime) -> None:
    first = reread_at(zone=zone, spread=spread, after=after)
    second = reread_at(zone=zone, spread=spread, after=first)
    assert first > after
    assert (second.astimezone(zone).date() - first.astimezone(zone).date()).days == 1
    assert first.astimezone(zone).hour in (5, 6)


# --- days that are not like others --------------------------------------------------------------------------------


def test_off_never_runs() -> None:
    assert found(Frequency.OFF, "2026-01-01", "2026-12-31") == []
    assert next_slot(Frequency.OFF, zone=VILNIUS, spread=1, after=FIRST) is None


def test_minutes_are_144_a_day_from_seven_to_five_to_seven() -> None:
    day = times(found(Frequency.MINUTES, "2026-11-24 00:00", "2026-11-25 00:00"))
    assert len(day) == 144
    assert day[:2] == ["11-24 07:00 +0200", "11-24 07:05 +0200"]
    assert day[-1] == "11-24 18:55 +0200"


def test_hours_import_from_the_start_of_the_previous_day_until_then() -> None:
    first, *_, last = found(Frequency.HOURS, "2026-11-24 00:00", "2026-11-25 00:00")
    assert (first.at, last.at) == (local("2026-11-24 07:00"), local("2026-11-24 18:00"))
    assert last.window == Window(local("2026-11-23 00:00"), local("2026-11-24 18:00"))


def test_a_minute_that_does_not_exist_runs_at_the_first_that_does() -> None:
    # Vilnius skips 03:00 to 04:00 on 29 March 2026; integration 0 has minute 0.
    assert times(found(Frequency.DAILY, "2026-03-28 12:00", "2026-03-30 12:00")) == [
        "03-29 04:00 +0300",
        "03-30 03:00 +0300",
    ]


def test_a_doubled_minute_runs_at_its_first() -> None:
    # Vilnius repeats 03:00 to 04:00 on 25 October 2026.
    assert times(found(Frequency.DAILY, "2026-10-24 12:00", "2026-10-26 12:00")) == [
        "10-25 03:00 +0300",
        "10-26 03:00 +0200",
    ]


def test_the_twentieth_reaches_back_to_the_first_day_of_the_previous_month() -> None:
    windows = [slot.window for slot in found(Frequency.DAILY, "2026-01-18 12:00", "2026-01-21 12:00")]
    assert [window.start for window in windows] == [
        local("2026-01-16 00:00"),
        local("2025-12-01 00:00"),
        local("2026-01-18 00:00"),
    ]


def test_weekly_imports_monday_to_sunday_of_the_previous_week() -> None:
    (slot,) = found(Frequency.WEEKLY, "2026-11-20 00:00", "2026-11-27 00:00", spread=1)
    assert times([slot]) == ["11-23 04:13 +0200"]
    assert slot.window == Window(local("2026-11-16 00:00"), local("2026-11-23 00:00"))


def test_months_import_the_previous_month() -> None:
    (slot,) = found(Frequency.MONTHS, "2026-03-15 00:00", "2026-04-15 00:00", spread=1)
    assert times([slot]) == ["04-01 02:37 +0300"]
    assert slot.window == Window(local("2026-03-01 00:00"), local("2026-04-01 00:00"))


def test_integrations_are_spread_evenly_over_their_hours() -> None:
    day = ("2026-11-24 00:00", "2026-11-25 00:00")
    moments = [found(Frequency.DAILY, *day, spread=spread)[0].at for spread in range(1, 121)]
    assert len(set(moments)) == 120
    for few in (5, 12, 30):
        apart = [later - earlier for earlier, later in pairwise(sorted(moments[:few]))]
        assert max(apart) <= timedelta(minutes=2.7 * 120 / few)


def test_a_time_on_a_day_that_a_zone_left_out_runs_once() -> None:
    # Samoa had no 30 December 2011.
    zone = ZoneInfo("Pacific/Apia")
    day = found(Frequency.HOURS, "2011-12-29 23:00", "2011-12-31 23:00", zone=zone)
    assert times(day, zone)[:2] == ["12-31 00:00 +1400", "12-31 07:00 +1400"]
    assert len(day) == 13


def test_the_orders_of_sixty_days_are_read_again() -> None:
    at = reread_at(zone=VILNIUS, spread=1, after=local("2026-11-24 12:00"))
    assert at == local("2026-11-25 05:37")
    assert reread_window(at, VILNIUS) == Window(local("2026-09-26 00:00"), at)
