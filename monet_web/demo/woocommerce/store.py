"""What a demo shop holds: its history, and what was added, edited, refunded, trashed or deleted since."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from monet_web.demo.woocommerce.changes import bumped, new_order, refund_document
from monet_web.demo.woocommerce.clock import read_utc, seconds, set_dates
from monet_web.demo.woocommerce.documents import Document, copy, recorded
from monet_web.demo.woocommerce.generator import ID_STEP
from monet_web.demo.woocommerce.history import FIRST_MADE_ID, Header, History, RealisticHistory
from monet_web.demo.woocommerce.profile import CURRENT, Profile


@dataclass(frozen=True, slots=True)
class Changed:
    """An order that is not (or no longer) as the history has it; `refunds` newest first."""

    document: Document
    refunds: tuple[Document, ...]
    revision: int

    @property
    def header(self) -> Header:
        document = self.document
        created, modified = document["date_created_gmt"], document["date_modified_gmt"]
        return Header(document["id"], read_utc(created), read_utc(modified), document["status"])


class Store:
    """Edits are what people do in the shop's admin pages. `now` is asked when an edit does not say when it happened.

    Safe from several threads. Its memory grows with the edits, not with the history.
    """

    def __init__(
        self,
        history: History | None = None,
        *,
        profile: Profile = CURRENT,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.history: History = RealisticHistory(seed=0, total=200) if history is None else history
        self.profile = profile
        self.now = now
        self.products: list[Document] = copy(recorded("products"))
        self.changed: dict[int, Changed] = {}
        self.deleted: set[int] = set()
        self.version = 0
        self.lock = threading.RLock()

    # Reading.

    def order(self, order_id: int) -> Document | None:
        """A copy of the order with the recorded address, trashed ones and drafts too."""
        found = self._entry(order_id)
        return None if found is None else found[0]

    def refunds(self, order_id: int) -> tuple[Document, ...]:
        """Copies of the order's refunds, newest first."""
        found = self._entry(order_id)
        return () if found is None else found[1]

    def revision(self, order_id: int) -> int:
        """Grows with each change of the order; 0 while it is as the history has it."""
        changed = self.changed.get(order_id)
        return 0 if changed is None else changed.revision

    def untouched_headers(self, low: int, high: int) -> Iterator[Header]:
        """Headers of the history's orders of [low, high) that nobody changed."""
        for index in range(low, high):
            header = self.history.header(index)
            if header.id not in self.changed and header.id not in self.deleted:
                yield header

    def refund_headers(self) -> Iterator[tuple[int, int, int]]:
        """(refund id, creation time, order id) of every refund of an order outside the trash."""
        for index in range(self.history.count) if self._may_have_refunds else ():
            for refund_id, created in self.history.refunds(index):
                order_id = self.history.header(index).id
                if order_id not in self.changed and order_id not in self.deleted:
                    yield refund_id, created, order_id
        for order_id, changed in self.changed.items():
            if changed.document["status"] != "trash":
                for refund in changed.refunds:
                    yield refund["id"], read_utc(refund["date_created_gmt"]), order_id

    @property
    def newest_id(self) -> int:
        history_end = self.history.header(self.history.count - 1).id if self.history.count else FIRST_MADE_ID
        return max(history_end, *self.changed) if self.changed else history_end

    @property
    def newest_created(self) -> int:
        """Creation time of the newest order; of a shop without orders, now."""
        times = [changed.header.created for changed in self.changed.values()]
        if self.history.count:
            times.append(self.history.created(self.history.count - 1))
        return max(times, default=seconds(self.now()))

    # What people do in the shop.

    def add(self, *, pattern: int = 0, at: datetime | None = None, **fields: Any) -> int:
        """A new order like the recorded one number `pattern` (0..199); `fields` replace its own. Returns its id.

        `id=` may be among the fields. Without a `status` it is the pattern's, without refunds.
        """
        with self.lock:
            moment = seconds(self._at(at))
            order_id = int(fields.pop("id", 0)) or self._next_id()
            document = new_order(pattern, order_id, moment)
            document.update(fields)
            self._keep(document, ())
            return order_id

    def put(self, document: Document, refunds: tuple[Document, ...] = ()) -> None:
        """Any order as it is, with the recorded address; replaces the one with its id."""
        with self.lock:
            self._keep(copy(document), tuple(copy(list(refunds))))

    def edit(self, order_id: int, *, at: datetime | None = None, **fields: Any) -> None:
        """Replaces fields of the order; whether date_modified follows depends on the version and the fields."""
        with self.lock:
            document, refunds = self._required(order_id)
            document.update(fields)
            moment = self._at(at)
            if fields.get("status") == "completed":
                set_dates(document, "date_completed", seconds(moment))
            if bumped(fields, self.profile):
                set_dates(document, "date_modified", seconds(moment))
            self._keep(document, refunds)

    def trash(self, order_id: int, *, at: datetime | None = None) -> None:
        self.edit(order_id, at=at, status="trash")

    def delete(self, order_id: int) -> None:
        """Deleted for good: it leaves no trace, and its id is not used again."""
        with self.lock:
            self._required(order_id)
            self.changed.pop(order_id, None)
            self.deleted.add(order_id)
            self.version += 1

    def refund(
        self,
        order_id: int,
        *,
        amount: Decimal | None = None,
        quantities: Mapping[int, int] | None = None,
        reason: str = "",
        at: datetime | None = None,
    ) -> int:
        """Refunds money alone (`amount`, gross), or pieces of lines (line id → quantity), or all that is left.

        Returns the refund's id. The order becomes `refunded` only when nothing is left of it. More than is left is
        a ValueError; the real shop answers 500.
        """
        with self.lock:
            document, refunds = self._required(order_id)
            moment = self._at(at)
            left = Decimal(document["total"]) + sum(Decimal(each["total"]) for each in document["refunds"])
            refund_id = self._next_id()
            refund = refund_document(
                document, refund_id, amount=left if not quantities and amount is None else amount,
                quantities=quantities or {}, reason=reason, created=seconds(moment),
            )  # fmt: skip
            gross = Decimal(refund["amount"])
            if gross > left:
                message = f"{gross} is more than the {left} left of order {order_id}"
                raise ValueError(message)
            lines = [*refund["line_items"], *refund["shipping_lines"], *refund["fee_lines"]]
            tax = sum((Decimal(line["total_tax"]) for line in lines), Decimal("0.00"))
            short = {"id": refund_id, "reason": reason, "total": str(-gross), "total_tax": str(tax)}
            document["refunds"] = [short, *document["refunds"]]
            if gross == left:
                document["status"] = "refunded"
            if gross == left or self.profile.is_current:
                set_dates(document, "date_modified", seconds(moment))
            self._keep(document, (refund, *refunds))
            return refund_id

    def delete_refund(self, order_id: int, refund_id: int) -> None:
        """No version tells of it: date_modified stays."""
        with self.lock:
            document, refunds = self._required(order_id)
            document["refunds"] = [each for each in document["refunds"] if each["id"] != refund_id]
            self._keep(document, tuple(each for each in refunds if each["id"] != refund_id))

    def _entry(self, order_id: int) -> tuple[Document, tuple[Document, ...]] | None:
        changed = self.changed.get(order_id)
        if changed is not None:
            return copy(changed.document), tuple(copy(list(changed.refunds)))
        index = None if order_id in self.deleted else self.history.index_of(order_id)
        return None if index is None else self.history.order(index)

    def _required(self, order_id: int) -> tuple[Document, tuple[Document, ...]]:
        found = self._entry(order_id)
        if found is None:
            message = f"the demo shop has no order {order_id}"
            raise LookupError(message)
        return found

    def _keep(self, document: Document, refunds: tuple[Document, ...]) -> None:
        self.version += 1
        self.deleted.discard(document["id"])
        self.changed[document["id"]] = Changed(document, refunds, self.version)

    def _next_id(self) -> int:
        """Above every id given: orders, refunds, deleted ones."""
        used = [self.newest_id, *self.deleted]
        used += [refund["id"] for changed in self.changed.values() for refund in changed.refunds]
        return max(used) + ID_STEP

    def _at(self, at: datetime | None) -> datetime:
        return self.now() if at is None else at

    @property
    def _may_have_refunds(self) -> bool:
        # A benchmark's history of a million has none; nobody walks through it to see that.
        return self.history.statuses != frozenset({"completed"})
