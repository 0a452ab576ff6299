"""Series of invoice numbers: where one breaks off, where its dates run backwards, and why, in both languages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

_TAIL = re.compile(r"^(.*?)(\d{1,18})$", re.ASCII | re.DOTALL)
_OF_ANOTHER = re.compile(r"-(?:K?\d{1,3})$", re.ASCII)

# Why a number is on no document of its series in the month; {values} as the report fills them.
WHY: Mapping[str, tuple[str, str]] = {
    "dated_elsewhere": ("on a document dated {day}", "dokumente, kurio data {day}"),
    "waits": ("waits in a journal, dated {day}", "laukia žurnale, data {day}"),
    "other_store": ("on a document of {store}, dated {day}", "parduotuvės {store} dokumente, data {day}"),
    "taken": ("used outside this program ({source})", "panaudotas ne šioje programoje ({source})"),
    "filtered": ("order {order} made no invoice: {reason}", "užsakymas {order} sąskaitos nesukūrė: {reason}"),
    "left_out": ("order {order} was left out by hand: {reason}", "užsakymas {order} neįtrauktas ranka: {reason}"),
    "conflict": ("order {order}: its number belongs to another order", "užsakymas {order}: jo numeris priklauso kitam"),
    "unreadable": ("order {order} could not be read", "užsakymo {order} nepavyko perskaityti"),
    "credited": ("order {order}: its invoice was credited in full", "užsakymas {order}: jo sąskaita kredituota visa"),
    "other_number": ("order {order} has the number {number}", "užsakymas {order} gavo numerį {number}"),
    "open": ("order {order} has no document yet", "užsakymas {order} dar neturi dokumento"),
    "deleted": ("its invoice was deleted by {actor} on {day}", "jo sąskaitą ištrynė {actor} {day}"),
    "never_came": ("no order with this number came from the store", "užsakymo tokiu numeriu iš parduotuvės negauta"),
    "never_given": ("this series has not given it to a document", "ši serija jo jokiam dokumentui nedavė"),
    "not_looked": ("a jump too large to look into number by number", "šuolis per didelis žiūrėti kiekvieną numerį"),
}
# Nobody has explained these; all others say where the number is.
UNEXPLAINED = frozenset({"never_given", "not_looked"})

BACKWARDS: Mapping[str, tuple[str, str]] = {
    "order": (
        "the number is the order's, the date the day the settings name (paid, ordered or imported)",
        "numeris yra užsakymo, o data – nustatymuose nurodyta diena (apmokėta, užsakyta ar importuota)",
    ),
    "store": ("number and date are the store's", "numeris ir data yra parduotuvės"),
    "series": (
        "the series gives numbers in the order of registration, and this one waited in a journal",
        "serija numeruoja registravimo tvarka, o ši sąskaita laukė žurnale",
    ),
    "by_hand": ("a person corrected it", "ją pataisė žmogus"),
}


@dataclass(frozen=True, slots=True)
class Numbered:
    """One document with a number. `is_in_month`: dated in the month that is looked at."""

    number: str
    day: date
    is_in_month: bool
    touched: bool = False


@dataclass(frozen=True, slots=True)
class Why:
    """A code of WHY and what fills its words."""

    code: str
    values: Mapping[str, str] = field(default_factory=dict)

    def text(self, language: str) -> str:
        """In words."""
        return WHY[self.code][1 if language == "lt" else 0].format_map(self.values)


@dataclass(frozen=True, slots=True)
class Missing:
    """Numbers from `first` to `last`, one after another and missing for one reason."""

    first: str
    last: str
    count: int
    why: Why


@dataclass(frozen=True, slots=True)
class Backwards:
    """A document dated before another whose number is smaller. `why`: a code of BACKWARDS."""

    number: str
    day: date
    before: str
    before_day: date
    why: str


@dataclass(slots=True)
class Series:
    """Numbers that differ only in the digits at their end, `head` before them; those known, by their value."""

    head: str
    width: int
    known: dict[int, Numbered]

    @property
    def in_month(self) -> list[int]:
        """Those of the month, ascending."""
        return sorted(n for n, one in self.known.items() if one.is_in_month)

    def text(self, n: int) -> str:
        """A number of the series as its neighbours are written."""
        return f"{self.head}{n:0{self.width}d}"

    def gaps(self) -> list[tuple[int, int]]:
        """(first, last) of what is missing between the document before the month's first and the month's last."""
        here = self.in_month
        if not here:
            return []
        earlier = [n for n in self.known if n < here[0]]
        at = max(earlier) if earlier else here[0]
        found = []
        for n in sorted(n for n in self.known if at < n <= here[-1]):
            if n > at + 1:
                found.append((at + 1, n - 1))
            at = n
        return found

    def backwards(self, why: str) -> list[Backwards]:
        """Documents of the month whose date lies before that of a smaller number; `why` of those nobody touched."""
        found: list[Backwards] = []
        latest: Numbered | None = None
        for _, one in sorted(self.known.items()):
            if latest is not None and one.is_in_month and one.day < latest.day:
                reason = "by_hand" if one.touched or latest.touched else why
                found.append(Backwards(one.number, one.day, latest.number, latest.day, reason))
            if latest is None or one.day >= latest.day:
                latest = one
        return found


def series_of(documents: Iterable[Numbered]) -> tuple[list[Series], list[Numbered]]:
    """The series that have documents in the month, and documents of the month whose number is in none.

    The number of a credit note (`KL-7-K1`) or of a second invoice of an order (`KL-7-2`) follows that of its invoice
    and is no series when that one is there.
    """
    every = list(documents)
    numbers = {one.number for one in every}
    found: dict[str, Series] = {}
    alone: list[Numbered] = []
    for one in every:
        match = _TAIL.match(one.number)
        if match is None or (_OF_ANOTHER.search(one.number) and _OF_ANOTHER.sub("", one.number) in numbers):
            if one.is_in_month:
                alone.append(one)
            continue
        head, digits = match.groups()
        series = found.setdefault(head, Series(head, len(digits), {}))
        series.width = min(series.width, len(digits))
        series.known[int(digits)] = one
    return [each for _, each in sorted(found.items()) if each.in_month], alone


def together(series: Series, found: Sequence[tuple[int, Why]]) -> list[Missing]:
    """Neighbours that are missing for the same reason as one row; `found` ascends."""
    rows: list[tuple[int, int, Why]] = []
    for n, why in found:
        if rows and rows[-1][1] == n - 1 and rows[-1][2] == why:
            rows[-1] = (rows[-1][0], n, why)
        else:
            rows.append((n, n, why))
    return [Missing(series.text(first), series.text(last), last - first + 1, why) for first, last, why in rows]
