"""Every way WooCommerce can refuse, in one sentence and one thing to do. Judged by `code`: messages are translated."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from monet_web.connectors.answers import Answer, NotJson
from monet_web.connectors.failures import LATER, explain_status
from monet_web.domain.errors import MonetError, NeedsOwner, RetryLater

CANNOT_VIEW = "woocommerce_rest_cannot_view"
BAD_KEY = "woocommerce_rest_authentication_error"
NO_ROUTE = "rest_no_route"
NEW_KEY = (
    "In WordPress open WooCommerce → Settings → Advanced → REST API, add a key with the permission “Read” for an "
    "administrator or shop manager, and copy both parts of it here."
)
PERMALINKS = "In WordPress open Settings → Permalinks, choose “Post name” and save."
_CLOCKS_APART = 14 * 60  # WooCommerce takes a signature for 15 minutes


def code_of(answer: Answer) -> str:
    """The error's `code`, "" where there is none."""
    return _text_in(answer, "code")


def explain(answer: Answer) -> MonetError:
    """What an answer that is no success means, and what to do."""
    code = code_of(answer)
    shop = answer.url.split("/wp-json", 1)[0]
    if answer.status in (401, 403):
        return _refused(answer, code, shop)
    if answer.status == 404 and code == NO_ROUTE:
        return NeedsOwner(
            f"{shop} is WordPress, but its WooCommerce does not answer (404, {code}).",
            fix="See in WordPress under Plugins that WooCommerce is active; if it is, a security plugin closes its "
            "REST API and must let /wp-json/wc/v3/ through.",
        )
    if answer.status == 404 and not code:
        return NeedsOwner(
            f"There is no WordPress API at {shop}: {answer.url} is not found (404).",
            fix=f"Type the address of the shop's front page, with its folder, if any. If it is right: {PERMALINKS}",
        )
    if 200 <= answer.status < 300:
        return NeedsOwner(
            f"{answer.url} answered with a web page where data was asked for: WordPress is set to plain permalinks, "
            "or the address is not the shop's.",
            fix=f"{PERMALINKS} Then check that {shop} is the shop's front page.",
        )
    if answer.status == 503:
        return RetryLater(f"{shop} is closed for maintenance (503).", fix=LATER)
    if answer.status == 500:
        said = f" It says: “{answer.words()}”" if not answer.is_html and not code else _said(answer)
        return RetryLater(f"{shop} failed with an error of its own (500).{said}", fix=LATER)
    if answer.status == 400 and code == "rest_invalid_param":
        return NeedsOwner(
            f"{shop} does not understand the question (400).{_said(answer)}",
            fix="Update WooCommerce; if it is new, a plugin changes its REST API.",
        )
    return explain_status(answer)


def _refused(answer: Answer, code: str, shop: str) -> MonetError:
    said = _said(answer)
    message = _text_in(answer, "message").lower()
    https = (
        ""
        if answer.url.startswith("https://")
        else " Better still, type the address with https://, if the shop has it."
    )
    if code == CANNOT_VIEW and answer.status == 403:
        return NeedsOwner(
            f"The key is right, but its user may not see the orders of {shop} (403).",
            fix="Make the key for an administrator or a shop manager: WooCommerce → Settings → Advanced → REST API.",
        )
    if code == CANNOT_VIEW:
        return NeedsOwner(
            f"{shop} does not know this consumer key (401).",
            fix=f"{NEW_KEY} If the key is right, the shop's server hides it from WordPress, or does not tell WordPress "
            f"that it is on https: its host must mend that.{https}",
        )
    if code == BAD_KEY and "read permission" in message:
        return NeedsOwner(
            f"The key of {shop} may not read (401).",
            fix="Set the key's permissions to “Read” or “Read/Write” in WooCommerce.",
        )
    if code.startswith("woocommerce_rest_authentication"):
        apart = _seconds_apart(answer)
        if apart > _CLOCKS_APART and not answer.url.startswith("https://"):
            return NeedsOwner(
                f"The clocks of {shop} and of this program are {apart // 60:.0f} minutes apart, so its signatures "
                "do not count (401).",
                fix="Set the clock of the server that is wrong, or type the address with https://.",
            )
        return NeedsOwner(
            f"{shop} knows the consumer key, but the consumer secret does not fit it, or the key may not read "
            f"(401).{said}",
            fix=f"Paste the consumer secret again. It was shown only once; if it is lost: {NEW_KEY}{https}",
        )
    if code:
        return NeedsOwner(
            f"Something in the shop stands before WooCommerce and refuses ({answer.status}, {code}).{said}",
            fix="A security plugin closes the REST API: let it allow /wp-json/wc/v3/ for this program.",
        )
    return NeedsOwner(
        f"The web server of {shop} or a firewall before it refuses ({answer.status}).{said}",
        fix="Ask the shop's host to let requests of “Monet-Web” to /wp-json/wc/v3/ through.",
    )


def _said(answer: Answer) -> str:
    """The error's own message in a few words, without its tags."""
    words = replace(answer, body=_text_in(answer, "message").encode()).words()
    return f" It says: “{words}”" if words else ""


def _text_in(answer: Answer, key: str) -> str:
    try:
        body = answer.json()
    except NotJson:
        return ""
    value = body.get(key) if isinstance(body, dict) else None
    return value if isinstance(value, str) else ""


def _seconds_apart(answer: Answer) -> float:
    return abs((datetime.now(UTC) - answer.date).total_seconds()) if answer.date else 0.0
