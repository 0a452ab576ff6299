"""What an administrator is told by e-mail or webhook: a row is taken before anything is sent, and says what is left."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from monet_web.models.base import Base, Id, Moment, kept_by_value


class NoticeKind(StrEnum):
    """`failing`: an integration has failed for an hour; `morning`: the sentence of the day."""

    FAILING = "failing"
    MORNING = "morning"


class Notice(Base):
    """One thing told, once: the failure of an integration since a moment, or the morning of a day."""

    __tablename__ = "notices"
    __table_args__ = ()

    kind: Mapped[NoticeKind] = mapped_column(kept_by_value(NoticeKind), primary_key=True)
    # 0: of the whole company. No foreign key, because NULLs would never be the same.
    integration_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    since: Mapped[datetime] = mapped_column(Moment, primary_key=True)
    told_at: Mapped[datetime] = mapped_column(Moment)  # the newest attempt
    attempt: Mapped[int] = mapped_column(Integer, default=1, server_default="1")
    sent: Mapped[str] = mapped_column(String(60), default="", server_default="")  # the ways that succeeded
    retry_at: Mapped[datetime | None] = mapped_column(Moment)  # when what is left is tried again; None: nothing is left
