"""The three ways to show WooCommerce a key, and finding out which one this shop's server lets through."""

from __future__ import annotations

import base64
from urllib.parse import quote

from requests import PreparedRequest
from requests.auth import AuthBase

from monet_web.connectors.answers import Answer
from monet_web.connectors.http import Moved, Params, StoreClient
from monet_web.connectors.oauth1 import OAuth1
from monet_web.connectors.woocommerce.explain import CANNOT_VIEW, code_of


class BasicKeys(AuthBase):
    """Key and secret in the Authorization header: only where the server knows that it is on https."""

    def __init__(self, key: str, secret: str) -> None:
        self._pair = base64.b64encode(f"{key}:{secret}".encode()).decode()

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        request.headers["Authorization"] = f"Basic {self._pair}"
        return request

    def __repr__(self) -> str:
        return "BasicKeys(…)"


class QueryKeys(AuthBase):
    """Key and secret in the query, for https servers that strip the Authorization header. Added last of all."""

    def __init__(self, key: str, secret: str) -> None:
        self._pair = f"consumer_key={quote(key, safe='')}&consumer_secret={quote(secret, safe='')}"

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        address = request.url or ""
        request.url = f"{address}{'&' if '?' in address else '?'}{self._pair}"
        return request

    def __repr__(self) -> str:
        return "QueryKeys(…)"


class SignedIn:
    """Asks with the key. On https it begins with the header and, when the shop acts as if there were no key at all,
    tries the query; over plain http every other way is ignored, and OAuth's signature is the only one that counts
    and the only one that gives no secret away.
    """

    def __init__(self, client: StoreClient, key: str, secret: str, *, learned: str = "") -> None:
        self.client = client
        self._ways: dict[str, AuthBase] = {
            "basic": BasicKeys(key, secret),
            "query": QueryKeys(key, secret),
            "oauth": OAuth1(key, secret),
        }
        self._first = learned if learned in ("basic", "query") else "basic"
        self._is_sure = False
        self.way = self._first if self._is_https else "oauth"

    def twin(self) -> SignedIn:
        """The same for another thread, with the way that was found out."""
        twin = SignedIn(self.client.twin(), "", "")
        twin._ways, twin._first, twin.way, twin._is_sure = self._ways, self._first, self.way, self._is_sure
        return twin

    def check_stop(self) -> None:
        """Raises Stopped when the run was told to stop."""
        self.client.check_stop()

    def close(self) -> None:
        """End the connections."""
        self.client.close()

    @property
    def _is_https(self) -> bool:
        return self.client.base.scheme == "https"

    def ask(self, path: str, params: Params = ()) -> Answer:
        """One answer, whatever its status; `path` begins behind /wp-json."""
        try:
            answer = self.client.ask(f"/wp-json{path}", params, auth=self._ways[self.way])
        except Moved as moved:
            # The same host on https: nothing secret has been sent yet, so the address may mend itself.
            if self._is_https or moved.target != self.client.base.secured():
                raise
            self.client.base = moved.target
            self.way = self._first
            answer = self.client.ask(f"/wp-json{path}", params, auth=self._ways[self.way])
        if self._is_https and not self._is_sure and answer.status == 401 and code_of(answer) == CANNOT_VIEW:
            other = "query" if self.way == "basic" else "basic"
            second = self.client.ask(f"/wp-json{path}", params, auth=self._ways[other])
            if second.status != 401 or code_of(second) != CANNOT_VIEW:
                self.way, answer = other, second
        if 200 <= answer.status < 300:
            self._is_sure = True
        return answer
