"""Documents of one order: the invoices that followed each other and the credit notes between them (E6, D12)."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session, defer

from monet_web.models.invoices import Invoice

_MOST = 50


def others(session: Session, invoice: Invoice) -> Sequence[Invoice]:
    """The other documents of its order, the oldest first. Inside a transaction, one query."""
    return session.scalars(
        select(Invoice)
        .where(Invoice.store_order_id == invoice.store_order_id, Invoice.id != invoice.id)
        .order_by(Invoice.id)
        .limit(_MOST)
        .options(defer(Invoice.search_text), defer(Invoice.buyer))
    ).all()
