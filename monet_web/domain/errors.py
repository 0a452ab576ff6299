"""Errors named by what the caller does next; each says in plain words what to do."""

from __future__ import annotations


class MonetError(Exception):
    """`str(error)` is one sentence for a person: what is wrong, with the actual values. `fix` is what to do."""

    def __init__(self, message: str, *, fix: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix

    def sentence(self) -> str:
        """The message and what to do, as one text to show."""
        return f"{self.message} {self.fix}".strip()


class RetryLater(MonetError):
    """The same call may succeed later without anybody doing anything (time-out, 429, 503, a lock)."""

    def __init__(self, message: str, *, fix: str = "", after_seconds: float | None = None) -> None:
        super().__init__(message, fix=fix)
        self.after_seconds = after_seconds


class NeedsOwner(MonetError):
    """Nothing will succeed until a person changes something in the store or in the integration's settings."""


class BrokenRule(MonetError):
    """What was asked is against a rule of this program; nothing was changed.

    `field` names the value that is to be typed anew, "" when it is none of them: a form shows the words beside it.
    """

    def __init__(self, message: str, *, fix: str = "", field: str = "") -> None:
        super().__init__(message, fix=fix)
        self.field = field
