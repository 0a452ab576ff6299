"""Search in documents: words folded in Python, as `search_text` is, since SQLite's LIKE does not fold Š."""

from __future__ import annotations

from sqlalchemy import ColumnElement

from monet_web.domain.mask import fold
from monet_web.models.invoices import Invoice

_LONGEST = 200
_MOST_WORDS = 8


def found_by(text: str) -> list[ColumnElement[bool]]:
    """Conditions for invoices that hold every word of `text`: a number, an order, a buyer, a code, a SKU."""
    words = fold(text)[:_LONGEST].replace("\x00", "").split()
    return [Invoice.search_text.contains(word, autoescape=True) for word in words[:_MOST_WORDS]]
