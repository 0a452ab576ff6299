"""Two programs that agree: the product's books of the recorded Shopify orders, and an independent program's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from monet_web.connectors import CONNECTORS
from monet_web.connectors.base import Connector, Page, Selection, Surroundings
from monet_web.demo.serve import serve
from monet_web.demo.shopify.app import DEMO_ID, DEMO_SECRET
from monet_web.demo.shopify.server import ShopifyShop
from monet_web.demo.shopify.store import Store
from monet_web.models import Invoice, Run
from monet_web.models.base import reading
from monet_web.models.invoices import InvoiceKind
from monet_web.models.runs import RunState
from tests import expected_books as books
from tests.connectors.shopify_recordings import asked_anew, entries, shop_object
from tests.expected_books import Book, Factory

# What the independent program knows of; the treatment of VAT across borders is not its matter.
TOLD = frozenset({
    *("item_unknown", "vat_rate_unknown", "currency_rate_missing", "vat_differs", "total_differs", "marketplace_vat"),
    *("tax_rate_missing", "quantity_missing", "no_lines", "number_missing", "total_negative", "vat_code_invalid"),
})  # fmt: skip


def expected() -> Book:
    """The independent program's file, by order id."""
    return books.expected("shopify")


@pytest.fixture
def run(session: Session, session_factory: Factory, monkeypatch: pytest.MonkeyPatch) -> Run:
    """One launch over all recorded orders with the default settings, no items and no currency rates."""

    def pages(connector: Connector, selection: Selection) -> Iterator[Page]:
        yield Page(orders=tuple(entries()), context=shop_object(), expected=len(entries()))

    monkeypatch.setattr(CONNECTORS["shopify"], "pages", pages)
    books.connected(session, "shopify", {"address": "pavyzdys", "client_id": DEMO_ID, "client_secret": DEMO_SECRET})
    return books.launched(session, session_factory)


def test_the_product_books_every_recorded_order_as_the_independent_program_does(session: Session, run: Run) -> None:
    found = books.differences(books.booked(session, TOLD), expected())
    assert not found, "\n" + "\n".join(found)


def test_the_run_counts_and_sums_the_orders_as_the_independent_program_does(run: Run) -> None:
    book = expected()
    assert (run.state, run.error, run.fetched) == (RunState.DONE, "", len(book))
    outcomes = [order["outcome"] for order in book.values()]
    assert (run.registered, run.in_journal, run.filtered) == tuple(
        outcomes.count(outcome) for outcome in ("registered", "in_journal", "filtered")
    )
    assert run.totals == books.totals(book)


def test_the_invoices_come_to_the_orders_own_totals_by_currency_and_status(session: Session, run: Run) -> None:
    """Straight from what Shopify said: no second program in between."""
    said: dict[tuple[str, str], Decimal] = {}
    filtered = {key for key, order in expected().items() if order["outcome"] == "filtered"}
    for order in entries():
        if order["legacyResourceId"] not in filtered:
            paid = order["totalPriceSet"]["presentmentMoney"]
            key = (paid["currencyCode"], order["displayFinancialStatus"])
            said[key] = said.get(key, Decimal(0)) + Decimal(paid["amount"])
    statuses = {order["legacyResourceId"]: order["displayFinancialStatus"] for order in entries()}
    ours: dict[tuple[str, str], Decimal] = {}
    with reading(session):
        for invoice in session.scalars(select(Invoice).where(Invoice.kind == InvoiceKind.INVOICE)):
            key = (invoice.currency, statuses[invoice.external_id])
            ours[key] = ours.get(key, Decimal(0)) + invoice.total
    assert ours == said
    assert {currency for currency, _ in said} == {"EUR", "NOK", "USD"}
    assert {status for _, status in said} == {"PAID", "PARTIALLY_REFUNDED"}


def test_the_demo_shop_is_booked_over_http_and_a_second_run_books_nothing_twice(
    session: Session, session_factory: Factory
) -> None:
    with serve(ShopifyShop(Store(seed=1, total=41))) as address:
        values = {"address": address, "client_id": DEMO_ID, "client_secret": DEMO_SECRET}
        books.connected(session, "shopify", values, name="Demo")
        around = Surroundings(allowed_addresses=(address.split("://")[1],))
        runs = []
        for _ in range(2):
            run = books.launched(session, session_factory, name="Demo", surroundings=around)
            assert (run.state, run.error) == (RunState.DONE, "")
            runs.append((run.fetched, run.in_journal + run.registered, run.filtered, run.already_there, run.unreadable))
    assert runs == [(41, 31, 10, 0, 0), (41, 0, 10, 31, 0)]
    found = books.booked(session, TOLD)
    assert {key: order["outcome"] for key, order in found.items()} == {
        key: order["outcome"] for key, order in expected().items()
    }


def test_the_expected_file_is_what_its_program_makes_now_with_the_standard_library_alone(tmp_path: Path) -> None:
    assert books.is_what_its_program_makes("shopify", tmp_path)


def test_bases_vat_and_rounding_of_every_expected_order_add_up_to_what_shopify_says() -> None:
    book = expected()
    for entry in entries():
        order = book[entry["legacyResourceId"]]
        bases = sum(Decimal(row["base"]) for row in order["vat"])
        amounts = sum(Decimal(row["amount"]) for row in order["vat"])
        assert amounts == Decimal(entry["totalTaxSet"]["presentmentMoney"]["amount"]), entry["name"]
        assert Decimal(order["total"]) == Decimal(entry["totalPriceSet"]["presentmentMoney"]["amount"]), entry["name"]
        assert bases + amounts + Decimal(order["rounding"]) == Decimal(order["total"]), entry["name"]


def test_the_recorded_pages_are_what_the_demo_shop_gives_now() -> None:
    anew = json.loads(json.dumps(asked_anew(), default=float), parse_float=Decimal)
    assert anew == {"shop": shop_object(), "orders": entries()}
