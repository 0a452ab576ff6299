"""Columns of a file with any header: what each is taken for, what a person says it is, remembered for next time."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from monet_web.domain.errors import BrokenRule
from monet_web.domain.mask import fold
from monet_web.models.columns import RememberedColumn
from monet_web.services.books import tables
from monet_web.services.books.tables import shown

_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its heading as the file writes it, its first values, the field it is taken for ("" left out)."""

    heading: str
    values: tuple[str, ...]
    field: str
    is_sure: bool  # its heading is the field's own name, or a person said so before


def proposed(session: Session, data: bytes, *, purpose: str, words: Mapping[str, Sequence[str]]) -> tuple[Column, ...]:
    """Every column with a guess. `words`: field → headings that people use for it; each field is proposed once.

    Inside a transaction, one query. Raises BrokenRule for a file that can't be read.
    """
    found = tables.headings(data)
    keys = [tables.heading_key(heading)[:_LONGEST] for heading, _ in found]
    said = {
        row.heading_key: row.field
        for row in session.execute(
            select(RememberedColumn.heading_key, RememberedColumn.field).where(
                RememberedColumn.purpose == purpose, RememberedColumn.heading_key.in_(keys)
            )
        )
    }
    fields: list[str | None] = [said.get(key, key if key in words else None) if key else None for key in keys]
    sure = [field is not None for field in fields]
    meant = {_bare(word): field for field, each in words.items() for word in (field, *each)}
    for place, key in enumerate(keys):
        guess = meant.get(_bare(key))
        if fields[place] is None:
            fields[place] = guess if guess is not None and guess not in fields else ""
    columns = []
    for place, (heading, values) in enumerate(found):
        field = fields[place] or ""
        twice = bool(field) and field in fields[:place]
        columns.append(Column(heading, tuple(values), "" if twice else field, sure[place] and not twice))
    return tuple(columns)


def fields_of(data: bytes, *, known: Sequence[str], typed: Mapping[str, str]) -> list[str]:
    """The field of each column by `heading=field` as typed; headings that nobody named mean themselves.

    Raises BrokenRule when a heading is not in the file or names no field.
    """
    keys = [tables.heading_key(heading) for heading, _ in tables.headings(data)]
    named = {tables.heading_key(heading): field.strip() for heading, field in typed.items()}
    if missing := [heading for heading in typed if tables.heading_key(heading) not in keys]:
        raise BrokenRule(f"The file has no column {shown(missing[0])}.", fix=f"Its columns: {', '.join(keys)}.")
    if wrong := [field for field in named.values() if field and field not in known]:
        raise BrokenRule(
            f"{shown(wrong[0])} is no field.", fix=f"Fields: {', '.join(known)}; or nothing, to leave it out."
        )
    fields = [named.get(key, key) for key in keys]
    if unknown := [key for key, field in zip(keys, fields, strict=True) if key and field and field not in known]:
        raise BrokenRule(
            f"The file has a column that means nothing here: {', '.join(map(shown, unknown))}.",
            fix=f'Say what it is with --map "{unknown[0]}=FIELD", or leave it out with --map "{unknown[0]}=".',
        )
    return fields


def refuse_twice(fields: Sequence[str]) -> None:
    """One field, one column. Raises BrokenRule."""
    if twice := [field for field in fields if field and fields.count(field) > 1]:
        raise BrokenRule(f"Two columns are {twice[0]}.", fix="Choose one of them, and leave the other out.")


def remember(session: Session, data: bytes, fields: Sequence[str], *, purpose: str) -> None:
    """What a person said of each heading, for the next file. In the caller's writing transaction."""
    rows = {
        key[:_LONGEST]: {"purpose": purpose, "heading_key": key[:_LONGEST], "field": field}
        for (heading, _), field in zip(tables.headings(data), fields, strict=False)
        if (key := tables.heading_key(heading)) and key != field
    }
    if not rows:
        return
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    statement = dialect.insert(RememberedColumn)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["purpose", "heading_key"], set_={"field": statement.excluded.field}
        ),
        list(rows.values()),
    )


def _bare(text: str) -> str:
    """A heading without case, marks over letters, dots and dashes: `Prekės kodas.` is `prekes kodas`."""
    letters = unicodedata.normalize("NFKD", fold(text))
    words = "".join(sign if sign.isalnum() else " " for sign in letters if not unicodedata.combining(sign))
    return " ".join(words.split())
