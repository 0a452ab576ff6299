"""Typed values that can't be used: all are named at once, each with what to type instead."""

from __future__ import annotations

from collections.abc import Mapping

from monet_web.domain.errors import BrokenRule


class WrongFields(BrokenRule):
    """`fields`: name of the field → what is wrong and what to type. A form shows each beside its field."""

    def __init__(self, fields: Mapping[str, str], message: str = "") -> None:
        self.fields = dict(fields)
        super().__init__(message or " ".join(self.fields.values()), fix="Nothing was changed.")
