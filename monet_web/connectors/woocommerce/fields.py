"""One field of foreign JSON at a time: the value in the type we need, or a sentence that names field and value."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

Json = Any
Record = Mapping[str, Json]

_AMOUNT = re.compile(r"-?\d{1,15}(?:\.\d{1,12})?", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", re.ASCII)
_LARGEST = Decimal(10) ** 15
_SMALLEST_EXPONENT = -20


class Problem(Exception):
    """`str()` is a sentence: which field holds what, and what it should hold."""


# What people call the parts of an order; its field's own name stands beside it for whoever looks after the shop.
_CALLED = {
    "line_items": "list of products",
    "shipping_lines": "list of shipping costs",
    "fee_lines": "list of fees",
    "tax_lines": "list of taxes",
    "taxes": "list of taxes",
    "refunds": "list of refunds",
    "billing": "buyer's address",
    "refund": "refund",
}


def shown(value: Json) -> str:
    """A value as a message may hold it: short, one line, in words where a person could not read it."""
    match value:
        case None | "":
            return "empty"
        case bool():
            return "“yes”" if value else "“no”"
        case str():
            text = " ".join(value.split())
            return f"“{text if len(text) <= 60 else text[:59] + '…'}”"
        case Mapping() | list():
            return "a group of values" if value else "empty"
        case _:
            text = str(value) if isinstance(value, (Decimal, float)) or abs(value) < _LARGEST else "a huge number"
            return text if len(text) <= 60 else text[:59] + "…"


def _damaged(called: str, key: str, value: Json) -> Problem:
    called = f"{_CALLED[key]} ({called})" if key in _CALLED else called
    if value in (None, "", [], {}):
        return Problem(f"Its {called} is empty.")
    return Problem(f"Its {called} is damaged: it holds {shown(value)}.")


def record(value: Json, where: str) -> Record:
    """A JSON object. Raises Problem."""
    if not isinstance(value, Mapping):
        raise _damaged(where, where, value)
    return value


def records(parent: Record, key: str, where: str = "") -> Iterator[Record]:
    """The JSON objects of a list that must be there. Raises Problem."""
    value = parent.get(key)
    if not isinstance(value, list):
        raise _damaged(f"{where}{key}", key, value)
    for number, entry in enumerate(value, 1):
        if not isinstance(entry, Mapping):
            what = "is empty" if entry in (None, "", []) else f"is damaged: it holds {shown(entry)}"
            raise Problem(f"No. {number} of its {_CALLED.get(key, 'list')} ({where}{key}) {what}.")
        yield entry


def optional_records(parent: Record, key: str) -> Iterator[Record]:
    """The JSON objects of a list, leaving out whatever is something else."""
    value = parent.get(key)
    if isinstance(value, list):
        yield from (entry for entry in value if isinstance(entry, Mapping))


def amount(parent: Record, key: str, where: str = "") -> Decimal:
    """An exact amount. WooCommerce writes them as text; a number with a point may be a rounded float and is refused."""
    value = parent.get(key)
    found = _typed_amount(value) if isinstance(value, str) else None
    if found is not None:
        return found
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < _LARGEST:
        return Decimal(value)
    raise Problem(f"Its {where}{key} is {shown(value)}, which is not an amount.")


@lru_cache(maxsize=5_000)  # a shop has some thousand prices and sums of tax, each said many times over
def _typed_amount(typed: str) -> Decimal | None:
    return Decimal(typed) if _AMOUNT.fullmatch(typed) else None


def number(parent: Record, key: str, where: str = "") -> Decimal:
    """A quantity, a price or a rate: a JSON number or text. Raises Problem."""
    value = parent.get(key)
    found: Decimal | None = None
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        found = Decimal(value)
    elif isinstance(value, float):
        found = Decimal(repr(value))  # as it was written; an order kept and decoded again may bring floats
    elif isinstance(value, str):
        found = _typed_amount(value)
    if found is None or not found.is_finite() or not _is_reasonable(found):
        raise Problem(f"Its {where}{key} is {shown(value)}, which is not a number that can be used.")
    return found


def _is_reasonable(value: Decimal) -> bool:
    exponent = value.as_tuple().exponent
    return isinstance(exponent, int) and exponent >= _SMALLEST_EXPONENT and value.adjusted() < 15


def text(parent: Record, key: str) -> str:
    """A text, "" when it is absent or something else; numbers become text."""
    value = parent.get(key)
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < _LARGEST:
        return str(value)
    return ""


def title(parent: Record, key: str) -> str:
    """A name for people. Saved through REST it holds `&amp;` for `&`, so entities are resolved, once."""
    return html.unescape(text(parent, key))


def identity(parent: Record, key: str = "id", where: str = "") -> str:
    """A number that names something, as text. Raises Problem."""
    found = text(parent, key)
    if not (found.isascii() and found.isdigit()) or len(found) > 15 or not int(found):
        raise Problem(f"Its {where}{key} is {shown(parent.get(key))}, which is not an id.")
    return str(int(found))


def reference(parent: Record, key: str) -> str:
    """An id of something that may be gone: "" for 0, null and the like."""
    found = text(parent, key)
    return "" if found == "0" else found


def moment(parent: Record, key: str) -> datetime | None:
    """A `*_gmt` date: UTC without a "Z". None for null. Raises Problem for what is no date."""
    value = parent.get(key)
    if value is None or value == "":
        return None
    found = _typed_moment(value) if isinstance(value, str) else None
    if found is not None:
        return found
    raise Problem(f"Its {key} is {shown(value)}, which is not a date.")


@lru_cache(maxsize=2_000)  # dates of an order are looked at by whoever chooses it, and again by whoever reads it
def _typed_moment(typed: str) -> datetime | None:
    plain = typed.removesuffix("Z")
    if not _MOMENT.fullmatch(plain):
        return None
    try:
        return datetime.fromisoformat(plain).replace(tzinfo=UTC)
    except ValueError:
        return None
