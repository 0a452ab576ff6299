"""An office at work in the demo: two people who sign in, and two more stores whose orders a test may change.

The demo's own stores live on by themselves; these are served by the test, so that what happens in them is known.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, expect

from monet_web.config import CHECKOUT
from monet_web.demo import serve
from monet_web.demo.woocommerce import VALUES, plain_shop
from monet_web.demo.woocommerce.clock import moment
from monet_web.demo.woocommerce.server import WooCommerceShop
from monet_web.installation import announced_demo
from tests.browser import demo, pages
from tests.browser.demo import Demo

TODAY = date.today()  # noqa: DTZ011 - what a person would type
MONTH = (TODAY.replace(day=1) - timedelta(days=1)).replace(day=1)  # the last one that is over
MANY = 230  # more than a page checks at once: a worker's
UNKNOWN = "KN-01"  # no item of the demo
PASSWORD = "a sentence of seven words to sign in"


@dataclass(frozen=True, slots=True)
class Office:
    """`many` is the store of one unknown SKU, `small` that of invoices which wait for a person; both stand still."""

    shop: Demo
    browser: Browser
    accountant: Any  # the cookies of each
    clerk: Any
    small: WooCommerceShop

    @contextmanager
    def page(self, state: Any = None, **options: Any) -> Iterator[Page]:
        """A page of the accountant, or of whoever `state` is; whatever it complains of fails the test."""
        with pages.signed_in(self.browser, state or self.accountant, viewport=pages.DESK, **options) as context:
            yield context.new_page()

    @contextmanager
    def refused_page(self, state: Any) -> Iterator[Page]:
        """A page that the program is expected to refuse something: complaints are the test's own business."""
        with self.browser.new_context(storage_state=state, viewport=pages.DESK) as context:
            yield context.new_page()

    def one(self, sql: str) -> Any:
        """The first field of the first row."""
        return self.shop.ask(sql)[0][0]

    def waiting(self, count: int = 1, where: str = "") -> list[int]:
        """Ids of invoices of `small` that wait for nothing but a person, the oldest first; nobody has touched them."""
        rows = self.shop.ask(
            "SELECT invoices.id FROM invoices JOIN integrations ON integrations.id = invoices.integration_id "
            "JOIN findings ON findings.invoice_id = invoices.id WHERE integrations.name = 'Small' "
            f"AND invoices.state = 'in_journal' AND touched_at IS NULL {where} GROUP BY invoices.id "
            f"HAVING count(*) = 1 AND max(code) = 'posting_manual' ORDER BY invoices.id LIMIT {count}"
        )
        assert len(rows) == count
        return [int(row[0]) for row in rows]

    def state(self, invoice: int) -> str:
        """`in_journal`, `registered` or `gone`."""
        rows = self.shop.ask(f"SELECT state FROM invoices WHERE id = {invoice}")
        return str(rows[0][0]) if rows else "gone"

    def url(self, path: str) -> str:
        """The address of a path."""
        return f"{self.shop.address}{path}"


@contextmanager
def at_work(home: Path, browser: Browser) -> Iterator[Office]:
    """The demo started, its first store's orders imported, both people signed in, both further stores connected."""
    noon = time(12, tzinfo=UTC)
    many = plain_shop(
        MANY, lines=1, sku_count=1,
        first=datetime.combine(TODAY - timedelta(days=12), noon),
        last=datetime.combine(TODAY - timedelta(days=2), noon),
    )  # fmt: skip
    for header in list(many.store.untouched_headers(0, MANY)):
        document = many.store.order(header.id)
        assert document is not None
        lines = [line | {"sku": UNKNOWN} for line in document["line_items"]]
        many.store.edit(header.id, at=moment(header.created), line_items=lines)
    small = plain_shop(
        30, lines=2, sku_count=5,
        first=datetime.combine(MONTH.replace(day=5), noon), last=datetime.combine(MONTH.replace(day=25), noon),
    )  # fmt: skip
    with ExitStack() as open_:
        shop = open_.enter_context(demo.running(home))
        context = browser.new_context(viewport=pages.DESK)
        accountant = _signed_in(context, shop.link, "ruta@example.com", "Rūta Kalvaitienė")
        page = context.new_page()
        for name, store, further in (
            ("Many", many, ("number_prefix=M-",)),
            ("Small", small, ("number_prefix=S-", "accounting_type=amounts", "register_automatically=no")),
        ):
            address = open_.enter_context(serve.serve(store))
            open_.enter_context(announced_demo(home, address.removeprefix("http://")))
            values = {"address": address, "not_before": "", **VALUES}
            settings = [*(f"{key}={text}" for key, text in values.items()), *further]
            _monet(home, "integrations", "add", name, "--platform", "woocommerce", *_each("--set", settings))
        launch(page, shop.address, "Demo shop", TODAY - timedelta(days=45), TODAY)
        launch(page, shop.address, "Small", MONTH, TODAY)
        link = re.search(r"http://\S+(/link/\S+)", _monet(home, "user", "add", "ona@example.com", "--role", "office"))
        assert link is not None
        other = browser.new_context(viewport=pages.DESK)
        clerk = _signed_in(other, f"{shop.address}{link[1]}", "ona@example.com", "Ona Petraitė")
        context.close()
        other.close()
        yield Office(shop, browser, accountant, clerk, small)


def launch(page: Page, address: str, name: str, first: date, last: date) -> None:
    """Launch an integration by hand, with a yes to the preview of its first launch; waits until it has ended."""
    fill_launch(page, address, name, first, last)
    page.get_by_role("button", name="Launch 1 run").click()
    expect(page.locator("h1")).to_have_text(re.compile("^(Preview|1 run launched)$"))
    if page.locator("h1").inner_text() == "Preview":
        page.get_by_role("button", name="Launch 1 run").click()
    expect(page.get_by_role("heading", name="1 run launched")).to_be_visible()
    expect(page.locator(".run-part.has-ended")).to_be_visible()


def fill_launch(page: Page, address: str, name: str, first: date, last: date) -> None:
    """The form of a launch, with nothing pressed yet."""
    page.goto(f"{address}/integrations")
    page.locator("#mask").fill(name)
    page.locator("#first").fill(first.isoformat())
    page.locator("#last").fill(last.isoformat())
    expect(page.get_by_role("button", name="Launch 1 run")).to_be_visible()


def _signed_in(context: BrowserContext, link: str, email: str, name: str) -> Any:
    page = context.new_page()
    page.goto(link)
    if page.get_by_label("E-mail").count():
        page.get_by_label("E-mail").fill(email)
    if page.get_by_label("Name").count():
        page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(re.compile(r"://[^/]+/$"))
    page.close()
    return context.storage_state()


def _monet(home: Path, *words: str) -> str:
    """What `monet` printed, as the office's computer would run it beside the pages."""
    done = subprocess.run(
        [sys.executable, "-m", "monet_web.cli", *words], cwd=CHECKOUT, capture_output=True, text=True, check=False,
        env={**demo.kept_environment(), "MONET_HOME": str(home), "PYTHONPATH": str(CHECKOUT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def _each(option: str, values: list[str]) -> list[str]:
    return [word for value in values for word in (option, value)]
