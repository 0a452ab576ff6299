"""What goes wrong between a shop and its callers: hosts, plugins and settings that break the API."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from monet_web.demo.woocommerce.answers import (
    CRITICAL_ERROR,
    HTML,
    MAINTENANCE,
    NO_DATABASE,
    Answer,
    died,
    html,
)

_BOM: Final = b"\xef\xbb\xbf"
_NOTICE: Final = (
    b"<br />\n<b>Deprecated</b>:  Return type of X::y() in <b>/home/u/wp-content/plugins/x.php</b> "
    b"on line <b>12</b><br />\n"
)


@dataclass(frozen=True, slots=True)
class Faults:
    """All off by default. Those of the shop's settings come first, then the host's, then what spoils an answer."""

    plain_permalinks: bool = False
    woocommerce_off: bool = False
    routes_removed: bool = False
    rest_disabled: bool = False
    login_required: bool = False
    broken_orders: frozenset[int] = frozenset()

    # The host's.
    strips_authorization: bool = False
    believes_https: bool = False
    # Every address is a page of another site: 404 as HTML.
    wrong_address: bool = False
    maintenance: bool = False
    retry_after: int | None = 600
    database_down: bool = False
    fatal_error: bool = False
    # Seconds to wait that a 429 names; 0 for a 429 without a Retry-After.
    too_many_requests: int | None = None
    # "https://www.example.test": where a 301 sends every request.
    redirect_to: str = ""

    # What spoils an answer.
    delay: float = 0.0
    byte_order_mark: bool = False
    php_notice: bool = False
    # The connection ends in the middle of the body.
    truncated: bool = False
    empty: bool = False
    # At least so many bytes of body, all of it spaces behind the JSON.
    huge: int = 0


def host_answer(faults: Faults, target: str, *, accepts_json: bool) -> Answer | None:
    """What comes back before WordPress looks at the request; `target` is path and query."""
    if faults.redirect_to:
        return Answer(301, b"", {"Location": faults.redirect_to + target}, HTML, is_rest=False)
    if faults.too_many_requests is not None:
        waits = {"Retry_After": str(faults.too_many_requests)} if faults.too_many_requests else {}
        return html(429, "429 Too Many Requests", "<h1>Too Many Requests</h1>", **waits)
    if faults.maintenance:
        answer = died(503, "wp_die", MAINTENANCE, title="Maintenance", accepts_json=accepts_json)
        return answer if faults.retry_after is None else answer.with_headers(Retry_After=str(faults.retry_after))
    if faults.database_down:
        return died(500, "wp_die", NO_DATABASE, title="Database Error", accepts_json=accepts_json)
    if faults.fatal_error:
        return critical_error(accepts_json=accepts_json)
    return html(404, "Page not found") if faults.wrong_address else None


def critical_error(*, accepts_json: bool, is_rest: bool = False) -> Answer:
    return died(
        500,
        "internal_server_error",
        CRITICAL_ERROR,
        title="WordPress &rsaquo; Error",
        accepts_json=accepts_json,
        is_rest=is_rest,
    )


def spoiled(faults: Faults, answer: Answer) -> Answer:
    """The answer with dirt before it, nothing in it, or too much behind it."""
    body = answer.body
    if faults.php_notice:
        body = _NOTICE + body
    if faults.byte_order_mark:
        body = _BOM + body
    if faults.empty:
        body = b""
    if len(body) < faults.huge:
        body += b" " * (faults.huge - len(body))
    return answer if body is answer.body else replace(answer, body=body)
