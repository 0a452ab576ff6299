"""Decisions of people about the invoices of a page of orders, read in one query and ready for their drafts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from monet_web.domain.decided import BuyerCodes, Decided, Figures, RightRate
from monet_web.models.among import among, table_of
from monet_web.models.decisions import Decision, DecisionKind


def load(session: Session, store_order_ids: Collection[int]) -> dict[int, Decided]:
    """Store order → what was decided; orders of which nothing was are left out. Inside a transaction, one query."""
    if not store_order_ids:
        return {}
    found: dict[int, list[Decision]] = defaultdict(list)
    for row in session.scalars(_OF_ORDERS, {"orders": store_order_ids}):
        found[row.store_order_id].append(row)
    return {order_id: _decided(of) for order_id, of in found.items()}


_OF_ORDERS = select(Decision).where(among(table_of(Decision).c.store_order_id, "orders")).order_by(Decision.id)


def _decided(rows: Sequence[Decision]) -> Decided:
    accepted: dict[Figures, str] = {}
    rates: dict[str, RightRate] = {}
    buyer: BuyerCodes | None = None
    warehouses: dict[str, tuple[int, str]] = {}
    for row in rows:
        said = row.values
        match row.kind:
            case DecisionKind.DIFFERENCE:
                accepted[Figures(said["code"], said["subject"], said["store"], said["lines"])] = row.decided_by
            case DecisionKind.VAT_RATE:
                rates[said["from"]] = RightRate(Decimal(said["to"]), said.get("of", {}), row.decided_by)
            case DecisionKind.BUYER:
                buyer = BuyerCodes(
                    said["was"], said["vat_code"], said["company_code"], said["company"], said.get("of", {}),
                    row.decided_by,
                )  # fmt: skip
            case DecisionKind.WAREHOUSE:
                warehouses[row.subject] = int(said["warehouse_id"]), said["warehouse"]
            case DecisionKind.REFUND:
                pass  # of a credit note, not of the invoice
    return Decided(accepted, buyer, rates, warehouses)
