"""`monet reports oss`: filing a quarter, what changed since, and a file that was not handed in."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from sqlalchemy.orm import Session

from monet_web.models.base import writing
from tests.builders import an_integration
from tests.cli.conftest import Monet
from tests.services.filed import a_document


def sold(books: Session, number: str, day: date) -> None:
    with writing(books):
        a_document(
            books, an_integration(books, f"KL {number}"), number, [("24", "PVM15", "10.00", "2.40")], treatment="oss",
            ship_country="EE", buyer={"country": "EE"}, issue_date=day, supply_date=day,
        )  # fmt: skip
    books.expunge_all()


def test_a_filed_quarter_stays_and_its_changes_are_the_next_one_s(monet: Monet, books: Session, tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    sold(books, "KL-1", date(2025, 12, 1))
    monet("reports", "oss", "2025-Q4", file)
    sold(books, "KL-2", date(2025, 12, 2))
    said = monet("reports", "oss", "2025-Q4").output
    assert "by command line." in said
    assert "EE       24 %      10.00      2.40" in said
    assert "Changed since, EE: 2.40 EUR of VAT, a correction of 2026-Q1." in said
    assert "Correction of 2025-Q4, EE: 2.40 EUR." in monet("reports", "oss", "2026-Q1").output
    assert "2026-Q1 was not taken here" in monet("reports", "oss", "2026-Q2").output
    monet("reports", "oss", "2025-Q4", file)
    assert file.read_text("utf-8-sig").splitlines()[1] == "supply,2025-Q4,EE,24,10.00,2.40"
    monet("reports", "oss", "2025-Q4", file, "--anew")
    assert file.read_text("utf-8-sig").splitlines()[1] == "supply,2025-Q4,EE,24,20.00,4.80"
    monet("reports", "oss", "2026-Q1", file)
    refused = monet("reports", "oss", "2025-Q4", file, "--anew", code=2).output
    assert "2026-Q1 was taken after 2025-Q4" in refused
    assert "Name it." in monet("reports", "oss", "2025-Q4", "--anew", code=2).output
