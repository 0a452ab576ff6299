"""A small form: what is typed or saved, and what is wrong with it, field by field; macros/typed.html draws it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from monet_web.blueprints.said import each_told, told
from monet_web.domain.errors import BrokenRule
from monet_web.services.books.fields import WrongFields


def plain(text: str) -> str:
    """What is typed without NUL, which PostgreSQL keeps in no text and nobody means."""
    return text.replace("\x00", "")


def whole(text: str) -> int | None:
    """A number of an address, None when it is none that a database could have."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 18 else None


@dataclass(slots=True)
class Typed:
    """`values` are texts by name; `about` tells the fields of two forms on one page apart."""

    values: Mapping[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    about: str = ""

    def __post_init__(self) -> None:
        self.values = {name: plain(text) for name, text in self.values.items()}

    def value(self, name: str) -> str:
        """The text of a field, "" when there is none."""
        return self.values.get(name, "")

    def error(self, name: str) -> str:
        """What is wrong with it, "" when nothing is."""
        return self.errors.get(name, "")

    def id(self, name: str) -> str:
        """The id of the field on the page."""
        return f"{self.about or 'f'}-{name}"

    def refuse(self, error: BrokenRule) -> None:
        """Put what a service refused beside its fields; what belongs to none of them stands above the form ("")."""
        if isinstance(error, WrongFields):
            self.errors.update(each_told(error.fields))
        else:
            self.errors[error.field] = told(error)
