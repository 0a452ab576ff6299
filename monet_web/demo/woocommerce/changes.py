"""How a new order, an edit and a refund look in WooCommerce's documents."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any

from monet_web.demo.woocommerce.amounts import cents
from monet_web.demo.woocommerce.clock import set_dates
from monet_web.demo.woocommerce.documents import RECORDED_ADDRESS, Document
from monet_web.demo.woocommerce.generator import Generator, patterns
from monet_web.demo.woocommerce.profile import Profile

_SMALL: frozenset[str] = frozenset({"meta_data", "line_items", "shipping_lines", "fee_lines", "tax_lines"})


def new_order(pattern: int, order_id: int, created: int) -> Document:
    """An order like the recorded one number `pattern`, without refunds; no date lies before or after `created`."""
    generator = Generator(seed=order_id)
    wanted = pattern % len(patterns())
    index = next(i for i in range(len(patterns())) if generator.pattern(i) is patterns()[wanted])
    document, _ = generator.order(index, order_id, created, created)
    document["refunds"] = []
    return document


def bumped(fields: Collection[str], profile: Profile) -> bool:
    """Whether WooCommerce writes a new date_modified for an edit of these fields."""
    return profile.bumps_small_edits or not set(fields) <= _SMALL


def refund_document(
    order: Document,
    refund_id: int,
    *,
    amount: Decimal | None,
    quantities: Mapping[int, int],
    reason: str,
    created: int,
) -> Document:
    """`/orders/<id>/refunds` shows it so. With quantities, the lines are negative and point to the order's lines."""
    items = [
        _refunded_line(line, quantities[line["id"]], refund_id, place)
        for place, line in enumerate(order["line_items"])
        if line["id"] in quantities
    ]
    gross = -sum((Decimal(line["total"]) + Decimal(line["total_tax"]) for line in items), Decimal("0.00"))
    root = f"{RECORDED_ADDRESS}/wp-json/wc/v3/orders/{order['id']}"
    refund: Document = {"id": refund_id}
    set_dates(refund, "date_created", created)
    return refund | {
        "amount": str(gross if amount is None else cents(amount)),
        "reason": reason,
        "refunded_by": 1,
        "refunded_payment": False,
        "meta_data": [],
        "line_items": items,
        "shipping_lines": [],
        "tax_lines": _tax_lines(order, items, refund_id),
        "fee_lines": [],
        "_links": {
            "self": [{"href": f"{root}/refunds/{refund_id}", "targetHints": {"allow": ["GET", "DELETE"]}}],
            "collection": [{"href": f"{root}/refunds"}],
            "up": [{"href": root}],
        },
    }


def _refunded_line(line: Document, quantity: int, refund_id: int, place: int) -> Document:
    share = Decimal(quantity) / Decimal(line["quantity"]) if line["quantity"] else Decimal(1)

    def negative(amount: str) -> str:
        return str(-cents(Decimal(amount or 0) * share))

    points_to = str(line["id"])
    meta: dict[str, Any] = {"id": refund_id * 200 + place, "key": "_refunded_item_id", "value": points_to}
    meta |= {"display_key": "_refunded_item_id", "display_value": points_to}
    return line | {
        "id": refund_id * 40 + place,
        "quantity": -quantity,
        # A refund has no discount of its own: what was before it is what is given back.
        "subtotal": negative(line["total"]),
        "subtotal_tax": negative(line["total_tax"]),
        "total": negative(line["total"]),
        "total_tax": negative(line["total_tax"]),
        "taxes": [
            {"id": tax["id"], "total": negative(tax["total"]), "subtotal": negative(tax["total"])}
            for tax in line["taxes"]
        ],
        "meta_data": [meta],
    }


def _tax_lines(order: Document, items: list[Document], refund_id: int) -> list[Document]:
    lines = []
    for place, line in enumerate(order["tax_lines"]):
        amounts = [Decimal(tax["total"]) for item in items for tax in item["taxes"] if tax["id"] == line["rate_id"]]
        if amounts:
            total = str(sum(amounts, Decimal("0.00")))
            lines.append(line | {"id": refund_id * 40 + 30 + place, "tax_total": total, "shipping_tax_total": "0.00"})
    return lines
