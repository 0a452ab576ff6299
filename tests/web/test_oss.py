"""OSS of a quarter on its page: what is filed, taking the file, what changed since then and where it goes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from monet_web.domain.quarters import Quarter, quarter_of
from monet_web.models import Company, Integration, Invoice
from monet_web.models.base import now_utc, reading, writing
from monet_web.models.filings import Filing
from monet_web.models.users import Role
from tests.builders import an_integration
from tests.services.filed import Row, a_document
from tests.web.integrating import browser, statements, words

# Quarters that are over and in progress, whatever today is.
NOW = quarter_of(now_utc().astimezone(ZoneInfo("Europe/Vilnius")).date())
OVER = NOW.before()
EARLIER = OVER.before()
ESTONIA: Row = ("24", "PVM15", "10.00", "2.40")


@pytest.fixture
def shop(session: Session) -> Integration:
    with writing(session):
        session.execute(update(Company).values(name="UAB Kava", code="123456789"))
        return an_integration(session)


@pytest.fixture
def accountant(app: Flask, session: Session) -> FlaskClient:
    return browser(app, session, Role.ACCOUNTANT)


def sold(
    session: Session, shop: Integration, number: str, rows: Sequence[Row] = (ESTONIA,), *, in_: Quarter = OVER,
    **changes: Any,
) -> Invoice:  # fmt: skip
    plain: dict[str, Any] = {
        "treatment": "oss", "ship_country": "EE", "buyer": {"country": "EE"}, "issue_date": in_.first,
        "supply_date": in_.first,
    }  # fmt: skip
    with writing(session):
        return a_document(session, shop, number, rows, **{**plain, **changes})


def page(client: FlaskClient, quarter: Quarter) -> str:
    return words(client.get(f"/reports/oss?quarter={quarter}").text).replace("\u00a0", " ")


def take(client: FlaskClient, quarter: Quarter, ending: str = "csv", **more: str) -> str:
    answer = client.post("/reports/oss/take", data={"quarter": str(quarter), "ending": ending, **more}, buffered=True)
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"] == f"attachment; filename=oss-{quarter}.{ending}"
    return answer.data.decode("utf-8-sig") if ending == "csv" else ""


def taken(session: Session) -> list[tuple[str, str, int]]:
    with reading(session):
        filings = session.scalars(select(Filing).order_by(Filing.id)).all()
    return [(one.kind, one.period, one.documents) for one in filings]


def test_the_quarter_is_shown_and_taken_as_csv_and_xlsx(
    accountant: FlaskClient, session: Session, shop: Integration
) -> None:
    one = sold(session, shop, "KL-1", buyer={"country": "LT"})
    text = page(accountant, OVER)
    assert "EE Estonia 24 % 10.00 2.40" in text
    assert "Of one invoice only the place of delivery says where the buyer is" in text
    assert take(accountant, OVER).splitlines()[1] == f"supply,{OVER},EE,24,10.00,2.40"
    take(accountant, OVER, "xlsx")
    assert taken(session) == [("oss", str(OVER), 1)] * 2
    wrong = accountant.post("/reports/oss/take", data={"quarter": str(OVER), "ending": "pdf"})
    assert wrong.status_code == 303
    evidence = accountant.get(f"/reports/oss/documents.csv?quarter={OVER}", buffered=True).data.decode("utf-8-sig")
    day = one.issue_date
    assert evidence.splitlines()[1].startswith(f"KL-1,invoice,,{day},{day},{OVER},EE,LT,delivery only,24,EUR")


def test_what_changed_since_it_was_filed_is_told_there_and_corrected_in_the_next(
    accountant: FlaskClient, session: Session, shop: Integration
) -> None:
    sold(session, shop, "KL-1")
    take(accountant, OVER)
    assert "Filed: the file was taken" in page(accountant, OVER)
    assert f"What changes afterwards is corrected in {NOW}." in page(accountant, OVER)
    sold(session, shop, "KL-2", [("24", "PVM15", "1.00", "0.24")])
    text = page(accountant, OVER)
    assert "EE Estonia 24 % 10.00 2.40" in text
    assert "EE 0.24 EUR Sales that came late, credit notes and accepted changes." in text
    text = page(accountant, NOW)
    assert "Corrections of earlier quarters VAT only, at the rates of the quarter corrected" in text
    assert f"EE Estonia {OVER} 0.24" in text
    assert "To pay, sales and corrections: EE 0.24 EUR" in text


def test_a_file_that_was_not_handed_in_is_taken_anew(
    accountant: FlaskClient, session: Session, shop: Integration
) -> None:
    sold(session, shop, "KL-1")
    take(accountant, OVER)
    assert "The file was not handed in" not in page(accountant, OVER)
    sold(session, shop, "KL-2")
    assert "The file was not handed in" in page(accountant, OVER)
    assert take(accountant, OVER).splitlines()[1] == f"supply,{OVER},EE,24,10.00,2.40"
    assert take(accountant, OVER, anew="yes").splitlines()[1] == f"supply,{OVER},EE,24,20.00,4.80"
    assert "Changed since it was filed" not in page(accountant, OVER)


def test_anew_is_refused_once_a_later_return_is_filed(
    accountant: FlaskClient, session: Session, shop: Integration
) -> None:
    sold(session, shop, "KL-1", in_=EARLIER)
    take(accountant, EARLIER)
    sold(session, shop, "KL-2", in_=EARLIER)
    take(accountant, OVER)
    assert "The file was not handed in" not in page(accountant, EARLIER)
    refused = accountant.post(
        "/reports/oss/take", data={"quarter": str(EARLIER), "ending": "csv", "anew": "yes"}, follow_redirects=True
    )
    assert f"{OVER} was taken after {EARLIER} and holds what changed in it." in words(refused.text)


def test_a_quarter_that_is_not_over_or_late_or_missing_before_it_says_so(
    accountant: FlaskClient, session: Session, shop: Integration
) -> None:
    sold(session, shop, "KL-1", in_=EARLIER)
    assert "This quarter is not over" in page(accountant, NOW)
    assert "and its file was not taken here" in page(accountant, EARLIER)  # due two months ago at the latest
    assert f"The return of {EARLIER} was not taken here." in page(accountant, OVER)
    take(accountant, EARLIER)
    assert f"The return of {EARLIER} was not taken here." not in page(accountant, OVER)
    take(accountant, NOW)
    assert "Filed" not in page(accountant, NOW)


def test_a_missing_rate_is_told_and_the_return_is_not_offered(
    accountant: FlaskClient, session: Session, shop: Integration
) -> None:
    sold(session, shop, "KL-1", currency="USD", eur_rate="1.1")
    text = accountant.get(f"/reports/oss?quarter={OVER}").text
    assert "One exchange rate is missing" in words(text)
    assert "/reports/oss/take" not in text
    refused = accountant.post("/reports/oss/take", data={"quarter": str(OVER), "ending": "csv"}, follow_redirects=True)
    assert "A rate for the end of the quarter is missing: USD as published on" in words(refused.text)
    assert taken(session) == []


def test_more_documents_and_more_filed_quarters_need_no_more_queries(
    accountant: FlaskClient, session: Session, shop: Integration
) -> None:
    sold(session, shop, "KL-1", in_=EARLIER)
    take(accountant, EARLIER)
    sold(session, shop, "KL-2")
    page(accountant, OVER)
    with statements(accountant.application) as few:
        page(accountant, OVER)
    made = datetime.combine(EARLIER.last, time(12), ZoneInfo("UTC"))
    with writing(session):
        before = EARLIER
        for _ in range(8):
            before = before.before()
            filing = session.scalars(select(Filing)).all()[0]
            session.add(
                Filing(
                    kind="oss", period=str(before), made_at=made, made_by="x", file_name="x", sha256="", size=0,
                    documents=0, left_out=0, sums={}, fingerprints=filing.fingerprints,
                )
            )  # fmt: skip
    for number in range(3, 12):
        sold(session, shop, f"KL-{number}")
    with statements(accountant.application) as more:
        page(accountant, OVER)
    assert len(more) == len(few)


def test_the_page_is_read_by_everybody_and_taken_by_an_accountant(
    app: Flask, session: Session, shop: Integration
) -> None:
    sold(session, shop, "KL-1")
    office = browser(app, session, Role.OFFICE)
    assert 'action="/reports/' not in office.get(f"/reports/oss?quarter={OVER}").text
    data = {"quarter": str(OVER), "ending": "csv", "anew": "yes"}
    assert office.post("/reports/oss/take", data=data).status_code == 403
    assert taken(session) == []
