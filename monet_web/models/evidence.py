"""What a treatment rests on: confirmations of VAT codes, proofs of export; and the classifier codes added by hand."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import Boolean, Date, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from monet_web.models.base import Base, ExactText, Id, Moment


class VatConfirmation(Base):
    """One answer about a buyer's VAT code, of VIES or of an accountant; the newest that says yes or no counts."""

    __tablename__ = "vat_confirmations"
    __table_args__ = (Index("ix_vat_confirmations_vat_code_id", "vat_code", "id"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    vat_code: Mapped[str] = mapped_column(String(40))  # with its prefix
    valid: Mapped[bool | None] = mapped_column(Boolean)  # None: no answer, `reason` says why
    day: Mapped[date] = mapped_column(Date)  # for which day it speaks
    how: Mapped[str] = mapped_column(String(8))  # vies | hand
    number: Mapped[str] = mapped_column(String(80), default="")  # of the consultation
    name: Mapped[str] = mapped_column(String(400), default="")
    address: Mapped[str] = mapped_column(String(400), default="")
    reason: Mapped[str] = mapped_column(String(400), default="")
    asked_at: Mapped[datetime] = mapped_column(Moment)
    asked_by: Mapped[str] = mapped_column(String(200), default="")


class ExportProofRow(Base):
    """That one order's goods left the EU: the customs declaration's number, or another proof and why it will do."""

    __tablename__ = "export_proofs"

    store_order_id: Mapped[int] = mapped_column(ForeignKey("store_orders.id"), primary_key=True)
    mrn: Mapped[str] = mapped_column(String(40), default="")
    reason: Mapped[str] = mapped_column(String(400), default="")
    entered_at: Mapped[datetime] = mapped_column(Moment)
    entered_by: Mapped[str] = mapped_column(String(200), default="")


class VatCodeRow(Base):
    """A classifier code (PVM…) added by an accountant; it comes before the built-in ones."""

    __tablename__ = "vat_codes"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    treatment: Mapped[str] = mapped_column(String(24))
    percent: Mapped[Decimal | None] = mapped_column(ExactText)  # None: no tax
    supply: Mapped[str] = mapped_column(String(8), default="")  # goods | service | "" both
    valid_from: Mapped[date] = mapped_column(Date)
    valid_to: Mapped[date | None] = mapped_column(Date)
    code: Mapped[str] = mapped_column(String(20))
    source: Mapped[str] = mapped_column(String(200), default="")
