"""An office with integrations of demo stores, goods on hand, and runs to be worked by processes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from monet_web.connectors.woocommerce import WooCommerce
from monet_web.demo import items
from monet_web.demo.serve import serve
from monet_web.demo.woocommerce import plain_shop
from monet_web.demo.woocommerce import shop as demo_shop
from monet_web.demo.woocommerce.auth import DEMO_KEY, DEMO_SECRET
from monet_web.demo.woocommerce.server import Request, WooCommerceShop
from monet_web.models import Balance, Integration, Invoice, Item, Run, Store, Warehouse
from monet_web.models.base import now_utc, reading, writing
from monet_web.models.runs import AT_WORK, RunState
from monet_web.services.importing import claims
from tests import builders
from tests.faults import books
from tests.faults.processes import Worker, until
from tests.faults.worker_process import Task

PLENTY = Decimal(10_000)


@dataclass(frozen=True, slots=True)
class Shop:
    """A demo store that is served, and the integration that connects it."""

    store: WooCommerceShop
    integration_id: int
    store_id: int
    is_held: threading.Event = field(default_factory=threading.Event)

    @property
    def order_ids(self) -> list[str]:
        """The external ids of all its orders."""
        history = self.store.store.history
        return [str(history.header(index).id) for index in range(history.count)]

    @contextmanager
    def held_at_page(self, number: int) -> Iterator[None]:
        """The store does not answer the `number`th list of orders in full that it is asked for until the block ends."""
        left, release = [number], threading.Event()

        def hold(request: Request) -> None:
            if request.path.endswith("/orders") and "_fields" not in request.parameters:
                left[0] -= 1
                if left[0] == 0:
                    self.is_held.set()
                    assert release.wait(60)

        self.is_held.clear()
        self.store.hooks.append(hold)
        try:
            yield
        finally:
            release.set()
            self.store.hooks.remove(hold)

    def wait_until_held(self) -> None:
        """Somebody waits for the list that is held back."""
        assert self.is_held.wait(60)


@dataclass
class Office:
    """The database of a test, as the test's own process sees it."""

    database_url: str
    session: Session
    home: Path
    opening: dict[str, Decimal] = field(default_factory=dict)

    @contextmanager
    def plain(self, name: str, orders: int, *, lines: int = 2, skus: int = 10, **settings: str) -> Iterator[Shop]:
        """A store of completed orders of goods DEMO-0001 … by private persons."""
        with self._connected(name, plain_shop(orders, lines=lines, sku_count=skus), settings) as shop:
            yield shop

    @contextmanager
    def realistic(self, name: str, orders: int, **settings: str) -> Iterator[Shop]:
        """A store with orders of every kind, some of them of companies."""
        with self._connected(name, demo_shop(orders=orders, still=True), settings) as shop:
            yield shop

    @contextmanager
    def _connected(self, name: str, store: WooCommerceShop, settings: dict[str, str]) -> Iterator[Shop]:
        with serve(store) as address:
            values = {"address": address, "consumer_key": DEMO_KEY, "consumer_secret": DEMO_SECRET}
            with writing(self.session):
                integration = builders.an_integration(
                    self.session,
                    name,
                    store=Store(platform="woocommerce", store_key=WooCommerce.store_key(values)),
                    parameters={"address": address},
                    secrets={key: values[key] for key in ("consumer_key", "consumer_secret")},
                    settings={"number_prefix": f"{name}-", **settings},
                )
            yield Shop(store, integration.id, integration.store_id)

    def receive(self, skus: int, pieces: Decimal | int) -> None:
        """Goods DEMO-0001 … come in; the first time they become known too."""
        with writing(self.session):
            for code in items(skus):
                if code not in self.opening:
                    self.opening[code] = Decimal(0)
                    builders.an_item(self.session, code)
                self.opening[code] += pieces
                item = select(Item.id).where(Item.code == code).scalar_subquery()
                self.session.execute(
                    update(Balance)
                    .where(Balance.item_id == item)
                    .values(on_hand=Balance.on_hand + Decimal(pieces))
                    .execution_options(synchronize_session=False)
                )
            assert self.session.scalars(select(Warehouse.code)).all() == ["MAIN"]

    def queued(self, shop: Shop, **changes: Any) -> int:
        """A queued run of the whole history of a store."""
        with writing(self.session):
            run = builders.a_run(
                self.session,
                self.session.get_one(Integration, shop.integration_id),
                window_start=datetime(2025, 12, 1, tzinfo=UTC),
                window_end=datetime(2026, 12, 1, tzinfo=UTC),
                created_at=now_utc(),
                **changes,
            )
        return run.id

    def worker(self, run_id: int = 0, **task: Any) -> Worker:
        """A process that is ready to work the run."""
        return Worker(Task(self.database_url, self.home, run_id, **task))

    def worked(self, run_id: int) -> Run:
        """The run after a process has worked it to its end, undisturbed."""
        with self.worker(run_id) as worker:
            worker.go()
            worker.end()
            assert worker.troubles == []
        return self.run(run_id)

    def run(self, run_id: int) -> Run:
        """The run's row as it is now."""
        with reading(self.session):
            return self.session.get_one(Run, run_id, populate_existing=True)

    def state(self, run_id: int) -> RunState:
        return self.run(run_id).state

    def taken_back(self, run_id: int) -> None:
        """Somebody looks for runs whose process is gone until this one has been found.

        PostgreSQL may need a moment to notice that its client is dead; until then the run's row may be locked.
        """

        def looked() -> bool:
            claims.take_back(self.session, now=now_utc())
            return self.state(run_id) not in AT_WORK

        until(looked, f"run {run_id} is taken back")

    def look_for_the_dead(self) -> None:
        """No run is at work any more whose process is gone."""

        def looked() -> bool:
            claims.take_back(self.session, now=now_utc())
            with reading(self.session):
                return self.session.scalars(select(Run.id).where(Run.state.in_(AT_WORK))).first() is None

        until(looked, "no run is at work")

    def numbers(self, shop: Shop) -> list[str]:
        """The numbers of a store's invoices, in their order."""
        with reading(self.session):
            query = select(Invoice.number).where(Invoice.store_id == shop.store_id, Invoice.number.is_not(None))
            return sorted(str(number) for number in self.session.scalars(query))

    def check(self, *, runs: tuple[int, ...] = (), whole: tuple[Shop, ...] = ()) -> None:
        """The books are right; these runs add up; every order of the `whole` shops has come exactly once."""
        books.check_books(self.session, opening=self.opening)
        for run_id in runs:
            books.check_run(self.session, run_id)
        for shop in whole:
            books.check_every_order_once(self.session, shop.store_id, shop.order_ids)
