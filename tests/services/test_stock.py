"""Goods received: moves and balances agree, nothing goes below zero, wrong rows are all named."""

from __future__ import annotations

import threading
from contextlib import suppress
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from monet_web.domain.errors import BrokenRule
from monet_web.models import AuditEntry, Balance, Company, Item, StockMove, StockReceipt, Warehouse
from monet_web.models.base import reading, writing
from monet_web.services.books.tables import WrongRows
from monet_web.services.goods import stock
from tests.builders import NOON, an_item
from tests.databases import sqlite_only


def load(session: Session, text: str) -> stock.Receipt:
    return stock.receive_file(session, text.encode(), note="file.csv", now=NOON, actor="test")


def balances(session: Session) -> dict[str, Decimal]:
    with reading(session):
        rows = session.execute(
            select(Item.code, func.sum(Balance.on_hand).label("on_hand"))
            .join(Item, Item.id == Balance.item_id)
            .group_by(Item.code)
        )
        return {row.code: row.on_hand for row in rows}


def moved(session: Session) -> dict[str, Decimal]:
    with reading(session):
        rows = session.execute(
            select(Item.code, func.sum(StockMove.quantity).label("quantity"))
            .join(Item, Item.id == StockMove.item_id)
            .group_by(Item.code)
        )
        return {row.code: row.quantity for row in rows}


@pytest.fixture
def _items(session: Session) -> None:
    with writing(session):
        an_item(session, "A")
        an_item(session, "B")
        an_item(session, "S", keeps_stock=False)


@pytest.mark.usefixtures("_items")
def test_what_is_received_is_on_hand_and_in_the_moves(session: Session) -> None:
    done = load(session, "code;quantity\nA;1,5\nb;2\nA;3\n")
    assert (done.rows, done.items, len(done.receipt_ids)) == (3, 2, 1)
    assert balances(session) == {"A": Decimal("4.5"), "B": Decimal(2)}
    assert moved(session) == balances(session)
    with reading(session):
        assert session.execute(select(func.count()).select_from(AuditEntry)).scalar_one() == 1


@pytest.mark.usefixtures("_items")
def test_each_day_has_a_receipt_of_its_own(session: Session) -> None:
    assert len(load(session, "code,quantity,date\nA,1,2026-11-20\nA,1,\n").receipt_ids) == 2
    with reading(session):
        days = session.scalars(select(StockReceipt.day).order_by(StockReceipt.day)).all()
    assert days == [date(2026, 11, 20), date(2026, 11, 23)]


@pytest.mark.usefixtures("_items")
def test_a_correction_never_takes_a_balance_below_zero(session: Session) -> None:
    load(session, "code,quantity\nA,5\n")
    with pytest.raises(WrongRows) as refused:
        load(session, "code,quantity\nA,-6\nB,1\n")
    assert refused.value.rows == [
        (2, "A would be at -1 in MAIN, where 5 is on hand now. Take out at most 5."),
    ]
    assert balances(session) == {"A": Decimal(5), "B": Decimal(0)}
    load(session, "code,quantity\nA,-5\n")
    assert balances(session)["A"] == 0


@pytest.mark.usefixtures("_items")
def test_every_wrong_row_is_named_and_nothing_is_entered(session: Session) -> None:
    with writing(session):
        session.get_one(Company, 1).closed_until = date(2026, 10, 31)
    with pytest.raises(WrongRows) as refused:
        load(
            session,
            "code,quantity,warehouse,date\n"
            "A,1,,\nNONE,1,,\nS,1,,\nA,0,,\nA,x,,\nA,1,NOWHERE,\nA,1,,2026-10-31\nA,1,,2026-11-24\nA,1.0000001,,\n",
        )
    assert [row for row, _ in refused.value.rows] == [3, 4, 5, 6, 7, 8, 9, 10]
    assert moved(session) == {}


@pytest.mark.usefixtures("_items")
def test_goods_go_to_the_warehouse_that_is_named(session: Session) -> None:
    with writing(session):
        session.add(Warehouse(code="KAUNAS", name="Kaunas"))
    load(session, "code,quantity,warehouse\nA,1,kaunas\nA,2,\n")
    with reading(session):
        rows = session.execute(
            select(Warehouse.code, Balance.on_hand)
            .join(Warehouse, Warehouse.id == Balance.warehouse_id)
            .where(Balance.on_hand > 0)
        )
        assert {row.code: row.on_hand for row in rows} == {"KAUNAS": Decimal(1), "MAIN": Decimal(2)}


@pytest.mark.usefixtures("_items")
def test_a_preview_says_what_the_receipt_then_does_row_by_row(session: Session) -> None:
    load(session, "code,quantity\nA,5\n")
    data = b"code,quantity\nA,2\nB,1\nA,-3\n"
    plan = stock.preview_file(session, data, now=NOON)
    assert [(move.row, str(move.before), str(move.after)) for move in plan.moves] == [
        (2, "5.000000", "7.000000"),
        (3, "0.000000", "1.000000"),
        (4, "7.000000", "4.000000"),
    ]
    assert plan.wrong == ()
    assert balances(session)["A"] == 5
    load(session, data.decode())
    assert balances(session) == {"A": Decimal(4), "B": Decimal(1)}


@pytest.mark.usefixtures("_items")
def test_a_preview_names_what_would_be_below_zero(session: Session) -> None:
    plan = stock.preview_file(session, b"code,quantity\nA,1\nA,-2\n", now=NOON)
    assert plan.wrong == ((3, "A would be at -1 in MAIN, where 0 is on hand now. Take out at most 1."),)


@pytest.mark.usefixtures("_items")
def test_two_who_send_one_form_at_once_enter_it_once(session: Session, session_factory: sessionmaker[Session]) -> None:
    both = threading.Barrier(2)
    said: list[str] = []

    def send() -> None:
        mine = session_factory()
        both.wait()
        try:
            stock.receive_file(mine, b"code,quantity\nA,1\n", note="", now=NOON, actor="ona", form="form-1")
        except stock.AlreadyEntered as error:
            said.append(error.message)
        mine.close()

    threads = [threading.Thread(target=send) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert said == ["This is entered already, as receipt 1; it was not entered a second time."]
    assert balances(session)["A"] == 1
    stock.receive_file(session, b"code,quantity\nA,1\n", note="", now=NOON, actor="rasa", form="form-1")
    assert balances(session)["A"] == 2


def test_an_item_made_for_an_unknown_line_keeps_stock_from_its_first_receipt(session: Session) -> None:
    with writing(session):
        session.add(Item(code="MADE", code_key="made", name="Made", keeps_stock=False))
    load(session, "code,quantity\nMADE,3\n")
    with reading(session):
        assert session.scalars(select(Item.keeps_stock)).one() is True


@pytest.mark.usefixtures("_items")
def test_two_who_receive_at_once_lose_nothing(session: Session, session_factory: sessionmaker[Session]) -> None:
    with writing(session):
        an_item(session, "NEW", keeps_stock=True)
    both = threading.Barrier(2)

    def receive(text: str) -> None:
        mine = session_factory()
        both.wait()
        for _ in range(5):
            stock.receive_file(mine, text.encode(), note="", now=NOON, actor="test")
        mine.close()

    threads = [
        threading.Thread(target=receive, args=(text,))
        for text in ("code,quantity\nA,1\nB,1\nNEW,1\n", "code,quantity\nNEW,1\nB,1\nA,1\n")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert balances(session) == {"A": Decimal(10), "B": Decimal(10), "NEW": Decimal(10)}
    assert moved(session) == balances(session)


@sqlite_only
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.sampled_from(list('A19,;"\n-. \xa0e')), max_size=40))
@pytest.mark.usefixtures("_items")
def test_no_receipt_raises_anything_but_a_broken_rule(session: Session, text: str) -> None:
    with suppress(BrokenRule):
        load(session, "code,quantity,date\n" + text)
    assert all(quantity >= 0 for quantity in balances(session).values())
