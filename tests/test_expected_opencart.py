"""Two programs that agree: the product's books of the recorded OpenCart orders, and an independent program's."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from monet_web.connectors import CONNECTORS
from monet_web.connectors.base import Connector, Page, Selection, Surroundings
from monet_web.domain.money import round_cents
from monet_web.models import Invoice, Run, StoreOrder
from monet_web.models.base import reading
from monet_web.models.runs import RunState
from monet_web.services.importing import claims
from monet_web.services.integrations import connect
from monet_web.services.opening import open_runs
from monet_web.services.running import run_import
from tests.connectors.readers import load

EXPECTED = Path(__file__).parent / "expected"
NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
VERSIONS = ("oc3", "oc40", "oc41")
# What the independent program knows of; the treatment of VAT across borders is not its matter.
TOLD = frozenset({
    *("item_unknown", "vat_rate_unknown", "currency_rate_missing", "vat_differs", "total_differs"),
    *("tax_rate_missing", "quantity_missing", "no_lines", "number_missing", "total_negative"),
})  # fmt: skip

Book = dict[str, dict[str, Any]]
Factory = sessionmaker[Session]
Importing = Callable[[str], Run]


def expected(version: str) -> Book:
    """The independent program's file, by order id."""
    book: Book = json.loads((EXPECTED / "opencart.json").read_text("utf-8"))[version]
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
        connect.add_integration(
            session,
            name="Recorded shop",
            platform="opencart",
            values={"address": "https://shop.example.com", "api_key": "recorded", "number_prefix": ""},
            now=NOW,
            actor="test",
        )
        (run,) = open_runs.launch(
            session, mask="Recorded shop", first=date(2026, 9, 1), last=date(2026, 11, 24), now=NOW, actor="test"
        )
        return run_import.run(
            session_factory, run.id, surroundings=Surroundings(), clock=lambda: NOW, worker=claims.this_process()
        )

    return launch


def booked(session: Session) -> Book:
    """What the product made of every order, in the words of the expected file."""
    book: Book = {}
    with reading(session):
        invoices = {invoice.store_order_id: invoice for invoice in session.scalars(select(Invoice))}
        for order in session.scalars(select(StoreOrder)):
            book[order.external_id] = {
                "outcome": order.outcome.value,
                "reason": order.reason or None,
                "number": order.order_number,
            }
            if order.id in invoices:
                book[order.external_id] |= figures(invoices[order.id])
    return book


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


@pytest.mark.parametrize("version", VERSIONS)
def test_the_product_books_every_recorded_order_as_the_independent_program_does(
    session: Session, imported: Importing, version: str
) -> None:
    run = imported(version)
    assert (run.state, run.error, run.fetched) == (RunState.DONE, "", 83)
    found = differences(booked(session), expected(version))
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
    made = tmp_path / "made.json"
    # Isolated and without site-packages: the product can't be imported there, nor anything it uses.
    subprocess.run([sys.executable, "-I", "-S", EXPECTED / "make_opencart.py", made], check=True)
    assert made.read_bytes() == (EXPECTED / "opencart.json").read_bytes()


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
