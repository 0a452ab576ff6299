"""The shop as a WSGI program: the bridge's doors, and stock OpenCart behind them."""

from __future__ import annotations

import hashlib
import hmac
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl

from monet_web.demo.opencart.bridge import Refused, info, orders
from monet_web.demo.opencart.documents import encode
from monet_web.demo.opencart.faults import HTML, Answer, Faults, host_answer, page, spoiled
from monet_web.demo.opencart.store import Store

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

DEMO_USER: Final = "monet"
DEMO_KEY: Final = "".join(hashlib.sha512(f"demo key {part}".encode()).hexdigest() for part in range(2))  # 256 signs

_CLOCK_SECONDS = 300
_ROUTES = {"extension/monet": "oc3", "extension/monet/monet": "oc4"}


@dataclass(frozen=True, slots=True)
class Request:
    """`query` is the query string as sent."""

    method: str
    path: str
    query: str
    user: str
    time: str
    sign: str
    address: str

    @property
    def parameters(self) -> dict[str, str]:
        """As PHP reads them: of two with one name, the last."""
        return dict(parse_qsl(self.query, keep_blank_values=True))


Hook = Callable[[Request], "Answer | Faults | None"]


class OpenCartShop:
    """A demo shop to serve over HTTP.

    `faults` may be replaced at any time. `hooks` are asked before each request, in their order; the first that returns
    an Answer gives it, one that returns Faults lends them to this request. `requests` is what was asked so far.
    `before_answering` is run before each request, for a living shop to catch up with the clock.
    """

    def __init__(
        self,
        store: Store | None = None,
        *,
        keys: dict[str, str] | None = None,
        faults: Faults | None = None,
        now: Callable[[], float] = time.time,
        before_answering: Callable[[], object] | None = None,
    ) -> None:
        self.store = Store() if store is None else store
        self.faults = Faults() if faults is None else faults
        self.hooks: list[Hook] = []
        self.requests: deque[Request] = deque(maxlen=1000)
        self._keys = {DEMO_USER: DEMO_KEY} if keys is None else keys
        self._now = now
        self._before_answering = before_answering
        self._lock = threading.Lock()

    def once(self, faults: Faults, times: int = 1) -> None:
        """Lends these faults to the next `times` requests."""
        left = [times]

        def hook(_: Request) -> Faults | None:
            with self._lock:
                left[0] -= 1
                return faults if left[0] >= 0 else None

        self.hooks.append(hook)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        faults, request = self.faults, _read(environ)
        self.requests.append(request)
        answer: Answer | None = None
        for hook in self.hooks:
            given = hook(request)
            if isinstance(given, Faults):
                faults = given
            elif given is not None:
                answer = given
                break
        if self._before_answering is not None:
            self._before_answering()
        if faults.delay:
            time.sleep(faults.delay)
        if answer is None:
            answer = spoiled(faults, self.answer(request, faults))
        body = b"" if request.method == "HEAD" else answer.body
        headers = [("X-Powered-By", "PHP/8.2.36"), ("Content-Type", answer.kind), *answer.headers]
        headers.append(("Content-Length", str(len(body))))
        if faults.truncated:
            body = body[: len(body) // 2]  # the length promises more than comes
        start_response(f"{answer.status} {HTTPStatus(answer.status).phrase}", headers)
        return [body]

    def answer(self, request: Request, faults: Faults) -> Answer:
        """What web server, bridge or shop answer."""
        is_file = request.path == "/monet_bridge.php"
        target = f"{request.path}?{request.query}" if request.query else request.path
        host = host_answer(faults, target, is_file=is_file)
        if host is not None:
            return host
        door = "file" if is_file else _ROUTES.get(request.parameters.get("route", ""), "")
        if door in faults.doors and (is_file or request.path == "/index.php"):
            try:
                return self._bridge(request, faults)
            except Refused as refused:
                said = {"error": refused.code, "message": refused.message, **refused.more}
                return Answer(refused.status, encode(said), headers=(("Cache-Control", "no-store"),))
        return self._stock(request)

    def _bridge(self, request: Request, faults: Faults) -> Answer:
        if request.method != "GET":
            raise Refused(405, "method", "Only GET is served")
        if faults.database_down:
            raise Refused(500, "database", "Cannot reach the shop database")
        now = int(self._now()) + faults.clock_seconds
        self._authorise(request, faults, now)
        wanted = request.parameters
        with self.store.lock:
            if wanted.get("action") == "info":
                said: Any = info(self.store, now)
            elif wanted.get("action") == "orders":
                said = orders(self.store, wanted, now, broken=faults.broken_orders)
            else:
                raise Refused(404, "action", "action is info or orders")
            body = encode(said)
        return Answer(200, body, headers=(("Cache-Control", "no-store"),))

    def _authorise(self, request: Request, faults: Faults, now: int) -> None:
        user, sign = ("", "") if faults.drops_headers else (request.user, request.sign)
        if not user or not sign:
            raise Refused(401, "unsigned", "The request is not signed")
        key = self._keys.get(user, "")
        text = f"GET\n{request.query}\n{request.time}"
        want = hmac.new(key.encode(), text.encode("latin-1"), hashlib.sha256).hexdigest()
        if not key or not hmac.compare_digest(want, sign.lower()):
            raise Refused(401, "key", "Unknown API user, or wrong key")
        seconds = int(found[0]) if (found := re.match(r"-?\d+", request.time)) else 0  # PHP's (int)
        if abs(now - seconds) > _CLOCK_SECONDS:
            raise Refused(401, "clock", "The request is too old", {"server_time": now})
        if faults.addresses and request.address not in faults.addresses:
            raise Refused(403, "ip", f"Address {request.address} is not on the API user's list")

    def _stock(self, request: Request) -> Answer:
        """OpenCart itself, as far as a caller without a bridge meets it."""
        route = request.parameters.get("route", "")
        if request.path == "/index.php" and route.startswith("api/"):
            if self.store.version == "oc3" and route == "api/login":
                return Answer(200, b"[]")
            if self.store.version == "oc40" and route == "api/account/login":
                return Answer(200, b'{"error":"Warning: Incorrect API Key!"}')
            if self.store.version == "oc41":
                return Answer(403, b'{"error":"You do not have permission to access this page."}', HTML)
        if request.path in ("/", "/index.php") and not route:
            return Answer(200, page("Parduotuvė „Ąžuolas“ &amp; Ko"), HTML)
        return Answer(404, page("The page you requested cannot be found!"), HTML)


def _read(environ: WSGIEnvironment) -> Request:
    # WSGI hands headers over as Latin-1; PHP takes their bytes, which are UTF-8.
    user = str(environ.get("HTTP_X_MONET_USER", "")).encode("latin-1").decode("utf-8", "replace")
    return Request(
        method=str(environ["REQUEST_METHOD"]),
        path=str(environ.get("PATH_INFO", "")),
        query=str(environ.get("QUERY_STRING", "")),
        user=user,
        time=str(environ.get("HTTP_X_MONET_TIME", "")),
        sign=str(environ.get("HTTP_X_MONET_SIGN", "")),
        address=str(environ.get("REMOTE_ADDR", "")),
    )
