"""The company whose books these are, and the dated tables it books by."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import Boolean, CheckConstraint, Date, Index, LargeBinary, String, UniqueConstraint, true
from sqlalchemy.orm import Mapped, mapped_column

from monet_web.models.base import Base, ExactText, Id, Moment, Money


class Company(Base):
    """One row, id 1: one installation keeps one company's books."""

    __tablename__ = "company"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(200), default="")
    code: Mapped[str] = mapped_column(String(40), default="")
    vat_code: Mapped[str] = mapped_column(String(40), default="")
    address: Mapped[str] = mapped_column(String(400), default="")
    country: Mapped[str] = mapped_column(String(2), default="LT")
    currency: Mapped[str] = mapped_column(String(3), default="EUR")
    time_zone: Mapped[str] = mapped_column(String(64), default="Europe/Vilnius")
    language: Mapped[str] = mapped_column(String(4), default="both")  # of documents: lt, en or both on one
    revenue_account: Mapped[str] = mapped_column(String(40), default="5001")
    charges_account: Mapped[str] = mapped_column(String(40), default="5002")
    closed_until: Mapped[date | None] = mapped_column(Date)  # the last day of the closed periods
    is_demo: Mapped[bool] = mapped_column(Boolean, default=False)
    vat_payer: Mapped[bool] = mapped_column(Boolean, default=True, server_default=true())
    vat_from: Mapped[date | None] = mapped_column(Date)  # the first and last day of it; None: no limit
    vat_to: Mapped[date | None] = mapped_column(Date)
    oss_from: Mapped[date | None] = mapped_column(Date)  # None: not in OSS
    oss_to: Mapped[date | None] = mapped_column(Date)
    eu_threshold: Mapped[Decimal] = mapped_column(Money, default=Decimal(10000), server_default="100000000")
    ask_vies: Mapped[bool] = mapped_column(Boolean, default=True, server_default=true())
    bank_name: Mapped[str] = mapped_column(String(100), default="", server_default="")
    bank_account: Mapped[str] = mapped_column(String(40), default="", server_default="")
    # Accounts of the sales journal; "" of the later ones: as services/documents/sales_journal.py says.
    receivable_account: Mapped[str] = mapped_column(String(40), default="2410", server_default="2410")
    vat_account: Mapped[str] = mapped_column(String(40), default="4492", server_default="4492")
    oss_vat_account: Mapped[str] = mapped_column(String(40), default="", server_default="")
    rounding_account: Mapped[str] = mapped_column(String(40), default="", server_default="")
    prepaid_account: Mapped[str] = mapped_column(String(40), default="", server_default="")
    cod_account: Mapped[str] = mapped_column(String(40), default="", server_default="")
    gift_card_account: Mapped[str] = mapped_column(String(40), default="", server_default="")
    cash_account: Mapped[str] = mapped_column(String(40), default="", server_default="")
    deposit_account: Mapped[str] = mapped_column(String(40), default="", server_default="")


class CompanyDetails(Base):
    """What documents registered before `until` show of the company: a row each time that one of these changed."""

    __tablename__ = "company_details"
    __table_args__ = (Index(None, "until"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    until: Mapped[datetime] = mapped_column(Moment)
    name: Mapped[str] = mapped_column(String(200))
    code: Mapped[str] = mapped_column(String(40))
    vat_code: Mapped[str] = mapped_column(String(40))
    address: Mapped[str] = mapped_column(String(400))
    country: Mapped[str] = mapped_column(String(2))
    bank_name: Mapped[str] = mapped_column(String(100))
    bank_account: Mapped[str] = mapped_column(String(40))


class CompanyLogo(Base):
    """The picture on documents: one row, id 1, apart from the company, which every page reads."""

    __tablename__ = "company_logo"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    media_type: Mapped[str] = mapped_column(String(40))
    body: Mapped[bytes] = mapped_column(LargeBinary)


class CurrencyRate(Base):
    """How many units of `currency` one EUR is in the books on `day`."""

    __tablename__ = "currency_rates"
    __table_args__ = (UniqueConstraint("currency", "day"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    day: Mapped[date] = mapped_column(Date)
    currency: Mapped[str] = mapped_column(String(3))
    rate: Mapped[Decimal] = mapped_column(ExactText)
    source: Mapped[str] = mapped_column(String(80), default="")


class VatRateRow(Base):
    """A dated VAT rate added to the built-in ones; `code` is the classifier's (PVM…), "" when not said."""

    __tablename__ = "vat_rates"
    __table_args__ = (UniqueConstraint("country", "percent", "valid_from"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    country: Mapped[str] = mapped_column(String(2))
    percent: Mapped[Decimal] = mapped_column(ExactText)
    valid_from: Mapped[date] = mapped_column(Date)
    valid_to: Mapped[date | None] = mapped_column(Date)
    code: Mapped[str] = mapped_column(String(20), default="")


class TakenNumber(Base):
    """An invoice number used outside this program: it counts as taken (D2)."""

    __tablename__ = "taken_numbers"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    number: Mapped[str] = mapped_column(String(120))
    number_key: Mapped[str] = mapped_column(String(120), unique=True)
    source: Mapped[str] = mapped_column(String(200), default="")
