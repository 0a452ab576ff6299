"""Two programs that agree: the product's books of the recorded WooCommerce orders, and an independent program's."""

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
from monet_web.models.invoices import InvoiceKind, InvoiceState
from monet_web.models.runs import RunState
from monet_web.services.importing import claims
from monet_web.services.integrations import connect
from monet_web.services.opening import open_runs
from monet_web.services.running import run_import
from tests.connectors.recordings import bundles

EXPECTED = Path(__file__).parent / "expected"
NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)

Book = dict[str, dict[str, Any]]
Factory = sessionmaker[Session]


def expected() -> Book:
    """The independent program's file, by order id."""
    book: dict[str, Any] = json.loads((EXPECTED / "woocommerce.json").read_text("utf-8"))
    del book["made_by"]
    return book


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
    connect.add_integration(
        session,
        name="Recorded shop",
        platform="woocommerce",
        values={
            "address": "https://shop.example.com",
            "consumer_key": "ck_recorded",
            "consumer_secret": "cs_recorded",
            "number_prefix": "",
        },
        now=NOW,
        actor="test",
    )
    (run,) = open_runs.launch(
        session, mask="Recorded shop", first=date(2026, 9, 1), last=date(2026, 11, 24), now=NOW, actor="test"
    )
    return run_import.run(
        session_factory, run.id, surroundings=Surroundings(), clock=lambda: NOW, worker=claims.this_process()
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
            for rate, (base, amount) in sorted(by_rate.items(), key=lambda one: (one[0] is None, -(one[0] or 0)))
        ],
        "findings": [
            {"code": found.code, "subject": found.subject, "stops": found.stops}
            for found in sorted(invoice.found, key=lambda one: (one.code, one.subject))
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


def test_the_product_books_every_recorded_order_as_the_independent_program_does(
    session: Session, session_factory: Factory, recorded_store: None
) -> None:
    imported(session, session_factory)
    found = differences(booked(session), expected())
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
    assert run.totals == totals(expected())
    with reading(session):
        assert set(session.scalars(select(Invoice.state))) == {InvoiceState.IN_JOURNAL}


def totals(book: Book) -> dict[str, dict[str, str]]:
    """Currency → outcome → sum of what has an invoice, as a run keeps it."""
    sums: dict[str, dict[str, Decimal]] = {}
    for order in book.values():
        if order["outcome"] != "filtered":
            of_currency = sums.setdefault(order["currency"], {"registered": Decimal(0), "in_journal": Decimal(0)})
            of_currency[order["outcome"]] += Decimal(order["total"])
    return {currency: {key: money(sum_) for key, sum_ in sums[currency].items()} for currency in sums}


def test_the_expected_file_is_what_its_program_makes_now_with_the_standard_library_alone(tmp_path: Path) -> None:
    made = tmp_path / "made.json"
    # Isolated and without site-packages: the product can't be imported there, nor anything it uses.
    subprocess.run([sys.executable, "-I", "-S", EXPECTED / "make_woocommerce.py", made], check=True)
    assert made.read_bytes() == (EXPECTED / "woocommerce.json").read_bytes()


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
    assert totals(book) == {
        "EUR": {"registered": "0.00", "in_journal": "36018.47"},
        "USD": {"registered": "0.00", "in_journal": "1361.27"},
    }
