"""Shopify's refunds: pieces, shipping and adjustments, held against the money that was really given back.

The texts do not say for certain whether a refund's sub-total holds VAT; it is taken as the order's prices are, unless
only the other reading comes to the money. Adjustments are differences whose sign varies with their reason: they are
taken only when they close the gap, and the total, which is the money, stays what it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from monet_web.connectors.foreign import Row, amount, identity, needed, part, share, text, utc_moment
from monet_web.connectors.shopify.money import Money, nodes, tail
from monet_web.domain.orders import Charge, LineKind, OrderLine, Refund, RefundLine, Tax

_ZERO = Decimal(0)
_RESTOCKED = {"RETURN": True, "CANCEL": True, "LEGACY_RESTOCK": True, "NO_RESTOCK": False}


def refunds(
    node: Row, money: Money, parts: Sequence[OrderLine | Charge], *, taxes_included: bool
) -> tuple[Refund, ...]:
    """The refunds of an order. One of which the store told only the id is incomplete."""
    of_order = {found.external_id: found for found in parts}
    found = nodes(node, "refunds")
    return tuple(
        _refund(refund, money, of_order, taxes_included=taxes_included)
        if "refundLineItems" in refund
        else _announced(refund, node, money, alone=len(found) == 1)
        for refund in found
    )


def _announced(refund: Row, node: Row, money: Money, *, alone: bool) -> Refund:
    """The list of orders names refunds without their lines; the order's own sum is that of a single one."""
    moment = utc_moment(refund, "createdAt") or utc_moment(refund, "updatedAt")
    return Refund(
        external_id=_refund_id(refund),
        created_at=needed(moment, "refunds updatedAt"),
        total=money.of(node, "totalRefundedSet", _ZERO) if alone else _ZERO,
        complete=False,
    )


@dataclass(frozen=True, slots=True)
class _Given:
    """A part of a refund as the store says it: `said` with or without `vat`, nobody knows yet."""

    line_id: str
    kind: LineKind
    name: str
    quantity: Decimal
    said: Decimal
    vat: Decimal
    restocked: bool | None = None


def _refund(refund: Row, money: Money, of_order: dict[str, OrderLine | Charge], *, taxes_included: bool) -> Refund:
    given = [_pieces(item, money, of_order) for item in nodes(refund, "refundLineItems")]
    given += [_shipping(item, money) for item in nodes(refund, "refundShippingLines")]
    total = money.of(refund, "totalRefundedSet", _ZERO)
    holds_vat = _holds_vat(given, total, taxes_included=taxes_included)
    given += _adjustments(refund, money, total - _gross(given, holds_vat=holds_vat), holds_vat=holds_vat)
    return Refund(
        external_id=_refund_id(refund),
        created_at=needed(utc_moment(refund, "createdAt"), "refunds createdAt"),
        # 0 when pieces were taken off before anybody paid: what was credited is then what the lines come to.
        total=total or _gross(given, holds_vat=holds_vat),
        total_tax=sum((found.vat for found in given), _ZERO) if given else None,
        reason=text(refund, "note"),
        lines=tuple(_line(found, of_order, holds_vat=holds_vat) for found in given),
    )


def _refund_id(refund: Row) -> str:
    return text(refund, "legacyResourceId") or tail(identity(refund, "id"))


def _pieces(item: Row, money: Money, of_order: dict[str, OrderLine | Charge]) -> _Given:
    line_id = tail(identity(part(item, "lineItem"), "id"))
    line = of_order.get(line_id)
    return _Given(
        line_id=line_id,
        kind=line.kind if line else LineKind.GOODS,
        name=line.name if line else text(part(item, "lineItem"), "title"),
        quantity=amount(item, "quantity"),
        said=money.of(item, "subtotalSet"),
        vat=money.of(item, "totalTaxSet", _ZERO),
        restocked=_RESTOCKED.get(text(item, "restockType")),
    )


def _shipping(item: Row, money: Money) -> _Given:
    return _Given(
        line_id=tail(text(part(item, "shippingLine"), "id")),
        kind=LineKind.SHIPPING,
        name="Shipping",
        quantity=Decimal(1),
        said=money.of(item, "subtotalAmountSet"),
        vat=money.of(item, "taxAmountSet", _ZERO),
    )


def _adjustments(refund: Row, money: Money, gap: Decimal, *, holds_vat: bool) -> list[_Given]:
    found = nodes(refund, "orderAdjustments")
    for sign in (1, -1):
        given = [
            _Given(
                line_id="",
                kind=LineKind.FEE,
                name=text(item, "reason").replace("_", " ").capitalize() or "Adjustment",
                quantity=Decimal(1),
                said=money.of(item, "amountSet") * sign,
                vat=money.of(item, "taxAmountSet", _ZERO) * sign,
            )
            for item in found
        ]
        if gap and _gross(given, holds_vat=holds_vat) == gap:
            return given
    return []


def _holds_vat(given: Sequence[_Given], total: Decimal, *, taxes_included: bool) -> bool:
    other_fits = _gross(given, holds_vat=not taxes_included) == total
    fits = _gross(given, holds_vat=taxes_included) == total
    return not taxes_included if other_fits and not fits else taxes_included


def _gross(given: Sequence[_Given], *, holds_vat: bool) -> Decimal:
    return sum((found.said if holds_vat else found.said + found.vat for found in given), _ZERO)


def _line(given: _Given, of_order: dict[str, OrderLine | Charge], *, holds_vat: bool) -> RefundLine:
    line = of_order.get(given.line_id)
    return RefundLine(
        line_id=given.line_id if line else "",
        kind=given.kind,
        name=given.name,
        quantity=given.quantity,
        net=given.said - given.vat if holds_vat else given.said,
        taxes=_taxes(given.vat, line.taxes if line else ()),
        sku=line.sku if isinstance(line, OrderLine) else "",
        restocked=given.restocked,
    )


def _taxes(vat: Decimal, original: Sequence[Tax]) -> tuple[Tax, ...]:
    """The rates of the line that is given back; without one the rate is unknown."""
    if not original:
        return (Tax(rate=None, amount=vat),) if vat else ()
    shares = share(vat, [tax.amount for tax in original])
    return tuple(
        Tax(rate=tax.rate, amount=found, label=tax.label, collected_by_marketplace=tax.collected_by_marketplace)
        for tax, found in zip(original, shares, strict=True)
    )
