"""Items and the names that stores know them by."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import Boolean, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from monet_web.models.base import Base, Id, kept_by_value


class ItemKind(StrEnum):
    """Services keep no stock."""

    GOODS = "goods"
    SERVICE = "service"


class AliasKind(StrEnum):
    """What of a store's line names the item; the order here is the order of trust (A6)."""

    VARIATION = "variation"
    PRODUCT = "product"
    SKU = "sku"
    BARCODE = "barcode"


class Item(Base):
    """`code` is unique without case and never changes."""

    __tablename__ = "items"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    code: Mapped[str] = mapped_column(String(120))
    code_key: Mapped[str] = mapped_column(String(120), unique=True)
    name: Mapped[str] = mapped_column(String(400))
    kind: Mapped[ItemKind] = mapped_column(kept_by_value(ItemKind), default=ItemKind.GOODS)
    keeps_stock: Mapped[bool] = mapped_column(Boolean, default=True)
    vat_class: Mapped[str] = mapped_column(String(40), default="")
    unit: Mapped[str] = mapped_column(String(20), default="")


class ItemAlias(Base):
    """`store_id` 0 holds for every store (no foreign key for that reason); `value_key` is folded."""

    __tablename__ = "item_aliases"
    __table_args__ = (UniqueConstraint("store_id", "kind", "value_key"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    store_id: Mapped[int] = mapped_column(Id, default=0)
    kind: Mapped[AliasKind] = mapped_column(kept_by_value(AliasKind))
    value: Mapped[str] = mapped_column(String(200))
    value_key: Mapped[str] = mapped_column(String(200))
    item_id: Mapped[int] = mapped_column(ForeignKey("items.id", ondelete="CASCADE"), index=True)
