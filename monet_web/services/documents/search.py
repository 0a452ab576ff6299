"""Search in documents: words that begin with what is typed, of numbers, orders, buyers, codes, e-mails, SKUs.

`search_text` is folded in Python (SQLite's LIKE does not fold Š) and indexed by its words, which end at every sign that
is no letter or digit: 1001 finds KL-1001. PostgreSQL: a GIN index of a tsvector, no extension; its statistics tell rare
words from common ones. SQLite: a table of FTS5 that triggers keep; what more than RARE documents hold is looked for in
the text of the rows, in the order of the list. A SQLite without FTS5 looks through the rows always.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import ColumnElement, cast, literal_column, text
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.orm import Session

from monet_web.domain.mask import fold
from monet_web.models.invoices import WORDS, Invoice

RARE = 3000  # documents
# By its table's name: a query may have a second invoice, the one that is credited.
_WORDS: ColumnElement[Any] = literal_column(WORDS.replace("search_text", f"{Invoice.__tablename__}.search_text"))
_LONGEST = 200
_MOST_WORDS = 8
_PIECE = re.compile(r"[^\W_]+")
_has_words: WeakKeyDictionary[Any, bool] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class Found:
    """Conditions of a query of invoices. `leads`: an index of words leads to few of them, so that no other must."""

    conditions: tuple[ColumnElement[bool], ...] = ()
    leads: bool = False


def found_by(session: Session, typed: str) -> Found:
    """What finds the invoices that hold every word of `typed`. Inside a transaction, two small queries at most."""
    words = fold(typed)[:_LONGEST].replace("\x00", "").split()[:_MOST_WORDS]
    if not words:
        return Found()
    pieces = [found for found in (_PIECE.findall(word) for word in words) if found]
    # The longest piece of a word leads to few documents (an e-mail's last piece leads to all of them); whether they
    # hold the whole word, their text says.
    leading = [max((len(piece), place == len(word) - 1, piece) for place, piece in enumerate(word)) for word in pieces]
    whole = tuple(_contains(word) for word in words if len(_PIECE.findall(word)) != 1 or not word.isalnum())
    if session.get_bind().dialect.name == "postgresql" and pieces:
        match = " & ".join(f"'{piece}'{':*' if is_last else ''}" for _, is_last, piece in leading)
        return Found((_WORDS.op("@@", is_comparison=True)(cast(match, TSQUERY)), *whole))
    if pieces and _knows_words(session):
        match = " ".join(f'"{piece}"{"*" if is_last else ""}' for _, is_last, piece in leading)
        some = "SELECT count(*) FROM (SELECT 1 FROM invoice_words WHERE invoice_words MATCH :match LIMIT :most)"
        if session.execute(text(some), {"match": match, "most": RARE + 1}).scalar_one() <= RARE:
            held = text("SELECT rowid FROM invoice_words WHERE invoice_words MATCH :match").bindparams(match=match)
            return Found((Invoice.id.in_(held), *whole), leads=True)
    return Found(tuple(_contains(word) for word in words))


def _contains(word: str) -> ColumnElement[bool]:
    return Invoice.search_text.contains(word, autoescape=True)


def _knows_words(session: Session) -> bool:
    bind = session.get_bind()
    if bind not in _has_words:
        found = session.execute(text("SELECT 1 FROM sqlite_master WHERE name = 'invoice_words'")).first()
        _has_words[bind] = found is not None
    return _has_words[bind]
