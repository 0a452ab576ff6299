"""What services, domain and connectors say in English, in the language of who looks (languages/said.py)."""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import get_locale

from monet_web.domain.errors import MonetError
from monet_web.languages import said as languages


def told(error: MonetError | str) -> str:
    """An error's message and what to do, or a text that was kept, in the person's language."""
    return languages.said(error.sentence() if isinstance(error, MonetError) else error, str(get_locale()))


def each_told(texts: Mapping[str, str]) -> dict[str, str]:
    """The same of each of the texts, by the same keys."""
    return {key: told(text) for key, text in texts.items()}


def shown(value: str) -> str:
    """A value of a finding or of a reason: its days and amounts as the person's language writes them."""
    return languages.shown(value, str(get_locale()))


def phrases(joined: str) -> str:
    """The phrases of a change in the store, `total 12.10 → 14.52, buyer`, each in the person's language."""
    return ", ".join(languages.said(each, str(get_locale())) for each in joined.split(", "))
