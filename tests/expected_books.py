"""What the tests of the expected books share: the product's books in the words of the independent programs' files."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from monet_web.connectors.base import Surroundings
from monet_web.models import Invoice, Run, StoreOrder
from monet_web.models.base import reading
from monet_web.models.invoices import InvoiceKind
from monet_web.services.importing import claims
from monet_web.services.integrations import connect
from monet_web.services.opening import open_runs
from monet_web.services.running import run_import

FOLDER = Path(__file__).parent / "expected"
NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)

Book = dict[str, dict[str, Any]]
Factory = sessionmaker[Session]


def expected(kind: str) -> dict[str, Any]:
    """What the independent program of a platform wrote, by order id."""
    book: dict[str, Any] = json.loads((FOLDER / f"{kind}.json").read_text("utf-8"))
    book.pop("made_by", None)
    return book


def is_what_its_program_makes(kind: str, folder: Path) -> bool:
    """Whether the kept file is byte for byte what the program makes, which can't import anything of the product."""
    made = folder / "made.json"
    # Isolated and without site-packages: the product can't be imported there, nor anything it uses.
    subprocess.run([sys.executable, "-I", "-S", FOLDER / f"make_{kind}.py", made], check=True)
    return made.read_bytes() == (FOLDER / f"{kind}.json").read_bytes()


def connected(session: Session, kind: str, values: Mapping[str, str], *, name: str = "Recorded shop") -> None:
    """The integration of a recorded shop, with the default settings and numbers without a prefix."""
    connect.add_integration(
        session, name=name, platform=kind, values={"number_prefix": "", **values}, now=NOW, actor="test"
    )


def launched(
    session: Session, factory: Factory, *, name: str = "Recorded shop", surroundings: Surroundings | None = None
) -> Run:
    """One launch over the days of all recorded orders, worked to its end."""
    (opened,) = open_runs.launch(
        session, mask=name, first=date(2026, 9, 1), last=date(2026, 11, 24), now=NOW, actor="test"
    )
    return run_import.run(
        factory, opened.id, surroundings=surroundings or Surroundings(), clock=lambda: NOW,
        worker=claims.this_process(),
    )  # fmt: skip


def booked(session: Session, told: frozenset[str] | None = None) -> Book:
    """What the product made of every order, in the words of the expected file.

    `told`: the findings that the independent program knows of; None: it knows all, and which of them stop.
    """
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
                book[order.external_id] |= _figures(invoices[order.id], told)
                book[order.external_id]["credit_notes"] = [_figures_of_note(note) for note in notes.get(order.id, [])]
    return book


def _figures_of_note(note: Invoice) -> dict[str, Any]:
    """A credit note in the words of the expected file."""
    return {
        "refund": note.external_id,
        "number": note.number,
        "date": note.issue_date.isoformat(),
        "total": money(note.total),
        "vat": _vat(note),
        "findings": sorted(found.code for found in note.found),
    }


def _figures(invoice: Invoice, told: frozenset[str] | None) -> dict[str, Any]:
    """An invoice in the words of the expected file."""
    return {
        "number": invoice.number,
        "issue_date": invoice.issue_date.isoformat(),
        "supply_date": invoice.supply_date.isoformat(),
        "currency": invoice.currency,
        "total": money(invoice.total),
        "rounding": money(invoice.rounding),
        "vat": _vat(invoice),
        "findings": [
            {"code": found.code, "subject": found.subject} | ({"stops": found.stops} if told is None else {})
            for found in sorted(invoice.found, key=lambda one: (one.code, one.subject))
            if told is None or found.code in told
        ],
    }


def _vat(document: Invoice) -> list[dict[str, str | None]]:
    by_rate: dict[Decimal | None, tuple[Decimal, Decimal]] = {}
    for row in document.vat_rows:
        base, amount = by_rate.get(row.rate, (Decimal(0), Decimal(0)))
        by_rate[row.rate] = (base + row.base, amount + row.amount)
    rates = sorted(by_rate, key=lambda rate: Decimal(-1) if rate is None else rate, reverse=True)
    return [
        {
            "rate": None if rate is None else plain(rate),
            "base": money(by_rate[rate][0]),
            "amount": money(by_rate[rate][1]),
        }
        for rate in rates
    ]


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


def totals(book: Book) -> dict[str, dict[str, str]]:
    """Currency → outcome → sum of what has an invoice, as a run keeps it."""
    sums: dict[str, dict[str, Decimal]] = {}
    for order in book.values():
        if order["outcome"] != "filtered":
            of_currency = sums.setdefault(order["currency"], {"registered": Decimal(0), "in_journal": Decimal(0)})
            of_currency[order["outcome"]] += Decimal(order["total"])
    return {currency: {key: money(sum_) for key, sum_ in sums[currency].items()} for currency in sums}
