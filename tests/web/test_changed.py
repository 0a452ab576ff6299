"""The page of what changed in the store: differences, the questions, the two answers, who may give which (D12)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from monet_web.connectors import CONNECTORS
from monet_web.domain.orders import Order
from monet_web.models import Integration, Invoice, InvoiceFinding
from monet_web.models.base import writing
from monet_web.models.users import Role
from tests.builders import ONA, a_line, a_tax, an_order
from tests.services.scripted import NOW, ScriptedStore, import_all, integrate, invoices, put
from tests.web.integrating import browser, statements, value_of, words

Factory = sessionmaker[Session]
HOSTILE = '<script>alert("1")</script> & Co'
DEARER = a_line(net=Decimal("12.00"), taxes=(a_tax(amount="2.52"),))


@pytest.fixture(autouse=True)
def store(monkeypatch: pytest.MonkeyPatch) -> type[ScriptedStore]:
    monkeypatch.setitem(CONNECTORS, "scripted", ScriptedStore)
    ScriptedStore.ORDERS, ScriptedStore.SAID, ScriptedStore.PAGE, ScriptedStore.before_page = {}, [], 100, None
    return ScriptedStore


@pytest.fixture
def accountant(app: Flask, session: Session) -> FlaskClient:
    return browser(app, session, Role.ACCOUNTANT)


def change(session: Session, session_factory: Factory, *then: Order, waiting: bool = False) -> Integration:
    """Order 1001 (and 1002 …) registered, or waiting and corrected by hand, and the store says `then` of them now."""
    automatic = "no" if waiting else "yes"
    integration = integrate(session, accounting_type="amounts", register_automatically=automatic)
    put(ScriptedStore, *(an_order(external_id=one.external_id, number=one.number) for one in then))
    import_all(session_factory, integration)
    if waiting:
        with writing(session):
            session.execute(update(Invoice).values(touched_at=NOW, touched_by="ona"))
    put(ScriptedStore, *then)
    assert import_all(session_factory, integration).changed == len(then)
    return integration


def test_without_a_change_the_page_says_so(accountant: FlaskClient) -> None:
    page = words(accountant.get("/journals/changed").text)
    assert "Every document says what its order says." in page
    assert "Changed in the store (0)" in page


def test_the_difference_stands_line_by_line_and_nothing_of_the_store_s_is_believed(
    accountant: FlaskClient, session: Session, session_factory: Factory
) -> None:
    change(session, session_factory, an_order(lines=(DEARER,), buyer=replace(ONA, name=HOSTILE)))
    html = accountant.get("/journals/changed").text
    page = words(html)
    assert "Changed in the store (1)" in page
    assert "1 × Notebook, 10.00 EUR without VAT, VAT 2.10 EUR (21 %)" in page.replace("\u00a0", " ")
    assert "1 × Notebook, 12.00 EUR without VAT, VAT 2.52 EUR (21 %)" in page.replace("\u00a0", " ")
    assert "Total with VAT 12.10 EUR 14.52 EUR" in page.replace("\u00a0", " ")
    assert f"Buyer Ona Onaitė {HOSTILE}" in page
    assert "<script>alert" not in html
    question = (
        "Credit 1001 of November 2026, 12.10 EUR, in full and make a new invoice for 14.52 EUR? Both are dated today"
    )
    assert question in page.replace("\u00a0", " ")


def test_accepting_leads_back_with_what_became(
    accountant: FlaskClient, session: Session, session_factory: Factory
) -> None:
    change(session, session_factory, an_order(lines=(DEARER,)))
    html = accountant.get("/journals/changed").text
    invoice_id = invoices(session)[0].id
    form = {"invoice": invoice_id, f"version-{invoice_id}": value_of(html, f"version-{invoice_id}")}
    answer = accountant.post("/journals/changed/accept", data=form, follow_redirects=True)
    assert "1001 is credited by 1001-K1; 1001-2 is registered instead." in words(answer.text)
    again = accountant.post("/journals/changed/accept", data=form, follow_redirects=True)
    assert "This was answered meanwhile." in words(again.text)
    assert [one.number for one in invoices(session)] == ["1001", "1001-K1", "1001-2"]


def test_a_version_that_was_not_shown_is_not_accepted(
    accountant: FlaskClient, session: Session, session_factory: Factory
) -> None:
    change(session, session_factory, an_order(lines=(DEARER,)))
    invoice_id = invoices(session)[0].id
    answer = accountant.post("/journals/changed/accept", data={"invoice": invoice_id}, follow_redirects=True)
    assert "The order has changed once more meanwhile." in words(answer.text)
    assert len(invoices(session)) == 1


def test_ignoring_needs_a_reason_which_is_said_beside_the_field(
    accountant: FlaskClient, session: Session, session_factory: Factory
) -> None:
    change(session, session_factory, an_order(lines=(DEARER,)))
    html = accountant.get("/journals/changed").text
    invoice_id = invoices(session)[0].id
    form = {
        "invoice": invoice_id, f"version-{invoice_id}": value_of(html, f"version-{invoice_id}"), "about": invoice_id,
    }  # fmt: skip
    refused = accountant.post("/journals/changed/ignore", data={**form, "reason": "  "}, follow_redirects=True)
    assert "Ignoring a change needs a reason. Type why" in words(refused.text)
    assert '<details class="ask" name="ask" open>' in refused.text
    done = accountant.post("/journals/changed/ignore", data={**form, "reason": "agreed"}, follow_redirects=True)
    assert "The change of 1001 is ignored." in words(done.text)
    assert "Changed in the store (0)" in words(done.text)
    assert "agreed" in words(accountant.get(f"/invoices/{invoice_id}").text)


def test_all_of_a_kind_are_asked_with_their_sum_and_accepted_at_once(
    accountant: FlaskClient, session: Session, session_factory: Factory
) -> None:
    orders = [an_order(external_id=str(n), number=str(n), lines=(DEARER,)) for n in (1001, 1002)]
    change(session, session_factory, *orders)
    every = accountant.get("/journals/changed").text
    assert "Accept all" not in every
    page = words(accountant.get("/journals/changed?kind=replace").text)
    assert "Accept all 2… Credit 2 invoices for 24.20 EUR, dated November 2026 in full" in page.replace("\u00a0", " ")
    answer = accountant.post(
        "/journals/changed/accept", data={"all": "replace", "kind": "replace"}, follow_redirects=True
    )
    assert "2 changes are accepted." in words(answer.text)
    assert sum(one.total for one in invoices(session)) == Decimal("29.04")


def test_a_change_that_nobody_saw_is_not_accepted_with_all_the_others(
    accountant: FlaskClient, session: Session, session_factory: Factory
) -> None:
    orders = [an_order(external_id=str(n), number=str(n), lines=(DEARER,)) for n in (1001, 1002)]
    change(session, session_factory, *orders)
    seen = value_of(accountant.get("/journals/changed?kind=replace").text, "asked")
    with writing(session):
        found = session.scalars(select(InvoiceFinding).where(InvoiceFinding.code == "changed_in_store")).first()
        assert found is not None
        found.values = {**found.values, "version": "999"}
    asked = {"all": "replace", "kind": "replace", "asked": seen}
    answer = accountant.post("/journals/changed/accept", data=asked, follow_redirects=True)
    assert "It has changed since you were asked. Look at it again." in words(answer.text)
    assert len(invoices(session)) == 2


def test_a_registered_one_is_the_accountant_s_a_waiting_one_the_office_s(
    app: Flask, session: Session, session_factory: Factory
) -> None:
    change(session, session_factory, an_order(lines=(DEARER,)))
    office = browser(app, session, Role.OFFICE)
    html = office.get("/journals/changed").text
    assert "It is registered: an accountant answers it." in words(html)
    invoice_id = invoices(session)[0].id
    told = office.post("/journals/changed/accept", data={"invoice": invoice_id}, follow_redirects=True)
    assert "is the accountant's" in words(told.text)
    assert office.post("/journals/changed/accept", data={"all": "replace"}).status_code == 303
    assert len(invoices(session)) == 1
    viewer = browser(app, session, Role.VIEWER)
    assert viewer.get("/journals/changed").status_code == 200
    assert viewer.post("/journals/changed/accept", data={"invoice": invoice_id}).status_code == 403
    assert viewer.post("/journals/changed/ignore", data={"invoice": invoice_id}).status_code == 403


def test_a_waiting_one_is_drafted_anew_by_the_office(app: Flask, session: Session, session_factory: Factory) -> None:
    change(session, session_factory, an_order(lines=(DEARER,)), waiting=True)
    office = browser(app, session, Role.OFFICE)
    html = office.get("/journals/changed").text
    asked = words(html).replace("\u00a0", " ")
    assert (
        "Draft 1001 of November 2026 anew: 14.52 EUR instead of 12.10 EUR? What was corrected by hand is lost." in asked
    )
    invoice_id = invoices(session)[0].id
    form = {"invoice": invoice_id, f"version-{invoice_id}": value_of(html, f"version-{invoice_id}")}
    answer = office.post("/journals/changed/accept", data=form, follow_redirects=True)
    assert "1001 follows the order now and waits." in words(answer.text)
    assert invoices(session)[0].total == Decimal("14.52")


def test_the_list_is_paged_and_asks_the_database_the_same_however_long_it_is(
    app: Flask, accountant: FlaskClient, session: Session, session_factory: Factory
) -> None:
    integration = change(session, session_factory, an_order(lines=(DEARER,)))
    with statements(app) as asked:
        accountant.get("/journals/changed")
    few = len(asked)
    orders = [an_order(external_id=str(n), number=str(n)) for n in range(2001, 2031)]
    put(ScriptedStore, *orders)
    import_all(session_factory, integration)
    put(ScriptedStore, *(replace(one, lines=(DEARER,), total=Decimal("14.52")) for one in orders))
    import_all(session_factory, integration)
    with statements(app) as asked:
        html = accountant.get("/journals/changed").text
    assert few == len(asked)
    assert "Next page" in html
    assert html.count("In the store now") == 20


def test_a_credited_order_is_listed_and_an_accountant_s_yes_opens_it_again(
    app: Flask, accountant: FlaskClient, session: Session, session_factory: Factory
) -> None:
    gone = an_order(status="cancelled", is_cancelled=True, is_sale=False)
    integration = change(session, session_factory, gone)
    assert accountant.post("/journals/changed/accept", data={"all": "credit"}).status_code == 303
    office = browser(app, session, Role.OFFICE)
    page = office.get("/journals/left-out")
    assert "An accountant says yes." in words(page.text)
    assert office.post("/journals/left-out/import-anew", data={"order": 1}).status_code == 403
    html = accountant.get("/journals/left-out").text
    assert "1001 KL 1001 1001-K1 changed in the store" in words(html)
    order_id = invoices(session)[0].store_order_id
    assert f'name="order" value="{order_id}"' in html
    answer = accountant.post("/journals/left-out/import-anew", data={"order": order_id}, follow_redirects=True)
    assert "1 credited order is open again" in words(answer.text)
    put(ScriptedStore, an_order())
    assert import_all(session_factory, integration).registered == 1
    nothing = accountant.post("/journals/left-out/import-anew", follow_redirects=True)
    assert "Tick at least one order first." in words(nothing.text)


def test_an_invoice_names_the_other_documents_of_its_order_and_what_was_done(
    accountant: FlaskClient, session: Session, session_factory: Factory
) -> None:
    change(session, session_factory, an_order(lines=(DEARER,)))
    (first,) = invoices(session)
    page = accountant.get(f"/invoices/{first.id}").text
    assert f'href="/journals/changed?invoice={first.id}"' in page
    assert "In the store now" in words(accountant.get(f"/journals/changed?invoice={first.id}").text)
    accountant.post("/journals/changed/accept", data={"all": "replace"})
    first, note, second = invoices(session)
    page = words(accountant.get(f"/invoices/{first.id}").text)
    assert "1001 Registered Credited in full" in page
    assert "1001-K1 credit note of this invoice" in page
    assert "1001-2 invoice" in page
    assert "credited it in full by 1001-K1: changed in the store." in page
    assert "accepted the change in the store: total 12.10 → 14.52" in page
    page = words(accountant.get(f"/invoices/{note.id}").text)
    assert "1001-K1 Credit note Registered" in page
    assert "1001 the invoice that is credited" in page
    assert "1001-2 Registered" in words(accountant.get(f"/invoices/{second.id}").text)
    listed = words(accountant.get("/invoices").text)
    assert "Credit note −12.10 EUR" in listed.replace("\u00a0", " ")
    assert "Credited in full 12.10 EUR" in listed.replace("\u00a0", " ")
