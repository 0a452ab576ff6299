"""Shopify's search syntax, as far as an importer uses it: terms that all must fit, or one of several with OR."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, Final

from monet_web.demo.shopify.documents import Document
from monet_web.demo.shopify.store import Header

_TOKEN: Final = re.compile(r"""(?:[^\s'"]|'[^']*'|"[^"]*")+""")
_TERM: Final = re.compile(r"(\w+):(>=|<=|>|<)?(.+)", re.DOTALL)
_DATES: Final[dict[str, Callable[[Header], datetime]]] = {
    "created_at": lambda header: header.created,
    "processed_at": lambda header: header.processed,
    "updated_at": lambda header: header.updated,
}


class Search:
    """A parsed search. `warnings` name the filters that Shopify does not know, and ignores."""

    def __init__(self, query: str) -> None:
        self.warnings: list[Document] = []
        self._choices: list[list[Callable[[Header], bool]]] = [[]]
        for token in _TOKEN.findall(query):
            if token == "OR":  # noqa: S105 - a word of the syntax
                self._choices.append([])
            elif token != "AND":  # noqa: S105
                self._choices[-1].append(self._term(token))

    def __call__(self, headers: Iterable[Header]) -> list[Header]:
        return [
            header for header in headers if any(all(term(header) for term in terms) for terms in self._choices)
        ]  # fmt: skip

    def _term(self, token: str) -> Callable[[Header], bool]:
        found = _TERM.fullmatch(token)
        if found is None:
            return lambda header: token.casefold() in header.name.casefold()
        name, compare, value = found[1], found[2] or "", found[3].strip("'\"")
        if name in _DATES and (moment := _moment(value)) is not None:
            dated = _DATES[name]
            return lambda header: _compared(dated(header), compare, moment)
        if name == "id" and value.isdigit():
            return lambda header: _compared(header.id, compare, int(value))
        if name == "financial_status":
            wanted = {one.upper() for one in value.split(",")}
            return lambda header: header.financial in wanted
        if name == "name":
            return lambda header: header.name.lstrip("#") == value.lstrip("#")
        if name == "test":
            return lambda header: header.test == (value == "true")
        if name == "status" and value in ("any", "cancelled", "not_closed", "open"):
            return lambda header: value == "any" or header.cancelled == (value == "cancelled")
        self.warnings.append({
            "path": ["orders"],
            "query": token,
            "parsed": {"field": name, "match_all": value},
            "warnings": [{"field": name, "message": "Invalid search field for this query.", "code": "invalid_field"}],
        })  # fmt: skip
        return lambda header: True  # noqa: ARG005 - every order fits a filter that is ignored


def _compared(found: Any, compare: str, wanted: Any) -> bool:
    """`>` lets the bound itself through too, as was seen of dates."""
    match compare:
        case ">=" | ">":
            return bool(found >= wanted)
        case "<=":
            return bool(found <= wanted)
        case "<":
            return bool(found < wanted)
        case _:
            return bool(found == wanted)


def _moment(value: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
