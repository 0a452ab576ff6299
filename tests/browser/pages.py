"""Which pages there are once a demo was imported, and what every one of them must hold to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, Response, ViewportSize

from tests.browser.demo import Demo

PHONE: ViewportSize = {"width": 390, "height": 844}
MISSING = "/no-such-page"  # asked for on purpose: its 404 is no complaint
DESK: ViewportSize = {"width": 1280, "height": 900}
# Best practice too: landmarks, and the order of headings, by which people who hear a page find their way.
_RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


def addresses(demo: Demo) -> dict[str, str]:
    """Name → path of every page, with something on it."""
    ((waiting,),) = demo.ask("SELECT max(id) FROM invoices WHERE state = 'in_journal' AND kind = 'invoice'")
    ((note,),) = demo.ask("SELECT max(id) FROM invoices WHERE state = 'in_journal' AND kind = 'credit_note'")
    ((registered,),) = demo.ask("SELECT max(id) FROM invoices WHERE state = 'registered'")
    ((day,),) = demo.ask("SELECT max(issue_date) FROM invoices WHERE state = 'registered'")
    ((item,),) = demo.ask("SELECT id FROM items WHERE code = 'VAR-K-3'")
    ((customer,),) = demo.ask("SELECT max(customer_id) FROM invoices")
    ((run,),) = demo.ask("SELECT min(id) FROM runs WHERE kind = 'launch'")
    ((preview,),) = demo.ask("SELECT min(id) FROM runs WHERE kind = 'preview'")
    return {
        "today": "/",
        "today-eur": "/?show=eur",
        "integrations": "/integrations",
        "integration": "/integrations/1",
        "connect": "/integrations/connect",
        "connect-woocommerce": "/integrations/connect/woocommerce",
        "launch": f"/integrations/launch?preview={preview}",
        "runs": "/runs",
        "runs-of-a-launch": f"/runs?launch={run}",
        "run": f"/runs/{run}",
        "preview": f"/runs/{preview}",
        "journals": "/journals",
        "journal": "/journals/1",
        "waiting": "/journals/invoices",
        "waiting-invoice": f"/journals/invoices/{waiting}",
        "waiting-credit-note": f"/journals/invoices/{note}",
        "question": f"/journals/ask?do=delete&invoice={waiting}&back=/journals",
        "changed": "/journals/changed",
        "conflicts": "/journals/conflicts",
        "left-out": "/journals/left-out",
        "stock-to-settle": "/journals/stock-to-settle",
        "invoices": "/invoices",
        "invoice": f"/invoices/{registered}",
        "items": "/items",
        "new-item": "/items/new",
        "item": f"/items/{item}",
        "merge-items": f"/items/{item}/merge?code=VAR-K-1",
        "customers": "/customers",
        "customer": f"/customers/{customer}",
        "merge-customers": f"/customers/{customer}/merge",
        "receive": "/items/receive",
        "import-items": "/items/import",
        "receive-file": "/items/receive/file",
        "warehouses": "/items/warehouses",
        "month": f"/reports/month?month={day[:7]}",
        "isaf": f"/reports/isaf?month={day[:7]}",
        "oss": "/reports/oss",
        "settings": "/settings",
        "settings-people": "/settings/people",
        "settings-vat": "/settings/vat",
        "settings-vat-rates": "/settings/vat-rates",
        "settings-currency-rates": "/settings/currency-rates",
        "settings-numbers": "/settings/numbers",
        "settings-periods": "/settings/periods",
        "undo": f"/runs/{run}/undo",
        "error": MISSING,
    }


@contextmanager
def signed_in(browser: Browser, state: Any, **options: Any) -> Iterator[BrowserContext]:
    """A context of the person whose cookies `state` holds; in it anything that a page complains of fails the test."""
    context = browser.new_context(storage_state=state, **options)
    complaints = complaints_of(context)
    try:
        yield context
    finally:
        context.close()
    assert complaints == [], "\n".join(complaints)


def complaints_of(context: BrowserContext) -> list[str]:
    """What pages of the context complain of from now on: scripts, the content policy, answers, strangers' hosts."""
    said: list[str] = []
    context.on("console", lambda line: _note_line(line, said))
    context.on("weberror", lambda error: said.append(str(error.error)))
    context.on("response", lambda answer: _note(answer, said))
    context.on("request", lambda request: _note_stranger(request, said))
    return said


def _note_line(line: ConsoleMessage, said: list[str]) -> None:
    if line.type in {"error", "warning"} and not line.location["url"].endswith(MISSING):
        said.append(line.text)


def _note(answer: Response, said: list[str]) -> None:
    if answer.status >= 400 and not answer.url.endswith(MISSING):
        said.append(f"{answer.status} {answer.url}")


def _note_stranger(request: Request, said: list[str]) -> None:
    if not request.url.startswith(("http://127.0.0.1:", "data:")):
        said.append(f"a stranger: {request.url}")


def accessibility(page: Page) -> list[str]:
    """What axe finds against WCAG A and AA, and against best practice."""
    found = Axe().run(page, options=_RULES).response["violations"]
    return [f"{one['id']}: {one['nodes'][0]['target']} {one['nodes'][0].get('failureSummary', '')}" for one in found]


def too_wide(page: Page) -> list[str]:
    """Says so when the page scrolls sideways."""
    wide = page.evaluate("document.documentElement.scrollWidth")
    width = page.viewport_size["width"] if page.viewport_size else 0
    return [f"{wide} px wide on a screen of {width}"] if wide > width else []
