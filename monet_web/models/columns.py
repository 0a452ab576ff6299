"""Which heading of a file means which field, as people said it: proposed to them the next time."""

from __future__ import annotations

from sqlalchemy import String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from monet_web.models.base import Base, Id


class RememberedColumn(Base):
    """One heading of files for one purpose; `field` "" = such a column is left out."""

    __tablename__ = "remembered_columns"
    __table_args__ = (UniqueConstraint("purpose", "heading_key"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    purpose: Mapped[str] = mapped_column(String(24))
    heading_key: Mapped[str] = mapped_column(String(200))
    field: Mapped[str] = mapped_column(String(40), default="")
