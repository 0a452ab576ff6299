"""The catalog of a language, read from its .po file once a process: nothing is compiled, so nothing can be stale."""

from __future__ import annotations

from functools import cache
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations

FOLDER = Path(__file__).parent.parent / "translations"
SAID = "said"  # the context of what services, domain and connectors say: templates with {names}


def path(language: str) -> Path:
    """Where the catalog of a language is kept."""
    return FOLDER / language / "LC_MESSAGES" / "messages.po"


@cache
def _read(language: str) -> Catalog | None:
    file = path(language)
    if not language.isalpha() or not file.is_file():
        return None
    with file.open("rb") as stream:
        return read_po(stream, locale=language)


@cache
def words(language: str) -> NullTranslations:
    """The messages of a language; of English, and of one without a catalog, those that change nothing."""
    messages = _read(language)
    if messages is None:
        return NullTranslations()
    compiled = BytesIO()
    write_mo(compiled, messages)
    compiled.seek(0)
    return Translations(compiled)


@cache
def templates(language: str) -> dict[str, str]:
    """English template → template of the language, of what is said with {names}; English ones are their own."""
    said = {}
    for message in _read("lt" if language == "en" else language) or ():
        if message.context == SAID and isinstance(message.id, str) and isinstance(message.string, str):
            said[message.id] = message.id if language == "en" else message.string or message.id
    return said
