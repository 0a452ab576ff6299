"""What changed in an order, row by row for a page: what it was and what it is now, values still typed (D12)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from monet_web.domain.money import ZERO
from monet_web.domain.orders import Address, Charge, Order, OrderLine
from monet_web.domain.windows import local_day


@dataclass(frozen=True, slots=True)
class Figures:
    """A line or charge as it stands in the order: name, quantity (None: a charge), amounts without VAT, its VAT."""

    name: str
    quantity: Decimal | None
    net: Decimal
    discount: Decimal
    vat: Decimal
    rates: tuple[Decimal | None, ...]


Value = Figures | Decimal | date | bool | str | None


@dataclass(frozen=True, slots=True)
class Row:
    """One difference. `what` is a name of WHATS; a line that came or went has None on one side."""

    what: str
    before: Value
    after: Value


WHATS = (
    "cancelled", "currency", "total", "vat", "line", "charge", "buyer", "company", "company_code", "vat_code",
    "address", "ship_country", "order_date", "payment_date", "supply_date", "store_number", "refunded",
)  # fmt: skip


def rows(old: Order, new: Order, zone: ZoneInfo) -> list[Row]:
    """What an invoice shows of the order and differs, as domain.changes judges it; days are of `zone`."""
    return list(_rows(old, new, zone))


def _rows(old: Order, new: Order, zone: ZoneInfo) -> Iterator[Row]:
    if new.is_cancelled and not old.is_cancelled:
        yield Row("cancelled", old.status_label or old.status, new.status_label or new.status)
    yield from _pairs(("currency", old.currency, new.currency))
    yield from _paired("line", old.lines, new.lines)
    yield from _paired("charge", old.charges, new.charges)
    yield from _pairs(("vat", old.total_tax, new.total_tax), ("total", old.total, new.total))
    yield from _pairs(
        ("buyer", old.buyer.name, new.buyer.name),
        ("company", old.buyer.company, new.buyer.company),
        ("company_code", old.buyer.company_code, new.buyer.company_code),
        ("vat_code", old.buyer.vat_code, new.buyer.vat_code),
        ("address", _address(old.buyer.address), _address(new.buyer.address)),
        ("ship_country", old.ship_to.country, new.ship_to.country),
        ("order_date", local_day(old.placed_at, zone), local_day(new.placed_at, zone)),
    )
    if old.paid_at:
        yield from _pairs(("payment_date", _day(old.paid_at, zone), _day(new.paid_at, zone)))
    if old.shipped_at:
        yield from _pairs(("supply_date", _day(old.shipped_at, zone), _day(new.shipped_at, zone)))
    if old.invoice_number:
        yield from _pairs(("store_number", old.invoice_number, new.invoice_number))
    yield from _pairs(("refunded", _given_back(old), _given_back(new)))


def _pairs(*pairs: tuple[str, Value, Value]) -> Iterator[Row]:
    for what, before, after in pairs:
        if before != after:
            yield Row(what, before, after)


def _paired(
    what: str, old: Sequence[OrderLine] | Sequence[Charge], new: Sequence[OrderLine] | Sequence[Charge]
) -> Iterator[Row]:
    """Lines by the store's own ids; what has none, or one that occurs twice, by its place among those."""
    before, after = _keyed(old), _keyed(new)
    for key in [*before, *(key for key in after if key not in before)]:
        yield from _pairs((what, before.get(key), after.get(key)))


def _keyed(rows: Sequence[OrderLine] | Sequence[Charge]) -> dict[tuple[str, int], Figures]:
    keyed: dict[tuple[str, int], Figures] = {}
    met: dict[str, int] = {}
    for row in rows:
        place = met.get(row.external_id, 0)
        met[row.external_id] = place + 1
        keyed[row.external_id, place] = Figures(
            name=row.name,
            quantity=row.quantity if isinstance(row, OrderLine) else None,
            net=row.net,
            discount=row.discount if isinstance(row, OrderLine) else ZERO,
            vat=sum((tax.amount for tax in row.taxes), ZERO),
            rates=tuple(tax.rate for tax in row.taxes),
        )
    return keyed


def _address(address: Address) -> str:
    parts = (
        address.name,
        address.company,
        address.line,
        address.postcode,
        address.city,
        address.state,
        address.country,
    )
    return ", ".join(part for part in parts if part)


def _day(moment: datetime | None, zone: ZoneInfo) -> date | None:
    return local_day(moment, zone) if moment else None


def _given_back(order: Order) -> Decimal:
    return sum((refund.total for refund in order.refunds), ZERO)
