"""Series of invoice numbers: where one breaks off, and why, in both languages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

_TAIL = re.compile(r"^(.*?)(\d{1,18})$", re.ASCII | re.DOTALL)

# Why a number is on no document of its series in the month; {values} as the report fills them.
WHY: Mapping[str, tuple[str, str]] = {
    "dated_elsewhere": ("on a document dated {day}", "dokumente, kurio data {day}"),
    "dated_between": ("on documents dated {first} to {last}", "dokumentuose, kurių datos nuo {first} iki {last}"),
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
    "not_in_store": (
        "the store has no order with this number: all it has of {days} was read",
        "parduotuvėje užsakymo tokiu numeriu nėra: perskaityta viskas, ką ji turi ({days})",
    ),
    "never_came": ("no order with this number came from the store", "užsakymo tokiu numeriu iš parduotuvės negauta"),
    "no_invoice": ("no invoice with this number came from the store", "sąskaitos tokiu numeriu iš parduotuvės negauta"),
    "never_given": ("this series has not given it to a document", "ši serija jo jokiam dokumentui nedavė"),
    "not_looked": ("a jump too large to look into number by number", "šuolis per didelis žiūrėti kiekvieną numerį"),
}
# Nobody has explained these; all others say where the number is, or that it never was.
UNEXPLAINED = frozenset({"never_given", "not_looked", "never_came", "no_invoice", "open", "conflict", "unreadable"})


@dataclass(frozen=True, slots=True)
class Numbered:
    """One document with a number. `is_in_month`: dated in the month that is looked at; `is_later`: after it.

    `follows`: its number is that of another document with an ending, as a credit note's `KL-7-K1`, and of no series.
    `placed`: when its order was.
    """

    number: str
    day: date
    is_in_month: bool
    touched: bool = False
    is_later: bool = False
    follows: bool = False
    placed: datetime | None = None


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


@dataclass(slots=True)
class Series:
    """Numbers that differ only in the digits at their end, `head` before them; those known, by their value.

    `later`: documents dated after the month, which only dates are compared with.
    """

    head: str
    width: int
    known: dict[int, Numbered]
    later: dict[int, Numbered] = field(default_factory=dict)

    @property
    def in_month(self) -> list[int]:
        """Those of the month, ascending."""
        return sorted(n for n, one in self.known.items() if one.is_in_month)

    def text(self, n: int) -> str:
        """A number of the series as its neighbours are written."""
        return f"{self.head}{n:0{self.width}d}"

    def gaps(self, before: int | None = None) -> list[tuple[int, int]]:
        """(first, last) of what is missing between the document before the month's first and the month's last.

        `before`: the number of that document where it is known otherwise, 0 when there is none.
        """
        here = self.in_month
        if not here:
            return []
        earlier = [n for n in self.known if n < here[0]] + ([] if before is None else [before])
        at = max(earlier) if earlier else here[0]
        found = []
        for n in sorted(n for n in self.known if at < n <= here[-1]):
            if n > at + 1:
                found.append((at + 1, n - 1))
            at = n
        return found

    def placed_around(self, first: int, last: int) -> tuple[datetime, datetime] | None:
        """When the orders beside a gap were placed, the earlier one first; None where that is not known."""
        moments = [one.placed for n in (first - 1, last + 1) if (one := self.known.get(n)) is not None]
        known = [moment for moment in moments if moment is not None]
        return (min(known), max(known)) if len(known) == len(("below", "above")) else None


def series_of(documents: Iterable[Numbered]) -> tuple[list[Series], list[Numbered]]:
    """The series that have documents in the month, and documents of the month whose number is in none."""
    found: dict[str, Series] = {}
    alone: list[Numbered] = []
    for one in documents:
        match = _TAIL.match(one.number)
        if match is None or one.follows:
            if one.is_in_month:
                alone.append(one)
            continue
        head, digits = match.groups()
        series = found.setdefault(head, Series(head, len(digits), {}))
        if one.is_later:
            series.later[int(digits)] = one
            continue
        series.width = len(digits) if not series.known else min(series.width, len(digits))
        series.known[int(digits)] = one
    return [each for _, each in sorted(found.items()) if each.in_month], alone


def together(series: Series, found: Sequence[tuple[int, Why]]) -> list[Missing]:
    """Neighbours that are missing for the same reason as one row; `found` ascends."""
    rows: list[tuple[int, int, Why]] = []
    for n, why in found:
        joined = _both(rows[-1][2], why) if rows and rows[-1][1] == n - 1 else None
        if joined is not None:
            rows[-1] = (rows[-1][0], n, joined)
        else:
            rows.append((n, n, why))
    return [Missing(series.text(first), series.text(last), last - first + 1, why) for first, last, why in rows]


def _both(one: Why, other: Why) -> Why | None:
    """What says both: the same, or that both are on documents of other days."""
    if one == other:
        return one
    if not {one.code, other.code} <= {"dated_elsewhere", "dated_between"}:
        return None
    days = sorted(day for each in (one, other) for day in each.values.values())
    return Why("dated_between", {"first": days[0], "last": days[-1]})
