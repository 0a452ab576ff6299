"""What a store answered, and the JSON in it, also when something else was printed before it."""

from __future__ import annotations

import email.utils
import html
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

Json = Any

_BEGINNINGS = re.compile(r"(?:^|[>\n])\s*(?=[\[{])")
_DIRT_LIMIT = 65536
_SHOWN = 40  # characters of a value that an error repeats


class NotJson(ValueError):
    """The body is no JSON; `str()` says in a few words what it is instead."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer. `url` is the address without query and secrets, header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    url: str
    seconds: float = 0.0

    @property
    def date(self) -> datetime | None:
        """When the server says it answered, in UTC."""
        return http_date(self.headers.get("date", ""))

    @property
    def retry_after(self) -> float | None:
        """Seconds that the store asks us to wait: a number, or an HTTP date counted from the server's own clock."""
        text = self.headers.get("retry-after", "").strip()
        if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", text, re.ASCII):  # Shopify writes 2.0
            return float(text)
        moment = http_date(text)
        return None if moment is None else max(0.0, (moment - (self.date or datetime.now(UTC))).total_seconds())

    @property
    def is_html(self) -> bool:
        return self.body.lstrip(b"\xef\xbb\xbf \t\r\n")[:200].lower().startswith((b"<!doctype", b"<html", b"<head"))

    def json(self) -> Json:
        """The decoded body; numbers with a point are Decimals. Raises NotJson."""
        return decode(self.body, self.headers.get("content-type", ""))

    def number(self, header: str) -> int | None:
        """A header that holds a count, None when it is absent or holds something else."""
        text = self.headers.get(header.lower(), "").strip()
        return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else None

    def words(self, limit: int = 120) -> str:
        """The first words of the body for a message: no tags, one line."""
        text = self.body[:20000].decode("utf-8", "replace")
        text = re.sub(r"(?is)<(script|style|head)\b.*?</\1>|<[^>]*>", " ", text)
        text = " ".join(html.unescape(text).split())
        return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def http_date(text: str) -> datetime | None:
    """An HTTP date as an aware moment, None when it is none."""
    try:
        moment = email.utils.parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def decode(body: bytes, content_type: str = "") -> Json:
    """JSON out of a body, a BOM or PHP's notices before it cut off. Raises NotJson."""
    text = _text(body, content_type).removeprefix("\ufeff").strip()
    if not text:
        raise NotJson("an empty answer")
    if text[0] in "[{":
        # Nothing stands before it, so nothing is skipped: a part of a cut-off answer must never pass for the whole.
        return _whole(text, 0)
    for beginning in _BEGINNINGS.finditer(text, 0, _DIRT_LIMIT):
        try:
            return _whole(text, beginning.end())
        except NotJson:
            continue
    if text[0] == "<":
        raise NotJson("a web page")
    raise NotJson(_value_alone(text) or "text that is not JSON")


def _value_alone(text: str) -> str:
    """What a whole answer is that is JSON, and neither a list nor an object; "" when it is no JSON."""
    try:
        value, end = _DECODER.raw_decode(text)
    except (ValueError, ArithmeticError):
        return ""
    if text[end:].strip():
        return ""
    kind = "the text" if isinstance(value, str) else "the value"
    shown = text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
    return f"{kind} {shown} alone"


def _text(body: bytes, content_type: str) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        at = error.start
    declared = re.search(r"charset=[\"']?([\w.:-]+)", content_type, re.IGNORECASE)
    if declared and declared[1].lower().replace("-", "") != "utf8":
        try:
            return body.decode(declared[1])
        except (UnicodeDecodeError, LookupError):
            pass
    raise NotJson(f"text that is not UTF-8 (at byte {at})")


def _whole(text: str, start: int) -> Json:
    try:
        value, end = _DECODER.raw_decode(text, start)
    except RecursionError:
        raise NotJson("JSON nested too deeply") from None
    except (ValueError, ArithmeticError):
        raise NotJson("JSON that is cut off or broken") from None
    rest = text[end:].lstrip()
    if rest and not rest.startswith("<"):  # a notice printed at PHP's shutdown may follow
        raise NotJson("JSON that is cut off or broken")
    return value


def _no_constant(name: str) -> Json:
    raise ValueError(name)


_DECODER = json.JSONDecoder(parse_float=Decimal, parse_constant=_no_constant)
