"""How asking a store can fail, named by what may help, and what a bad answer means on any platform."""

from __future__ import annotations

from monet_web.connectors.address_guard import StoreAddress
from monet_web.connectors.answers import Answer
from monet_web.domain.errors import MonetError, NeedsOwner, RetryLater

LATER = "Try again later; what was booked stays. If it goes on, ask whoever looks after the shop's server."
TOO_MANY = 429
BUSY = frozenset({408, 425, TOO_MANY, 502, 503, 504, 520, 521, 522, 523, 524})


class Stopped(RetryLater):
    """The run was asked to stop while it waited for the store."""


class TimedOut(RetryLater):
    """The store did not answer in time; a smaller question may get an answer."""


class TooLarge(NeedsOwner):
    """The answer is larger than allowed; a smaller question may get one that is not."""


class Unusable(RetryLater):
    """The answer came, and cannot be read (cut off, no JSON, empty); a smaller question may be answered better."""


class Moved(NeedsOwner):
    """The store sends us on to another address, which is not followed: our keys are for the one that was typed."""

    def __init__(self, message: str, *, fix: str, target: StoreAddress) -> None:
        super().__init__(message, fix=fix)
        self.target = target


def explain_status(answer: Answer) -> MonetError:
    """What an answer that is no success means on any platform."""
    said = f" It says: “{answer.words()}”" if answer.words() else ""
    if answer.status == 429:
        return RetryLater(f"{answer.url} says that we ask too often (429).", fix=LATER)
    if answer.status in BUSY or answer.status >= 500:
        return RetryLater(f"{answer.url} answered with an error of its own ({answer.status}).{said}", fix=LATER)
    if answer.status in (401, 403):
        return NeedsOwner(
            f"{answer.url} does not let us in ({answer.status}).{said}",
            fix="Check the keys in the integration's settings, and that nothing in the shop blocks this program.",
        )
    if answer.status == 404:
        return NeedsOwner(f"There is nothing at {answer.url} (404).", fix="Check the shop's address.")
    if 200 <= answer.status < 300:
        return NeedsOwner(
            f"{answer.url} answered with a web page where data was asked for.{said}", fix="Check the shop's address."
        )
    return NeedsOwner(
        f"{answer.url} refused the question ({answer.status}).{said}",
        fix="Look at the message; if it says nothing to you, send it to whoever looks after the shop.",
    )


def stopped() -> Stopped:
    """The one sentence of a stopped wait."""
    return Stopped("The run was stopped while it waited for the store.", fix="Running it again is safe.")


def certificate_error(host: str, text: str) -> NeedsOwner:
    """Why no safe connection could be made; `text` is what the TLS library said."""
    reasons = (
        ("certificate has expired", "has run out", "Renew the shop's certificate."),
        ("self-signed", "is signed by nobody but itself", "Give the shop a certificate that browsers trust."),
        ("self signed", "is signed by nobody but itself", "Give the shop a certificate that browsers trust."),
        ("mismatch", "is for another name", "Type the address for which the certificate was made, or get one for it."),
        (
            "doesn't match",
            "is for another name",
            "Type the address for which the certificate was made, or get one for it.",
        ),
        (
            "unable to get local issuer",
            "comes without its chain of issuers",
            "Install the full chain on the shop's server.",
        ),
    )
    for words, wrong, fix in reasons:
        if words in text:
            return NeedsOwner(f"The certificate of {host} {wrong}, so the connection is not safe.", fix=fix)
    return NeedsOwner(
        f"No safe connection (TLS) to {host} could be made.",
        fix="Check that the address really begins with https:// and opens in a browser without a warning.",
    )
