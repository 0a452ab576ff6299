"""A month's sales journal from the books: accounts of company and integration, files, the page."""

from __future__ import annotations

import csv
import io
from datetime import date
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest
from flask import Flask
from sqlalchemy import delete
from sqlalchemy.orm import Session

from monet_web.domain.errors import BrokenRule
from monet_web.domain.sales_journal import Part
from monet_web.models import Company, Integration, Invoice, InvoiceVat
from monet_web.models.base import reading, writing
from monet_web.models.invoices import InvoiceKind, InvoiceState
from monet_web.models.users import Role
from monet_web.services.documents import sales_journal
from monet_web.services.documents.exports import sales_journal as files
from monet_web.services.office import company
from tests.builders import NOON
from tests.services.test_pdf import a_document
from tests.web.integrating import browser

NOVEMBER = date(2026, 11, 1)
PAID = [{"method": "bacs", "title": "Bank", "kind": "prepaid", "amount": "12.10", "reference": ""}]


def filled(session: Session) -> None:
    """Two invoices and a credit note of November, one of December, one that waits."""
    with writing(session):
        first = a_document(session, number="KL-1", payments=PAID, payment="Bank")
        order = session.get_one(Invoice, first).store_order_id
        a_document(session, number="KL-2", line={"kind": "shipping"}, payment="=1+1")
        note = {"net": Decimal(-10), "vat": Decimal("-2.10"), "total": Decimal("-12.10"), "net_eur": Decimal(-10)}
        euro = {"vat_eur": Decimal("-2.10"), "total_eur": Decimal("-12.10"), "kind": InvoiceKind.CREDIT_NOTE}
        line = {"net": Decimal(-10), "vat": Decimal("-2.10")}
        of = {"credits_invoice_id": first, "store_order_id": order, "payment": "", **note, **euro}
        a_document(session, number="KL-1-K1", line=line, **of)  # type: ignore[arg-type]
        a_document(session, number="KL-3", issue_date=date(2026, 12, 1))
        a_document(session, number="KL-4", state=InvoiceState.IN_JOURNAL)


def loaded(session: Session) -> sales_journal.SalesJournal:
    with reading(session):
        return sales_journal.load(session, NOVEMBER)


def test_the_month_is_booked_by_the_accounts_of_company_and_integration(session: Session) -> None:
    filled(session)
    with writing(session):
        session.get_one(Company, 1).prepaid_account = "2715"
        session.get_one(Integration, session.get_one(Invoice, 2).integration_id).settings = {"charges_account": "5009"}
    found = loaded(session)
    assert (found.invoices, found.credit_notes, found.waiting) == (2, 1, 1)
    assert found.debit == Decimal("36.30")
    rows = [(part.value, account, code, debit, credit) for part, account, code, _, debit, credit in found.by_account]
    assert rows == [
        ("payment", "2410", "", Decimal("12.10"), Decimal(0)),
        ("payment", "2715", "", Decimal("12.10"), Decimal("12.10")),
        ("sales", "5001", "PVM1", Decimal(10), Decimal(10)),
        ("sales", "5009", "PVM1", Decimal(0), Decimal(10)),
        ("vat", "4492", "PVM1", Decimal("2.10"), Decimal("4.20")),
    ]


@pytest.mark.parametrize(("account", "debited"), [("2720", "2720"), ("", "2410")])
def test_cash_with_a_till_s_receipt_is_debited_on_the_account_of_cash(
    session: Session, account: str, debited: str
) -> None:
    company.set_values(session, {"prepaid_account": "2715", "cash_account": account}, now=NOON, actor="ona")
    with writing(session):
        a_document(session, payments=[{**PAID[0], "kind": "cash_with_receipt"}], payment="Till")
    paid = [(row.account, row.debit) for row in loaded(session).rows if row.part is Part.PAYMENT]
    assert paid == [(debited, Decimal("12.10"))]


def test_the_files_hold_every_row_and_no_formula(session: Session, tmp_path: Path) -> None:
    filled(session)
    found = loaded(session)
    for name in ("a.csv", "a.xlsx"):
        files.write(found, tmp_path / name)
    with (tmp_path / "a.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(found.rows)
    assert sum((Decimal(row["debit"]) for row in rows), Decimal(0)) == Decimal("36.30")
    assert sum((Decimal(row["credit"]) for row in rows), Decimal(0)) == Decimal("36.30")
    assert {row["payment"] for row in rows} == {"Bank", "'=1+1"}
    assert {(row["document"], row["entry"]) for row in rows if row["debit"] != "0.00"} == {
        ("invoice", "payment"), ("credit_note", "sales"), ("credit_note", "vat"),
    }  # fmt: skip
    sheet = openpyxl.load_workbook(tmp_path / "a.xlsx").active
    assert sheet is not None
    cells = list(sheet.iter_rows(values_only=True))
    assert cells[0] == files.COLUMNS
    assert len(cells) == len(rows) + 1
    assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)
    with pytest.raises(BrokenRule, match=r"A file named a\.pdf"):
        files.write(found, tmp_path / "a.pdf")


def test_a_currency_document_without_euro_stops_it_by_name(session: Session) -> None:
    with writing(session):
        a_document(session, number="KL-1", currency="USD", net_eur=None, vat_eur=None, total_eur=None, eur_rate=None)
    with pytest.raises(BrokenRule, match="KL-1"):
        loaded(session)


def test_figures_that_contradict_each_other_are_no_journal(session: Session) -> None:
    with writing(session):
        id_ = a_document(session, number="KL-1", lines=0)
        invoice = session.get_one(Invoice, id_)
        session.execute(delete(InvoiceVat))
        invoice.net_eur, invoice.vat_eur, invoice.total_eur = Decimal(10), Decimal(0), Decimal(10)
    with pytest.raises(BrokenRule, match="contradict each other, so that nothing balances: KL-1"):
        loaded(session)


def test_the_page_and_its_files(app: Flask, session: Session) -> None:
    filled(session)
    client = browser(app, session, Role.VIEWER)
    page = client.get("/reports/sales-journal?month=2026-11").get_data(as_text=True)
    assert "36.30" in page
    assert "One document dated in it still waits" in page
    answer = client.get("/reports/sales-journal.csv?month=2026-11")
    assert "sales-journal-2026-11.csv" in answer.headers["Content-Disposition"]
    assert len(list(csv.reader(io.StringIO(answer.get_data(as_text=True))))) > 5
    answer.close()
    empty = client.get("/reports/sales-journal?month=2025-01").get_data(as_text=True)
    assert "Nothing is registered in it." in empty
