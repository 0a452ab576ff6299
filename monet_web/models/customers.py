"""Customers and the keys they are matched by (D9)."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import JSON, Boolean, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from monet_web.models.base import Base, Id, kept_by_value


class CustomerKeyKind(StrEnum):
    """A company is matched by VAT code, then company code; a private person by e-mail only."""

    VAT = "vat"
    COMPANY = "company"
    EMAIL = "email"


class Customer(Base):
    """Invoices copy what they need of a customer; later edits never change them."""

    __tablename__ = "customers"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(400))
    is_company: Mapped[bool] = mapped_column(Boolean, default=False)
    company_code: Mapped[str] = mapped_column(String(60), default="")
    vat_code: Mapped[str] = mapped_column(String(60), default="")
    email: Mapped[str] = mapped_column(String(254), default="")
    country: Mapped[str] = mapped_column(String(2), default="")
    address: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)


class CustomerKey(Base):
    """One way to recognise a customer."""

    __tablename__ = "customer_keys"
    __table_args__ = (UniqueConstraint("kind", "value"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    kind: Mapped[CustomerKeyKind] = mapped_column(kept_by_value(CustomerKeyKind))
    value: Mapped[str] = mapped_column(String(254))
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), index=True)
