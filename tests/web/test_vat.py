"""VAT on pages: the company's days and codes, and the controls of what waits for evidence."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker
from werkzeug.test import TestResponse
from werkzeug.wrappers import Request, Response

from monet_web.blueprints.journals import vat as controls
from monet_web.connectors import CONNECTORS
from monet_web.models import Company, ExportProofRow, Invoice, VatCodeRow, VatConfirmation
from monet_web.models.base import now_utc, reading, writing
from monet_web.models.invoices import InvoiceState
from monet_web.models.users import Role
from monet_web.services.books import vies
from tests.builders import a_line, an_order
from tests.connectors.shop import Shop, running, says
from tests.services.scripted import ScriptedStore, import_all, integrate, put
from tests.vat_sales import GERMAN, estonian, exported, sent_to, to_german_company
from tests.web.integrating import HOSTILE, browser, statements, words

Factory = sessionmaker[Session]
MRN = "26LTVR1000EX123451"


@pytest.fixture
def accountant(app: Flask, session: Session) -> FlaskClient:
    return browser(app, session, Role.ACCOUNTANT)


@pytest.fixture
def office(app: Flask, session: Session) -> FlaskClient:
    return browser(app, session, Role.OFFICE)


@pytest.fixture(autouse=True)
def store(monkeypatch: pytest.MonkeyPatch) -> type[ScriptedStore]:
    monkeypatch.setitem(CONNECTORS, "scripted", ScriptedStore)
    ScriptedStore.ORDERS, ScriptedStore.SAID, ScriptedStore.PAGE, ScriptedStore.before_page = {}, [], 100, None
    ScriptedStore.HIDDEN = set()
    return ScriptedStore


@pytest.fixture
def register(monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """A VIES that knows the German company, by a name that is no HTML."""

    def handle(_: Request) -> Response:
        return says({"countryCode": "DE", "vatNumber": GERMAN[2:], "valid": True, "name": HOSTILE})

    with running(handle) as shop:
        monkeypatch.setattr(vies, "ADDRESS", shop.address)
        monkeypatch.setattr(controls, "surroundings_of", lambda _: shop.surroundings())
        yield shop


def waits(session: Session, session_factory: Factory, *orders: Any) -> None:
    put(ScriptedStore, *orders)
    import_all(session_factory, integrate(session, accounting_type="amounts"))


def states(session: Session) -> dict[str, InvoiceState]:
    with reading(session):
        rows = session.execute(select(Invoice.order_number, Invoice.state))
        return {row.order_number: row.state for row in rows}


def only(session: Session) -> Invoice:
    with reading(session):
        return session.scalars(select(Invoice).execution_options(populate_existing=True)).one()


def company(session: Session) -> Company:
    with reading(session):
        return session.get_one(Company, 1, populate_existing=True)


def told(client: FlaskClient, answer: TestResponse) -> str:
    assert answer.status_code == 303, words(answer.text)
    return words(client.get(answer.location).text)


# --- settings


DAYS = {
    "vat_payer": "yes",
    "vat_from": "2024-03-01",
    "vat_to": "",
    "oss_from": "",
    "oss_to": "",
    "eu_threshold": "10000",
}


def test_the_page_shows_the_companys_days_and_every_code_with_its_source(office: FlaskClient) -> None:
    page = words(office.get("/settings/vat").text)
    assert "VAT payer, not in OSS" in page
    assert "PVM58 Sale at home 12 % services" in page
    assert "VAT law Art. 41; Microsoft Learn" in page
    assert "An accountant can change it." in page
    assert "Add a code" not in page


def test_an_accountant_says_from_when_and_what_waited_is_checked_again(
    accountant: FlaskClient, session: Session, session_factory: Factory
) -> None:
    waits(session, session_factory, estonian())
    page = words(accountant.get("/journals").text)
    assert "VAT of EE was charged, but the company is not in OSS" in page
    answer = accountant.post("/settings/vat", data={**DAYS, "oss_from": "2026-01-01", "ask_vies": "yes"})
    assert "Saved. The invoice that waited for it is registered." in told(accountant, answer)
    row = company(session)
    assert (row.vat_payer, row.vat_from, row.oss_from, row.ask_vies) == (True, date(2024, 3, 1), date(2026, 1, 1), True)
    assert states(session) == {"1001": InvoiceState.REGISTERED}
    assert "VAT payer, in OSS since" in words(accountant.get("/settings/vat").text)


def test_a_box_that_is_not_ticked_is_a_no(accountant: FlaskClient, session: Session) -> None:
    accountant.post("/settings/vat", data={key: value for key, value in DAYS.items() if key != "vat_payer"})
    row = company(session)
    assert (row.vat_payer, row.ask_vies) == (False, False)
    page = accountant.get("/settings/vat").text
    assert "no VAT payer" in words(page)
    assert 'name="vat_payer" checked' not in page


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"vat_to": "2024-02-29"}, "The last day as VAT payer would be 29 Feb 2024, before the first, 1 Mar 2024."),
        ({"oss_to": "2026-12-31"}, "Type the first day in OSS, or clear the last one."),
        ({"vat_from": "tomorrow"}, "Type the day as 2026-01-01, or leave it empty."),
        ({"eu_threshold": "-1"}, "Type an amount in euro with at most two decimals, as 10000."),
        ({"eu_threshold": HOSTILE}, "is not a number"),
    ],
)
def test_what_can_not_be_is_said_at_its_field(
    accountant: FlaskClient, session: Session, changes: dict[str, str], sentence: str
) -> None:
    answer = accountant.post("/settings/vat", data={**DAYS, **changes})
    assert answer.status_code == 422
    assert sentence in words(answer.text)
    assert "<script>alert" not in answer.text
    assert company(session).vat_from is None


def test_a_code_is_added_on_the_page_and_what_waited_goes_through(
    accountant: FlaskClient, session: Session, session_factory: Factory
) -> None:
    waits(session, session_factory, an_order(lines=(a_line(taxes=()),)))
    form = {"treatment": "domestic", "percent": "", "supply": "goods", "code": "x", "valid_from": "2026-01-01"}
    refused = accountant.post("/settings/vat/codes", data=form)
    assert refused.status_code == 422
    assert "is no code of the classifier" in words(refused.text)
    assert "Type the day" in words(accountant.post("/settings/vat/codes", data={**form, "valid_from": ""}).text)
    answer = accountant.post("/settings/vat/codes", data={**form, "code": "PVM5", "source": HOSTILE})
    page = told(accountant, answer)
    assert "The code PVM5 is kept. The invoice that waited for it is registered." in page
    assert "added here" in page
    assert "<script>alert" not in accountant.get("/settings/vat").text


def test_the_years_sales_to_other_states_stand_beside_the_threshold(
    office: FlaskClient, session: Session, session_factory: Factory
) -> None:
    waits(session, session_factory, sent_to("EE"), sent_to("LV", number="1002"))
    assert "2026: 20.00 EUR sold with our own VAT" in words(office.get("/settings/vat").text).replace("\xa0", " ")


def test_the_page_costs_the_same_however_much_was_sold(
    app: Flask, office: FlaskClient, session: Session, session_factory: Factory
) -> None:
    with statements(app) as few:
        office.get("/settings/vat")
    waits(session, session_factory, *(sent_to("EE", number=str(2000 + n)) for n in range(12)))
    with statements(app) as many:
        office.get("/settings/vat")
    assert len(many) == len(few)


@pytest.mark.parametrize(
    "path", ["/settings/vat", "/settings/vat/codes", "/journals/mend/vat-number", "/journals/mend/vat-code"]
)
def test_vat_is_the_accountants(office: FlaskClient, session: Session, path: str) -> None:
    assert office.post(path, data={**DAYS, "subject": GERMAN}).status_code == 403
    with reading(session):
        assert session.scalars(select(VatCodeRow)).all() == []
        assert session.scalars(select(VatConfirmation)).all() == []


@pytest.mark.parametrize("path", ["/journals/mend/vies", "/journals/mend/mrn"])
def test_a_viewer_changes_nothing(app: Flask, session: Session, path: str) -> None:
    assert browser(app, session, Role.VIEWER).post(path, data={"subject": GERMAN}).status_code == 403


# --- controls of what waits


def test_vies_is_asked_from_the_cause(
    office: FlaskClient, session: Session, session_factory: Factory, register: Shop
) -> None:
    waits(session, session_factory, to_german_company(), to_german_company("1002"))
    page = words(office.get("/journals").text)
    assert f"The VAT code {GERMAN} is not confirmed" in page
    assert "Confirm it by hand" not in page
    answer = office.post("/journals/mend/vies", data={"cause": "vat_number_unconfirmed", "subject": GERMAN})
    assert f"VIES knows {GERMAN}: {HOSTILE}, consultation –." in told(office, answer)
    assert set(states(session).values()) == {InvoiceState.REGISTERED}
    assert len(register.asked) == 1
    assert "<script>alert" not in office.get(f"/invoices/{_first(session)}").text


def _first(session: Session) -> int:
    with reading(session):
        return session.scalars(select(Invoice.id).order_by(Invoice.id)).first() or 0


def test_a_code_that_can_not_be_one_is_not_asked(office: FlaskClient, register: Shop) -> None:
    answer = office.post("/journals/mend/vies", data={"cause": "vat_number_unconfirmed", "subject": "DE1"})
    assert answer.status_code == 303
    assert register.asked == []


def test_an_accountant_confirms_a_code_by_hand(
    accountant: FlaskClient, session: Session, session_factory: Factory
) -> None:
    waits(session, session_factory, to_german_company())
    assert "Confirm it by hand" in words(accountant.get("/journals").text)
    form = {"cause": "vat_number_unconfirmed", "subject": GERMAN, "day": "2026-11-24", "number": "", "reason": ""}
    refused = accountant.post("/journals/mend/vat-number", data=form)
    assert "A confirmation needs the number of the consultation" in told(accountant, refused)
    assert "24 Nov" in told(
        accountant, accountant.post("/journals/mend/vat-number", data={**form, "day": "24 Nov", "number": "W"})
    )
    answer = accountant.post("/journals/mend/vat-number", data={**form, "reason": "Certificate of the tax office"})
    assert f"The VAT code {GERMAN} is confirmed. 1 checked again and registered." in told(accountant, answer)
    assert (only(session).evidence or {})["vat_code"]["reason"] == "Certificate of the tax office"


def test_the_mrn_is_typed_on_the_invoice(office: FlaskClient, session: Session, session_factory: Factory) -> None:
    waits(session, session_factory, exported())
    invoice = only(session)
    page = office.get(f"/journals/invoices/{invoice.id}").text
    assert "Customs declaration (MRN)" in words(page)
    assert "Each invoice has a declaration of its own" in words(office.get("/journals").text)
    form = {
        "cause": "export_unproven",
        "subject": "US",
        "invoice": str(invoice.id),
        "order": str(invoice.store_order_id),
    }
    refused = office.post("/journals/mend/mrn", data={**form, "mrn": HOSTILE})
    assert refused.status_code == 303
    with reading(session):
        assert session.scalars(select(ExportProofRow)).all() == []
    # Another proof than the customs' is the accountant's word.
    office.post("/journals/mend/mrn", data={**form, "mrn": "", "reason": "a receipt"})
    assert states(session) == {"1001": InvoiceState.IN_JOURNAL}
    answer = office.post("/journals/mend/mrn", data={**form, "mrn": MRN.lower()})
    assert "The proof of export is kept. 1 checked again and registered." in told(office, answer)
    assert only(session).evidence == {"export": {"mrn": MRN}}


def test_an_accountant_may_accept_another_proof(
    accountant: FlaskClient, session: Session, session_factory: Factory
) -> None:
    waits(session, session_factory, exported())
    form = {"cause": "export_unproven", "subject": "US", "order": str(only(session).store_order_id), "mrn": ""}
    assert accountant.post("/journals/mend/mrn", data={**form, "order": "x", "reason": "CN22"}).status_code == 303
    answer = accountant.post("/journals/mend/mrn", data={**form, "reason": "CN22 of the post"})
    assert "registered" in told(accountant, answer)
    assert only(session).evidence == {"export": {"reason": "CN22 of the post"}}


def test_a_code_is_added_from_the_cause(accountant: FlaskClient, session: Session, session_factory: Factory) -> None:
    waits(session, session_factory, an_order(lines=(a_line(taxes=()),)))
    assert "There is no classifier code for a sale at home, without VAT, goods" in words(
        accountant.get("/journals").text
    )
    form = {"cause": "classifier_missing", "subject": "domestic none goods", "from": "2026-01-01"}
    for wrong in ({"code": "5"}, {"code": "PVM5", "from": "soon"}, {"code": "PVM5", "subject": "domestic"},
                  {"code": "PVM5", "subject": "domestic x goods"}):  # fmt: skip
        assert accountant.post("/journals/mend/vat-code", data={**form, **wrong}).status_code == 303
    assert states(session) == {"1001": InvoiceState.IN_JOURNAL}
    answer = accountant.post("/journals/mend/vat-code", data={**form, "code": "pvm5"})
    assert "The code PVM5 is kept. 1 checked again and registered." in told(accountant, answer)
    with reading(session):
        row = session.scalars(select(VatCodeRow)).one()
    assert (row.treatment, row.percent, row.supply, row.valid_from) == ("domestic", None, "goods", date(2026, 1, 1))


def test_a_buyers_missing_code_is_typed_where_it_is_missing(
    office: FlaskClient, session: Session, session_factory: Factory
) -> None:
    waits(session, session_factory, to_german_company(vat_code=""))
    assert "The buyer's VAT code is another" in words(office.get("/journals").text)
    form = {"cause": "eu_untaxed", "subject": "DE", "vat_code": GERMAN}
    assert "The buyer is corrected. 1 checked again" in told(office, office.post("/journals/mend/buyer", data=form))
    assert f"The VAT code {GERMAN} is not confirmed" in words(office.get("/journals").text)


def test_the_rate_that_was_due_under_oss_is_chosen(
    accountant: FlaskClient, session: Session, session_factory: Factory
) -> None:
    accountant.post("/settings/vat", data={**DAYS, "oss_from": "2026-01-01"})
    waits(session, session_factory, sent_to("EE"))
    assert "VAT of LT was charged to EE, though the company is in OSS" in words(accountant.get("/journals").text)
    form = {"cause": "oss_rate", "subject": "EE 21", "rate": "24"}
    assert "1 checked again and registered." in told(accountant, accountant.post("/journals/mend/vat-rate", data=form))
    invoice = only(session)
    assert (invoice.total, invoice.treatment) == (Decimal("12.10"), "oss")
    assert (invoice.net, invoice.vat) == (Decimal("9.76"), Decimal("2.34"))


# --- what stands on documents and warehouses


def test_an_invoice_shows_its_treatment_and_what_it_rests_on(
    office: FlaskClient, session: Session, session_factory: Factory, register: Shop
) -> None:
    waits(session, session_factory, to_german_company())
    office.post("/journals/mend/vies", data={"cause": "vat_number_unconfirmed", "subject": GERMAN})
    page = words(office.get(f"/invoices/{_first(session)}").text)
    assert f"Sale to an EU VAT payer VIES, {only(session).evidence['vat_code']['day']}, {HOSTILE}" in page  # type: ignore[index]
    assert "PVM13" in page


def test_a_warehouse_abroad_is_added_with_its_country(accountant: FlaskClient, session: Session) -> None:
    refused = accountant.post("/items/warehouses", data={"code": "LODZ", "name": "Łódź", "country": "Poland"})
    assert "Type the country's two letters, for example PL, or leave it empty." in words(refused.text)
    accountant.post("/items/warehouses", data={"code": "LODZ", "name": "Łódź", "country": "pl"})
    assert "LODZ Łódź PL 0" in words(accountant.get("/items/warehouses").text)


def test_an_invoice_dated_before_the_company_was_a_payer_is_dated_today_by_an_accountant(
    app: Flask, accountant: FlaskClient, session: Session, session_factory: Factory
) -> None:
    since = now_utc().date() - timedelta(days=10)
    with writing(session):
        session.execute(update(Company).values(vat_from=since))
    paid = datetime.combine(since - timedelta(days=2), time(10), UTC)
    waits(session, session_factory, an_order(placed_at=paid, paid_at=paid, shipped_at=paid + timedelta(days=4)))
    assert "/journals/mend/date" not in browser(app, session, Role.OFFICE).get("/journals").text
    page = accountant.get("/journals").text
    assert "The invoice carries VAT and is dated when the company was no VAT payer" in words(page)
    assert 'action="/journals/mend/date"' in page
    form = {"cause": "issued_not_payer", "subject": ""}
    accountant.post("/journals/mend/date", data=form, follow_redirects=True)
    with reading(session):
        (invoice,) = session.scalars(select(Invoice))
        assert (invoice.state, invoice.vat) == (InvoiceState.REGISTERED, Decimal("2.10"))
        assert invoice.issue_date >= since + timedelta(days=10)
