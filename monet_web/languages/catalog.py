"""The catalog of a language, read from its .po file once a process: nothing is compiled, so nothing can be stale."""

from __future__ import annotations

from functools import cache
from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations

FOLDER = Path(__file__).parent.parent / "translations"
SAID = "said"  # the context of what services, domain and connectors say: templates with {names}


def path(language: str) -> Path:
    """Where the catalog of a language is kept."""
    return FOLDER / language / "LC_MESSAGES" / "messages.po"


@cache
def words(language: str) -> NullTranslations:
    """The messages of a language; of English, and of one without a catalog, those that change nothing."""
    file = path(language)
    if not language.isalpha() or not file.is_file():
        return NullTranslations()
    compiled = BytesIO()
    with file.open("rb") as stream:
        write_mo(compiled, read_po(stream, locale=language))
    compiled.seek(0)
    return Translations(compiled)


@cache
def templates(language: str) -> dict[str, str]:
    """English template → template of the language, of what is said with {names}; empty for English."""
    file = path(language)
    if not language.isalpha() or not file.is_file():
        return {}
    with file.open("rb") as stream:
        messages = read_po(stream, locale=language)
    said = {}
    for message in messages:
        if message.context == SAID and isinstance(message.id, str) and isinstance(message.string, str):
            said[message.id] = message.string or message.id
    return said
