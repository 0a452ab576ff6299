"""Documents and reports on the command line: a PDF, the logo, the sales journal, the numbers."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from pypdf import PdfReader
from sqlalchemy import update
from sqlalchemy.orm import Session

from monet_web.models import Run
from monet_web.models.base import writing
from monet_web.models.runs import RunState
from tests.cli.conftest import Monet
from tests.cli.test_credits import add, bring, fresh
from tests.services.scripted import ScriptedStore, put
from tests.services.test_logo import a_picture


def brought(monet: Monet, store: type[ScriptedStore]) -> None:
    """Two registered invoices of yesterday, with a number missing between them."""
    add(monet)
    put(store, fresh(), fresh(external_id="9003", number="1003"))
    bring(monet)


def test_a_document_is_written_as_pdf_with_the_logo(
    monet: Monet, store: type[ScriptedStore], books: Session, tmp_path: Path
) -> None:
    brought(monet, store)
    (tmp_path / "logo.png").write_bytes(a_picture())
    monet("company", "set", "name=UAB Pavyzdys", "vat_code=LT100001919017", "address=Kaunas", "language=lt")
    assert "The logo is kept." in monet("company", "logo", tmp_path / "logo.png").output
    target = tmp_path / "one.pdf"
    done = monet("invoices", "pdf", "kl-1001", "--to", target)
    assert f"VAT invoice KL-1001 written to {target}." in done.output
    page = PdfReader(target).pages[0]
    assert "PVM sąskaita faktūra" in page.extract_text()
    assert "UAB Pavyzdys" in page.extract_text()
    assert len(page.images) == 1
    monet("invoices", "pdf", "KL-1001", "--language", "both", "--to", target)
    assert "VAT invoice" in PdfReader(target).pages[0].extract_text()
    assert "No document has the number KL-7." in monet("invoices", "pdf", "KL-7", code=2).output
    assert "can't be written" in monet("invoices", "pdf", "KL-1001", "--to", tmp_path / "no" / "a.pdf", code=2).output
    assert "no logo from now on" in monet("company", "logo", "--remove").output
    assert "There was none." in monet("company", "logo", "--remove").output
    monet("company", "logo", code=2)


def test_the_sales_journal_of_a_month_is_written(
    monet: Monet, store: type[ScriptedStore], books: Session, tmp_path: Path
) -> None:
    brought(monet, store)
    month = f"{fresh().placed_at:%Y-%m}"
    done = monet("reports", "sales-journal", month, tmp_path / "a.csv")
    assert "24.20 EUR debited and as much credited." in done.output
    with (tmp_path / "a.csv").open(encoding="utf-8-sig") as file:
        assert {row["account"] for row in csv.DictReader(file)} == {"2410", "5001", "4492"}
    assert "Name it .csv or .xlsx" in monet("reports", "sales-journal", month, tmp_path / "a.pdf", code=2).output
    monet("reports", "sales-journal", "November", tmp_path / "a.csv", code=2)


def test_the_numbers_of_a_month_are_explained(monet: Monet, store: type[ScriptedStore], books: Session) -> None:
    brought(monet, store)
    month = f"{fresh().placed_at:%Y-%m}"
    said = monet("reports", "numbers", month).output
    assert "KL: KL-1001 to KL-1003, 2 documents" in said
    assert "KL-1002: the store has no order with this number: all it has of" in said
    (series,) = json.loads(monet("reports", "numbers", month, "--json").output)
    assert [(one["first"], one["why"]) for one in series["missing"]] == [("KL-1002", "not_in_store")]
    assert series["missing"][0]["explained"] is True
    with writing(books):
        books.execute(update(Run).values(state=RunState.FAILED))
    assert "KL-1002: NOT EXPLAINED, no order with this number came" in monet("reports", "numbers", month, code=1).output
    assert "Nothing is registered in it." in monet("reports", "numbers", "2020-01").output


def test_doctor_says_whether_documents_can_be_drawn(monet: Monet) -> None:
    parts = {one["part"]: one for one in json.loads(monet("doctor", "--json", code=1).output)}
    assert parts["documents"] == {
        "part": "documents", "well": True, "text": "Invoices can be drawn as PDF.", "fix": None,
    }  # fmt: skip
