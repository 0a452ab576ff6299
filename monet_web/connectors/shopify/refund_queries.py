"""What this program asks Shopify about refunds: one order's, and what a refund has more than fits into one answer."""

from __future__ import annotations

from typing import Final

from monet_web.connectors.shopify.queries import MONEY, MOST_OF_LIST, Query

MOST_REFUNDS: Final = 25  # of one order at once; as many as that: there may be more

_REFUND = """
fragment MonetRefund on Refund {
  id
  legacyResourceId
  createdAt
  updatedAt
  note
  totalRefundedSet { ...MonetMoney }
  refundLineItems(first: 50) { pageInfo { hasNextPage endCursor } nodes { ...MonetRefundLine } }
  refundShippingLines(first: 5) { pageInfo { hasNextPage endCursor } nodes { ...MonetRefundShipping } }
  orderAdjustments(first: 5) { pageInfo { hasNextPage endCursor } nodes { ...MonetAdjustment } }
}
"""
_REFUND_LINE = """
fragment MonetRefundLine on RefundLineItem {
  quantity
  restockType
  lineItem { id title }
  subtotalSet { ...MonetMoney }
  totalTaxSet { ...MonetMoney }
}
"""
_REFUND_SHIPPING = """
fragment MonetRefundShipping on RefundShippingLine {
  shippingLine { id }
  subtotalAmountSet { ...MonetMoney }
  taxAmountSet { ...MonetMoney }
}
"""
_ADJUSTMENT = """
fragment MonetAdjustment on OrderAdjustment {
  reason
  amountSet { ...MonetMoney }
  taxAmountSet { ...MonetMoney }
}
"""
_FULL_REFUND = _REFUND + _REFUND_LINE + _REFUND_SHIPPING + _ADJUSTMENT + MONEY

REFUNDS: Final = Query(
    "MonetOrderRefunds",
    f"""
query MonetOrderRefunds($id: ID!) {{
  order(id: $id) {{ id refunds(first: {MOST_REFUNDS}) {{ ...MonetRefund }} }}
}}
{_FULL_REFUND}""",
)
REFUND_IDS: Final = Query(
    "MonetRefundIds",
    f"query MonetRefundIds($id: ID!) {{ order(id: $id) {{ id refunds(first: {MOST_OF_LIST}) {{ id }} }} }}",
)
REFUND: Final = Query(
    "MonetRefund", f"query MonetRefund($id: ID!) {{ refund(id: $id) {{ ...MonetRefund }} }}{_FULL_REFUND}"
)


def _more(name: str, connection: str, fragment: str, fragments: str) -> Query:
    return Query(
        name,
        f"""
query {name}($id: ID!, $after: String) {{
  refund(id: $id) {{
    id
    {connection}(first: 100, after: $after) {{ pageInfo {{ hasNextPage endCursor }} nodes {{ ...{fragment} }} }}
  }}
}}
{fragments}{MONEY}""",
    )


# What a single refund has more than came with it, by the name of the connection.
MORE_OF_REFUND: Final = {
    "refundLineItems": _more("MonetRefundLines", "refundLineItems", "MonetRefundLine", _REFUND_LINE),
    "refundShippingLines": _more(
        "MonetRefundShippings", "refundShippingLines", "MonetRefundShipping", _REFUND_SHIPPING
    ),
    "orderAdjustments": _more("MonetRefundAdjustments", "orderAdjustments", "MonetAdjustment", _ADJUSTMENT),
}
QUERIES: Final = (REFUNDS, REFUND_IDS, REFUND, *MORE_OF_REFUND.values())
