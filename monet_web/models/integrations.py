"""Stores and the integrations that connect them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, Integer, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from monet_web.models.base import Base, Id, Moment, Sealed, kept_by_value


class IntegrationState(StrEnum):
    """`retired`: deleted by a person, kept because its store has documents."""

    ON = "on"
    OFF = "off"
    RETIRED = "retired"


class Store(Base):
    """One e-shop: platform and its own key. Its memory outlives the integrations that connect it (A8)."""

    __tablename__ = "stores"
    __table_args__ = (UniqueConstraint("platform", "store_key"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    platform: Mapped[str] = mapped_column(String(40))
    store_key: Mapped[str] = mapped_column(String(400))


_living = text("state <> 'retired'")


class Integration(Base):
    """An installed connection to a store, with its parameters and settings."""

    __tablename__ = "integrations"
    __table_args__ = (
        Index(
            "uq_integrations_name_key",
            "name_key",
            unique=True,
            sqlite_where=_living,
            postgresql_where=_living,
        ),
        Index(
            "uq_integrations_store_id",
            "store_id",
            unique=True,
            sqlite_where=_living,
            postgresql_where=_living,
        ),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    store_id: Mapped[int] = mapped_column(ForeignKey("stores.id"))
    name: Mapped[str] = mapped_column(String(120))
    name_key: Mapped[str] = mapped_column(String(120))
    state: Mapped[IntegrationState] = mapped_column(kept_by_value(IntegrationState), default=IntegrationState.ON)
    parameters: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)  # connection, what is not secret
    secrets: Mapped[dict[str, str]] = mapped_column(Sealed, default=dict)
    settings: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)  # only what differs from the defaults
    learned: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    # The StoreFacts of the last test that succeeded: lists for the form.
    facts: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    tested_at: Mapped[datetime | None] = mapped_column(Moment)
    number_prefix: Mapped[str] = mapped_column(String(40), default="")
    next_run_at: Mapped[datetime | None] = mapped_column(Moment)  # the first slot that no run covers yet
    reread_at: Mapped[datetime | None] = mapped_column(Moment)  # when the orders of its documents are read again (B10)
    # Up to here all was imported, but for `gaps`: [[start, end], …] as ISO texts, which nobody will import by itself.
    covered_until: Mapped[datetime | None] = mapped_column(Moment)
    gaps: Mapped[list[list[str]] | None] = mapped_column(JSON(none_as_null=True))
    reach_back_to: Mapped[datetime | None] = mapped_column(Moment)  # the next slot's window begins there at the latest
    off_since: Mapped[datetime | None] = mapped_column(Moment)  # when it stopped running by itself
    refused_since: Mapped[datetime | None] = mapped_column(Moment)  # the store refuses the key: an owner is needed
    refused_text: Mapped[str] = mapped_column(Text, default="")
    row_version: Mapped[int] = mapped_column(Integer, default=1)  # raised by people's changes only (changed_by_person)
    created_at: Mapped[datetime] = mapped_column(Moment)

    store: Mapped[Store] = relationship(lazy="joined")

    # A test or a run that learns something is no reason to refuse a form that was opened before it.
    __mapper_args__ = {"version_id_col": row_version, "version_id_generator": False}

    def changed_by_person(self) -> None:
        """A form that was filled from the row as it was before is refused from now on."""
        self.row_version += 1

    def __repr__(self) -> str:  # the default would print secrets
        return f"<Integration {self.id} {self.name!r} {self.state}>"
