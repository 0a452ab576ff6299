"""The shapes of what is said of a finding: with its values, and in general."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sentences:
    """The four parts in one language, `{name}` filled from the finding's values.

    `cause` heads a group of invoices: it names only what the code and the subject (`{subject}`) decide.
    """

    wrong: str
    why: str
    fix: str
    cause: str


@dataclass(frozen=True, slots=True)
class General:
    """`phrase` follows a count ("329 × a product is not among the items"); `fix` holds without any value."""

    phrase: str
    fix: str
