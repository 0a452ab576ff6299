"""Pages of settings: who may what, the last administrator stays, a link is shown once, what waited is checked again."""

from __future__ import annotations

import io
import re
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, sessionmaker

from monet_web.connectors import CONNECTORS
from monet_web.models import Company, CompanyDetails, CurrencyRate, Invoice, TakenNumber, User, VatRateRow
from monet_web.models.base import now_utc, reading, writing
from monet_web.models.invoices import InvoiceState
from monet_web.models.users import Role
from monet_web.services.books import rates
from monet_web.services.office import passwords
from tests.builders import an_item, an_order
from tests.services.scripted import ScriptedStore, import_all, integrate, put
from tests.web.integrating import HOSTILE, browser, statements, words
from tests.workbooks import a_workbook

Factory = sessionmaker[Session]
PASSWORD = "a sentence of nine words"


@pytest.fixture
def administrator(app: Flask, session: Session) -> FlaskClient:
    client = browser(app, session, Role.ADMINISTRATOR)
    with writing(session):
        session.execute(update(User).values(password_hash=passwords.hashed(PASSWORD)))
    return client


@pytest.fixture
def accountant(app: Flask, session: Session) -> FlaskClient:
    return browser(app, session, Role.ACCOUNTANT)


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> type[ScriptedStore]:
    monkeypatch.setitem(CONNECTORS, "scripted", ScriptedStore)
    ScriptedStore.ORDERS, ScriptedStore.SAID, ScriptedStore.PAGE, ScriptedStore.before_page = {}, [], 100, None
    return ScriptedStore


def company(session: Session) -> Company:
    with reading(session):
        return session.get_one(Company, 1, populate_existing=True)


def person(session: Session, email: str) -> User:
    with reading(session):
        query = select(User).where(User.email == email).execution_options(populate_existing=True)
        return session.scalars(query).one()


def count(session: Session, table: type[Any]) -> int:
    with reading(session):
        return session.scalar(select(func.count()).select_from(table)) or 0


def send(client: FlaskClient, path: str, data: str | bytes, name: str = "rates.csv") -> Any:
    body = data.encode() if isinstance(data, str) else data
    return client.post(path, data={"file": (io.BytesIO(body), name)}, follow_redirects=True)


# --- who may what ------------------------------------------------------------------------------------------------

EVERYBODY = ["/settings", "/settings/vat-rates", "/settings/currency-rates", "/settings/numbers", "/settings/periods"]
OF_ACCOUNTANTS = [
    "/settings/periods/close", "/settings/periods/reopen", "/settings/vat-rates", "/settings/currency-rates",
    "/settings/currency-rates/file",
    "/settings/numbers",
]  # fmt: skip
OF_ADMINISTRATORS = [
    "/settings/company", "/settings/people", "/settings/people/1/link", "/settings/people/1/role",
    "/settings/people/1/disable", "/settings/people/1/enable",
]  # fmt: skip


@pytest.mark.parametrize("path", [*EVERYBODY, "/settings/people"])
def test_a_stranger_is_sent_to_the_door(app: Flask, path: str) -> None:
    assert app.test_client().get(path).status_code == 302


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OFFICE, Role.ACCOUNTANT])
def test_people_and_the_company_are_the_administrators(app: Flask, session: Session, role: Role) -> None:
    client = browser(app, session, role)
    assert client.get("/settings/people").status_code == 403
    assert [client.post(path).status_code for path in OF_ADMINISTRATORS] == [403] * len(OF_ADMINISTRATORS)
    assert "settings/people" not in client.get("/settings").text


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OFFICE])
def test_rates_numbers_and_closing_are_the_accountants(app: Flask, session: Session, role: Role) -> None:
    client = browser(app, session, role)
    assert [client.post(path).status_code for path in OF_ACCOUNTANTS] == [403] * len(OF_ACCOUNTANTS)
    assert [client.get(path).status_code for path in EVERYBODY] == [200] * len(EVERYBODY)
    for path in EVERYBODY[1:]:
        assert 'method="post"' not in client.get(path).text.partition("<main")[2].partition("</main")[0]


# --- you ---------------------------------------------------------------------------------------------------------


def test_a_person_chooses_language_and_look(app: Flask, session: Session) -> None:
    client = browser(app, session, Role.VIEWER)
    assert 'data-theme="auto"' in client.get("/settings").text
    assert client.post("/settings/own", data={"language": "lt", "theme": "dark"}).status_code == 303
    page = client.get("/settings").text
    assert '<html lang="lt" data-theme="dark" data-bs-theme="dark">' in page
    assert client.post("/settings/own", data={"language": "", "theme": ""}).status_code == 303
    assert 'data-theme="auto"' in client.get("/settings").text


def test_a_look_that_is_not_there_is_refused(app: Flask, session: Session) -> None:
    client = browser(app, session, Role.VIEWER)
    assert client.post("/settings/own", data={"language": "en", "theme": "pink"}).status_code == 422
    assert person(session, "viewer@example.com").theme == ""


# --- the company -------------------------------------------------------------------------------------------------


def test_the_company_is_saved_and_shown(administrator: FlaskClient, session: Session) -> None:
    form = {"name": f"UAB {HOSTILE}", "code": "302676514", "vat_code": "", "country": "lt", "time_zone": "Europe/Riga"}
    assert administrator.post("/settings/company", data=form).status_code == 303
    row = company(session)
    assert (row.name, row.country, row.time_zone) == (f"UAB {HOSTILE}", "LT", "Europe/Riga")
    assert '<script>alert("1")' not in administrator.get("/settings").text


def test_earlier_documents_keep_the_company_they_had_unless_it_was_a_mistake(
    administrator: FlaskClient, session: Session
) -> None:
    form = {"name": "UAB Pirmas", "country": "LT", "time_zone": "Europe/Vilnius"}
    administrator.post("/settings/company", data=form)
    assert "earlier documents show the new too" in words(administrator.get("/settings").text)
    administrator.post("/settings/company", data={**form, "name": "UAB Antras"})
    assert details(session) == ["UAB Pirmas"]
    administrator.post("/settings/company", data={**form, "name": "UAB Trečias", "everywhere": "yes"})
    assert details(session) == ["UAB Pirmas"]
    administrator.post("/settings/company", data={**form, "name": "UAB Ketvirtas"})
    assert details(session) == ["UAB Pirmas", "UAB Trečias"]


def details(session: Session) -> list[str]:
    with reading(session):
        return list(session.scalars(select(CompanyDetails.name).order_by(CompanyDetails.until, CompanyDetails.id)))


def test_every_wrong_field_of_the_company_says_what_to_type_and_nothing_is_changed(
    administrator: FlaskClient, session: Session
) -> None:
    form = {"name": "New", "code": "123", "vat_code": "LT1", "country": "LT", "time_zone": "Mars"}
    answer = administrator.post("/settings/company", data=form)
    assert answer.status_code == 422
    said = words(answer.text)
    assert "It can't be a Lithuanian company code" in said
    assert "It can't be a VAT code" in said
    assert "Type a time zone as Europe/Vilnius." in said
    assert 'value="New"' in answer.text
    assert company(session).name == ""


# --- people ------------------------------------------------------------------------------------------------------


def link_on(page: str) -> str:
    found = re.search(r"http://localhost(/link/[\w-]+)", page)
    return found.group(1) if found else ""


def test_a_link_is_shown_once_and_lets_the_person_in(app: Flask, administrator: FlaskClient, session: Session) -> None:
    form = {"email": "Ona@Example.com", "name": HOSTILE, "role": "accountant"}
    answer = administrator.post("/settings/people", data=form)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert "shown this once" in words(answer.text)
    assert '<script>alert("1")' not in answer.text
    path = link_on(answer.text)
    assert link_on(administrator.get("/settings/people").text) == ""
    newcomer = app.test_client()
    entered = newcomer.post(path, data={"email": "ona@example.com", "name": "Ona", "password": PASSWORD})
    assert entered.location == "/"
    assert newcomer.get(path).status_code == 410
    assert person(session, "ona@example.com").role is Role.ACCOUNTANT


def test_a_person_is_added_once_and_the_way_to_a_new_link_is_said(administrator: FlaskClient, session: Session) -> None:
    form = {"email": "administrator@example.com", "role": "viewer"}
    answer = administrator.post("/settings/people", data=form)
    assert answer.status_code == 422
    said = words(answer.text)
    assert "administrator@example.com is here already, as administrator. Make a new link for them instead." in said
    wrong = administrator.post("/settings/people", data={"email": "ona", "role": "boss"})
    assert "“ona” is no e-mail address." in words(wrong.text)
    assert count(session, User) == 1


def test_a_new_link_ends_the_one_before(app: Flask, administrator: FlaskClient) -> None:
    first = administrator.post("/settings/people", data={"email": "ona@example.com", "role": "viewer"}).text
    second = administrator.post("/settings/people/2/link").text
    assert app.test_client().get(link_on(first)).status_code == 410
    assert app.test_client().get(link_on(second)).status_code == 200
    assert administrator.post("/settings/people/99/link").status_code == 422


def test_the_last_administrator_stays(administrator: FlaskClient, session: Session) -> None:
    for path, form in (("disable", {}), ("role", {"role": "office"})):
        answer = administrator.post(f"/settings/people/1/{path}", data=form)
        assert answer.status_code == 422
        assert "administrator@example.com is the only administrator who can sign in." in words(answer.text)
    # Somebody who never came does not count: their link lasts an hour.
    administrator.post("/settings/people", data={"email": "ona@example.com", "role": "administrator"})
    assert administrator.post("/settings/people/1/disable").status_code == 422
    with writing(session):
        session.execute(update(User).values(password_hash="hash"))
    answer = administrator.post("/settings/people/1/role", data={"role": "office"})
    assert (answer.status_code, answer.location) == (303, "/settings")
    assert administrator.get("/settings/people").status_code == 403


def test_who_is_shut_out_is_out_at_once_and_can_be_let_in_again(
    app: Flask, administrator: FlaskClient, session: Session
) -> None:
    viewer = browser(app, session, Role.VIEWER)
    user = person(session, "viewer@example.com")
    assert viewer.get("/").status_code == 200
    assert administrator.post(f"/settings/people/{user.id}/disable").status_code == 303
    assert viewer.get("/").status_code == 302
    assert "no, since" in words(administrator.get("/settings/people").text)
    assert administrator.post(f"/settings/people/{user.id}/link").status_code == 422
    assert administrator.post(f"/settings/people/{user.id}/enable").status_code == 303
    assert viewer.get("/").status_code == 302
    session.expire_all()
    assert browser(app, session, Role.VIEWER).get("/").status_code == 200


def test_people_are_listed_with_as_many_questions_however_many_they_are(
    app: Flask, administrator: FlaskClient, session: Session
) -> None:
    with statements(app) as few:
        administrator.get("/settings/people")
    with writing(session):
        for n in range(20):
            session.add(User(email=f"p{n}@example.com", role=Role.VIEWER, created_at=now_utc()))
    with statements(app) as many:
        administrator.get("/settings/people")
    assert len(few) == len(many)


# --- rates -------------------------------------------------------------------------------------------------------


def test_vat_rates_of_the_company_s_country_come_first_and_one_is_added(
    accountant: FlaskClient, session: Session
) -> None:
    said = words(accountant.get("/settings/vat-rates").text).replace("\u00a0", " ")
    assert "VAT rates of LT" in said
    assert "12 % 1 Jan until further notice" in said
    assert "VAT rates of DE" in words(accountant.get("/settings/vat-rates?country=de").text)
    form = {"country": "lt", "percent": "13,5 %", "valid_from": "2027-01-01", "valid_to": "", "code": "pvm5"}
    answer = accountant.post("/settings/vat-rates", data=form, follow_redirects=True)
    said = words(answer.text).replace("\u00a0", " ")
    assert "LT has 13.5 % from 1 Jan 2027." in said
    assert "13.5 % 1 Jan 2027 until further notice PVM5 added here" in said
    assert count(session, VatRateRow) == 1


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"percent": "x"}, "“x” is not a number."),
        ({"percent": "0"}, "A VAT rate of 0 % can't be."),
        ({"valid_from": ""}, "Type the day."),
        ({"valid_to": "2026-01-01"}, "before it begins"),
        ({"country": "L1"}, "is not a country"),
        ({"valid_from": "soon"}, "“soon” is not a date."),
    ],
)
def test_a_wrong_vat_rate_says_what_to_type(
    accountant: FlaskClient, session: Session, typed: dict[str, str], said: str
) -> None:
    form = {"country": "LT", "percent": "13", "valid_from": "2027-01-01", **typed}
    answer = accountant.post("/settings/vat-rates", data=form)
    assert answer.status_code == 422
    assert said in words(answer.text)
    assert count(session, VatRateRow) == 0


def test_a_currency_rate_registers_what_waited_for_it(
    accountant: FlaskClient, session: Session, session_factory: Factory, store: type[ScriptedStore]
) -> None:
    with writing(session):
        an_item(session, "KN-01", on_hand=5)
    put(store, an_order(currency="USD"))
    import_all(session_factory, integrate(session, "KL"))
    form = {"currency": "usd", "day": "2026-11-23", "rate": "1,1527"}
    answer = accountant.post("/settings/currency-rates", data=form, follow_redirects=True)
    said = words(answer.text)
    assert "One euro is 1.1527 USD on 23 Nov. The invoice that waited for it is registered." in said
    assert "23 Nov USD 1.1527 by hand" in said
    with reading(session):
        assert session.scalars(select(Invoice.state)).one() is InvoiceState.REGISTERED


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"rate": "x"}, "“x” is not a number."),
        ({"rate": "-1"}, "A rate of -1 can't be."),
        ({"currency": "EUR"}, "EUR needs no rate"),
        ({"currency": HOSTILE}, "is not a currency"),
        ({"day": ""}, "Type the day."),
    ],
)
def test_a_wrong_currency_rate_says_what_to_type(
    accountant: FlaskClient, session: Session, typed: dict[str, str], said: str
) -> None:
    form = {"currency": "USD", "day": "2026-11-23", "rate": "1.15", **typed}
    answer = accountant.post("/settings/currency-rates", data=form)
    assert answer.status_code == 422
    assert said in words(answer.text)
    assert '<script>alert("1")' not in answer.text
    assert count(session, CurrencyRate) == 0


def test_rates_from_a_file_all_or_none(accountant: FlaskClient, session: Session) -> None:
    wrong = send(accountant, "/settings/currency-rates/file", "date,currency,rate\n2026-11-23,USD,x\nx,SEK,11\n")
    said = words(wrong.text)
    assert "Nothing of the file was loaded." in said
    assert "2 “x” is not a number." in said
    assert "3 “x” is not a date." in said
    assert count(session, CurrencyRate) == 0
    good = a_workbook(("date", "currency", "rate"), ("2026-11-23", "USD", 1.1527), (date(2026, 11, 23), "SEK", 11.02))
    assert "2 rates added, 0 changed, 0 the same." in words(
        send(accountant, "/settings/currency-rates/file", good, "rates.xlsx").text
    )
    with reading(session):
        assert set(session.scalars(select(CurrencyRate.rate))) == {Decimal("1.1527"), Decimal("11.02")}


def test_currency_rates_are_paged_and_filtered(accountant: FlaskClient, session: Session) -> None:
    rows = "".join(
        f"2026-{1 + n // 28:02d}-{1 + n % 28:02d},{code},1.1\n" for n in range(40) for code in ("USD", "SEK")
    )
    rates.import_rates(session, f"date,currency,rate\n{rows}".encode(), source="x", now=now_utc(), actor="test")
    first = accountant.get("/settings/currency-rates").text
    assert first.count("<td>USD</td>") + first.count("<td>SEK</td>") == 50
    following = re.search(r'href="(/settings/currency-rates\?after=[^"]+)" rel="next"', first)
    assert following is not None
    second = accountant.get(following.group(1)).text
    assert second.count("<td>USD</td>") + second.count("<td>SEK</td>") == 30
    assert "<td>USD</td>" not in accountant.get("/settings/currency-rates?currency=sek").text
    assert "No rate of NOK is here" in words(accountant.get("/settings/currency-rates?currency=nok").text)
    assert accountant.get("/settings/currency-rates?after=nonsense").status_code == 200


# --- numbers -----------------------------------------------------------------------------------------------------


def test_numbers_used_elsewhere_are_taken(accountant: FlaskClient, session: Session) -> None:
    assert "No numbers yet" in words(accountant.get("/settings/numbers").text)
    said = words(send(accountant, "/settings/numbers", f"KL-1\nKL-2\n{HOSTILE}\n", "used.csv").text)
    assert "3 numbers are taken from now on, 0 were already." in said
    page = accountant.get("/settings/numbers").text
    assert "3 numbers are taken" in words(page)
    assert '<script>alert("1")' not in page
    assert count(session, TakenNumber) == 3


def test_a_file_without_numbers_is_refused_beside_the_field(accountant: FlaskClient) -> None:
    for data in ("", a_workbook(("code",), ("X",))):
        answer = accountant.post(
            "/settings/numbers",
            data={"file": (io.BytesIO(data if isinstance(data, bytes) else data.encode()), "x.xlsx")},
        )
        assert answer.status_code == 422
