"""Every way PrestaShop's webservice can refuse, in one sentence and one thing to do. Judged by its error codes."""

from __future__ import annotations

import re

from monet_web.connectors.answers import Answer, NotJson
from monet_web.connectors.failures import LATER, explain_status
from monet_web.connectors.prestashop.resources import CART_RULES, CART_RULES_OF_1_6, NEEDED
from monet_web.connectors.prestashop.xml_rows import errors_of
from monet_web.domain.errors import MonetError, NeedsOwner, RetryLater

WEBSERVICE = "Advanced Parameters → Webservice"
NEW_KEY = (
    f"In PrestaShop open {WEBSERVICE}, add a key, tick “View (GET)” for what is listed here, and copy the key here."
)
NO_KEY, EMPTY_KEY, KEY_FORMAT, INACTIVE_KEY, NO_PERMISSION, SWITCHED_OFF = "16", "17", "18", "20", "21", "22"
NO_METHOD, NO_RIGHT, NO_RESOURCE = "25", "26", "27"
OTHER_SHOP, NO_SHOP = "132", "999"
_BAD_QUESTION = frozenset({"32", "35", "38"})
_RESOURCE = re.compile(r'"(\w{1,40})"')


def errors_in(answer: Answer) -> list[tuple[str, str]]:
    """(code, message) of what the webservice itself says, [] when it is not the webservice that answers."""
    try:
        body = answer.json()
    except NotJson:
        return errors_of(answer.body)
    found = body.get("errors") if isinstance(body, dict) else None
    if not isinstance(found, list):
        return []
    return [(str(entry.get("code", "")), str(entry.get("message", ""))) for entry in found if isinstance(entry, dict)]


def is_webservice(answer: Answer) -> bool:
    """Whether PrestaShop's webservice gave this answer, and not a web server, a shop's page or another program."""
    return (
        "psws-version" in answer.headers
        or "prestashop" in answer.headers.get("www-authenticate", "").lower()
        or bool(errors_in(answer))
    )


def hides_the_key(answer: Answer) -> bool:
    """Whether the webservice acts as if there were no key at all: the server keeps the header to itself."""
    said = {code for code, _ in errors_in(answer)}
    is_asked = "prestashop" in answer.headers.get("www-authenticate", "").lower()
    return answer.status == 401 and is_asked and (not said or bool(said & {NO_KEY, EMPTY_KEY}))


def explain(answer: Answer) -> MonetError:
    """What an answer that is no success means, and what to do."""
    shop = re.split(r"/(?:api|webservice)(?:/|$)", answer.url, maxsplit=1)[0]
    errors = errors_in(answer)
    codes = {code for code, _ in errors}
    said = f" It says: “{errors[0][1][:160]}”" if errors and errors[0][1] else ""
    if SWITCHED_OFF in codes:
        return NeedsOwner(
            f"The webservice of {shop} is switched off (503).",
            fix=f"In PrestaShop open {WEBSERVICE}, set “Enable PrestaShop's webservice” to Yes and save.",
        )
    if answer.status in (401, 403, 405) or codes & {NO_RIGHT, OTHER_SHOP, NO_SHOP}:
        return _refused(answer, codes, shop, said)
    if answer.status == 400 and NO_RESOURCE in codes:
        return NeedsOwner(
            f"The webservice of {shop} does not have what is asked for (400).{said}",
            fix="Only PrestaShop 1.6 and later can be read. If it is, a module changes its webservice.",
        )
    if answer.status == 400 and codes & _BAD_QUESTION:
        return NeedsOwner(
            f"The webservice of {shop} does not understand the question (400).{said}",
            fix="A module changes the webservice's fields; show this to whoever looks after the shop.",
        )
    if answer.status == 404 and not is_webservice(answer):
        return no_api(shop)
    if 200 <= answer.status < 300 and answer.is_html:
        return NeedsOwner(
            f"{answer.url} answered with a web page where data was asked for.",
            fix=f"Type the address of the shop's front page, with its folder, if any. {_THEN_SWITCH_ON}",
        )
    if answer.status == 500:
        return RetryLater(
            f"The webservice of {shop} failed with an error of its own (500).{said}",
            fix=f"{LATER} The shop's PHP error log says why.",
        )
    return explain_status(answer)


def no_api(shop: str) -> NeedsOwner:
    """Neither of the two ways to the webservice leads to one."""
    return NeedsOwner(
        f"There is no PrestaShop webservice at {shop}: neither /api/ nor /webservice/dispatcher.php answers (404).",
        fix=f"Type the address of the shop's front page, with its folder, if any. {_THEN_SWITCH_ON}",
    )


def lacks(shop: str, missing: list[str]) -> NeedsOwner:
    """The key opens the webservice, and not all of what is needed."""
    return NeedsOwner(
        f"The key is right, but may not read {', '.join(missing)} at {shop}.",
        fix=f"In PrestaShop open {WEBSERVICE}, edit the key, tick “View (GET)” for {', '.join(missing)} and save.",
    )


_THEN_SWITCH_ON = (
    f"If it is right: in PrestaShop open {WEBSERVICE} and see that the webservice is enabled; saving there once more "
    "writes the shop's .htaccess anew, without which /api/ leads nowhere."
)


def _refused(answer: Answer, codes: set[str], shop: str, said: str) -> MonetError:
    status = answer.status
    if NO_RIGHT in codes:
        return lacks(shop, [_resource_in(said) or "what it was asked for"])
    if NO_METHOD in codes:
        return NeedsOwner(
            f"The key may not view what is asked for at {shop} ({status}).{said}",
            fix=f"In PrestaShop open {WEBSERVICE}, edit the key, tick “View (GET)” for {', '.join(NEEDED)} and save.",
        )
    if OTHER_SHOP in codes:
        return NeedsOwner(
            f"The key does not belong to this shop of {shop} ({status}).",
            fix=f"In PrestaShop open {WEBSERVICE}, edit the key and tick the shop under “Shop association”, or type "
            "the number of the key's own shop here.",
        )
    if NO_SHOP in codes:
        return NeedsOwner(
            f"{shop} has no shop of the number that was typed ({status}).",
            fix="Type the number that PrestaShop shows under Advanced Parameters → Multistore, or leave it empty.",
        )
    if KEY_FORMAT in codes:
        return NeedsOwner(
            f"What was typed is not a key of PrestaShop's, which have 32 characters ({status}).",
            fix=f"Copy the key whole, without spaces. {NEW_KEY}",
        )
    if codes & {INACTIVE_KEY, NO_PERMISSION}:
        return NeedsOwner(
            f"{shop} does not know this key, or it is switched off, or it may do nothing at all ({status}).",
            fix=f"In PrestaShop open {WEBSERVICE}, see that the key is there and enabled, and copy it again. {NEW_KEY}",
        )
    if hides_the_key(answer):
        https = "" if answer.url.startswith("https://") else " or type the address with https://, if the shop has it,"
        return NeedsOwner(
            f"The server of {shop} keeps the key to itself, so PrestaShop never sees it ({status}).",
            fix=f"Ask the shop's host to pass the Authorization header on to PHP (in Apache: CGIPassAuth On),{https} "
            "and test again.",
        )
    if status == 401 and not is_webservice(answer):
        return NeedsOwner(
            f"The web server of {shop} asks for a password of its own before PrestaShop (401).",
            fix="Take the password off the shop, or let requests of “Monet-Web” to /api/ through without it.",
        )
    if status == 405 or is_webservice(answer):
        return NeedsOwner(
            f"The webservice of {shop} refuses ({status}).{said}",
            fix=f"In PrestaShop open {WEBSERVICE} and look at the key's permissions.",
        )
    words = f" It says: “{answer.words()}”" if answer.words() else ""
    return NeedsOwner(
        f"The web server of {shop} or a firewall before it refuses ({status}).{words}",
        fix="Ask the shop's host to let requests of “Monet-Web” to /api/ through.",
    )


def _resource_in(said: str) -> str:
    found = _RESOURCE.search(said)
    name = found[1] if found else ""
    return f"{CART_RULES} ({CART_RULES_OF_1_6} in 1.6)" if name == CART_RULES else name
