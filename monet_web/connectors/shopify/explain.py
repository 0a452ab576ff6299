"""Every way Shopify can refuse, in one sentence and one thing to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from monet_web.connectors.address_guard import StoreAddress
from monet_web.connectors.answers import Answer, NotJson
from monet_web.connectors.failures import LATER, explain_status
from monet_web.connectors.shopify.address import TYPE_SHOP
from monet_web.domain.errors import MonetError, NeedsOwner, RetryLater

RIGHTS = "read_orders, read_customers and read_products"
NEW_APP = (
    "On dev.shopify.com, signed in as the shop's owner, make an app, give its version the rights "
    f"{RIGHTS}, release it, install it on the shop, and copy the Client ID and the secret from its Settings."
)
NEW_RIGHTS = (
    f"On dev.shopify.com open the app, release a version with the rights {RIGHTS}, and accept them in the shop's admin."
)
OLD_TOKEN = "In the shop's admin open Settings → Apps → Develop apps → the app → API credentials."  # noqa: S105 - words


def explain(answer: Answer) -> MonetError:
    """What an answer that is no success means, and what to do."""
    shop = _shop(answer)
    if answer.url.endswith("/admin/oauth/access_token") and (no_token := _no_token(answer, shop)) is not None:
        return no_token
    said = said_by(answer)
    match answer.status:
        case 401:
            return NeedsOwner(
                f"{shop} does not know this access token (401).{said}",
                fix=f"The app was removed from the shop, or the token was made anew. {OLD_TOKEN} Copy the token that "
                f"begins with shpat_ from there. If the app has a Client ID and a secret, type those instead.",
            )
        case 402:
            return NeedsOwner(
                f"{shop} is frozen: Shopify waits for its bill to be paid (402).",
                fix="The shop's owner pays the bill in Shopify's admin, under Settings → Billing. Then run again.",
            )
        case 403:
            return NeedsOwner(f"{shop} lets the app in, but not to the orders (403).{said}", fix=NEW_RIGHTS)
        case 404:
            return no_such_shop(shop)
        case 423:
            return NeedsOwner(
                f"Shopify has locked {shop} (423).{said}", fix="The shop's owner asks Shopify's support to unlock it."
            )
        case 430:
            return RetryLater(f"Shopify took our questions to {shop} for an attack (430).{said}", fix=LATER)
        case 500:
            return RetryLater(f"{shop} failed with an error of its own (500).{said}", fix=LATER)
        case _:
            pass
    if 200 <= answer.status < 300:
        return NeedsOwner(f"{shop} answered with a web page where data was asked for.", fix=TYPE_SHOP)
    return explain_status(answer)


def no_such_shop(shop: str) -> NeedsOwner:
    """Shopify's 404: a name that no shop has."""
    return NeedsOwner(f"There is no Shopify shop at {shop} (404).", fix=TYPE_SHOP)


def _no_token(answer: Answer, shop: str) -> MonetError | None:
    """Why Shopify gave no access token for a Client ID and a secret; None for what has nothing to do with the keys."""
    body = _json(answer)
    code = body.get("error")
    code = code if isinstance(code, str) else ""
    told = body.get("error_description")
    said = f" It says: “{' '.join(told.split())[:120]}”" if isinstance(told, str) and told.strip() else ""
    if code in ("application_cannot_be_found", "invalid_client_id"):
        return NeedsOwner(
            f"Shopify knows no app with this Client ID ({answer.status}).{said}",
            fix="Copy the Client ID again: on dev.shopify.com, in the app, under Settings.",
        )
    if code in ("invalid_client", "invalid_client_secret", "unauthorized_client"):
        return NeedsOwner(
            f"Shopify knows the Client ID, but the secret does not fit it ({answer.status}).{said}",
            fix="Copy the secret again: on dev.shopify.com, in the app, under Settings. A rotated one no longer works.",
        )
    if code == "shop_not_permitted":
        return NeedsOwner(
            f"This app may not get a key for {shop}: the app and the shop belong to different owners.{said}",
            fix=f"Only an app made in the shop owner's own organisation works this way. {NEW_APP}",
        )
    if code == "app_not_installed":
        return NeedsOwner(
            f"The app is not installed on {shop}.{said}",
            fix="On dev.shopify.com open the app, choose “Install app” and this shop, and accept. Then test again.",
        )
    if code or answer.status in (400, 401):
        named = f", {code}" if code else ""
        return NeedsOwner(
            f"Shopify gave no key for {shop} ({answer.status}{named}).{said or said_by(answer)}", fix=NEW_APP
        )
    return None


def may_not(address: StoreAddress, place: str, message: str) -> NeedsOwner:
    """ACCESS_DENIED for something without which nothing can be imported."""
    return NeedsOwner(
        f"The app may not read {place or 'orders'} of {address.host}. Shopify says: “{message[:200]}”", fix=NEW_RIGHTS
    )


def not_understood(address: StoreAddress, message: str, version: str) -> NeedsOwner:
    """Shopify's schema refused the question: a fault of this program, or a version that is gone."""
    return NeedsOwner(
        f"{address.host} does not understand the question (Admin API {version}). Shopify says: “{message[:200]}”",
        fix="Update this program. If it is up to date, send this sentence to whoever looks after it.",
    )


def said_by(answer: Answer) -> str:
    """Shopify's own words in an `errors` text, "" where there are none."""
    errors = _json(answer).get("errors")
    words = " ".join(errors.split()) if isinstance(errors, str) else ""
    return f" It says: “{words[:160]}”" if words else ""


def _json(answer: Answer) -> Mapping[str, Any]:
    try:
        body = answer.json()
    except NotJson:
        return {}
    return body if isinstance(body, Mapping) else {}


def _shop(answer: Answer) -> str:
    return answer.url.split("://", 1)[-1].split("/", 1)[0]
