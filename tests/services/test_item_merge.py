"""Two items become one: stock, moves, names and waiting lines go to the one that stays; documents keep their words."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from monet_web.connectors import CONNECTORS
from monet_web.domain.errors import BrokenRule
from monet_web.models import (
    AuditEntry,
    Balance,
    Company,
    Integration,
    Invoice,
    InvoiceLine,
    Item,
    ItemAlias,
    StockMove,
    Warehouse,
)
from monet_web.models.base import reading, writing
from monet_web.models.invoices import InvoiceState
from monet_web.models.items import AliasKind
from monet_web.services.documents import mend
from monet_web.services.goods import merge, stock
from monet_web.services.goods.receipt_rows import Received
from monet_web.services.importing import book
from tests.builders import NOON, a_line, an_item, an_order
from tests.services.scripted import NOW, ScriptedStore, import_all, integrate, put

Factory = sessionmaker[Session]
ACTOR = "ruta@example.com"


@pytest.fixture(autouse=True)
def _store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CONNECTORS, "scripted", ScriptedStore)
    ScriptedStore.ORDERS, ScriptedStore.SAID, ScriptedStore.PAGE, ScriptedStore.before_page = {}, [], 100, None


def two(session: Session, **changes: Any) -> tuple[int, int]:
    """KN-01, which stays, and KN-1, which goes."""
    with writing(session):
        return an_item(session, "KN-01", **changes).id, an_item(session, "KN-1").id


def receive(session: Session, code: str, quantity: str, day: date | None = None) -> None:
    stock.receive(session, [Received(1, code, Decimal(quantity), "", day)], note="", now=NOW, actor=ACTOR)


def merged(session: Session, kept: int, gone: int) -> Item:
    return merge.merge(session, gone_id=gone, kept_id=kept, now=NOW, actor=ACTOR)


def every(session: Session, query: Any) -> list[Any]:
    with reading(session):
        return list(session.scalars(query.execution_options(populate_existing=True)))


def test_stock_of_both_is_added_up_and_every_move_names_the_one_that_stays(session: Session) -> None:
    kept, gone = two(session)
    receive(session, "KN-01", "5")
    receive(session, "KN-1", "2.5")
    with writing(session):
        other = Warehouse(code="KAUNAS", name="Kaunas")
        session.add(other)
    stock.receive(session, [Received(1, "KN-1", Decimal(4), "KAUNAS")], note="", now=NOW, actor=ACTOR)
    merged(session, kept, gone)
    balances = every(session, select(Balance).order_by(Balance.warehouse_id))
    assert [(one.item_id, one.on_hand) for one in balances] == [(kept, Decimal("7.5")), (kept, Decimal(4))]
    moves = every(session, select(StockMove))
    assert [move.item_id for move in moves] == [kept] * 3
    assert sum(move.quantity for move in moves) == Decimal("11.5")
    assert [one.code for one in every(session, select(Item))] == ["KN-01"]


def test_names_and_the_code_of_the_one_that_goes_lead_to_the_one_that_stays(session: Session) -> None:
    kept, gone = two(session)
    with writing(session):
        session.add(ItemAlias(store_id=0, kind=AliasKind.BARCODE, value="4771", value_key="4771", item_id=gone))
    merged(session, kept, gone)
    found = {(one.kind, one.value) for one in every(session, select(ItemAlias).where(ItemAlias.item_id == kept))}
    assert found == {(AliasKind.BARCODE, "4771"), (AliasKind.SKU, "KN-1")}


@pytest.mark.parametrize(
    ("code", "kind", "value"),
    [
        ("product-501", AliasKind.PRODUCT, "501"),
        ("variation-77", AliasKind.VARIATION, "77"),
        ("name-0123456789", AliasKind.NAME, "Notebook"),
    ],
)
def test_an_item_made_for_a_line_without_a_sku_is_found_again(
    session: Session, code: str, kind: AliasKind, value: str
) -> None:
    with writing(session):
        kept, gone = an_item(session, "KN-01").id, an_item(session, code, name="Notebook").id
    merged(session, kept, gone)
    assert (kind, value) in {(one.kind, one.value) for one in every(session, select(ItemAlias))}


def test_a_line_with_the_old_code_is_sold_from_the_one_that_stays(session: Session, session_factory: Factory) -> None:
    kept, gone = two(session)
    merged(session, kept, gone)
    receive(session, "KN-01", "3")
    put(ScriptedStore, an_order(lines=(a_line(sku="KN-1", product_id=""),)))
    import_all(session_factory, integrate(session))
    (invoice,) = every(session, select(Invoice))
    (line,) = every(session, select(InvoiceLine))
    assert (invoice.state, line.item_id) == (InvoiceState.REGISTERED, kept)


def test_waiting_lines_follow_and_registered_documents_keep_their_words(
    session: Session, session_factory: Factory
) -> None:
    kept, gone = two(session)
    receive(session, "KN-1", "1")
    put(ScriptedStore, *(an_order(external_id=f"{n}", number=f"10{n}", lines=(a_line(sku="KN-1"),)) for n in (1, 2)))
    import_all(session_factory, integrate(session))
    receive(session, "KN-01", "9")

    def words() -> list[Any]:
        with reading(session):
            lines = session.execute(
                select(InvoiceLine.name, InvoiceLine.sku, InvoiceLine.quantity, InvoiceLine.net, InvoiceLine.vat)
                .join(Invoice, Invoice.id == InvoiceLine.invoice_id)
                .where(Invoice.state == InvoiceState.REGISTERED)
            ).all()
            heads = session.execute(
                select(Invoice.number, Invoice.total, Invoice.row_version, Invoice.search_text).where(
                    Invoice.state == InvoiceState.REGISTERED
                )
            ).all()
            return [*lines, *heads]

    before = words()
    assert len(before) == 2
    with reading(session):
        plan = merge.plan(session, gone_id=gone, kept_id=kept)
    assert (plan.waiting, plan.sums, plan.registered, plan.moves) == (1, {"EUR": Decimal("12.10")}, 1, 2)
    assert plan.months == (date(2026, 11, 1),)
    assert [(one.warehouse, one.kept, one.gone, one.together) for one in plan.stock] == [
        ("MAIN", Decimal(9), Decimal(0), Decimal(9))
    ]
    merged(session, kept, gone)
    assert words() == before
    assert {line.item_id for line in every(session, select(InvoiceLine))} == {kept}
    assert mend.check_again(session, codes=("stock_short",), now=NOW, actor=ACTOR).registered == 1
    assert [one.on_hand for one in every(session, select(Balance))] == [Decimal(8)]


def test_the_setting_that_named_the_one_that_goes_names_the_one_that_stays(session: Session) -> None:
    kept, gone = two(session)
    integration = integrate(session, unknown_items="common", common_item="kn-1")
    with reading(session):
        assert merge.plan(session, gone_id=gone, kept_id=kept).common_of == ("KL",)
    merged(session, kept, gone)
    (row,) = every(session, select(Integration).where(Integration.id == integration.id))
    assert row.settings["common_item"] == "KN-01"


def test_both_items_tell_of_it_and_the_old_one_leads_to_the_new_one(session: Session) -> None:
    kept, gone = two(session)
    merged(session, kept, gone)
    entries = every(session, select(AuditEntry).where(AuditEntry.action == "item_merged").order_by(AuditEntry.id))
    assert [(one.subject_id, one.actor) for one in entries] == [(gone, ACTOR), (kept, ACTOR)]
    assert entries[0].before["code"] == "KN-1"
    assert entries[1].before["item"]["code"] == "KN-1"
    with reading(session):
        assert merge.merged_into(session, gone) == kept
        assert merge.merged_into(session, kept) is None
        assert merge.merged_into(session, 77) is None
    with writing(session):
        last = an_item(session, "LAST").id
    merged(session, last, kept)
    with reading(session):
        assert merge.merged_into(session, gone) == last


def test_items_of_two_kinds_or_two_units_stay_two(session: Session) -> None:
    kept, gone = two(session, unit="kg")
    with writing(session):
        session.get_one(Item, gone).unit = "pcs"
        service = an_item(session, "DEL", keeps_stock=False).id
    with pytest.raises(BrokenRule, match="counted in kg"):
        merged(session, kept, gone)
    with pytest.raises(BrokenRule, match="DEL is service"):
        merged(session, kept, service)
    with pytest.raises(BrokenRule, match="one item already"):
        merged(session, kept, kept)
    with pytest.raises(BrokenRule, match="not here any more"):
        merged(session, kept, 77)
    assert len(every(session, select(Item))) == 3


def close(session: Session, until: date) -> None:
    with writing(session):
        session.get_one(Company, 1).closed_until = until


def test_two_with_history_in_closed_periods_stay_two(session: Session) -> None:
    kept, gone = two(session)
    receive(session, "KN-01", "1", date(2026, 10, 5))
    receive(session, "KN-1", "1", date(2026, 10, 6))
    close(session, date(2026, 10, 31))
    with pytest.raises(BrokenRule, match="both have documents in periods that are closed"):
        merged(session, kept, gone)
    with reading(session):
        assert merge.plan(session, gone_id=gone, kept_id=kept).refusal is not None
        assert session.scalar(select(func.count()).select_from(Item)) == 2


def test_one_alone_with_history_in_closed_periods_is_merged(session: Session) -> None:
    kept, gone = two(session)
    receive(session, "KN-01", "1", date(2026, 10, 5))
    receive(session, "KN-1", "1")
    close(session, date(2026, 10, 31))
    assert merged(session, kept, gone).code == "KN-01"


def test_an_item_that_kept_no_stock_keeps_it_when_the_other_did(session: Session) -> None:
    kept, gone = two(session)
    with writing(session):
        session.get_one(Item, kept).keeps_stock = False
    receive(session, "KN-1", "2")
    merged(session, kept, gone)
    assert every(session, select(Item))[0].keeps_stock


def test_an_import_that_knew_the_old_item_books_its_page_again(
    session: Session, session_factory: Factory, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, gone = two(session)
    receive(session, "KN-1", "5")
    put(ScriptedStore, an_order(lines=(a_line(sku="KN-1"),)))
    integration = integrate(session)
    really = book._write
    times: list[Any] = []

    def merged_meanwhile(*args: Any, **options: Any) -> Any:
        if not times:
            times.append(NOON)
            other = session_factory()
            merge.merge(other, gone_id=gone, kept_id=kept, now=NOW, actor=ACTOR)
            other.close()
        return really(*args, **options)

    monkeypatch.setattr(book, "_write", merged_meanwhile)
    run = import_all(session_factory, integration)
    assert (run.registered, run.unreadable) == (1, 0)
    assert [line.item_id for line in every(session, select(InvoiceLine))] == [kept]
    assert [one.on_hand for one in every(session, select(Balance))] == [Decimal(4)]
