"""The page of closed periods: months with what is dated in them, closing and reopening, who may (E7)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session, sessionmaker

from monet_web.connectors import CONNECTORS
from monet_web.domain.periods import last_of_month
from monet_web.models import Company
from monet_web.models.base import now_utc, reading
from monet_web.models.invoices import InvoiceState
from monet_web.models.users import Role
from tests.builders import an_order
from tests.services.scripted import ScriptedStore, import_all, integrate, invoices, put
from tests.web.integrating import browser, words

Factory = sessionmaker[Session]

# The month before this one, whatever today is.
BEFORE = now_utc().date().replace(day=1) - timedelta(days=1)
MONTH = f"{BEFORE:%Y-%m}"
NAME = f"{BEFORE:%B %Y}"
PAID = datetime(BEFORE.year, BEFORE.month, 15, 10, tzinfo=UTC)


@pytest.fixture(autouse=True)
def store(monkeypatch: pytest.MonkeyPatch) -> type[ScriptedStore]:
    monkeypatch.setitem(CONNECTORS, "scripted", ScriptedStore)
    ScriptedStore.ORDERS, ScriptedStore.SAID, ScriptedStore.PAGE, ScriptedStore.before_page = {}, [], 100, None
    return ScriptedStore


@pytest.fixture
def accountant(app: Flask, session: Session) -> FlaskClient:
    return browser(app, session, Role.ACCOUNTANT)


def closed_until(session: Session) -> date | None:
    with reading(session):
        return session.get_one(Company, 1, populate_existing=True).closed_until


def close(client: FlaskClient, reason: str = "It is filed") -> str:
    form = {"month": MONTH, "reason": reason}
    return client.post("/settings/periods/close", data=form, follow_redirects=True).text


def test_a_month_is_closed_with_a_reason_that_is_kept_with_the_name(accountant: FlaskClient, session: Session) -> None:
    page = words(accountant.get("/settings/periods").text)
    assert "No period is closed." in page
    assert f"Close… Close {NAME} and all months before it?" in page
    refused = close(accountant, "  ")
    assert "Closing and reopening a month need a reason. Type why" in words(refused)
    assert '<details class="ask" name="ask" open>' in refused
    assert closed_until(session) is None
    done = words(close(accountant))
    assert f"{NAME} and all before it are closed." in done
    assert "accountant@example.com: closed until" in done
    assert "It is filed" in done
    assert closed_until(session) == last_of_month(BEFORE)


def test_this_month_can_t_be_closed(accountant: FlaskClient, session: Session) -> None:
    this = f"{now_utc():%Y-%m}"
    form = {"month": this, "reason": "x"}
    answer = accountant.post("/settings/periods/close", data=form, follow_redirects=True)
    assert "is not over, and invoices of today would be refused." in words(answer.text)
    assert accountant.post("/settings/periods/close", data={"month": "?", "reason": "x"}).status_code == 303
    assert closed_until(session) is None


def test_what_waits_in_a_month_says_so_when_it_is_closed_and_goes_through_when_it_is_reopened(
    accountant: FlaskClient, session: Session, session_factory: Factory
) -> None:
    put(ScriptedStore, an_order(placed_at=PAID, paid_at=PAID))
    integration = integrate(session, accounting_type="amounts", register_automatically="no")
    import_all(session_factory, integration)
    page = words(accountant.get("/settings/periods").text)
    assert "One invoice of it still waits and would need today's date." in page
    assert "What waits in it needs today's date now" in words(close(accountant))
    (waiting,) = invoices(session)
    assert {one.code for one in waiting.found} == {"period_closed", "posting_manual"}
    form = {"month": MONTH, "reason": "One was forgotten"}
    answer = accountant.post("/settings/periods/reopen", data=form, follow_redirects=True)
    assert f"{NAME} and all after it are open. 1 checked again: 0 registered, 1 still waits." in words(answer.text)
    (still,) = invoices(session)
    assert (still.state, {one.code for one in still.found}) == (InvoiceState.IN_JOURNAL, {"posting_manual"})
    assert closed_until(session) == BEFORE.replace(day=1) - timedelta(days=1)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OFFICE])
def test_closing_is_the_accountant_s(app: Flask, session: Session, role: Role) -> None:
    client = browser(app, session, role)
    page = client.get("/settings/periods")
    assert "Closing and reopening are the accountant's." in words(page.text)
    assert "/settings/periods/close" not in page.text
    for deed in ("close", "reopen"):
        assert client.post(f"/settings/periods/{deed}", data={"month": MONTH, "reason": "x"}).status_code == 403
    assert closed_until(session) is None
