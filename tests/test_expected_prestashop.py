"""Two programs that agree: the product's books of the recorded PrestaShop orders, and an independent program's."""

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
from monet_web.models import Invoice, Run, StoreOrder
from monet_web.models.base import reading
from monet_web.models.invoices import InvoiceKind
from monet_web.models.runs import RunState
from monet_web.services.importing import claims
from monet_web.services.integrations import connect
from monet_web.services.opening import open_runs
from monet_web.services.running import run_import
from tests.connectors.prestashop_recordings import BUNDLES, CONTEXT

EXPECTED = Path(__file__).parent / "expected"
NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
# What the independent program knows of; the treatment of VAT across borders is not its matter.
TOLD = frozenset({
    *("item_unknown", "vat_rate_unknown", "currency_rate_missing", "vat_differs", "total_differs"),
    *("tax_rate_missing", "quantity_missing", "no_lines", "number_missing", "total_negative"),
})  # fmt: skip
CURRENCIES = {row["id"]: row["iso_code"] for row in CONTEXT["currencies"]}

Book = dict[str, dict[str, Any]]
Factory = sessionmaker[Session]


def expected() -> Book:
    """The independent program's file, by order id."""
    book: dict[str, Any] = json.loads((EXPECTED / "prestashop.json").read_text("utf-8"))
    del book["made_by"]
    return book


@pytest.fixture
def run(session: Session, session_factory: Factory, monkeypatch: pytest.MonkeyPatch) -> Run:
    """One launch over all recorded orders with the default settings, no items and no currency rates."""

    def pages(connector: Connector, selection: Selection) -> Iterator[Page]:
        yield Page(orders=tuple(BUNDLES.values()), context=CONTEXT, expected=len(BUNDLES))

    monkeypatch.setattr(CONNECTORS["prestashop"], "pages", pages)
    connect.add_integration(
        session,
        name="Recorded shop",
        platform="prestashop",
        values={"address": "https://shop.example.com", "key": "K" * 32, "number_prefix": ""},
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
    return {
        "number": invoice.number,
        "issue_date": invoice.issue_date.isoformat(),
        "supply_date": invoice.supply_date.isoformat(),
        "currency": invoice.currency,
        "total": money(invoice.total),
        "rounding": money(invoice.rounding),
        "vat": [
            {"rate": None if rate is None else plain(rate), "base": money(base), "amount": money(amount)}
            for rate, (base, amount) in sorted(
                by_rate.items(), key=lambda one: Decimal(-1) if one[0] is None else one[0], reverse=True
            )
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
    assert (run.state, run.error, run.fetched) == (RunState.DONE, "", 100)
    found = differences(booked(session), expected())
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
    made = tmp_path / "made.json"
    # Isolated and without site-packages: the product can't be imported there, nor anything it uses.
    subprocess.run([sys.executable, "-I", "-S", EXPECTED / "make_prestashop.py", made], check=True)
    assert made.read_bytes() == (EXPECTED / "prestashop.json").read_bytes()


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
