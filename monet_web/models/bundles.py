"""Bundles: many documents as one file, drawn by a worker and kept in the database until they are fetched."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, Integer, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, deferred, mapped_column

from monet_web.models.base import Base, Id, Moment, kept_by_value
from monet_web.models.errands import ErrandState


class Bundle(Base):
    """The row is the order to work, the queue only rings. `ending`: pdf (one after another) or zip (a file each)."""

    __tablename__ = "bundles"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    ending: Mapped[str] = mapped_column(String(3))
    language: Mapped[str] = mapped_column(String(4))
    invoice_ids: Mapped[list[int]] = mapped_column(JSON, default=list)
    state: Mapped[ErrandState] = mapped_column(kept_by_value(ErrandState), default=ErrandState.QUEUED)
    attempt: Mapped[int] = mapped_column(Integer, default=0)
    worker: Mapped[str] = mapped_column(String(120), default="")
    heartbeat_at: Mapped[datetime | None] = mapped_column(Moment)
    written: Mapped[int] = mapped_column(Integer, default=0)  # documents so far
    body: Mapped[bytes | None] = deferred(mapped_column(LargeBinary))  # the file, megabytes of it
    error: Mapped[str] = mapped_column(Text, default="")
    requested_by: Mapped[str] = mapped_column(String(200), default="")
    created_at: Mapped[datetime] = mapped_column(Moment)
