"""The page of one waiting invoice as a form: typed, recalculated, saved, registered; two people at once (E3)."""

from __future__ import annotations

import html as entities
import re
from dataclasses import replace
from decimal import Decimal
from html.parser import HTMLParser

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session, sessionmaker
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from monet_web.connectors import CONNECTORS
from monet_web.domain.orders import Order
from monet_web.models import Balance, Customer
from monet_web.models.base import writing
from monet_web.models.invoices import Invoice, InvoiceState
from monet_web.models.users import Role
from tests.builders import a_line, a_tax, an_item, an_order
from tests.services.scripted import ScriptedStore, import_all, integrate, invoices, moved, on_hand, put
from tests.web.integrating import browser, statements, words
from tests.web.test_journals import told

Factory = sessionmaker[Session]
HOSTILE = '<script>alert("1")</script> & Co'


@pytest.fixture(autouse=True)
def store(monkeypatch: pytest.MonkeyPatch) -> type[ScriptedStore]:
    monkeypatch.setitem(CONNECTORS, "scripted", ScriptedStore)
    ScriptedStore.ORDERS, ScriptedStore.SAID, ScriptedStore.PAGE, ScriptedStore.before_page = {}, [], 100, None
    return ScriptedStore


@pytest.fixture
def office(app: Flask, session: Session) -> FlaskClient:
    return browser(app, session, Role.OFFICE)


@pytest.fixture
def accountant(app: Flask, session: Session) -> FlaskClient:
    return browser(app, session, Role.ACCOUNTANT)


def an_order_of(number: str, **changes: object) -> Order:
    line = replace(a_line(), product_id="")
    return an_order(external_id=f"id-{number}", number=number, **{"lines": (line,), **changes})


def waits(session: Session, session_factory: Factory, *orders: Order, **settings: str) -> list[int]:
    """Ids of invoices that wait, since entering is manual; 5 of KN-01 are on hand."""
    with writing(session):
        an_item(session, "KN-01", on_hand=5)
        an_item(session, "MUG-2", on_hand=5)
    integration = integrate(session, "Kava", **{"register_automatically": "no", **settings})
    put(ScriptedStore, *orders)
    assert import_all(session_factory, integration).in_journal == len(orders)
    return [invoice.id for invoice in invoices(session)]


class _Fields(HTMLParser):
    """What a browser would send of the form of a correction."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: MultiDict[str, str] = MultiDict()
        self._inside = False
        self._select = self._area = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = dict(attrs)
        if tag == "form":
            self._inside = has.get("id") == "correct"
        if not self._inside:
            return
        name = has.get("name") or ""
        if tag == "input" and (has.get("type") != "checkbox" or "checked" in has):
            self.sent.add(name, has.get("value") or "")
        elif tag == "select":
            self._select = name
        elif tag == "option" and "selected" in has and self._select:
            self.sent.add(self._select, has.get("value") or "")
        elif tag == "textarea":
            self._area = name
            self.sent.add(name, "")

    def handle_data(self, data: str) -> None:
        if self._area:
            self.sent[self._area] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._area = ""
        if tag == "form":
            self._inside = False


def filled_in(answer: TestResponse, **typed: str) -> MultiDict[str, str]:
    """The form of a page with some fields typed anew; `quantity_1` is the field `quantity-1`."""
    parser = _Fields()
    parser.feed(answer.text)
    for name, text in typed.items():
        parser.sent[re.sub(r"_(\d+)$", r"-\1", name)] = text
    return parser.sent


def url(invoice_id: int, rest: str = "") -> str:
    return f"/journals/invoices/{invoice_id}{rest}"


def save(client: FlaskClient, invoice_id: int, step: str = "save", **typed: str) -> TestResponse:
    data = filled_in(client.get(url(invoice_id)), **typed)
    data["step"] = step
    return client.post(url(invoice_id, "/correction"), data=data)


def first(session: Session) -> Invoice:
    return invoices(session)[0]


# --- the form -----------------------------------------------------------------------------------------------------


def test_a_form_saved_as_it_was_changes_nothing(
    accountant: FlaskClient, session: Session, session_factory: Factory
) -> None:
    (one,) = waits(session, session_factory, an_order_of("1"))
    answer = save(accountant, one)
    assert told(accountant, answer) == "journal: Nothing was changed."
    assert first(session).touched_at is None


def test_sums_move_as_one_types_and_nothing_is_written(
    office: FlaskClient, session: Session, session_factory: Factory
) -> None:
    (one,) = waits(session, session_factory, an_order_of("1"))
    page = office.get(url(one))
    fragment = office.post(url(one, "/sums"), data=filled_in(page, quantity_1="7"))
    assert fragment.status_code == 200
    assert "<html" not in fragment.text
    assert '<output id="net-1" hx-swap-oob="true">70.00</output>' in fragment.text
    assert '<output id="vat-1" hx-swap-oob="true">14.70</output>' in fragment.text
    text = words(fragment.text)
    assert "Total, EUR 70.00 14.70 84.70" in text
    assert "The store's total is 12.10 EUR, its lines add up to 84.70 EUR." in text
    assert "Not saved yet: 84.70 EUR. What would stand in the way:" in text
    assert "KN-01 is short in warehouse MAIN: 7 needed, 5 on hand." in text
    assert "Register 1 invoice for 84.70 EUR, dated November 2026?" in text
    assert (first(session).total, first(session).touched_at) == (Decimal("12.10"), None)


def test_the_page_and_the_fragment_show_the_same_sums(
    office: FlaskClient, session: Session, session_factory: Factory
) -> None:
    (one,) = waits(session, session_factory, an_order_of("1"))
    page = office.get(url(one))
    sums = words(office.post(url(one, "/sums"), data=filled_in(page)).text).partition("Register 1 invoice")[0]
    assert "Total, EUR 10.00 2.10 12.10" in sums
    assert "Total, EUR 10.00 2.10 12.10" in words(page.text)
    assert "Not saved yet" not in sums


def test_without_javascript_a_button_recalculates_and_says_each_mistake_beside_its_field(
    office: FlaskClient, session: Session, session_factory: Factory
) -> None:
    (one,) = waits(session, session_factory, an_order_of("1"))
    data = filled_in(office.get(url(one)), quantity_1="two", item_1="NOT-ONE", country="Lietuva", note="kept as typed")
    page = office.post(url(one, "/recalculate"), data=data)
    assert page.status_code == 200
    again = filled_in(page)
    assert (again["quantity-1"], again["item-1"], again["country"], again["note"]) == (
        "two", "NOT-ONE", "Lietuva", "kept as typed",
    )  # fmt: skip
    assert 'id="c-quantity-1-e">“two” is not a number. Type it as 2 or 0,5.</div>' in page.text
    assert re.search(r'id="c-quantity-1"[^>]*aria-invalid="true" aria-describedby="c-quantity-1-e"', page.text)
    text = words(page.text)
    assert "3 fields need mending" in text
    assert "Item on line 1 : There is no item NOT-ONE." in text
    assert first(session).touched_at is None


def test_lines_are_added_and_taken_away_before_anything_is_saved(
    office: FlaskClient, session: Session, session_factory: Factory
) -> None:
    (one,) = waits(session, session_factory, an_order_of("1"))
    data = filled_in(office.get(url(one)))
    data["add"] = "yes"
    page = office.post(url(one, "/recalculate"), data=data)
    assert page.headers["HX-Trigger-After-Swap"] == "recalculated"
    assert 'recalculated from:body"' in page.text
    data = filled_in(page, item_2="MUG-2", quantity_2="2", price_2="3")
    assert (data["vat_rate-2"], data.getlist("row")) == ("21", ["1", "2"])
    data["remove"] = "1"
    page = office.post(url(one, "/recalculate"), data=data)
    data = filled_in(page)
    assert data.getlist("row") == ["2"]
    data["step"] = "save"
    office.post(url(one, "/correction"), data=data)
    (line,) = first(session).lines
    assert (line.name, line.quantity, line.net, line.vat) == (
        "Item MUG-2", Decimal(2), Decimal("6.00"), Decimal("1.26"),
    )  # fmt: skip


def test_a_customer_who_is_here_fills_in_the_buyer(
    office: FlaskClient, session: Session, session_factory: Factory
) -> None:
    (one,) = waits(session, session_factory, an_order_of("1"))
    with writing(session):
        firm = Customer(
            name="UAB Šaltinis", is_company=True, vat_code="LT100001738313", company_code="110053842", country="LT",
            address={"line": "Tilto g. 1", "city": "Vilnius", "postcode": "01101", "country": "LT"},
        )  # fmt: skip
        session.add(firm)
        session.flush()
        firm_id = firm.id
    assert "UAB Šaltinis · LT100001738313" in office.get("/journals/suggest/customers?find_customer=šal").text
    data = filled_in(office.get(url(one)), find_customer="LT100001738313")
    data["fill"] = "yes"
    page = office.post(url(one, "/recalculate"), data=data)
    data = filled_in(page)
    assert (data["company"], data["name"], data["line"], data["customer"]) == (
        "UAB Šaltinis", "", "Tilto g. 1", str(firm_id),
    )  # fmt: skip
    data["step"] = "save"
    office.post(url(one, "/correction"), data=data)
    assert (first(session).customer_id, first(session).buyer_name) == (firm_id, "UAB Šaltinis")
    data["find_customer"] = "Nobody"
    data["fill"] = "yes"
    assert "There is no customer Nobody." in words(office.post(url(one, "/recalculate"), data=data).text)


def test_items_are_proposed_for_the_line_that_is_typed(
    office: FlaskClient, session: Session, session_factory: Factory
) -> None:
    (one,) = waits(session, session_factory, an_order_of("1"))
    assert 'hx-get="/journals/suggest/items"' in office.get(url(one)).text
    assert 'value="MUG-2"' in office.get("/journals/suggest/items?item-3=mug").text
    assert "option" not in office.get("/journals/suggest/items?item-3=").text


# --- saved --------------------------------------------------------------------------------------------------------


def test_a_saved_correction_is_shown_beside_the_stores_original_and_in_the_history(
    office: FlaskClient, session: Session, session_factory: Factory
) -> None:
    (one,) = waits(session, session_factory, an_order_of("1"))
    answer = save(office, one, quantity_1="2", number="A-7")
    assert told(office, answer) == "journal: Saved: 2 fields corrected."
    page = words(office.get(url(one)).text)
    assert "corrected by Rūta office today" in page
    assert "Field of the store here Number 1 A-7 Quantity on line 1 1 2" in page
    assert "corrected it: Number 1 → A-7, Quantity on line 1 1 → 2, Total 12.10 → 24.20." in page
    assert "The store's total is 12.10 EUR, its lines add up to 24.20 EUR." in page


def test_mistakes_are_shown_with_what_was_typed_and_nothing_is_saved(
    office: FlaskClient, session: Session, session_factory: Factory
) -> None:
    one, _two = waits(session, session_factory, an_order_of("1"), an_order_of("2"))
    answer = save(office, one, number="2", quantity_1="2")
    assert answer.status_code == 422
    assert "2 belongs to the invoice of order 2. Type another number." in words(answer.text)
    assert filled_in(answer)["quantity-1"] == "2"
    assert first(session).touched_at is None


def test_the_office_has_no_fields_of_dates_rates_and_vat_and_sending_them_is_refused(
    office: FlaskClient, accountant: FlaskClient, session: Session, session_factory: Factory
) -> None:
    (one,) = waits(session, session_factory, an_order_of("1"))
    fields = {"issue_date", "supply_date", "vat_date", "vat_rate-1", "vat-1"}
    assert not fields & filled_in(office.get(url(one))).keys()
    assert fields <= filled_in(accountant.get(url(one))).keys()
    answer = save(office, one, issue_date="2026-11-30", vat_1="2.11")
    assert answer.status_code == 422
    assert "Only an accountant changes an amount of VAT." in words(answer.text)
    assert save(accountant, one, issue_date="2026-11-30", vat_1="2.11").status_code == 303
    assert first(session).lines[0].vat == Decimal("2.11")


def test_figures_that_differ_are_accepted_with_the_sums_by_an_accountant(
    office: FlaskClient, accountant: FlaskClient, session: Session, session_factory: Factory
) -> None:
    (one,) = waits(session, session_factory, an_order_of("1"))
    assert 'name="accept"' not in save(office, one, quantity_1="2").text
    assert save(office, one, accept="total 12.10 24.20 quantity 1 1.00 2.00").status_code == 422
    page = accountant.get(url(one))
    assert 'name="accept" value="total 12.10 24.20 quantity 1 1.00 2.00"' in page.text
    sums = accountant.post(url(one, "/sums"), data=filled_in(page, accept="total 12.10 24.20 quantity 1 1.00 2.00"))
    assert 'id="c-accept" checked' in sums.text
    sums = accountant.post(
        url(one, "/sums"), data=filled_in(page, accept="total 12.10 24.20 quantity 1 1.00 2.00", quantity_1="3")
    )
    assert 'id="c-accept">' in sums.text
    assert save(accountant, one, step="register", accept="yes").location == url(one)
    answer = save(accountant, one, step="register", accept="total 12.10 24.20 quantity 1 1.00 2.00")
    assert answer.location == f"/invoices/{one}"
    assert (first(session).state, first(session).total) == (InvoiceState.REGISTERED, Decimal("24.20"))


def test_back_to_the_stores_original(office: FlaskClient, session: Session, session_factory: Factory) -> None:
    (one,) = waits(session, session_factory, an_order_of("1"))
    assert "Back to the store's original" not in words(office.get(url(one)).text)
    save(office, one, quantity_1="2")
    data = filled_in(office.get(url(one)))
    answer = office.post(url(one, "/original"), data={"version": data["version"], "seen": data["seen"]})
    assert told(office, answer) == "journal: It is the store's again: 1 field."
    assert (first(session).touched_at, first(session).total) == (None, Decimal("12.10"))


# --- registered ---------------------------------------------------------------------------------------------------


def test_registering_saves_what_is_typed_first(office: FlaskClient, session: Session, session_factory: Factory) -> None:
    (one,) = waits(session, session_factory, an_order_of("1"))
    assert "Register 1 invoice for 12.10 EUR, dated November 2026?" in words(office.get(url(one)).text)
    answer = save(office, one, step="register", name_1="Notebook, blue", item_1="MUG-2")
    assert answer.location == f"/invoices/{one}"
    assert "registered: Registered as 1 ." in told(office, answer)
    assert first(session).lines[0].name == "Notebook, blue"
    assert moved(session) == {2: Decimal(-1)}


def test_register_and_next_leads_to_the_next_and_from_the_last_to_the_journals(
    office: FlaskClient, session: Session, session_factory: Factory
) -> None:
    one, two = waits(session, session_factory, an_order_of("1"), an_order_of("2"))
    answer = save(office, one, step="next")
    assert answer.location == f"{url(two)}#invoice"
    page = office.get(answer.location).text
    assert '<h1 id="invoice" tabindex="-1">2</h1>' in page  # where the focus goes
    assert f'<a href="/invoices/{one}">1</a>' in page
    assert save(office, two, step="next").location == "/journals"
    assert {invoice.state for invoice in invoices(session)} == {InvoiceState.REGISTERED}


def test_what_does_not_pass_stays_saved_and_says_why_in_the_words_of_the_list(
    office: FlaskClient, session: Session, session_factory: Factory
) -> None:
    (one,) = waits(session, session_factory, an_order_of("1"))
    answer = save(office, one, step="register", quantity_1="7")
    assert answer.location == url(one)
    said = told(office, answer)
    assert "0 of 1 registered. 1 waits for" in said
    assert "The store's total is 12.10 EUR, its lines add up to 84.70 EUR." in said
    assert (first(session).state, first(session).lines[0].quantity) == (InvoiceState.IN_JOURNAL, Decimal(7))


def test_without_moving_stock_an_accountant_gives_a_reason_and_settles_it_later(
    office: FlaskClient, accountant: FlaskClient, session: Session, session_factory: Factory
) -> None:
    seven = replace(a_line(), product_id="", quantity=Decimal(7))
    (one,) = waits(session, session_factory, an_order_of("1", lines=(seven,)))
    assert save(office, one, step="without_stock", reason="Counted tomorrow").status_code == 403
    answer = save(accountant, one, step="without_stock")
    assert answer.status_code == 422
    assert "Type why stock does not move now." in words(answer.text)
    answer = save(accountant, one, step="without_stock", reason="Counted tomorrow")
    assert answer.location == f"/invoices/{one}"
    assert moved(session) == {}
    page = words(office.get("/journals/stock-to-settle").text)
    assert "1 invoice was registered without moving stock." in page
    assert "Counted tomorrow 7 × KN-01 MAIN" in page
    assert "Move the stock now" not in page
    assert office.post(f"/journals/stock-to-settle/{one}").status_code == 403
    assert "Take the goods of 1 for 12.10 EUR from the stock today?" in words(
        accountant.get("/journals/stock-to-settle").text
    )
    refused = told(accountant, accountant.post(f"/journals/stock-to-settle/{one}"))
    assert "failed: The stock of 1 can't move yet: KN-01 in MAIN: 7 needed, 5 on hand." in refused
    with writing(session):
        session.get_one(Balance, (1, 1)).on_hand = Decimal(8)
    assert "registered: Stock moved: KN-01." in told(accountant, accountant.post(f"/journals/stock-to-settle/{one}"))
    assert (moved(session), on_hand(session)[1]) == ({1: Decimal(-7)}, Decimal(1))
    assert "Nothing to settle" in words(accountant.get("/journals/stock-to-settle").text)
    history = words(accountant.get(f"/invoices/{one}").text)
    assert "registered it as 1 without moving stock: Counted tomorrow." in history
    assert "moved its stock: 7 KN-01 MAIN." in history


# --- two people ---------------------------------------------------------------------------------------------------


def test_the_second_of_two_sees_both_values_keeps_what_he_typed_and_may_save_it_again(
    office: FlaskClient, accountant: FlaskClient, session: Session, session_factory: Factory
) -> None:
    (one,) = waits(session, session_factory, an_order_of("1"))
    mine = filled_in(office.get(url(one)), quantity_1="3")
    mine["step"] = "save"
    save(accountant, one, quantity_1="2", note="theirs")
    answer = office.post(url(one, "/correction"), data=mine)
    assert answer.status_code == 409
    page = words(answer.text)
    assert "Rūta accountant saved this invoice today" in page
    assert "Field kept now yours Note on the invoice theirs – Quantity on line 1 2 3" in page
    again = filled_in(answer)
    assert again["quantity-1"] == "3"
    assert first(session).lines[0].quantity == 2
    again["step"] = "save"
    assert office.post(url(one, "/correction"), data=again).status_code == 303
    assert (first(session).lines[0].quantity, first(session).note) == (Decimal(3), "")


def test_an_invoice_that_was_registered_meanwhile_gives_back_what_was_typed(
    office: FlaskClient, accountant: FlaskClient, session: Session, session_factory: Factory
) -> None:
    (one,) = waits(session, session_factory, an_order_of("1"))
    mine = filled_in(office.get(url(one)), quantity_1="3", note=HOSTILE)
    mine["step"] = "save"
    save(accountant, one, step="register")
    answer = office.post(url(one, "/correction"), data=mine)
    assert answer.status_code == 409
    page = words(answer.text)
    assert "Rūta accountant registered it today" in page
    assert HOSTILE in entities.unescape(answer.text)
    assert "<script>alert" not in answer.text
    assert "1 was registered from its journal meanwhile" not in page
    assert "was registered meanwhile" in words(office.post(url(one, "/sums"), data=mine).text)


# --- safety -------------------------------------------------------------------------------------------------------


def test_a_viewer_reads_and_corrects_nothing(app: Flask, session: Session, session_factory: Factory) -> None:
    (one,) = waits(session, session_factory, an_order_of("1"))
    viewer = browser(app, session, Role.VIEWER)
    page = viewer.get(url(one))
    assert 'id="correct"' not in page.text
    assert "Notebook" in page.text
    for rest in ("/correction", "/recalculate", "/sums", "/original"):
        assert viewer.post(url(one, rest), data={"step": "save"}).status_code == 403


def test_what_stores_and_people_say_is_escaped_in_the_form(
    office: FlaskClient, session: Session, session_factory: Factory
) -> None:
    line = replace(a_line(), name=HOSTILE, sku='"><b>', product_id="")
    (one,) = waits(session, session_factory, an_order_of("1", lines=(line,)))
    page = office.get(url(one))
    assert "<script>alert" not in page.text
    data = filled_in(page, name='"><b>bold</b>', item_1='"><i>x</i>')
    assert data["name-1"] == HOSTILE
    for answer in (
        office.post(url(one, "/recalculate"), data=data),
        office.post(url(one, "/sums"), data=data),
        office.post(url(one, "/correction"), data={**data.to_dict(), "step": "save"}),
    ):
        assert "<b>bold" not in answer.text
        assert "<i>x" not in answer.text


def test_nonsense_is_answered_and_never_an_error_of_ours(
    office: FlaskClient, session: Session, session_factory: Factory
) -> None:
    (one,) = waits(session, session_factory, an_order_of("1"))
    for data in (
        {"step": "save"},
        {"step": "save", "row": ["x", "99999", "1"], "quantity-1": "\x00", "version": "9" * 30, "seen": "…"},
        {"step": "save", "row": "1", "origin-1": "#9", "name-1": "A", "quantity-1": "NaN", "price-1": "Infinity"},
        {"step": "save", "customer": "9" * 17, "name": "x" * 5000},
    ):
        assert office.post(url(one, "/correction"), data=data).status_code in (303, 409, 422)
        assert office.post(url(one, "/sums"), data=data).status_code == 200
        assert office.post(url(one, "/recalculate"), data=data).status_code == 200
    assert office.post(url(one, "/correction"), data={"step": "steal"}).status_code == 400
    assert office.get(url(999)).status_code == 404
    assert office.post(url(999, "/sums"), data={}).status_code == 200


def test_the_page_and_the_sums_cost_the_same_number_of_queries_whatever_the_invoice_holds(
    app: Flask, office: FlaskClient, session: Session, session_factory: Factory
) -> None:
    many = tuple(replace(a_line(), external_id=str(n), product_id="", taxes=(a_tax(),)) for n in range(30))
    one, two = waits(session, session_factory, an_order_of("1"), an_order_of("2", lines=many))
    counted = []
    for invoice_id in (one, two, one):
        with statements(app) as said:
            page = office.get(url(invoice_id))
        data = filled_in(page, quantity_1="2")
        with statements(app) as of_sums:
            office.post(url(invoice_id, "/sums"), data=data)
        counted.append((len(said), len(of_sums)))
    assert counted[1] == counted[2]
