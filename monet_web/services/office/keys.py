"""Keys rotated: every sealed secret of every table opened and sealed anew with the first key (I2)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import Column, Table, Text, select, type_coerce, update
from sqlalchemy.orm import Session

from monet_web.models.base import Base, Sealed, sealer, writing
from monet_web.services import audit

_PART = 500


def rotate(session: Session, *, now: datetime, actor: str) -> dict[str, int]:
    """Seal every secret with the first of the present keys; how many by table. All or nothing.

    Raises NeedsOwner when a secret was sealed with a key that is not among the present ones.
    """
    counts: dict[str, int] = {}
    with writing(session):
        for table, column in sealed_columns():
            counts[table.name] = counts.get(table.name, 0) + _rotate_column(session, table, column)
        audit.record(
            session, at=now, actor=actor, action="keys_rotated", subject_kind="installation", subject_id=1,
            after=dict(counts),
        )  # fmt: skip
    return counts


def sealed_columns() -> Iterator[tuple[Table, Column[object]]]:
    """Every column that holds secrets, whichever table it is in: a new one can't be forgotten."""
    for table in Base.metadata.sorted_tables:
        for column in table.columns:
            if isinstance(column.type, Sealed):
                yield table, column


def _rotate_column(session: Session, table: Table, column: Column[object]) -> int:
    done = 0
    after = 0
    key = table.c.id
    raw = type_coerce(column, Text)
    while True:
        rows = session.execute(
            select(key, raw.label("sealed"))
            .where(key > after, column.is_not(None))
            .order_by(key)
            .limit(_PART)
            .with_for_update()
        ).all()
        if not rows:
            return done
        for row in rows:
            # Past the type of the column, which would seal the sealed text once more.
            session.execute(
                update(table).where(key == row.id).values({column: type_coerce(sealer.renew(row.sealed), Text)})
            )
        done += len(rows)
        after = rows[-1].id
