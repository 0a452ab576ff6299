"""Windows of time: half-open, in UTC, made of local days of the company's time zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Window:
    """`start` <= moment < `end`, both aware and in UTC."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError("a window needs aware times")
        if self.end <= self.start:
            raise ValueError(f"a window must end after it starts: {self.start} .. {self.end}")

    def holds(self, moment: datetime | None) -> bool:
        """True when `moment` is known and lies inside."""
        return moment is not None and self.start <= moment < self.end

    def widened(self, overlap: timedelta) -> Window:
        """The window with `overlap` more on both sides."""
        return Window(self.start - overlap, self.end + overlap)


def start_of_day(day: date, zone: ZoneInfo) -> datetime:
    """The first moment of a local day, in UTC; where the clock change skips midnight, the first that exists."""
    return datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)


def days(first: date, last: date, zone: ZoneInfo) -> Window:
    """The window of local days `first` to `last`, both included (23, 24 or 25 hours each)."""
    return Window(start_of_day(first, zone), start_of_day(last + timedelta(days=1), zone))


def local_day(moment: datetime, zone: ZoneInfo) -> date:
    """The local day of an aware moment."""
    return moment.astimezone(zone).date()
