"""Marks of journals: how many invoices wait in each, and a version that moves with every change of what waits there.

Triggers of the database keep them (migration "waiting_marks"), whoever writes: a page knows what waits from a few rows,
and what it counted of a journal holds as long as the journal's mark does.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, Integer, text
from sqlalchemy.orm import Mapped, mapped_column

from monet_web.models.base import Base, Id

_something_waits = text("waiting > 0")


class WaitingMark(Base):
    """`journal_id` 0 stands for waiting invoices without a journal; no foreign key for that reason. Never deleted."""

    __tablename__ = "waiting_marks"
    __table_args__ = (
        Index(
            "ix_waiting_marks_waiting", "journal_id", sqlite_where=_something_waits, postgresql_where=_something_waits
        ),
    )

    journal_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    waiting: Mapped[int] = mapped_column(Integer)
    version: Mapped[int] = mapped_column(BigInteger)
