"""The days on which the European Central Bank publishes rates, and from which day each one counts in the books.

Source: the ECB's calendar of TARGET closing days (weekends, 1 January, Good Friday, Easter Monday, 1 May, 25 and
26 December), and the Bank of Lithuania's rule that a published rate counts from the next working day.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache

_FIXED = {(1, 1), (5, 1), (12, 25), (12, 26)}
_SATURDAY = 5


def counts_from(published: date) -> date:
    """The first day on which a rate that the ECB published counts: the next day on which it publishes."""
    day = published + timedelta(days=1)
    while not is_bank_day(day):
        day += timedelta(days=1)
    return day


def accounting_day(day: date) -> date:
    """The day whose rate the books take on `day`: the same one, on weekends and holidays the last bank day before."""
    while not is_bank_day(day):
        day -= timedelta(days=1)
    return day


def is_bank_day(day: date) -> bool:
    """True when the ECB publishes rates on that day."""
    if day.weekday() >= _SATURDAY or (day.month, day.day) in _FIXED:
        return False
    sunday = easter(day.year)
    return day not in (sunday - timedelta(days=2), sunday + timedelta(days=1))


@lru_cache(maxsize=64)
def easter(year: int) -> date:
    """Easter Sunday of the western calendar (the method of Meeus, Jones and Butcher)."""
    golden = year % 19
    century, rest = divmod(year, 100)
    leaps, left = divmod(century, 4)
    moon = (19 * golden + century - leaps - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    quarters, single = divmod(rest, 4)
    week = (32 + 2 * left + 2 * quarters - moon - single) % 7
    late = (golden + 11 * moon + 22 * week) // 451
    month, day = divmod(moon + week - 7 * late + 114, 31)
    return date(year, month, day + 1)
