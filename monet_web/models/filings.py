"""What was taken from here to be filed: each file with its hash, and what was asked once before the first."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Index, Integer, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from monet_web.models.base import Base, Id, Moment


class Filing(Base):
    """One download of a file for the tax authority: `kind` isaf or oss, `period` 2026-11 or 2026-Q4."""

    __tablename__ = "filings"
    __table_args__ = (Index("ix_filings_kind_period_id", "kind", "period", "id"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    kind: Mapped[str] = mapped_column(String(8))
    period: Mapped[str] = mapped_column(String(8))
    made_at: Mapped[datetime] = mapped_column(Moment)
    made_by: Mapped[str] = mapped_column(String(200))
    file_name: Mapped[str] = mapped_column(String(200))
    sha256: Mapped[str] = mapped_column(String(64))  # of the file, as hexadecimal digits
    size: Mapped[int] = mapped_column(Integer)  # bytes
    documents: Mapped[int] = mapped_column(Integer)
    left_out: Mapped[int] = mapped_column(Integer, default=0)  # refused, and left out on purpose
    sums: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)  # amounts as decimal strings
    # Which documents were in it and what was said of each (services/documents/exports/fingerprints.py).
    fingerprints: Mapped[bytes] = mapped_column(LargeBinary, default=b"")


class FilingTerms(Base):
    """One row, id 1: what an accountant says once about i.SAF; "" is not said yet."""

    __tablename__ = "filing_terms"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    part: Mapped[str] = mapped_column(String(20), default="", server_default="")
    oss: Mapped[str] = mapped_column(String(8), default="", server_default="")  # in, out
    names: Mapped[str] = mapped_column(String(8), default="", server_default="")  # given, none: of private buyers
