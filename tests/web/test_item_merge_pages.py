"""Two items merged in the browser: looked at first, asked, entered; the old address leads to the one that stays."""

from __future__ import annotations

from decimal import Decimal

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from monet_web.connectors import CONNECTORS
from monet_web.models import Balance, Invoice, Item
from monet_web.models.base import now_utc, reading, writing
from monet_web.models.invoices import InvoiceState
from monet_web.models.users import Role
from monet_web.services.goods import stock
from monet_web.services.goods.receipt_rows import Received
from tests.builders import a_line, an_item, an_order
from tests.services.scripted import ScriptedStore, import_all, integrate, put
from tests.web.integrating import HOSTILE, browser, value_of, words

Factory = sessionmaker[Session]


@pytest.fixture(autouse=True)
def _store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CONNECTORS, "scripted", ScriptedStore)
    ScriptedStore.ORDERS, ScriptedStore.SAID, ScriptedStore.PAGE, ScriptedStore.before_page = {}, [], 100, None


@pytest.fixture
def office(app: Flask, session: Session) -> FlaskClient:
    return browser(app, session, Role.OFFICE)


def test_two_are_merged_after_a_look_and_what_waited_is_entered(
    office: FlaskClient, session: Session, session_factory: Factory
) -> None:
    with writing(session):
        an_item(session, "KN-01", on_hand=5)
        an_item(session, "KN-1", name="Old notebook")
    put(ScriptedStore, an_order(lines=(a_line(sku="KN-1"),)))
    import_all(session_factory, integrate(session))
    look = office.get("/items/1/merge", query_string={"code": "kn-1"})
    said = words(look.text)
    assert "KN-1 becomes KN-01" in said
    assert "Waiting invoices 1 invoice for 12.10 EUR, dated November 2026" in said
    assert "On hand in MAIN 5 5 + 0" in said
    assert "SKU KN-1" in said
    with reading(session):
        assert len(session.scalars(select(Item)).all()) == 2
    done = office.post("/items/2/merge", data={"into": value_of(look.text, "into")}, follow_redirects=True)
    said = words(done.text)
    assert "KN-1 is KN-01 from now on. The invoice that waited for it is registered." in said
    with reading(session):
        assert session.scalars(select(Invoice.state)).one() is InvoiceState.REGISTERED
        assert session.scalars(select(Balance.on_hand)).one() == Decimal(4)
    assert office.get("/items/2").headers["Location"] == "/items/1"
    assert office.get("/items/77").status_code == 404


def test_the_other_one_may_stay(office: FlaskClient, session: Session) -> None:
    with writing(session):
        an_item(session, "KN-01")
        an_item(session, "KN-1")
    look = office.get("/items/1/merge", query_string={"code": "KN-1", "stays": "other"})
    assert 'action="/items/1/merge"' in look.text
    assert value_of(look.text, "into") == "2"


def test_what_speaks_against_it_is_said_and_nothing_can_be_pressed(office: FlaskClient, session: Session) -> None:
    with writing(session):
        an_item(session, "KN-01", unit="kg")
        an_item(session, "KN-1", unit="pcs")
    stock.receive(session, [Received(1, "KN-1", Decimal(2))], note="", now=now_utc(), actor="test")
    look = office.get("/items/1/merge", query_string={"code": "KN-1"})
    assert "KN-01 is counted in kg, KN-1 in pcs" in words(look.text)
    assert 'method="post" action="/items' not in look.text
    refused = office.post("/items/2/merge", data={"into": "1"}, follow_redirects=True)
    assert "KN-01 is counted in kg, KN-1 in pcs" in words(refused.text)


def test_what_is_no_item_is_said_beside_the_field(office: FlaskClient, session: Session) -> None:
    with writing(session):
        an_item(session, "KN-01", name=HOSTILE)
    answer = office.get("/items/1/merge", query_string={"code": HOSTILE + "x"})
    assert answer.status_code == 422
    assert "No item is called" in words(answer.text)
    assert "<script>alert" not in answer.text
    assert office.get("/items/1/merge", query_string={"code": "KN-01"}).status_code == 422
