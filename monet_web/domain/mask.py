"""LIKE masks: which integrations a launch means (C2)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Named:
    """What a mask is matched against. `available`: switched on and not retired."""

    name: str
    available: bool = True


def fold(text: str) -> str:
    """How names are compared: NFC, without case, without space around."""
    plain = text if text.isascii() else unicodedata.normalize("NFC", text)
    return plain.strip().casefold()


def matches(mask: str, integrations: Iterable[Named]) -> list[str]:
    """Names that `mask` means, in the order given, each once. Several masks are separated by commas.

    A part equal to a name means that integration alone, also a switched-off one; otherwise it is a LIKE pattern over
    the available ones: `%` any run of characters, `_` exactly one.
    """
    known = list(integrations)
    chosen: set[str] = set()
    for part in mask.split(","):
        wanted = fold(part)
        if not wanted:
            continue
        exact = [named.name for named in known if fold(named.name) == wanted]
        if exact:
            chosen.update(exact)
            continue
        pattern = _like(wanted)
        chosen.update(named.name for named in known if named.available and pattern.fullmatch(fold(named.name)))
    return [named.name for named in known if named.name in chosen]


def _like(pattern: str) -> re.Pattern[str]:
    parts = {"%": ".*", "_": "."}
    return re.compile("".join(parts.get(sign, re.escape(sign)) for sign in pattern), re.DOTALL)
