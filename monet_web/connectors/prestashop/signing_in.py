"""Showing PrestaShop its key, and finding the way to its webservice that this shop's server lets through."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import quote

from requests import PreparedRequest
from requests.auth import AuthBase

from monet_web.connectors.answers import Answer
from monet_web.connectors.http import Moved, Params, StoreClient
from monet_web.connectors.prestashop.explain import hides_the_key, is_webservice, no_api


class HeaderKey(AuthBase):
    """The key as the user name of Basic, without a password."""

    def __init__(self, key: str) -> None:
        self._pair = base64.b64encode(f"{key}:".encode()).decode()

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        request.headers["Authorization"] = f"Basic {self._pair}"
        return request

    def __repr__(self) -> str:
        return "HeaderKey(…)"


class QueryKey(AuthBase):
    """The key in the query, for https servers that strip the Authorization header. Added last of all."""

    def __init__(self, key: str) -> None:
        self._pair = f"ws_key={quote(key, safe='')}"

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        address = request.url or ""
        request.url = f"{address}{'&' if '?' in address else '?'}{self._pair}"
        return request

    def __repr__(self) -> str:
        return "QueryKey(…)"


class SignedIn:
    """Asks with the key. Begins with /api/ and the header; where the webservice does not answer there, tries its
    script (a server without rewriting); where it sees no key, the query, on https only.

    `way` is header or query, `door` api or dispatcher: what worked, to be kept. `version` is the shop's, once it
    has answered.
    """

    def __init__(
        self, client: StoreClient, key: str, *, way: str = "", door: str = "", shorter: Sequence[str] = ()
    ) -> None:
        self.client = client
        self.version = ""
        self.is_sure = False
        self.way = way if way == "query" and self._is_https else "header"
        self.door = door if door == "dispatcher" else "api"
        self._keys: dict[str, AuthBase] = {"header": HeaderKey(key), "query": QueryKey(key)}
        self._has_looked = False
        self._shorter = shorter
        self._typed = client.base.path

    @property
    def left_out(self) -> str:
        """The end of the typed path without which the shop answered, "" where it answered as typed."""
        return self._typed.removeprefix(self.client.base.path)

    @property
    def _is_https(self) -> bool:
        return self.client.base.scheme == "https"

    def ask(self, resource: str, params: Params = ()) -> Answer:
        """One answer, whatever its status; `resource` is "" for the list of what the key may read."""
        if not self._is_https and not self._has_looked:
            self._look_for_https()
        answer = self._once(resource, params)
        if not self.is_sure and not is_webservice(answer) and (answer.status == 404 or answer.is_html):
            answer = self._elsewhere(resource, params, answer)
        if not self.is_sure and self._is_https and hides_the_key(answer):
            first, self.way = self.way, "query" if self.way == "header" else "header"
            second = self._once(resource, params)
            if hides_the_key(second):
                self.way = first
            else:
                answer = second
        if 200 <= answer.status < 300 and not answer.is_html:
            self.is_sure = True
            self.version = answer.headers.get("psws-version", "").strip()[:20] or self.version
        return answer

    def _once(self, resource: str, params: Params) -> Answer:
        key = self._keys[self.way]
        if self.door == "dispatcher":
            return self.client.ask("/webservice/dispatcher.php", [("url", resource), *params], auth=key)
        return self.client.ask(f"/api/{resource}", params, auth=key)

    def _elsewhere(self, resource: str, params: Params, answer: Answer) -> Answer:
        """Asks at the other door, then at both doors of each shorter address; the first webservice is the shop's."""
        typed, first = self.client.base, self.door
        other = "dispatcher" if first == "api" else "api"
        is_nowhere = answer.status == 404
        for path, door in [(typed.path, other), *((path, door) for path in self._shorter for door in (first, other))]:
            self.client.base, self.door = replace(typed, path=path), door
            found = self._once(resource, params)
            if is_webservice(found):
                return found
            is_nowhere = is_nowhere and (path != typed.path or found.status == 404)
        self.client.base, self.door = typed, first
        if is_nowhere:
            raise no_api(typed.url)
        return answer

    def _look_for_https(self) -> None:
        """Over http the key travels readable, so the first question goes without it: most shops lead on to https."""
        self._has_looked = True
        try:
            self.client.ask("/api/")
        except Moved as moved:
            if moved.target != self.client.base.secured():
                raise
            self.client.base = moved.target
