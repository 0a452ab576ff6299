"""Customers and the keys they are matched by (D9)."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Boolean, ForeignKey, Index, String, Text, UniqueConstraint, event, text
from sqlalchemy.orm import Mapped, mapped_column

from monet_web.domain.codes import normalise_company_code, normalise_vat_code
from monet_web.domain.mask import fold
from monet_web.models.base import Base, Id, kept_by_value

_LONGEST_KEY = 600  # PostgreSQL's index takes no more than 2,700 bytes


class CustomerKeyKind(StrEnum):
    """A company is matched by VAT code, then company code; a private person by e-mail only."""

    VAT = "vat"
    COMPANY = "company"
    EMAIL = "email"


def search_key(*, name: str, company_code: str = "", vat_code: str = "", email: str = "") -> str:
    """A customer as searches and lists see it: folded, the name first, so that it sorts by name."""
    codes = [company_code, normalise_company_code(company_code), vat_code, normalise_vat_code(vat_code)]
    parts = [" ".join(name.split()), *dict.fromkeys(code for code in codes if code), email]
    return "\n".join(fold(part) for part in parts if part)[:_LONGEST_KEY]


_merged = text("merged_into_id IS NOT NULL")


class Customer(Base):
    """Invoices copy what they need of a customer; later edits and merges never change them.

    One that was merged into another stays for the documents that name it, and is shown nowhere else.
    """

    __tablename__ = "customers"
    __table_args__ = (
        # A word in the middle of a key is looked for in all of the index, and no row is read for whether it was merged.
        Index("ix_customers_by_name", "search_key", "id", "merged_into_id"),
        Index("ix_customers_merged_into_id", "merged_into_id", sqlite_where=_merged, postgresql_where=_merged),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(400))
    is_company: Mapped[bool] = mapped_column(Boolean, default=False)
    company_code: Mapped[str] = mapped_column(String(60), default="")
    vat_code: Mapped[str] = mapped_column(String(60), default="")
    email: Mapped[str] = mapped_column(String(254), default="")
    country: Mapped[str] = mapped_column(String(2), default="")
    address: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    search_key: Mapped[str] = mapped_column(Text, default="", server_default="")
    # Into which customer it was merged, always one that was not merged itself. No foreign key.
    merged_into_id: Mapped[int | None] = mapped_column(Id)


@event.listens_for(Customer, "before_insert")
@event.listens_for(Customer, "before_update")
def _keep_search_key(_mapper: Any, _connection: Any, customer: Customer) -> None:
    customer.search_key = search_key(
        name=customer.name or "", company_code=customer.company_code or "", vat_code=customer.vat_code or "",
        email=customer.email or "",
    )  # fmt: skip


class CustomerKey(Base):
    """One way to recognise a customer."""

    __tablename__ = "customer_keys"
    __table_args__ = (UniqueConstraint("kind", "value"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    kind: Mapped[CustomerKeyKind] = mapped_column(kept_by_value(CustomerKeyKind))
    value: Mapped[str] = mapped_column(String(254))
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), index=True)
