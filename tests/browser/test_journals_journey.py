"""A Monday in the journals, in a real browser over real processes: each point of what people do there, one test each.

One start of the demo serves all; the tests stand in the order of the day, and each takes invoices of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser import chromium
from tests.browser.office import MANY, MONTH, TODAY, UNKNOWN, Office, at_work, fill_launch, launch

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.in_order,
]


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    executable = chromium.required()
    expect.set_options(timeout=30_000)  # beside other tests everything takes longer
    with chromium.browser(executable) as browser, at_work(tmp_path_factory.mktemp("office"), browser) as work:
        yield work
        said = work.shop.said.read_text()
    assert "Traceback" not in said


def test_a_preview_names_the_groups_that_the_journals_will_have(office: Office) -> None:
    with office.page() as page:
        fill_launch(page, office.shop.address, "Many", MONTH, TODAY)
        page.get_by_role("button", name=re.compile("^Preview")).click()
        expect(page.get_by_role("heading", name="Preview", exact=True)).to_be_visible()
        expect(page.get_by_text(re.compile(rf"^{MANY} · SKU {UNKNOWN} is not among the items"))).to_be_visible()
        vat = page.get_by_role("table", name="VAT, EUR")
        expect(vat.get_by_role("row", name=re.compile(r"^21.%"))).to_be_visible()
        assert office.one("SELECT count(*) FROM invoices WHERE number LIKE 'M-%'") == 0
        page.get_by_role("button", name="Launch 1 run").click()
        expect(page.locator(".run-part.has-ended")).to_be_visible()


def test_a_cause_is_mended_once_and_a_worker_checks_all_that_waited_while_the_page_follows(office: Office) -> None:
    waiting = "SELECT count(*) FROM invoices WHERE number LIKE 'M-%' AND state = 'in_journal'"
    assert office.one(waiting) == MANY
    with office.page() as page:
        page.goto(office.url("/journals"))
        cause = page.locator(".cause").first  # the most first
        expect(cause.locator(".big")).to_have_text(str(MANY))
        expect(cause.get_by_role("heading")).to_have_text(f"SKU {UNKNOWN} is not among the items")
        cause.get_by_text("Make it an item…").click()
        with office.shop.idle_worker():
            cause.get_by_role("button", name=f"Make it and check {MANY} again").click()
            expect(page.get_by_role("heading", name=f"Checking {MANY} invoices again")).to_be_visible()
            page.evaluate("document.body.dataset.same = 'yes'")  # gone after a reload
        expect(page.get_by_role("heading", name="Done", exact=True)).to_be_visible(timeout=60_000)
        assert page.evaluate("document.body.dataset.same") == "yes"
        expect(page.locator(".errand")).to_contain_text(f"{MANY} checked again, all registered")
        # A screen reader was told too.
        expect(page.locator("#said")).to_contain_text(f"{MANY} checked again, all registered")
        page.get_by_role("link", name="Back to what waits").click()
        expect(page.get_by_role("heading", name="Journals", exact=True)).to_be_visible()
    assert office.one(waiting) == 0
    assert office.one("SELECT count(*) FROM invoices WHERE number LIKE 'M-%' AND state = 'registered'") == MANY


def test_an_unknown_sku_is_mapped_to_an_item_right_at_the_cause(office: Office) -> None:
    name = "SKU NAUJAS-LT-0002 is not among the items"
    with office.page(office.clerk) as page:
        page.goto(office.url("/journals"))
        cause = page.locator(".cause").filter(has=page.get_by_role("heading", name=name))
        count = cause.locator(".big").inner_text()
        field = cause.get_by_label("It is our item")
        field.press_sequentially("LT-0002")
        expect(cause.locator("datalist option[value='LT-0002']")).to_be_attached()
        button = "Map and check it again" if count == "1" else f"Map and check {count} again"
        cause.get_by_role("button", name=button).click()
        expect(page.locator("#toasts .slip").first).to_be_visible()
        expect(page.get_by_role("heading", name=name)).to_have_count(0)
    assert office.one("SELECT count(*) FROM findings WHERE subject LIKE '%NAUJAS-LT-0002'") == 0
    assert office.one("SELECT count(*) FROM item_aliases WHERE value = 'NAUJAS-LT-0002'") == 1


def test_one_invoice_is_corrected_and_its_sums_move_while_one_types(office: Office) -> None:
    (invoice,) = office.waiting()
    before = Decimal(office.one(f"SELECT total FROM invoices WHERE id = {invoice}"))
    with office.page() as page:
        page.goto(office.url(f"/journals/invoices/{invoice}"))
        total = page.locator("#sums tfoot .total").last
        was = total.inner_text()
        quantity = page.get_by_label("Quantity on line 1")
        quantity.fill("7")
        expect(total).not_to_have_text(was)
        now = total.inner_text()
        expect(page.locator("#correct-said")).to_contain_text(f"Not saved yet: {now}")
        expect(page.locator("#correct-said")).to_contain_text("The store's total is")  # it differs now
        page.get_by_label("The figures are right as they stand here").check()
        expect(page.locator("#correct-said")).to_contain_text("What would stand in the way")
        page.get_by_role("button", name="Save, keep in the journal").click()
        expect(page.locator("#toasts .slip").first).to_contain_text("Saved")
        expect(page.locator("#sums tfoot .total").last).to_have_text(now)
        expect(page.get_by_role("heading", name="Corrected by hand")).to_be_visible()
        page.get_by_text("Register…", exact=True).click()
        page.get_by_role("button", name="Register it", exact=True).click()
        expect(page.locator("#toasts .slip").first).to_contain_text("Registered as S-")
    assert office.state(invoice) == "registered"
    assert Decimal(office.one(f"SELECT total FROM invoices WHERE id = {invoice}")) != before


def test_what_is_typed_wrong_is_told_where_the_focus_goes(office: Office) -> None:
    (invoice,) = office.waiting()
    with office.page() as page:
        page.goto(office.url(f"/journals/invoices/{invoice}"))
        page.get_by_label("Quantity on line 1").fill("many")
        expect(page.locator("#sums")).to_contain_text("1 field needs mending")  # as one types, the focus stays
        expect(page.get_by_label("Quantity on line 1")).to_be_focused()
        page.get_by_role("button", name="Recalculate").click()
        summary = page.locator("#sums .note.is-failed")
        expect(summary).to_be_focused()
        expect(summary).to_contain_text("1 field needs mending")
        summary.get_by_role("link").first.press("Enter")
        expect(page.get_by_label("Quantity on line 1")).to_be_focused()
    assert office.state(invoice) == "in_journal"


def test_register_and_next_stands_on_the_next_invoice(office: Office) -> None:
    first, second = office.waiting(2)
    with office.page() as page:
        page.goto(office.url(f"/journals/invoices/{first}"))
        page.get_by_text("Register…", exact=True).click()
        page.get_by_role("button", name="Register it and open the next").click()
        expect(page).to_have_url(re.compile(rf"/journals/invoices/{second}#invoice$"))
        expect(page.locator("h1")).to_be_focused()
        expect(page.locator("#said")).to_contain_text("Registered as S-")
    assert [office.state(one) for one in (first, second)] == ["registered", "in_journal"]


def test_two_people_on_one_invoice_lose_nothing(office: Office) -> None:
    (invoice,) = office.waiting()
    with office.page() as hers, office.refused_page(office.clerk) as his:
        for page in (hers, his):
            page.goto(office.url(f"/journals/invoices/{invoice}"))
        hers.get_by_label("Note on the invoice").fill("Pristatyti po pietų")
        his.get_by_label("Note on the invoice").fill("Paskambinti")
        for page in (hers, his):
            expect(page.locator("#correct-said")).to_contain_text("Not saved yet")
        hers.get_by_role("button", name="Save, keep in the journal").click()
        expect(hers.locator("#toasts .slip").first).to_contain_text("Saved")
        refused = his.get_by_role("alert").filter(has_text="Rūta Kalvaitienė saved this invoice")
        with his.expect_response(re.compile("/correction$")) as answered:
            his.get_by_role("button", name="Save, keep in the journal").click()
        assert answered.value.status == 409
        expect(refused).to_contain_text("Pristatyti po pietų")
        expect(his.get_by_label("Note on the invoice")).to_have_value("Paskambinti")
        his.get_by_role("button", name="Save, keep in the journal").click()
        expect(his.locator("#toasts .slip").first).to_contain_text("Saved")
    assert office.one(f"SELECT note FROM invoices WHERE id = {invoice}") == "Paskambinti"


def test_the_ticked_ones_are_registered_together(office: Office) -> None:
    chosen = office.waiting(3)
    with office.page(office.clerk) as page:
        list_of_small(page, office)
        for invoice in chosen:
            page.locator(f".pick input[value='{invoice}']").check()
        page.locator("[data-register=ticked]").click()
        expect(page.get_by_text(re.compile(r"^Register 3 invoices for [\d.,]+.EUR, dated "))).to_be_visible()
        page.get_by_role("button", name="Register what passes of 3").click()
        expect(page.locator("#toasts .slip").first).to_contain_text("3 of 3 registered")
        for invoice in chosen:
            expect(page.locator(f".pick input[value='{invoice}']")).to_have_count(0)
    assert {office.state(one) for one in chosen} == {"registered"}


def test_register_refuses_in_the_words_of_the_list(office: Office) -> None:
    invoice = office.one(
        "SELECT invoice_id FROM findings JOIN invoices ON invoices.id = invoice_id WHERE code = 'stock_short' "
        "AND state = 'in_journal' AND kind = 'invoice' ORDER BY 1 LIMIT 1"
    )
    with office.page() as page:
        page.goto(office.url("/journals/invoices?cause=stock_short"))
        row = page.locator("tr").filter(has=page.locator(f"input[value='{invoice}']"))
        words = row.locator(".reason .strong").first.inner_text()
        assert "is short in warehouse" in words
        row.locator("[data-register=row]").click()
        page.get_by_role("button", name="Register it").click()
        expect(page.locator("#toasts .slip").first).to_contain_text(words)
    assert office.state(invoice) == "in_journal"


def test_a_deleted_invoice_comes_back_when_the_period_is_run_again(office: Office) -> None:
    (invoice,) = office.waiting()
    number = office.one(f"SELECT order_number FROM invoices WHERE id = {invoice}")
    with office.page() as page:
        page.goto(office.url(f"/journals/invoices/{invoice}"))
        page.get_by_text("Delete from the journal…").click()
        page.get_by_role("button", name="Delete it").click()
        expect(page.locator("#toasts .slip").first).to_contain_text("deleted")
        assert office.state(invoice) == "gone"
        launch(page, office.shop.address, "Small", MONTH, TODAY)
    living = f"SELECT count(*) FROM invoices WHERE number LIKE 'S-%' AND order_number = '{number}'"
    assert office.one(living) == 1


def test_a_closed_month_refuses_and_an_invoice_of_it_is_dated_today(office: Office) -> None:
    (invoice,) = office.waiting()
    with office.page() as page:
        change_month(page, office, "Close")
        page.goto(office.url(f"/journals/invoices/{invoice}"))
        page.get_by_text("Register…", exact=True).click()
        page.get_by_role("button", name="Register it", exact=True).click()
        expect(page.locator("#toasts .slip").first).to_contain_text("closed")
        assert office.state(invoice) == "in_journal"
        page.goto(office.url(f"/journals/invoices/{invoice}"))
        page.get_by_role("button", name=re.compile("^Date it today")).click()
        expect(page.locator("#toasts .slip").first).to_be_visible()
        change_month(page, office, "Reopen")
    supplied, dated = office.shop.ask(f"SELECT supply_date, issue_date FROM invoices WHERE id = {invoice}")[0]
    assert supplied.startswith(f"{MONTH:%Y-%m}")
    assert dated == TODAY.isoformat()


def test_a_change_in_the_store_is_accepted_and_another_ignored_with_a_reason(office: Office) -> None:
    registered = office.shop.ask(
        "SELECT invoices.id, invoices.external_id, number FROM invoices "
        "WHERE number LIKE 'S-%' AND state = 'registered' AND issue_date < supply_date || 'z' ORDER BY 1 LIMIT 2"
    )
    (accepted, first, number), (ignored, second, other) = registered
    for order in (first, second):
        document = office.small.store.order(int(order))
        assert document is not None
        office.small.store.edit(
            int(order), billing=document["billing"] | {"first_name": "Marija", "company": "Nauja UAB"}
        )
    with office.page() as page:
        launch(page, office.shop.address, "Small", MONTH, TODAY)
        page.goto(office.url("/journals/changed"))
        part = page.locator("section.sheet").filter(has=page.get_by_role("heading", name=other, exact=True))
        expect(part).to_contain_text("Nauja UAB")
        part.get_by_text("Ignore…").click()
        part.get_by_label("Reason").fill("Only the buyer's name was rewritten")
        part.get_by_role("button", name="Ignore", exact=True).click()
        expect(page.get_by_role("heading", name=other, exact=True)).to_have_count(0)
        part = page.locator("section.sheet").filter(has=page.get_by_role("heading", name=number, exact=True))
        part.get_by_text("Accept…").click()
        part.locator(".ask-body button").first.click()
        expect(page.locator("#toasts .slip").first).to_contain_text(number)
        expect(page.get_by_role("heading", name=number, exact=True)).to_have_count(0)
    assert office.one(f"SELECT count(*) FROM invoices WHERE number = '{number}-2' AND buyer_name = 'Nauja UAB'") == 1
    assert office.one(f"SELECT count(*) FROM invoices WHERE credits_invoice_id = {accepted}") == 1
    assert office.one(f"SELECT count(*) FROM invoices WHERE credits_invoice_id = {ignored}") == 0


def test_items_come_from_a_file_whose_columns_are_said_and_two_become_one(office: Office, tmp_path: Path) -> None:
    file = tmp_path / "prekes.csv"
    file.write_text("Ženklas;Kas tai;Matas\nJ-SENA;Puodelis;vnt.\nJ-NAUJA;Puodelis;vnt.\n;Be kodo;vnt.\n", "utf-8")
    with office.refused_page(office.accountant) as page:  # a file with a wrong row is answered with 422
        page.goto(office.url("/items/import"))
        page.get_by_label("CSV or XLSX").set_input_files(file)
        page.get_by_role("button", name="Look at the file").click()
        page.get_by_label("What the column Ženklas is").select_option("Code")
        page.get_by_label("What the column Kas tai is").select_option("Name")
        page.get_by_label("What the column Matas is").select_option("Unit")
        page.get_by_role("button", name="Preview").click()
        expect(page.get_by_text("1 row can't be used, 2 can.")).to_be_visible()
        assert office.one("SELECT count(*) FROM items WHERE code LIKE 'J-%'") == 0
        page.get_by_role("button", name="Import 2 items from the good rows only").click()
        expect(page.locator("#toasts .slip").first).to_contain_text("2 items")
        gone = office.one("SELECT id FROM items WHERE code = 'J-SENA'")
        page.goto(office.url(f"/items/{gone}/merge"))
        page.get_by_label("The other one than J-SENA").fill("J-NAUJA")
        page.get_by_label("the other one", exact=True).check()
        page.get_by_role("button", name="See what would happen").click()
        page.get_by_text("Merge…").click()
        expect(page.get_by_text("J-SENA is among the items no more, and this can't be taken back.")).to_be_visible()
        page.get_by_role("button", name="Merge the two").click()
        expect(page.get_by_role("heading", name="J-NAUJA")).to_be_visible()
    assert office.one("SELECT count(*) FROM items WHERE code LIKE 'J-%'") == 1


def test_two_customers_become_one_and_no_invoice_changes(office: Office) -> None:
    rows = "SELECT id, buyer_name, buyer, customer_id, number, total FROM invoices ORDER BY id"
    before = office.shop.ask(rows)
    gone, name = office.shop.ask("SELECT id, name FROM customers WHERE vat_code = 'LT119511515'")[0]
    with office.page() as page:
        page.goto(office.url("/customers"))
        page.get_by_role("link", name=name).click()
        expect(page.get_by_role("heading", name=name)).to_be_visible()
        page.goto(office.url(f"/customers/{gone}/merge"))
        page.get_by_label(f"The other one than {name}").fill("LT100001234567")
        page.get_by_label("the other one", exact=True).check()
        page.get_by_role("button", name="See what would happen").click()
        page.get_by_text("Merge…").click()
        page.get_by_role("button", name="Merge the two").click()
        expect(page.get_by_role("heading", name="UAB „Žalioji lanka“")).to_be_visible()
        page.goto(office.url("/customers"))
        expect(page.get_by_role("link", name=name)).to_have_count(0)
    assert office.shop.ask(rows) == before


def test_a_person_reads_everything_in_lithuanian_and_goes_back(office: Office) -> None:
    with office.page(office.clerk) as page:
        page.goto(office.url("/settings"))
        page.get_by_label("Language", exact=True).select_option("lt")
        page.get_by_role("button", name="Save").first.click()
        expect(page.locator("html")).to_have_attribute("lang", "lt")
        page.goto(office.url("/journals"))
        expect(page.get_by_role("heading", name="Žurnalai", exact=True)).to_be_visible()
        expect(page.get_by_text(re.compile(r"laukia"))).not_to_have_count(0)
        page.goto(office.url("/settings"))
        page.get_by_label("Kalba", exact=True).select_option("en")
        page.get_by_role("button", name="Įrašyti").first.click()
        expect(page.locator("html")).to_have_attribute("lang", "en")


def test_all_of_it_goes_by_the_keyboard_alone(office: Office) -> None:
    with office.page() as page:
        page.goto(office.url("/"))
        page.keyboard.press("?")
        expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_hidden()
        press(page, "g", "j")
        expect(page.get_by_role("heading", name="Journals", exact=True)).to_be_visible()
        page.keyboard.press("j")
        expect(page.locator(".cause").first).to_be_focused()
        page.goto(office.url("/journals/invoices?cause=posting_manual"))
        page.keyboard.press("/")
        expect(page.get_by_label("Number, order, buyer or SKU")).to_be_focused()
        page.keyboard.type("gsrx?")  # in a field they are letters
        expect(page.get_by_label("Number, order, buyer or SKU")).to_have_value("gsrx?")
        page.get_by_label("Number, order, buyer or SKU").fill("S-")
        page.keyboard.press("Enter")
        expect(page).to_have_url(re.compile("q=S-"))
        press(page, "j", "j", "k", "x")
        expect(page.locator(".waiting tbody tr").first.locator("input")).to_be_checked()
        page.keyboard.press("r")
        expect(page.get_by_role("heading", name="Register?")).to_be_visible()  # the question, nothing more
        expect(page.get_by_text(re.compile("^Register 1 invoice for"))).to_be_visible()
        page.go_back()
        press(page, "j", "Enter")
        expect(page.locator("h1")).to_contain_text("S-")
        invoice = int(page.url.rpartition("/")[2])
        page.keyboard.press("r")
        expect(page.get_by_role("button", name="Register it", exact=True)).to_be_focused()
        page.keyboard.press("Escape")
        expect(page.get_by_role("button", name="Register it", exact=True)).to_be_hidden()
        assert office.state(invoice) == "in_journal"
        press(page, "r", "Enter")
        expect(page.locator("#toasts .slip").first).to_contain_text("Registered as S-")
        assert office.state(invoice) == "registered"


def test_the_shortcuts_can_be_switched_off_and_opened_by_a_button(office: Office) -> None:
    with office.page() as page:
        page.goto(office.url("/journals"))
        page.get_by_role("button", name="Keyboard shortcuts").click()
        page.get_by_label("Use these keys in this browser").uncheck()
        page.keyboard.press("Escape")
        press(page, "g", "s")
        page.keyboard.press("?")
        expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_hidden()
        assert page.url == office.url("/journals")


def test_a_run_is_undone_after_its_plan_is_read(office: Office) -> None:
    run = office.one(
        "SELECT min(runs.id) FROM runs JOIN integrations ON integrations.id = integration_id "
        "WHERE integrations.name = 'Small' AND runs.kind = 'launch'"
    )
    waiting = office.waiting(4)
    credited = office.one(
        f"SELECT min(id) FROM invoices WHERE opened_by_run_id = {run} AND state = 'registered' AND kind = 'invoice' "
        "AND superseded = 0 AND NOT EXISTS (SELECT 1 FROM invoices notes WHERE notes.credits_invoice_id = invoices.id)"
    )
    with office.page() as page:
        page.goto(office.url(f"/runs/{run}"))
        page.get_by_role("link", name="Undo this run").click()
        expect(page.get_by_role("heading", name="What waits is deleted")).to_be_visible()
        page.locator(f".pick input[value='{credited}']").check()
        page.get_by_role("button", name="Undo this run…").click()
        expect(page.get_by_text(re.compile(r"^Credit 1 invoice for .* in full"))).to_be_visible()
        page.get_by_role("button", name=f"Undo run {run}").click()
        expect(page.locator("#toasts .slip").first).to_contain_text("deleted")
    assert {office.state(one) for one in waiting} == {"gone"}
    assert office.one(f"SELECT count(*) FROM invoices WHERE credits_invoice_id = {credited}") == 1


# --- what several of them do -----------------------------------------------------------------------------------------


def list_of_small(page: Page, office: Office) -> None:
    """The waiting invoices that only a person may enter."""
    page.goto(office.url("/journals/invoices?cause=posting_manual"))
    expect(page.locator("h1")).to_contain_text("Entering is manual")


def change_month(page: Page, office: Office, does: str) -> None:
    """Close or reopen the last month that is over."""
    page.goto(office.url("/settings/periods"))
    month = page.locator("tr").filter(has=page.locator(f"input[value='{MONTH:%Y-%m}']"))
    month.get_by_text(f"{does}…").click()
    month.get_by_label("Reason").fill("The month is filed")
    month.get_by_role("button", name=re.compile(f"^{does} ")).click()
    expect(page.locator("#toasts .slip").first).to_be_visible()


def press(page: Page, *keys: str) -> None:
    """One key after another, as somebody who does not look at the screen."""
    for key in keys:
        page.keyboard.press(key)
