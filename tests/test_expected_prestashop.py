"""Two programs that agree: the product's books of the recorded PrestaShop orders, and an independent program's."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from monet_web.connectors import CONNECTORS
from monet_web.connectors.base import Connector, Page, Selection
from monet_web.models import Invoice, Run
from monet_web.models.base import reading
from monet_web.models.invoices import InvoiceKind
from monet_web.models.runs import RunState
from tests import expected_books as books
from tests.connectors.prestashop_recordings import BUNDLES, CONTEXT
from tests.expected_books import Book, Factory

# What the independent program knows of; the treatment of VAT across borders is not its matter.
TOLD = frozenset({
    *("item_unknown", "vat_rate_unknown", "currency_rate_missing", "vat_differs", "total_differs"),
    *("tax_rate_missing", "quantity_missing", "no_lines", "number_missing", "total_negative"),
})  # fmt: skip
CURRENCIES = {row["id"]: row["iso_code"] for row in CONTEXT["currencies"]}


def expected() -> Book:
    """The independent program's file, by order id."""
    return books.expected("prestashop")


@pytest.fixture
def run(session: Session, session_factory: Factory, monkeypatch: pytest.MonkeyPatch) -> Run:
    """One launch over all recorded orders with the default settings, no items and no currency rates."""

    def pages(connector: Connector, selection: Selection) -> Iterator[Page]:
        yield Page(orders=tuple(BUNDLES.values()), context=CONTEXT, expected=len(BUNDLES))

    monkeypatch.setattr(CONNECTORS["prestashop"], "pages", pages)
    books.connected(session, "prestashop", {"address": "https://shop.example.com", "key": "K" * 32})
    return books.launched(session, session_factory)


def test_the_product_books_every_recorded_order_as_the_independent_program_does(session: Session, run: Run) -> None:
    assert (run.state, run.error, run.fetched) == (RunState.DONE, "", 100)
    found = books.differences(books.booked(session, TOLD), expected())
    assert not found, "\n" + "\n".join(found)
    outcomes = [order["outcome"] for order in expected().values()]
    assert (run.registered, run.in_journal, run.filtered) == tuple(
        outcomes.count(outcome) for outcome in ("registered", "in_journal", "filtered")
    )


def test_documents_come_to_the_orders_own_totals_per_currency_and_status(session: Session, run: Run) -> None:
    assert run.state is RunState.DONE
    ours: dict[tuple[str, int], Decimal] = {}
    with reading(session):
        for invoice in session.scalars(select(Invoice).where(Invoice.kind == InvoiceKind.INVOICE)):
            key = (invoice.currency, BUNDLES[invoice.order_number]["order"]["current_state"])
            ours[key] = ours.get(key, Decimal(0)) + invoice.total
    theirs: dict[tuple[str, int], Decimal] = {}
    for number, wanted in expected().items():
        if wanted["outcome"] != "filtered":
            order = BUNDLES[number]["order"]
            key = (CURRENCIES[order["id_currency"]], order["current_state"])
            theirs[key] = theirs.get(key, Decimal(0)) + Decimal(order["total_paid_tax_incl"])
    assert ours == theirs
    assert {currency for currency, _ in ours} == {"EUR", "USD", "PLN"}


def test_the_expected_file_is_what_its_program_makes_now_with_the_standard_library_alone(tmp_path: Path) -> None:
    assert books.is_what_its_program_makes("prestashop", tmp_path)


def test_bases_vat_and_rounding_of_every_expected_order_add_up_to_its_total() -> None:
    book = expected()
    assert len(book) == 100
    for number, wanted in book.items():
        order = BUNDLES[number]["order"]
        bases = sum(Decimal(row["base"]) for row in wanted["vat"])
        amounts = sum(Decimal(row["amount"]) for row in wanted["vat"])
        assert bases + amounts + Decimal(wanted["rounding"]) == Decimal(wanted["total"]), number
        assert Decimal(wanted["total"]) == Decimal(order["total_paid_tax_incl"]), number
        if number != "19":  # cancelled: its lines are gone, its header stayed
            assert amounts == Decimal(order["total_paid_tax_incl"]) - Decimal(order["total_paid_tax_excl"]), number
            assert abs(Decimal(wanted["rounding"])) <= Decimal("0.02"), number
