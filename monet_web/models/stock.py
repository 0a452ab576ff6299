"""Warehouses, balances and the moves that are the truth behind them."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from monet_web.models.base import Base, Id, Moment, Quantity


class Warehouse(Base):
    """Where goods lie. The first one (lowest id) is every integration's default."""

    __tablename__ = "warehouses"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    country: Mapped[str] = mapped_column(String(2), default="", server_default="")  # "": the company's


class Balance(Base):
    """What is on hand; locked in (warehouse, item) order, written once an item and page, never below zero."""

    __tablename__ = "balances"
    __table_args__ = (CheckConstraint("on_hand >= 0", name="not_below_zero"),)

    warehouse_id: Mapped[int] = mapped_column(ForeignKey("warehouses.id"), primary_key=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("items.id"), primary_key=True, index=True)
    on_hand: Mapped[Decimal] = mapped_column(Quantity, default=Decimal(0))


class StockMove(Base):
    """One change of a balance by one line of one document: `quantity` in is positive, out negative."""

    __tablename__ = "stock_moves"
    __table_args__ = (
        UniqueConstraint("document_type", "document_id", "position"),
        Index("ix_stock_moves_item_id_id", "item_id", "id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    document_type: Mapped[str] = mapped_column(String(24))  # invoice | receipt
    document_id: Mapped[int] = mapped_column(Id)
    position: Mapped[int] = mapped_column(Integer)
    item_id: Mapped[int] = mapped_column(ForeignKey("items.id"))
    warehouse_id: Mapped[int] = mapped_column(ForeignKey("warehouses.id"))
    quantity: Mapped[Decimal] = mapped_column(Quantity)
    day: Mapped[date] = mapped_column(Date)


class StockReceipt(Base):
    """Goods received (or corrected) by hand or from a file: the document behind moves that no invoice made."""

    __tablename__ = "stock_receipts"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    day: Mapped[date] = mapped_column(Date)
    note: Mapped[str] = mapped_column(String(400), default="")
    entered_by: Mapped[str] = mapped_column(String(200), default="")
    entered_at: Mapped[datetime] = mapped_column(Moment)
