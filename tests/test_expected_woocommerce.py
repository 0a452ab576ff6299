"""Two programs that agree: the product's books of the recorded WooCommerce orders, and an independent program's."""

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
from monet_web.models.invoices import InvoiceState
from monet_web.models.runs import RunState
from tests import expected_books as books
from tests.connectors.recordings import bundles
from tests.expected_books import Book, Factory


def expected() -> Book:
    """The independent program's file, by order id."""
    return books.expected("woocommerce")


@pytest.fixture
def recorded_store(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real connector, whose store answers with the recorded orders instead of over the network."""

    def pages(connector: Connector, selection: Selection) -> Iterator[Page]:
        orders = bundles()
        for start in range(0, len(orders), 100):
            yield Page(orders=tuple(orders[start : start + 100]), expected=len(orders))

    monkeypatch.setattr(CONNECTORS["woocommerce"], "pages", pages)


def imported(session: Session, session_factory: Factory) -> Run:
    """One launch over all recorded orders with the default settings, no items and no currency rates."""
    books.connected(
        session,
        "woocommerce",
        {"address": "https://shop.example.com", "consumer_key": "ck_recorded", "consumer_secret": "cs_recorded"},
    )
    return books.launched(session, session_factory)


def test_the_product_books_every_recorded_order_as_the_independent_program_does(
    session: Session, session_factory: Factory, recorded_store: None
) -> None:
    imported(session, session_factory)
    found = books.differences(books.booked(session), expected())
    assert not found, "\n" + "\n".join(found)


def test_the_run_counts_and_sums_the_orders_as_the_independent_program_does(
    session: Session, session_factory: Factory, recorded_store: None
) -> None:
    run = imported(session, session_factory)
    assert (run.state, run.error, run.fetched) == (RunState.DONE, "", 200)
    outcomes = [order["outcome"] for order in expected().values()]
    assert (run.registered, run.in_journal, run.filtered) == tuple(
        outcomes.count(outcome) for outcome in ("registered", "in_journal", "filtered")
    )
    assert run.totals == books.totals(expected())
    with reading(session):
        assert set(session.scalars(select(Invoice.state))) == {InvoiceState.IN_JOURNAL}


def test_the_expected_file_is_what_its_program_makes_now_with_the_standard_library_alone(tmp_path: Path) -> None:
    assert books.is_what_its_program_makes("woocommerce", tmp_path)


def test_bases_vat_and_rounding_of_every_expected_order_add_up_to_its_total() -> None:
    book = expected()
    for entry in bundles():
        recorded = entry["order"]
        order = book[str(recorded["id"])]
        bases = sum(Decimal(row["base"]) for row in order["vat"])
        amounts = sum(Decimal(row["amount"]) for row in order["vat"])
        assert amounts == Decimal(recorded["total_tax"]), recorded["id"]
        assert bases + amounts + Decimal(order["rounding"]) == Decimal(order["total"]), recorded["id"]
        assert order["total"] == recorded["total"], recorded["id"]


def test_credit_notes_take_back_what_was_refunded_and_never_more() -> None:
    notes = 0
    for entry in bundles():
        recorded = entry["order"]
        order = expected()[str(recorded["id"])] if recorded["refunds"] else {"credit_notes": []}
        if order["credit_notes"]:
            given = -sum(Decimal(refund["total"]) for refund in recorded["refunds"])
            assert -sum(Decimal(note["total"]) for note in order["credit_notes"]) == given < Decimal(order["total"])
            notes += len(order["credit_notes"])
    assert notes == 14


def test_all_two_hundred_orders_are_expected_with_both_currencies() -> None:
    book = expected()
    assert len(book) == 200
    assert {order["currency"] for order in book.values()} == {"EUR", "USD"}
    assert books.totals(book) == {
        "EUR": {"registered": "0.00", "in_journal": "36018.47"},
        "USD": {"registered": "0.00", "in_journal": "1361.27"},
    }
