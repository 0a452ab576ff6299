"""Pages of customers: found, shown, corrected, merged; who may; hostile words stay words; the count of questions."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from openpyxl import load_workbook
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from monet_web.connectors import CONNECTORS
from monet_web.domain.orders import Buyer
from monet_web.models import Customer, CustomerKey, Integration, Invoice
from monet_web.models.base import reading, writing
from monet_web.models.customers import CustomerKeyKind
from monet_web.models.users import Role
from tests.builders import ONA, an_item, an_order
from tests.services.scripted import ScriptedStore, import_all, integrate, put
from tests.web.integrating import HOSTILE, browser, statements, value_of, words

Factory = sessionmaker[Session]
VAT = "LT100001738313"


@pytest.fixture(autouse=True)
def _store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CONNECTORS, "scripted", ScriptedStore)
    ScriptedStore.ORDERS, ScriptedStore.SAID, ScriptedStore.PAGE, ScriptedStore.before_page = {}, [], 100, None


@pytest.fixture
def office(app: Flask, session: Session) -> FlaskClient:
    return browser(app, session, Role.OFFICE)


def some(session: Session, *names: str, **values: Any) -> None:
    with writing(session):
        session.add_all(Customer(name=name, **values) for name in names)


def two_that_are_one(session: Session, session_factory: Factory, orders: int = 1) -> None:
    """UAB Šviesa by its VAT code (customer 1) and by its company code (customer 2), with registered invoices."""
    with writing(session):
        an_item(session, "KN-01", on_hand=900)
    by_vat = Buyer(name="Ona", company="UAB Šviesa", vat_code=VAT, address=ONA.address)
    by_code = Buyer(name="Ona", company="Sviesa, UAB", company_code="304123455", address=ONA.address)
    put(ScriptedStore, an_order(external_id="0", number="101", buyer=by_vat))
    put(ScriptedStore, *(an_order(external_id=f"{n}", number=f"2{n}", buyer=by_code) for n in range(1, orders + 1)))
    import_all(session_factory, integrate(session))


def rows_of_invoices(session: Session) -> list[dict[str, Any]]:
    with reading(session):
        return [dict(row) for row in session.execute(select(Invoice.__table__).order_by(Invoice.id)).mappings()]


# --- who may what ------------------------------------------------------------------------------------------------

PAGES = ["/customers", "/customers/1", "/customers/export.csv", "/customers/export.xlsx"]
FORMS = ["/customers/1/merge", "/customers/suggest?other=u"]
POSTS = ["/customers/1", "/customers/1/merge"]


def test_a_viewer_sees_and_changes_nothing_and_a_stranger_is_sent_to_the_door(app: Flask, session: Session) -> None:
    some(session, "UAB A")
    viewer = browser(app, session, Role.VIEWER)
    for path in PAGES:
        with viewer.get(path) as answer:
            assert answer.status_code == 200
    assert [viewer.get(path).status_code for path in FORMS] == [403] * len(FORMS)
    assert [viewer.post(path).status_code for path in POSTS] == [403] * len(POSTS)
    assert [app.test_client().get(path).status_code for path in [*PAGES, *FORMS]] == [302] * 6
    main = viewer.get("/customers/1").text.partition("<main")[2].partition("</main")[0]
    assert 'method="post"' not in main


def test_customers_have_their_place_in_the_navigation(office: FlaskClient) -> None:
    page = office.get("/customers").text
    assert 'href="/customers" aria-current="page"' in page
    assert "No customers yet" in page


# --- the list ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("typed", ["šviesa", "ŠVIESA uab", "lt 1000 01738313"])
def test_a_customer_is_found_without_case(office: FlaskClient, session: Session, typed: str) -> None:
    some(session, "UAB Šviesa", is_company=True, vat_code=VAT)
    some(session, "Ona Onaitė")
    page = office.get("/customers", query_string={"q": typed}).text
    assert "UAB Šviesa" in page
    assert "Ona Onaitė" not in page


def test_what_is_not_found_says_how_many_there_are(office: FlaskClient, session: Session) -> None:
    some(session, "A", "B")
    assert "No customer matches “zzz”. Clear the search to see all 2." in words(office.get("/customers?q=zzz").text)
    assert "No company is among the customers." in words(office.get("/customers?kind=companies").text)


def test_a_page_holds_fifty_and_the_next_begins_behind_it(office: FlaskClient, session: Session) -> None:
    some(session, *(f"Customer {n:03d}" for n in range(101)))
    page = office.get("/customers").text
    assert page.count('class="doc"') == 50
    assert 'href="/customers?after=50"' in page
    page = office.get("/customers?after=50").text
    assert ("Customer 050" in page, "Customer 049" in page) == (True, False)
    page = office.get("/customers?after=100").text
    assert (page.count('class="doc"'), "Next page" in page) == (1, False)


def test_list_and_card_ask_the_database_the_same_number_of_times(
    app: Flask, office: FlaskClient, session: Session, session_factory: Factory
) -> None:
    two_that_are_one(session, session_factory)
    with statements(app) as few:
        office.get("/customers")
        office.get("/customers/2")
    some(session, *(f"Customer {n:03d}" for n in range(60)))
    buyer = Buyer(name="Ona", company="S", company_code="304123455", address=ONA.address)
    put(ScriptedStore, *(an_order(external_id=f"m{n}", number=f"3{n}", buyer=buyer) for n in range(20)))
    with reading(session):
        here = session.scalars(select(Integration)).one()
    import_all(session_factory, here)
    with statements(app) as many:
        office.get("/customers")
        assert office.get("/customers/2").text.count('class="doc"') == 21
    assert len(few) == len(many)


def test_the_list_as_a_file_has_every_page_and_no_formula(office: FlaskClient, session: Session) -> None:
    some(session, *(f"Customer {n:03d}" for n in range(120)), is_company=True)
    some(session, "=1+1", email="@x")
    with office.get("/customers/export.csv") as answer:
        rows = list(csv.DictReader(io.StringIO(answer.get_data().decode("utf-8-sig"))))
    assert len(rows) == 121
    assert (rows[0]["name"], rows[0]["email"], rows[0]["kind"]) == ("'=1+1", "'@x", "person")
    with office.get("/customers/export.xlsx?kind=companies") as answer:
        sheet = load_workbook(io.BytesIO(answer.get_data())).active
    assert sheet.max_row == 121
    assert sheet["B2"].value == "Customer 000"


# --- the card ----------------------------------------------------------------------------------------------------


def test_the_card_shows_keys_and_documents(office: FlaskClient, session: Session, session_factory: Factory) -> None:
    two_that_are_one(session, session_factory)
    page = office.get("/customers/1").text
    said = words(page)
    assert f"VAT code {VAT}" in said
    assert 'href="/invoices/1"' in page
    assert "12.10 EUR" in said
    assert "Nobody has changed anything" in said
    assert office.get("/customers/77").status_code == 404


def test_a_corrected_card_is_saved_told_and_changes_no_invoice(
    office: FlaskClient, session: Session, session_factory: Factory
) -> None:
    two_that_are_one(session, session_factory)
    before = rows_of_invoices(session)
    form = {"name": "UAB Šviesa ir draugai", "is_company": "yes", "vat_code": VAT, "city": "Kaunas"}
    answer = office.post("/customers/1", data=form, follow_redirects=True)
    said = words(answer.text)
    assert "Saved. Invoices that are here keep what they say." in said
    assert "Rūta office changed it: Name UAB Šviesa → UAB Šviesa ir draugai" in said
    assert "City Vilnius → Kaunas" in said
    assert rows_of_invoices(session) == before


def test_a_wrong_field_says_what_to_type_beside_it(office: FlaskClient, session: Session) -> None:
    some(session, "UAB A", is_company=True)
    answer = office.post("/customers/1", data={"name": "UAB A", "is_company": "yes", "vat_code": "LT12"})
    assert answer.status_code == 422
    assert "LT12 can't be a VAT code. Type it as LT100001234567." in words(answer.text)
    assert value_of(answer.text, "vat_code") == "LT12"


def test_what_a_store_sent_stays_words(office: FlaskClient, session: Session) -> None:
    some(session, HOSTILE, email=HOSTILE)
    for path in ("/customers", "/customers/1", "/customers/1/merge", "/customers/suggest?other=script"):
        page = office.get(path).text
        assert "<script>alert" not in page
        assert "&lt;script&gt;" in page


# --- merged ------------------------------------------------------------------------------------------------------


def test_two_are_merged_after_a_look_and_no_invoice_changes(
    office: FlaskClient, session: Session, session_factory: Factory
) -> None:
    two_that_are_one(session, session_factory, orders=2)
    before = rows_of_invoices(session)
    look = office.get("/customers/2/merge", query_string={"other": "UAB Šviesa", "stays": "other"})
    said = words(look.text)
    assert "Sviesa, UAB becomes UAB Šviesa" in said
    assert "Company code LT:304123455" in said
    assert "Documents of Sviesa, UAB 2" in said
    assert 'action="/customers/2/merge"' in look.text
    assert rows_of_invoices(session) == before
    done = office.post("/customers/2/merge", data={"into": value_of(look.text, "into")}, follow_redirects=True)
    said = words(done.text)
    assert "The two are UAB Šviesa from now on. No invoice was changed." in said
    assert "Merged into it Customer Sviesa, UAB" in said
    assert done.text.count('href="/invoices/') == 3
    assert rows_of_invoices(session) == before
    with reading(session):
        assert set(session.scalars(select(CustomerKey.customer_id))) == {1}
    assert office.get("/customers/2").headers["Location"] == "/customers/1"
    assert office.get("/customers/2/merge").status_code == 404
    assert "Sviesa, UAB" not in office.get("/customers").text


def test_namesakes_are_told_apart_by_e_mail(office: FlaskClient, session: Session) -> None:
    some(session, "Ona", email="ona@example.com")
    some(session, "Ona", email="onute@example.com")
    assert "onute@example.com" in office.get("/customers/suggest?other=on").text
    look = office.get("/customers/1/merge", query_string={"other": "Ona"})
    assert look.status_code == 200
    assert "E-mail ona@example.com the other one&#39;s goes: onute@example.com" in words(look.text).replace(
        "'", "&#39;"
    )


def test_a_company_and_a_person_can_t_be_merged_and_the_page_says_why(office: FlaskClient, session: Session) -> None:
    some(session, "MB Ona", is_company=True)
    with writing(session):
        ona = Customer(name="Ona Onaitė")
        session.add(ona)
        session.flush()
        session.add(CustomerKey(kind=CustomerKeyKind.EMAIL, value="ona@example.com", customer_id=ona.id))
    look = office.get("/customers/1/merge", query_string={"other": "Ona Onaitė"})
    assert "A company is never found by an e-mail" in words(look.text)
    assert 'action="/customers/2/merge"' not in look.text
    refused = office.post("/customers/2/merge", data={"into": "1"}, follow_redirects=True)
    assert "A company is never found by an e-mail" in words(refused.text)


def test_who_is_not_there_is_said_beside_the_field(office: FlaskClient, session: Session) -> None:
    some(session, "UAB A")
    answer = office.get("/customers/1/merge", query_string={"other": "nobody"})
    assert answer.status_code == 422
    assert "There is no customer nobody." in words(answer.text)
