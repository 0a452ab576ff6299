"""The whole way in a real browser over real processes: the link, a launch seen live, mending, registering, once more.

One test, since each step stands on the one before; the demo is started once.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import chromium, demo, pages
from tests.browser.demo import Demo

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

FIRST = date.today() - timedelta(days=45)  # noqa: DTZ011 - what a person would type
LAST = date.today()  # noqa: DTZ011
EVERYTHING = f"{FIRST:%Y-%m-%d}", f"{LAST:%Y-%m-%d}"


def test_the_whole_way(tmp_path: Path) -> None:
    executable = chromium.required()
    expect.set_options(timeout=30_000)  # beside other tests everything takes longer
    with demo.running(tmp_path) as shop, chromium.browser(executable) as browser:
        assert "Connect it" not in shop.said.read_text()
        context = browser.new_context(viewport=pages.DESK)
        complaints = pages.complaints_of(context)
        page = context.new_page()
        sign_in(page, shop)
        see_that_nothing_was_imported_yet(page)
        launch_everything(page)
        confirm_the_first_launch(page, shop)
        look_back_and_reload(page)
        receive_what_is_missing(page, shop)
        register_one_by_hand(page, shop)
        launch_again_and_see_nothing_doubled(page, shop)
        state = context.storage_state()
        context.close()
        assert complaints == []
        do_the_same_without_javascript(browser, state, shop)
        look_at_every_page(browser, state, shop)
        said = shop.said.read_text()
    assert "alembic" not in said
    assert "Traceback" not in said


# --- the steps -----------------------------------------------------------------------------------------------------


def sign_in(page: Page, shop: Demo) -> None:
    page.goto(shop.link)
    page.get_by_label("E-mail").fill("ruta@example.com")
    page.get_by_label("Name").fill("Rūta Kalvaitienė")
    page.get_by_label("Password").fill("a sentence of seven words to sign in")
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(f"{shop.address}/")
    expect(page.locator("span", has_text="Demo: nothing here is real.")).to_be_visible()


def see_that_nothing_was_imported_yet(page: Page) -> None:
    expect(page.get_by_text(re.compile("stores are connected; nothing was imported yet"))).to_be_visible()
    page.get_by_role("link", name="Launch by hand").click()
    expect(page.get_by_role("heading", name="Manual integration launch")).to_be_visible()


def launch_everything(page: Page, *, button: str = "^Launch 1 run") -> None:
    expect(page.locator("#mask")).to_have_value("%")
    # The other demo stores are left for whoever is curious: their tests are elsewhere.
    page.locator("#mask").fill("Demo shop")
    page.locator("#first").fill(EVERYTHING[0])
    page.locator("#last").fill(EVERYTHING[1])
    page.get_by_role("button", name=re.compile(button)).click()


def confirm_the_first_launch(page: Page, shop: Demo) -> None:
    """The first launch shows its preview's sums and asks (C4); then the run is followed without a reload."""
    expect(page.get_by_role("heading", name="Preview", exact=True)).to_be_visible()
    button = page.get_by_role("button", name=re.compile("^Launch 1 run"))
    expect(button).to_be_visible()
    assert shop.ask("SELECT count(*) FROM invoices") == [(0,)]
    with shop.silent_store():
        button.click()
        expect(page.get_by_role("heading", name="1 run launched")).to_be_visible()
        bar = page.locator("svg.bar").first
        expect(bar).to_have_attribute("aria-label", re.compile("nothing fetched yet"))
        # Gone after a reload: what follows is seen to come by itself.
        page.evaluate("document.body.dataset.same = 'yes'")
    expect(bar).to_have_attribute("aria-label", re.compile(r": \d+ registered"))
    expect(page.locator(".run-part.has-ended")).to_be_visible()
    assert page.evaluate("document.body.dataset.same") == "yes"
    (run,) = counted(shop)
    assert run["registered"] > 50
    assert run["in_journal"] > 10
    label = bar.get_attribute("aria-label") or ""
    assert f"{run['registered']} registered, {run['in_journal']} in journal" in label


def look_back_and_reload(page: Page) -> None:
    part = page.locator(".run-part").inner_text()
    page.reload()
    assert page.locator(".run-part").inner_text() == part
    page.get_by_role("link", name="Today", exact=True).first.click()
    expect(page.get_by_role("heading", name="Needs a person")).to_be_visible()
    page.go_back()
    expect(page.locator(".run-part.has-ended")).to_be_visible()
    assert page.locator(".run-part").inner_text() == part
    page.go_forward()
    expect(page.get_by_role("heading", name="Orders a day")).to_be_visible()


def receive_what_is_missing(page: Page, shop: Demo) -> None:
    """From the journal to the receipt and back: what waited for the goods is registered at once, and it is said."""
    waiting = one(shop, "SELECT count(*) FROM invoices WHERE state = 'in_journal'")
    short = one(shop, "SELECT count(*) FROM findings WHERE code = 'stock_short' AND subject LIKE '%VAR-K-3'")
    assert short > 0
    page.get_by_role("link", name="Mend by reason").click()
    expect(page.get_by_role("heading", name="Journals", exact=True)).to_be_visible()
    expect(page.get_by_text("VAR-K-3 is short in warehouse MAIN")).to_be_visible()
    page.get_by_role("link", name=re.compile(r"Receive \d+ of VAR-K-3")).click()
    expect(page.locator("#line-1")).to_have_value("VAR-K-3")
    page.get_by_label("Quantity on line 1").fill("500")
    page.get_by_label("Quantity on line 1").blur()
    expect(page.get_by_text("What will be on hand")).to_be_visible()
    # The question follows the form; what is entered is only ever what was asked.
    expect(page.locator("button[name=step][value=enter]")).to_contain_text("500")
    page.locator("button[name=step][value=enter]").click()
    expect(page.locator("#toasts .slip").first).to_contain_text("registered")
    assert one(shop, "SELECT count(*) FROM findings WHERE code = 'stock_short' AND subject LIKE '%VAR-K-3'") == 0
    assert one(shop, "SELECT count(*) FROM invoices WHERE state = 'in_journal'") < waiting


def register_one_by_hand(page: Page, shop: Demo) -> None:
    """A credit note that only a person may pass: the button says for how much and in which month (H6)."""
    number, name = refunded(shop)
    page.goto(f"{shop.address}/journals/invoices/{number}")
    expect(page.get_by_text("Credit notes wait for you in this integration")).not_to_have_count(0)
    page.get_by_role("button", name=re.compile(r"Register 1 credit note for .+, dated \w+ 20\d\d")).click()
    expect(page.locator("#toasts .slip").first).to_contain_text(f"Registered as {name}")
    assert shop.ask(f"SELECT state FROM invoices WHERE id = {number}") == [("registered",)]
    page.goto(f"{shop.address}/invoices/{number}")
    expect(page.get_by_role("heading", name=name)).to_be_visible()


def launch_again_and_see_nothing_doubled(page: Page, shop: Demo) -> None:
    before = one(shop, "SELECT count(*) FROM invoices WHERE kind = 'invoice'")
    page.goto(f"{shop.address}/integrations")
    launch_everything(page)
    expect(page.get_by_role("heading", name="1 run launched")).to_be_visible()
    expect(page.locator(".run-part.has-ended")).to_be_visible()
    first, again = counted(shop)
    # The demo store lives on: an order that came meanwhile is the only thing that may be new.
    after = one(shop, "SELECT count(*) FROM invoices WHERE kind = 'invoice'")
    assert after == before + again["registered"] + again["in_journal"]
    assert again["registered"] + again["in_journal"] <= 2
    assert again["already_there"] >= first["registered"] + first["in_journal"] - 2
    assert shop.ask("SELECT number FROM invoices GROUP BY number HAVING count(*) > 1") == []


def do_the_same_without_javascript(browser: Browser, state: Any, shop: Demo) -> None:
    with pages.signed_in(browser, state, java_script_enabled=False, viewport=pages.DESK) as context:
        page = context.new_page()
        page.goto(f"{shop.address}/")
        expect(page.get_by_role("heading", name="Needs a person")).to_be_visible()
        register_one_by_hand(page, shop)
        runs = len(counted(shop))
        page.goto(f"{shop.address}/integrations")
        launch_everything(page, button="^Launch")  # without a script it counts when it is pressed
        expect(page.get_by_role("heading", name="1 run launched")).to_be_visible()
        for _ in range(60):
            if page.locator(".run-part.has-ended").count():
                break
            page.wait_for_timeout(500)
            page.reload()
        expect(page.locator(".run-part.has-ended")).to_be_visible()
        assert len(counted(shop)) == runs + 1


def look_at_every_page(browser: Browser, state: Any, shop: Demo) -> None:
    """axe on a light desk and on a dark phone, which no page is too wide for; all that is wrong is told at once."""
    wrong: list[str] = []
    looks: tuple[tuple[str, dict[str, Any]], ...] = (
        ("light", {"viewport": pages.DESK}),
        ("dark", {"viewport": pages.PHONE, "is_mobile": True, "has_touch": True}),
    )
    for look, options in looks:
        with pages.signed_in(browser, state, color_scheme=look, **options) as context:
            page = context.new_page()
            for name, path in pages.addresses(shop).items():
                page.goto(f"{shop.address}{path}")
                assert page.evaluate("document.documentElement.dataset.bsTheme") == look
                found = [*pages.too_wide(page), *pages.accessibility(page)]
                wrong += [f"{name}, {look}: {each}" for each in found]
    if wrong:
        pytest.fail("\n".join(wrong))


# --- what the database says ----------------------------------------------------------------------------------------


def counted(shop: Demo) -> list[dict[str, int]]:
    names = ("fetched", "registered", "in_journal", "filtered", "already_there", "conflict", "unreadable")
    rows = shop.ask(f"SELECT {', '.join(names)} FROM runs WHERE kind = 'launch' AND state = 'done' ORDER BY id")
    return [dict(zip(names, row, strict=True)) for row in rows]


def one(shop: Demo, sql: str) -> int:
    return int(shop.ask(sql)[0][0])


def refunded(shop: Demo) -> tuple[int, str]:
    """(id, number) of a credit note that waits for nothing but a person."""
    ((number, name),) = shop.ask(
        "SELECT invoices.id, invoices.number FROM invoices JOIN findings ON findings.invoice_id = invoices.id "
        "WHERE state = 'in_journal' AND kind = 'credit_note' GROUP BY invoices.id "
        "HAVING sum(code NOT IN ('refund_waits', 'refund_amount_only')) = 0 ORDER BY invoices.id LIMIT 1"
    )
    return int(number), str(name)
