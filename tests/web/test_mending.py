"""The controls of causes on the journals' front page: each mends its cause for all, and says how many went through."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from monet_web.blueprints.journals.causes import CONTROLS
from monet_web.connectors import CONNECTORS
from monet_web.domain.findings import CODES
from monet_web.domain.orders import Order
from monet_web.models import Company, Customer, Decision, Integration, Invoice, Item, ItemAlias, VatRateRow, Warehouse
from monet_web.models.base import reading, writing
from monet_web.models.invoices import InvoiceFinding
from monet_web.models.stock import Balance
from monet_web.models.users import Role
from monet_web.services.documents import decide
from monet_web.services.documents.waiting import Which
from tests.builders import NOON, ONA, a_line, a_tax, an_item, an_order
from tests.services.scripted import ScriptedStore, import_all, integrate, invoices, put
from tests.web.integrating import browser, words
from tests.web.mended import forms_of, press, states

Factory = sessionmaker[Session]
Waits = Callable[..., None]


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


@pytest.fixture
def waits(session: Session, session_factory: Factory) -> Waits:
    """Imports two orders that are alike and wait for the same; KN-01 is an item of which there are nine."""

    def put_two(
        name: str = "Kava", item: str = "KN-01", settings: dict[str, str] | None = None, **changes: Any
    ) -> None:
        if item:
            with writing(session):
                an_item(session, item, on_hand=9)
        put(ScriptedStore, order("1", **changes), order("2", **changes))
        assert import_all(session_factory, integrate(session, "Kava", **(settings or {}))).in_journal == 2

    return put_two


def order(number: str, **changes: Any) -> Order:
    return an_order(external_id=f"id-{number}", number=number, **changes)


def lines_of(session: Session, number: str = "1") -> list[tuple[Decimal | None, Decimal, Decimal]]:
    [found] = [one for one in invoices(session) if one.order_number == number]
    return [(line.vat_rate, line.net, line.vat) for line in found.lines]


ALL_IN = "2 checked again, all registered."


def test_every_code_that_stops_has_a_control_or_is_only_ever_a_notice() -> None:
    notices = {
        "difference_accepted", "company_code_invalid", "change_ignored", "date_by_hand", "charge_rate_differs",
        "vat_number_checked", "difference_rounded", "refund_left",
    }  # fmt: skip
    notices |= {"kind_changed", "rate_decision_ended", "buyer_decision_ended", "refund_gone", "refund_not_booked"}
    assert set(CODES) - notices == set(CONTROLS) - notices


# --- items --------------------------------------------------------------------------------------------------------


def test_an_unknown_sku_is_made_an_item_right_there(office: FlaskClient, session: Session, waits: Waits) -> None:
    waits(item="", lines=(a_line(product_id=""),))
    said = press(office, "/journals/mend/new-item")  # code and name stand there already
    assert said == f"registered: SKU KN-01 is KN-01 from now on. {ALL_IN}"
    with reading(session):
        item = session.scalars(select(Item)).one()
    assert (item.code, item.name, item.keeps_stock) == ("KN-01", "Notebook", False)


def test_an_item_that_is_made_may_be_counted_and_then_waits_for_goods(
    office: FlaskClient, session: Session, waits: Waits
) -> None:
    waits(item="", lines=(a_line(product_id=""),))
    said = press(office, "/journals/mend/new-item", {"keeps_stock": "yes"})
    assert said == "journal: SKU KN-01 is KN-01 from now on. 2 checked again: 0 registered, 2 still wait."
    assert "KN-01 is short in warehouse MAIN" in words(office.get("/journals").text)


@pytest.mark.parametrize(
    ("typed", "said"),
    [({"code": ""}, "An item needs a code."), ({"name": " "}, "An item needs a name."),
     ({"code": "mug-2"}, "The item mug-2 is here already. Map to it, or type another code.")],
)  # fmt: skip
def test_what_can_t_be_an_item_is_said_beside_its_field(
    office: FlaskClient, session: Session, waits: Waits, typed: dict[str, str], said: str
) -> None:
    with writing(session):
        an_item(session, "MUG-2")
    waits(item="", lines=(a_line(product_id=""),))
    page = press(office, "/journals/mend/new-item", typed)
    assert said in page
    assert states(session) == {"in_journal": 2}
    with reading(session):
        assert session.scalars(select(ItemAlias)).all() == []


def test_an_unknown_sku_becomes_a_common_item_of_which_nothing_is_counted(
    office: FlaskClient, session: Session, waits: Waits
) -> None:
    waits(item="", lines=(a_line(product_id=""),))
    assert press(office, "/journals/mend/common-item") == f"registered: SKU KN-01 is OTHER from now on. {ALL_IN}"
    with reading(session):
        item = session.scalars(select(Item)).one()
        assert session.scalars(select(ItemAlias.value)).all() == ["KN-01"]
    assert (item.code, item.keeps_stock) == ("OTHER", False)


def test_an_item_whose_pieces_are_counted_stands_for_nothing_else(
    office: FlaskClient, session: Session, waits: Waits
) -> None:
    with writing(session):
        an_item(session, "MUG-2", on_hand=9)
    waits(item="", lines=(a_line(product_id=""),))
    page = press(office, "/journals/mend/common-item", {"code": "MUG-2"})
    assert "Pieces of MUG-2 are counted, so it can't stand for anything." in page
    assert states(session) == {"in_journal": 2}


@pytest.mark.parametrize(
    ("line", "kind", "value"),
    [
        (a_line(sku="", product_id="", name="Gift  wrapping"), "name", "Gift  wrapping"),
        (a_line(sku="", product_id="501"), "product", "501"),
        (a_line(sku="", product_id="501", variation_id="77"), "variation", "77"),
        (a_line(sku="", product_id="", name="product 501"), "name", "product 501"),
    ],
)
def test_a_line_without_sku_is_mapped_by_what_the_store_gives_at_least_its_name(
    office: FlaskClient, session: Session, waits: Waits, line: Any, kind: str, value: str
) -> None:
    waits(item="MUG-2", lines=(line,))
    said = press(office, "/journals/mend/item", {"code": "mug-2"})
    assert said.endswith(f"is MUG-2 from now on. {ALL_IN}")
    with reading(session):
        alias = session.scalars(select(ItemAlias)).one()
    assert (alias.kind.value, alias.value) == (kind, value)


def test_the_common_item_of_the_settings_is_made(office: FlaskClient, session: Session, waits: Waits) -> None:
    waits(item="", settings={"unknown_items": "common", "common_item": "VARIOUS"})
    said = press(office, "/journals/mend/make-common", {"name": "All sorts"})
    assert said == f"registered: VARIOUS is made. {ALL_IN}"
    with reading(session):
        assert session.scalars(select(Item.name)).all() == ["All sorts"]


# --- goods --------------------------------------------------------------------------------------------------------


def test_goods_are_received_where_they_are_missing_once_however_often_it_is_sent(
    office: FlaskClient, session: Session, waits: Waits
) -> None:
    with writing(session):
        an_item(session, "MUG-2", on_hand=1)
    waits(item="", lines=(a_line(sku="MUG-2", product_id="", quantity=Decimal(3)),))
    [form] = forms_of(office.get("/journals").text, "/journals/mend/receive")
    assert form["quantity"] == "5"
    for said in (f"5 of MUG-2 received into MAIN. {ALL_IN}", "This is entered already"):
        answer = office.post("/journals/mend/receive", data=form)
        assert said in words(office.get(answer.location).text)
    with reading(session):
        assert session.scalars(select(Balance.on_hand)).all() == [Decimal(0)]


@pytest.mark.parametrize("quantity", ["", "rain", "0", "-3"])
def test_a_quantity_that_can_t_be_received_is_said_beside_its_field(
    office: FlaskClient, session: Session, waits: Waits, quantity: str
) -> None:
    with writing(session):
        an_item(session, "MUG-2")
    waits(item="", lines=(a_line(sku="MUG-2", product_id=""),))
    office.post("/journals/mend/receive", data={
        **forms_of(office.get("/journals").text, "/journals/mend/receive")[0], "quantity": quantity,
    })  # fmt: skip
    page = office.get("/journals").text
    assert 'aria-invalid="true"' in page
    assert f'name="quantity" value="{quantity}"' in page
    assert states(session) == {"in_journal": 2}


def test_goods_are_taken_from_another_warehouse_that_has_them(
    office: FlaskClient, session: Session, waits: Waits
) -> None:
    with writing(session):
        item = an_item(session, "MUG-2")
        session.add(Warehouse(code="KAUNAS", name="Kaunas"))
        session.flush()
        other = session.scalars(select(Warehouse).where(Warehouse.code == "KAUNAS")).one()
        session.add(Balance(warehouse_id=other.id, item_id=item.id, on_hand=Decimal(5)))
    waits(item="", lines=(a_line(sku="MUG-2", product_id=""),))
    assert "KAUNAS (5 on hand)" in words(office.get("/journals").text)
    said = press(office, "/journals/mend/warehouse", {"warehouse": "KAUNAS"})
    assert said == f"registered: Their goods leave KAUNAS. {ALL_IN}"
    with reading(session):
        left = {row.warehouse_id: row.on_hand for row in session.execute(select(Balance.warehouse_id, Balance.on_hand))}
    assert left[other.id] == 3
    assert {line.warehouse_id for one in invoices(session) for line in one.lines} == {other.id}


# --- figures, VAT, dates: an accountant's -------------------------------------------------------------------------


def test_a_difference_is_accepted_as_rounding_and_kept_as_a_notice(
    accountant: FlaskClient, session: Session, waits: Waits
) -> None:
    waits(total=Decimal("12.15"))
    assert "The store's total differs from its lines by 0.05 EUR" in words(accountant.get("/journals").text)
    said = press(accountant, "/journals/mend/accept")
    assert said == f"registered: The differences of 2 invoices are accepted. {ALL_IN}"
    [first, _] = invoices(session)
    assert (first.total, first.rounding, first.vat) == (Decimal("12.15"), Decimal("0.05"), Decimal("2.10"))
    assert [(one.code, one.stops, one.values["who"]) for one in first.found] == [
        ("difference_accepted", False, "accountant@example.com")
    ]


def test_what_was_accepted_holds_only_for_the_figures_that_were_shown(
    accountant: FlaskClient, session: Session, session_factory: Factory, waits: Waits
) -> None:
    waits(total=Decimal("12.15"), settings={"register_automatically": "no"})
    press(accountant, "/journals/mend/accept")
    assert {one.code for invoice in invoices(session) for one in invoice.found if one.stops} == {"posting_manual"}
    put(ScriptedStore, order("1", total=Decimal("12.16"), changed_at=NOON.replace(hour=11)))
    with reading(session):
        integration = session.scalars(select(Integration)).one()
    import_all(session_factory, integration)
    assert [
        (invoice.order_number, one.subject)
        for invoice in invoices(session) for one in invoice.found if one.code == "total_differs"
    ] == [("1", "0.06 EUR")]  # fmt: skip


def test_the_right_vat_rate_is_chosen_for_all_and_what_was_paid_stays(
    accountant: FlaskClient, session: Session, waits: Waits
) -> None:
    waits(lines=(a_line(net=Decimal("100.00"), taxes=(a_tax("9", "9.00"),)),))
    said = press(accountant, "/journals/mend/vat-rate", {"rate": "21 %"})
    assert said.endswith(f"what was paid stays. {ALL_IN}")
    assert lines_of(session) == [(Decimal(21), Decimal("90.08"), Decimal("18.92"))]
    assert {one.total for one in invoices(session)} == {Decimal("109.00")}


def test_what_was_corrected_by_hand_is_left_and_named_with_its_link(
    accountant: FlaskClient, session: Session, waits: Waits
) -> None:
    waits(lines=(a_line(net=Decimal("100.00"), taxes=(a_tax("9", "9.00"),)),))
    with writing(session):
        one = session.scalars(select(Invoice).where(Invoice.order_number == "2")).one()
        one.touched_at, one.touched_by, left = NOON, "ruta@example.com", one.id
    said = press(accountant, "/journals/mend/vat-rate", {"rate": "21"})
    assert "1 corrected by hand was left as it is: 2" in said
    assert said.endswith("what was paid stays. 1 checked again and registered.")
    assert lines_of(session, "1") == [(Decimal(21), Decimal("90.08"), Decimal("18.92"))]
    assert lines_of(session, "2") == [(Decimal(9), Decimal("100.00"), Decimal("9.00"))]
    [form] = forms_of(accountant.get("/journals").text, "/journals/mend/vat-rate")[:1]
    with reading(session):
        assert decide.left_by_hand(session, Which(code=form["cause"], subject=form["subject"])) == [(left, "2")]


def test_a_rate_that_is_refused_too_is_replaced_by_the_next_choice(
    accountant: FlaskClient, session: Session, waits: Waits
) -> None:
    waits(lines=(a_line(net=Decimal("100.00"), taxes=(a_tax("9", "9.00"),)),))
    assert "2 still wait" in press(accountant, "/journals/mend/vat-rate", {"rate": "19"})
    assert "VAT of 19 % is not valid in LT" in words(accountant.get("/journals").text)
    assert ALL_IN in press(accountant, "/journals/mend/vat-rate", {"rate": "21"})
    with reading(session):
        assert {(one.values["from"], one.values["to"]) for one in session.scalars(select(Decision))} == {("9", "21")}


def test_a_tax_without_a_rate_gets_one_and_keeps_the_store_s_amounts(
    accountant: FlaskClient, session: Session, waits: Waits
) -> None:
    waits(lines=(a_line(taxes=(a_tax(None),)),))
    assert ALL_IN in press(accountant, "/journals/mend/vat-rate", {"rate": "21"})
    assert lines_of(session) == [(Decimal(21), Decimal("10.00"), Decimal("2.10"))]


def test_a_rate_that_the_country_has_is_kept_with_the_dated_rates(
    accountant: FlaskClient, session: Session, waits: Waits
) -> None:
    waits(lines=(a_line(net=Decimal("100.00"), taxes=(a_tax("7", "7.00"),)),))
    press(accountant, "/journals/mend/vat-rate", {"from": "2026-07-01"}, nth=1)
    with reading(session):
        row = session.scalars(select(VatRateRow)).one()
    assert (row.country, row.percent, row.valid_from) == ("LT", Decimal(7), date(2026, 7, 1))
    assert "VAT of 7 % is not valid" not in words(accountant.get("/journals").text)


@pytest.mark.parametrize("rate", ["", "rain", "-1", "101"])
def test_what_is_no_vat_rate_is_said_beside_its_field(
    accountant: FlaskClient, session: Session, waits: Waits, rate: str
) -> None:
    waits(lines=(a_line(taxes=(a_tax("9", "0.90"),)),))
    assert "is no VAT rate. Type it in per cent, for example 21." in press(
        accountant, "/journals/mend/vat-rate", {"rate": rate}
    )
    assert states(session) == {"in_journal": 2}


def test_invoices_of_a_closed_period_are_dated_today_and_keep_the_supply_date(
    accountant: FlaskClient, session: Session, waits: Waits
) -> None:
    with writing(session):
        session.get_one(Company, 1).closed_until = date(2026, 11, 23)
    waits()
    page = accountant.get("/journals").text
    assert "The period 2026-11 is closed" in words(page)
    assert 'href="/settings/periods"' in page
    said = press(accountant, "/journals/mend/date")
    assert "the supply date kept" in said
    assert states(session) == {"registered": 2}
    for one in invoices(session):
        assert one.issue_date > date(2026, 11, 23)
        assert one.supply_date == NOON.date()


def test_the_warehouse_of_the_settings_is_made(accountant: FlaskClient, session: Session, waits: Waits) -> None:
    waits(settings={"warehouse": "KAUNAS"})
    said = press(accountant, "/journals/mend/new-warehouse")
    assert said.startswith("journal: The warehouse KAUNAS is made. 2 checked again")
    assert "KN-01 is short in warehouse KAUNAS" in words(accountant.get("/journals").text)


# --- buyers -------------------------------------------------------------------------------------------------------

COMPANY = replace(ONA, company="UAB Kava", vat_code="LT123456789")


@pytest.mark.parametrize(("typed", "kept"), [("", ""), ("lt 100001738313", "LT100001738313")])
def test_the_buyer_s_vat_code_is_corrected_or_cleared(
    office: FlaskClient, session: Session, waits: Waits, typed: str, kept: str
) -> None:
    waits(buyer=COMPANY)
    said = press(office, "/journals/mend/buyer", {"vat_code": typed})
    assert said == f"registered: The buyer is corrected. {ALL_IN}"
    assert {one.buyer["vat_code"] for one in invoices(session)} == {kept}


def test_a_code_that_can_t_be_right_either_is_refused(office: FlaskClient, session: Session, waits: Waits) -> None:
    waits(buyer=COMPANY)
    assert "LT5 can't be a VAT code either." in press(office, "/journals/mend/buyer", {"vat_code": "LT5"})
    assert states(session) == {"in_journal": 2}


def test_a_customer_is_chosen_and_its_codes_are_taken(office: FlaskClient, session: Session, waits: Waits) -> None:
    with writing(session):
        session.add(Customer(name="UAB Kavos namai", vat_code="LT100001738313", company_code="304151376", country="LT"))
        session.add(Customer(name="UAB Kavos pupelės", country="LT"))
    waits(buyer=COMPANY)
    assert "Several customers fit Kavos" in press(office, "/journals/mend/buyer", {"customer_name": "Kavos"}, nth=1)
    assert "There is no customer nobody." in press(office, "/journals/mend/buyer", {"customer_name": "nobody"}, nth=1)
    said = press(office, "/journals/mend/buyer", {"customer_name": "Kavos namai"}, nth=1)
    assert said == f"registered: The buyer is corrected. {ALL_IN}"
    assert {(one.buyer["company"], one.buyer["vat_code"], one.buyer["company_code"]) for one in invoices(session)} == {
        ("UAB Kavos namai", "LT100001738313", "304151376")
    }


# --- who may ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ["accept", "vat-rate", "date", "new-warehouse"])
def test_figures_dates_and_warehouses_are_an_accountant_s(office: FlaskClient, action: str) -> None:
    assert office.post(f"/journals/mend/{action}", data={"cause": "total_differs"}).status_code == 403


@pytest.mark.parametrize("action", ["item", "new-item", "common-item", "make-common", "receive", "warehouse", "buyer"])
def test_a_viewer_mends_nothing(app: Flask, session: Session, action: str) -> None:
    viewer = browser(app, session, Role.VIEWER)
    assert viewer.post(f"/journals/mend/{action}", data={"subject": "x"}).status_code == 403


def test_the_office_is_told_who_can_accept_a_difference(office: FlaskClient, session: Session, waits: Waits) -> None:
    waits(total=Decimal("12.15"))
    page = office.get("/journals").text
    assert "An accountant can accept the difference." in words(page)
    assert forms_of(page, "/journals/mend/accept") == []
    assert len(forms_of(page, "/journals/questions")) == 1


def test_a_cause_that_is_gone_is_said_and_changes_nothing(accountant: FlaskClient, session: Session) -> None:
    for action in ("accept", "vat-rate", "item", "new-item", "common-item", "buyer", "warehouse"):
        data = {"cause": "total_differs", "subject": "x", "code": "A", "name": "B", "rate": "21", "warehouse": "MAIN"}
        assert accountant.post(f"/journals/mend/{action}", data=data).status_code == 303
    with reading(session):
        assert session.scalars(select(Item)).all() == []
        assert session.scalars(select(Decision)).all() == []


# --- decisions ----------------------------------------------------------------------------------------------------


def test_only_the_invoices_of_the_choice_are_decided_about(
    accountant: FlaskClient, session: Session, session_factory: Factory, waits: Waits
) -> None:
    waits(total=Decimal("12.15"))
    put(ScriptedStore, replace(order("1", total=Decimal("12.15")), external_id="id-3", number="3"))
    other = integrate(session, "Other", number_prefix="O-")
    ScriptedStore.ORDERS.pop("id-1")
    ScriptedStore.ORDERS.pop("id-2")
    assert import_all(session_factory, other).in_journal == 1
    press(accountant, "/journals/mend/accept", at=f"/journals?integration={other.id}")
    assert {one.order_number: one.state.value for one in invoices(session)} == {
        "1": "in_journal", "2": "in_journal", "3": "registered",
    }  # fmt: skip


def test_deleting_an_invoice_forgets_what_was_decided_about_it(
    accountant: FlaskClient, session: Session, session_factory: Factory, waits: Waits
) -> None:
    waits(total=Decimal("12.15"), settings={"register_automatically": "no"})
    press(accountant, "/journals/mend/accept")
    with reading(session):
        ids = session.scalars(select(Invoice.id)).all()
        assert len(session.scalars(select(Decision)).all()) == 2
    accountant.post("/journals/delete", data={"invoice": ids, "then": "bring_back"})
    with reading(session):
        assert session.scalars(select(Decision)).all() == []
        assert session.scalars(select(InvoiceFinding)).all() == []
