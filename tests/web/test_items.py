"""Pages of items: found, shown, made, received by hand; who may; hostile words stay words; the count of questions."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from monet_web.connectors import CONNECTORS
from monet_web.models import Balance, Company, Integration, Invoice, Item, ItemAlias, StockMove, StockReceipt, Warehouse
from monet_web.models.base import now_utc, reading, writing
from monet_web.models.invoices import InvoiceState
from monet_web.models.items import AliasKind
from monet_web.models.runs import RunState
from monet_web.models.users import Role
from monet_web.services.documents import mend
from monet_web.services.goods import stock
from monet_web.services.goods.receipt_rows import Received
from monet_web.services.importing import claims
from tests.builders import a_line, a_run, an_item, an_order
from tests.services.scripted import ScriptedStore, import_all, integrate, put
from tests.web.integrating import HOSTILE, browser, statements, value_of, words

Factory = sessionmaker[Session]


@pytest.fixture(autouse=True)
def store(monkeypatch: pytest.MonkeyPatch) -> type[ScriptedStore]:
    monkeypatch.setitem(CONNECTORS, "scripted", ScriptedStore)
    ScriptedStore.ORDERS, ScriptedStore.SAID, ScriptedStore.PAGE, ScriptedStore.before_page = {}, [], 100, None
    return ScriptedStore


@pytest.fixture
def office(app: Flask, session: Session) -> FlaskClient:
    return browser(app, session, Role.OFFICE)


def some_items(session: Session, *codes: str, **changes: Any) -> None:
    with writing(session):
        for code in codes:
            an_item(session, code, **changes)


def one(session: Session, table: type[Any]) -> Any:
    with reading(session):
        return session.scalars(select(table).execution_options(populate_existing=True)).one()


def count(session: Session, table: type[Any]) -> int:
    with reading(session):
        return session.scalar(select(func.count()).select_from(table)) or 0


def on_hand(session: Session) -> dict[str, Decimal]:
    with reading(session):
        rows = session.execute(select(Item.code, Balance.on_hand).join(Item, Item.id == Balance.item_id))
        return {row.code: row.on_hand for row in rows}


def waiting_for_stock(session: Session, session_factory: Factory, orders: int = 3) -> Integration:
    """KN-01 with none on hand, and orders of one each that wait for it."""
    some_items(session, "KN-01")
    integration = integrate(session, "KL")
    put(ScriptedStore, *(an_order(external_id=f"id-{n}", number=f"10{n}") for n in range(orders)))
    import_all(session_factory, integration)
    return integration


def receipt(code: str = "KN-01", quantity: str = "5", **changes: Any) -> dict[str, Any]:
    return {"code": [code], "quantity": [quantity], "warehouse": "MAIN", "day": "", "note": "", **changes}


def enter(client: FlaskClient, form: dict[str, Any]) -> Any:
    """Preview the form, then press its button."""
    page = client.post("/items/receive", data=form)
    assert page.status_code == 200, words(page.text)
    token, previewed = value_of(page.text, "form"), value_of(page.text, "previewed")
    return client.post("/items/receive", data={**form, "form": token, "previewed": previewed, "step": "enter"})


# --- who may what ------------------------------------------------------------------------------------------------

PAGES = ["/items", "/items/1", "/items/warehouses", "/items/samples/items.csv"]
FORMS = [
    "/items/new",
    "/items/1/merge",
    "/items/receive",
    "/items/receive/file",
    "/items/import",
    "/items/suggest?code=k",
]
POSTS = [
    "/items/new", "/items/1", "/items/1/aliases", "/items/1/aliases/1/remove", "/items/receive",
    "/items/receive/preview", "/items/receive/file", "/items/receive/file/enter", "/items/import",
    "/items/import/enter", "/items/import/columns", "/items/1/merge", "/items/warehouses",
]  # fmt: skip


@pytest.mark.parametrize("path", [*PAGES, *FORMS])
def test_a_stranger_is_sent_to_the_door(app: Flask, path: str) -> None:
    assert app.test_client().get(path).status_code == 302


def test_a_viewer_sees_and_changes_nothing(app: Flask, session: Session) -> None:
    some_items(session, "KN-01")
    viewer = browser(app, session, Role.VIEWER)
    assert [viewer.get(path).status_code for path in PAGES] == [200] * len(PAGES)
    assert [viewer.get(path).status_code for path in FORMS] == [403] * len(FORMS)
    assert [viewer.post(path).status_code for path in POSTS] == [403] * len(POSTS)
    for path in ("/items", "/items/1", "/items/warehouses"):
        assert 'method="post"' not in viewer.get(path).text.partition("<main")[2].partition("</main")[0]


def test_the_office_receives_and_makes_items_and_an_accountant_adds_warehouses(app: Flask, session: Session) -> None:
    office, accountant = browser(app, session, Role.OFFICE), browser(app, session, Role.ACCOUNTANT)
    assert office.post("/items/new", data={"code": "A", "name": "A", "kind": "goods"}).status_code == 303
    assert office.post("/items/warehouses", data={"code": "KAUNAS"}).status_code == 403
    assert accountant.post("/items/warehouses", data={"code": "KAUNAS", "name": "Kaunas"}).status_code == 303
    assert "KAUNAS" in words(office.get("/items/warehouses").text)


# --- the list ----------------------------------------------------------------------------------------------------


def test_no_items_yet_says_what_would_be_here_and_the_one_thing_to_do(office: FlaskClient) -> None:
    page = office.get("/items").text
    assert "No items yet" in page
    assert 'href="/items/import"' in page


@pytest.mark.parametrize("typed", ["kn-01", "SĄSIUVINIS", "žalias", "sąsi KN", "4771", "%"])
def test_an_item_is_found_by_code_name_and_alias_without_case(
    office: FlaskClient, session: Session, typed: str
) -> None:
    with writing(session):
        item = an_item(session, "KN-01", name="Žalias sąsiuvinis 5 %")
        session.add(ItemAlias(store_id=0, kind=AliasKind.BARCODE, value="4771", value_key="4771", item_id=item.id))
        an_item(session, "PU-1", name="Puodelis")
    page = office.get("/items", query_string={"q": typed}).text
    assert "Žalias sąsiuvinis" in page
    assert "Puodelis" not in page


def test_what_is_not_found_says_how_many_there_are(office: FlaskClient, session: Session) -> None:
    some_items(session, "A", "B")
    said = words(office.get("/items?q=20431").text)
    assert "No item matches “20431”. Clear the search to see all 2." in said


def test_filters_keep_stock_none_on_hand_and_on_waiting_invoices(
    app: Flask, office: FlaskClient, session: Session, session_factory: Factory
) -> None:
    waiting_for_stock(session, session_factory)
    some_items(session, "FULL", on_hand=7)
    some_items(session, "SERVICE", keeps_stock=False)

    def shown(only: str) -> list[str]:
        page = office.get(f"/items?only={only}").text
        return [code for code in ("FULL", "KN-01", "SERVICE") if f">{code}</a>" in page]

    assert shown("") == ["FULL", "KN-01", "SERVICE"]
    assert shown("stock") == ["FULL", "KN-01"]
    assert shown("none") == ["KN-01"]
    assert shown("waiting") == ["KN-01"]
    assert "3 invoices" in words(office.get("/items?only=waiting").text)


def test_balances_of_all_warehouses_are_added_up(office: FlaskClient, session: Session) -> None:
    with writing(session):
        item = an_item(session, "A", on_hand="2.5", unit="kg")
        other = Warehouse(code="KAUNAS", name="Kaunas")
        session.add(other)
        session.flush()
        session.add(Balance(warehouse_id=other.id, item_id=item.id, on_hand=Decimal(4)))
    said = words(office.get("/items").text)
    assert "MAIN 2.5, KAUNAS 4 6.5 kg" in said


def test_a_page_holds_fifty_and_the_next_begins_behind_it(office: FlaskClient, session: Session) -> None:
    some_items(session, *(f"I-{n:03d}" for n in range(101)))
    page = office.get("/items").text
    assert (page.count('class="doc code"'), 'href="/items?after=i-049"' in page) == (50, True)
    page = office.get("/items?after=i-049").text
    assert ("I-050" in page, "I-049" in page) == (True, False)
    page = office.get("/items?after=i-099").text
    assert (page.count('class="doc code"'), "Next page" in page) == (1, False)


def test_the_list_asks_the_database_the_same_number_of_times_whatever_is_in_it(
    app: Flask, office: FlaskClient, session: Session
) -> None:
    some_items(session, "A")
    with statements(app) as few:
        office.get("/items")
    some_items(session, *(f"I-{n:03d}" for n in range(60)), on_hand=3)
    with statements(app) as many:
        office.get("/items")
    assert len(few) == len(many)


# --- the card ----------------------------------------------------------------------------------------------------


def test_a_move_is_shown_with_its_document_and_what_was_left(
    office: FlaskClient, session: Session, session_factory: Factory
) -> None:
    some_items(session, "KN-01")
    actor = "office@example.com"
    stock.receive(session, [Received(1, "KN-01", Decimal(9))], note="Note 118", now=now_utc(), actor=actor)
    stock.receive(session, [Received(1, "KN-01", Decimal(-2))], note="", now=now_utc(), actor=actor)
    put(ScriptedStore, an_order(number="20418", lines=(a_line(quantity=Decimal(3)),)))
    import_all(session_factory, integrate(session, "Molis LT", number_prefix="MOL-"))
    invoice = one(session, Invoice)
    page = office.get("/items/1").text
    said = words(page)
    assert f'href="/invoices/{invoice.id}"' in page
    assert said.index("MOL-20418") < said.index("Correction 2") < said.index("Receipt 1")
    assert "MAIN −3 4" in said
    assert "MAIN −2 7" in said
    assert "Rūta office, today" in said
    assert "· Note 118" in said
    assert "MAIN +9 9" in said


def test_older_moves_are_on_the_next_page_and_what_was_left_goes_on_from_there(
    office: FlaskClient, session: Session
) -> None:
    some_items(session, "A")
    rows = [Received(n, "A", Decimal(1)) for n in range(1, 61)]
    stock.receive(session, rows, note="", now=now_utc(), actor="test")
    first = office.get("/items/1").text
    assert first.count("Receipt 1") == 50
    assert "MAIN +1 60" in words(first)
    assert "/items/1?before=11" in first
    second = office.get("/items/1?before=11").text
    assert second.count("Receipt 1") == 10
    assert "MAIN +1 10" in words(second)
    assert "MAIN +1 11" not in words(second)


def test_the_card_asks_the_database_the_same_number_of_times_whatever_is_on_it(
    app: Flask, office: FlaskClient, session: Session
) -> None:
    some_items(session, "A")

    def receive() -> None:
        stock.receive(session, [Received(1, "A", Decimal(1))], note="", now=now_utc(), actor="test")

    receive()
    with statements(app) as few:
        office.get("/items/1")
    for _ in range(12):
        receive()
    with statements(app) as many:
        office.get("/items/1")
    assert len(few) == len(many)


def test_an_item_that_is_not_there_is_a_page_that_says_so(office: FlaskClient) -> None:
    assert office.get("/items/77").status_code == 404


def test_everything_but_the_code_is_changed(office: FlaskClient, session: Session) -> None:
    some_items(session, "A")
    form = {"code": "B", "name": "Puodelis", "kind": "goods", "keeps_stock": "yes", "unit": "vnt.", "vat_class": "s"}
    assert office.post("/items/1", data=form).status_code == 303
    item = one(session, Item)
    assert (item.code, item.name, item.unit, item.vat_class) == ("A", "Puodelis", "vnt.", "s")
    assert "Puodelis" in office.get("/items?q=PUODELIS").text


def test_an_item_with_stock_on_hand_goes_on_keeping_it(office: FlaskClient, session: Session) -> None:
    some_items(session, "A", on_hand=3)
    answer = office.post("/items/1", data={"name": "A", "kind": "goods"})
    assert answer.status_code == 422
    assert "A has stock on hand, which would be forgotten." in words(answer.text)
    assert one(session, Item).keeps_stock


def test_an_alias_means_one_item_and_can_be_taken_out(office: FlaskClient, session: Session) -> None:
    some_items(session, "A", "B")
    alias = {"kind": "sku", "value": " X-1 ", "store": "0"}
    assert office.post("/items/1/aliases", data=alias).status_code == 303
    assert "SKU, every store" in words(office.get("/items/1").text)
    taken = office.post("/items/2/aliases", data={**alias, "value": "x-1"})
    assert taken.status_code == 422
    assert "x-1 means the item A already." in words(taken.text)
    assert office.post(f"/items/1/aliases/{one(session, ItemAlias).id}/remove").status_code == 303
    assert count(session, ItemAlias) == 0
    assert "X-1" not in office.get("/items/1").text.replace("X-1 leads to no item", "")


def test_an_alias_mends_what_waited_for_an_unknown_item(
    office: FlaskClient, session: Session, session_factory: Factory
) -> None:
    some_items(session, "MINE", on_hand=5)
    put(ScriptedStore, an_order(lines=(a_line(sku="THEIRS", product_id=""),)))
    integration = integrate(session, "KL")
    import_all(session_factory, integration)
    assert one(session, Invoice).state is InvoiceState.IN_JOURNAL
    alias = {"kind": "sku", "value": "THEIRS", "store": str(integration.store_id)}
    answer = office.post("/items/1/aliases", data=alias, follow_redirects=True)
    assert "THEIRS leads to this item from now on. The invoice that waited for it is registered." in words(answer.text)
    assert one(session, Invoice).state is InvoiceState.REGISTERED


# --- a new item --------------------------------------------------------------------------------------------------


def test_a_new_item_comes_filled_in_from_a_finding(office: FlaskClient) -> None:
    page = office.get("/items/new", query_string={"code": "KN-01", "name": HOSTILE}).text
    assert value_of(page, "code") == "KN-01"
    assert HOSTILE not in page
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"code": ""}, "Type the item's code, as KN-01."),
        ({"code": "a"}, "A is here already: Item A. Type another code."),
        ({"name": ""}, "Type what the item is called."),
        ({"kind": "service", "keeps_stock": "yes"}, "Services keep no stock."),
        ({"kind": "thing"}, "Choose one of: goods, service."),
        ({"unit": "x" * 21}, "It has 21 characters. Type at most 20."),
    ],
)
def test_a_wrong_field_says_what_to_type_and_nothing_is_made(
    office: FlaskClient, session: Session, typed: dict[str, str], said: str
) -> None:
    some_items(session, "A")
    answer = office.post("/items/new", data={"code": "NEW", "name": "New", "kind": "goods", **typed})
    assert answer.status_code == 422
    assert said in words(answer.text)
    assert count(session, Item) == 1


def test_a_made_item_registers_what_waited_for_it(
    office: FlaskClient, session: Session, session_factory: Factory
) -> None:
    put(ScriptedStore, an_order(lines=(a_line(sku="THEIRS", product_id=""),)))
    import_all(session_factory, integrate(session, "KL"))
    form = {"code": "THEIRS", "name": "Theirs", "kind": "goods"}
    answer = office.post("/items/new", data=form, follow_redirects=True)
    assert "THEIRS is made. The invoice that waited for it is registered." in words(answer.text)


# --- goods received by hand --------------------------------------------------------------------------------------


def test_the_question_says_how_many_where_and_when_before_anything_is_entered(
    office: FlaskClient, session: Session
) -> None:
    some_items(session, "A", "B", "C", on_hand=1)
    form = receipt(day="2026-11-20")
    form |= {"code": ["A", "b", "", "C"], "quantity": ["10", "12,5", "", "4.5"]}
    said = words(office.post("/items/receive", data=form).text)
    assert "Receive 3 items, 27 pieces into MAIN, dated 20 Nov" in said
    assert "A Item A 1 +10 11" in said
    assert count(session, StockReceipt) == 0


def test_quantities_of_different_units_are_not_added_up(office: FlaskClient, session: Session) -> None:
    some_items(session, "A", "B", unit="kg")
    some_items(session, "C", unit="vnt.", on_hand=4)
    form = receipt() | {"code": ["A", "B", "C"], "quantity": ["1,5", "2", "−3"]}
    said = words(office.post("/items/receive", data=form).text)
    assert "Receive 2 items, 3.5 kg, take out 1 item, 3 vnt. in MAIN" in said.replace("\u00a0", " ")


def test_what_was_previewed_is_entered_with_who_when_and_note(office: FlaskClient, session: Session) -> None:
    some_items(session, "A")
    answer = enter(office, receipt("A", "0,5", day="2026-11-20", note=HOSTILE))
    assert (answer.status_code, answer.location) == (303, "/items")
    assert on_hand(session) == {"A": Decimal("0.5")}
    row = one(session, StockReceipt)
    assert (row.day, row.note, row.entered_by) == (date(2026, 11, 20), HOSTILE, "office@example.com")
    page = office.get("/items/1").text
    assert HOSTILE not in page


def test_a_form_that_was_changed_after_its_preview_is_asked_anew(office: FlaskClient, session: Session) -> None:
    some_items(session, "A")
    page = office.post("/items/receive", data=receipt("A", "5")).text
    changed = receipt("A", "50", form=value_of(page, "form"), previewed=value_of(page, "previewed"), step="enter")
    answer = office.post("/items/receive", data=changed)
    assert answer.status_code == 200
    assert "Receive 1 item, 50 pieces into MAIN" in words(answer.text).replace("\u00a0", " ")
    assert count(session, StockReceipt) == 0


def test_a_form_sent_twice_is_entered_once(office: FlaskClient, session: Session) -> None:
    some_items(session, "A", on_hand=5)
    form = receipt("A", "-4")
    page = office.post("/items/receive", data=form).text
    form |= {"form": value_of(page, "form"), "previewed": value_of(page, "previewed"), "step": "enter"}
    assert [office.post("/items/receive", data=form).status_code for _ in range(2)] == [303, 303]
    assert on_hand(session) == {"A": Decimal(1)}
    assert "entered already, as receipt 1; it was not entered a second time." in words(office.get("/items").text)


def test_a_correction_never_takes_a_balance_below_zero(office: FlaskClient, session: Session) -> None:
    some_items(session, "A", on_hand=5)
    answer = office.post("/items/receive", data=receipt("A", "-6"))
    assert answer.status_code == 422
    assert "A would be at -1 in MAIN, where 5 is on hand now. Take out at most 5." in words(answer.text)


@pytest.mark.parametrize(
    ("form", "said"),
    [
        (receipt("NONE", "5"), "Line 1 : There is no item NONE."),
        (receipt("A", "x"), "“x” is not a number."),
        (receipt("A", ""), "It has no quantity."),
        (receipt("", "5"), "It has no code."),
        (receipt("S", "5"), "S is a service, and services keep no stock."),
        (receipt("A", "5", day="2999-01-01"), "2999-01-01 is in the future."),
        (receipt("A", "5", day="yesterday"), "“yesterday” is not a date."),
        (receipt("A", "5", day="2026-10-31"), "is in a closed period"),
        (receipt("A", "5", warehouse="X"), "There is no warehouse X."),
    ],
)
def test_a_wrong_line_is_named_and_nothing_is_entered(
    office: FlaskClient, session: Session, form: dict[str, Any], said: str
) -> None:
    some_items(session, "A")
    some_items(session, "S", keeps_stock=False)
    with writing(session):
        session.get_one(Company, 1).closed_until = date(2026, 10, 31)
    answer = office.post("/items/receive", data=form)
    assert answer.status_code == 422
    assert said in words(answer.text)
    assert "Nothing can be entered yet." in words(answer.text)
    assert count(session, StockMove) == 0


def test_a_receipt_comes_filled_in_from_a_finding_with_its_question(office: FlaskClient, session: Session) -> None:
    some_items(session, "KN-01")
    page = office.get("/items/receive?item=KN-01&quantity=5&warehouse=MAIN").text
    assert (value_of(page, "code"), value_of(page, "quantity")) == ("KN-01", "5")
    assert "Receive 1 item, 5 pieces into MAIN" in words(page).replace("\u00a0", " ")


@pytest.mark.parametrize("typed", ["4771", "žalias sąsiuvinis", "kn-01"])
def test_a_barcode_or_a_whole_name_becomes_the_code(office: FlaskClient, session: Session, typed: str) -> None:
    with writing(session):
        item = an_item(session, "KN-01", name="Žalias sąsiuvinis")
        session.add(ItemAlias(store_id=0, kind=AliasKind.BARCODE, value="4771", value_key="4771", item_id=item.id))
    assert value_of(office.post("/items/receive", data=receipt(typed, "1")).text, "code") == "KN-01"


def test_the_live_question_is_the_same_fragment(office: FlaskClient, session: Session) -> None:
    some_items(session, "A")
    fragment = office.post("/items/receive/preview", data=receipt("A", "5")).text
    assert "<html" not in fragment
    assert value_of(fragment, "previewed") == value_of(
        office.post("/items/receive", data=receipt("A", "5")).text, "previewed"
    )


def test_goods_are_proposed_while_they_are_typed(office: FlaskClient, session: Session) -> None:
    with writing(session):
        an_item(session, "KN-01", name=f"Sąsiuvinis {HOSTILE}", on_hand=3)
        an_item(session, "DEL", name="Sąsiuvinių pristatymas", keeps_stock=False)
    fragment = office.get("/items/suggest?code=SĄSIUV").text
    assert 'value="KN-01"' in fragment
    assert "3 on hand" in fragment
    assert "DEL" not in fragment
    assert "<script" not in fragment
    assert office.get("/items/suggest?code=").text.strip() == ""


def test_more_lines_keep_what_is_typed(office: FlaskClient, session: Session) -> None:
    page = office.post("/items/receive", data=receipt("A", "5", step="lines")).text
    assert page.count('name="quantity"') == 9
    assert value_of(page, "code") == "A"
    assert "Nothing can be entered yet" not in page


# --- what waited -------------------------------------------------------------------------------------------------


def test_what_waited_for_stock_is_checked_at_once_and_it_is_said_how_many_went_through(
    office: FlaskClient, session: Session, session_factory: Factory
) -> None:
    waiting_for_stock(session, session_factory, orders=3)
    enter(office, receipt("KN-01", "2"))
    page = office.get("/items").text
    assert "3 checked again: 2 registered, 1 still waits." in words(page)
    assert '<a href="/journals">See what still waits</a>' in page
    enter(office, receipt("KN-01", "1"))
    page = office.get("/items").text
    assert "The invoice that waited for it is registered." in words(page)
    assert on_hand(session) == {"KN-01": Decimal(0)}


def test_an_import_at_work_is_said_and_not_waited_for(
    office: FlaskClient, session: Session, session_factory: Factory, monkeypatch: pytest.MonkeyPatch
) -> None:
    integration = waiting_for_stock(session, session_factory)
    with writing(session):
        a_run(
            session, session.get_one(Integration, integration.id), state=RunState.RUNNING, started_at=now_utc(),
            heartbeat_at=now_utc(), worker=claims.this_process(),
        )  # fmt: skip
    monkeypatch.setattr(mend, "check_again", never)
    enter(office, receipt("KN-01", "5"))
    said = words(office.get("/items").text)
    assert "Received 1 item, 5 pieces into MAIN" in said.replace("\u00a0", " ")
    assert "An import of KL is at work, so what waits there was not checked again." in said
    assert "See what waits" in said
    assert on_hand(session) == {"KN-01": Decimal(5)}


def never(*_args: Any, **_values: Any) -> Any:
    raise AssertionError("it would wait for the import")


@pytest.mark.parametrize(
    "path",
    [
        "/items?q=%00&after=%00",
        "/items?only=x",
        "/items/1?before=%C2%B2",
        f"/items/1?before={'9' * 40}",
        "/items/suggest?code=%00",
    ],
)
def test_an_odd_address_breaks_nothing(office: FlaskClient, session: Session, path: str) -> None:
    some_items(session, "A")
    assert office.get(path).status_code == 200


def test_a_sign_that_no_database_keeps_is_left_out(office: FlaskClient, session: Session) -> None:
    form = {"code": "A\x00", "name": "A\x00B", "kind": "goods", "keeps_stock": "yes"}
    assert office.post("/items/new", data=form).status_code == 303
    assert (one(session, Item).code, one(session, Item).name) == ("A", "AB")
    assert office.post("/items/1/aliases", data={"kind": "sku", "value": "X\x00", "store": "²"}).status_code == 303
    assert enter(office, receipt("A\x00", "1", note="a\x00b")).status_code == 303
    assert one(session, StockReceipt).note == "ab"


# --- hostile words -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/items", "/items/1", "/items?q={hostile}", "/items/receive?item={hostile}&quantity=1"]
)
def test_hostile_words_stay_words(office: FlaskClient, session: Session, path: str) -> None:
    with writing(session):
        item = an_item(session, HOSTILE, name=HOSTILE, unit='"&<b>', on_hand=1)
        session.add(ItemAlias(store_id=0, kind=AliasKind.SKU, value=HOSTILE, value_key="x", item_id=item.id))
    page = office.get(path.format(hostile=HOSTILE.replace("&", "%26"))).text
    assert '<script>alert("1")' not in page
    assert "<b>" not in page
    assert "&lt;script&gt;alert(&#34;1&#34;)&lt;/script&gt; &amp; Co" in page
