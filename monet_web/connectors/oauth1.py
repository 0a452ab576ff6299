"""OAuth 1.0a with one leg, as WooCommerce checks it on plain http: the secret signs the request and is never sent."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Iterable
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

from requests import PreparedRequest
from requests.auth import AuthBase


def _escaped(text: str) -> str:
    return quote(text, safe="-._~")


def signature(method: str, url: str, parameters: Iterable[tuple[str, str]], secret: str) -> str:
    """HMAC-SHA256 over method, address without query, and the sorted parameters; the key is the secret and "&"."""
    pairs = sorted((_escaped(name), _escaped(value)) for name, value in parameters)
    query = "&".join(f"{name}={value}" for name, value in pairs)
    text = f"{method.upper()}&{_escaped(url)}&{_escaped(query)}"
    return base64.b64encode(hmac.new(f"{secret}&".encode(), text.encode(), hashlib.sha256).digest()).decode()


class OAuth1(AuthBase):
    """Signs a prepared request in its query. Every sending makes a new nonce: WooCommerce refuses a used one."""

    def __init__(self, key: str, secret: str, *, now: Callable[[], float] = time.time) -> None:
        self._key = key
        self._secret = secret
        self._now = now

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        parts = urlsplit(request.url or "")
        parameters = parse_qsl(parts.query, keep_blank_values=True)
        parameters += [
            ("oauth_consumer_key", self._key),
            ("oauth_timestamp", str(int(self._now()))),
            ("oauth_nonce", secrets.token_hex(16)),
            ("oauth_signature_method", "HMAC-SHA256"),
        ]
        address = urlunsplit((parts.scheme, parts.netloc, parts.path, "", ""))
        signed = signature(request.method or "GET", address, parameters, self._secret)
        query = "&".join(f"{_escaped(name)}={_escaped(value)}" for name, value in parameters)
        request.url = f"{address}?{query}&oauth_signature={_escaped(signed)}"
        return request

    def __repr__(self) -> str:
        return "OAuth1(…)"
