"""Any history of sales, refunds, accepted changes and filed quarters: returns of OSS add up to the documents."""

from __future__ import annotations

import itertools
from collections import defaultdict
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete
from sqlalchemy.orm import Session, sessionmaker

from monet_web.domain.quarters import Quarter
from monet_web.models import CurrencyRate, Integration, Invoice, InvoiceVat
from monet_web.models.base import reading, writing
from monet_web.models.filings import Filing
from monet_web.models.invoices import InvoiceKind
from monet_web.services.documents.exports import oss_filed
from tests.builders import an_integration
from tests.services.filed import Row
from tests.services.test_oss_filed import documents_of, file, loaded, quarters, sold

Factory = sessionmaker[Session]


@pytest.fixture
def shop(session: Session) -> Integration:
    with writing(session):
        return an_integration(session)


FIRST, LAST = Quarter(2026, 1), Quarter(2026, 4)
BUYERS = st.sampled_from([("EE", "24"), ("EE", "13"), ("LV", "21"), ("GR", "24")])
CENTS = st.integers(1, 99_999).map(lambda cents: Decimal(cents).scaleb(-2))
PLACES = st.integers(0, 3).map(lambda number: Quarter(2026, number + 1))
SALES = st.tuples(st.just("sale"), PLACES, BUYERS, CENTS, st.sampled_from(["EUR", "USD"]))
CREDITS = st.tuples(st.sampled_from(["credit", "accept"]), st.integers(0, 20), st.integers(1, 100), CENTS)
TAKES = st.tuples(st.sampled_from(["take", "take", "anew"]), PLACES)
NUMBERS = itertools.count(1)  # of orders too, which outlive a history
HISTORIES = st.lists(st.one_of(SALES, SALES, CREDITS, TAKES), max_size=14)


# An example takes half a second: a failing one is shown as it was found.
@settings(max_examples=12, phases=[Phase.generate], suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=HISTORIES)
def test_returns_add_up_to_the_documents_whatever_happens(
    session_factory: Factory, shop: Integration, tmp_path: Path, history: list[Any]
) -> None:
    session = session_factory()
    with reading(session):
        book = Book(session, session.get_one(Integration, shop.id), tmp_path)
    book.empty()
    for step in history:
        book.do(*step)
    for quarter in quarters(FIRST, LAST.after().after()):
        book.take(quarter)
    book.must_add_up()
    for quarter in quarters(FIRST, LAST):
        assert loaded(session, quarter).changed == []
    session.close()


class Book:
    """Documents in tables, made step by step, and what each of them was when its quarter's return was taken."""

    def __init__(self, session: Session, shop: Integration, folder: Path) -> None:
        self.session, self.shop, self.folder = session, shop, folder
        self.invoices: list[tuple[Invoice, Row, str, Decimal]] = []
        self.of: dict[str, tuple[Quarter, str, str]] = {}  # number → quarter, country, currency

    def empty(self) -> None:
        """Nothing is left of the history before, and the rates are there."""
        with writing(self.session):
            for table in (InvoiceVat, Filing, CurrencyRate):
                self.session.execute(delete(table))
            self.session.execute(delete(Invoice).where(Invoice.kind == InvoiceKind.CREDIT_NOTE))
            self.session.execute(delete(Invoice))
            for quarter in quarters(FIRST, LAST):
                rate = Decimal("1.07") + Decimal(quarter.number) / 1000
                self.session.add(CurrencyRate(currency="USD", day=quarter.rates_count_from, rate=rate))

    def do(self, what: str, *how: Any) -> None:
        match what:
            case "sale":
                self.sell(*how)
            case "credit" | "accept":
                self.credit(what == "accept", *how)
            case "take":
                self.take(how[0])
            case _:
                held = loaded(self.session, how[0])
                if held.since is not None and held.may_be_anew:
                    file(self.session, how[0], self.folder, days=20, anew=True)

    def sell(self, quarter: Quarter, buyer: tuple[str, str], base: Decimal, currency: str) -> None:
        country, rate = buyer
        row: Row = (rate, "PVM15", f"{base:.2f}", f"{base * Decimal(rate) / 100:.2f}")
        number = self.next_number()
        invoice = self.put(number, row, country, currency, supply_date=quarter.first, issue_date=quarter.first)
        self.invoices.append((invoice, row, country, Decimal(1)))

    def credit(self, is_accepted: bool, which: int, percent: int, base: Decimal) -> None:
        """A part of an invoice is given back; or all that is left of it is, and a dearer one takes its place."""
        if not self.invoices:
            return
        at = which % len(self.invoices)
        invoice, row, country, left = self.invoices[at]
        share = left if is_accepted else left * percent / 100
        if share:
            self.invoices[at] = (invoice, row, country, left - share)
            minus: Row = (row[0], row[1], f"{-Decimal(row[2]) * share:.2f}", f"{-Decimal(row[3]) * share:.2f}")
            later = invoice.issue_date + timedelta(days=200)
            self.put(self.next_number(), minus, country, invoice.currency, of=invoice, issue_date=later)
        if is_accepted:
            self.sell(Quarter(2026, (invoice.supply_date.month + 2) // 3), (country, str(row[0])), base, "EUR")

    def put(self, number: str, row: Row, country: str, currency: str, **changes: Any) -> Invoice:
        invoice = sold(
            self.session, self.shop, number, row, to=country, currency=currency,
            external_id=number, eur_rate="1.1", **changes,
        )  # fmt: skip
        day = invoice.supply_date
        self.of[number] = Quarter(day.year, (day.month + 2) // 3), country, currency
        return invoice

    def next_number(self) -> str:
        return str(next(NUMBERS))

    def take(self, quarter: Quarter) -> None:
        file(self.session, quarter, self.folder)

    def must_add_up(self) -> None:
        """Per quarter of supply and country: own rows and corrections of all returns = the documents, to the cent."""
        with reading(self.session):
            held = oss_filed.load(self.session)
        declared: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
        for quarter, filed in held.returns.items():
            for each in filed.supplies:
                declared[str(quarter), each.country] += each.vat
            for one in filed.corrections:
                assert one.quarter < quarter
                declared[str(one.quarter), one.country] += one.vat
        assert {key: vat for key, vat in declared.items() if vat} == self.booked()
        # Each document stands in exactly one return, and in its own quarter's or a later one.
        seen: list[str] = []
        for quarter in held.filings:
            found = documents_of(self.session, quarter)
            assert all(self.of[number][0] <= quarter for number in found)
            seen += found
        assert sorted(seen) == sorted(self.of)

    def booked(self) -> dict[tuple[str, str], Decimal]:
        """By hand, from the documents' own rows: each (quarter, country, rate, currency) converted once."""
        sums: dict[tuple[Quarter, str, str, str], Decimal] = defaultdict(Decimal)
        with reading(self.session):
            rows = self.session.query(Invoice.number, InvoiceVat.rate, InvoiceVat.amount).join(
                InvoiceVat, InvoiceVat.invoice_id == Invoice.id
            )
            for number, rate, amount in rows:
                quarter, country, currency = self.of[str(number)]
                sums[quarter, country, str(rate), currency] += amount
        booked: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
        for (quarter, country, _, currency), vat in sums.items():
            per_euro = Decimal("1.07") + Decimal(quarter.number) / 1000 if currency == "USD" else Decimal(1)
            in_euro = (vat / per_euro).quantize(Decimal("0.01"), "ROUND_HALF_UP")
            booked[str(quarter), "EL" if country == "GR" else country] += in_euro
        return {key: vat for key, vat in booked.items() if vat}
