"""A store that keeps state, for tests of services: orders are put, edited, removed; reading is pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from monet_web.connectors.base import Connector, Page, Parameter, Selection, StoreFacts, Surroundings
from monet_web.domain.orders import Order, Unreadable
from monet_web.models import Balance, Integration, Invoice, Run, StockMove
from monet_web.models.base import reading, writing
from monet_web.models.runs import RunKind
from monet_web.services.importing import claims
from monet_web.services.running import run_import
from tests import builders

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


class ScriptedStore(Connector):
    """`ORDERS` is what the store has now; `SAID` every state it ever said, so that old raw pages can be read again."""

    kind = "scripted"
    label = "Scripted"
    parameters = (Parameter("address", "Address", "", is_address=True),)
    ORDERS: ClassVar[dict[str, Order | Unreadable]] = {}
    SAID: ClassVar[list[Order | Unreadable]] = []
    HIDDEN: ClassVar[set[str]] = set()  # known by id, but in no list: trashed
    PAGE: ClassVar[int] = 100
    before_page: ClassVar[Callable[[int], None] | None] = None

    def __init__(self, values: Mapping[str, str], surroundings: Surroundings) -> None:
        self.learned: dict[str, str] = {}

    @classmethod
    def store_key(cls, values: Mapping[str, str]) -> str:
        return values["address"]

    def test(self) -> StoreFacts:
        return StoreFacts("Scripted", "1", "Europe/Vilnius", "EUR")

    def pages(self, selection: Selection) -> Iterator[Page]:
        ids = [key for key, order in self.ORDERS.items() if self._holds(selection, order) and key not in self.HIDDEN]
        for start in range(0, len(ids), self.PAGE):
            if ScriptedStore.before_page is not None:
                ScriptedStore.before_page(start // self.PAGE)
            said = [self.ORDERS[key] for key in ids[start : start + self.PAGE] if key in self.ORDERS]
            yield Page(tuple(self._raw(order) for order in said), expected=len(ids))

    def by_ids(self, external_ids: Sequence[str]) -> Iterator[Page]:
        yield Page(tuple(self._raw(self.ORDERS[key]) for key in external_ids if key in self.ORDERS))

    @classmethod
    def read(cls, order: Mapping[str, Any], context: Mapping[str, Any]) -> Order | Unreadable:
        number: int = order["said"]
        return cls.SAID[number]

    def close(self) -> None:
        """Nothing is open."""

    @staticmethod
    def _holds(selection: Selection, order: Order | Unreadable) -> bool:
        if isinstance(order, Unreadable):
            return True
        return selection.holds(created=order.placed_at, changed=order.changed_at, paid=order.paid_at)

    @classmethod
    def _raw(cls, order: Order | Unreadable) -> dict[str, int]:
        if order not in cls.SAID:
            cls.SAID.append(order)
        return {"said": cls.SAID.index(order)}


def put(store: type[ScriptedStore], *orders: Order | Unreadable) -> None:
    """Orders as the store has them from now on, by their external ids."""
    for order in orders:
        store.ORDERS[order.external_id] = order


def integrate(session: Session, name: str = "KL", **settings: str) -> Integration:
    """An integration of a scripted store."""
    with writing(session):
        return builders.an_integration(
            session, name, platform="scripted", settings=settings, parameters={"address": name}, secrets={}
        )


def import_all(
    session_factory: sessionmaker[Session], integration: Integration, *, kind: RunKind = RunKind.LAUNCH, **watch: Any
) -> Run:
    """One run of the weeks around the builders' orders, to its end."""
    session = session_factory()
    with writing(session):
        run = builders.a_run(
            session,
            session.get_one(Integration, integration.id),
            kind=kind,
            window_start=datetime(2026, 11, 1, tzinfo=UTC),
            window_end=datetime(2026, 11, 30, tzinfo=UTC),
        )
    session.close()
    return run_import.run(
        session_factory,
        run.id,
        surroundings=Surroundings(),
        clock=lambda: NOW,
        worker=claims.this_process(),
        **watch,
    )


def invoices(session: Session) -> list[Invoice]:
    """Every invoice by id, loaded anew."""
    with reading(session):
        found = list(session.scalars(select(Invoice).order_by(Invoice.id).execution_options(populate_existing=True)))
        for invoice in found:
            _ = (invoice.lines, invoice.vat_rows, invoice.found, invoice.journal)
    return found


def on_hand(session: Session) -> dict[int, Any]:
    """Item id → balance, after checking that the moves and opening balances of the test explain it."""
    with reading(session):
        return {row.item_id: row.on_hand for row in session.execute(select(Balance.item_id, Balance.on_hand))}


def moved(session: Session) -> dict[int, Any]:
    """Item id → sum of its moves."""
    with reading(session):
        query = select(StockMove.item_id, func.sum(StockMove.quantity).label("sum")).group_by(StockMove.item_id)
        return {row.item_id: row.sum for row in session.execute(query)}
