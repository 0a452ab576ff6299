"""The shop as a WSGI program: a request through host and key to a list of the webservice."""

from __future__ import annotations

import base64
import binascii
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from monet_web.demo.prestashop import shaping
from monet_web.demo.prestashop.faults import Faults, spoiled
from monet_web.demo.prestashop.questions import Question, Refused, closest, read_query
from monet_web.demo.prestashop.recordings import VERSION
from monet_web.demo.prestashop.store import Store
from monet_web.demo.prestashop.tables import KNOWN, RESOURCES, BrokenOrder, fields_of, found, single

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

DEMO_KEY: Final = "DEM0PRESTASH0PKEY0000000000000A1"
REALM: Final = (
    'Basic realm="Welcome to PrestaShop Webservice, please enter the authentication key as the login. '
    'No password required."'
)
_JSON: Final = "application/json"
_XML: Final = "text/xml;charset=utf-8"
_HTML: Final = "text/html; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Request:
    """`target` is path and query as sent; of equal parameters the last counts, as in PHP."""

    method: str
    path: str
    target: str
    parameters: dict[str, str]
    authorization: str
    address: str
    wants_json: bool


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes
    content_type: str = _JSON
    headers: tuple[tuple[str, str], ...] = ()
    is_ours: bool = True  # of the webservice, not of the web server


Hook = Callable[[Request], "Answer | Faults | None"]


class PrestaShopServer:
    """A demo shop to serve over HTTP. `faults` may be replaced at any time; `hooks` are asked before each request, and
    the first that returns an Answer gives it, one that returns Faults lends them. `requests` is what was asked so far.
    """

    def __init__(
        self, store: Store, *, faults: Faults | None = None, before_answering: Callable[[], object] | None = None
    ) -> None:
        self.store = store
        self.faults = Faults() if faults is None else faults
        self.hooks: list[Hook] = []
        self.requests: deque[Request] = deque(maxlen=1000)
        self._before_answering = before_answering
        self._lock = threading.Lock()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request, faults = _read(environ), self.faults
        self.requests.append(request)
        given: Answer | None = None
        for hook in self.hooks:
            lent = hook(request)
            if isinstance(lent, Faults):
                faults = lent
            elif lent is not None:
                given = lent
            if lent is not None:
                break
        if self._before_answering is not None:
            with self._lock:
                self._before_answering()
        if faults.delay:
            time.sleep(faults.delay)
        answer = given or self.answer(request, faults)
        body = (
            spoiled(faults, answer.body, is_json=answer.content_type == _JSON) if answer.status == 200 else answer.body
        )
        headers = [("Content-Type", answer.content_type), ("X-Powered-By", "PrestaShop Webservice"), *answer.headers]
        if not answer.is_ours:
            headers[1] = ("X-Powered-By", "PHP/8.2.36")
        headers.append(("Content-Length", str(len(body))))
        if request.method == "HEAD":
            body = b""
        start_response(f"{answer.status} {HTTPStatus(answer.status).phrase}", headers)
        return [body[: len(body) // 2] if faults.truncated else body]

    def answer(self, request: Request, faults: Faults) -> Answer:
        """The answer without what spoils it on the way."""
        host = _host_answer(request, faults)
        if host is not None:
            return host
        resource = _resource(request, faults)
        if resource is None:
            return Answer(404, _page("404 Not Found"), _HTML, is_ours=False)
        key = None if faults.strips_authorization else _key(request.authorization)
        try:
            _check(request.parameters.get("ws_key", key), faults)
            answer = self._signed_in(request, resource, faults)
        except Refused as refused:
            return _refusal(request, refused)
        except BrokenOrder:
            return Answer(500, b"", _HTML, is_ours=False)
        return replace(answer, headers=(*answer.headers, ("PSWS-Version", VERSION)))

    def _signed_in(self, request: Request, resource: str, faults: Faults) -> Answer:
        name, _, row_id = resource.partition("/")
        of_shop = self._shop_asked(request, faults)
        if not name:
            if request.wants_json or faults.root_crashes:
                return Answer(500, b"", _HTML, is_ours=False)  # 8.0 cannot write this list as JSON
            methods = ("get", "head", "put", "post", "delete") if faults.may_write else ("get", "head")
            rights = {one: methods for one in KNOWN if one not in faults.not_permitted}
            shop_name = self.store.tables["shops"][0]["name"]
            return Answer(200, shaping.xml_root(shop_name, rights, request.address), _XML)
        if name not in KNOWN:
            full = '", "'.join(KNOWN)
            meant = closest(name, KNOWN)
            text = f'Resource of type "{name}" does not exists. Did you mean: "{meant}"? The full list is: "{full}"'
            raise Refused(400, 27, text)
        if name in faults.not_permitted:
            raise Refused(401, 26, f'Resource of type "{name}" is not allowed with this authentication key')
        if request.method not in {"GET", "HEAD"}:
            text = f"Method {request.method} is not allowed for the resource {name} with this authentication key"
            raise Refused(405, 25, text)
        if name not in RESOURCES:
            return self._list(request, name, [])
        parameters = dict(request.parameters)
        if faults.drops_id_filter:
            parameters.pop("filter[id]", None)
        if row_id and "display" in parameters:
            parameters["filter[id]"] = f"[{row_id}]"  # answered as a list of one
        elif row_id:
            row = single(self.store, name, int(row_id) if row_id.isdigit() else 0, of_shop=of_shop)
            if request.wants_json:
                return Answer(200, shaping.json_single(name, row))
            return Answer(200, shaping.xml_single(name, row), _XML)
        question = Question.read(parameters, fields_of(name))
        with self.store.lock:
            rows = found(self.store, name, question, faults.broken_orders, of_shop=of_shop)
        return self._list(request, name, rows)

    def _list(self, request: Request, name: str, rows: list[dict[str, object]]) -> Answer:
        if request.wants_json:
            return Answer(200, shaping.json_list(name, rows))
        return Answer(200, shaping.xml_list(name, rows, request.address), _XML)

    def _shop_asked(self, request: Request, faults: Faults) -> int | None:
        """The shop that is named, else the one of the address, which is the first; None for all of them."""
        shop = request.parameters.get("id_shop", "")
        known = {str(row["id"]) for row in self.store.tables["shops"]}
        if shop and shop != "all" and not shop.isdigit():
            raise Refused(404, 999, "This shop id does not exist")
        if faults.other_shop or (shop.isdigit() and shop not in known):
            raise Refused(403, 132, "No permission for this key on this shop")
        if shop == "all":
            return None
        return int(shop) if shop else int(self.store.tables["shops"][0]["id"])


def _read(environ: WSGIEnvironment) -> Request:
    query, path = str(environ.get("QUERY_STRING", "")), str(environ.get("PATH_INFO", ""))
    parameters = read_query(query)
    formats = {str(environ.get(f"HTTP_{name}_FORMAT", "")).upper() for name in ("OUTPUT", "IO")}
    host = str(environ.get("HTTP_HOST") or f"{environ['SERVER_NAME']}:{environ['SERVER_PORT']}")
    return Request(
        method=str(environ["REQUEST_METHOD"]),
        path=re.sub(r"/{2,}", "/", path),
        target=f"{path}?{query}" if query else path,
        parameters=parameters,
        authorization=str(environ.get("HTTP_AUTHORIZATION", "")),
        address=f"{environ.get('wsgi.url_scheme', 'http')}://{host}",
        wants_json=parameters.get("output_format", "").upper() == "JSON" or "JSON" in formats,
    )


def _host_answer(request: Request, faults: Faults) -> Answer | None:
    """What comes back before PHP looks at the request."""
    if faults.redirect_to:
        return Answer(301, b"", _HTML, (("Location", faults.redirect_to + request.path),), is_ours=False)
    if faults.too_many_requests is not None:
        waits = (("Retry-After", str(faults.too_many_requests)),)
        return Answer(429, _page("429 Too Many Requests"), _HTML, waits, is_ours=False)
    if faults.asks_for_password:
        headers = (("WWW-Authenticate", 'Basic realm="Staging"'),)
        return Answer(401, _page("401 Unauthorized"), _HTML, headers, is_ours=False)
    return Answer(404, _page("Page not found"), _HTML, is_ours=False) if faults.wrong_address else None


def _resource(request: Request, faults: Faults) -> str | None:
    """What is asked for, "" for the list of rights, None where no webservice answers."""
    if request.path == "/webservice/dispatcher.php":
        return request.parameters.get("url", "").strip("/")
    inside = re.fullmatch(r"/api(?:/(.*))?", request.path)
    return None if inside is None or faults.no_rewriting else (inside[1] or "").strip("/")


def _key(authorization: str) -> str | None:
    kind, _, pair = authorization.partition(" ")
    try:
        return base64.b64decode(pair).decode().partition(":")[0] if kind.lower() == "basic" else None
    except (binascii.Error, UnicodeDecodeError):
        return None


def _check(key: str | None, faults: Faults) -> None:
    if key is None:
        raise Refused(401, 0, "401 Unauthorized")
    if faults.webservice_off:
        raise Refused(
            503, 22, "The PrestaShop webservice is disabled. Please activate it in the PrestaShop Back Office"
        )
    if not key:
        raise Refused(401, 17, "Authentication key is empty")
    if len(key) != 32:
        raise Refused(401, 18, "Invalid authentication key format")
    if key != DEMO_KEY or faults.key_off:
        raise Refused(401, 20, "Authentification key is not active")


def _refusal(request: Request, refused: Refused) -> Answer:
    asks = (("WWW-Authenticate", REALM), ("PSWS-Version", "0"))
    if refused.status == 404 and not refused.code:
        return Answer(404, b"", "", (("PSWS-Version", VERSION),))
    if not refused.code:  # no key at all: the script's own plain text
        return Answer(401, refused.text.encode(), _HTML, (asks[0],), is_ours=False)
    errors = [(refused.code, refused.text)]
    if refused.code == 20:
        errors.append((21, "No permission for this authentication key"))
    headers = asks if refused.code in {17, 18, 20} else (("PSWS-Version", "0" if refused.code == 22 else VERSION),)
    if request.wants_json:
        return Answer(refused.status, shaping.json_errors(errors), _JSON, headers)
    return Answer(refused.status, shaping.xml_errors(errors), _XML, headers)


def _page(title: str) -> bytes:
    return f"<!doctype html>\n<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>\n".encode()
