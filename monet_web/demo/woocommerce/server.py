"""The shop as a WSGI program: a request through host, WordPress and WooCommerce to an answer."""

from __future__ import annotations

import re
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from monet_web.demo.woocommerce import faults as faulty
from monet_web.demo.woocommerce.answers import HTML, NO_CACHE, Answer, failure, html, no_route
from monet_web.demo.woocommerce.auth import Gate, Key, Signed
from monet_web.demo.woocommerce.documents import copy, decode, encode, recorded
from monet_web.demo.woocommerce.faults import Faults
from monet_web.demo.woocommerce.lists import BrokenOrder, Shop
from monet_web.demo.woocommerce.parameters import Parameters, read_query
from monet_web.demo.woocommerce.routes import routed
from monet_web.demo.woocommerce.shaping import Shape, read_fields
from monet_web.demo.woocommerce.store import Store

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_HOME: Final = "Monet Test Parduotuvė &#8211; lab"
_NEVER_CACHED: Final = {name.replace("-", "_"): text for name, text in NO_CACHE}
_READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_JSON_ACCEPTED: Final = re.compile(r"(^|\s|,)application/([\w!#$&.+^-]+\+)?json($|\s|;|,)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Request:
    """`target` is path and query as sent; `parameters` the query as PHP reads it."""

    method: str
    target: str
    parameters: Parameters
    host: str
    is_https: bool
    authorization: str
    accepts_json: bool

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        return self.target.partition("?")[2]

    @property
    def address(self) -> str:
        return f"{'https' if self.is_https else 'http'}://{self.host}"


Hook = Callable[[Request], "Answer | Faults | None"]


class WooCommerceShop:
    """A demo shop to serve over HTTP.

    `faults` may be replaced at any time. `hooks` are asked before each request, in their order; the first that returns
    an Answer gives it, one that returns Faults lends them to this request. `requests` is what was asked so far.
    `before_answering` is run before each request, for a living shop to catch up with the clock.
    """

    def __init__(
        self,
        store: Store | None = None,
        *,
        keys: Iterable[Key] = (Key(),),
        faults: Faults | None = None,
        now: Callable[[], float] = time.time,
        before_answering: Callable[[], object] | None = None,
    ) -> None:
        self.store = Store() if store is None else store
        self.faults = Faults() if faults is None else faults
        self.hooks: list[Hook] = []
        self.requests: deque[Request] = deque(maxlen=1000)
        self._shop = Shop(self.store)
        self._gate = Gate(tuple(keys), now)
        self._before_answering = before_answering
        self._pages_asked = 0
        self._between: dict[int, Callable[[Store], object]] = {}
        self._lock = threading.Lock()

    def after_page(self, number: int, change: Callable[[Store], object]) -> None:
        """Changes the store right after the `number`th list of orders from now (1 = the next) was answered."""
        with self._lock:
            self._between[self._pages_asked + number] = change

    def once(self, faults: Faults, times: int = 1) -> None:
        """Lends these faults to the next `times` requests."""
        left = [times]

        def hook(_: Request) -> Faults | None:
            with self._lock:
                left[0] -= 1
                return faults if left[0] >= 0 else None

        self.hooks.append(hook)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        faults = self.faults
        request = _read(environ, faults)
        self.requests.append(request)
        answer: Answer | None = None
        for hook in self.hooks:
            given = hook(request)
            if isinstance(given, Faults):
                faults, request = given, _read(environ, given)
            elif given is not None:
                answer = given
                break
        if self._before_answering is not None:
            self._before_answering()
        if faults.delay:
            time.sleep(faults.delay)
        if answer is None:
            answer = faulty.spoiled(faults, self.answer(request, faults))
        headers = [*_usual_headers(answer, request, faults), *answer.headers.items()]
        headers = list({name.lower(): (name, text) for name, text in headers}.values())
        body = b"" if request.method == "HEAD" else answer.body
        if request.method != "HEAD":
            headers.append(("Content-Length", str(len(body))))
        if faults.truncated:
            # The length promises more than comes.
            body = body[: len(body) // 2]
        start_response(answer.status_line, headers)
        self._after_answering(request)
        return [body]

    def answer(self, request: Request, faults: Faults | None = None) -> Answer:
        """The answer without a server's headers around it."""
        faults = self.faults if faults is None else faults
        host = faulty.host_answer(faults, request.target, accepts_json=request.accepts_json)
        if host is not None:
            return host
        route = _rest_route(request, faults)
        if isinstance(route, Answer):
            return route
        try:
            return self._rest(request, route, faults)
        except BrokenOrder:
            answer = faulty.critical_error(accepts_json=request.accepts_json, is_rest=True)
            return replace(answer, signed_in=True)

    def _rest(self, request: Request, route: str, faults: Faults) -> Answer:
        key: Key | Answer | None = None
        # WooCommerce looks at its keys only where this text is in the address.
        if "wp-json/wc/" in request.target and not faults.woocommerce_off:
            key = self._gate.sign_in(
                Signed(
                    request.method,
                    request.is_https,
                    request.host,
                    request.path,
                    request.parameters,
                    request.authorization,
                )
            )
        if isinstance(key, Answer):
            return key
        answer = self._signed_in(request, route, faults, key)
        if "_envelope" in request.parameters:
            answer = _enveloped(answer)
        callback = request.parameters.get("_jsonp")
        if isinstance(callback, str) and re.fullmatch(r"[\w.]+", callback, re.ASCII):
            body = b"/**/" + callback.encode() + b"(" + answer.body + b")"
            answer = replace(answer, body=body, content_type="application/javascript; charset=UTF-8")
        return replace(answer, signed_in=key is not None)

    def _signed_in(self, request: Request, route: str, faults: Faults, key: Key | None) -> Answer:
        if faults.rest_disabled:
            return failure(403, "rest_disabled", "The REST API on this site has been disabled.")
        if faults.login_required and key is None:
            return failure(401, "rest_not_logged_in", "You are not currently logged in.")
        reads = request.method in _READING
        if key is not None and not (key.may_read if reads else key.may_write):
            kind = "read" if reads else "write"
            message = f"The API key provided does not have {kind} permissions."
            return failure(401, "woocommerce_rest_authentication_error", message)
        method = str(request.parameters.get("_method", request.method))
        if route == "/":
            return _index(request, self.store, faults)
        if faults.woocommerce_off or faults.routes_removed or method not in _READING:
            return no_route()
        link = f"{request.address}/index.php" if faults.plain_permalinks else f"{request.address}/wp-json{route}"
        return routed(
            self._shop,
            route,
            request.parameters,
            key,
            address=request.address,
            link=link,
            broken=faults.broken_orders,
        )

    def _after_answering(self, request: Request) -> None:
        if not request.path.rstrip("/").endswith("/wc/v3/orders"):
            return
        with self._lock:
            self._pages_asked += 1
            change = self._between.pop(self._pages_asked, None)
        if change is not None:
            change(self.store)


def _read(environ: WSGIEnvironment, faults: Faults) -> Request:
    query = str(environ.get("QUERY_STRING", ""))
    path = quote(str(environ.get("PATH_INFO", "")).encode("latin-1"), safe="/:@!$&'()*+,;=~")
    target = str(environ.get("REQUEST_URI") or (path + (f"?{query}" if query else "")))
    if "://" in target.partition("?")[0]:
        target = "/" + target.split("/", 3)[3]
    forwarded = environ.get("HTTP_X_FORWARDED_PROTO") == "https"
    return Request(
        method=str(environ["REQUEST_METHOD"]),
        target=target,
        parameters=read_query(query),
        host=str(environ.get("HTTP_HOST") or f"{environ['SERVER_NAME']}:{environ['SERVER_PORT']}"),
        is_https=environ.get("wsgi.url_scheme") == "https" or forwarded or faults.believes_https,
        authorization="" if faults.strips_authorization else str(environ.get("HTTP_AUTHORIZATION", "")),
        accepts_json=_JSON_ACCEPTED.search(str(environ.get("HTTP_ACCEPT", ""))) is not None,
    )


def _rest_route(request: Request, faults: Faults) -> str | Answer:
    """The REST route a request means ("/wc/v3/orders"), or the page it gets instead."""
    given = request.parameters.get("rest_route")
    path = re.sub(r"/{2,}", "/", request.path)
    if path in {"/", "/index.php"}:
        return given if isinstance(given, str) and given else _page(request, faults, 200, _HOME)
    inside = re.fullmatch(r"(?:/index\.php)?/wp-json(/.*)?", path)
    if inside is None:
        return _page(request, faults, 404, "Page not found", **_NEVER_CACHED)
    if not faults.plain_permalinks:
        return (inside.group(1) or "/").rstrip("/") or "/"
    if path.endswith("/"):
        return _page(request, faults, 200, _HOME, **({} if path == "/wp-json/" else _NEVER_CACHED))
    # Without pretty permalinks /wp-json is a page like any other: WordPress adds the slash and shows the home page.
    query = f"?{request.query}" if request.query else ""
    location = f"{request.address}{path.removeprefix('/index.php')}/{query}"
    headers = dict(NO_CACHE) | {"X-Redirect-By": "WordPress", "Location": location}
    return Answer(301, b"", headers, HTML, is_rest=False)


def _page(request: Request, faults: Faults, status: int, title: str, **headers: str) -> Answer:
    """A page of the theme; its Link header tells where the API is."""
    return html(status, title, **headers).with_headers(Link=_api_link(request, faults))


def _api_link(request: Request, faults: Faults) -> str:
    root = "index.php?rest_route=/" if faults.plain_permalinks else "wp-json/"
    return f'<{request.address}/{root}>; rel="https://api.w.org/"'


def _index(request: Request, store: Store, faults: Faults) -> Answer:
    """/wp-json/: which namespaces there are; the routes are only those that the demo answers."""
    document: dict[str, Any] = copy(recorded("wp_json_root"))
    if faults.woocommerce_off or faults.routes_removed:
        document["namespaces"] = [name for name in document["namespaces"] if not name.startswith("wc")]
        document["routes"] = {name: route for name, route in document["routes"].items() if "/wc/" not in name}
    fields = read_fields(str(request.parameters.get("_fields", "")))
    body = Shape(request.address, store.profile, fields=fields).other(document)
    return Answer(200, body, {"Allow": "GET"})


def _enveloped(answer: Answer) -> Answer:
    kept = {name: int(text) if text.isdigit() else text for name, text in answer.headers.items()}
    body = encode({"body": decode(answer.body), "status": answer.status, "headers": kept})
    return replace(answer, status=200, body=body, headers={})


def _usual_headers(answer: Answer, request: Request, faults: Faults) -> list[tuple[str, str]]:
    """What PHP and WordPress put around every answer; a header of the answer itself replaces one of these."""
    headers = [("X-Powered-By", "PHP/8.2.36"), ("Content-Type", answer.content_type)]
    if not answer.is_rest:
        return headers
    headers += [
        ("X-Robots-Tag", "noindex"),
        ("Link", _api_link(request, faults)),
        ("X-Content-Type-Options", "nosniff"),
        ("Access-Control-Expose-Headers", "X-WP-Total, X-WP-TotalPages, Link"),
        (
            "Access-Control-Allow-Headers",
            "Authorization, X-WP-Nonce, Content-Disposition, Content-MD5, Content-Type",
        ),
    ]
    return headers + (list(NO_CACHE) if answer.signed_in else [("Vary", "Origin")])
