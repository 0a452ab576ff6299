"""What was typed into a small form and can't be used: kept for the page that is shown next, beside its field."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from flask import session as browser_session

_KEY = "mistake"
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Mistake:
    """`about` names the form (a cause, an order in conflict); `typed` is shown again, `text` says what to type."""

    about: str
    field: str
    typed: str
    text: str


NONE = Mistake("", "", "", "")


def remember(about: str, field: str, typed: str, text: str) -> None:
    """Keep it for the next page of this browser."""
    browser_session[_KEY] = asdict(Mistake(about[:_LONGEST], field, typed[:_LONGEST], text[: 2 * _LONGEST]))


def take() -> Mistake:
    """The one that was kept, once; NONE when there is none."""
    kept = browser_session.pop(_KEY, None)
    return Mistake(**kept) if isinstance(kept, dict) else NONE
