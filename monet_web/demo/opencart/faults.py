"""What goes wrong between an OpenCart shop and its callers: hosts, firewalls, caches and broken orders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

JSON: Final = "application/json; charset=utf-8"
HTML: Final = "text/html; charset=utf-8"

_BOM: Final = b"\xef\xbb\xbf"
_NOTICE: Final = (
    b"<br />\n<b>Deprecated</b>:  Optional parameter before required one in "
    b"<b>/home/u/public_html/vqmod/x.php</b> on line <b>12</b><br />\n"
)


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, body and headers of one answer."""

    status: int
    body: bytes
    kind: str = JSON
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Faults:
    """All off by default."""

    # Where the bridge answers: "file", "oc3", "oc4"; none of them, and it is not installed.
    doors: frozenset[str] = frozenset({"file"})
    broken_orders: frozenset[int] = frozenset()
    clock_seconds: int = 0  # how far the server's clock is ahead
    addresses: tuple[str, ...] = ()  # the API user's list
    drops_headers: bool = False
    forbidden: bool = False  # a firewall that refuses all PHP files beside index.php
    maintenance: bool = False  # the shop's own setting, which a file beside index.php does not know
    database_down: bool = False
    fatal_error: bool = False
    too_many_requests: int | None = None  # seconds that a 429 names; 0 for one without Retry-After
    redirect_to: str = ""  # where a 301 sends every request
    delay: float = 0.0
    byte_order_mark: bool = False
    php_notice: bool = False
    truncated: bool = False  # the connection ends in the middle of the body
    empty: bool = False
    huge: int = 0  # at least so many bytes of body


def host_answer(faults: Faults, target: str, *, is_file: bool) -> Answer | None:
    """What comes back before the bridge or the shop looks at the request; `target` is path and query."""
    if faults.redirect_to:
        return Answer(301, b"", HTML, (("Location", faults.redirect_to + target),))
    if faults.too_many_requests is not None:
        waits = (("Retry-After", str(faults.too_many_requests)),) if faults.too_many_requests else ()
        return Answer(429, page("429 Too Many Requests"), HTML, waits)
    if faults.forbidden and is_file:
        return Answer(403, page("Forbidden"), HTML)
    if faults.maintenance and not is_file:
        return Answer(503, page("Maintenance"), HTML, (("Retry-After", "3600"),))
    return Answer(500, b"", HTML) if faults.fatal_error else None


def spoiled(faults: Faults, answer: Answer) -> Answer:
    """The answer with dirt before it, nothing in it, or too much behind it."""
    body = b"" if faults.empty else answer.body
    body = (_NOTICE if faults.php_notice else b"") + body
    body = (_BOM if faults.byte_order_mark else b"") + body
    body += b" " * max(0, faults.huge - len(body))
    return Answer(answer.status, body, answer.kind, answer.headers)


def page(title: str) -> bytes:
    """A page of the shop's theme or of its web server."""
    return f"<!DOCTYPE html>\n<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>".encode()
