"""What the demo shop holds: its history, and what was bought, changed, credited or deleted since."""

from __future__ import annotations

import heapq
import random
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Any

from monet_web.demo.prestashop.generator import made, reference
from monet_web.demo.prestashop.history import FIRST_MADE_ID, Header, History
from monet_web.demo.prestashop.patterns import Bundle, patterns
from monet_web.demo.prestashop.recordings import NEVER, SHARED, Row, copy, local_text, recorded, seconds

_CENT = Decimal("0.01")


class Store:
    """Edits are what people do in the shop's back office. Safe from several threads; memory grows with the edits."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.tables: dict[str, list[Row]] = {name: copy(list(recorded(name))) for name in SHARED}
        self.lock = threading.RLock()
        self._changed: dict[int, Bundle] = {}
        self._deleted: set[int] = set()
        self._of_history = lru_cache(maxsize=500)(history.bundle)  # one page's orders are asked for table by table

    # Reading.

    def bundle(self, order_id: int) -> Bundle | None:
        """A copy of an order with its rows."""
        if order_id in self._changed:
            return self._changed[order_id].copied()
        index = None if order_id in self._deleted else self.history.index_of(order_id)
        return None if index is None else self.history.bundle(index)

    def peek(self, order_id: int) -> Bundle | None:
        """An order with its rows, to be read and not changed."""
        if order_id in self._changed:
            return self._changed[order_id]
        index = None if order_id in self._deleted else self.history.index_of(order_id)
        return None if index is None else self._of_history(index)

    def headers(self) -> Iterator[Header]:
        """Of every order, by id."""
        changed = (_header(self._changed[order_id]) for order_id in sorted(self._changed))
        yield from heapq.merge(self._untouched(range(self.history.count)), changed)

    def of_carts(self, references: Collection[str]) -> list[int]:
        """Ids of the orders of these carts."""
        known = [order_id for cart in references for order_id in self.history.by_reference.get(cart, ())]
        found = {one for one in known if one not in self._changed and one not in self._deleted}
        found |= {one for one, bundle in self._changed.items() if bundle.order["reference"] in references}
        return sorted(found)

    def shop_of(self, order_id: int) -> tuple[int, int]:
        """The shop that an order was placed in, and its group."""
        order = self._changed[order_id].order if order_id in self._changed else {}
        return order.get("id_shop", 1), order.get("id_shop_group", 1)

    def newest(self, count: int) -> list[int]:
        """The highest ids."""
        last = range(max(0, self.history.count - count), self.history.count)
        ids = [header.id for header in self._untouched(last)]
        return sorted({*ids, *sorted(self._changed)[-count:]})[-count:]

    def _untouched(self, indices: range) -> Iterator[Header]:
        headers = (self.history.header(index) for index in indices)
        return (one for one in headers if one.id not in self._changed and one.id not in self._deleted)

    def with_slips(self) -> Iterator[int]:
        """Ids of the orders that have a credit slip."""
        for index in range(self.history.count):
            header_id = self.history.header(index).id
            if header_id in self._changed or header_id in self._deleted:
                continue
            if self.history.slip_dates(index):
                yield header_id
        yield from (order_id for order_id, bundle in sorted(self._changed.items()) if bundle.rows["order_slip"])

    @property
    def newest_id(self) -> int:
        history_end = self.history.header(self.history.count - 1).id if self.history.count else FIRST_MADE_ID
        return max([history_end, *self._changed, *self._deleted])

    # What people do in the shop.

    def buy(self, *, at: int, pattern: int = 0, state: int | None = None, **fields: Any) -> int:
        """A new order at `at` (seconds since 1970) like the recorded one number `pattern`; returns its id."""
        with self.lock:
            order_id = self.newest_id + 1
            of = patterns()[pattern % len(patterns())]
            bundle = made(of, order_id, reference(10_000_000 + order_id), at, at, random.Random(order_id))
            bundle.rows["order_slip"].clear()
            if state is not None:
                bundle.order["current_state"] = state
            bundle.order.update(fields)
            self._changed[order_id] = bundle
            return order_id

    def put(self, bundle: Bundle) -> None:
        """Any order as it is; replaces the one with its id."""
        with self.lock:
            self._deleted.discard(bundle.order_id)
            self._changed[bundle.order_id] = bundle.copied()

    def edit(self, order_id: int, *, at: int, **fields: Any) -> None:
        """Replaces fields of the order, and writes a new date_upd."""
        with self.lock:
            bundle = self._required(order_id)
            bundle.order.update(fields, date_upd=local_text(at))
            self._changed[order_id] = bundle

    def delete(self, order_id: int) -> None:
        """Gone for good, as the webservice's DELETE leaves it."""
        with self.lock:
            self._required(order_id)
            self._changed.pop(order_id, None)
            self._deleted.add(order_id)

    def credit(self, order_id: int, pieces: Mapping[int, int], *, at: int) -> int:
        """A credit slip of pieces of lines (line id → quantity); returns its id. The order's date_upd stays."""
        with self.lock:
            bundle = self._required(order_id)
            slips = bundle.rows["order_slip"]
            slip_id = order_id * 10 + 5 + len(slips)
            lines = [row for row in bundle.rows["order_details"] if row["id"] in pieces]
            given = [_given(row, pieces[row["id"]], slip_id) for row in lines]
            net, gross = (_sum(given, f"amount_tax_{kind}") for kind in ("excl", "incl"))
            slips.append(
                {
                    "id": slip_id,
                    "id_customer": bundle.order["id_customer"],
                    "id_order": order_id,
                    "conversion_rate": bundle.order["conversion_rate"],
                    "total_products_tax_excl": net,
                    "total_products_tax_incl": gross,
                    "total_shipping_tax_excl": "0.000000",
                    "total_shipping_tax_incl": "0.000000",
                    "amount": gross,
                    "shipping_cost": 0,
                    "shipping_cost_amount": "0.000000",
                    "partial": 0,
                    "date_add": local_text(at),
                    "date_upd": local_text(at),
                    "order_slip_type": 0,
                    "associations": {"order_slip_details": given},
                }
            )
            self._changed[order_id] = bundle
            return slip_id

    def pay(self, order_id: int, *, at: int) -> None:
        """The money arrived: a payment of the whole, and an invoice if there was none."""
        with self.lock:
            bundle = self._required(order_id)
            order, when = bundle.order, local_text(at)
            if not bundle.rows["order_payments"]:
                row = copy(
                    next(p.bundle.rows["order_payments"] for p in patterns() if p.bundle.rows["order_payments"])[0]
                )
                row |= {"id": order_id * 10, "order_reference": order["reference"], "id_currency": order["id_currency"]}
                row |= {"amount": order["total_paid_tax_incl"], "payment_method": order["payment"], "date_add": when}
                bundle.rows["order_payments"].append(row)
            order.update(total_paid_real=order["total_paid_tax_incl"], date_upd=when)
            if order["invoice_date"] == NEVER:
                order.update(invoice_number=order_id * 2, invoice_date=when)
            self._changed[order_id] = bundle

    def _required(self, order_id: int) -> Bundle:
        found = self.bundle(order_id)
        if found is None:
            message = f"the demo shop has no order {order_id}"
            raise LookupError(message)
        return found


def _header(bundle: Bundle) -> Header:
    order = bundle.order
    return Header(order["id"], seconds(order["date_add"]), seconds(order["date_upd"]))


def _given(row: Row, pieces: int, slip_id: int) -> Row:
    share = Decimal(pieces) / Decimal(row["product_quantity"])
    line: Row = {"id": slip_id, "id_order_detail": row["id"], "product_quantity": pieces}
    for kind in ("excl", "incl"):
        worth = (Decimal(row[f"total_price_tax_{kind}"]) * share).quantize(_CENT, ROUND_HALF_UP)
        line[f"amount_tax_{kind}"] = f"{worth}0000"
    return line


def _sum(rows: Iterable[Row], key: str) -> str:
    return str(sum((Decimal(row[key]) for row in rows), Decimal("0.000000")))
