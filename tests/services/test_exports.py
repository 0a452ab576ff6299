"""Invoices as files: the JSON of I3, tables that can be summed, cells that no spreadsheet runs."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

from monet_web.domain.errors import BrokenRule
from monet_web.models import Integration, Invoice, InvoiceFinding, InvoiceLine, InvoiceVat
from monet_web.models.base import reading, writing
from monet_web.models.invoices import InvoiceKind, InvoiceState
from monet_web.models.runs import RunState
from monet_web.services.documents.exports import invoices as exports
from monet_web.services.documents.exports.invoices import Wanted
from monet_web.services.documents.exports.safe import cell
from tests.builders import a_run, a_store_order, a_version, an_integration, an_invoice
from tests.databases import sqlite_only


def an_invoice_with_a_line(
    session: Session, integration: Integration, number: str, *, name: str = "Notebook", sign: int = 1, **changes: object
) -> Invoice:
    run = a_run(session, integration, state=RunState.DONE)
    version = a_version(session, a_store_order(session, integration, number), run)
    invoice = an_invoice(session, version, number=number, total=sign * Decimal("12.10"), **changes)
    session.add(
        InvoiceLine(
            invoice_id=invoice.id, position=1, kind="goods", name=name, sku="KN-01", quantity=sign * Decimal("1.5"),
            unit_price=Decimal("6.666667"), discount=Decimal(0), net=sign * Decimal(10), vat_rate=Decimal(21),
            vat=sign * Decimal("2.10"),
        )
    )  # fmt: skip
    session.add(
        InvoiceVat(
            invoice_id=invoice.id, rate=Decimal(21), code="PVM1", base=sign * Decimal(10),
            amount=sign * Decimal("2.10"), amount_eur=sign * Decimal("2.10"),
        )
    )  # fmt: skip
    session.flush()
    return invoice


def write(session: Session, path: Path, wanted: Wanted | None = None) -> exports.Exported:
    with reading(session):
        return exports.export(session, path, wanted or Wanted())


def test_the_json_of_an_invoice_has_exactly_these_fields(session: Session, tmp_path: Path) -> None:
    with writing(session):
        integration = an_integration(session, "Kava")
        invoice = an_invoice_with_a_line(
            session, integration, "KL-1", state=InvoiceState.IN_JOURNAL, ship_country="LT", payment="Bank",
            buyer={"company": "AB X", "vat_code": "LT1", "country": "LT"},
        )  # fmt: skip
        session.add(
            InvoiceFinding(
                invoice_id=invoice.id, code="item_unknown", subject="KN-01", values={"what": "SKU KN-01", "line": "1"}
            )
        )
    write(session, tmp_path / "x.json")
    assert json.loads((tmp_path / "x.json").read_text(encoding="utf-8")) == [
        {
            "number": "KL-1", "kind": "invoice", "state": "in_journal", "integration": "Kava", "external_id": "KL-1",
            "order_number": "1001", "date": "2026-11-23", "supply_date": "2026-11-23", "currency": "EUR", "rate": "1",
            "buyer": {"name": "Ona Onaitė", "company": "AB X", "vat_code": "LT1", "country": "LT"},
            "ship_country": "LT", "payment": "Bank",
            "lines": [
                {
                    "kind": "goods", "name": "Notebook", "sku": "KN-01", "quantity": "1.5", "unit_price": "6.666667",
                    "discount": "0.00", "net": "10.00", "vat_rate": "21", "vat": "2.10",
                }
            ],
            "vat": [{"rate": "21", "code": "PVM1", "base": "10.00", "amount": "2.10", "amount_eur": "2.10"}],
            "rounding": "0.00", "total": "12.10", "credits": None,
            "findings": [
                {
                    "code": "item_unknown", "text": "SKU KN-01 on line 1 is not among the items.",
                    "fix": "Say which item SKU KN-01 is, for all invoices at once, or choose it on that line; or "
                    "import it with the items.",
                }
            ],
        }
    ]  # fmt: skip


def test_a_credit_note_is_negative_and_names_its_invoice(session: Session, tmp_path: Path) -> None:
    with writing(session):
        integration = an_integration(session)
        invoice = an_invoice_with_a_line(session, integration, "KL-1")
        an_invoice_with_a_line(
            session, integration, "KL-1-K1", sign=-1, kind=InvoiceKind.CREDIT_NOTE, credits_invoice_id=invoice.id
        )
    write(session, tmp_path / "x.json")
    note = json.loads((tmp_path / "x.json").read_text())[1]
    assert (note["kind"], note["total"], note["credits"]) == ("credit_note", "-12.10", "KL-1")
    assert note["lines"][0]["quantity"] == "-1.5"


def test_no_invoices_are_an_empty_list(session: Session, tmp_path: Path) -> None:
    assert write(session, tmp_path / "x.json").invoices == 0
    assert json.loads((tmp_path / "x.json").read_text()) == []


def test_a_file_holds_what_was_asked_for(session: Session, tmp_path: Path) -> None:
    with writing(session):
        kava, arbata = an_integration(session, "Kava"), an_integration(session, "Arbata")
        an_invoice_with_a_line(session, kava, "K-1", issue_date=date(2026, 10, 31))
        an_invoice_with_a_line(session, kava, "K-2", issue_date=date(2026, 11, 1), state=InvoiceState.IN_JOURNAL)
        an_invoice_with_a_line(session, arbata, "A-1", issue_date=date(2026, 11, 30))

    def numbers(**wanted: object) -> list[str]:
        write(session, tmp_path / "x.json", Wanted(**wanted))  # type: ignore[arg-type]
        return [one["number"] for one in json.loads((tmp_path / "x.json").read_text())]

    assert numbers() == ["K-1", "K-2", "A-1"]
    assert numbers(first=date(2026, 11, 1)) == ["K-2", "A-1"]
    assert numbers(first=date(2026, 11, 1), last=date(2026, 11, 29)) == ["K-2"]
    assert numbers(integration="ARBATA") == ["A-1"]
    assert numbers(state="registered") == ["K-1", "A-1"]
    for wrong in ({"integration": "Nobody"}, {"state": "lost"}):
        with pytest.raises(BrokenRule):
            numbers(**wrong)


def test_a_name_that_ends_otherwise_is_refused(session: Session, tmp_path: Path) -> None:
    with pytest.raises(BrokenRule, match=r"can't be written"):
        write(session, tmp_path / "x.pdf")
    with pytest.raises(BrokenRule, match=r"can't be written"):
        write(session, tmp_path / "no-folder" / "x.csv")


EVIL = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "\r=1", "＝1"]


@pytest.mark.parametrize("text", EVIL)
def test_a_text_that_a_spreadsheet_would_run_is_only_shown(text: str) -> None:
    assert cell(text) == f"'{text}"
    assert cell("Notebook = 5") == "Notebook = 5"


def test_a_csv_has_one_row_a_line_and_runs_nothing(session: Session, tmp_path: Path) -> None:
    with writing(session):
        integration = an_integration(session)
        an_invoice_with_a_line(session, integration, "KL-1", name='=HYPERLINK("http://evil")', sign=-1)
    assert write(session, tmp_path / "x.csv").rows == 1
    with (tmp_path / "x.csv").open(encoding="utf-8-sig", newline="") as file:
        row = next(csv.DictReader(file))
    assert row["name"] == '\'=HYPERLINK("http://evil")'
    assert (row["net"], row["vat_rate"], row["vat"], row["document_total"]) == ("-10.00", "21", "-2.10", "-12.10")
    assert row["vat_code_of_rate"] == "PVM1"


def test_a_workbook_has_text_as_text_and_amounts_as_numbers(session: Session, tmp_path: Path) -> None:
    with writing(session):
        integration = an_integration(session)
        invoice = an_invoice_with_a_line(session, integration, "0001", name="=1+1 \x08")
        session.add(
            InvoiceLine(
                invoice_id=invoice.id, position=2, kind="fee", name="Fee", quantity=Decimal(1),
                unit_price=Decimal("0.1"), discount=Decimal(0), net=Decimal("123456789.01"), vat_rate=None,
                vat=Decimal(0),
            )
        )  # fmt: skip
    assert write(session, tmp_path / "x.xlsx").rows == 2
    book = openpyxl.load_workbook(tmp_path / "x.xlsx")
    header, first, second = [[each.value for each in row] for row in book.worksheets[0].iter_rows()]
    one, other = dict(zip(header, first, strict=True)), dict(zip(header, second, strict=True))
    assert one["number"] == "0001"
    assert one["name"] == "=1+1 \ufffd"
    assert one["date"].date() == date(2026, 11, 23)
    assert (one["net"], one["document_total"]) == (10, 12.1)
    assert (other["net"], other["document_total"], other["vat_rate"]) == (123456789.01, None, None)
    book.close()


@contextmanager
def statements(engine: Engine) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        seen.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    yield seen
    event.remove(engine, "before_cursor_execute", note)


@sqlite_only
def test_a_page_costs_the_same_queries_whatever_its_size(
    session: Session, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "PAGE", 3)
    with writing(session):
        integration = an_integration(session)
        for number in range(7):
            an_invoice_with_a_line(session, integration, f"KL-{number}")
    with statements(engine) as seen:
        assert write(session, tmp_path / "x.json").invoices == 7
    selects = [one for one in seen if one.startswith("SELECT")]
    assert len(selects) == 3 * 4 + 1  # three pages of four, and the one that finds no more
