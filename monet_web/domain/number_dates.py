"""Documents of a series whose dates do not follow their numbers: the fewest, each beside one that it contradicts."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from monet_web.domain.number_gaps import Numbered, Series

# Why a date does not follow the number, unless somebody corrected it.
WHY_DATED: Mapping[str, tuple[str, str]] = {
    "order": (
        "the number is the order's, the date the day the settings name (paid, ordered or imported)",
        "numeris yra užsakymo, o data – nustatymuose nurodyta diena (apmokėta, užsakyta ar importuota)",
    ),
    "store": ("number and date are the store's", "numeris ir data yra parduotuvės"),
    "store_number": (
        "the number is the store's, the date the day the settings name (paid, ordered or imported)",
        "numeris yra parduotuvės, o data – nustatymuose nurodyta diena (apmokėta, užsakyta ar importuota)",
    ),
    "series": (
        "the series gives numbers in the order of registration, and this one was registered after its day",
        "serija numeruoja registravimo tvarka, o šis dokumentas registruotas vėliau nei jo data",
    ),
    "by_hand": ("a person corrected it", "ją pataisė žmogus"),
}


@dataclass(frozen=True, slots=True)
class OutOfOrder:
    """A document dated later than one with a larger number, or earlier than one with a smaller; `why`: of WHY_DATED."""

    number: str
    day: date
    beside: str
    beside_day: date
    why: str


def out_of_order(series: Series, why: str) -> list[OutOfOrder]:
    """By number. Without these documents all others are in order; each of them, or the one beside it, is of the month.

    One that was dated a month late is named itself, and not all that follow it. `why`: where nobody touched either.
    """
    every = [one for _, one in sorted((series.later | series.known).items())]
    in_order = _longest_in_order([one.day for one in every])
    of_all = _Beside(every, [True] * len(every))
    of_month = _Beside(every, [one.is_in_month and index in in_order for index, one in enumerate(every)])
    found = []
    for index, one in enumerate(every):
        beside = None if index in in_order else (of_all if one.is_in_month else of_month).of(index)
        if beside is not None:
            reason = "by_hand" if one.touched or beside.touched else why
            found.append(OutOfOrder(one.number, one.day, beside.number, beside.day, reason))
    return found


def _longest_in_order(days: Sequence[date]) -> set[int]:
    """The places of a longest row of days of which none is before the one before it."""
    ends: list[date] = []  # the earliest last day of rows of each length
    last: list[int] = []  # its place
    before: list[int] = []  # the place before each in its row, -1 for none
    for index, day in enumerate(days):
        length = bisect_right(ends, day)
        before.append(last[length - 1] if length else -1)
        if length == len(ends):
            ends.append(day)
            last.append(index)
        else:
            ends[length], last[length] = day, index
    found: set[int] = set()
    at = last[-1] if last else -1
    while at >= 0:
        found.add(at)
        at = before[at]
    return found


class _Beside:
    """For each place the document that contradicts it most: dated latest before it, or earliest after it."""

    def __init__(self, every: Sequence[Numbered], counts: Sequence[bool]) -> None:
        self._every = every
        self._latest: list[int | None] = []
        self._earliest: list[int | None] = [None] * len(every)
        latest: int | None = None
        for index, one in enumerate(every):
            self._latest.append(latest)
            if counts[index] and (latest is None or one.day >= every[latest].day):
                latest = index
        earliest: int | None = None
        for index in range(len(every) - 1, -1, -1):
            self._earliest[index] = earliest
            if counts[index] and (earliest is None or every[index].day <= every[earliest].day):
                earliest = index

    def of(self, index: int) -> Numbered | None:
        day, latest, earliest = self._every[index].day, self._latest[index], self._earliest[index]
        if latest is not None and self._every[latest].day > day:
            return self._every[latest]
        if earliest is not None and self._every[earliest].day < day:
            return self._every[earliest]
        return None
