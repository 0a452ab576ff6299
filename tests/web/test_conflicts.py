"""The page of conflicts: both documents side by side, the two answers with their questions, who may give which."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from monet_web.connectors import CONNECTORS
from monet_web.domain.orders import Order
from monet_web.models import Integration, Invoice, StoreOrder, TakenNumber
from monet_web.models.base import reading, writing
from monet_web.models.store_orders import Outcome
from monet_web.models.users import Role
from tests.builders import ONA, an_order
from tests.services.scripted import ScriptedStore, import_all, integrate, invoices, put
from tests.web.integrating import browser, statements, words

Factory = sessionmaker[Session]
HOSTILE = '<script>alert("1")</script> & Co'


@pytest.fixture(autouse=True)
def store(monkeypatch: pytest.MonkeyPatch) -> type[ScriptedStore]:
    monkeypatch.setitem(CONNECTORS, "scripted", ScriptedStore)
    ScriptedStore.ORDERS, ScriptedStore.SAID, ScriptedStore.PAGE, ScriptedStore.before_page = {}, [], 100, None
    return ScriptedStore


@pytest.fixture
def owner(app: Flask, session: Session) -> FlaskClient:
    return browser(app, session, Role.ADMINISTRATOR)


def order(number: str, shop: str, **changes: Any) -> Order:
    return an_order(external_id=f"{shop}-{number}", number=number, **changes)


def collide(session: Session, session_factory: Factory, *numbers: str, buyer: str = "Petras") -> Integration:
    """Kava has invoices of these numbers; Arbata has orders of the same numbers, which are in conflict. Arbata."""
    first = integrate(session, "Kava", accounting_type="amounts")
    put(ScriptedStore, *(order(number, "k") for number in numbers))
    assert import_all(session_factory, first).registered == len(numbers)
    ScriptedStore.ORDERS = {}
    second = integrate(session, "Arbata", accounting_type="amounts")
    put(ScriptedStore, *(order(number, "a", buyer=replace(ONA, name=buyer)) for number in numbers))
    assert import_all(session_factory, second).conflict == len(numbers)
    return second


def conflicting(session: Session) -> list[int]:
    with reading(session):
        query = select(StoreOrder.id).where(StoreOrder.outcome == Outcome.CONFLICT).order_by(StoreOrder.id)
        return list(session.scalars(query))


def test_without_a_conflict_the_page_says_so(owner: FlaskClient) -> None:
    page = words(owner.get("/journals/conflicts").text)
    assert "No conflict. Every order that came has a number of its own." in page


def test_the_order_and_the_document_that_has_its_number_stand_side_by_side(
    owner: FlaskClient, session: Session, session_factory: Factory
) -> None:
    collide(session, session_factory, "1001")
    html = owner.get("/journals/conflicts").text
    page = words(html)
    assert "The number of one order belongs to another document." in page
    assert "Number 1001 Arbata" in page
    assert "Order 1001 Arbata 1001 Kava" in page
    assert "Buyer Petras Ona Onaitė" in page
    assert "Total with VAT 12.10 EUR 12.10 EUR" in page
    assert f'<a href="/invoices/{invoices(session)[0].id}">1001</a>' in html
    assert "Conflicts (1)" in page


def test_another_prefix_says_what_will_happen_and_books_all_that_wait_for_it(
    owner: FlaskClient, session: Session, session_factory: Factory
) -> None:
    second = collide(session, session_factory, "1001", "1002")
    page = words(owner.get("/journals/conflicts").text)
    assert "Change the prefix and try again… All later invoices of Arbata get another prefix" in page
    assert "those that are here keep their numbers" in page
    assert "2 invoices for 24.20 EUR, dated November 2026." in page
    answer = owner.post("/journals/conflicts/prefix", data={"order": conflicting(session), "prefix": "AR-"})
    assert answer.status_code == 303
    told = words(owner.get(answer.location).text)
    assert "Order 1001 is registered as AR-1001 . Order 1002 is registered as AR-1002 ." in told
    assert [invoice.number for invoice in invoices(session)] == ["1001", "1002", "AR-1001", "AR-1002"]
    with reading(session):
        again = session.get_one(Integration, second.id, populate_existing=True)
    assert (again.number_prefix, again.settings["number_prefix"]) == ("AR-", "AR-")
    assert conflicting(session) == []


def test_a_prefix_that_can_t_be_is_said_beside_its_field(
    owner: FlaskClient, session: Session, session_factory: Factory
) -> None:
    collide(session, session_factory, "1001")
    (order_id,) = conflicting(session)
    data = {"order": order_id, "from": order_id, "prefix": "x" * 21}
    page = owner.get(owner.post("/journals/conflicts/prefix", data=data).location).text
    assert "Type at most 20 characters." in words(page)
    assert f'value="{"x" * 21}"' in page
    assert '<details class="ask" name="ask" open>' in page
    assert conflicting(session) == [order_id]


def test_another_number_puts_the_order_into_the_journal(app: Flask, session: Session, session_factory: Factory) -> None:
    collide(session, session_factory, "1001")
    office = browser(app, session, Role.OFFICE)
    (order_id,) = conflicting(session)
    page = words(office.get("/journals/conflicts").text)
    assert "goes to the journal under the number you type: 1 invoice for 12.10 EUR, dated November 2026." in page
    answer = office.post("/journals/conflicts/number", data={"order": order_id, "number": "B-7"})
    assert "Order 1001 waits in the journal as B-7 ." in words(office.get(answer.location).text)
    waiting = invoices(session)[-1]
    shown = words(office.get(f"/journals/invoices/{waiting.id}").text)
    assert "The number B-7 was given by hand, because 1001 belongs to another document." in shown
    assert "Rūta office gave it the number B-7." in shown
    answer = office.post("/journals/register", data={"invoice": waiting.id})
    assert answer.location == f"/invoices/{waiting.id}"
    assert invoices(session)[-1].number == "B-7"


@pytest.mark.parametrize(
    ("typed", "said"),
    [("1001", "The number 1001 belongs to the invoice of order 1001."), ("", "A number has 1 to 120 characters."),
     ("OUT-9", "The number OUT-9 belongs to the old program.")],
)  # fmt: skip
def test_a_number_that_can_t_be_is_said_beside_its_field(
    owner: FlaskClient, session: Session, session_factory: Factory, typed: str, said: str
) -> None:
    collide(session, session_factory, "1001")
    with writing(session):
        session.add(TakenNumber(number="OUT-9", number_key="out-9", source="the old program"))
    (order_id,) = conflicting(session)
    answer = owner.post("/journals/conflicts/number", data={"order": order_id, "number": typed})
    page = owner.get(answer.location).text
    assert said in words(page)
    assert 'aria-invalid="true"' in page
    assert conflicting(session) == [order_id]


def test_when_the_other_document_is_gone_the_order_is_simply_tried_again(
    owner: FlaskClient, session: Session, session_factory: Factory
) -> None:
    collide(session, session_factory, "1001")
    with writing(session):
        other = session.scalars(select(Invoice)).one()
        other.number, other.number_key = "GONE", "gone"
    page = words(owner.get("/journals/conflicts").text)
    assert "Nobody has it any more" in page
    assert "Book order 1001 anew: 1 invoice for 12.10 EUR, dated November 2026?" in page
    answer = owner.post("/journals/conflicts/again", data={"order": conflicting(session)})
    assert "Order 1001 is registered as 1001 ." in words(owner.get(answer.location).text)
    answer = owner.post("/journals/conflicts/again", data={"order": "1"})
    assert "This conflict was answered meanwhile." in words(owner.get(answer.location).text)


@pytest.mark.parametrize("address", ["prefix", "number", "again"])
@pytest.mark.parametrize("data", [{}, {"order": "x"}, {"order": "999"}])
def test_an_answer_about_nothing_is_refused_in_words(owner: FlaskClient, address: str, data: dict[str, str]) -> None:
    answer = owner.post(f"/journals/conflicts/{address}", data={**data, "prefix": "A-", "number": "A-1"})
    assert answer.status_code == 303
    assert owner.get(answer.location).status_code == 200


def test_the_prefix_is_the_administrator_s_and_the_number_the_office_s(
    app: Flask, session: Session, session_factory: Factory
) -> None:
    collide(session, session_factory, "1001")
    for role in (Role.OFFICE, Role.ACCOUNTANT):
        client = browser(app, session, role)
        page = words(client.get("/journals/conflicts").text)
        assert "An administrator can change the prefix of Arbata." in page
        assert "Give this one another number…" in page
        assert client.post("/journals/conflicts/prefix", data={"order": "1", "prefix": "A-"}).status_code == 403
    viewer = browser(app, session, Role.VIEWER)
    page = words(viewer.get("/journals/conflicts").text)
    assert "Number 1001" in page
    assert "another number…" not in page
    assert len(conflicting(session)) == 1


def test_a_number_that_is_the_store_s_own_offers_no_prefix(
    owner: FlaskClient, session: Session, session_factory: Factory
) -> None:
    integration = integrate(session, "Kava", accounting_type="amounts", issued_by="store", number_from="invoice")
    put(ScriptedStore, order("1", "k", invoice_number="S-1"), order("2", "k", invoice_number="S-1"))
    assert import_all(session_factory, integration).conflict == 1
    page = words(owner.get("/journals/conflicts").text)
    assert "Number S-1" in page
    assert "Change the prefix" not in page
    assert "Give this one another number…" in page


def test_what_a_store_sends_stays_words(owner: FlaskClient, session: Session, session_factory: Factory) -> None:
    collide(session, session_factory, "<b>1&", buyer=HOSTILE)
    text = owner.get("/journals/conflicts").text
    assert "<script>alert" not in text
    assert "<b>1&" not in text
    assert HOSTILE in words(text)
    answer = owner.post("/journals/conflicts/number", data={"order": conflicting(session), "number": "<i>7"})
    told = owner.get(answer.location).text
    assert "<i>7" not in told
    assert "<b>1&" not in told
    assert re.search(r"Order &lt;b&gt;1&amp; waits in the journal as <a href=[^>]+>&lt;i&gt;7</a>", told)


def test_the_page_costs_the_same_whatever_is_in_conflict(
    app: Flask, owner: FlaskClient, session: Session, session_factory: Factory
) -> None:
    collide(session, session_factory, "1")

    def cost() -> int:
        with statements(app) as asked:
            assert owner.get("/journals/conflicts").status_code == 200
        return len(asked)

    few = cost()
    third = integrate(session, "Third", accounting_type="amounts")
    ScriptedStore.ORDERS = {}
    put(ScriptedStore, *(replace(order("1", "t"), external_id=f"t{number}") for number in range(9)))
    assert import_all(session_factory, third).conflict == 9
    assert cost() == few
