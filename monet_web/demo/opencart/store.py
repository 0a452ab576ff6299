"""What a demo OpenCart holds: its orders, and what people do to them in the shop's admin."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from monet_web.demo.opencart.documents import Document, moment_of, moved, recorded, text_of
from monet_web.demo.opencart.generator import Generator, first_free, renumbered

# The recording was made at this moment; a still shop has no order after it.
RECORDED_AT: Final = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
_FIRST_MADE_ID: Final = 1001
_USUAL_GAP: Final = timedelta(hours=4)


class Store:
    """`total` orders: the recorded ones first, then made ones. Safe from several threads.

    `newest` (aware): where the newest order is moved to, all others with it; None leaves the recorded dates. `until`:
    no date lies beyond it. Every order is held in memory.
    """

    def __init__(
        self,
        *,
        version: str = "oc3",
        seed: int = 1,
        total: int = 200,
        newest: datetime | None = None,
        until: datetime = RECORDED_AT,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.version = version
        self.info: Document = recorded(version, "info")
        self.now = now
        self.lock = threading.RLock()
        self._generator = Generator(version, seed)
        orders = self._history(total)
        if newest is not None and orders:
            seconds = newest.timestamp() - moment_of(orders[-1]["date_added"]).timestamp()
            orders = moved(orders, seconds, until)
        self._free = first_free(orders)
        self.orders: dict[int, Document] = {int(order["order_id"]): order for order in orders}
        self._last_id = max(self.orders, default=0)

    @property
    def newest_added(self) -> datetime:
        """When the newest order was added; of a shop without orders, now."""
        return max((moment_of(order["date_added"]) for order in self.orders.values()), default=self.now())

    def finished(self) -> Iterator[Document]:
        """The orders of which checkout was finished, by id. Hold the lock."""
        for number in sorted(self.orders):
            if self.orders[number]["order_status_id"] != "0":
                yield self.orders[number]

    def status_name(self, status: str) -> str:
        """What the shop calls a status, "" for one that it does not have."""
        names = {row["order_status_id"]: row["name"] for row in reversed(self.info["order_statuses"])}
        return str(names.get(status, ""))

    # What people do in the shop.

    def add(self, *, at: datetime | None = None, pattern: int = 5, **header: Any) -> int:
        """A new order like the recorded one number `pattern`; `header` replaces columns of its own. Returns its id."""
        with self.lock:
            moment = self._at(at)
            self._last_id += 1
            order = self._generator.like(pattern, self._last_id, self._last_id, moment, moment)
            order["date_modified"] = order["date_added"]
            order["returns"] = []
            order.update(header)
            order["order_status"] = self.status_name(order["order_status_id"])
            renumbered(order, self._free)
            self.orders[self._last_id] = order
            return self._last_id

    def step(self, order_id: int, status: str, *, at: datetime | None = None, comment: str = "") -> None:
        """An entry of the order's history, as the admin's "Add History" makes one."""
        with self.lock:
            order, date = self.orders[order_id], text_of(self._at(at))
            entry = {"order_id": str(order_id), "order_status_id": status, "comment": comment, "date_added": date}
            order["history"].append({"order_history_id": str(self._free["history"]), **entry})
            self._free["history"] += 1
            order.update(order_status_id=status, order_status=self.status_name(status), date_modified=date)

    def edit(self, order_id: int, *, at: datetime | None = None, **header: Any) -> None:
        """Editing re-creates the order's rows: products and totals get new ids."""
        with self.lock:
            order = self.orders[order_id]
            history, returns = order["history"], order["returns"]
            order.update(copy.deepcopy(header), history=[], returns=[], date_modified=text_of(self._at(at)))
            renumbered(order, self._free)
            order.update(history=history, returns=returns)

    def press_invoice(self, order_id: int) -> None:
        """The admin's button "Generate invoice": `date_modified` stays as it was."""
        with self.lock:
            numbers = [int(order["invoice_no"]) for order in self.orders.values()]
            self.orders[order_id]["invoice_no"] = str(max(numbers) + 1)

    def delete(self, order_id: int) -> None:
        """Deleted orders leave no trace, and their ids are not used again."""
        with self.lock:
            del self.orders[order_id]

    def _history(self, total: int) -> list[Document]:
        orders: list[Document] = recorded(self.version, "orders")[:total]
        made = total - len(orders)
        if made <= 0:
            return orders
        last = moment_of(orders[-1]["date_added"])
        gap = min(_USUAL_GAP, (RECORDED_AT - last) / (made + 1))
        free = first_free(orders)
        for index in range(made):
            order = self._generator.order(index, _FIRST_MADE_ID + index, last + gap * (index + 1), RECORDED_AT)
            renumbered(order, free)
            orders.append(order)
        return orders

    def _at(self, at: datetime | None) -> datetime:
        return self.now() if at is None else at
