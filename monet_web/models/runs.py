"""Runs: one import of one window by one integration, what it counted, and the slots it covers."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Boolean, ForeignKey, Index, Integer, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from monet_web.models.base import Base, Id, Moment, kept_by_value
from monet_web.models.integrations import Integration


class RunKind(StrEnum):
    """Why a run was opened."""

    TIMETABLE = "timetable"
    LAUNCH = "launch"
    PREVIEW = "preview"
    TEST = "test"
    UNDO = "undo"
    RECHECK = "recheck"
    FILE = "file"  # the orders of a file that a person brought, in place of the store's answers
    REREAD = "reread"  # the orders of the documents of the last 60 days, once a day (B10)


class RunState(StrEnum):
    """`queued` → `running` (→ `stopping`) → `done`, `failed` or `stopped`."""

    QUEUED = "queued"
    RUNNING = "running"
    STOPPING = "stopping"
    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"


ENDED = (RunState.DONE, RunState.FAILED, RunState.STOPPED)
AT_WORK = (RunState.RUNNING, RunState.STOPPING)
_at_work = text("state IN ('running', 'stopping')")
_has_month_check = text("month_check IS NOT NULL")

OUTCOME_COUNTS = ("registered", "in_journal", "filtered", "already_there", "conflict", "unreadable")
BESIDE_COUNTS = ("refreshed", "changed", "credit_notes")


class Run(Base):
    """The row is the order to work; the queue only rings. At most one of an integration is at work (B8)."""

    __tablename__ = "runs"
    __table_args__ = (
        Index(
            "uq_runs_integration_at_work",
            "integration_id",
            unique=True,
            sqlite_where=_at_work,
            postgresql_where=_at_work,
        ),
        Index("ix_runs_state", "state"),
        Index("ix_runs_integration_id_id", "integration_id", "id"),
        Index("ix_runs_integration_id_ended_at", "integration_id", "ended_at"),
        Index(
            "ix_runs_month_check",
            "integration_id",
            "ended_at",
            sqlite_where=_has_month_check,
            postgresql_where=_has_month_check,
        ),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    integration_id: Mapped[int] = mapped_column(ForeignKey("integrations.id"))
    kind: Mapped[RunKind] = mapped_column(kept_by_value(RunKind))
    state: Mapped[RunState] = mapped_column(kept_by_value(RunState), default=RunState.QUEUED)
    window_start: Mapped[datetime] = mapped_column(Moment)
    window_end: Mapped[datetime] = mapped_column(Moment)
    attempt: Mapped[int] = mapped_column(Integer, default=0)
    foreground: Mapped[bool] = mapped_column(
        Boolean, default=False
    )  # a person's terminal waits for it; no worker may take it
    worker: Mapped[str] = mapped_column(String(120), default="")  # host:pid:start of the process that claimed it
    heartbeat_at: Mapped[datetime | None] = mapped_column(Moment)
    created_at: Mapped[datetime] = mapped_column(Moment)
    started_at: Mapped[datetime | None] = mapped_column(Moment)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)
    requested_by: Mapped[str] = mapped_column(String(200), default="")
    settings_used: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    expected: Mapped[int | None] = mapped_column(Integer)  # how many orders the store says the window has
    fetched: Mapped[int] = mapped_column(Integer, default=0)
    registered: Mapped[int] = mapped_column(Integer, default=0)
    in_journal: Mapped[int] = mapped_column(Integer, default=0)
    filtered: Mapped[int] = mapped_column(Integer, default=0)
    already_there: Mapped[int] = mapped_column(Integer, default=0)
    conflict: Mapped[int] = mapped_column(Integer, default=0)
    unreadable: Mapped[int] = mapped_column(Integer, default=0)
    refreshed: Mapped[int] = mapped_column(Integer, default=0)
    changed: Mapped[int] = mapped_column(Integer, default=0)
    credit_notes: Mapped[int] = mapped_column(Integer, default=0)
    findings: Mapped[dict[str, int]] = mapped_column(JSON, default=dict)  # what stops: code → how many
    filter_reasons: Mapped[dict[str, int]] = mapped_column(JSON, default=dict)
    totals: Mapped[dict[str, dict[str, str]]] = mapped_column(
        JSON, default=dict
    )  # currency → {registered, in_journal}: decimal text
    # currency → rate ("" = no tax) → {registered, in_journal} → {base, vat}: text; None: of an older program.
    vat_totals: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    # Of a preview: what its invoices would wait for, as {code, subject, values, invoices, sums, oldest, newest}.
    causes: Mapped[list[dict[str, Any]] | None] = mapped_column(JSON(none_as_null=True))
    progress_version: Mapped[int] = mapped_column(Integer, default=0)
    error: Mapped[str] = mapped_column(Text, default="")
    fix: Mapped[str] = mapped_column(Text, default="")
    # Of a failed run: when it is tried again. Of a queued one: not before.
    retry_at: Mapped[datetime | None] = mapped_column(Moment)
    # No foreign key: the file goes when a newer one comes, the run stays.
    upload_id: Mapped[int | None] = mapped_column(Id)
    file_name: Mapped[str] = mapped_column(String(200), default="", server_default="")
    month_check: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))  # of B3's 20th

    integration: Mapped[Integration] = relationship(lazy="joined")

    def outcomes(self) -> dict[str, int]:
        """The six outcomes; their sum is `fetched`."""
        return {name: getattr(self, name) for name in OUTCOME_COUNTS}


class RunSlot(Base):
    """A moment of the timetable and the run that covers it; a catch-up run covers many."""

    __tablename__ = "run_slots"

    integration_id: Mapped[int] = mapped_column(ForeignKey("integrations.id"), primary_key=True)
    slot_at: Mapped[datetime] = mapped_column(Moment, primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id"), index=True)


class RunOrder(Base):
    """What became of one order in one run. Orders already there and unchanged are only counted."""

    __tablename__ = "run_orders"

    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id"), primary_key=True)
    store_order_id: Mapped[int] = mapped_column(ForeignKey("store_orders.id"), primary_key=True, index=True)
    outcome: Mapped[str] = mapped_column(String(24))
    reason: Mapped[str] = mapped_column(String(60), default="")
    details: Mapped[dict[str, str] | None] = mapped_column(JSON(none_as_null=True))
    invoice_id: Mapped[int | None] = mapped_column(Id)  # no foreign key: a deleted journal invoice leaves its trace
