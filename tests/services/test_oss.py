"""OSS of a quarter: by country and rate at the quarter-end's rates, corrections apart, evidence, what changed since."""

from __future__ import annotations

import csv
import hashlib
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session, sessionmaker

from monet_web.domain.errors import BrokenRule
from monet_web.domain.quarters import Quarter
from monet_web.models import Company, Integration, Invoice
from monet_web.models.base import reading, writing
from monet_web.models.invoices import InvoiceState
from monet_web.services.books import rates
from monet_web.services.documents.exports import filings, oss, oss_rows
from tests.builders import an_integration
from tests.services.filed import Row, a_document
from tests.services.scripted import ScriptedStore, import_all, integrate, invoices, put
from tests.vat_sales import estonian

Q3, Q4 = Quarter(2026, 3), Quarter(2026, 4)
NOW = datetime(2027, 1, 10, 9, 0, tzinfo=UTC)
WHO: dict[str, Any] = {"now": NOW, "actor": "accountant@example.com"}
ESTONIA: Row = ("24", "PVM15", "10.00", "2.40")


@pytest.fixture
def shop(session: Session) -> Integration:
    with writing(session):
        return an_integration(session)


def sold(session: Session, shop: Integration, number: str, *rows: Row, to: str = "EE", **changes: Any) -> Invoice:
    plain: dict[str, Any] = {"treatment": "oss", "ship_country": to, "buyer": {"country": to}}
    return a_document(session, shop, number, rows or (ESTONIA,), **{**plain, **changes})


def loaded(session: Session, quarter: Quarter = Q4) -> oss.Return:
    with reading(session):
        return oss.load(session, quarter)


def supplies(whole: oss.Return) -> list[tuple[str, str, str, str]]:
    return [(one.country, f"{one.rate:f}", f"{one.base:f}", f"{one.vat:f}") for one in whole.supplies]


def test_sales_add_up_by_country_and_rate_and_nothing_else_is_among_them(session: Session, shop: Integration) -> None:
    with writing(session):
        sold(session, shop, "1")
        sold(session, shop, "2", ("24.0", "PVM15", "5.00", "1.20"), ("13", "PVM15", "100.00", "13.00"))
        sold(session, shop, "3", ("24", "PVM15", "1.00", "0.24"), to="GR")
        sold(session, shop, "4", (None, "PVM100", "0.10", "0.00"), ("0", "PVM15", "7.00", "0.00"))
        sold(session, shop, "5", treatment="eu_home")
        sold(session, shop, "6", state=InvoiceState.IN_JOURNAL)
        sold(session, shop, "7", supply_date=date(2026, 9, 30))
        sold(session, shop, "8", supply_date=date(2027, 1, 1))
        # VAT was due on another day than that of the supply.
        sold(
            session,
            shop,
            "9",
            ("9", "PVM15", "1.00", "0.09"),
            supply_date=date(2026, 9, 30),
            vat_date=date(2026, 10, 1),
        )
    whole = loaded(session)
    assert supplies(whole) == [
        ("EE", "9", "1.00", "0.09"),
        ("EE", "13", "100.00", "13.00"),
        ("EE", "24", "15.00", "3.60"),
        ("EL", "24", "1.00", "0.24"),
    ]
    assert (whole.base, whole.vat, whole.countries) == (
        Decimal("117.00"), Decimal("16.93"), [("EE", Decimal("16.69")), ("EL", Decimal("0.24"))],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "base"),
    [
        # Published on 31 December 2026, a Thursday, and kept under the next bank day.
        ({date(2027, 1, 4): "1.25"}, "80.00"),
        ({date(2026, 12, 31): "2", date(2027, 1, 4): "1.25", date(2027, 1, 5): "4"}, "80.00"),
        # A holiday between has the rate that counted before it.
        ({date(2027, 1, 1): "2", date(2027, 1, 4): "1.25"}, "80.00"),
    ],
)
def test_the_rate_is_the_one_published_for_the_quarter_s_last_day(
    session: Session, shop: Integration, rows: dict[date, str], base: str
) -> None:
    for day, rate in rows.items():
        rates.set_rate(session, currency="USD", day=day, rate=Decimal(rate), **WHO)
    with writing(session):
        # The invoice's own rate, which its EUR amounts were made with, is another.
        sold(session, shop, "1", ("24", "PVM15", "100.00", "24.00"), currency="USD", eur_rate="1.1")
    whole = loaded(session)
    assert supplies(whole) == [("EE", "24", base, "19.20")]
    assert whole.rates == {"USD": Decimal("1.25")}


def test_a_sum_is_converted_once_and_not_invoice_by_invoice(session: Session, shop: Integration) -> None:
    rates.set_rate(session, currency="USD", day=date(2027, 1, 4), rate=Decimal("1.15"), **WHO)
    with writing(session):
        for number in range(3):
            sold(session, shop, str(number), ("24", "PVM15", "10.00", "2.40"), currency="USD", eur_rate="1.1")
    # 30.00 / 1.15; three times 8.70 would be 26.10.
    assert supplies(loaded(session)) == [("EE", "24", "26.09", "6.26")]


def test_a_missing_rate_is_named_and_no_file_is_taken(session: Session, shop: Integration, tmp_path: Path) -> None:
    for earlier in (date(2026, 12, 31), date(2027, 1, 2)):
        rates.set_rate(session, currency="USD", day=earlier, rate=Decimal("1.1"), **WHO)
    with writing(session):
        sold(session, shop, "1", currency="USD", eur_rate="1.1")
        sold(session, shop, "2", ("24", "PVM15", "1.00", "0.24"))
    whole = loaded(session)
    assert (whole.missing, supplies(whole)) == ([(Q4, "USD")], [("EE", "24", "1.00", "0.24")])
    with pytest.raises(BrokenRule, match="USD as published on 2026-12-31") as refused:
        oss.take(session, Q4, tmp_path / "oss.csv", **WHO)
    assert str(refused.value.fix).endswith("under the day from which it counts: 2027-01-04.")
    assert list(tmp_path.iterdir()) == []


def test_credit_notes_lower_the_quarter_of_their_supply_until_it_is_filed(session: Session, shop: Integration) -> None:
    minus: Row = ("24", "PVM15", "-10.00", "-2.40")
    with writing(session):
        one = sold(session, shop, "1", ("24", "PVM15", "30.00", "7.20"))
        sold(session, shop, "1-K1", minus, of=one, issue_date=date(2026, 12, 31))
        sold(session, shop, "1-K2", minus, of=one, issue_date=date(2027, 1, 2))
    assert supplies(loaded(session)) == [("EE", "24", "10.00", "2.40")]
    assert loaded(session).corrections == ()
    later = loaded(session, Quarter(2027, 1))
    assert (later.supplies, later.corrections) == ((), ())


def test_a_file_is_kept_with_its_hash_and_the_difference_since_is_told(
    session: Session, shop: Integration, tmp_path: Path
) -> None:
    with writing(session):
        sold(session, shop, "1")
    filing = oss.take(session, Q4, tmp_path / "oss.csv", **WHO)
    content = (tmp_path / "oss.csv").read_bytes()
    assert content.decode("utf-8-sig").splitlines() == [
        "part,quarter,country,rate,base_eur,vat_eur", "supply,2026-Q4,EE,24,10.00,2.40",
    ]  # fmt: skip
    assert (filing.sha256, filing.documents) == (hashlib.sha256(content).hexdigest(), 1)
    assert loaded(session).changed == []
    assert loaded(session).changes_stand_in == Quarter(2027, 1)
    with writing(session):
        sold(session, shop, "2")
        sold(session, shop, "3", ("22", "PVM15", "1.00", "0.22"), to="SI")
    whole = loaded(session)
    assert whole.since is not None
    assert (whole.since.id, whole.changed) == (filing.id, [("EE", Decimal("2.40")), ("SI", Decimal("0.22"))])
    with reading(session):
        assert [one.id for one in filings.taken(session, filings.OSS, "2026-Q4")] == [filing.id]


def test_the_workbook_has_the_documents_with_their_evidence(
    session: Session, shop: Integration, tmp_path: Path
) -> None:
    with writing(session):
        first = sold(session, shop, "=1+1")
        sold(session, shop, "2", buyer={"country": "LT"})
        sold(session, shop, "3", buyer={})
        sold(session, shop, "1-K1", ("24", "PVM15", "-10.00", "-2.40"), of=first, issue_date=date(2027, 1, 2))
    assert loaded(session).doubtful == 2
    assert oss.take(session, Q4, tmp_path / "oss.xlsx", **WHO).documents == 4
    book = openpyxl.load_workbook(tmp_path / "oss.xlsx")
    assert [tuple(row) for row in book["2026-Q4"].values][1:] == [("supply", "2026-Q4", "EE", 24, 20, 4.8)]
    documents = [tuple(row) for row in book["Documents"].values][1:]
    assert [(row[0], row[6], row[7], row[8]) for row in documents] == [
        ("=1+1", "EE", "EE", "two pieces agree"), ("2", "EE", "LT", "delivery only"), ("3", "EE", "", "delivery only"),
        ("1-K1", "EE", "EE", "two pieces agree"),
    ]  # fmt: skip
    assert book["Documents"]["A2"].data_type == "s"
    assert oss.write_evidence(session, Q4, tmp_path / "documents.csv") == 4
    with (tmp_path / "documents.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert (rows[0]["document"], rows[1]["buyer_in"], rows[1]["vat"]) == ("'=1+1", "LT", "2.40")
    with pytest.raises(BrokenRule, match=r"oss\.pdf can't be written"):
        oss.take(session, Q4, tmp_path / "oss.pdf", **WHO)


def test_an_order_of_a_store_comes_into_the_return(
    session: Session, session_factory: sessionmaker[Session], store: type[ScriptedStore]
) -> None:
    with writing(session):
        session.execute(update(Company).values(oss_from=date(2026, 1, 1)))
    put(store, estonian())
    import_all(session_factory, integrate(session, accounting_type="amounts"))
    assert [one.state for one in invoices(session)] == [InvoiceState.REGISTERED]
    assert supplies(loaded(session)) == [("EE", "24", "10.00", "2.40")]
    with reading(session):
        (one,) = oss_rows.documents(session, Q4.first, Q4.last)
    assert (one.country, one.buyer_country, one.agrees) == ("EE", "EE", True)
