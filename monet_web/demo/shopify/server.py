"""The shop as a WSGI program: two doors, one for tokens and one for questions."""

from __future__ import annotations

import json
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from decimal import Decimal
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl

from monet_web.demo.shopify.answering import Asked, answer, is_throttled
from monet_web.demo.shopify.app import App, Tokens
from monet_web.demo.shopify.documents import Document
from monet_web.demo.shopify.faults import Faults, refusal
from monet_web.demo.shopify.price import Bucket
from monet_web.demo.shopify.store import Store

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_API: Final = re.compile(r"/admin/api/(\d{4}-\d\d|unstable)/graphql\.json")
_NOT_KNOWN: Final = "[API] Invalid API key or access token (unrecognized login or wrong password)"
_LARGEST: Final = 1_000_000  # bytes of a question


class ShopifyShop:
    """A demo shop to serve over HTTP.

    `app` and `faults` may be replaced at any time; `once` lends faults to the next requests. `asked` holds what was
    asked for so far: paths, and names of operations with their variables; `throttled` counts what was refused for want
    of points. `before_answering` is run before each request, for a living shop to catch up with the clock.
    """

    def __init__(
        self,
        store: Store | None = None,
        *,
        app: App | None = None,
        faults: Faults | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        clock: Callable[[], float] = time.monotonic,
        before_answering: Callable[[], object] | None = None,
    ) -> None:
        self.store = Store() if store is None else store
        self.app = App() if app is None else app
        self.faults = Faults() if faults is None else faults
        self.tokens = Tokens(clock)
        self.bucket = Bucket(self.app.plan, clock)
        self.throttled = 0
        self.asked: deque[tuple[str, Document]] = deque(maxlen=1000)
        self._now = now
        self._before_answering = before_answering
        self._lent: deque[Faults] = deque()
        self._lock = threading.Lock()

    def once(self, faults: Faults, times: int = 1) -> None:
        """Lends these faults to the next `times` requests."""
        with self._lock:
            self._lent.extend([faults] * times)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if self._before_answering is not None:
            self._before_answering()
        with self._lock:
            faults = self._lent.popleft() if self._lent else self.faults
        if faults.delay:
            time.sleep(faults.delay)
        posted = _body(environ)  # read whatever comes of it: else the connection is not closed
        status, body, headers = self._answered(environ, posted, faults)
        is_page = isinstance(body, str)
        data = body.encode() if isinstance(body, str) else json.dumps(body, ensure_ascii=False, default=_plain).encode()
        headers += [("Content-Type", "text/html; charset=utf-8" if is_page else "application/json; charset=utf-8")]
        headers += [("Content-Length", str(len(data)))]
        start_response(f"{status} {_phrase(status)}", headers)
        return [data[: len(data) // 2] if faults.truncated else data]

    def _answered(
        self, environ: WSGIEnvironment, posted: bytes, faults: Faults
    ) -> tuple[int, Document | str, list[tuple[str, str]]]:
        path, method = str(environ.get("PATH_INFO", "")), str(environ["REQUEST_METHOD"])
        refused = refusal(faults)
        if refused is not None:
            wait = faults.too_many_requests
            return *refused, [("Retry-After", f"{wait}.0")] if wait is not None else []
        if path == "/admin/oauth/access_token" and method == "POST":
            self.asked.append((path, {}))
            return *self.tokens.ask(self.app, dict(parse_qsl(posted.decode("utf-8", "replace")))), []
        found = _API.fullmatch(path)
        if found is None or method != "POST":
            return 404, "<!doctype html><html><body><h1>404: Not Found</h1></body></html>", []
        version = found[1] if found[1] in faults.versions else faults.versions[0]
        headers = [("X-Shopify-API-Version", version)]
        if not self.tokens.are_good(self.app, str(environ.get("HTTP_X_SHOPIFY_ACCESS_TOKEN", ""))):
            return 401, {"errors": _NOT_KNOWN}, headers
        question = _json(posted)
        if question is None:
            return 400, {"errors": "Required parameter missing or invalid"}, headers
        name = str(question.get("operationName") or "") if isinstance(question, dict) else ""
        self.asked.append((name, question.get("variables") or {} if isinstance(question, dict) else {}))
        asked = Asked(self.store, self.app, self._now(), faults.broken_orders)
        body = answer(question, asked, self.bucket)
        self.throttled += is_throttled(body)
        return 200, body, headers


def _body(environ: WSGIEnvironment) -> bytes:
    length = str(environ.get("CONTENT_LENGTH") or "0")
    found: bytes = environ["wsgi.input"].read(min(int(length), _LARGEST) if length.isdigit() else 0)
    return found


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None


def _plain(value: object) -> Any:
    """Rates are Decimals until they go out; the schema's own type of a rate is a float."""
    if isinstance(value, Decimal):
        return float(value)
    message = f"no JSON for {type(value).__name__}"
    raise TypeError(message)


def _phrase(status: int) -> str:
    return HTTPStatus(status).phrase
