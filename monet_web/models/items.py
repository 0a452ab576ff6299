"""Items and the names that stores know them by."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from sqlalchemy import Boolean, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, validates

from monet_web.domain.mask import fold
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
    NAME = "name"  # of a line that the store gives nothing else; only a person maps it


def _folded_name(context: Any) -> str:
    return fold(context.get_current_parameters()["name"])


class Item(Base):
    """`code` is unique without case and never changes; `name_key`, kept by itself, is the name as searches see it."""

    __tablename__ = "items"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    code: Mapped[str] = mapped_column(String(120))
    code_key: Mapped[str] = mapped_column(String(120), unique=True)
    name: Mapped[str] = mapped_column(String(400))
    name_key: Mapped[str] = mapped_column(Text, default=_folded_name, server_default="")
    kind: Mapped[ItemKind] = mapped_column(kept_by_value(ItemKind), default=ItemKind.GOODS)
    keeps_stock: Mapped[bool] = mapped_column(Boolean, default=True)
    vat_class: Mapped[str] = mapped_column(String(40), default="")
    unit: Mapped[str] = mapped_column(String(20), default="")

    @validates("name")
    def _fold_name(self, _key: str, name: str) -> str:
        self.name_key = fold(name)
        return name


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
