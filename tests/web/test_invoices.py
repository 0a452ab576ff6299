"""Pages of sales invoices: found, narrowed, sorted, a page at a time; one beside the store's order; as files."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from monet_web.connectors import CONNECTORS
from monet_web.domain.orders import Order, Unreadable
from monet_web.models import CurrencyRate, Integration, Invoice
from monet_web.models.base import reading, writing
from monet_web.models.invoices import InvoiceState
from monet_web.models.users import Role
from monet_web.services.documents import invoice_list, register
from tests.builders import NOON, ONA, a_charge, a_line, a_tax, an_item, an_order
from tests.services.scripted import NOW, ScriptedStore, import_all, integrate, put
from tests.web.integrating import browser, statements, words

Factory = sessionmaker[Session]
HOSTILE = '<script>alert("1")</script> & Co'


@pytest.fixture(autouse=True)
def store(monkeypatch: pytest.MonkeyPatch) -> type[ScriptedStore]:
    monkeypatch.setitem(CONNECTORS, "scripted", ScriptedStore)
    ScriptedStore.ORDERS, ScriptedStore.SAID, ScriptedStore.PAGE, ScriptedStore.before_page = {}, [], 100, None
    return ScriptedStore


@pytest.fixture
def viewer(app: Flask, session: Session) -> FlaskClient:
    return browser(app, session, Role.VIEWER)


def order(number: str, *, days_ago: int = 0, buyer: str = "", **changes: Any) -> Order:
    moment = NOON - timedelta(days=days_ago)
    who = replace(ONA, name=buyer) if buyer else ONA
    return an_order(
        external_id=f"id-{number}", number=number, placed_at=moment, paid_at=moment, changed_at=moment, buyer=who,
        **changes,
    )  # fmt: skip


def sold(session: Session, session_factory: Factory, *orders: Order, name: str = "KL", **settings: str) -> Integration:
    """Orders of a store without stock: each is registered at once."""
    integration = integrate(session, name, accounting_type="amounts", **settings)
    ScriptedStore.ORDERS = {}
    put(ScriptedStore, *orders)
    run = import_all(session_factory, integration)
    assert run.registered == len(orders), run.findings
    return integration


def listed(client: FlaskClient, address: str = "/invoices") -> list[str]:
    """The numbers of a page of the list, in its order."""
    answer = client.get(address)
    assert answer.status_code == 200
    return re.findall(r'<a class="doc" href="/invoices/\d+">([^<]+)</a>', answer.text)


def one(session: Session, number: str) -> Invoice:
    with reading(session):
        return session.scalars(select(Invoice).where(Invoice.number == number)).one()


# --- the list -----------------------------------------------------------------------------------------------------


def test_an_empty_list_says_what_would_be_here(viewer: FlaskClient) -> None:
    page = words(viewer.get("/invoices").text)
    assert "No invoice is registered yet" in page
    assert "wait in the journals" in page


def test_the_newest_stands_first_with_its_buyer_and_total(
    viewer: FlaskClient, session: Session, session_factory: Factory
) -> None:
    sold(session, session_factory, order("1", days_ago=3), order("2", days_ago=1), order("3", days_ago=2))
    assert listed(viewer) == ["2", "3", "1"]
    page = words(viewer.get("/invoices").text)
    assert "3 registered invoices: 36.30 EUR." in page
    assert "Ona Onaitė KL 12.10 EUR" in page


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("20431", ["20431"]), ("ŽEMGULYTĖ", ["20431"]), ("dovilė kn-01", ["20431"]), ("mug-2", ["20432"]),
        ("onaitė", ["20432"]), ("2043", ["20431", "20432"]), ("  20432 ", ["20432"]), ("%", []), ("2043_", []),
        ("nobody", []), ("\x00", ["20431", "20432"]),
    ],
)  # fmt: skip
def test_an_invoice_is_found_by_number_order_buyer_and_sku_without_case(
    viewer: FlaskClient, session: Session, session_factory: Factory, typed: str, found: list[str]
) -> None:
    sold(
        session, session_factory,
        order("20431", buyer="Dovilė Žemgulytė"), order("20432", days_ago=1, lines=(a_line(sku="MUG-2"),)),
    )  # fmt: skip
    answer = viewer.get("/invoices", query_string={"q": typed})
    assert re.findall(r'class="doc" href="/invoices/\d+">([^<]+)<', answer.text) == found
    if not found:
        page = words(answer.text)
        assert f"No invoice matches “{typed}”." in page
        assert "Clear the search to see all 2." in page


def test_the_list_is_narrowed_by_integration_period_currency_and_notices(
    viewer: FlaskClient, session: Session, session_factory: Factory
) -> None:
    with writing(session):
        session.add(CurrencyRate(day=NOON.date() - timedelta(days=3), currency="USD", rate=Decimal("1.25")))
    wrong_code = replace(ONA, company="UAB Klaida", company_code="123")
    unchanged = (order("1", days_ago=4), order("2", days_ago=2, currency="USD"))
    first = sold(session, session_factory, *unchanged, order("3", days_ago=1))
    sold(session, session_factory, replace(order("4"), buyer=wrong_code), name="Other", number_prefix="O-")
    ScriptedStore.ORDERS = {}
    dearer = a_line(net=Decimal("12.00"), taxes=(a_tax(amount="2.52"),))
    put(ScriptedStore, *unchanged, order("3", days_ago=1, lines=(dearer,)))
    assert import_all(session_factory, first).changed == 1
    day = (NOON - timedelta(days=2)).date().isoformat()
    assert listed(viewer, f"/invoices?integration={first.id}") == ["3", "2", "1"]
    assert listed(viewer, f"/invoices?from={day}") == ["O-4", "3", "2"]
    assert listed(viewer, f"/invoices?to={day}") == ["2", "1"]
    assert listed(viewer, f"/invoices?from={day}&to={day}") == ["2"]
    assert listed(viewer, "/invoices?currency=usd") == ["2"]
    assert listed(viewer, "/invoices?only=changed") == ["3"]
    assert listed(viewer, "/invoices?only=notices") == ["O-4", "3"]
    page = viewer.get("/invoices").text
    assert [word in page for word in ("Changed in the store</span>", "Notice</span>", "9.68\u00a0EUR")] == [True] * 3
    assert "<option>USD</option>" in page


SORTED = {
    "date": ["5", "4", "3", "2", "1"],
    "number": ["1", "2", "3", "4", "5"],
    "total": ["3", "5", "4", "2", "1"],
    "buyer": ["4", "5", "3", "2", "1"],
}


def five(session: Session, session_factory: Factory) -> None:
    """Five invoices; some are equal in what they are sorted by."""
    dear = a_charge(net=Decimal("100.00"), taxes=(a_tax(amount="21.00"),))
    sold(
        session, session_factory,
        order("1", days_ago=4, buyer="Zita"), order("2", days_ago=3, buyer="Zita"),
        order("3", days_ago=2, buyer="Petras", charges=(dear,)), order("4", days_ago=1, buyer="ana"),
        order("5", days_ago=1, buyer="Birutė"),
    )  # fmt: skip


@pytest.mark.parametrize("sort", SORTED)
@pytest.mark.parametrize("turned", [False, True])
def test_sorted_pages_follow_each_other_without_gap_or_repetition(
    viewer: FlaskClient, session: Session, session_factory: Factory, monkeypatch: pytest.MonkeyPatch, sort: str,
    turned: bool,
) -> None:  # fmt: skip
    five(session, session_factory)
    monkeypatch.setattr(invoice_list, "PAGE", 2)
    order_of = {"date": ("down", "up"), "total": ("down", "up")}.get(sort, ("up", "down"))
    address: str | None = f"/invoices?sort={sort}&order={order_of[turned]}"
    seen: list[str] = []
    while address:
        page = viewer.get(address).text
        seen += re.findall(r'class="doc" href="/invoices/\d+">([^<]+)<', page)
        further = re.search(r'href="([^"]+)" rel="next"', page)
        address = further.group(1).replace("&amp;", "&") if further else None
    expected = SORTED[sort]
    if sort == "buyer":  # the two of Zita are equal: their ids decide, and turn with the rest
        expected = ["4", "5", "3", "1", "2"]
    assert seen == (expected[::-1] if turned else expected)


def test_the_heading_of_a_column_sorts_and_turns_and_says_so(
    viewer: FlaskClient, session: Session, session_factory: Factory
) -> None:
    five(session, session_factory)
    page = viewer.get("/invoices?q=zita").text
    assert page.count('aria-sort="descending"') == 1
    by_number = re.search(r'href="([^"]+)">Number', page)
    assert by_number is not None
    assert by_number.group(1) == "/invoices?q=zita&amp;sort=number"
    assert listed(viewer, "/invoices?q=zita&sort=number") == ["1", "2"]
    turned = re.search(r'href="([^"]+)">Number', viewer.get("/invoices?q=zita&sort=number").text)
    assert turned is not None
    assert turned.group(1) == "/invoices?q=zita&amp;sort=number&amp;order=down"


@pytest.mark.parametrize(
    "query",
    ["sort=evil&order=sideways", "integration=x", "integration=99999999999999999999", "from=rain&to=2026-13-45",
     "currency=%27%3B--", "only=everything", "after=999999", "after=-1", "q=" + "x" * 5000],
)  # fmt: skip
def test_an_address_that_makes_no_sense_breaks_nothing(
    viewer: FlaskClient, session: Session, session_factory: Factory, query: str
) -> None:
    sold(session, session_factory, order("1"))
    assert viewer.get(f"/invoices?{query}").status_code == 200


def test_counting_stops_where_it_would_grow_with_the_books(
    viewer: FlaskClient, session: Session, session_factory: Factory, monkeypatch: pytest.MonkeyPatch
) -> None:
    five(session, session_factory)
    monkeypatch.setattr(invoice_list, "MOST_COUNTED", 3)
    assert "More than 3 registered invoices." in words(viewer.get("/invoices").text)
    assert "Clear the search to see all." in words(viewer.get("/invoices?q=nobody").text)


def test_a_list_costs_the_same_whatever_its_length(
    app: Flask, viewer: FlaskClient, session: Session, session_factory: Factory
) -> None:
    integration = sold(session, session_factory, order("1"))

    def cost() -> int:
        with statements(app) as asked:
            assert viewer.get("/invoices?sort=total").status_code == 200
        return len(asked)

    few = cost()
    put(ScriptedStore, *(order(str(number), buyer=f"B{number}") for number in range(2, 12)))
    assert import_all(session_factory, integration).registered == 10
    assert cost() == few


@pytest.mark.parametrize("address", ["/invoices", "/invoices/1", "/invoices/export.csv"])
def test_nobody_sees_invoices_without_signing_in(app: Flask, address: str) -> None:
    assert app.test_client().get(address).status_code == 302


# --- one invoice --------------------------------------------------------------------------------------------------


def test_the_page_of_an_invoice_shows_lines_vat_totals_payment_and_who_registered_it(
    viewer: FlaskClient, session: Session, session_factory: Factory
) -> None:
    integration = integrate(session, "KL", accounting_type="amounts", register_automatically="no")
    book = a_line(external_id="12", name="Book", sku="B-1", net=Decimal("20.00"), taxes=(a_tax("5", "1.00"),))
    put(ScriptedStore, order("1001", lines=(a_line(), book), charges=(a_charge(),), total=Decimal("37.95")))
    import_all(session_factory, integration)
    browser_of_ruta = "office@example.com"
    with reading(session):
        invoice_id = session.scalars(select(Invoice.id)).one()
    (done,) = register.register(session, [invoice_id], now=NOW, actor=browser_of_ruta)
    assert done.ok
    page = words(viewer.get(f"/invoices/{invoice_id}").text)
    assert "1001 Registered" in page
    assert "SKU" not in page.partition("Lines of the invoice")[2].partition("VAT per rate")[0]
    assert "KN-01 Notebook 1 10.00 21 10.00 2.10" in page
    assert "B-1 Book 1 20.00 5 20.00 1.00" in page
    assert "21 % PVM1 14.00 2.94 16.94" in page
    assert "5 % PVM3 20.00 1.00 21.00" in page
    assert "Rounding what the lines do not come to, without VAT 0.01" in page
    assert "Total, EUR 34.00 3.94 37.95" in page
    assert "Bank transfer, 12.10 EUR prepaid" in page
    assert "Office@example.com registered it as 1001." in page
    assert "Run 1 made it from order 1001." in page


def test_a_second_number_that_people_know_an_order_by_is_shown_and_found(
    viewer: FlaskClient, session: Session, session_factory: Factory
) -> None:
    sold(session, session_factory, order("13", reference="UARSMIFRM"), order("14", reference="UARSMIFRM"), order("15"))
    assert sorted(listed(viewer, "/invoices?q=uarsmifrm")) == ["13", "14"]
    assert "Order 13 UARSMIFRM KL" in words(viewer.get(f"/invoices/{one(session, '13').id}").text)
    assert "Order 15 KL" in words(viewer.get(f"/invoices/{one(session, '15').id}").text)


def test_an_invoice_in_another_currency_shows_euros_too(
    viewer: FlaskClient, session: Session, session_factory: Factory
) -> None:
    with writing(session):
        session.add(CurrencyRate(day=NOON.date(), currency="USD", rate=Decimal("1.25")))
    sold(session, session_factory, order("1", currency="USD"))
    page = words(viewer.get(f"/invoices/{one(session, '1').id}").text)
    assert "Total, USD 10.00 2.10 12.10" in page
    assert "Total, EUR 1.25 USD for one euro 8.00 1.68 9.68" in page
    assert "VAT, EUR" in page


def test_stock_that_an_invoice_moved_is_shown(viewer: FlaskClient, session: Session, session_factory: Factory) -> None:
    with writing(session):
        an_item(session, "KN-01", on_hand=5)
    integration = integrate(session, "KL")
    put(ScriptedStore, order("1", lines=(a_line(quantity=Decimal("1.5")),)))
    assert import_all(session_factory, integration).registered == 1
    page = words(viewer.get(f"/invoices/{one(session, '1').id}").text)
    assert "Stock moved" in page
    assert "KN-01 MAIN \u22121.5" in page


def test_the_store_s_order_stands_beside_and_what_differs_is_said(
    viewer: FlaskClient, session: Session, session_factory: Factory
) -> None:
    integration = sold(session, session_factory, order("1", status_label="Vykdomas"))
    address = f"/invoices/{one(session, '1').id}"
    page = viewer.get(address).text
    assert "In the store" in page
    assert "Vykdomas" in page
    assert "is-changed" not in page
    dearer = a_line(net=Decimal("12.00"), taxes=(a_tax(amount="2.52"),))
    put(ScriptedStore, order("1", lines=(dearer,), charges=(a_charge(name="Gift wrapping"),)))
    assert import_all(session_factory, integration).changed == 1
    html = viewer.get(address).text
    page = words(html)
    assert "The order was changed in the store: total 12.10 → 19.36; VAT 2.10 → 3.36; lines; shipping or fees." in page
    assert "The store has said something newer than what this invoice was made from." in page
    assert "Notebook KN-01, ours 12.10 1 14.52" in page
    assert "Gift wrapping not on the invoice 1 4.84" in page
    assert "ours 12.10, differs by 7.26" in page
    assert html.count('<tr class="diff is-changed">') == 3


def test_a_remembered_order_that_can_t_be_read_any_more_does_not_break_the_page(
    viewer: FlaskClient, session: Session, session_factory: Factory, monkeypatch: pytest.MonkeyPatch
) -> None:
    sold(session, session_factory, order("1"))
    address = f"/invoices/{one(session, '1').id}"

    def broken(*_: object) -> Order:
        raise KeyError("lines")

    monkeypatch.setattr(ScriptedStore, "read", broken)
    assert "What the store said could not be read (KeyError)." in words(viewer.get(address).text)
    monkeypatch.setattr(ScriptedStore, "read", lambda *_: Unreadable("1", "Line 2 has no price."))
    assert "Line 2 has no price." in words(viewer.get(address).text)


def test_what_is_not_there_is_404_and_what_waits_is_shown_among_the_journals(
    viewer: FlaskClient, session: Session, session_factory: Factory
) -> None:
    sold(session, session_factory, order("1"))
    invoice = one(session, "1")
    assert viewer.get("/invoices/999").status_code == 404
    with writing(session):
        session.execute(update(Invoice).values(state=InvoiceState.IN_JOURNAL))
    answer = viewer.get(f"/invoices/{invoice.id}")
    assert (answer.status_code, answer.location) == (302, f"/journals/invoices/{invoice.id}")


def test_the_page_of_an_invoice_costs_the_same_whatever_it_holds(
    app: Flask, viewer: FlaskClient, session: Session, session_factory: Factory
) -> None:
    many = tuple(a_line(external_id=f"l{number}", sku=f"S-{number}") for number in range(20))
    sold(session, session_factory, order("1"), order("2", lines=many))

    def cost(number: str) -> int:
        address = f"/invoices/{one(session, number).id}"
        with statements(app) as asked:
            assert viewer.get(address).status_code == 200
        return len(asked)

    assert cost("1") == cost("2")


# --- hostile words ------------------------------------------------------------------------------------------------


def test_what_a_store_sends_stays_words(viewer: FlaskClient, session: Session, session_factory: Factory) -> None:
    hostile = order(
        "1", buyer=HOSTILE, lines=(a_line(name=HOSTILE, sku=HOSTILE),), charges=(a_charge(name=HOSTILE),),
        status_label=HOSTILE,
    )  # fmt: skip
    sold(session, session_factory, hostile, name="KL")
    pages: list[Callable[[], str]] = [
        lambda: viewer.get("/invoices").text,
        lambda: viewer.get("/invoices", query_string={"q": HOSTILE + "x"}).text,
        lambda: viewer.get(f"/invoices/{one(session, '1').id}").text,
    ]
    for page in pages:
        text = page()
        assert "<script>alert" not in text
        assert "&lt;script&gt;alert(&#34;1&#34;)&lt;/script&gt; &amp; Co" in text


# --- files --------------------------------------------------------------------------------------------------------


def csv_rows(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))


def test_the_list_goes_into_a_file_as_it_is_narrowed(
    viewer: FlaskClient, session: Session, session_factory: Factory
) -> None:
    sold(session, session_factory, order("1", buyer="=HYPERLINK(1)"), order("2", days_ago=3, buyer="Petras"))
    page = viewer.get("/invoices?q=petras").text
    link = re.search(r'href="(/invoices/export\.csv[^"]*)"', page)
    assert link is not None
    with viewer.get(link.group(1).replace("&amp;", "&")) as answer:
        rows = csv_rows(answer.data)
    assert answer.mimetype == "text/csv"
    named = answer.headers["Content-Disposition"]
    assert re.fullmatch(r"attachment; filename=sales-invoices-\d{4}-\d\d-\d\d\.csv", named)
    assert [(row["number"], row["buyer"], row["state"]) for row in rows] == [("2", "Petras", "registered")]
    with viewer.get("/invoices/export.csv") as answer:
        every = csv_rows(answer.data)
    assert [(row["number"], row["buyer"]) for row in every] == [("2", "Petras"), ("1", "'=HYPERLINK(1)")]


def test_the_list_goes_into_a_workbook(viewer: FlaskClient, session: Session, session_factory: Factory) -> None:
    sold(session, session_factory, order("1"), order("2"))
    with viewer.get("/invoices/export.xlsx") as answer:
        sheet = openpyxl.load_workbook(io.BytesIO(answer.data)).worksheets[0]
    assert [row[0] for row in sheet.iter_rows(values_only=True)] == ["number", "1", "2"]


def test_only_two_kinds_of_files_are_made_and_waiting_invoices_are_not_in_them(
    viewer: FlaskClient, session: Session, session_factory: Factory
) -> None:
    sold(session, session_factory, order("1"))
    with writing(session):
        session.execute(update(Invoice).values(state=InvoiceState.IN_JOURNAL))
    assert viewer.get("/invoices/export.json").status_code == 404
    with viewer.get("/invoices/export.csv") as answer:
        assert csv_rows(answer.data) == []
