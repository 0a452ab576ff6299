"""What the address of the list asks for, and addresses that ask for something else; wrong values are left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from flask import url_for

from monet_web.services.documents.invoice_list import DEFAULT_SORT, SORTS, Wanted

_LONGEST_ID = 18  # digits that both databases take


@dataclass(frozen=True, slots=True)
class Asked:
    """The filter, how it is sorted, and after which invoice the page begins."""

    wanted: Wanted
    sort: str = DEFAULT_SORT
    descending: bool = True
    after: int | None = None

    @property
    def narrows(self) -> bool:
        """True when something is looked for: an empty list then means "none matches"."""
        return self.wanted != Wanted()

    def query(self, **changes: Any) -> dict[str, Any]:
        """The arguments of the address; those at their defaults are left out."""
        wanted = self.wanted
        said = {
            "q": wanted.text,
            "integration": wanted.integration_id,
            "from": wanted.first.isoformat() if wanted.first else "",
            "to": wanted.last.isoformat() if wanted.last else "",
            "currency": wanted.currency,
            "only": _only(wanted),
            "sort": "" if self.sort == DEFAULT_SORT else self.sort,
            "order": "" if self.descending == _begins_descending(self.sort) else ("down" if self.descending else "up"),
            **changes,
        }
        return {key: value for key, value in said.items() if value not in ("", None)}

    def url(self, **changes: Any) -> str:
        """The list with something else asked; the first page of it unless `after` is among the changes."""
        return url_for("invoices.page", **self.query(**changes))

    def sorted_by(self, sort: str) -> str:
        """The list sorted by that column; by the column it is sorted by already: the other way round."""
        turned = not self.descending if sort == self.sort else _begins_descending(sort)
        return replace(self, sort=sort, descending=turned).url()

    def aria_sort(self, sort: str) -> str:
        """What a screen reader is told of the column."""
        if sort != self.sort:
            return "none"
        return "descending" if self.descending else "ascending"


def asked(arguments: Mapping[str, str]) -> Asked:
    """What an address asks for."""
    sort = arguments.get("sort", "")
    sort = sort if sort in SORTS else DEFAULT_SORT
    only = arguments.get("only", "")
    order = arguments.get("order", "")
    return Asked(
        wanted=Wanted(
            text=arguments.get("q", "").strip()[:200],
            integration_id=number(arguments.get("integration", "")),
            first=day(arguments.get("from", "")),
            last=day(arguments.get("to", "")),
            currency=_currency(arguments.get("currency", "")),
            has_notices=only == "notices",
            is_changed=only == "changed",
        ),
        sort=sort,
        descending={"down": True, "up": False}.get(order, _begins_descending(sort)),
        after=number(arguments.get("after", "")),
    )


def number(text: str) -> int | None:
    """An id of an address, None for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _LONGEST_ID else None


def day(text: str) -> date | None:
    """A day as browsers write it, None for anything else."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _currency(text: str) -> str:
    code = text.strip().upper()
    return code if len(code) == 3 and code.isascii() and code.isalpha() else ""


def _only(wanted: Wanted) -> str:
    return "changed" if wanted.is_changed else "notices" if wanted.has_notices else ""


def _begins_descending(sort: str) -> bool:
    """The newest and the largest first, names and numbers from the beginning."""
    return sort in ("date", "total")
