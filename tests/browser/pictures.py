"""Makes docs/pictures anew, by hand: `PYTHONPATH=. .venv/bin/python tests/browser/pictures.py`."""

from __future__ import annotations

import sys
import tempfile
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page

from monet_web.config import CHECKOUT
from tests.browser import chromium, demo, pages
from tests.browser.demo import Demo

FOLDER = CHECKOUT / "docs" / "pictures"
MOST_BYTES = 200_000
# Page, look, height of the picture in px.
TAKEN = (
    ("today", "light", 1000), ("today", "dark", 1000), ("today", "phone", 1400),
    ("integrations", "light", 620), ("integrations", "phone", 1000),
    ("launch", "light", 1000),
    ("run", "light", 1050),
    ("journals", "light", 1100), ("journals", "dark", 1100), ("journals", "phone", 1200),
    ("waiting", "light", 800),
    ("waiting-invoice", "light", 1300), ("waiting-invoice", "dark", 1300), ("waiting-invoice", "phone", 1500),
    ("undo", "light", 800),
    ("shortcuts", "light", 720),
    ("invoices", "light", 800), ("items", "light", 900), ("customers", "light", 620),
)  # fmt: skip


def main() -> int:
    """Start a demo, import its orders, take the pictures; 1 when one is too large for a repository."""
    executable = chromium.path()
    if executable is None:
        sys.stderr.write("There is no Chromium. Type: apt-get install chromium\n")
        return 1
    FOLDER.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as home,
        demo.running(Path(home)) as shop,
        chromium.browser(executable) as browser,
    ):
        state = _signed_in(browser, shop)
        for name, look, height in TAKEN:
            _take(browser, state, shop, name, look, height)
    large = [path.name for path in sorted(FOLDER.glob("*.png")) if path.stat().st_size > MOST_BYTES]
    if large:
        sys.stderr.write(f"Too large: {', '.join(large)}\n")
    return 1 if large else 0


def _signed_in(browser: Browser, shop: Demo) -> Any:
    with browser.new_context(viewport=pages.DESK) as context:
        page = context.new_page()
        page.goto(shop.link)
        page.get_by_label("E-mail").fill("ruta@example.com")
        page.get_by_label("Name").fill("Rūta Kalvaitienė")
        page.get_by_label("Password").fill("a sentence of seven words to sign in")
        page.get_by_role("button", name="Sign in").click()
        page.goto(f"{shop.address}/integrations")
        _launch(page)
        page.get_by_role("button", name="Launch 1 run").click()
        page.locator(".run-part.has-ended").wait_for()
        return context.storage_state()


def _launch(page: Page) -> None:
    today = date.today()  # noqa: DTZ011 - what a person would type
    page.locator("#mask").fill("Demo shop")
    page.locator("#first").fill(f"{today - timedelta(days=45):%Y-%m-%d}")
    page.locator("#last").fill(f"{today:%Y-%m-%d}")
    page.get_by_role("button", name="Launch 1 run").click()
    page.get_by_role("heading", name="Preview", exact=True).wait_for()


def _take(browser: Browser, state: Any, shop: Demo, name: str, look: str, height: int) -> None:
    # The bars of a phone stand at the foot of the screen, so the screen is as high as the picture.
    width = pages.PHONE["width"] if look == "phone" else pages.DESK["width"]
    scheme: Any = "dark" if look == "dark" else "light"
    with browser.new_context(
        storage_state=state, viewport={"width": width, "height": height}, color_scheme=scheme
    ) as context:
        page = context.new_page()
        page.goto(shop.address + pages.addresses(shop)["journals" if name == "shortcuts" else name])
        if name == "shortcuts":
            page.keyboard.press("?")
            page.get_by_role("dialog").wait_for()
        page.screenshot(path=FOLDER / f"{name}-{look}.png")


if __name__ == "__main__":
    sys.exit(main())
