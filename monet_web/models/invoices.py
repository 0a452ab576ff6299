"""Sales invoices and credit notes, waiting or registered, with their lines, VAT, findings, journals and own numbers."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Date,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    literal_column,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from monet_web.models.base import Base, ExactText, Id, Moment, Money, Quantity, kept_by_value


class InvoiceKind(StrEnum):
    """A credit note's amounts are negative."""

    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"


class InvoiceState(StrEnum):
    """Registered is final: only a credit note corrects it (E1)."""

    IN_JOURNAL = "in_journal"
    REGISTERED = "registered"


class AccountingType(StrEnum):
    """Goods name items and move stock (Goods sales journals); amounts name accounts (Sales journals)."""

    GOODS = "goods"
    AMOUNTS = "amounts"


class Journal(Base):
    """What one launch, or one integration's timetable runs of one day, did not register."""

    __tablename__ = "journals"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    number: Mapped[str] = mapped_column(String(40), unique=True)
    accounting_type: Mapped[AccountingType] = mapped_column(kept_by_value(AccountingType))
    integration_id: Mapped[int] = mapped_column(ForeignKey("integrations.id"), index=True)
    local_day: Mapped[date] = mapped_column(Date)
    run_id: Mapped[int | None] = mapped_column(
        ForeignKey("runs.id"), index=True
    )  # a launch's own; None for the timetable's of a day
    note: Mapped[str] = mapped_column(Text, default="")
    # The journal that a person moved these invoices out of; no import puts anything into it. No foreign key.
    moved_from_id: Mapped[int | None] = mapped_column(Id)


_living_invoice = text("kind = 'invoice' AND NOT superseded")
_stock_stays = text("stock_not_moved_reason <> ''")
_waits = text("state <> 'registered'")
_in_some_journal = text("journal_id IS NOT NULL")
_credits = text("credits_invoice_id IS NOT NULL")
_is_foreign = text("currency <> 'EUR'")
_only_noted = text("NOT stops")
# PostgreSQL: the words of `search_text` (services/documents/search.py). The signs are those that its parser would take
# for a part of a number, an address or a path.
WORDS = "to_tsvector('simple'::regconfig, translate(search_text, '-._@/+&<>', '         '))"


class Invoice(Base):
    """One document. Journal and sales invoices are one table, so that one index keeps numbers unique over both (D2)."""

    __tablename__ = "invoices"
    __table_args__ = (
        UniqueConstraint("store_id", "kind", "external_id", "revision"),
        UniqueConstraint("number_key"),
        Index(
            "uq_invoices_living", "store_id", "external_id", unique=True,
            sqlite_where=_living_invoice, postgresql_where=_living_invoice,
        ),
        # The list's order; what follows the id is what months are added up of, so that no row need be read for it.
        Index("ix_invoices_state_issue_date_id_sums", "state", "issue_date", "id", "kind", "currency", "total"),
        # Of the few that wait: nothing of it is written for the others.
        Index("ix_invoices_waiting", "id", sqlite_where=_waits, postgresql_where=_waits),
        Index(
            "ix_invoices_journal_id", "journal_id", "id",
            sqlite_where=_in_some_journal, postgresql_where=_in_some_journal,
        ),
        # What the list of invoices is sorted by and narrowed to.
        Index("ix_invoices_integration_id_state_issue_date_id", "integration_id", "state", "issue_date", "id"),
        Index(
            "ix_invoices_foreign", "state", "currency", "issue_date", "id",
            sqlite_where=_is_foreign, postgresql_where=_is_foreign,
        ),
        Index("ix_invoices_words", text(WORDS), postgresql_using="gin").ddl_if(dialect="postgresql"),
        Index("ix_invoices_by_total", "state", text("coalesce(total_eur, total)"), "id"),
        Index("ix_invoices_by_buyer", "state", text("lower(buyer_name)"), "id"),
        Index("ix_invoices_opened_by_run_id", "opened_by_run_id"),
        Index("ix_invoices_registered_by_run_id", "registered_by_run_id"),
        Index(
            "ix_invoices_credits_invoice_id", "credits_invoice_id",
            sqlite_where=_credits, postgresql_where=_credits,
        ),
        Index("ix_invoices_stock_to_settle", "id", sqlite_where=_stock_stays, postgresql_where=_stock_stays),
        Index("ix_invoices_treatment_supply_date", "treatment", "supply_date"),
        {"sqlite_autoincrement": True},
    )  # fmt: skip

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    store_id: Mapped[int] = mapped_column(ForeignKey("stores.id"))
    integration_id: Mapped[int] = mapped_column(ForeignKey("integrations.id"))
    store_order_id: Mapped[int] = mapped_column(ForeignKey("store_orders.id"), index=True)
    kind: Mapped[InvoiceKind] = mapped_column(kept_by_value(InvoiceKind), default=InvoiceKind.INVOICE)
    external_id: Mapped[str] = mapped_column(String(120))
    revision: Mapped[int] = mapped_column(Integer, default=1)
    superseded: Mapped[bool] = mapped_column(Boolean, default=False)
    number: Mapped[str | None] = mapped_column(String(120))
    number_key: Mapped[str | None] = mapped_column(String(120))
    order_number: Mapped[str] = mapped_column(String(120), default="")
    state: Mapped[InvoiceState] = mapped_column(kept_by_value(InvoiceState))
    accounting_type: Mapped[AccountingType] = mapped_column(kept_by_value(AccountingType))
    journal_id: Mapped[int | None] = mapped_column(ForeignKey("journals.id"))
    opened_by_run_id: Mapped[int | None] = mapped_column(ForeignKey("runs.id"))
    registered_by_run_id: Mapped[int | None] = mapped_column(ForeignKey("runs.id"))
    registered_at: Mapped[datetime | None] = mapped_column(Moment)
    drafted_from_version_id: Mapped[int] = mapped_column(ForeignKey("store_order_versions.id"))
    touched_at: Mapped[datetime | None] = mapped_column(Moment)  # corrected by a person
    touched_by: Mapped[str] = mapped_column(String(200), default="")
    row_version: Mapped[int] = mapped_column(Integer, default=1)
    credits_invoice_id: Mapped[int | None] = mapped_column(ForeignKey("invoices.id"))
    # The invoice of another buyer that it was issued instead of, for what was left of it. No foreign key.
    reissues_invoice_id: Mapped[int | None] = mapped_column(Id)
    issued_by_store: Mapped[bool] = mapped_column(Boolean, default=False)
    issue_date: Mapped[date] = mapped_column(Date)
    supply_date: Mapped[date] = mapped_column(Date)
    vat_date: Mapped[date | None] = mapped_column(Date)
    currency: Mapped[str] = mapped_column(String(3))
    eur_rate: Mapped[Decimal | None] = mapped_column(ExactText)  # units of currency for one EUR; None: missing
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customers.id"), index=True)
    buyer_name: Mapped[str] = mapped_column(String(400), default="")
    buyer: Mapped[dict[str, str]] = mapped_column(
        JSON, default=dict
    )  # snapshot: company, codes, address, e-mail, phone
    ship_country: Mapped[str] = mapped_column(String(2), default="")
    payment: Mapped[str] = mapped_column(String(200), default="")
    payments: Mapped[list[dict[str, str]]] = mapped_column(JSON, default=list)
    net: Mapped[Decimal] = mapped_column(Money)
    vat: Mapped[Decimal] = mapped_column(Money)
    rounding: Mapped[Decimal] = mapped_column(Money)
    total: Mapped[Decimal] = mapped_column(Money)
    net_eur: Mapped[Decimal | None] = mapped_column(Money)
    vat_eur: Mapped[Decimal | None] = mapped_column(Money)
    total_eur: Mapped[Decimal | None] = mapped_column(Money)
    treatment: Mapped[str] = mapped_column(String(24), default="", server_default="")  # domain.treatment; "": undecided
    # What the treatment rests on: {"vat_code": {…}} or {"export": {…}}, all text.
    evidence: Mapped[dict[str, dict[str, str]] | None] = mapped_column(JSON(none_as_null=True))
    stock_not_moved_reason: Mapped[str] = mapped_column(String(400), default="")
    note: Mapped[str] = mapped_column(Text, default="")
    search_text: Mapped[str] = mapped_column(Text, default="")

    lines: Mapped[list[InvoiceLine]] = relationship(
        order_by="InvoiceLine.position", passive_deletes=True, cascade="all"
    )
    vat_rows: Mapped[list[InvoiceVat]] = relationship(order_by="InvoiceVat.id", passive_deletes=True, cascade="all")
    found: Mapped[list[InvoiceFinding]] = relationship(
        order_by="InvoiceFinding.id", passive_deletes=True, cascade="all"
    )
    journal: Mapped[Journal | None] = relationship()

    __mapper_args__ = {"version_id_col": row_version}


# For queries: said in the text of a statement, since no database takes an index of a part for a value that is bound.
IS_WAITING = Invoice.state != literal_column("'registered'")
# Registered ones where another index leads: asked for by equality, SQLite would rather look through all of them.
NOT_WAITING = Invoice.state != literal_column("'in_journal'")
IS_FOREIGN = Invoice.currency != literal_column("'EUR'")
STOCK_STAYS = Invoice.stock_not_moved_reason != literal_column("''")


class InvoiceLine(Base):
    """One line of one VAT rate. `net` and `vat` are sums of the line; `unit_price` is net, before `discount`."""

    __tablename__ = "invoice_lines"
    __table_args__ = (
        UniqueConstraint("invoice_id", "position"),
        Index("ix_invoice_lines_item_id", "item_id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    invoice_id: Mapped[int] = mapped_column(ForeignKey("invoices.id", ondelete="CASCADE"))
    position: Mapped[int] = mapped_column(Integer)
    kind: Mapped[str] = mapped_column(String(24))
    item_id: Mapped[int | None] = mapped_column(ForeignKey("items.id"))
    account: Mapped[str | None] = mapped_column(String(40))
    store_line_id: Mapped[str] = mapped_column(String(120), default="")
    store_product_id: Mapped[str] = mapped_column(String(120), default="")
    store_variation_id: Mapped[str] = mapped_column(String(120), default="")
    name: Mapped[str] = mapped_column(Text)
    sku: Mapped[str] = mapped_column(String(200), default="")
    barcode: Mapped[str] = mapped_column(String(60), default="")
    quantity: Mapped[Decimal] = mapped_column(Quantity)
    unit: Mapped[str] = mapped_column(String(20), default="")
    unit_price: Mapped[Decimal] = mapped_column(ExactText)
    discount: Mapped[Decimal] = mapped_column(Money)
    net: Mapped[Decimal] = mapped_column(Money)
    vat_rate: Mapped[Decimal | None] = mapped_column(ExactText)  # None: no tax, which is not 0 %
    vat: Mapped[Decimal] = mapped_column(Money)
    warehouse_id: Mapped[int | None] = mapped_column(ForeignKey("warehouses.id"))
    # Of a credit note's line: domain.refunds.Goods, what became of the goods; "": nobody asked, or nobody said yet.
    goods: Mapped[str] = mapped_column(String(12), default="", server_default="")


class InvoiceVat(Base):
    """The VAT of one rate of one document: exactly the sum of its lines."""

    __tablename__ = "invoice_vat"
    __table_args__ = (UniqueConstraint("invoice_id", "rate", "code"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    invoice_id: Mapped[int] = mapped_column(ForeignKey("invoices.id", ondelete="CASCADE"))
    rate: Mapped[Decimal | None] = mapped_column(ExactText)
    code: Mapped[str] = mapped_column(String(20), default="")
    base: Mapped[Decimal] = mapped_column(Money)
    amount: Mapped[Decimal] = mapped_column(Money)
    amount_eur: Mapped[Decimal | None] = mapped_column(Money)


class InvoiceFinding(Base):
    """What is wrong with one document, by code and subject (a SKU, an item, a rate); `values` fill its sentences."""

    __tablename__ = "findings"
    __table_args__ = (
        UniqueConstraint("invoice_id", "code", "subject"),
        Index("ix_findings_code_subject", "code", "subject"),
        Index("ix_findings_notices", "invoice_id", sqlite_where=_only_noted, postgresql_where=_only_noted),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    invoice_id: Mapped[int] = mapped_column(ForeignKey("invoices.id", ondelete="CASCADE"))
    code: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str] = mapped_column(String(200), default="")
    values: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    stops: Mapped[bool] = mapped_column(Boolean, default=True)


class Series(Base):
    """The next number of an own series; its row is locked while a number is given, so that there is no gap.

    Its numbers are `<prefix><year>-000001` and so on; with another prefix another series begins.
    """

    __tablename__ = "series"
    __table_args__ = (UniqueConstraint("integration_id", "kind", "year", "prefix"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    integration_id: Mapped[int] = mapped_column(ForeignKey("integrations.id"))
    kind: Mapped[str] = mapped_column(String(24))  # an InvoiceKind
    year: Mapped[int] = mapped_column(Integer)
    prefix: Mapped[str] = mapped_column(String(40), default="")
    next: Mapped[int] = mapped_column(Integer, default=1)
