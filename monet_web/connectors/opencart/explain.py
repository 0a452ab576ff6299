"""Every way the bridge, or what stands in its place, can refuse: one sentence and one thing to do."""

from __future__ import annotations

from monet_web.connectors.answers import Answer
from monet_web.connectors.failures import LATER, explain_status
from monet_web.connectors.opencart.signing import DOORS, said
from monet_web.domain.errors import MonetError, NeedsOwner, RetryLater

NEW_USER = (
    "In the shop's admin open System → Users → API, add a user “monet” with the status Enabled, press Generate, save, "
    "and copy its name and key here."
)
INSTALL = (
    "Download monet_bridge.php in this form and put it into the shop's folder beside index.php and config.php; or "
    "upload its package in the shop's admin under Extensions → Installer. Where neither may be, leave the key empty "
    "and upload a backup of the orders instead."
)
UPDATE = "Download the bridge in this form once more and put it in the place of the old one."
_HOST = "Ask whoever looks after the shop's server"


def explain(answer: Answer) -> MonetError:
    """What an answer that is no success means, and what to do."""
    body = said(answer)
    shop = shop_of(answer)
    if body is None or "error" not in body:
        return _not_the_bridge(answer, shop)
    code, message = str(body["error"]), str(body["message"])
    match code:
        case "key":
            return NeedsOwner(
                f"The bridge of {shop} does not know this API user, or the key is not that user's (401).",
                fix=f"The user must exist and be Enabled; the key is the newest one generated for it. {NEW_USER}",
            )
        case "unsigned":
            return NeedsOwner(
                f"The bridge of {shop} answers, but our signature does not reach it (401).",
                fix=f"{_HOST} to let the headers X-Monet-User, X-Monet-Time and X-Monet-Sign through to PHP.",
            )
        case "clock":
            return NeedsOwner(
                f"The clock of {shop} jumps: it calls our signature too old although it is made by its own time (401).",
                fix=f"{_HOST} to set its clock; if several servers answer, all of them.",
            )
        case "ip":
            return NeedsOwner(
                f"The API user of {shop} may only be used from some addresses, and ours is not among them (403). "
                f"It says: “{_short(message)}”",
                fix="In the shop's admin open System → Users → API, edit the user, and under IP Addresses add the "
                "address of this sentence, or empty the list.",
            )
        case "database" | "config":
            return RetryLater(
                f"The bridge of {shop} cannot open the shop's database ({answer.status}). It says: “{_short(message)}”",
                fix="If the shop itself works, see that the bridge lies beside the config.php that the shop uses. "
                f"{LATER}",
            )
        case "query" | "encoding":
            return RetryLater(
                f"The database of {shop} fails when it is asked for orders ({answer.status}). "
                f"It says: “{_short(message)}”",
                fix=LATER,
            )
        case "field" | "from" | "to" | "after" | "action":
            return NeedsOwner(
                f"The bridge of {shop} is not of this program's version: it does not understand the question "
                f"({answer.status}, {code}).",
                fix=UPDATE,
            )
        case _:
            return NeedsOwner(
                f"The bridge of {shop} refuses ({answer.status}, {_short(code)}). It says: “{_short(message)}”",
                fix=UPDATE,
            )


def shop_of(answer: Answer) -> str:
    """The shop's address: an answer's without the door."""
    shop = answer.url
    for path, _ in DOORS.values():
        shop = shop.removesuffix(path)
    return shop


def _not_the_bridge(answer: Answer, shop: str) -> MonetError:
    words = answer.words()
    it_says = f" It says: “{words}”" if words else ""
    if answer.status == 503:
        return RetryLater(f"{shop} is closed for maintenance (503).", fix=LATER)
    if answer.status == 500:
        return RetryLater(f"{shop} failed with an error of its own (500).{it_says}", fix=LATER)
    if answer.status in (404, 410):
        return NeedsOwner(f"There is no bridge at {shop} ({answer.status}).", fix=INSTALL)
    if answer.status in (401, 403, 406):
        return NeedsOwner(
            f"The web server of {shop} or a firewall before it refuses ({answer.status}).{it_says}",
            fix=f"{_HOST} to let requests of “Monet-Web” to /monet_bridge.php through. If it forbids files beside "
            "index.php, install the package under Extensions → Installer instead.",
        )
    if 200 <= answer.status < 300 and answer.is_html:
        return NeedsOwner(
            f"There is no bridge at {shop}: a page of the website answers in its place.{it_says}", fix=INSTALL
        )
    if 200 <= answer.status < 300:
        return NeedsOwner(
            f"{shop} answers, but not as the bridge does.{it_says}",
            fix=f"Check that {shop} is the shop's front page; if it is: {UPDATE}",
        )
    return explain_status(answer)


def _short(text: str) -> str:
    text = " ".join(text.split())
    return f"{text[:119]}…" if len(text) > 120 else text
