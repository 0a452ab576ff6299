"""Pages of credit notes: the waiting one with its lines and goods; a parcel nobody took; another buyer."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update
from sqlalchemy.orm import Session, sessionmaker

from monet_web.connectors import CONNECTORS
from monet_web.domain.orders import Payment, PaymentKind, Refund
from monet_web.models import Company, Invoice
from monet_web.models.base import writing
from monet_web.models.invoices import InvoiceKind, InvoiceState
from monet_web.models.users import Role
from tests.builders import NOON, a_line, a_tax, an_item, an_order
from tests.services.scripted import ScriptedStore, import_all, integrate, invoices, moved, on_hand, put
from tests.vat_sales import estonian
from tests.web.integrating import browser, words

Factory = sessionmaker[Session]

TWO = (
    a_line(quantity=Decimal(2), net=Decimal("20.00"), taxes=(a_tax(amount="4.20"),)),
    a_line(external_id="12", sku="BOOK", product_id="502", net=Decimal("8.00"), taxes=(a_tax("5", "0.40"),)),
)
GIVEN = Refund("501", NOON + timedelta(hours=20), Decimal("12.10"), reason="one was broken")


@pytest.fixture(autouse=True)
def store(monkeypatch: pytest.MonkeyPatch) -> type[ScriptedStore]:
    monkeypatch.setitem(CONNECTORS, "scripted", ScriptedStore)
    ScriptedStore.ORDERS, ScriptedStore.SAID, ScriptedStore.PAGE, ScriptedStore.before_page = {}, [], 100, None
    return ScriptedStore


@pytest.fixture
def accountant(app: Flask, session: Session) -> FlaskClient:
    return browser(app, session, Role.ACCOUNTANT)


@pytest.fixture
def note(session: Session, session_factory: Factory) -> Invoice:
    """12.10 of 32.60 given back, nobody knows for what, of goods in stock."""
    with writing(session):
        an_item(session, on_hand=5)
        an_item(session, code="BOOK", on_hand=5)
    integration = integrate(session)
    put(ScriptedStore, an_order(lines=TWO, refunds=(GIVEN,)))
    run = import_all(session_factory, integration)
    assert (run.registered, run.credit_notes) == (1, 1)
    return latest(session)


def latest(session: Session) -> Invoice:
    return invoices(session)[-1]


def test_the_page_shows_what_is_left_and_the_office_can_only_answer_for_the_goods(
    app: Flask, session: Session, accountant: FlaskClient, note: Invoice
) -> None:
    address = f"/journals/invoices/{note.id}"
    page = words(accountant.get(address).text)
    assert "Credit note" in page
    assert "was given back of invoice 1001" in page
    assert "one was broken" in page
    assert "Money was given back" not in page
    assert "names no line" in page
    assert 'name="gross-1"' in accountant.get(address).text
    office = browser(app, session, Role.OFFICE)
    assert 'name="gross-1"' not in office.get(address).text
    office.post(
        f"/journals/credit-notes/{note.id}", data={"version": note.row_version, "gross-1": "1", "step": "register"}
    )
    assert (latest(session).state, latest(session).total) == (InvoiceState.IN_JOURNAL, Decimal("-12.10"))
    viewer = browser(app, session, Role.VIEWER)
    assert viewer.post(f"/journals/credit-notes/{note.id}").status_code == 403
    assert viewer.get(address).status_code == 200


def test_lines_goods_and_registering_in_one_step(session: Session, accountant: FlaskClient, note: Invoice) -> None:
    typed = {
        "version": str(note.row_version), "step": "register", "quantity-1": "1", "gross-1": "12,10",
        "goods-1": "back", "quantity-2": "0", "gross-2": "0",
    }  # fmt: skip
    before = on_hand(session)
    answer = accountant.post(f"/journals/credit-notes/{note.id}", data=typed)
    assert answer.location.endswith(f"/invoices/{note.id}")
    made = latest(session)
    assert (made.id, made.state, made.number) == (note.id, InvoiceState.REGISTERED, "1001-K1")
    assert [(line.position, line.quantity, line.net, line.vat, line.goods) for line in made.lines] == [
        (1, Decimal(-1), Decimal("-10.00"), Decimal("-2.10"), "back")
    ]
    assert made.rounding == 0
    assert [on_hand(session)[item] - before[item] for item in sorted(before)] == [1, 0]
    page = words(accountant.get(f"/invoices/{note.id}").text)
    assert "said which lines were given back and what became of the goods" in page


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ({"gross-1": "5", "gross-2": "0"}, "The lines come to 5.00, and 12.10 EUR was given back."),
        ({"gross-1": "99", "gross-2": "0"}, "99 is not between 0 and the 24.2 that are left of the line."),
        ({"quantity-1": "3"}, "3 is not between 0 and the 2 that are left of the line."),
        ({"goods-1": "lost"}, "Choose what became of the goods."),
        ({"gross-1": "much"}, "“much” is not a number."),
    ],
)
def test_what_can_not_be_is_refused(
    typed: dict[str, str], why: str, session: Session, accountant: FlaskClient, note: Invoice
) -> None:
    answer = accountant.post(
        f"/journals/credit-notes/{note.id}", data={"version": note.row_version, "step": "register", **typed}
    )
    assert why in words(accountant.get(answer.location).text)
    assert latest(session).row_version == note.row_version


def test_who_opened_it_before_somebody_else_saved_is_told(
    session: Session, accountant: FlaskClient, note: Invoice
) -> None:
    data = {"version": note.row_version, "goods-1": "kept"}
    accountant.post(f"/journals/credit-notes/{note.id}", data=data)
    answer = accountant.post(f"/journals/credit-notes/{note.id}", data=data)
    assert "changed after you had opened it" in words(accountant.get(answer.location).text)


def test_the_office_registers_no_credit_notes(app: Flask, session: Session, note: Invoice) -> None:
    office = browser(app, session, Role.OFFICE)
    office.post("/journals/register", data={"invoice": note.id})
    assert latest(session).state is InvoiceState.IN_JOURNAL
    asked = office.get(f"/journals/ask?do=register&invoice={note.id}")
    assert "Credit notes are registered by an accountant." in words(office.get(asked.location).text)


def sold(session: Session, session_factory: Factory) -> Invoice:
    """One notebook, to be paid on delivery."""
    with writing(session):
        an_item(session, on_hand=5)
    integration = integrate(session)
    put(
        ScriptedStore,
        an_order(payments=(Payment("cod", "On delivery", Decimal("12.10"), PaymentKind.CASH_ON_DELIVERY),)),
    )
    assert import_all(session_factory, integration).registered == 1
    return latest(session)


def test_a_parcel_nobody_paid_for_goes_back_in_one_click(
    app: Flask, session: Session, session_factory: Factory, accountant: FlaskClient
) -> None:
    invoice = sold(session, session_factory)
    assert "Not collected" in accountant.get(f"/invoices/{invoice.id}").text
    assert browser(app, session, Role.OFFICE).post(f"/invoices/{invoice.id}/uncollected").status_code == 403
    accountant.post(f"/invoices/{invoice.id}/uncollected")
    accountant.post(f"/invoices/{invoice.id}/uncollected")
    first, note = invoices(session)
    assert (first.superseded, note.kind, note.total) == (True, InvoiceKind.CREDIT_NOTE, Decimal("-12.10"))
    assert set(on_hand(session).values()) == {Decimal(5)}


def test_another_buyer_gets_a_new_invoice_and_the_stock_stays(
    session: Session, session_factory: Factory, accountant: FlaskClient
) -> None:
    invoice = sold(session, session_factory)
    buyer = {"company": "UAB „Rytas“", "company_code": "304151376", "name": "", "city": "Kaunas"}
    answer = accountant.post(f"/invoices/{invoice.id}/another-buyer", data={**buyer, "vat_code": "LT1"})
    assert answer.status_code == 422
    assert "LT1 can't be a VAT code" in words(answer.text)
    assert 'name="city" type="text" value="Kaunas"' in answer.text  # what was typed is still there
    answer = accountant.post(f"/invoices/{invoice.id}/another-buyer", data=buyer)
    page = words(accountant.get(answer.location).text)
    assert "issued anew as 1001-2" in page
    assert "registered it as 1001-2 to another buyer, instead of 1001" in page
    first, note, new = invoices(session)
    assert (first.superseded, note.number, note.total) == (True, "1001-K1", Decimal("-12.10"))
    assert (new.number, new.revision, new.buyer_name) == ("1001-2", 2, "UAB „Rytas“")
    assert (new.total, new.customer_id is not None, len(new.lines)) == (Decimal("12.10"), True, 1)
    assert set(on_hand(session).values()) == {Decimal(4)}
    assert set(moved(session).values()) == {Decimal(-1)}
    accountant.post(f"/invoices/{new.id}/uncollected")
    assert set(on_hand(session).values()) == {Decimal(5)}


def test_an_invoice_to_another_buyer_that_is_not_clear_leads_to_its_journal(
    session: Session, session_factory: Factory, accountant: FlaskClient
) -> None:
    with writing(session):
        session.execute(update(Company).values(oss_from=date(2026, 1, 1)))
    put(ScriptedStore, estonian())
    import_all(session_factory, integrate(session, accounting_type="amounts"))
    invoice = latest(session)
    page = accountant.get(f"/invoices/{invoice.id}").text
    assert "Credit what is left of 1001, 12.40\u00a0EUR" in page
    assert 'name="country" type="text" value="EE"' in page
    buyer = {"company": "Firma OÜ", "vat_code": "EE100594102", "country": "EE"}
    answer = accountant.post(f"/invoices/{invoice.id}/another-buyer", data=buyer)
    new = latest(session)
    assert (answer.location, new.state) == (f"/journals/invoices/{new.id}", InvoiceState.IN_JOURNAL)
    page = words(accountant.get(answer.location).text)
    assert "Credited as 1001-K1. 1001-2 to the new buyer waits: see what is found about it." in page
    assert "EE100594102 is the VAT code of a company, and the store charged VAT of a consumer in EE." in page


def test_what_is_given_back_whole_is_offered_to_nobody(
    session: Session, session_factory: Factory, accountant: FlaskClient
) -> None:
    invoice = sold(session, session_factory)
    assert "Issue to another buyer" in accountant.get(f"/invoices/{invoice.id}").text
    accountant.post(f"/invoices/{invoice.id}/uncollected")
    assert "Issue to another buyer" not in accountant.get(f"/invoices/{invoice.id}").text
    answer = accountant.post(f"/invoices/{invoice.id}/another-buyer", data={"name": "Ona"})
    assert "1001 is credited in full already." in words(answer.text)


def test_a_credit_note_of_a_series_waits_without_a_number_and_gets_one_when_it_is_registered(
    session: Session, session_factory: Factory, accountant: FlaskClient
) -> None:
    integration = integrate(
        session, accounting_type="amounts", number_prefix="KL-", credit_number_from="series", credit_number_prefix="KR-"
    )
    put(ScriptedStore, an_order(lines=TWO, refunds=(GIVEN,)))
    import_all(session_factory, integration)
    note = latest(session)
    for address in (
        f"/journals/invoices/{note.id}", f"/journals/{note.journal_id}", "/journals", f"/invoices/{note.id - 1}",
        "/invoices",
    ):  # fmt: skip
        answer = accountant.get(address, follow_redirects=True)
        assert answer.status_code == 200, address
        assert "None" not in words(answer.text), address
    typed = {
        "version": str(note.row_version), "step": "register", "quantity-1": "1", "gross-1": "12,10",
        "quantity-2": "0", "gross-2": "0",
    }  # fmt: skip
    done = accountant.post(f"/journals/credit-notes/{note.id}", data=typed, follow_redirects=True)
    assert "KR-2026-000001" in words(done.text)
    assert (latest(session).number, latest(session).state) == ("KR-2026-000001", InvoiceState.REGISTERED)
