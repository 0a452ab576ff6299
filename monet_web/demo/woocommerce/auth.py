"""Signing in as WC_REST_Authentication does it: Basic and query keys on https, OAuth 1.0a everywhere."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import quote, unquote

from monet_web.demo.woocommerce.answers import Answer, failure
from monet_web.demo.woocommerce.parameters import Given, Parameters

DEMO_KEY: Final = "ck_demo" + "0123456789abcdef" * 2 + "0123"
DEMO_SECRET: Final = "cs_demo" + "fedcba9876543210" * 2 + "fedc"

# Seconds that a signature's timestamp may lie off the shop's clock, either way.
WINDOW: Final = 15 * 60

_OAUTH: Final = ("oauth_consumer_key", "oauth_timestamp", "oauth_nonce", "oauth_signature", "oauth_signature_method")


@dataclass(frozen=True, slots=True)
class Key:
    """A pair from WooCommerce's settings. `may_see_orders`: whether its user is more than a customer."""

    key: str = DEMO_KEY
    secret: str = DEMO_SECRET
    permissions: Literal["read", "write", "read_write"] = "read"
    may_see_orders: bool = True

    @property
    def may_read(self) -> bool:
        return self.permissions != "write"

    @property
    def may_write(self) -> bool:
        return self.permissions != "read"


@dataclass(frozen=True, slots=True)
class Signed:
    """The parts of a request that signing in looks at. `path` is as sent, still encoded."""

    method: str
    is_https: bool
    host: str
    path: str
    parameters: Parameters
    authorization: str


class Gate:
    """Knows the keys and the nonces used. `now`: seconds since 1970."""

    def __init__(self, keys: tuple[Key, ...], now: Callable[[], float]) -> None:
        self._keys = {key.key: key for key in keys}
        self._now = now
        self._nonces: dict[str, set[tuple[str, int]]] = {}
        self._lock = threading.Lock()

    def sign_in(self, request: Signed) -> Key | Answer | None:
        """The key, the refusal, or None for a visitor: no key, a wrong one, or a good one over http look all alike."""
        refusal: Answer | None = None
        if request.is_https:
            found = self._by_pair(request)
            if isinstance(found, Key):
                return found
            refusal = found
        signed = self._by_signature(request)
        return refusal if signed is None else signed

    def _by_pair(self, request: Signed) -> Key | Answer | None:
        consumer_key, secret = _text(request.parameters, "consumer_key"), _text(request.parameters, "consumer_secret")
        if not (consumer_key and secret):
            # The query wins over the header, even when it is the wrong one.
            consumer_key, secret = _basic(request.authorization)
        key = self._key(consumer_key) if consumer_key and secret else None
        if key is None or hmac.compare_digest(key.secret.encode(), secret.encode()):
            return key
        return _refused("Consumer secret is invalid.")

    def _by_signature(self, request: Signed) -> Key | Answer | None:
        parameters = request.parameters | _oauth_header(request.authorization)
        missing = [name for name in _OAUTH if not parameters.get(name)]
        if len(missing) == len(_OAUTH):
            return None
        if missing:
            noun = "parameter" if len(missing) == 1 else "parameters"
            message = f"Missing OAuth {noun} {', '.join(missing)}"
            return failure(401, "woocommerce_rest_authentication_missing_parameter", message)
        key = self._key(_text(parameters, "oauth_consumer_key"))
        if key is None:
            return None
        return _signature_fault(request, parameters, key) or self._replay_fault(parameters, key) or key

    def _replay_fault(self, parameters: Parameters, key: Key) -> Answer | None:
        stamp, nonce = _text(parameters, "oauth_timestamp"), _text(parameters, "oauth_nonce")
        timestamp = int(stamp) if re.fullmatch(r"\d{1,18}", stamp, re.ASCII) else 0
        if abs(timestamp - self._now()) > WINDOW:
            return _refused("Invalid timestamp.")
        with self._lock:
            oldest = self._now() - WINDOW
            used = {pair for pair in self._nonces.get(key.key, set()) if pair[1] >= oldest}
            self._nonces[key.key] = used
            if any(nonce == seen for seen, _ in used):
                return _refused("Invalid nonce - nonce has already been used.")
            used.add((nonce, timestamp))
        return None

    def _key(self, consumer_key: str) -> Key | None:
        # The shop trims what it is given: a space behind the key is forgiven.
        return self._keys.get(consumer_key.strip())


def signature(method: str, url: str, parameters: Parameters, secret: str, algorithm: str) -> str:
    """OAuth 1.0a over `url` (no query): base64 of the HMAC; `algorithm` is HMAC-SHA256 or HMAC-SHA1."""
    pairs = sorted(_flat(parameters), key=lambda pair: pair[0])
    query = "%26".join(quote(f"{_escaped(name)}={_escaped(value)}", safe="-._~") for name, value in pairs)
    text = f"{method}&{quote(url, safe='-._~')}&{query}"
    digest = hashlib.sha1 if algorithm == "HMAC-SHA1" else hashlib.sha256
    return base64.b64encode(hmac.new(f"{secret}&".encode(), text.encode(), digest).digest()).decode()


def _signature_fault(request: Signed, parameters: Parameters, key: Key) -> Answer | None:
    given = unquote(_text(parameters, "oauth_signature").replace(" ", "+"))
    algorithm = _text(parameters, "oauth_signature_method")
    if algorithm not in {"HMAC-SHA1", "HMAC-SHA256"}:
        return _refused("Invalid signature - signature method is invalid.")
    # The shop signs its own address with the scheme it believes in, whatever the client sees.
    url = f"{'https' if request.is_https else 'http'}://{request.host}{request.path}"
    rest = {name: value for name, value in parameters.items() if name != "oauth_signature"}
    expected = signature(request.method, url, rest, key.secret, algorithm)
    if hmac.compare_digest(expected.encode(), given.encode()):
        return None
    return _refused("Invalid signature - provided signature does not match.")


def _flat(parameters: Parameters) -> list[tuple[str, str]]:
    pairs = []
    for name, value in parameters.items():
        if isinstance(value, dict):
            pairs += [(f"{name}[{key}]", part) for key, part in value.items()]
        else:
            pairs.append((name, value))
    return pairs


def _escaped(text: str) -> str:
    return quote(unquote(text), safe="-._~")


def _text(parameters: Parameters, name: str) -> str:
    value: Given = parameters.get(name, "")
    return value if isinstance(value, str) else ""


def _basic(header: str) -> tuple[str, str]:
    scheme, _, code = header.partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        user, _, password = base64.b64decode(code).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return user, password


def _oauth_header(header: str) -> Parameters:
    if not header.startswith("OAuth "):
        return {}
    pairs = re.findall(r'(oauth_[a-z_-]*)=(?:"([^"]*)"|([^,]*))', header)
    return {name: unquote(quoted or bare) for name, quoted, bare in pairs}


def _refused(message: str) -> Answer:
    return failure(401, "woocommerce_rest_authentication_error", message)
