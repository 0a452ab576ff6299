"""What people do to an order in Shopify's admin: refund, cancel, edit, mark as paid, ship."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from monet_web.demo.shopify.documents import ZERO, Document, amount_text, cents, copy, date_text, value


def refund(
    order: Document,
    *,
    at: datetime,
    pieces: Mapping[int, int] | None = None,
    restock: str = "RETURN",
    shipping: bool = False,
    money: Decimal | None = None,
    note: str | None = None,
    paid_back: bool = True,
) -> Document:
    """Gives back `pieces` (place of the line → how many), the shipping too if asked, and returns the refund.

    `money` is what was really given back; what it differs by from the pieces is an adjustment. Without `paid_back` the
    pieces were taken off before anybody paid. Changes `order` in place.
    """
    items = [_item(order, place, quantity, restock) for place, quantity in (pieces or {}).items()]
    deliveries = [_delivery(line) for line in order["shippingLines"]] if shipping else []
    worth = sum((_with_tax(order, item["subtotalSet"], item["totalTaxSet"]) for item in items), ZERO)
    worth += sum((_with_tax(order, line["subtotalAmountSet"], line["taxAmountSet"]) for line in deliveries), ZERO)
    given = worth if money is None else money
    number = int(order["legacyResourceId"]) % 10**6 * 100 + len(order["refunds"]) + 1
    made: Document = {
        "id": f"gid://shopify/Refund/{number}",
        "legacyResourceId": str(number),
        "createdAt": date_text(at),
        "updatedAt": date_text(at),
        "processedAt": date_text(at),
        "note": note,
        "totalRefundedSet": _bag(order, given if paid_back else ZERO),
        "refundLineItems": items,
        "refundShippingLines": deliveries,
        "orderAdjustments": _adjustments(order, given - worth, number) if paid_back and given != worth else [],
    }
    order["refunds"].append(made)
    _settle(order, at, given, paid_back=paid_back)
    return made


def cancel(order: Document, *, at: datetime) -> None:
    """Cancelled before it was paid or shipped: nothing is owed any more."""
    order.update(
        cancelledAt=date_text(at),
        cancelReason="CUSTOMER",
        displayFinancialStatus="VOIDED",
        displayFulfillmentStatus="UNFULFILLED",
        fulfillments=[],
        currentTotalPriceSet=_bag(order, ZERO),
        currentTotalTaxSet=_bag(order, ZERO),
        updatedAt=date_text(at),
    )


def pay(order: Document, *, at: datetime) -> None:
    """Marked as paid by hand."""
    gateway = next(iter(order["paymentGatewayNames"]), "manual")
    order["transactions"].append({
        "id": f"gid://shopify/OrderTransaction/{int(order['legacyResourceId']) % 10**6 * 10 + 9}",
        "kind": "SALE",
        "status": "SUCCESS",
        "gateway": gateway,
        "formattedGateway": gateway,
        "processedAt": date_text(at),
        "test": order["test"],
        "amountSet": copy(order["currentTotalPriceSet"]),
    })  # fmt: skip
    order.update(displayFinancialStatus="PAID", updatedAt=date_text(at))


def ship(order: Document, *, at: datetime) -> None:
    """Everything left is shipped."""
    gid = f"gid://shopify/Fulfillment/{int(order['legacyResourceId']) % 10**6 * 10 + len(order['fulfillments'])}"
    order["fulfillments"].append({"id": gid, "status": "SUCCESS", "createdAt": date_text(at)})
    order.update(displayFulfillmentStatus="FULFILLED", updatedAt=date_text(at))


def _settle(order: Document, at: datetime, given: Decimal, *, paid_back: bool) -> None:
    """The order's own sums after a refund."""
    left = value(order["currentTotalPriceSet"]) - given
    order["currentTotalPriceSet"] = _bag(order, max(left, ZERO))
    order["updatedAt"] = date_text(at)
    if not paid_back:
        order["edited"] = True
        return
    refunded = value(order["totalRefundedSet"]) + given
    order["totalRefundedSet"] = _bag(order, refunded)
    whole = refunded >= value(order["totalPriceSet"])
    order["displayFinancialStatus"] = "REFUNDED" if whole else "PARTIALLY_REFUNDED"
    number = int(order["legacyResourceId"]) % 10**6 * 10 + 4 + len(order["refunds"])
    order["transactions"].append({
        "id": f"gid://shopify/OrderTransaction/{number}",
        "kind": "REFUND",
        "status": "SUCCESS",
        "gateway": next(iter(order["paymentGatewayNames"]), "manual"),
        "formattedGateway": "Refund",
        "processedAt": date_text(at),
        "test": order["test"],
        "amountSet": _bag(order, given),
    })  # fmt: skip


def _item(order: Document, place: int, quantity: int, restock: str) -> Document:
    line = order["lineItems"][place]
    left, ordered = line["currentQuantity"], line["quantity"]
    if quantity > left:
        message = f"{quantity} of {left} pieces left cannot be given back"
        raise ValueError(message)
    off = sum((value(one["allocatedAmountSet"]) for one in line["discountAllocations"]), ZERO)
    whole = value(line["originalTotalSet"]) - off
    tax = sum((value(one["priceSet"]) for one in line["taxLines"]), ZERO)
    before, after = ordered - left, ordered - left + quantity
    line["currentQuantity"] = left - quantity
    return {
        "quantity": quantity,
        "restockType": restock,
        "lineItem": line,
        # The difference of two shares, so that the shares of all pieces add up to the line.
        "subtotalSet": _bag(order, cents(whole * after / ordered) - cents(whole * before / ordered)),
        "totalTaxSet": _bag(order, cents(tax * after / ordered) - cents(tax * before / ordered)),
    }


def _delivery(line: Document) -> Document:
    tax = sum((value(one["priceSet"]) for one in line["taxLines"]), ZERO)
    return {
        "id": line["id"].replace("ShippingLine", "RefundShippingLine"),
        "shippingLine": line,
        "subtotalAmountSet": copy(line["discountedPriceSet"]),
        "taxAmountSet": _like(line["discountedPriceSet"], tax),
    }


def _adjustments(order: Document, difference: Decimal, number: int) -> list[Document]:
    """Shopify's sign: what was given beyond the pieces is negative, as it lowers the order."""
    return [
        {
            "id": f"gid://shopify/OrderAdjustment/{number}",
            "reason": "REFUND_DISCREPANCY",
            "amountSet": _bag(order, -difference),
            "taxAmountSet": _bag(order, ZERO),
        }
    ]


def _with_tax(order: Document, subtotal: Document, tax: Document) -> Decimal:
    return value(subtotal) + (ZERO if order["taxesIncluded"] else value(tax))


def _bag(order: Document, amount: Decimal) -> Document:
    return _like(order["totalPriceSet"], amount)


def _like(bag: Document, amount: Decimal) -> Document:
    """A bag of another amount, at the same rate of exchange."""
    shop, shown = bag["shopMoney"], bag["presentmentMoney"]
    theirs = Decimal(shown["amount"])
    worth = Decimal(shop["amount"]) / theirs if theirs else Decimal(1)
    return {
        "shopMoney": {"amount": amount_text(cents(amount * worth)), "currencyCode": shop["currencyCode"]},
        "presentmentMoney": {"amount": amount_text(amount), "currencyCode": shown["currencyCode"]},
    }
