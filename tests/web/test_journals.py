"""Pages of journals: what waits and why, mended where it is seen, registered, deleted, left out and brought back."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker
from werkzeug.test import TestResponse

from monet_web.blueprints.journals import acting
from monet_web.connectors import CONNECTORS
from monet_web.domain.orders import Order
from monet_web.models import CurrencyRate, Integration, Invoice, ItemAlias, StoreOrder
from monet_web.models.base import reading, writing
from monet_web.models.invoices import InvoiceFinding, InvoiceState
from monet_web.models.runs import RunState
from monet_web.models.users import Role
from monet_web.services.documents import waiting
from monet_web.services.importing import claims
from tests.builders import NOON, ONA, a_line, a_run, a_tax, an_item, an_order
from tests.services.scripted import ScriptedStore, import_all, integrate, invoices, put
from tests.web.integrating import browser, statements, words

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
def viewer(app: Flask, session: Session) -> FlaskClient:
    return browser(app, session, Role.VIEWER)


def order(number: str, **changes: Any) -> Order:
    return an_order(external_id=f"id-{number}", number=number, **changes)


def unknown(number: str, sku: str = "KN-01", **changes: Any) -> Order:
    return order(number, lines=(a_line(sku=sku, product_id=""),), **changes)


def waits(
    session: Session, session_factory: Factory, *orders: Order, name: str = "Kava", **settings: str
) -> Integration:
    """Orders of an integration; all of them wait."""
    integration = integrate(session, name, **settings)
    ScriptedStore.ORDERS = {}
    put(ScriptedStore, *orders)
    assert import_all(session_factory, integration).in_journal == len(orders)
    return integration


def ids(session: Session) -> dict[str, int]:
    """Order number → id of its invoice."""
    return {invoice.order_number: invoice.id for invoice in invoices(session)}


def states(session: Session) -> dict[str, str]:
    return {invoice.order_number: invoice.state.value for invoice in invoices(session)}


def journal_of(session: Session) -> int:
    found = next(invoice.journal_id for invoice in invoices(session) if invoice.journal_id)
    assert found is not None
    return found


def told(client: FlaskClient, answer: TestResponse) -> str:
    """What the page says after an answer that leads on to it."""
    assert answer.status_code == 303, answer.status_code
    page = client.get(answer.location)
    assert page.status_code == 200
    slips = re.findall(r'<div class="slip is-(\w+)">(.*?)</button></div>', page.text, re.DOTALL)
    return " | ".join(f"{kind}: {words(slip).removesuffix(' Close').strip()}" for kind, slip in slips)


# --- what waits ---------------------------------------------------------------------------------------------------


def test_both_kinds_of_journals_have_their_headings_also_when_nothing_waits(viewer: FlaskClient) -> None:
    html = viewer.get("/journals").text
    page = words(html)
    assert re.findall(r"<h2[^>]*>([^<]*sales journals[^<]*)</h2>", html, re.IGNORECASE) == [
        "Goods sales journals", "Sales journals",
    ]  # fmt: skip
    assert "Goods sales journals waiting" in page
    assert "Sales journals waiting" in page
    assert "No invoice waits Everything that was imported and makes an invoice is registered." in page
    assert "No invoice of goods waits." in page


def test_a_journal_is_listed_with_integration_day_count_sums_dates_and_main_causes(
    viewer: FlaskClient, session: Session, session_factory: Factory
) -> None:
    month_ago = NOON - timedelta(days=31)
    waits(
        session, session_factory,
        unknown("1"), unknown("2", placed_at=month_ago, paid_at=month_ago), unknown("3", "MUG-2", currency="USD"),
    )  # fmt: skip
    waits(session, session_factory, order("4"), name="Kursai", accounting_type="amounts", register_automatically="no",
          number_prefix="K-")  # fmt: skip
    goods, sales = viewer.get("/journals").text.split('id="goods-h"')[1].split('id="amounts-h"')
    row = words(goods.partition("<tbody")[2].partition("</tbody>")[0])
    assert "G00001 Kava" in row
    assert "24 Nov" in row
    assert "run 1" in row
    assert re.search(r"23 Oct( 2026)? – 23 Nov", row)
    assert "SKU KN-01 is not among the items (2)" in row
    assert "SKU MUG-2 is not among the items (1)" in row
    assert row.endswith("3 24.20 EUR 12.10 USD")
    assert "Entering is manual for this integration (1) 1 12.10 EUR" in words(sales)


def test_what_waits_is_grouped_by_cause_with_count_amount_oldest_date_and_its_list(
    viewer: FlaskClient, session: Session, session_factory: Factory
) -> None:
    waits(session, session_factory, unknown("1"), unknown("2"), unknown("3", "MUG 2&"))
    html = viewer.get("/journals").text
    page = words(html)
    assert "3 invoices wait: 36.30 EUR." in page
    assert "2 invoices 24.20 EUR SKU KN-01 is not among the items Without an item" in page
    assert "1 invoice 12.10 EUR SKU MUG 2& is not among the items" in page
    assert re.search(r"Dated November 2026, the oldest 23 Nov( 2026)?\.", page)
    links = [link.replace("&amp;", "&") for link in re.findall(r'href="(/journals/invoices\?cause=[^"]+)"', html)]
    shown = [re.findall(r'class="doc"[^>]*>([^<]+)<', viewer.get(link).text) for link in links]
    assert shown == [["1", "2"], ["3"]]


def test_causes_and_lists_are_narrowed_by_integration_month_and_words(
    viewer: FlaskClient, session: Session, session_factory: Factory
) -> None:
    first = waits(session, session_factory, unknown("1", buyer=replace(ONA, name="Žygis")))
    waits(session, session_factory, unknown("2", "MUG-2"), name="Other", number_prefix="O-")
    page = words(viewer.get(f"/journals?integration={first.id}").text)
    assert "SKU KN-01 is not" in page
    assert "SKU MUG-2 is not" not in page

    def numbers(query: str) -> list[str]:
        return re.findall(r'class="doc"[^>]*>([^<]+)<', viewer.get(f"/journals/invoices?{query}").text)

    assert numbers("") == ["1", "O-2"]
    assert numbers(f"integration={first.id}") == ["1"]
    assert numbers("q=ŽYGIS") == ["1"]
    assert numbers("month=2026-11") == ["1", "O-2"]
    assert numbers("month=2026-10") == []
    assert numbers("kind=amounts") == []
    assert numbers("month=rain") == numbers("integration=x") == numbers("kind=odd") == []
    assert viewer.get("/journals/invoices?cause=rain").status_code == 404
    assert "No waiting invoice matches “nobody”." in words(viewer.get("/journals/invoices?q=nobody").text)


def test_a_journal_shows_each_invoice_with_what_is_wrong_why_and_what_to_do(
    viewer: FlaskClient, session: Session, session_factory: Factory
) -> None:
    waits(session, session_factory, unknown("1"))
    page = words(viewer.get(f"/journals/{journal_of(session)}").text)
    assert "Goods sales journal G00001" in page
    assert "1 invoice for 12.10 EUR, dated November 2026" in page
    assert "SKU KN-01 on line 1 is not among the items." in page
    assert "Without an item there is no stock to move" in page
    assert "Say which item SKU KN-01 is, for all invoices at once" in page
    assert viewer.get("/journals/999").status_code == 404


def test_long_lists_come_in_pages(
    viewer: FlaskClient, session: Session, session_factory: Factory, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits(session, session_factory, *(unknown(str(number)) for number in range(1, 6)))
    original = waiting.page
    monkeypatch.setattr(waiting, "page", lambda *args, **kwargs: original(*args, **kwargs, limit=2))
    seen: list[str] = []
    address: str | None = f"/journals/{journal_of(session)}"
    while address:
        page = viewer.get(address).text
        seen += re.findall(r'class="doc"[^>]*>([^<]+)<', page)
        further = re.search(r'href="([^"]+)" rel="next"', page)
        address = further.group(1).replace("&amp;", "&") if further else None
    assert seen == ["1", "2", "3", "4", "5"]


def test_pages_of_what_waits_cost_the_same_whatever_waits(
    app: Flask, office: FlaskClient, session: Session, session_factory: Factory
) -> None:
    integration = waits(session, session_factory, unknown("1"))
    addresses = ["/journals", "/journals/invoices", f"/journals/{journal_of(session)}",
                 f"/journals/invoices/{ids(session)['1']}", "/journals/ask?do=register&journal=1",
                 "/journals?month=2026-11",
                 f"/journals/invoices?integration={integration.id}&month=2026-11"]  # fmt: skip

    def costs() -> list[int]:
        found = []
        for address in addresses:
            with statements(app) as asked:
                assert office.get(address).status_code == 200
            found.append(len(asked))
        return found

    few = costs()
    # Something is in the month already: a page of nothing asks less.
    assert all("1 invoice" in words(office.get(address).text) for address in addresses[-2:])
    put(ScriptedStore, *(unknown(f"n{number}", f"S-{number}", currency="USD") for number in range(12)))
    assert import_all(session_factory, integration).in_journal == 12
    assert costs() == few


# --- one waiting invoice ------------------------------------------------------------------------------------------


def test_a_waiting_invoice_shows_numbered_findings_lines_and_the_store_s_order(
    viewer: FlaskClient, session: Session, session_factory: Factory
) -> None:
    waits(session, session_factory, order("1", currency="USD"), unknown("2"))
    first, second = ids(session)["1"], ids(session)["2"]
    html = viewer.get(f"/journals/invoices/{first}").text
    page = words(html)
    assert "2 things stand in the way" in page
    assert "1. SKU KN-01 on line 1 is not among the items." in page
    assert "2. There is no rate of USD for 23 Nov 2026." in page
    assert "Invoice to be" in page
    assert "In the store" in page
    assert 'href="#finding-1"' in html
    assert "1 of 2" in page
    assert f'href="/journals/invoices/{second}" rel="next"' in html
    assert "Register" not in page.partition("Invoice to be")[2]
    assert viewer.get("/journals/invoices/999").status_code == 404


def test_a_registered_one_is_shown_among_the_sales_invoices(
    viewer: FlaskClient, session: Session, session_factory: Factory
) -> None:
    waits(session, session_factory, unknown("1"))
    with writing(session):
        session.execute(update(Invoice).values(state=InvoiceState.REGISTERED, journal_id=None))
    answer = viewer.get(f"/journals/invoices/{ids(session)['1']}")
    assert (answer.status_code, answer.location) == (302, f"/invoices/{ids(session)['1']}")


# --- registering --------------------------------------------------------------------------------------------------


def by_hand(session: Session, session_factory: Factory, *numbers: str) -> None:
    """Invoices that only wait for a person."""
    waits(session, session_factory, *(order(number) for number in numbers), accounting_type="amounts",
          register_automatically="no")  # fmt: skip


def test_one_is_registered_after_a_question_that_says_for_how_much_and_when(
    office: FlaskClient, session: Session, session_factory: Factory
) -> None:
    by_hand(session, session_factory, "1")
    invoice_id = ids(session)["1"]
    page = words(office.get(f"/journals/invoices/{invoice_id}").text)
    assert "Register 1 invoice for 12.10 EUR, dated November 2026?" in page
    assert "Register 1 invoice for 12.10 EUR, dated November 2026?" in words(
        office.get(f"/journals/ask?do=register&invoice={invoice_id}").text
    )
    answer = office.post("/journals/register", data={"invoice": invoice_id, "back": f"/journals/invoices/{invoice_id}"})
    assert answer.location == f"/invoices/{invoice_id}"
    assert told(office, answer) == "registered: 1 of 1 registered."
    assert "Rūta office registered it as 1." in words(office.get(answer.location).text)


def test_registering_what_does_not_pass_shows_the_explanation_in_the_same_words(
    office: FlaskClient, session: Session, session_factory: Factory
) -> None:
    waits(session, session_factory, unknown("1"))
    invoice_id = ids(session)["1"]
    back = f"/journals/invoices/{invoice_id}"
    answer = office.post("/journals/register", data={"invoice": invoice_id, "back": back})
    assert answer.location == back
    assert told(office, answer) == (
        "journal: 0 of 1 registered. 1 waits for one more cause. SKU KN-01 on line 1 is not among the items."
    )
    assert states(session) == {"1": "in_journal"}


def test_all_that_pass_are_registered_and_the_rest_is_named(
    office: FlaskClient, session: Session, session_factory: Factory
) -> None:
    with writing(session):
        an_item(session, "KN-01", on_hand=9)
    waits(
        session, session_factory, order("1"), order("2"), order("3"), unknown("KL-7702", "MUG-2"),
        register_automatically="no",
    )  # fmt: skip
    journal_id = journal_of(session)
    assert "those of the 4 invoices for 48.40 EUR, dated November 2026 that pass" in words(
        office.get(f"/journals/{journal_id}").text
    )
    answer = office.post("/journals/register", data={"journal": journal_id, "back": f"/journals/{journal_id}"})
    said = told(office, answer)
    assert said == "journal: 3 of 4 registered. KL-7702 waits for one more cause. Open KL-7702"
    assert states(session) == {"1": "registered", "2": "registered", "3": "registered", "KL-7702": "in_journal"}


def test_the_ticked_ones_are_asked_about_then_registered(
    office: FlaskClient, session: Session, session_factory: Factory
) -> None:
    by_hand(session, session_factory, "1", "2", "3")
    chosen = [ids(session)["1"], ids(session)["3"]]
    asked = office.get("/journals/ask", query_string={"chosen": "yes", "do": "register", "invoice": chosen})
    assert "Register 2 invoices for 24.20 EUR, dated November 2026?" in words(asked.text)
    assert [f'name="invoice" value="{each}"' in asked.text for each in chosen] == [True, True]
    answer = office.post("/journals/register", data={"invoice": chosen})
    assert told(office, answer) == "registered: 2 of 2 registered."
    assert states(session) == {"1": "registered", "2": "in_journal", "3": "registered"}


def test_ticking_nothing_is_said_and_means_nothing(
    office: FlaskClient, session: Session, session_factory: Factory
) -> None:
    by_hand(session, session_factory, "1")
    answer = office.get("/journals/ask?chosen=yes&do=register&back=/journals/1")
    assert answer.location == "/journals/1"
    assert told(office, answer) == "failed: Tick at least one invoice first."


@pytest.mark.parametrize("does", ["register", "check", "delete"])
def test_an_empty_form_never_means_everything(
    office: FlaskClient, session: Session, session_factory: Factory, does: str
) -> None:
    by_hand(session, session_factory, "1")
    assert office.post(f"/journals/{does}").status_code == 400
    assert office.get(f"/journals/ask?do={does}").status_code == 400
    for nonsense in ({"journal": "x"}, {"integration": "''"}, {"month": "rain"}, {"kind": "?"}, {"invoice": "all"}):
        assert office.post(f"/journals/{does}", data=nonsense).status_code == 303
    assert states(session) == {"1": "in_journal"}


def test_what_waits_for_a_person_is_registered_by_one(
    office: FlaskClient, session: Session, session_factory: Factory
) -> None:
    waits(session, session_factory, order("1"), accounting_type="amounts", register_automatically="no")
    page = office.get("/journals").text
    assert "Entering is manual for this integration" in words(page)
    link = re.search(r'href="(/journals/ask\?do=register[^"]*)"', page)
    assert link is not None
    asked = office.get(link.group(1).replace("&amp;", "&"))
    assert "Register 1 invoice for 12.10 EUR" in words(asked.text)
    office.post("/journals/register", data={"cause": "posting_manual", "subject": ""})
    assert states(session) == {"1": "registered"}


def test_the_button_of_a_cause_counts_only_those_that_pass_for_a_person(
    office: FlaskClient, session: Session, session_factory: Factory
) -> None:
    waits(session, session_factory, order("1", currency="USD"), order("2", currency="USD"),
          accounting_type="amounts", register_automatically="no")  # fmt: skip
    assert "do=register" not in office.get("/journals").text
    waits(session, session_factory, order("3"), name="Other", number_prefix="O-",
          accounting_type="amounts", register_automatically="no")  # fmt: skip
    html = office.get("/journals").text
    assert "Register the one that passes…" in words(html)
    link = re.search(r'href="(/journals/ask\?do=register[^"]*)"', html)
    assert link is not None
    asked = office.get(link.group(1).replace("&amp;", "&")).text
    assert "Register 1 invoice for 12.10 EUR" in words(asked)
    assert 'name="passing" value="yes"' in asked
    data = {"cause": "posting_manual", "subject": "", "passing": "yes"}
    assert told(office, office.post("/journals/register", data=data)) == "registered: 1 of 1 registered."
    assert states(session) == {"1": "in_journal", "2": "in_journal", "3": "registered"}


def test_a_notice_is_marked_and_stands_in_nobody_s_way(
    office: FlaskClient, session: Session, session_factory: Factory
) -> None:
    waits(session, session_factory, unknown("1"))
    address = f"/journals/invoices/{ids(session)['1']}"
    page = words(office.get(address).text)
    assert "One thing stands in the way" in page
    assert "Notice" not in page
    with writing(session):
        session.execute(update(InvoiceFinding).values(stops=False))
    page = words(office.get(address).text)
    assert "Nothing stands in the way" in page
    assert "Notice" in page


# --- checking again -----------------------------------------------------------------------------------------------


def test_checking_again_registers_what_passes_by_now_and_says_how_many(
    office: FlaskClient, session: Session, session_factory: Factory
) -> None:
    waits(session, session_factory, unknown("1"), unknown("2"), unknown("3", "MUG-2"))
    with writing(session):
        an_item(session, "KN-01", on_hand=5)
    assert "Check 3 invoices for 36.30 EUR, dated November 2026 again?" in words(office.get("/journals").text)
    answer = office.post("/journals/check", data={"all": "yes", "back": "/journals"})
    assert told(office, answer) == "journal: 3 checked again: 2 registered, 1 still waits."


def test_while_an_import_is_at_work_the_person_is_told_and_nothing_breaks(
    office: FlaskClient, session: Session, session_factory: Factory, monkeypatch: pytest.MonkeyPatch
) -> None:
    integration = waits(session, session_factory, unknown("1"))
    monkeypatch.setattr(acting, "SHORT_PATIENCE", 0.0)
    from monet_web.models.base import now_utc

    with writing(session):
        a_run(
            session, session.get_one(Integration, integration.id), state=RunState.RUNNING, heartbeat_at=now_utc(),
            worker=claims.this_process(),
        )  # fmt: skip
    for does in ("register", "check"):
        answer = office.post(f"/journals/{does}", data={"all": "yes"})
        assert "failed: An import of this integration is at work" in told(office, answer)


# --- deleting -----------------------------------------------------------------------------------------------------


def test_deleting_brings_back_at_the_next_run_unless_told_otherwise(
    office: FlaskClient, session: Session, session_factory: Factory
) -> None:
    integration = waits(session, session_factory, unknown("1"), unknown("2"))
    journal_id = journal_of(session)
    asked = words(office.get(f"/journals/ask?do=delete&journal={journal_id}").text)
    assert "Delete 2 invoices for 24.20 EUR, dated November 2026?" in asked
    assert "Bring back at the next run" in asked
    assert "Leave out" in asked
    answer = office.post(
        "/journals/delete", data={"journal": journal_id, "then": "bring_back", "back": f"/journals/{journal_id}"}
    )
    deleted = "registered: 2 invoices deleted. The next run of the period brings the orders back. Run it again now"
    assert told(office, answer) == deleted
    assert "Nothing waits in this journal any more" in words(office.get(f"/journals/{journal_id}").text)
    assert import_all(session_factory, integration).in_journal == 2


def test_leaving_out_needs_a_reason_and_asks_for_it_in_its_place(
    office: FlaskClient, session: Session, session_factory: Factory
) -> None:
    waits(session, session_factory, unknown("1"))
    invoice_id = ids(session)["1"]
    answer = office.post("/journals/delete", data={"invoice": invoice_id, "then": "leave_out", "reason": "  "})
    assert answer.status_code == 303
    page = office.get(answer.location).text
    assert "Leaving orders out needs a reason." in words(page)
    assert 'aria-invalid="true"' in page
    assert re.search(r'value="leave_out"[^>]* checked', page)
    assert "needs a reason" not in office.get(answer.location).text  # said once
    assert states(session) == {"1": "in_journal"}


def test_an_order_left_out_is_listed_with_its_reason_and_can_be_brought_back(
    office: FlaskClient, session: Session, session_factory: Factory
) -> None:
    integration = waits(session, session_factory, unknown("1"))
    assert "No order is left out by hand." in words(office.get("/journals/left-out").text)
    answer = office.post(
        "/journals/delete",
        data={"invoice": ids(session)["1"], "then": "leave_out", "reason": HOSTILE, "back": "/journals/invoices/1"},
    )
    assert answer.location == "/journals"
    assert "1 invoice deleted and left out" in told(office, answer)
    html = office.get("/journals/left-out").text
    assert "1 Kava" in words(html)
    assert "<script>alert" not in html
    assert HOSTILE in words(html).replace("“", '"') or "&lt;script&gt;" in html
    assert import_all(session_factory, integration).filtered == 1
    with reading(session):
        order_id = session.scalars(select(StoreOrder.id)).one()
    nothing = office.post("/journals/left-out/bring-back")
    assert told(office, nothing) == "failed: Tick at least one order first."
    answer = office.post("/journals/left-out/bring-back", data={"order": order_id})
    assert told(office, answer) == "registered: 1 order is open again: the next run of its period books it."
    assert import_all(session_factory, integration).in_journal == 1


def test_the_question_says_what_was_corrected_by_hand_and_will_be_lost(
    office: FlaskClient, session: Session, session_factory: Factory
) -> None:
    waits(session, session_factory, unknown("1"), unknown("2"))
    with writing(session):
        session.execute(update(Invoice).where(Invoice.order_number == "1").values(touched_at=NOON, touched_by="ona"))
    asked = words(office.get("/journals/ask?do=delete&all=yes").text)
    assert "One of them was corrected by hand, which is lost." in asked
    assert "It was corrected by hand, which is lost." in words(
        office.get(f"/journals/invoices/{ids(session)['1']}").text
    )


def test_a_registered_invoice_is_never_deleted(office: FlaskClient, session: Session, session_factory: Factory) -> None:
    waits(session, session_factory, unknown("1"))
    with writing(session):
        session.execute(update(Invoice).values(state=InvoiceState.REGISTERED, journal_id=None))
    office.post("/journals/delete", data={"invoice": ids(session)["1"], "then": "bring_back"})
    assert states(session) == {"1": "registered"}


# --- mending where it is seen -------------------------------------------------------------------------------------


def test_an_unknown_sku_is_mapped_to_an_item_and_what_waited_is_checked_again(
    office: FlaskClient, session: Session, session_factory: Factory
) -> None:
    waits(session, session_factory, unknown("1"), unknown("2"))
    waits(session, session_factory, unknown("3"), name="Other", number_prefix="O-")
    with writing(session):
        item = an_item(session, "BOOK-1", on_hand=2)
    html = office.get("/journals").text
    assert "Map and check 3 again" in words(html)
    assert 'href="/items/new?code=KN-01&amp;name=Notebook"' in html
    answer = office.post("/journals/mend/item", data={"subject": "KN-01", "code": " book-1 ", "back": "/journals"})
    said = told(office, answer)
    assert said == "journal: SKU KN-01 is BOOK-1 from now on. 3 checked again: 2 registered, 1 still waits."
    with reading(session):
        aliases = session.scalars(select(ItemAlias)).all()
    assert {(one.kind.value, one.value, one.item_id) for one in aliases} == {("sku", "KN-01", item.id)}
    assert len({one.store_id for one in aliases}) == 2


def test_from_one_invoice_an_item_is_mapped_in_its_store_alone(
    office: FlaskClient, session: Session, session_factory: Factory
) -> None:
    first = waits(session, session_factory, unknown("1"))
    waits(session, session_factory, unknown("2"), name="Other", number_prefix="O-")
    with writing(session):
        an_item(session, "BOOK-1", on_hand=9)
    html = office.get(f"/journals/invoices/{ids(session)['1']}").text
    assert "Map and check it again" in words(html)
    assert f'name="integration" value="{first.id}"' in html
    office.post("/journals/mend/item", data={"subject": "KN-01", "code": "BOOK-1", "integration": first.id})
    assert states(session) == {"1": "registered", "2": "in_journal"}


def test_a_line_without_sku_is_mapped_by_the_store_s_own_id(
    office: FlaskClient, session: Session, session_factory: Factory
) -> None:
    waits(session, session_factory, order("1", lines=(a_line(sku="", product_id="501"),)))
    with writing(session):
        an_item(session, "BOOK-1", on_hand=9)
    office.post("/journals/mend/item", data={"subject": "product 501", "code": "BOOK-1"})
    assert states(session) == {"1": "registered"}


@pytest.mark.parametrize(
    ("subject", "code", "said"),
    [("KN-01", "NO-SUCH", "There is no item NO-SUCH."), ("KN-01", "", "No item was typed.")],
)
def test_an_item_that_is_not_there_is_said_beside_the_field(
    office: FlaskClient, session: Session, session_factory: Factory, subject: str, code: str, said: str
) -> None:
    waits(session, session_factory, unknown("1"))
    answer = office.post("/journals/mend/item", data={"subject": subject, "code": code, "back": "/journals"})
    page = office.get(answer.location).text
    assert said in words(page)
    assert f'name="code" value="{code}"' in page
    assert 'aria-invalid="true"' in page
    assert states(session) == {"1": "in_journal"}


def test_a_missing_rate_is_typed_where_it_is_missing(
    office: FlaskClient, session: Session, session_factory: Factory
) -> None:
    waits(session, session_factory, order("1", currency="USD"), accounting_type="amounts")
    assert "USD for 1 EUR on 23 Nov 2026" in words(office.get("/journals").text)
    for wrong in ("rain", "0", "-1", ""):
        answer = office.post("/journals/mend/rate", data={"subject": "USD 2026-11-23", "rate": wrong})
        page = office.get(answer.location).text
        assert "Type units of USD for one euro, for example 1.1527." in words(page)
        assert f'name="rate" value="{wrong}"' in page
    answer = office.post("/journals/mend/rate", data={"subject": "USD 2026-11-23", "rate": "1,25"})
    assert told(office, answer) == (
        "registered: The rate of USD for 23 Nov 2026 is kept. 1 checked again and registered."
    )
    with reading(session):
        rate = session.scalars(select(CurrencyRate)).one()
    assert (rate.currency, rate.day, rate.rate) == ("USD", NOON.date(), Decimal("1.25"))


def test_a_subject_that_names_no_day_is_refused_in_words(office: FlaskClient) -> None:
    answer = office.post("/journals/mend/rate", data={"subject": "rain", "rate": "1"})
    assert answer.status_code == 303
    assert office.get(answer.location).status_code == 200


def test_a_shortage_leads_to_the_receipt_with_item_and_quantity_filled_in(
    office: FlaskClient, session: Session, session_factory: Factory
) -> None:
    with writing(session):
        an_item(session, "KN-01", on_hand=1)
    waits(session, session_factory, order("1", lines=(a_line(quantity=Decimal(3)),)))
    html = office.get(f"/journals/invoices/{ids(session)['1']}").text
    assert "Receive 2 of KN-01" in words(html)
    assert 'href="/items/receive?item=KN-01&amp;warehouse=MAIN&amp;quantity=2&amp;back=journals"' in html


# --- who may ------------------------------------------------------------------------------------------------------

CHANGES = (
    "/journals/register", "/journals/check", "/journals/delete", "/journals/mend/item", "/journals/mend/rate",
    "/journals/left-out/bring-back", "/journals/conflicts/number", "/journals/conflicts/again",
)  # fmt: skip


@pytest.mark.parametrize("address", CHANGES)
def test_a_viewer_changes_nothing(
    viewer: FlaskClient, session: Session, session_factory: Factory, address: str
) -> None:
    by_hand(session, session_factory, "1")
    data = {"all": "yes", "subject": "KN-01", "code": "X", "rate": "1", "order": "1", "number": "1"}
    assert viewer.post(address, data=data).status_code == 403
    assert states(session) == {"1": "in_journal"}


def test_a_viewer_sees_what_waits_without_buttons(
    viewer: FlaskClient, session: Session, session_factory: Factory
) -> None:
    waits(session, session_factory, unknown("1"), order("2", currency="USD"))
    for address in ("/journals", f"/journals/{journal_of(session)}", f"/journals/invoices/{ids(session)['1']}",
                    "/journals/left-out", "/journals/conflicts"):  # fmt: skip
        main = viewer.get(address).text.partition("<main")[2].partition("</main>")[0]
        assert 'method="post"' not in main, address
        assert 'type="checkbox"' not in main, address
    assert viewer.get("/journals/ask?do=register&all=yes").status_code == 403


@pytest.mark.parametrize("role", [Role.OFFICE, Role.ACCOUNTANT, Role.ADMINISTRATOR])
def test_the_office_and_everybody_above_registers_what_passes(
    app: Flask, session: Session, session_factory: Factory, role: Role
) -> None:
    by_hand(session, session_factory, "1")
    browser(app, session, role).post("/journals/register", data={"all": "yes"})
    assert states(session) == {"1": "registered"}


@pytest.mark.parametrize("address", ["/journals", "/journals/1", "/journals/invoices", "/journals/left-out"])
def test_nobody_sees_journals_without_signing_in(app: Flask, address: str) -> None:
    assert app.test_client().get(address).status_code == 302


def test_a_form_without_its_token_is_refused(app: Flask, office: FlaskClient) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    assert office.post("/journals/register", data={"all": "yes"}).status_code == 400


@pytest.mark.parametrize(
    "back", ["https://evil.example", "//evil.example", "/journals\\evil", "/journalsevil", "/sign-in", "javascript:1"]
)
def test_no_way_back_leads_elsewhere(office: FlaskClient, back: str) -> None:
    assert office.post("/journals/check", data={"all": "yes", "back": back}).location == "/journals"


def test_what_a_store_sends_stays_words(office: FlaskClient, session: Session, session_factory: Factory) -> None:
    waits(session, session_factory, order("1", lines=(a_line(name=HOSTILE, sku=HOSTILE, taxes=(a_tax(),)),),
                                          buyer=replace(ONA, name=HOSTILE)))  # fmt: skip
    invoice_id = ids(session)["1"]
    pages: list[Callable[[], str]] = [
        lambda: office.get("/journals").text,
        lambda: office.get("/journals/invoices", query_string={"cause": "item_unknown", "subject": HOSTILE}).text,
        lambda: office.get(f"/journals/{journal_of(session)}").text,
        lambda: office.get(f"/journals/invoices/{invoice_id}").text,
        lambda: (
            office.get(office.post("/journals/mend/item", data={"subject": HOSTILE, "code": HOSTILE}).location).text
        ),
        lambda: office.get(office.post("/journals/register", data={"invoice": invoice_id}).location).text,
    ]
    for page in pages:
        text = page()
        assert "<script>alert" not in text
        assert "&lt;script&gt;alert(" in text


def test_a_shortage_says_what_all_need_together_and_leads_back_to_the_journals(
    office: FlaskClient, session: Session, session_factory: Factory
) -> None:
    with writing(session):
        an_item(session, "KN-01", on_hand=1)
    waits(
        session,
        session_factory,
        *(order(number, lines=(a_line(quantity=Decimal(3)),)) for number in ("1", "2")),
    )
    html = office.get("/journals").text
    assert "Receive 5 of KN-01" in words(html)
    assert "6 needed by all that wait, 1 on hand" in words(html)
    assert "quantity=5&amp;back=journals" in html
    page = office.get("/items/receive?item=KN-01&warehouse=MAIN&quantity=5&back=journals").text
    assert 'action="/items/receive?back=journals"' in page
