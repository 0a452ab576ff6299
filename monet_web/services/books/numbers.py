"""Invoice numbers: how they are compared, and those used outside this program, which count as taken (D2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from monet_web.domain.errors import BrokenRule
from monet_web.domain.mask import fold
from monet_web.models.base import take_ids, writing
from monet_web.models.company import TakenNumber
from monet_web.models.invoices import Invoice
from monet_web.services import audit
from monet_web.services.books import tables, workbooks

_LONGEST = 120


@lru_cache(maxsize=4000)  # a page asks for the same few codes hundreds of times; what is kept is memory of every worker
def number_key(text: str) -> str:
    """How numbers (and item codes and aliases) are compared: trimmed, NFC, without case."""
    return fold(text)[:_LONGEST]


@dataclass(frozen=True, slots=True)
class TakenImported:
    """What a file of taken numbers brought. `on_invoices`: those that an invoice here has, as the file writes them."""

    added: int
    known: int
    on_invoices: tuple[str, ...]


def import_taken(session: Session, data: bytes, *, source: str, now: datetime, actor: str) -> TakenImported:
    """Numbers used outside this program, from a CSV or XLSX file with the header `number` (or a bare list, one a line).

    All or nothing, in a transaction of its own. Raises BrokenRule.
    """
    numbers = _read(data)
    with writing(session):
        fresh: dict[str, str] = {}
        on_invoices: list[str] = []
        for part in tables.in_parts(list(numbers)):
            known = set(session.scalars(select(TakenNumber.number_key).where(TakenNumber.number_key.in_(part))))
            fresh |= {key: numbers[key] for key in part if key not in known}
            used = session.scalars(select(Invoice.number_key).where(Invoice.number_key.in_(part)))
            on_invoices += [numbers[key] for key in used if key is not None]
        ids = take_ids(session, TakenNumber.__tablename__, len(fresh))
        rows: list[dict[str, Any]] = [
            {"id": id_, "number": number, "number_key": key, "source": source[:200]}
            for id_, (key, number) in zip(ids, fresh.items(), strict=True)
        ]
        if rows:
            session.execute(insert(TakenNumber), rows)
            changes = [
                audit.Change(row["id"], after={"number": row["number"], "source": row["source"]}) for row in rows
            ]
            audit.rows(
                session, at=now, actor=actor, action="number_taken", subject_kind="taken_number", changes=changes
            )
    return TakenImported(added=len(fresh), known=len(numbers) - len(fresh), on_invoices=tuple(on_invoices))


def taken(session: Session, newest: int = 20) -> tuple[int, list[TakenNumber]]:
    """How many numbers count as taken, and the newest of them. Inside the caller's transaction."""
    count = session.scalar(select(func.count()).select_from(TakenNumber)) or 0
    return count, list(session.scalars(select(TakenNumber).order_by(TakenNumber.id.desc()).limit(newest)))


def _read(data: bytes) -> dict[str, str]:
    try:
        rows = tables.read(data, required=("number",))
    except tables.WrongRows:
        raise
    except BrokenRule:
        if workbooks.is_workbook(data):
            raise  # a bare list has no header to be found missing; a workbook is no text to put one before
        rows = tables.read(b"number\n" + _without_mark(data), required=("number",))
        rows = [tables.Row(row.number - 1, row.cells) for row in rows]
    numbers: dict[str, str] = {}
    mistakes = tables.Mistakes()
    for row in rows:
        with mistakes.of(row.number):
            number = tables.short(row["number"], _LONGEST, column="number")
            numbers.setdefault(number_key(number), number)
    mistakes.refuse()
    if not numbers:
        raise BrokenRule("The file holds no number.", fix="Its first row must be the header `number`, then one a row.")
    return numbers


def _without_mark(data: bytes) -> bytes:
    return data.removeprefix(b"\xef\xbb\xbf")
