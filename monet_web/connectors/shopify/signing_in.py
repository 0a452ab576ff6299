"""The access token: one that a person pasted, or one that Shopify gives for a Client ID and a secret, for a day."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from decimal import Decimal
from urllib.parse import urlencode

from monet_web.connectors.failures import LATER, Unusable
from monet_web.connectors.http import StoreClient
from monet_web.connectors.shopify.explain import NEW_APP
from monet_web.domain.errors import NeedsOwner

_TOKENS = ("shpat_", "shpca_", "shppa_", "shpua_")  # how Shopify's access tokens begin
_SECRETS = ("shpss_",)  # how an app's secret begins
_KEY = re.compile(r"[A-Za-z0-9_.=+/-]*")
_HEADER = "X-Shopify-Access-Token"
_SPARE_SECONDS = 300  # a token with less left is asked for anew


class SignedIn:
    """Gives the header that opens the shop. `scopes` are the app's rights, None while nobody has said them."""

    def __init__(
        self,
        client: StoreClient,
        *,
        client_id: str,
        client_secret: str,
        access_token: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.client = client
        self.scopes: frozenset[str] | None = None
        self._client_id = client_id
        self._client_secret = client_secret
        self._pasted = access_token
        self._given = ""
        self._until = 0.0
        self._clock = clock

    def check(self) -> None:
        """Raises NeedsOwner when what was typed cannot be keys: nothing is asked then."""
        token, app_id, secret = self._pasted, self._client_id, self._client_secret
        for name, value in (("access token", token), ("Client ID", app_id), ("secret", secret)):
            if not _KEY.fullmatch(value):
                raise NeedsOwner(
                    f"The {name} has a space or another character in it that no key has.",
                    fix="Copy it again, without anything before, behind or between.",
                )
        if token.startswith(_SECRETS):
            raise NeedsOwner(
                "What stands in the field of the access token begins with shpss_, which is an app's secret.",
                fix="Put it into the field “Client secret”, its Client ID beside it, and leave the access token empty.",
            )
        if secret.startswith(_TOKENS):
            raise NeedsOwner(
                f"What stands in the field of the secret begins with {secret[:6]}, which is an access token.",
                fix="Put it into the field “Access token”, and leave the Client ID and the secret empty.",
            )
        if token:
            return
        if not app_id and not secret:
            raise NeedsOwner("There is no key: Client ID and secret are empty.", fix=NEW_APP)
        if not secret:
            raise NeedsOwner("The secret of the app is empty.", fix=NEW_APP)
        if not app_id:
            raise NeedsOwner("The Client ID is empty.", fix=NEW_APP)

    def headers(self) -> dict[str, str]:
        """The header with a token that is good for some minutes at least. Raises NeedsOwner and RetryLater."""
        if self._client_id and self._client_secret:
            if not self._given or self._clock() >= self._until:
                self._ask()
            return {_HEADER: self._given}
        return {_HEADER: self._pasted}

    def renew(self) -> bool:
        """After a 401: True when another token can be tried."""
        had, self._given = self._given, ""
        return bool(had)

    def _ask(self) -> None:
        form = urlencode({
            "grant_type": "client_credentials",
            "client_id": self._client_id,
            "client_secret": self._client_secret,
        })  # fmt: skip
        answer = self.client.ask(
            "/admin/oauth/access_token",
            method="POST",
            body=form.encode(),
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        )
        if not 200 <= answer.status < 300:
            raise self.client.explained(answer)
        found = self.client.json(answer)
        token = found.get("access_token") if isinstance(found, dict) else None
        if not isinstance(token, str) or not token.strip() or not token.isascii() or not token.isprintable():
            raise Unusable(f"{self.client.base.host} gave no access token for the Client ID.", fix=LATER)
        self.client.hide(token)
        self._given = token
        lasts = found.get("expires_in")
        seconds = float(lasts) if isinstance(lasts, (int, Decimal)) and not isinstance(lasts, bool) else 3600.0
        self._until = self._clock() + max(0.0, seconds - _SPARE_SECONDS)
        scope = found.get("scope")
        if isinstance(scope, str):
            self.scopes = frozenset(part.strip() for part in scope.split(",") if part.strip())

    def __repr__(self) -> str:
        return "SignedIn(…)"
