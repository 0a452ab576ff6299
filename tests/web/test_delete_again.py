"""Delete and run again: the way to the launch that brings orders back, and what a closed period refuses (E5, E7)."""

from __future__ import annotations

from datetime import date

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session, sessionmaker

from monet_web.connectors import CONNECTORS
from monet_web.models import Company
from monet_web.models.base import writing
from monet_web.models.users import Role
from tests.builders import an_order
from tests.services.scripted import NOW, ScriptedStore, import_all, integrate, invoices, put
from tests.web.integrating import browser, words

Factory = sessionmaker[Session]


@pytest.fixture(autouse=True)
def store(monkeypatch: pytest.MonkeyPatch) -> type[ScriptedStore]:
    monkeypatch.setitem(CONNECTORS, "scripted", ScriptedStore)
    ScriptedStore.ORDERS, ScriptedStore.SAID, ScriptedStore.PAGE, ScriptedStore.before_page = {}, [], 100, None
    return ScriptedStore


@pytest.fixture
def office(app: Flask, session: Session) -> FlaskClient:
    return browser(app, session, Role.OFFICE)


def wait(session: Session, session_factory: Factory) -> list[int]:
    """1001 of 23 November and 1002 of the 24th wait; their ids."""
    integration = integrate(session, "Kava & Co", accounting_type="amounts", register_automatically="no")
    put(ScriptedStore, an_order(), an_order(external_id="9002", number="1002", placed_at=NOW, paid_at=NOW))
    assert import_all(session_factory, integration).in_journal == 2
    return [one.id for one in invoices(session)]


def test_deleting_offers_the_launch_that_brings_the_orders_back(
    office: FlaskClient, session: Session, session_factory: Factory
) -> None:
    wait(session, session_factory)
    answer = office.post("/journals/delete", data={"all": "yes", "then": "bring_back"}, follow_redirects=True)
    assert "2 invoices deleted. The next run of the period brings the orders back. Run it again now" in words(
        answer.text
    )
    address = "/integrations?mask=Kava+%26+Co&amp;first=2026-11-23&amp;last=2026-11-24#launch"
    assert f'<a href="{address}">' in answer.text
    form = office.get("/integrations?mask=Kava+%26+Co&first=2026-11-23&last=2026-11-24").text
    assert 'value="Kava &amp; Co"' in form
    assert 'value="2026-11-23"' in form


def test_nothing_is_deleted_when_one_is_dated_in_a_closed_period(
    office: FlaskClient, session: Session, session_factory: Factory
) -> None:
    wait(session, session_factory)
    with writing(session):
        session.get_one(Company, 1).closed_until = date(2026, 11, 23)
    answer = office.post("/journals/delete", data={"all": "yes", "then": "bring_back"}, follow_redirects=True)
    told = words(answer.text)
    assert "The invoice 1001 is dated 23 Nov 2026, and periods until 23 Nov 2026 are closed." in told
    assert "Date it today and keep the supply date" in told
    assert len(invoices(session)) == 2
