"""A question to the webservice as PHP reads it: which rows, which of their fields, in what order, how many.

The real server's traps are kept: without `date=1` dates are unknown, garbage in a date or a limit finds nothing and
says nothing, unknown parameters are ignored, and without `sort` there is no order at all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from urllib.parse import parse_qsl

from monet_web.demo.prestashop.recordings import Row

DATE_FIELDS: Final = frozenset({"date_add", "date_upd"})
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}( \d{2}:\d{2}:\d{2})?", re.ASCII)
_VALUE: Final = re.compile(r"(?s)([<>!%]?)\[(.*)\](%?)")


class Refused(Exception):
    """The webservice's own error: status, code and text."""

    def __init__(self, status: int, code: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.code = code
        self.text = text


@dataclass(frozen=True, slots=True)
class Question:
    """One question about a list. `fields`: None for ids alone, () for everything."""

    filters: tuple[tuple[str, str], ...]
    fields: tuple[str, ...] | None
    sort: tuple[tuple[str, bool], ...]  # field, whether descending
    limit: tuple[int, int] | None  # start, count; (0, 0) when it was garbage

    @classmethod
    def read(cls, parameters: Mapping[str, str], available: Sequence[str]) -> Question:
        """Raises Refused for what the real one refuses. `available` are the resource's fields."""
        knows_dates = parameters.get("date") == "1"
        filterable = [name for name in available if knows_dates or name not in DATE_FIELDS]
        filters = []
        for key, value in parameters.items():
            name = re.fullmatch(r"filter\[(\w+)\]", key)
            if name is None:
                continue
            if name[1] not in filterable:
                full, meant = '", "'.join(filterable), closest(name[1], filterable)
                text = f'This filter does not exist. Did you mean: "{meant}"? The full list is: "{full}"'
                raise Refused(400, 32, text)
            filters.append((name[1], value))
        return cls(
            tuple(filters),
            _fields(parameters.get("display", ""), available),
            _sort(parameters.get("sort", ""), filterable),
            _limit(parameters.get("limit")),
        )

    def of(self, name: str) -> str | None:
        """The filter of a field, None without one."""
        return next((value for field, value in self.filters if field == name), None)

    def holds(self, row: Row) -> bool:
        """Whether every filter lets a row through."""
        return all(matches(value)(row.get(field)) for field, value in self.filters)

    def sorted(self, rows: list[Row]) -> list[Row]:
        """In the order asked for; else in one that is not that of the ids."""
        if not self.sort:
            return sorted(rows, key=lambda row: int(row["id"]) * 7919 % 104_729)
        for field, descending in reversed(self.sort):
            rows = _by(rows, field, descending=descending)
        return rows

    def cut(self, rows: list[Row]) -> list[Row]:
        if self.limit is None:
            return rows
        start, count = self.limit
        return rows[start : start + count]


def _by(rows: list[Row], field: str, *, descending: bool) -> list[Row]:
    return sorted(rows, key=lambda row: _sortable(row.get(field)), reverse=descending)


def read_query(query: str) -> dict[str, str]:
    """The last of equal names counts, as in PHP."""
    return dict(parse_qsl(query, keep_blank_values=True))


def closest(text: str, names: Sequence[str]) -> str:
    """The name that PHP's levenshtein() finds nearest; of equals the last."""
    return min(reversed(names), key=lambda name: _distance(text, name))


def _distance(one: str, other: str) -> int:
    before = list(range(len(other) + 1))
    for at, letter in enumerate(one, start=1):
        row = [at]
        for place, found in enumerate(other, start=1):
            row.append(min(before[place] + 1, row[-1] + 1, before[place - 1] + (letter != found)))
        before = row
    return before[-1]


def listed(value: str) -> list[str] | None:
    """The values of `[a|b]` or `[a]`, None for any other filter."""
    found = _VALUE.fullmatch(value)
    if found is None or found[1] or found[3] or "," in found[2]:
        return None
    return found[2].split("|")


def matches(value: str) -> Callable[[Any], bool]:
    """A filter's value as a question to a field."""
    found = _VALUE.fullmatch(value)
    if found is None:
        return lambda field: _text(field) == value
    sign, inside, percent = found.groups()
    if sign == "%" or percent:
        return lambda field: inside.casefold() in _text(field).casefold()
    if sign == "!":
        return lambda field: _text(field) not in inside.split("|")
    if sign in {"<", ">"}:
        return lambda field: _compared(field, inside, sign)
    if "," in inside:
        ends = sorted((_end(end) for end in inside.split(",", 1)), key=_sortable)
        return lambda field: _between(field, ends[0], ends[1])
    return lambda field: _text(field) in inside.split("|")


def _between(field: Any, low: str, high: str) -> bool:
    text = _text(field)
    if _DATE.fullmatch(text):
        # MySQL reads garbage as the zero date, so a garbage range holds nothing.
        return bool(_DATE.fullmatch(low) and _DATE.fullmatch(high)) and low <= text <= high
    return _sortable(low) <= _sortable(text) <= _sortable(high)


def _compared(field: Any, inside: str, sign: str) -> bool:
    text, end = _text(field), _end(inside)
    if _DATE.fullmatch(text):
        return bool(_DATE.fullmatch(end)) and (text > end if sign == ">" else text < end)
    one, other = _sortable(text), _sortable(end)
    return one > other if sign == ">" else one < other


def _end(text: str) -> str:
    """A plain date is its midnight."""
    text = text.strip()
    return f"{text} 00:00:00" if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII) else text


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _sortable(value: Any) -> tuple[int, Decimal, str]:
    text = _text(value)
    try:
        number = Decimal(text)
    except InvalidOperation:
        return 1, Decimal(0), text
    return (0, number, "") if number.is_finite() else (1, Decimal(0), text)


def _fields(display: str, available: Sequence[str]) -> tuple[str, ...] | None:
    if not display:
        return None
    if display == "full":
        return ()
    inside = re.fullmatch(r"\[(.*)\]", display)
    names = tuple(name.strip() for name in (inside[1] if inside else display).split(","))
    for name in names:
        if name not in available:
            full = ", ".join(available)
            raise Refused(400, 35, f'Unable to display this field "{name}". However, these are available: {full}')
    return names


def _sort(sort: str, filterable: Sequence[str]) -> tuple[tuple[str, bool], ...]:
    inside = re.fullmatch(r"\[(.*)\]", sort)
    found = []
    for part in (inside[1] if inside else sort).split(","):
        if not part:
            continue
        name, _, way = part.strip().rpartition("_")
        if name not in filterable or way not in {"ASC", "DESC"}:
            full = ", ".join([*filterable, "for i18n fields:"])
            raise Refused(400, 38, f"Unable to filter by this field. However, these are available: {full}")
        found.append((name, way == "DESC"))
    return tuple(found)


def _limit(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    found = re.fullmatch(r"(?:(\d+),)?(\d+)", text, re.ASCII)
    return (int(found[1] or 0), int(found[2])) if found else (0, 0)
