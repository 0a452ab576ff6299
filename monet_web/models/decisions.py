"""What a person decided about the invoice of an order: every new draft of it keeps the decision."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from monet_web.models.base import Base, Id, Moment, kept_by_value


class DecisionKind(StrEnum):
    """What was decided; the comment says what `values` holds, all of it text.

    `of` is what it was decided about: where the order says otherwise later, the decision does not hold.
    """

    DIFFERENCE = "difference"  # code, subject, store, lines: the figures that were accepted
    BUYER = "buyer"  # was (the VAT code seen), vat_code, company_code, company, of (decided.identity)
    VAT_RATE = "vat_rate"  # from ("" for a tax whose rate the store does not say), to, of (decided.lines_at)
    WAREHOUSE = "warehouse"  # warehouse_id, warehouse (its code); the subject is the code of the item
    REFUND = "refund"  # lines: position → quantity, net, vat (of the credit note, positive), goods


class Decision(Base):
    """One decision about one order; `subject` tells those of a kind apart (a rate, a finding)."""

    __tablename__ = "decisions"
    __table_args__ = (UniqueConstraint("store_order_id", "kind", "subject"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    store_order_id: Mapped[int] = mapped_column(ForeignKey("store_orders.id"))
    kind: Mapped[DecisionKind] = mapped_column(kept_by_value(DecisionKind))
    subject: Mapped[str] = mapped_column(String(240), default="")
    values: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    decided_by: Mapped[str] = mapped_column(String(200), default="")
    decided_at: Mapped[datetime] = mapped_column(Moment)
