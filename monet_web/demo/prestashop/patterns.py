"""The recorded orders with all that belongs to each: what every other order of the demo shop is made like."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from itertools import groupby
from typing import Final

from monet_web.demo.prestashop.recordings import NEVER, OF_ORDERS, Row, copy, recorded, seconds

_PAYMENT_IDS: Final = 1000  # of the payments that the recording lacks; far from the recorded ones


@dataclass(frozen=True, slots=True)
class Bundle:
    """An order's rows by their table: `rows["order_details"]` and so on. The order itself is `order`."""

    order: Row
    rows: dict[str, list[Row]]

    def copied(self) -> Bundle:
        return Bundle(copy(self.order), copy(self.rows))

    @property
    def order_id(self) -> int:
        return int(self.order["id"])


@dataclass(frozen=True, slots=True)
class Pattern:
    """A recorded order. `lag` is the time from its creation to its last change, in seconds."""

    bundle: Bundle
    created: int
    lag: int
    slip_lags: tuple[int, ...]
    adds_up: bool


@cache
def patterns() -> tuple[Pattern, ...]:
    """All recorded orders by id."""
    tables: dict[str, defaultdict[int, list[Row]]] = {
        name: defaultdict(list) for name in OF_ORDERS if name != "order_payments"
    }
    for name, by_order in tables.items():
        for row in recorded(name):
            by_order[row["id_order"]].append(row)
    paid = defaultdict(list)
    for row in recorded("order_payments"):
        paid[row["order_reference"]].append(row)
    found = []
    for order in recorded("orders"):
        rows = {name: by_order[order["id"]] for name, by_order in tables.items()}
        rows["order_payments"] = _payments(order, paid[order["reference"]])
        found.append(_pattern(Bundle(order, rows)))
    return tuple(found)


@cache
def carts() -> tuple[tuple[int, ...], ...]:
    """Indices of patterns that are one cart: a cart whose goods leave with two carriers is two orders."""
    indexed = sorted(range(len(patterns())), key=lambda i: (patterns()[i].bundle.order["reference"], i))
    groups = [tuple(same) for _, same in groupby(indexed, key=lambda i: patterns()[i].bundle.order["reference"])]
    return tuple(sorted(groups))


def _payments(order: Row, said: list[Row]) -> list[Row]:
    """The recorded ones on the order they are booked on; the recording has few, so the others are made from what the
    header says was paid.
    """
    if said:
        return said if Decimal(order["total_paid_real"]) else []
    if not Decimal(order["total_paid_real"]):
        return []
    row = {
        "id": _PAYMENT_IDS + order["id"],
        "order_reference": order["reference"],
        "id_currency": order["id_currency"],
        "amount": order["total_paid_real"],
        "payment_method": order["payment"],
        "conversion_rate": "1.000000",  # whatever the currency: the real one writes it so too
        "transaction_id": f"TX-{order['id']}",
    }
    row |= dict.fromkeys(("card_number", "card_brand", "card_expiration", "card_holder"), "")
    return [row | {"date_add": order["date_add"] if order["invoice_date"] == NEVER else order["invoice_date"]}]


def _pattern(bundle: Bundle) -> Pattern:
    order = bundle.order
    created = seconds(order["date_add"])
    parts = ("total_products_wt", "total_shipping_tax_incl", "total_wrapping_tax_incl")
    said = sum(Decimal(order[part]) for part in parts) - Decimal(order["total_discounts_tax_incl"])
    return Pattern(
        bundle=bundle,
        created=created,
        lag=seconds(order["date_upd"]) - created,
        slip_lags=tuple(seconds(slip["date_add"]) - created for slip in bundle.rows["order_slip"]),
        adds_up=said == Decimal(order["total_paid_tax_incl"]),
    )
