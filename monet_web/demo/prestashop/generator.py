"""Makes any number of further orders from the recorded ones: other ids, dates and quantities, the same kinds.

All amounts of an order are multiplied by one whole number, so that whatever added up still does and the VAT is still
that of its rates; an order that the real shop wrote a cent wrong keeps its amounts, or the cent would grow.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from string import ascii_uppercase
from typing import Final, NamedTuple

from monet_web.demo.prestashop.patterns import Bundle, Pattern, carts, patterns
from monet_web.demo.prestashop.recordings import NEVER, Row, local_text, seconds

_ROWS_OF_ORDER: Final = 50  # ids kept free for each order's rows in every table
_DATES: Final = ("date_add", "date_upd", "invoice_date", "delivery_date")
_MULTIPLIED: Final[dict[str, tuple[str, ...]]] = {
    "order_details": (
        *("product_quantity", "total_price_tax_incl", "total_price_tax_excl"),
        *("total_refunded_tax_excl", "total_refunded_tax_incl"),
    ),
    "order_cart_rules": ("value", "value_tax_excl"),
    "order_slip": (
        *("total_products_tax_excl", "total_products_tax_incl", "total_shipping_tax_excl", "total_shipping_tax_incl"),
        *("amount", "shipping_cost_amount"),
    ),
    "order_slip_details": ("product_quantity", "amount_tax_excl", "amount_tax_incl"),
    "order_payments": ("amount",),
    "order_rows": ("product_quantity",),
}


class Place(NamedTuple):
    """Which recorded order a made one is like, and which cart it belongs to."""

    pattern: int
    cart: int  # the number of its cart among all made ones


class Generator:
    """A pure function of the seed: the same seed and index give the same order."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._block = lru_cache(maxsize=64)(self._shuffled)

    def place(self, index: int) -> Place:
        """Of the `index`th made order. Every hundred holds each recorded order once; carts stay together."""
        block, at = divmod(index, len(patterns()))
        return self._block(block)[at]

    def pattern(self, index: int) -> Pattern:
        return patterns()[self.place(index).pattern]

    def bundle(self, index: int, order_id: int, created: int, until: int) -> Bundle:
        """The `index`th made order; no date of it lies after `until`."""
        place = self.place(index)
        chance = random.Random(self._seed * 1_000_003 + index)
        return made(patterns()[place.pattern], order_id, reference(place.cart), created, until, chance)

    def _shuffled(self, block: int) -> list[Place]:
        order = list(enumerate(carts()))
        random.Random(self._seed * 7919 + block).shuffle(order)
        first = block * len(carts())
        return [Place(pattern, first + number) for number, cart in order for pattern in cart]


def reference(cart: int) -> str:
    """A cart's reference: nine letters, as PrestaShop's are; no two carts share one, and none is a recorded one."""
    letters, left = "", cart * 7_368_787 % 26**7
    for _ in range(7):
        left, at = divmod(left, 26)
        letters += ascii_uppercase[at]
    return f"ZZ{letters}"


def made(
    pattern: Pattern, order_id: int, cart_reference: str, created: int, until: int, chance: random.Random
) -> Bundle:
    """An order like `pattern`."""
    bundle = pattern.bundle.copied()
    order, rows = bundle.order, bundle.rows
    times = chance.choice((1, 1, 1, 2, 3)) if pattern.adds_up else 1
    details = {row["id"]: order_id * _ROWS_OF_ORDER + place for place, row in enumerate(rows["order_details"])}
    invoices = {row["number"]: order_id * 2 + place for place, row in enumerate(rows["order_invoices"])}
    for row in order.get("associations", {}).get("order_rows", []):
        row["id"] = details[row["id"]]
        _multiply(row, _MULTIPLIED["order_rows"], times)
    order.update(id=order_id, id_cart=order_id, reference=cart_reference)
    _multiply(order, [key for key in order if key.startswith("total_")], times)
    order["invoice_number"] = invoices.get(order["invoice_number"], order["invoice_number"])
    _renumber(rows, order_id, cart_reference, details, invoices)
    for table, table_rows in rows.items():
        for row in table_rows:
            keys = [k for k in row if k.startswith("total_")] if table == "order_invoices" else _MULTIPLIED[table]
            _multiply(row, keys, times)
            for line in row.get("associations", {}).get("order_slip_details", []):
                _multiply(line, _MULTIPLIED["order_slip_details"], times)
    for row in (order, *(row for table_rows in rows.values() for row in table_rows)):
        move_dates(row, lambda second: min(second - pattern.created + created, until))
    return bundle


def move_dates(row: Row, moved: Callable[[int], int]) -> None:
    """Every date of a row, but for those that never were."""
    for key in _DATES:
        if row.get(key, NEVER) != NEVER:
            row[key] = local_text(moved(seconds(row[key])))


def _renumber(
    rows: dict[str, list[Row]], order_id: int, cart_reference: str, details: dict[int, int], invoices: dict[int, int]
) -> None:
    """Every row gets an id of its own; a slip's lines keep pointing to the order's."""
    for table_rows in rows.values():
        for place, row in enumerate(table_rows):
            row["id"] = details[row["id"]] if row["id"] in details and "product_id" in row else order_id * 10 + place
            if "id_order" in row:
                row["id_order"] = order_id
            if "order_reference" in row:
                row["order_reference"] = cart_reference
    for invoice in rows["order_invoices"]:
        invoice["number"] = invoices[invoice["number"]]
    for slip in rows["order_slip"]:
        for line in slip.get("associations", {}).get("order_slip_details", []):
            line["id"], line["id_order_detail"] = slip["id"], details[line["id_order_detail"]]


def _multiply(row: Row, keys: tuple[str, ...] | list[str], times: int) -> None:
    for key in keys:
        if isinstance(row.get(key), int):
            row[key] *= times
        elif isinstance(row.get(key), str):
            row[key] = str(Decimal(row[key]) * times)
