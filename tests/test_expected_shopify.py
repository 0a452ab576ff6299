"""Two programs that agree: the product's books of the recorded Shopify orders, and an independent program's."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from monet_web.connectors import CONNECTORS
from monet_web.connectors.base import Connector, Page, Selection, Surroundings
from monet_web.demo.serve import serve
from monet_web.demo.shopify.app import DEMO_ID, DEMO_SECRET
from monet_web.demo.shopify.server import ShopifyShop
from monet_web.demo.shopify.store import Store
from monet_web.models import Invoice, Run, StoreOrder
from monet_web.models.base import reading
from monet_web.models.invoices import InvoiceKind
from monet_web.models.runs import RunState
from monet_web.services.importing import claims
from monet_web.services.integrations import connect
from monet_web.services.opening import open_runs
from monet_web.services.running import run_import
from tests.connectors.shopify_recordings import asked_anew, entries, shop_object

EXPECTED = Path(__file__).parent / "expected"
NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
# What the independent program knows of; the treatment of VAT across borders is not its matter.
TOLD = frozenset({
    *("item_unknown", "vat_rate_unknown", "currency_rate_missing", "vat_differs", "total_differs", "marketplace_vat"),
    *("tax_rate_missing", "quantity_missing", "no_lines", "number_missing", "total_negative", "vat_code_invalid"),
})  # fmt: skip

Book = dict[str, dict[str, Any]]
Factory = sessionmaker[Session]


def expected() -> Book:
    """The independent program's file, by order id."""
    book: dict[str, Any] = json.loads((EXPECTED / "shopify.json").read_text("utf-8"))
    del book["made_by"]
    return book


@pytest.fixture
def run(session: Session, session_factory: Factory, monkeypatch: pytest.MonkeyPatch) -> Run:
    """One launch over all recorded orders with the default settings, no items and no currency rates."""

    def pages(connector: Connector, selection: Selection) -> Iterator[Page]:
        yield Page(orders=tuple(entries()), context=shop_object(), expected=len(entries()))

    monkeypatch.setattr(CONNECTORS["shopify"], "pages", pages)
    connect.add_integration(
        session,
        name="Recorded shop",
        platform="shopify",
        values={"address": "pavyzdys", "client_id": DEMO_ID, "client_secret": DEMO_SECRET, "number_prefix": ""},
        now=NOW,
        actor="test",
    )
    (opened,) = open_runs.launch(
        session, mask="Recorded shop", first=date(2026, 9, 1), last=date(2026, 11, 24), now=NOW, actor="test"
    )
    return run_import.run(
        session_factory, opened.id, surroundings=Surroundings(), clock=lambda: NOW, worker=claims.this_process()
    )


def booked(session: Session) -> Book:
    """What the product made of every order, in the words of the expected file."""
    book: Book = {}
    with reading(session):
        documents = session.scalars(select(Invoice).order_by(Invoice.id)).all()
        invoices = {one.store_order_id: one for one in documents if one.kind is InvoiceKind.INVOICE}
        notes: dict[int, list[Invoice]] = {}
        for one in documents:
            if one.kind is InvoiceKind.CREDIT_NOTE:
                notes.setdefault(one.store_order_id, []).append(one)
        for order in session.scalars(select(StoreOrder)):
            book[order.external_id] = {
                "outcome": order.outcome.value,
                "reason": order.reason or None,
                "number": order.order_number,
            }
            if order.id in invoices:
                book[order.external_id] |= figures(invoices[order.id])
                book[order.external_id]["credit_notes"] = [figures_of_note(note) for note in notes.get(order.id, [])]
    return book


def figures_of_note(note: Invoice) -> dict[str, Any]:
    """A credit note in the words of the expected file."""
    return {
        "refund": note.external_id,
        "number": note.number,
        "date": note.issue_date.isoformat(),
        "total": money(note.total),
        "vat": figures(note)["vat"],
        "findings": sorted(found.code for found in note.found),
    }


def figures(invoice: Invoice) -> dict[str, Any]:
    """An invoice in the words of the expected file."""
    by_rate: dict[Decimal | None, tuple[Decimal, Decimal]] = {}
    for row in invoice.vat_rows:
        base, amount = by_rate.get(row.rate, (Decimal(0), Decimal(0)))
        by_rate[row.rate] = (base + row.base, amount + row.amount)
    rates = sorted(by_rate, key=lambda rate: Decimal(-1) if rate is None else rate, reverse=True)
    return {
        "number": invoice.number,
        "issue_date": invoice.issue_date.isoformat(),
        "supply_date": invoice.supply_date.isoformat(),
        "currency": invoice.currency,
        "total": money(invoice.total),
        "rounding": money(invoice.rounding),
        "vat": [
            {
                "rate": None if rate is None else plain(rate),
                "base": money(by_rate[rate][0]),
                "amount": money(by_rate[rate][1]),
            }
            for rate in rates
        ],
        "findings": [
            {"code": found.code, "subject": found.subject}
            for found in sorted(invoice.found, key=lambda one: (one.code, one.subject))
            if found.code in TOLD
        ],
    }


def money(amount: Decimal) -> str:
    assert amount == round(amount, 2)
    return f"{amount + 0:.2f}"


def plain(rate: Decimal) -> str:
    text = f"{rate:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def differences(ours: Book, theirs: Book) -> list[str]:
    """A line for every figure that is not the same, with both; a filtered order has no figures in the product."""
    found = [f"{key}: only one of the two knows this order" for key in sorted(ours.keys() ^ theirs.keys())]
    for key in sorted(ours.keys() & theirs.keys(), key=int):
        product, wanted = ours[key], theirs[key]
        names = ("outcome", "reason", "number") if wanted["outcome"] == "filtered" else tuple(wanted)
        found += [
            f"{key} {name}:\n    product  {product.get(name)}\n    expected {wanted[name]}"
            for name in names
            if product.get(name) != wanted[name]
        ]
    return found


def test_the_product_books_every_recorded_order_as_the_independent_program_does(session: Session, run: Run) -> None:
    found = differences(booked(session), expected())
    assert not found, "\n" + "\n".join(found)


def test_the_run_counts_and_sums_the_orders_as_the_independent_program_does(run: Run) -> None:
    book = expected()
    assert (run.state, run.error, run.fetched) == (RunState.DONE, "", len(book))
    outcomes = [order["outcome"] for order in book.values()]
    assert (run.registered, run.in_journal, run.filtered) == tuple(
        outcomes.count(outcome) for outcome in ("registered", "in_journal", "filtered")
    )
    assert run.totals == totals(book)


def totals(book: Book) -> dict[str, dict[str, str]]:
    """Currency → outcome → sum of what has an invoice, as a run keeps it."""
    sums: dict[str, dict[str, Decimal]] = {}
    for order in book.values():
        if order["outcome"] != "filtered":
            of_currency = sums.setdefault(order["currency"], {"registered": Decimal(0), "in_journal": Decimal(0)})
            of_currency[order["outcome"]] += Decimal(order["total"])
    return {currency: {key: money(sum_) for key, sum_ in sums[currency].items()} for currency in sums}


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
        connect.add_integration(
            session,
            name="Demo",
            platform="shopify",
            values={"address": address, "client_id": DEMO_ID, "client_secret": DEMO_SECRET, "number_prefix": ""},
            now=NOW,
            actor="test",
        )
        around = Surroundings(allowed_addresses=(address.split("://")[1],))
        runs = []
        for _ in range(2):
            (opened,) = open_runs.launch(
                session, mask="Demo", first=date(2026, 9, 1), last=date(2026, 11, 24), now=NOW, actor="test"
            )
            run = run_import.run(
                session_factory, opened.id, surroundings=around, clock=lambda: NOW, worker=claims.this_process()
            )
            assert (run.state, run.error) == (RunState.DONE, "")
            runs.append((run.fetched, run.in_journal + run.registered, run.filtered, run.already_there, run.unreadable))
    assert runs == [(41, 31, 10, 0, 0), (41, 0, 10, 31, 0)]
    found = booked(session)
    assert {key: order["outcome"] for key, order in found.items()} == {
        key: order["outcome"] for key, order in expected().items()
    }


def test_the_expected_file_is_what_its_program_makes_now_with_the_standard_library_alone(tmp_path: Path) -> None:
    made = tmp_path / "made.json"
    # Isolated and without site-packages: the product can't be imported there, nor anything it uses.
    subprocess.run([sys.executable, "-I", "-S", EXPECTED / "make_shopify.py", made], check=True)
    assert made.read_bytes() == (EXPECTED / "shopify.json").read_bytes()


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
