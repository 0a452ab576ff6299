"""The stock of a page of orders: balances locked once, shared out in memory, written once an item (D10)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from monet_web.domain.checks import KnownItem, stock_short
from monet_web.domain.findings import Finding
from monet_web.models.among import among, table_of
from monet_web.models.bulk import write_over
from monet_web.models.stock import Balance
from monet_web.services.importing.booking import Booking, StockKey
from monet_web.services.importing.prepare import Prepared


class PageStock:
    """Balances of the items of a page: locked once, shared out in memory, written once an item (D10)."""

    def __init__(self, on_hand: dict[StockKey, Decimal]) -> None:
        self._on_hand = on_hand
        self.spent: dict[StockKey, Decimal] = {}

    @classmethod
    def locked(cls, session: Session, booking: Booking, prepared: Sequence[Prepared]) -> PageStock:
        return cls(cls._load(session, booking, prepared, lock=True))

    @classmethod
    def seen(cls, session: Session, booking: Booking, prepared: Sequence[Prepared]) -> PageStock:
        on_hand = cls._load(session, booking, prepared, lock=False)
        stock = cls({key: amount - booking.spent.get(key, Decimal(0)) for key, amount in on_hand.items()})
        stock.spent = dict(booking.spent)
        return stock

    @staticmethod
    def _load(
        session: Session, booking: Booking, prepared: Sequence[Prepared], *, lock: bool
    ) -> dict[StockKey, Decimal]:
        keys = {key for one in prepared if one.draft for key, _, _, _ in _needs(booking, one)}
        if not keys:
            return {}
        wanted = {"warehouses": {key[0] for key in keys}, "items": {key[1] for key in keys}}
        rows = session.execute(_LOCKED if lock else _SEEN, wanted)
        return {(row.warehouse_id, row.item_id): row.on_hand for row in rows}

    def short(self, booking: Booking, one: Prepared) -> list[Finding]:
        """What the document needs beyond what is there; nothing is taken."""
        return self._asked(booking, one)[0]

    def take(self, booking: Booking, one: Prepared) -> list[Finding]:
        """Take what the document needs, all or nothing; the shortages as findings."""
        short, needs = self._asked(booking, one)
        if not short:
            for key, needed in needs.items():
                self._on_hand[key] = self._on_hand.get(key, Decimal(0)) - needed
                self.spent[key] = self.spent.get(key, Decimal(0)) + needed
        return short

    def _asked(self, booking: Booking, one: Prepared) -> tuple[list[Finding], dict[StockKey, Decimal]]:
        needs: dict[StockKey, Decimal] = {}
        known: dict[StockKey, tuple[KnownItem, str]] = {}
        for key, item, warehouse, quantity in _needs(booking, one):
            needs[key] = needs.get(key, Decimal(0)) + quantity
            known[key] = (item, warehouse)
        short = [
            stock_short(
                item=known[key][0].code,
                warehouse=known[key][1],
                needed=needed,
                on_hand=self._on_hand.get(key, Decimal(0)),
            )
            for key, needed in needs.items()
            if needed > self._on_hand.get(key, Decimal(0))
        ]
        return short, needs

    def write(self, session: Session) -> None:
        rows = [
            {"warehouse_id": warehouse_id, "item_id": item_id, "on_hand": self._on_hand[warehouse_id, item_id]}
            for (warehouse_id, item_id), spent in sorted(self.spent.items())
            if spent
        ]
        if rows:
            write_over(session, Balance, rows, unique=("warehouse_id", "item_id"))


_BALANCES = table_of(Balance).c
# Every item in every warehouse of the page: where lines take from several, a few more rows than they need.
_SEEN = (
    select(_BALANCES.warehouse_id, _BALANCES.item_id, _BALANCES.on_hand)
    .where(among(_BALANCES.warehouse_id, "warehouses"), among(_BALANCES.item_id, "items"))
    .order_by(_BALANCES.warehouse_id, _BALANCES.item_id)
)
_LOCKED = _SEEN.with_for_update()


def moves_stock(booking: Booking, one: Prepared) -> bool:
    """True when registering it takes something from a warehouse."""
    return any(quantity for _, _, _, quantity in _needs(booking, one))


def _needs(booking: Booking, one: Prepared) -> Iterator[tuple[StockKey, KnownItem, str, Decimal]]:
    """(warehouse and item, the item, the warehouse's code, quantity) of each line that takes from the stock."""
    assert one.draft is not None  # noqa: S101 - only drafted orders need stock
    for index, (line, item) in enumerate(zip(one.draft.lines, one.items, strict=True)):
        place = one.place(booking, index)
        # Without a warehouse the document waits anyway (warehouse_missing).
        if item is not None and item.keeps_stock and place.id is not None:
            yield (place.id, item.id), item, place.code, line.quantity
