"""Asking the bridge: which of its three doors is open, signed so that the key never travels, by the shop's clock."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from requests import PreparedRequest
from requests.auth import AuthBase

from monet_web.connectors.answers import Answer, NotJson
from monet_web.connectors.http import Moved, Params, StoreClient

# Where the bridge answers: beside index.php, as an extension of OpenCart 4, as one of OpenCart 3. (path, route)
DOORS: Mapping[str, tuple[str, str]] = {
    "file": ("/monet_bridge.php", ""),
    "oc4": ("/index.php", "extension/monet/monet"),
    "oc3": ("/index.php", "extension/monet"),
}
_LEARNED_OFFSET = 12 * 366 * 24 * 3600  # seconds; a clock that is further off is no clock


class Signature(AuthBase):
    """Signs the query exactly as it is sent. Headers of our own, because Apache's CGI drops `Authorization`."""

    def __init__(self, user: str, key: str, seconds: int) -> None:
        self._user = user
        self._key = key
        self._seconds = seconds

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        text = f"GET\n{urlsplit(request.url or '').query}\n{self._seconds}"
        # HTTP carries bytes; requests would refuse letters beyond Latin-1 in a header.
        request.headers["X-Monet-User"] = self._user.encode()  # type: ignore[assignment] # requests takes bytes too
        request.headers["X-Monet-Time"] = str(self._seconds)
        request.headers["X-Monet-Sign"] = hmac.new(self._key.encode(), text.encode(), hashlib.sha256).hexdigest()
        return request

    def __repr__(self) -> str:
        return "Signature(…)"


def said(answer: Answer) -> dict[str, Any] | None:
    """What the bridge says, None when it is not the bridge that answers: it always gives an object of its own words."""
    try:
        body = answer.json()
    except NotJson:
        return None
    if not isinstance(body, dict):
        return None
    is_ours = isinstance(body.get("message"), str) if "error" in body else bool({"bridge", "orders"} & body.keys())
    return body if is_ours else None


class Door:
    """One shop's bridge. `door` and `offset` (seconds that its clock is before ours) are what is learned of it."""

    def __init__(
        self,
        client: StoreClient,
        user: str,
        key: str,
        *,
        learned: Mapping[str, str],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.client = client
        self._user = user
        self._key = key
        self._clock = clock
        self.door = learned.get("door", "") if learned.get("door") in DOORS else ""
        self.offset = _whole(learned.get("clock_offset", ""))

    @property
    def learned(self) -> dict[str, str]:
        """To be given back next time; nothing before the bridge has answered."""
        return {"door": self.door, "clock_offset": str(self.offset)} if self.door else {}

    def ask(self, params: Params) -> Answer:
        """One answer of the bridge, whatever its status; when none of the doors is the bridge's, what stood there."""
        found: list[Answer] = []
        for door in sorted(DOORS, key=lambda name: name != self.door):
            answer = self._signed(door, params)
            if said(answer) is not None:
                self.door = door
                return answer
            found.append(answer)
            if self.door == door and not _is_elsewhere(answer):
                return answer  # it answered here before: a bad moment, not another place
        # A page of refusal tells more than "not found".
        return next((answer for answer in found if not _is_elsewhere(answer)), found[0])

    def _signed(self, door: str, params: Params) -> Answer:
        """One answer at a door. A shop whose clock is off says what time it has, and is asked by that."""
        answer = self._once(door, params)
        body = said(answer)
        if answer.status == 401 and body is not None and body.get("error") == "clock":
            offset = body.get("server_time")
            if isinstance(offset, int) and not isinstance(offset, bool):
                self.offset = _within(offset - int(self._clock()))
                answer = self._once(door, params)
        return answer

    def _once(self, door: str, params: Params) -> Answer:
        path, route = DOORS[door]
        query = [*([("route", route)] if route else []), *params]
        try:
            return self.client.ask(path, query, auth=self._signature())
        except Moved as moved:
            # The same host on https: a signature tells nothing of the key, so the address may mend itself.
            if self.client.base.scheme == "https" or moved.target != self.client.base.secured():
                raise
            self.client.base = moved.target
            return self.client.ask(path, query, auth=self._signature())

    def _signature(self) -> Signature:
        return Signature(self._user, self._key, int(self._clock()) + self.offset)

    def __repr__(self) -> str:
        return f"Door({self.client.base.url})"


def _is_elsewhere(answer: Answer) -> bool:
    """True for what a shop answers where nothing of ours is: "not found", or a page of the shop."""
    return answer.status in (404, 410) or 200 <= answer.status < 300


def _whole(text: str) -> int:
    sign, digits = (-1, text[1:]) if text[:1] == "-" else (1, text)
    return _within(sign * int(digits)) if digits.isascii() and digits.isdigit() and len(digits) < 12 else 0


def _within(offset: int) -> int:
    return offset if abs(offset) <= _LEARNED_OFFSET else 0
