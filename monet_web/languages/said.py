"""What the inner rooms say in English, in the language of who reads it.

They keep and raise plain English sentences. Here a sentence is matched with the templates that were found in their
source (extraction.py) and are translated in the catalog; what fits none stays English.

A template of the catalog may say `{count:sąskaita|sąskaitos|sąskaitų}`, the form of the number in `{count}`, and
`{word:}`, which leaves a value out.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache, partial

from babel.dates import format_date

from monet_web.languages.catalog import templates, words

_PLACE = re.compile(r"\{(\w+)(?::([^{}]*))?\}")
_DAY = re.compile(r"(?<![\w-])(\d{4})-(\d\d)-(\d\d)(?![\w-]|:\d)")
_AMOUNT = re.compile(r"([-−]?)(\d+)\.(\d{2,})(?: ([A-Z]{3}))?")
_ENDS = re.compile(r"(?<=[.?!…”:]) ")
_MOST_PARTS = 12  # sentences of one text; a longer one is matched sentence by sentence
_KEY = 4
_LOOSE = 15
_FEWEST = 2


@dataclass(frozen=True, slots=True)
class _Template:
    shape: str  # a pattern
    names: tuple[str, ...]
    translation: str
    literal: int  # how many letters it fixes: the more, the surer
    piece: str  # the longest text that it fixes


def said(text: str, language: str) -> str:
    """`text` in the language, its values as the language writes them. Never raises.

    English too: the day of a value becomes `21 Nov 2026`, while one that is to be typed stays as it is typed.
    """
    return _said(text, language) if text and templates(language) else text


def shown(text: str, language: str) -> str:
    """A value: its days and, if it is nothing else, its amount as the language writes them."""
    amount = _AMOUNT.fullmatch(text)
    if amount is not None:
        minus, whole, cents, currency = amount.groups()
        grouped = f"{int(whole):,}".replace(",", "\u00a0" if language == "lt" else ",")
        written = f"{'−' if minus else ''}{grouped}{',' if language == 'lt' else '.'}{cents}"
        return f"{written}\u00a0{currency}" if currency else written
    if language != "en":  # 2026-11-21 is how Lithuanian writes a day
        return text
    return _DAY.sub(_day, text)


def _day(found: re.Match[str]) -> str:
    try:
        day = date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        return found[0]
    return str(format_date(day, "d MMM y", locale="en"))


@lru_cache(maxsize=4096)
def _said(text: str, language: str, *, is_value: bool = False) -> str:
    whole = _matched(text, language)
    if whole is not None:
        return whole
    parts = _ENDS.split(text)
    if len(parts) == 1:
        return text
    done = []
    begin = 0
    while begin < len(parts):
        for end in range(min(len(parts), begin + _MOST_PARTS), begin, -1):
            told = _matched(" ".join(parts[begin:end]), language)
            if told is not None:
                done.append(told)
                begin = end
                break
        else:
            done.append(shown(parts[begin], language) if is_value else parts[begin])
            begin += 1
    return " ".join(done)


def _matched(text: str, language: str, depth: int = 0) -> str | None:
    """The translation of a text that fits one template whole; None when none fits."""
    begun, free = _shapes(language)
    for template in (*begun.get(text[:_KEY], ()), *free):
        found = _compiled(template.shape).fullmatch(text) if template.piece in text else None
        if found is None:
            continue
        values = dict(zip(template.names, found.groups(), strict=True))
        return _PLACE.sub(partial(_filled, values=values, language=language, depth=depth), template.translation)
    return None


def _filled(place: re.Match[str], *, values: dict[str, str], language: str, depth: int) -> str:
    value = values.get(place[1], "")
    if place[2] == "":
        return ""
    if place[2] is not None:
        forms = place[2].split("|")
        digits = re.sub(r"\D", "", value)
        return forms[min(_form(language, int(digits or 1)), len(forms) - 1)]
    if depth > 3:
        return value
    lead, core, tail = _edges(value)
    told = _matched(core, language, depth + 1) if core else None
    if told is not None:
        return f"{lead}{told}{tail}"
    if _ENDS.search(core):  # whole sentences within a sentence
        return f"{lead}{_said(core, language, is_value=True)}{tail}"
    return shown(value, language)


def _edges(value: str) -> tuple[str, str, str]:
    core = value.strip()
    at = value.find(core) if core else 0
    return value[:at], core, value[at + len(core) :]


def _form(language: str, count: int) -> int:
    """Which of the forms of a word goes with a count: 0 for 1 and 21, 1 for 2 to 9, 2 for the rest, in Lithuanian."""
    plural: Callable[[int], int] | None = getattr(words(language), "plural", None)
    return plural(count) if plural is not None else int(count != 1)


@cache
def _compiled(shape: str) -> re.Pattern[str]:
    return re.compile(shape, re.DOTALL)


@cache
def _shapes(language: str) -> tuple[dict[str, tuple[_Template, ...]], tuple[_Template, ...]]:
    """Templates by how they begin, and those that begin with a value; each the surest first."""
    begun: dict[str, list[_Template]] = defaultdict(list)
    free: list[_Template] = []
    for english, translation in templates(language).items():
        made = _template(english, translation)
        if made.literal < _FEWEST:
            continue
        first = english.partition("{")[0]
        (begun[english[:_KEY]] if len(first) >= _KEY or "{" not in english else free).append(made)
    for each in (*begun.values(), free):
        each.sort(key=lambda template: -template.literal)
    return {key: tuple(value) for key, value in begun.items()}, tuple(free)


def _template(english: str, translation: str) -> _Template:
    literal = sum(letter.isalpha() for letter in _PLACE.sub("", english))
    # `Order {number}` would fit whatever begins with "Order": there the value is one word.
    is_loose = literal < _LOOSE and english.endswith("}") and english.count("{") == 1
    names, shape, last = [], "", 0
    for place in _PLACE.finditer(english):
        shape += re.escape(english[last : place.start()]) + (r"(\S*)" if is_loose else "(.*?)")
        names.append(place[1])
        last = place.end()
    shape += re.escape(english[last:])
    piece = max(_PLACE.sub("\0", english).split("\0"), key=len)
    return _Template(shape, tuple(names), translation, literal, piece)
