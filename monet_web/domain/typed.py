"""What people type into cells and fields: numbers and days read exactly, or refused in a sentence."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal, InvalidOperation

_SPACES = re.compile(r"[\s\u00a0\u202f']+")
_NUMBER = re.compile(r"[+\-−–]?(\d+([.,]\d*)?|[.,]\d+)", re.ASCII)


class Wrong(ValueError):
    """One value that can't be used; the text is the sentence for the person."""


def number_of(text: str, *, example: str) -> Decimal:
    """A number as people type it: decimal comma or point, spaces between thousands. Raises Wrong."""
    typed = _SPACES.sub("", text)
    if not _NUMBER.fullmatch(typed) or len(typed) > 40:
        raise Wrong(f"“{shown(text)}” is not a number. Type it as {example}.")
    try:
        return Decimal(typed.replace(",", ".").replace("−", "-").replace("–", "-"))
    except InvalidOperation:
        raise Wrong(f"“{shown(text)}” is not a number. Type it as {example}.") from None


def day_of(text: str) -> date:
    """A day as 2026-11-24. Raises Wrong."""
    try:
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        raise Wrong(f"“{shown(text)}” is not a date. Type it as 2026-11-24.") from None


def shown(text: str) -> str:
    """What was typed as a message repeats it: one line, not too long."""
    cut = " ".join(text.split())
    return cut if len(cut) <= 60 else f"{cut[:57]}…"
