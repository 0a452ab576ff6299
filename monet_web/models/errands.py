"""Errands: many waiting invoices checked again or registered by a worker, followed from a page."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Boolean, Date, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from monet_web.models.base import Base, Id, Moment, kept_by_value


class ErrandState(StrEnum):
    """`queued` → `running` → `done` or `failed`; a dead worker's goes back to the queue."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Errand(Base):
    """The row is the order to work, the queue only rings. `invoice_ids` are those meant when it was asked for."""

    __tablename__ = "errands"
    __table_args__ = (Index("ix_errands_state", "state"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    by_person: Mapped[bool] = mapped_column(Boolean, default=False)  # registers what only waits for a person
    dated: Mapped[date | None] = mapped_column(Date)  # the issue date of those whose own lies in a closed period
    about: Mapped[str] = mapped_column(Text, default="")  # the sentence of what was mended before
    back: Mapped[str] = mapped_column(String(2000), default="")  # the page that it was asked for on
    invoice_ids: Mapped[list[int]] = mapped_column(JSON, default=list)
    state: Mapped[ErrandState] = mapped_column(kept_by_value(ErrandState), default=ErrandState.QUEUED)
    attempt: Mapped[int] = mapped_column(Integer, default=0)
    worker: Mapped[str] = mapped_column(String(120), default="")
    heartbeat_at: Mapped[datetime | None] = mapped_column(Moment)
    total: Mapped[int] = mapped_column(Integer, default=0)
    checked: Mapped[int] = mapped_column(Integer, default=0)
    registered: Mapped[int] = mapped_column(Integer, default=0)
    waits: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)  # the first few that still wait, and why
    error: Mapped[str] = mapped_column(Text, default="")
    requested_by: Mapped[str] = mapped_column(String(200), default="")
    created_at: Mapped[datetime] = mapped_column(Moment)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)
