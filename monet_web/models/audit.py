"""The audit trail: who or which run changed what, when, from what to what. Append only; services write it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, String, and_, literal_column, text
from sqlalchemy.orm import Mapped, mapped_column

from monet_web.models.base import Base, Id, Moment

_deleted_invoices = text("subject_kind = 'invoice' AND action = 'deleted'")


class AuditEntry(Base):
    """One change. `actor` is an e-mail, "run 12" or "command line"; no foreign keys, since it outlives its subjects."""

    __tablename__ = "audit"
    __table_args__ = (
        Index("ix_audit_subject_kind_subject_id", "subject_kind", "subject_id"),
        # What the numbers of a month are explained by: a handful of all that was ever written.
        # Led by the kind, without which SQLite, as long as it has no statistics, takes the index above.
        Index(
            "ix_audit_deleted_invoices",
            "subject_kind",
            "id",
            sqlite_where=_deleted_invoices,
            postgresql_where=_deleted_invoices,
        ),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    at: Mapped[datetime] = mapped_column(Moment)
    actor: Mapped[str] = mapped_column(String(200))
    action: Mapped[str] = mapped_column(String(60))
    subject_kind: Mapped[str] = mapped_column(String(40))
    subject_id: Mapped[int] = mapped_column(Id)
    before: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    after: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))


# Words, not parameters: SQLite takes the index of them only where it reads what it was made for.
IS_DELETED_INVOICE = and_(
    AuditEntry.subject_kind == literal_column("'invoice'"), AuditEntry.action == literal_column("'deleted'")
)
