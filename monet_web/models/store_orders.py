"""What the stores said: every order, its versions, and the raw pages they were read from."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, Boolean, ForeignKey, Index, Integer, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from monet_web.models.base import Base, Id, Moment, kept_by_value

# The key of an open order's details under which the day of its document stands that was deleted.
DATED = "dated"


class Outcome(StrEnum):
    """Where an order stands. `open`: remembered, and the next run that returns it books it."""

    OPEN = "open"
    REGISTERED = "registered"
    IN_JOURNAL = "in_journal"
    FILTERED = "filtered"
    CONFLICT = "conflict"
    UNREADABLE = "unreadable"
    CREDITED = "credited"


class StoreOrder(Base):
    """One order of one store, unique by the store's own identity."""

    __tablename__ = "store_orders"
    __table_args__ = (
        UniqueConstraint("store_id", "external_id"),
        Index("ix_store_orders_number_key", "number_key"),
        Index("ix_store_orders_outcome", "outcome"),
        Index("ix_store_orders_placed_at", "placed_at"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    store_id: Mapped[int] = mapped_column(ForeignKey("stores.id"))
    external_id: Mapped[str] = mapped_column(String(120))
    order_number: Mapped[str] = mapped_column(String(120), default="")
    number_key: Mapped[str] = mapped_column(String(120), default="")  # folded, for "why is 1234 not here?"
    placed_at: Mapped[datetime | None] = mapped_column(Moment)
    changed_at: Mapped[datetime | None] = mapped_column(Moment)
    latest_version_id: Mapped[int | None] = mapped_column(Id)  # no foreign key: written in one go with the version
    ignored_version_id: Mapped[int | None] = mapped_column(Id)
    # Of the raw order and of the program that read it; None: it is read again whenever the store says it.
    raw_hash: Mapped[bytes | None] = mapped_column(LargeBinary(16))
    outcome: Mapped[Outcome] = mapped_column(kept_by_value(Outcome), default=Outcome.OPEN)
    reason: Mapped[str] = mapped_column(String(60), default="")
    details: Mapped[dict[str, str] | None] = mapped_column(JSON(none_as_null=True))
    left_out: Mapped[bool] = mapped_column(Boolean, default=False)  # a person said so; reversible
    left_out_reason: Mapped[str] = mapped_column(String(400), default="")


class StoreOrderVersion(Base):
    """One state of an order, told apart by the hash of the canonical order."""

    __tablename__ = "store_order_versions"
    __table_args__ = (UniqueConstraint("store_order_id", "n"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    store_order_id: Mapped[int] = mapped_column(ForeignKey("store_orders.id"))
    n: Mapped[int] = mapped_column(Integer)
    content_hash: Mapped[bytes] = mapped_column(LargeBinary(16))
    raw_page_id: Mapped[int] = mapped_column(ForeignKey("raw_pages.id"), index=True)
    raw_index: Mapped[int] = mapped_column(Integer)
    seen_in_run: Mapped[int] = mapped_column(ForeignKey("runs.id"))


class RawPage(Base):
    """The new and changed orders of one page as the store gave them: zlib of JSON {"context": …, "orders": […]}."""

    __tablename__ = "raw_pages"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    body: Mapped[bytes] = mapped_column(LargeBinary)
