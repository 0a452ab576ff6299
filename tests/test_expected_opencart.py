"""Two programs that agree: the product's books of the recorded OpenCart orders, and an independent program's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from monet_web.connectors import CONNECTORS
from monet_web.connectors.base import Connector, Page, Selection
from monet_web.domain.money import round_cents
from monet_web.models import Invoice, Run
from monet_web.models.base import reading
from monet_web.models.runs import RunState
from tests import expected_books as books
from tests.connectors.readers import load
from tests.expected_books import Book, Factory

VERSIONS = ("oc3", "oc40", "oc41")
# What the independent program knows of; the treatment of VAT across borders is not its matter.
TOLD = frozenset({
    *("item_unknown", "vat_rate_unknown", "currency_rate_missing", "vat_differs", "total_differs"),
    *("tax_rate_missing", "quantity_missing", "no_lines", "number_missing", "total_negative"),
})  # fmt: skip

Importing = Callable[[str], Run]


def expected(version: str) -> Book:
    """The independent program's file of a version, by order id."""
    book: Book = books.expected("opencart")[version]
    return book


def recorded(version: str) -> list[dict[str, Any]]:
    return list(load("opencart", f"orders_{version}")["orders"])


@pytest.fixture
def imported(session: Session, session_factory: Factory, monkeypatch: pytest.MonkeyPatch) -> Importing:
    """One launch over all recorded orders of a version with the default settings, no items and no currency rates."""

    def launch(version: str) -> Run:
        def pages(connector: Connector, selection: Selection) -> Iterator[Page]:
            yield Page(orders=tuple(recorded(version)), context=load("opencart", f"info_{version}"), expected=83)

        monkeypatch.setattr(CONNECTORS["opencart"], "pages", pages)
        books.connected(session, "opencart", {"address": "https://shop.example.com", "api_key": "recorded"})
        return books.launched(session, session_factory)

    return launch


@pytest.mark.parametrize("version", VERSIONS)
def test_the_product_books_every_recorded_order_as_the_independent_program_does(
    session: Session, imported: Importing, version: str
) -> None:
    run = imported(version)
    assert (run.state, run.error, run.fetched) == (RunState.DONE, "", 83)
    found = books.differences(books.booked(session, TOLD), expected(version))
    assert not found, "\n" + "\n".join(found)


@pytest.mark.parametrize("version", VERSIONS)
def test_documents_come_to_the_orders_own_totals_per_currency_and_status(
    session: Session, imported: Importing, version: str
) -> None:
    imported(version)
    orders = {order["order_id"]: order for order in recorded(version)}
    ours: dict[tuple[str, str], Decimal] = {}
    with reading(session):
        for invoice in session.scalars(select(Invoice)):
            key = (invoice.currency, orders[invoice.order_number]["order_status"])
            ours[key] = ours.get(key, Decimal(0)) + invoice.total
    assert ours == own_totals(version, {key for key, one in expected(version).items() if one["outcome"] != "filtered"})


def own_totals(version: str, numbers: set[str]) -> dict[tuple[str, str], Decimal]:
    """(currency, status) → what the orders themselves come to, before a certificate pays a part of them."""
    totals: dict[tuple[str, str], Decimal] = {}
    for order in recorded(version):
        if order["order_id"] in numbers:
            worth = sum(
                (Decimal(row["value"]) for row in order["totals"] if row["code"] not in ("total", "voucher", "credit")),
                Decimal(0),
            )
            key = (order["currency_code"], order["order_status"])
            totals[key] = totals.get(key, Decimal(0)) + round_cents(worth * Decimal(order["currency_value"]))
    return totals


def test_the_expected_file_is_what_its_program_makes_now_with_the_standard_library_alone(tmp_path: Path) -> None:
    assert books.is_what_its_program_makes("opencart", tmp_path)


@pytest.mark.parametrize("version", VERSIONS)
def test_bases_vat_and_rounding_of_every_expected_order_add_up_to_its_total(version: str) -> None:
    for order in recorded(version):
        wanted = expected(version)[order["order_id"]]
        bases = sum(Decimal(row["base"]) for row in wanted["vat"])
        amounts = sum(Decimal(row["amount"]) for row in wanted["vat"])
        assert bases + amounts + Decimal(wanted["rounding"]) == Decimal(wanted["total"]), order["order_id"]
        own = sum(Decimal(t["value"]) for t in order["totals"] if t["code"] == "tax" and t["title"].startswith("PVM"))
        assert amounts == round_cents(own * Decimal(order["currency_value"])), order["order_id"]
        paid = sum(Decimal(total["value"]) for total in order["totals"] if total["code"] in ("voucher", "credit"))
        left = round_cents(Decimal(wanted["total"]) + paid * Decimal(order["currency_value"]))
        assert abs(left - round_cents(Decimal(order["total"]) * Decimal(order["currency_value"]))) <= Decimal("0.01")


def test_eighty_three_orders_of_each_version_are_expected_with_both_currencies() -> None:
    for version in VERSIONS:
        book = expected(version)
        assert len(book) == 83
        assert {order["currency"] for order in book.values()} == {"EUR", "USD"}
