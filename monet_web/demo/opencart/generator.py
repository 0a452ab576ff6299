"""Any number more orders of the recorded kinds: order `index` is a pure function of the seed and the index."""

from __future__ import annotations

import copy
import random
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Final

from monet_web.demo.opencart.documents import Document, moment_of, moved, recorded

_QUANTITIES: Final = (1, 1, 1, 2, 2, 3, 4, 5, 7, 10)
_PLAIN_TOTALS: Final = frozenset({"sub_total", "shipping", "cod_fee", "tax", "total"})
_UNIT = Decimal("0.0001")
_PARTS: Final = {
    "products": "order_product_id",
    "totals": "order_total_id",
    "vouchers": "order_voucher_id",
    "history": "order_history_id",
    "returns": "return_id",
}


@dataclass(frozen=True)
class Generator:
    """Makes orders of one version's recorded ones; two with one seed make the same."""

    version: str
    seed: int

    @cached_property
    def patterns(self) -> list[Document]:
        """The recorded orders."""
        return list(recorded(self.version, "orders"))

    def order(self, index: int, order_id: int, added: datetime, until: datetime) -> Document:
        """A new order, added at `added` (aware); no date of it lies beyond `until`. Its rows keep their old ids."""
        return self.like(self._pattern(index), self.seed * 1_000_003 + index, order_id, added, until)

    def like(self, pattern: int, seed: int, order_id: int, added: datetime, until: datetime) -> Document:
        """An order like the recorded one number `pattern`, with other people, quantities and dates."""
        mould = self.patterns[pattern % len(self.patterns)]
        chance = random.Random(seed)
        seconds = added.timestamp() - moment_of(mould["date_added"]).timestamp()
        order: Document = moved(copy.deepcopy(mould), seconds, until)
        order["order_id"] = str(order_id)
        order["invoice_no"] = "0"
        for part in _PARTS:
            for row in order[part]:
                row["order_id"] = str(order_id)
        if not order["payment_company"]:
            self._give_buyer(order, chance)
        _give_quantities(order, chance)
        return order

    def _pattern(self, index: int) -> int:
        """Each run of as many orders as were recorded uses every one once, in an order of its own."""
        block, place = divmod(index, len(self.patterns))
        # 83 is a prime, so the places of a block are all different.
        return (place * 31 + self.seed * 7919 + block * 10_007) % len(self.patterns)

    def _give_buyer(self, order: Document, chance: random.Random) -> None:
        first, last = chance.choice(self._private_buyers)
        for prefix in ("", "payment_", "shipping_"):
            order[f"{prefix}firstname"], order[f"{prefix}lastname"] = first, last
        order["email"] = f"pirkejas{chance.randrange(100, 100_000)}@example.test"

    @cached_property
    def _private_buyers(self) -> list[tuple[str, str]]:
        found = {(one["firstname"], one["lastname"]): None for one in self.patterns if not one["payment_company"]}
        return list(found)


def renumbered(order: Document, first: dict[str, int]) -> None:
    """Gives every row of the order an id of its own; `first` holds the next free one of each table, and is moved on."""
    for part, key in _PARTS.items():
        for row in order[part]:
            row[key] = str(first[part])
            first[part] += 1


def first_free(orders: list[Document]) -> dict[str, int]:
    """The next id of each table."""
    return {
        part: max((int(row[key]) for order in orders for row in order[part]), default=0) + 1
        for part, key in _PARTS.items()
    }


def _give_quantities(order: Document, chance: random.Random) -> None:
    """New quantities where the totals can follow them exactly: one rate, nothing taken off, no certificate."""
    totals = {total["code"]: total for total in order["totals"]}
    is_plain = len(totals) == len(order["totals"]) and totals.keys() <= _PLAIN_TOTALS and "tax" in totals
    if not is_plain or order["vouchers"] or any(not Decimal(line["tax"]) for line in order["products"]):
        return
    more_net = more_tax = Decimal(0)
    for line in order["products"]:
        before, after = int(line["quantity"]), chance.choice(_QUANTITIES)
        line["quantity"] = str(after)
        line["total"] = str((Decimal(line["price"]) * after).quantize(_UNIT))
        more_net += Decimal(line["price"]) * (after - before)
        more_tax += Decimal(line["tax"]) * (after - before)
    for code, more in (("sub_total", more_net), ("tax", more_tax), ("total", more_net + more_tax)):
        totals[code]["value"] = str((Decimal(totals[code]["value"]) + more).quantize(_UNIT))
    order["total"] = totals["total"]["value"]
