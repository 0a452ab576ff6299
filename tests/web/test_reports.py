"""Reports of a month and a quarter: what stands open, closing, files with their hash, who may."""

from __future__ import annotations

import hashlib
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from lxml import etree
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from monet_web.domain.periods import last_of_month
from monet_web.domain.quarters import quarter_of
from monet_web.models import Company, Integration, Invoice, InvoiceFinding
from monet_web.models.base import now_utc, reading, writing
from monet_web.models.filings import Filing
from monet_web.models.invoices import InvoiceState
from monet_web.models.users import Role
from monet_web.services.documents.exports import filings
from tests.builders import an_integration
from tests.services.filed import AT_HOME, COMPANY, a_document
from tests.web.integrating import browser, statements, words

# The month that is over, whatever today is.
BEFORE = now_utc().date().replace(day=1) - timedelta(days=1)
FIRST = BEFORE.replace(day=1)
MONTH = f"{BEFORE:%Y-%m}"
NAME = f"{BEFORE:%B %Y}"
DAY = BEFORE.replace(day=15)
QUARTER = quarter_of(BEFORE)
NUMBERS = "//i:InvoiceNo/text()"
NS = {"i": "http://www.vmi.lt/cms/imas/isaf"}


@pytest.fixture
def shop(session: Session) -> Integration:
    with writing(session):
        session.execute(update(Company).values(**COMPANY))
        return an_integration(session)


@pytest.fixture
def accountant(app: Flask, session: Session) -> FlaskClient:
    return browser(app, session, Role.ACCOUNTANT)


def dated(session: Session, shop: Integration, number: str, rows: Any = (AT_HOME,), **changes: Any) -> Invoice:
    with writing(session):
        return a_document(session, shop, number, rows, **{"issue_date": DAY, "supply_date": DAY, **changes})


def say_terms(session: Session) -> None:
    filings.set_terms(session, part="EPARD", oss="in", names="given", now=now_utc(), actor="x")


def taken(session: Session) -> list[Filing]:
    with reading(session):
        return list(session.scalars(select(Filing).order_by(Filing.id)))


def closed_until(session: Session) -> date | None:
    with reading(session):
        return session.get_one(Company, 1, populate_existing=True).closed_until


# --- the month ----------------------------------------------------------------------------------------------------


def test_a_clean_month_says_so_and_is_closed_without_a_reason(
    accountant: FlaskClient, session: Session, shop: Integration
) -> None:
    say_terms(session)
    dated(session, shop, "KL-1")
    page = words(accountant.get("/reports/month").text)
    assert "Nothing stands between this month and its filing." in page
    assert "One document, and nothing of it would be refused." in page
    done = accountant.post("/reports/month/close", data={"month": MONTH}, follow_redirects=True)
    assert f"{NAME} and all before it are closed." in words(done.text)
    assert "This month is closed." in words(done.text)
    assert closed_until(session) == last_of_month(BEFORE)
    assert "Nothing stood open." in words(accountant.get("/settings/periods").text)


def test_a_company_without_what_its_invoices_must_show_is_no_clean_month_and_is_led_to_the_place(
    accountant: FlaskClient, session: Session, shop: Integration
) -> None:
    say_terms(session)
    with writing(session):
        session.execute(update(Company).values(address=""))
    page = accountant.get("/reports/month").text
    assert "One thing stands between this month and its filing." in words(page)
    assert "A VAT invoice must show the company's name, VAT code and address" in words(page)
    assert 'href="/settings#company-h"' in page
    with writing(session):
        session.execute(update(Company).values(vat_payer=False, vat_code=""))
    assert "Nothing stands between" in words(accountant.get("/reports/month").text)


def test_what_stands_open_is_told_with_the_place_where_it_is_mended_and_closing_needs_a_reason(
    accountant: FlaskClient, session: Session, shop: Integration
) -> None:
    say_terms(session)
    waits = dated(session, shop, "KL-1", state=InvoiceState.IN_JOURNAL)
    usd = dated(session, shop, "KL-2", state=InvoiceState.IN_JOURNAL, currency="USD")
    with writing(session):
        values = {"net_eur": None, "vat_eur": None, "total_eur": None}
        session.execute(update(Invoice).where(Invoice.id == usd.id).values(**values))
        session.add(
            InvoiceFinding(
                invoice_id=usd.id, code="currency_rate_missing", subject=f"USD {DAY}",
                values={"currency": "USD", "date": str(DAY)},
            )
        )  # fmt: skip
    dated(session, shop, "KL-3", [("12", "", "10.00", "1.20")])
    dated(session, shop, "KL-4", stock_not_moved_reason="it stands in the shop")
    dated(session, shop, "KL-5", state=InvoiceState.IN_JOURNAL, issue_date=FIRST - timedelta(days=1))
    text = accountant.get(f"/reports/month?month={MONTH}").text
    page = words(text)
    assert "5 things stand between this month and its filing." in page
    assert "They carry 2.10 EUR of VAT, 12.10 EUR with it." in page.replace("\u00a0", " ")
    assert "One of them has no amounts in EUR yet" in page
    assert f"Missing, by currency and day: USD {DAY.day} {DAY:%b}" in page.replace("\u00a0", " ")
    assert "They were registered without moving stock." in page
    for address in (
        f"/journals/invoices?month={MONTH}", "/settings/currency-rates", f"/reports/isaf?month={MONTH}",
        "/journals/stock-to-settle",
    ):  # fmt: skip
        assert f'href="{address}"' in text
        assert accountant.get(address).status_code == 200
    refused = accountant.post("/reports/month/close", data={"month": MONTH, "reason": " "})
    assert refused.status_code == 422
    assert f"{NAME} is not clean: 5 of its points stand open." in words(refused.text)
    assert closed_until(session) is None
    form = {"month": MONTH, "reason": "The store is late"}
    done = words(accountant.post("/reports/month/close", data=form, follow_redirects=True).text)
    assert "What waits in it needs today's date now" in done
    assert closed_until(session) == last_of_month(BEFORE)
    assert waits.id < usd.id


def test_a_company_that_is_no_vat_payer_files_no_isaf_and_has_a_clean_month(
    accountant: FlaskClient, session: Session, shop: Integration
) -> None:
    with writing(session):
        session.execute(update(Company).values(vat_payer=False))
    dated(session, shop, "KL-1", [(None, "", "10.00", "0.00")], treatment="not_payer")
    page = words(accountant.get("/reports/month").text)
    assert "Nothing stands between this month and its filing." in page
    dated(session, shop, "KL-2", [("12", "", "10.00", "1.20")])
    assert "The tax authority would refuse one document" in words(accountant.get("/reports/month").text)


def test_a_part_that_nobody_has_named_hides_nothing_of_what_would_be_refused(
    accountant: FlaskClient, session: Session, shop: Integration
) -> None:
    page = words(accountant.get("/reports/month").text)
    assert "One thing stands between this month and its filing." in page
    assert "The part's name is not said yet." in page
    assert "nothing of it would be refused" not in page
    dated(session, shop, "KL-1", [("12", "", "10.00", "1.20")])
    assert "The tax authority would refuse one document" in words(accountant.get("/reports/month").text)


def test_money_given_back_that_no_credit_note_says_is_named(
    accountant: FlaskClient, session: Session, shop: Integration
) -> None:
    say_terms(session)
    invoice = dated(session, shop, "KL-1", issue_date=FIRST - timedelta(days=20), buyer_name="<b>Ona</b>")
    with writing(session):
        values = {"amount": "6.00", "currency": "EUR", "count": f"{FIRST - timedelta(days=2)}, {DAY}"}
        session.add(InvoiceFinding(invoice_id=invoice.id, code="refund_not_booked", values=values, stops=False))
    text = accountant.get("/reports/month").text
    assert "Refunds that are not booked" in words(text)
    assert f'href="/invoices/{invoice.id}">KL-1</a>' in text
    assert "6.00 EUR" in words(text)


def test_this_month_can_not_be_closed(accountant: FlaskClient, session: Session, shop: Integration) -> None:
    this = f"{now_utc():%Y-%m}"
    page = accountant.get(f"/reports/month?month={this}").text
    assert "This month is not over" in words(page)
    assert "/reports/month/close" not in page
    assert "is not over" in words(accountant.post("/reports/month/close", data={"month": this}).text)
    assert accountant.post("/reports/month/close", data={"month": "x"}).status_code == 303
    assert closed_until(session) is None


@pytest.mark.parametrize("asked", ["", "?month=x", "?month=2015-01", "?month=2026-13", "?month=9999-12"])
def test_any_address_shows_a_month(accountant: FlaskClient, shop: Integration, asked: str) -> None:
    assert f"<h1>{NAME}</h1>" in accountant.get(f"/reports/month{asked}").text


# --- i.SAF --------------------------------------------------------------------------------------------------------


def test_the_part_s_name_is_asked_once_and_then_the_file_is_taken(
    accountant: FlaskClient, session: Session, shop: Integration
) -> None:
    dated(session, shop, "KL-1")
    page = accountant.get(f"/reports/isaf?month={MONTH}").text
    assert "The part's name is not said yet." in words(page)
    assert "This file holds only invoices of Monet Web." in words(page)
    assert 'value="EPARD"' in page
    assert "/reports/isaf/take" not in page
    wrong = accountant.post("/reports/isaf/terms", data={"month": MONTH, "part": "a b", "names": "given"})
    assert (wrong.status_code, "1 to 20 capital letters" in wrong.text) == (422, True)
    form = {"month": MONTH, "part": "shop_2", "oss": "", "names": "given"}
    assert "Saved" in words(accountant.post("/reports/isaf/terms", data=form, follow_redirects=True).text)
    answer = accountant.post("/reports/isaf/take", data={"month": MONTH}, buffered=True)
    assert answer.mimetype == "application/xml"
    assert answer.headers["Content-Disposition"] == f"attachment; filename=isaf-{MONTH}-SHOP_2.xml"
    root = etree.fromstring(answer.data)
    assert root.xpath(NUMBERS, namespaces=NS) == ["KL-1"]
    (filing,) = taken(session)
    sha256 = hashlib.sha256(answer.data).hexdigest()
    assert (filing.sha256, filing.made_by) == (sha256, "accountant@example.com")
    page = words(accountant.get(f"/reports/isaf?month={MONTH}").text)
    assert sha256 in page
    assert "Nothing changed" in words(accountant.get(f"/reports/month?month={MONTH}").text)


def test_what_would_be_refused_is_listed_with_a_way_to_mend_it_and_can_be_left_out(
    accountant: FlaskClient, session: Session, shop: Integration
) -> None:
    say_terms(session)
    wrong = dated(session, shop, "KL-<b>1", [("12", "", "10.00", "1.20")])
    dated(session, shop, "KL-2")
    text = accountant.get(f"/reports/isaf?month={MONTH}").text
    assert "One document would be refused" in words(text)
    assert "Its amount at 12 % has no classifier code." in words(text)
    assert f'href="/invoices/{wrong.id}">KL-&lt;b&gt;1</a>' in text
    assert 'href="/settings/vat">Mend it</a>' in text
    refused = accountant.post("/reports/isaf/take", data={"month": MONTH}, follow_redirects=True)
    assert "1 document would be refused, first KL-<b>1" in words(refused.text)
    assert taken(session) == []
    answer = accountant.post("/reports/isaf/take", data={"month": MONTH, "without": "refused"}, buffered=True)
    assert etree.fromstring(answer.data).xpath(NUMBERS, namespaces=NS) == ["KL-2"]
    assert [one.left_out for one in taken(session)] == [1]


def test_what_changed_since_the_file_is_named_on_both_pages(
    accountant: FlaskClient, session: Session, shop: Integration
) -> None:
    say_terms(session)
    dated(session, shop, "KL-1")
    accountant.post("/reports/isaf/take", data={"month": MONTH}, buffered=True)
    late = dated(session, shop, "KL-2")
    for address in ("isaf", "month"):
        text = accountant.get(f"/reports/{address}?month={MONTH}").text
        assert f'1 new:</strong> <a href="/invoices/{late.id}">KL-2</a>' in text


# --- who, and at what cost ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OFFICE])
def test_closing_and_filing_are_the_accountant_s(app: Flask, session: Session, shop: Integration, role: Role) -> None:
    say_terms(session)
    dated(session, shop, "KL-1")
    client = browser(app, session, role)
    for page in ("month", "isaf", "oss"):
        text = client.get(f"/reports/{page}").text
        assert 'action="/reports/' not in text
    for deed, form in (
        ("month/close", {"month": MONTH, "reason": "x"}),
        ("isaf/take", {"month": MONTH}),
        ("isaf/terms", {"month": MONTH, "part": "X", "names": "given"}),
        ("oss/take", {"quarter": str(QUARTER), "ending": "csv"}),
    ):
        assert client.post(f"/reports/{deed}", data=form).status_code == 403
    assert (taken(session), closed_until(session)) == ([], None)


def test_the_tabs_lead_to_every_report(accountant: FlaskClient, shop: Integration) -> None:
    text = accountant.get("/reports").text
    for page in ("month", "isaf", "oss"):
        assert f'href="/reports/{page}"' in text
        assert f'href="/reports/{page}" aria-current="page"' in accountant.get(f"/reports/{page}").text


@pytest.mark.parametrize("page", ["month", "isaf", "oss"])
def test_more_documents_need_no_more_queries(
    accountant: FlaskClient, session: Session, shop: Integration, page: str
) -> None:
    say_terms(session)
    accountant.get(f"/reports/{page}")
    dated(session, shop, "KL-1")
    with statements(accountant.application) as few:
        accountant.get(f"/reports/{page}")
    for number in range(2, 12):
        dated(session, shop, f"KL-{number}", vat=Decimal("2.10"))
    with statements(accountant.application) as more:
        accountant.get(f"/reports/{page}")
    assert len(more) == len(few)
    with statements(accountant.application) as again:  # nothing has changed since
        accountant.get(f"/reports/{page}")
    assert len(again) <= len(more)
    assert page == "oss" or len(again) < len(more)
