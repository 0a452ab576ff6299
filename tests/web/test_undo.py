"""The pages of undoing a run: what will go, the question with its sums, the deed, who may."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update
from sqlalchemy.orm import Session, sessionmaker

from monet_web.connectors import CONNECTORS
from monet_web.models import Company, Invoice
from monet_web.models.base import now_utc, writing
from monet_web.models.users import Role
from tests.builders import a_line, an_item, an_order
from tests.services.scripted import NOW, ScriptedStore, import_all, integrate, invoices, put
from tests.web.integrating import browser, statements, words

Factory = sessionmaker[Session]


@pytest.fixture(autouse=True)
def store(monkeypatch: pytest.MonkeyPatch) -> type[ScriptedStore]:
    monkeypatch.setitem(CONNECTORS, "scripted", ScriptedStore)
    ScriptedStore.ORDERS, ScriptedStore.SAID, ScriptedStore.PAGE, ScriptedStore.before_page = {}, [], 100, None
    return ScriptedStore


@pytest.fixture
def accountant(app: Flask, session: Session) -> FlaskClient:
    return browser(app, session, Role.ACCOUNTANT)


def brought(session: Session, session_factory: Factory, *, registered: int = 2) -> int:
    """A run that registered 1001, 1002 … and left the order of an unknown item in its journal; its id."""
    with writing(session):
        an_item(session, on_hand=registered)
    integration = integrate(session)
    put(ScriptedStore, *(an_order(external_id=str(n), number=str(n)) for n in range(1001, 1001 + registered)))
    put(ScriptedStore, an_order(external_id="2001", number="2001", lines=(a_line(sku="?", product_id=""),)))
    run = import_all(session_factory, integration)
    assert (run.registered, run.in_journal) == (registered, 1)
    return run.id


def test_the_run_leads_an_accountant_to_its_undoing(
    app: Flask, accountant: FlaskClient, session: Session, session_factory: Factory
) -> None:
    run_id = brought(session, session_factory)
    assert f'href="/runs/{run_id}/undo"' in accountant.get(f"/runs/{run_id}").text
    office = browser(app, session, Role.OFFICE)
    assert f'href="/runs/{run_id}/undo"' not in office.get(f"/runs/{run_id}").text
    assert office.get(f"/runs/{run_id}/undo").status_code == 403
    assert office.post(f"/runs/{run_id}/undo").status_code == 403


def test_the_plan_names_what_goes_and_lists_what_can_be_ticked(
    accountant: FlaskClient, session: Session, session_factory: Factory
) -> None:
    run_id = brought(session, session_factory)
    page = words(accountant.get(f"/runs/{run_id}/undo").text)
    assert "1 invoice for 12.10 EUR, dated November 2026. Their orders are open again" in page
    assert "2 invoices for 24.20 EUR, dated November 2026" in page
    assert "1001" in page
    assert "All 2 invoices" in page
    assert len(invoices(session)) == 3


def test_corrections_by_hand_are_said_to_be_lost(
    accountant: FlaskClient, session: Session, session_factory: Factory
) -> None:
    run_id = brought(session, session_factory)
    with writing(session):
        session.execute(update(Invoice).where(Invoice.order_number == "2001").values(touched_at=NOW, touched_by="o"))
    assert "One of them was corrected by hand, which is lost." in words(accountant.get(f"/runs/{run_id}/undo").text)


def test_the_question_names_the_sum_of_what_is_ticked_and_the_deed_does_it(
    accountant: FlaskClient, session: Session, session_factory: Factory
) -> None:
    run_id = brought(session, session_factory)
    first = invoices(session)[0]
    question = accountant.get(f"/runs/{run_id}/undo/ask", query_string={"which": "ticked", "invoice": first.id})
    asked = words(question.text)
    assert "Delete 1 invoice for 12.10 EUR, dated November 2026 from the journals" in asked
    assert "Credit 1 invoice for 12.10 EUR, dated November 2026 in full by credit notes dated" in asked
    assert f'name="invoice" value="{first.id}"' in question.text
    answer = accountant.post(f"/runs/{run_id}/undo", data={"invoice": first.id}, follow_redirects=True)
    told = words(answer.text)
    assert f"Run {run_id} is undone: 1 invoice deleted and 1 credited for 12.10 EUR, dated" in told
    assert "1 deleted from journals, 1 credited." in told
    assert [(one.number, one.superseded) for one in invoices(session)] == [
        ("1001", True), ("1002", False), ("1001-K1", False),
    ]  # fmt: skip
    # A second click: nothing of it twice.
    again = accountant.post(f"/runs/{run_id}/undo", data={"invoice": first.id}, follow_redirects=True)
    assert len(invoices(session)) == 3
    assert "is undone: nothing was left." in words(again.text)


def test_all_of_it_leaves_nothing_to_undo(accountant: FlaskClient, session: Session, session_factory: Factory) -> None:
    run_id = brought(session, session_factory)
    accountant.post(f"/runs/{run_id}/undo", data={"which": "all"})
    page = words(accountant.get(f"/runs/{run_id}/undo").text)
    assert "Nothing of this run is left to undo" in page
    again = accountant.post(f"/runs/{run_id}/undo", data={"which": "all"}, follow_redirects=True)
    assert "is left to undo." in words(again.text)
    assert sum(one.total for one in invoices(session)) == 0


def test_when_today_is_closed_the_page_says_what_to_do(
    accountant: FlaskClient, session: Session, session_factory: Factory
) -> None:
    run_id = brought(session, session_factory)
    with writing(session):
        session.get_one(Company, 1).closed_until = now_utc().date()
    page = words(accountant.get(f"/runs/{run_id}/undo").text)
    assert "It can't be undone now." in page
    assert "Reopen the period first." in page
    assert "1 invoice for 12.10 EUR, dated November 2026 stay: their period is closed." in page
    refused = accountant.post(f"/runs/{run_id}/undo", data={"which": "all"}, follow_redirects=True)
    assert "can't be undone now." in words(refused.text)
    assert len(invoices(session)) == 3


def test_the_plan_asks_the_database_the_same_however_much_there_is(
    app: Flask, accountant: FlaskClient, session: Session, session_factory: Factory
) -> None:
    run_id = brought(session, session_factory, registered=60)
    with statements(app) as asked:
        page = accountant.get(f"/runs/{run_id}/undo").text
    many = len(asked)
    assert "Next page" in page
    assert page.count('name="invoice"') == 50
    with statements(app) as asked:
        accountant.get(f"/runs/{run_id}/undo?after=999999")
    assert many == len(asked) < 20


def test_a_run_that_is_not_there_is_not_found(accountant: FlaskClient) -> None:
    assert accountant.get("/runs/99/undo").status_code == 404
    assert accountant.post("/runs/99/undo").status_code == 404
