"""The app that a merchant made for this program: its keys, its rights, its tokens, and what the shop's plan allows."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from monet_web.demo.shopify.documents import Document
from monet_web.demo.shopify.price import PLUS, Plan

DEMO_ID: Final = "9f2c41d87b0e4a6c8d15e3f7a2b9c604"
DEMO_SECRET: Final = "shpss_" + "5d1e8a3c7f2b4960"  # pieced together: scanners take a whole one for a real key
DEMO_TOKEN: Final = "shpat_" + "0b7c6d5e4f3a2918"
ALL_SCOPES: Final = frozenset({"read_orders", "read_all_orders", "read_customers", "read_products"})


@dataclass(frozen=True, slots=True)
class App:
    """`lasts`: seconds that a token is good for. `foreign`: made in another organisation than the shop's."""

    client_id: str = DEMO_ID
    client_secret: str = DEMO_SECRET
    old_token: str = DEMO_TOKEN
    scopes: frozenset[str] = ALL_SCOPES
    plan: Plan = PLUS
    sells_to_companies: bool = True
    shows_people: bool = True
    lasts: int = 86_399
    foreign: bool = False
    installed: bool = True


class Tokens:
    """The tokens that were given out. `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._until: dict[str, float] = {}

    def ask(self, app: App, form: Mapping[str, str]) -> tuple[int, Document]:
        """Status and body for a client-credentials grant."""
        if form.get("grant_type") != "client_credentials":
            return 400, _refused("unsupported_grant_type", "The grant type is not supported.")
        if form.get("client_id") != app.client_id:
            return 400, _refused("application_cannot_be_found", "The application could not be found.")
        if form.get("client_secret") != app.client_secret:
            return 401, _refused("invalid_client", "The client secret is not valid.")
        if app.foreign:
            return 400, _refused("shop_not_permitted", "Client credentials cannot be performed on this shop.")
        if not app.installed:
            return 400, _refused("app_not_installed", "The application is not installed on this shop.")
        token = f"shpat_{secrets.token_hex(16)}"
        self._until[token] = self._clock() + app.lasts
        return 200, {"access_token": token, "scope": ",".join(sorted(app.scopes)), "expires_in": app.lasts}

    def are_good(self, app: App, token: str) -> bool:
        """Whether a token opens the shop now."""
        return token == app.old_token or self._until.get(token, 0.0) > self._clock()

    def withdraw(self) -> None:
        """No token given so far opens the shop any more."""
        self._until.clear()


def _refused(error: str, description: str) -> Document:
    return {"error": error, "error_description": description}
