"""The timetable (B1-B7, B10): when an integration runs by itself, and the window that each of its slots imports."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from monet_web.domain.periods import Period, months_before
from monet_web.domain.windows import Window, days, local_day, start_of_day

REREAD_DAYS = 60  # whose documents' orders are read again once a day (B10)
REACH_BACK_DAYS = 59  # of the first slot after a change of the plan; Shopify shows 60 days, to the minute
CHECK_DAY = 20  # of the month: the last catch-up before i.SAF is due (B3)

_DAY = timedelta(days=1)
_LONGEST_PAUSE = timedelta(days=62)  # between two slots of any frequency
_FIRST_HOUR = 7
_HOURS = 12


class Frequency(StrEnum):
    """The values of the setting `frequency`."""

    OFF = "off"
    MINUTES = "minutes"
    HOURS = "hours"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHS = "months"


@dataclass(frozen=True, slots=True)
class Slot:
    """A moment (UTC) at which an integration runs, and what it imports then."""

    at: datetime
    window: Window


def slots(
    frequency: Frequency, *, zone: ZoneInfo, spread: int, after: datetime, until: datetime, daily_days: int = 3
) -> Iterator[Slot]:
    """The slots with `after` < at <= `until`, ascending and lazily.

    `zone` is the company's. `spread` is any number that stays the same, as the integration's id: it gives the
    integration its own minute inside the hours of B3-B5.
    """
    last = after
    for day in _days_around(after, until, zone):
        for clock in _times(frequency, day, spread):
            at = _moment(day, clock, zone)
            # Two times that don't exist become one moment, and one moment is one slot.
            if last < at <= until:
                last = at
                yield Slot(at, _window(frequency, day, at, zone, daily_days))


def next_slot(
    frequency: Frequency, *, zone: ZoneInfo, spread: int, after: datetime, daily_days: int = 3
) -> Slot | None:
    """The first slot later than `after`; None when the frequency is off."""
    until = after + _LONGEST_PAUSE
    found = slots(frequency, zone=zone, spread=spread, after=after, until=until, daily_days=daily_days)
    return next(found, None)


def catch_up(due: Iterable[Window]) -> Window:
    """One window that covers all of these and what lies between them; there must be one at least."""
    windows = list(due)
    return Window(min(each.start for each in windows), max(each.end for each in windows))


def reaching_back(slot: Slot, back_to: datetime | None, zone: ZoneInfo) -> Window:
    """The slot's window, begun where what is here ends (`back_to`) when that is earlier; 60 days at the most."""
    if back_to is None:
        return slot.window
    earliest = start_of_day(local_day(slot.at, zone) - REACH_BACK_DAYS * _DAY, zone)
    return Window(min(slot.window.start, max(back_to, earliest)), slot.window.end)


def tried_daily_at(*, zone: ZoneInfo, spread: int, after: datetime) -> datetime:
    """The first of the integration's own minutes of *daily* later than `after`: a store that failed is asked then."""
    slot = next_slot(Frequency.DAILY, zone=zone, spread=spread, after=after)
    assert slot is not None  # noqa: S101 - every day has one
    return slot.at


def reread_at(*, zone: ZoneInfo, spread: int, after: datetime) -> datetime:
    """The first moment later than `after` at which the orders of documents are read again: daily, 05:00 to 06:00.

    Later than every slot of B3-B5 and earlier than those of B1 and B2, so that both have a day of their own kind.
    """
    for day in _days_around(after, after + _LONGEST_PAUSE, zone):
        at = _moment(day, _own(5, 60, spread), zone)
        if at > after:
            return at
    raise AssertionError("a day has one such moment")


def reread_window(at: datetime, zone: ZoneInfo) -> Window:
    """The days whose documents' orders are read again at that moment."""
    return Window(start_of_day(local_day(at, zone) - REREAD_DAYS * _DAY, zone), at)


def month_before(day: date) -> Period:
    """The whole month before the day's."""
    last = day.replace(day=1) - _DAY
    return Period(last.replace(day=1), last)


# --- times of a day ---------------------------------------------------------------------------------------------


def _days_around(after: datetime, until: datetime, zone: ZoneInfo) -> Iterator[date]:
    # A time that does not exist may run on the next day, so the day before counts too.
    day, last = local_day(after, zone) - _DAY, local_day(until, zone)
    while day <= last:
        yield day
        day += _DAY


def _times(frequency: Frequency, day: date, spread: int) -> Iterator[time]:
    match frequency:
        case Frequency.OFF:
            return
        case Frequency.MINUTES:
            yield from (time(_FIRST_HOUR + n // 12, n % 12 * 5) for n in range(_HOURS * 12))
        case Frequency.HOURS:
            yield from (time(_FIRST_HOUR + n) for n in range(_HOURS))
        case Frequency.DAILY:
            yield _own(3, 120, spread)
        case Frequency.WEEKLY:
            if day.weekday() == 0:
                yield _own(3, 120, spread)
        case Frequency.MONTHS:
            if day.day == 1:
                yield _own(2, 60, spread)


def _own(hour: int, minutes: int, spread: int) -> time:
    """The integration's own minute among `minutes` after the hour.

    Steps of about the golden ratio that share no factor with the range: any number of integrations in a row lies
    evenly, and as many as there are minutes have one each.
    """
    step = 37 if minutes == 60 else 73
    minute = spread * step % minutes
    return time(hour + minute // 60, minute % 60)


def _window(frequency: Frequency, day: date, at: datetime, zone: ZoneInfo, daily_days: int) -> Window:
    match frequency:
        case Frequency.WEEKLY:
            return days(day - 7 * _DAY, day - _DAY, zone)
        case Frequency.MONTHS:
            month = month_before(day)
            return days(month.first, month.last, zone)
        case Frequency.DAILY:
            first = day - daily_days * _DAY
            if day.day == CHECK_DAY:
                first = min(first, months_before(day.replace(day=1), 1))
            return Window(start_of_day(first, zone), at)
        case _:
            return Window(start_of_day(day - _DAY, zone), at)


def _moment(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """A local time in UTC; one that does not exist is the first moment after it that does, a doubled one its first."""
    local = datetime.combine(day, clock, tzinfo=zone)
    moment = local.astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None):
        return moment
    return _change_between(local.replace(fold=1).astimezone(UTC), moment, zone)


def _change_between(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The second at which the zone's clocks are put forward, between two moments that lie on its two sides."""
    late = after.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=int((after - before).total_seconds()) // 2)
        if middle.astimezone(zone).utcoffset() == late:
            after = middle
        else:
            before = middle
    return after
