"""Connections as typed in a form: sealed until they are saved, tested by a worker, forgotten after an hour."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from monet_web.models.base import Base, Id, Moment, Sealed, kept_by_value


class TestState(StrEnum):
    """`held`: only kept for the form; `queued` → `running` → `done` or `failed`."""

    __test__ = False  # no test of pytest's

    HELD = "held"
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class ConnectionTest(Base):
    """What a person typed and what the store answered. Its id travels through Redis, never its secrets."""

    __tablename__ = "connection_tests"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    platform: Mapped[str] = mapped_column(String(40))
    integration_id: Mapped[int | None] = mapped_column(
        ForeignKey("integrations.id", ondelete="CASCADE"), index=True
    )  # None: not saved yet
    state: Mapped[TestState] = mapped_column(kept_by_value(TestState))
    connection: Mapped[dict[str, str]] = mapped_column(Sealed)  # parameters and secrets as the store is asked with
    secrets: Mapped[dict[str, str]] = mapped_column(Sealed)  # those that were typed: for the form, never shown
    typed: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)  # the form's other fields, no secret among them
    requested_by: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(Moment)
    started_at: Mapped[datetime | None] = mapped_column(Moment)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)
    facts: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))  # StoreFacts
    error: Mapped[str] = mapped_column(Text, default="")
    fix: Mapped[str] = mapped_column(Text, default="")

    def __repr__(self) -> str:  # the default would print secrets
        return f"<ConnectionTest {self.id} {self.platform} {self.state}>"
