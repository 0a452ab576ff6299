"""Questions to the accountant about what waits, and the answers that go back to who asked."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from monet_web.models.base import Base, Id, Moment


class Question(Base):
    """Of one cause (`code`, `subject`), or of one invoice by its order, which keeps its id however often it is drafted.

    `said` are the values of the finding then, so that the question is understood after its cause is gone.
    """

    __tablename__ = "questions"
    __table_args__ = (
        Index("ix_questions_answered_at_id", "answered_at", "id"),
        Index("ix_questions_asked_by", "asked_by"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    code: Mapped[str] = mapped_column(String(40), default="")
    subject: Mapped[str] = mapped_column(String(200), default="")
    said: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    store_order_id: Mapped[int | None] = mapped_column(ForeignKey("store_orders.id"), index=True)
    document: Mapped[str] = mapped_column(String(120), default="")  # the invoice's number, or its order's
    text: Mapped[str] = mapped_column(Text)
    asked_by: Mapped[str] = mapped_column(String(200))
    asked_at: Mapped[datetime] = mapped_column(Moment)
    answer: Mapped[str] = mapped_column(Text, default="")
    answered_by: Mapped[str] = mapped_column(String(200), default="")
    answered_at: Mapped[datetime | None] = mapped_column(Moment)
    seen_at: Mapped[datetime | None] = mapped_column(Moment)  # who asked has read the answer
