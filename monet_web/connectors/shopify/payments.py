"""How an order of Shopify was paid: what was really taken, else how it is promised."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from monet_web.connectors.foreign import Row, flag, text, utc_moment
from monet_web.connectors.shopify.money import Money, nodes, tail
from monet_web.domain.orders import Payment, PaymentKind

SALES = frozenset({"PAID", "PARTIALLY_PAID", "PARTIALLY_REFUNDED", "REFUNDED"})
PAID = SALES - {"PARTIALLY_PAID"}
_TAKEN = frozenset({"SALE", "CAPTURE"})


def payments(node: Row, money: Money, total: Decimal) -> tuple[Payment, ...]:
    """What was taken; else one payment of the whole in the way that is promised. Raises Misfit."""
    taken = tuple(
        Payment(
            method=text(found, "gateway"),
            title=text(found, "formattedGateway") or text(found, "gateway"),
            amount=money.of(found, "amountSet"),
            kind=_kind(text(found, "gateway"), PaymentKind.PREPAID),
            reference=tail(text(found, "id")),
            paid_at=utc_moment(found, "processedAt"),
        )
        for found in _taken(node)
    )
    if taken or not total:
        return taken
    gateways = node.get("paymentGatewayNames")
    method = next((name for name in gateways if isinstance(name, str)), "") if isinstance(gateways, list) else ""
    return (Payment(method, method, total, _kind(method, PaymentKind.UNKNOWN)),)


def paid_at(node: Row) -> datetime | None:
    """When the last of the money was taken, None while none was. Raises Misfit."""
    moments = [utc_moment(found, "processedAt") for found in _taken(node)]
    return max((moment for moment in moments if moment is not None), default=None)


def _taken(node: Row) -> Iterator[Row]:
    """An authorisation is no payment, its capture is; one of the test gateway is none on a real order."""
    is_test = flag(node, "test")
    for found in nodes(node, "transactions"):
        is_taken = text(found, "kind") in _TAKEN and text(found, "status") == "SUCCESS"
        if is_taken and (is_test or not flag(found, "test")):
            yield found


def _kind(gateway: str, otherwise: PaymentKind) -> PaymentKind:
    name = gateway.casefold().replace("_", " ")
    if name in ("gift card", "shopify store credit", "store credit"):
        return PaymentKind.GIFT_CARD
    return PaymentKind.CASH_ON_DELIVERY if "cash on delivery" in name else otherwise
