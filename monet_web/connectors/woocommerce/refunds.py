"""Refunds of WooCommerce: the order names them, `/orders/<id>/refunds` has their lines with negative amounts."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from monet_web.connectors.woocommerce.fields import (
    Json,
    Problem,
    Record,
    amount,
    identity,
    moment,
    number,
    optional_records,
    record,
    records,
    text,
    title,
)
from monet_web.connectors.woocommerce.taxes import Rates, line_taxes
from monet_web.domain.orders import LineKind, Refund, RefundLine, Tax

_KINDS = {
    "line_items": (LineKind.GOODS, "name"),
    "shipping_lines": (LineKind.SHIPPING, "method_title"),
    "fee_lines": (LineKind.FEE, "name"),
}


def read_refunds(order: Record, details: Json, rates: Rates, otherwise: datetime) -> tuple[Refund, ...]:
    """Every refund the order names, and any that was made between the two questions, by id.

    A refund whose detail is missing is `complete=False` and dated `otherwise` (the order's last change).
    """
    detailed = {}
    if isinstance(details, list):
        for entry in details:
            refund = _detailed(record(entry, "refund"), rates, otherwise)
            detailed[refund.external_id] = refund
    found = dict(detailed)
    for summary in records(order, "refunds"):
        refund_id = identity(summary, where="refund: ")
        if refund_id not in found:
            found[refund_id] = _summarised(summary, refund_id, otherwise)
    return tuple(found[refund_id] for refund_id in sorted(found, key=int))


def _summarised(summary: Record, refund_id: str, otherwise: datetime) -> Refund:
    tax = abs(amount(summary, "total_tax", "refund: ")) if summary.get("total_tax") is not None else None
    return Refund(
        external_id=refund_id,
        created_at=otherwise,
        total=abs(amount(summary, "total", "refund: ")),
        reason=title(summary, "reason"),
        # 0.00 is also what an amount-only refund says, whose VAT nobody knows.
        total_tax=tax or None,
        complete=False,
    )


def _detailed(entry: Record, rates: Rates, otherwise: datetime) -> Refund:
    where = f"refund {text(entry, 'id') or '?'}: "
    refund_id = identity(entry, where=where)
    # Older versions give a refund no tax_lines; the order's own rates stand under it either way.
    own = Rates.of(entry, rates) if isinstance(entry.get("tax_lines"), list) else rates
    lines = tuple(
        _line(row, own, kind, name_key, where)
        for key, (kind, name_key) in _KINDS.items()
        if key in entry or key == "line_items"
        for row in records(entry, key, where)
    )
    return Refund(
        external_id=refund_id,
        created_at=moment(entry, "date_created_gmt") or otherwise,
        total=abs(amount(entry, "amount", where)),
        reason=title(entry, "reason"),
        total_tax=sum((tax.amount for line in lines for tax in line.taxes), Decimal(0)) if lines else None,
        lines=lines,
    )


def _line(row: Record, rates: Rates, kind: LineKind, name_key: str, where: str) -> RefundLine:
    taxes = line_taxes(row, rates, where)
    return RefundLine(
        line_id=_refunded_line(row),
        kind=kind,
        name=title(row, name_key),
        quantity=-number(row, "quantity", where) if kind is LineKind.GOODS else Decimal(1),
        net=-amount(row, "total", where),
        taxes=tuple(Tax(rate=tax.rate, amount=-tax.amount, label=tax.label) for tax in taxes),
        sku=text(row, "sku"),
    )


def _refunded_line(row: Record) -> str:
    for meta in optional_records(row, "meta_data"):
        if text(meta, "key") == "_refunded_item_id":
            try:
                return identity(meta, "value")
            except Problem:
                return ""
    return ""
