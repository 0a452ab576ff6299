"""Orders that the store says again to the byte are recognised without reading them; whatever may matter is read."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from monet_web.connectors import CONNECTORS
from monet_web.domain.orders import Order
from monet_web.models import StoreOrder
from monet_web.models.base import reading, writing
from monet_web.services.importing import known, understand
from tests.builders import NOON, a_line, an_item, an_order
from tests.services.scripted import ScriptedStore, import_all, integrate, invoices, put

Factory = sessionmaker[Session]


class Told(ScriptedStore):
    """Says orders as shops do, by their ids, and counts how many are read."""

    kind = "scripted"
    READ: int = 0

    @classmethod
    def read(cls, order: Any, context: Any) -> Any:
        Told.READ += 1
        return super().read(order, context)

    @classmethod
    def _raw(cls, order: Any) -> dict[str, Any]:
        return {**super()._raw(order), "id": order.external_id, "touched": cls.TOUCHED}

    TOUCHED: int = 0


@pytest.fixture(autouse=True)
def store(monkeypatch: pytest.MonkeyPatch) -> type[Told]:
    monkeypatch.setitem(CONNECTORS, "scripted", Told)
    for name, value in (("ORDERS", {}), ("SAID", []), ("PAGE", 2), ("before_page", None)):
        monkeypatch.setattr(ScriptedStore, name, value)
    monkeypatch.setattr(Told, "READ", 0)
    monkeypatch.setattr(Told, "TOUCHED", 0)
    return Told


def order(number: int, **changes: Any) -> Order:
    return an_order(external_id=f"{number}", number=str(number), lines=(a_line(product_id=""),), **changes)


def booked(session: Session, session_factory: Factory, count: int) -> Any:
    with writing(session):
        an_item(session, "KN-01", on_hand=99)
    put(ScriptedStore, *(order(number) for number in range(1, count + 1)))
    integration = integrate(session, "Kava")
    assert import_all(session_factory, integration).registered == count
    Told.READ = 0
    return integration


def test_known_orders_are_counted_and_not_read(session: Session, session_factory: Factory) -> None:
    integration = booked(session, session_factory, 5)
    run = import_all(session_factory, integration)
    assert (run.fetched, run.already_there, run.error) == (5, 5, "")
    assert Told.READ == 0
    assert len(invoices(session)) == 5


def test_new_ones_among_known_ones_are_booked(session: Session, session_factory: Factory) -> None:
    integration = booked(session, session_factory, 3)
    put(ScriptedStore, order(4))
    run = import_all(session_factory, integration)
    assert (run.fetched, run.already_there, run.registered) == (4, 3, 1)
    assert Told.READ == 1


def test_a_changed_order_is_read_and_marked(session: Session, session_factory: Factory) -> None:
    integration = booked(session, session_factory, 3)
    put(ScriptedStore, order(2, note="", total=Decimal("13.31")))
    run = import_all(session_factory, integration)
    assert (run.fetched, run.already_there, run.changed) == (3, 3, 1)


def test_an_order_whose_invoice_was_deleted_comes_back(session: Session, session_factory: Factory) -> None:
    from monet_web.services.documents import journals
    from tests.services.scripted import NOW

    put(ScriptedStore, order(1), order(2))
    integration = integrate(session, "Kava")
    assert import_all(session_factory, integration).in_journal == 2
    journals.delete(session, [invoices(session)[0].id], leave_out=False, reason="", now=NOW, actor="test")
    run = import_all(session_factory, integration)
    assert (run.fetched, run.already_there, run.in_journal) == (2, 1, 1)


def test_a_newer_program_reads_them_again(
    session: Session, session_factory: Factory, monkeypatch: pytest.MonkeyPatch
) -> None:
    integration = booked(session, session_factory, 3)
    monkeypatch.setattr(understand, "program", lambda: b"newer")
    assert import_all(session_factory, integration).already_there == 3
    assert Told.READ == 3


def test_orders_with_refunds_are_always_read(session: Session, session_factory: Factory) -> None:
    booked(session, session_factory, 1)
    with reading(session):
        assert session.scalars(select(StoreOrder.raw_hash)).one() is not None
    put(ScriptedStore, replace(order(2), is_refunded=True))
    reads = understand.read_page(Told, next(Told({}, None).pages(_every())))  # type: ignore[arg-type]
    assert [one.raw_digest is None for one in reads] == [False, True]


def test_one_that_is_not_its_document_s_version_is_read(session: Session, session_factory: Factory) -> None:
    integration = booked(session, session_factory, 2)
    with writing(session):
        session.execute(update(StoreOrder).where(StoreOrder.external_id == "1").values(latest_version_id=2))
    import_all(session_factory, integration)
    assert Told.READ == 2  # what it says now and what it said when its document was drafted


def _every() -> Any:
    from datetime import timedelta

    from monet_web.connectors.base import Selection
    from monet_web.domain.windows import Window

    return Selection(Window(NOON - timedelta(days=2), NOON + timedelta(days=2)))


@pytest.mark.parametrize(
    ("raw", "guessed"),
    [
        ({"order": {"id": 17}, "refunds": []}, "17"),
        ({"order": {"order_id": "17"}}, "17"),
        ({"id": "gid://shopify/Order/17"}, "17"),
        ({"nothing": "like it"}, ""),
    ],
)
def test_platforms_put_the_id_of_an_order_in_one_of_few_places(raw: dict[str, Any], guessed: str) -> None:
    assert known._guessed_id(raw) == guessed
