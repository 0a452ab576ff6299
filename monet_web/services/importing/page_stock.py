"""The stock of a page of orders: balances locked once, shared out in memory, written once an item (D10)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from monet_web.domain.checks import KnownItem, stock_short
from monet_web.domain.findings import Finding
from monet_web.models.stock import Balance
from monet_web.services.importing.booking import Booking
from monet_web.services.importing.prepare import Prepared


class PageStock:
    """Balances of the items of a page: locked once, shared out in memory, written once an item (D10)."""

    def __init__(self, booking: Booking, on_hand: dict[int, Decimal]) -> None:
        self._booking = booking
        self._on_hand = on_hand
        self.spent: dict[int, Decimal] = {}

    @classmethod
    def locked(cls, session: Session, booking: Booking, prepared: Sequence[Prepared]) -> PageStock:
        return cls(booking, cls._load(session, booking, prepared, lock=True))

    @classmethod
    def seen(cls, session: Session, booking: Booking, prepared: Sequence[Prepared]) -> PageStock:
        on_hand = cls._load(session, booking, prepared, lock=False)
        stock = cls(booking, {item: amount - booking.spent.get(item, Decimal(0)) for item, amount in on_hand.items()})
        stock.spent = dict(booking.spent)
        return stock

    @staticmethod
    def _load(session: Session, booking: Booking, prepared: Sequence[Prepared], *, lock: bool) -> dict[int, Decimal]:
        items = {item.id for one in prepared if one.draft for item in one.items if item and item.keeps_stock}
        if not items:
            return {}
        query = (
            select(Balance.item_id, Balance.on_hand)
            .where(Balance.warehouse_id == booking.warehouse_id, Balance.item_id.in_(items))
            .order_by(Balance.warehouse_id, Balance.item_id)
        )
        rows = session.execute(query.with_for_update() if lock else query).all()
        return {row.item_id: row.on_hand for row in rows}

    def take(self, one: Prepared) -> list[Finding]:
        """Take what the document needs, all or nothing; the shortages as findings."""
        needs: dict[int, Decimal] = {}
        known: dict[int, KnownItem] = {}
        assert one.draft is not None  # noqa: S101 - only drafted orders need stock
        for line, item in zip(one.draft.lines, one.items, strict=True):
            if item is not None and item.keeps_stock:
                needs[item.id] = needs.get(item.id, Decimal(0)) + line.quantity
                known[item.id] = item
        short = [
            stock_short(
                item=known[item_id].code,
                warehouse=self._booking.warehouse_code,
                needed=needed,
                on_hand=self._on_hand.get(item_id, Decimal(0)),
            )
            for item_id, needed in needs.items()
            if needed > self._on_hand.get(item_id, Decimal(0))
        ]
        if not short:
            for item_id, needed in needs.items():
                self._on_hand[item_id] = self._on_hand.get(item_id, Decimal(0)) - needed
                self.spent[item_id] = self.spent.get(item_id, Decimal(0)) + needed
        return short

    def write(self, session: Session) -> None:
        rows = [
            {"warehouse_id": self._booking.warehouse_id, "item_id": item_id, "on_hand": self._on_hand[item_id]}
            for item_id, spent in sorted(self.spent.items())
            if spent
        ]
        if rows:
            dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
            statement = dialect.insert(Balance)
            session.execute(
                statement.on_conflict_do_update(
                    index_elements=["warehouse_id", "item_id"], set_={"on_hand": statement.excluded.on_hand}
                ),
                rows,
            )
