"""Periods that people name: today, last week, last month; local days, both ends included."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True, slots=True)
class Period:
    """Local days `first` to `last`, both included."""

    first: date
    last: date


PRESETS = ("today", "yesterday", "this_week", "last_week", "this_month", "last_month")

# A launch that reaches further back than this first shows what it would do (C4).
ASKED_BEYOND_MONTHS = 2


def preset(name: str, today: date) -> Period:
    """The period of a name of PRESETS; weeks begin on Monday. What is not over yet ends today."""
    monday = today - timedelta(days=today.weekday())
    first_of_month = today.replace(day=1)
    match name:
        case "today":
            return Period(today, today)
        case "yesterday":
            return Period(today - timedelta(days=1), today - timedelta(days=1))
        case "this_week":
            return Period(monday, today)
        case "last_week":
            return Period(monday - timedelta(days=7), monday - timedelta(days=1))
        case "this_month":
            return Period(first_of_month, today)
        case "last_month":
            last = first_of_month - timedelta(days=1)
            return Period(last.replace(day=1), last)
        case _:
            raise KeyError(name)


def last_days(count: int, today: date) -> Period:
    """The `count` days that end today."""
    return Period(today - timedelta(days=count - 1), today)


def reaches_far_back(first: date, today: date) -> bool:
    """True when a period begins more than two months before today."""
    return first < months_before(today, ASKED_BEYOND_MONTHS)


def is_closed(day: date, closed_until: date | None) -> bool:
    """True when `day` lies in a closed period (E7); `closed_until` is its last day, None: nothing is closed."""
    return closed_until is not None and day <= closed_until


def open_day(wanted: date, otherwise: date, closed_until: date | None) -> date:
    """The day of a stock move: `wanted` (the supply date), unless it lies in a closed period: then `otherwise`."""
    return otherwise if is_closed(wanted, closed_until) else wanted


def last_of_month(day: date) -> date:
    """The last day of the month of `day`."""
    return date(day.year + day.month // 12, day.month % 12 + 1, 1) - timedelta(days=1)


def months_before(day: date, months: int) -> date:
    """The same day of an earlier month, or that month's last where it has no such day."""
    whole = day.year * 12 + day.month - 1 - months
    first = date(whole // 12, whole % 12 + 1, 1)
    after = date((whole + 1) // 12, (whole + 1) % 12 + 1, 1)
    return first + timedelta(days=min(day.day, (after - first).days) - 1)
