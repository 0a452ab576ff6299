"""Which invoice credit notes and re-issued invoices come from, and how it was paid: they undo or repeat that."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from monet_web.domain.orders import PaymentKind
from monet_web.domain.sales_journal import Origin
from monet_web.models.invoices import Invoice, InvoiceState

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


def paid(payments: Sequence[Mapping[str, str]] | None) -> tuple[tuple[PaymentKind, Decimal], ...]:
    """What a document keeps of its payments, as (kind, amount in its currency)."""
    return tuple((PaymentKind(one["kind"]), Decimal(one["amount"])) for one in payments or [] if "kind" in one)


def load(session: Session, documents: Sequence[Any]) -> dict[int, tuple[str, Origin]]:
    """Document → payment method and figures of the invoice that it comes from; those that come from none are not there.

    `documents` have id, credits_invoice_id, reissues_invoice_id and store_order_id. Inside a transaction; one query:
    everything that comes from an invoice is of the same order of the store.
    """
    derived = [row for row in documents if _parent(row)]
    if not derived:
        return {}
    query = select(
        Invoice.id, Invoice.credits_invoice_id, Invoice.reissues_invoice_id, Invoice.payment, Invoice.payments,
        Invoice.eur_rate, Invoice.total, Invoice.total_eur, Invoice.registered_at,
    ).where(
        Invoice.store_order_id.in_({row.store_order_id for row in derived}), Invoice.state == InvoiceState.REGISTERED
    )  # fmt: skip
    rows = {row.id: row for row in session.execute(query)}
    found: dict[int, tuple[str, Origin]] = {}
    for first, after_it in _by_first(rows).items():
        invoice = rows[first]
        stands = whole = _in_euro(invoice)
        for row in sorted(after_it, key=lambda row: (row.registered_at or _LONG_AGO, row.id)):
            before, stands = stands, stands + _in_euro(row)
            found[row.id] = invoice.payment, Origin(
                paid(invoice.payments), invoice.total, invoice.eur_rate or Decimal(1), whole, before, stands
            )  # fmt: skip
    return found


def _by_first(rows: Mapping[int, Any]) -> dict[int, list[Any]]:
    """The first invoice → every document that comes from it, at first or second hand."""
    found: dict[int, list[Any]] = defaultdict(list)
    for row in rows.values():
        first = row
        while (parent := _parent(first)) and parent in rows:
            first = rows[parent]
        if first is not row:
            found[first.id].append(row)
    return found


def _parent(row: Any) -> int | None:
    """The invoice that it credits or is issued instead of."""
    parent: int | None = row.credits_invoice_id or row.reissues_invoice_id
    return parent


def _in_euro(row: Any) -> Decimal:
    amount: Decimal = row.total if row.total_eur is None else row.total_eur
    return amount
