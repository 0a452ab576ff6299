"""`monet reports`: a month before its filing, i.SAF and OSS as files, exit codes."""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from monet_web.models import Company
from monet_web.models.base import reading, writing
from monet_web.models.filings import Filing
from monet_web.models.invoices import InvoiceState
from tests.builders import an_integration
from tests.cli.conftest import Monet
from tests.services.filed import AT_HOME, COMPANY, Row, a_document

MONTH = "2026-10"
IN_MONTH = date(2026, 10, 15)
NS = {"i": "http://www.vmi.lt/cms/imas/isaf"}


@pytest.fixture(autouse=True)
def company(books: Session) -> None:
    with writing(books):
        books.execute(update(Company).values(**COMPANY))


def put(books: Session, number: str, *rows: Row, **changes: Any) -> None:
    with writing(books):
        integration = an_integration(books, f"KL {number}")
        plain: dict[str, Any] = {"issue_date": IN_MONTH, **changes}
        a_document(books, integration, number, rows or (AT_HOME,), **plain)
    books.expunge_all()


def test_a_file_is_checked_and_written_with_what_was_said_once(monet: Monet, books: Session, tmp_path: Path) -> None:
    put(books, "KL-1")
    assert "The part's name is not said yet." in monet("reports", "isaf", MONTH, code=1).output
    said = monet("reports", "isaf", MONTH, "--part", "epard").output
    assert "PVM1      10.00      2.10" in said
    assert "1 invoice, 0 credit notes; 0 would be refused." in said
    done = monet("reports", "isaf", MONTH, tmp_path / "x.xml").output
    content = (tmp_path / "x.xml").read_bytes()
    assert f"1 document written to {tmp_path / 'x.xml'}." in done.replace("\n", " ")
    assert f"SHA-256 {hashlib.sha256(content).hexdigest()}" in done
    assert etree.fromstring(content).xpath("//i:PartNumber/text()", namespaces=NS) == ["EPARD"]
    with reading(books):
        assert books.scalars(select(Filing.made_by)).all() == ["command line"]
    put(books, "KL-2")
    assert "Since the last i.SAF was taken: 1 new, 0 other, 0 gone." in monet("reports", "isaf", MONTH).output


def test_what_would_be_refused_is_said_and_left_out_only_when_asked(
    monet: Monet, books: Session, tmp_path: Path
) -> None:
    put(books, "KL-1", ("12", "", "10.00", "1.20"))
    monet("reports", "isaf", MONTH, "--part", "EPARD", code=1)
    said = monet("reports", "isaf", MONTH, code=1).output
    assert f"KL-1 of {IN_MONTH}: Its amount at 12 % has no classifier code." in said
    assert "first KL-1" in monet("reports", "isaf", MONTH, tmp_path / "x.xml", code=2).output
    assert not (tmp_path / "x.xml").exists()
    done = monet("reports", "isaf", MONTH, tmp_path / "x.xml", "--without-refused").output
    assert "0 documents, 1 left out written to" in done


def test_oss_is_shown_and_written(monet: Monet, books: Session, tmp_path: Path) -> None:
    put(books, "KL-1", ("24", "PVM15", "10.00", "2.40"), treatment="oss", ship_country="EE", buyer={"country": "EE"})
    assert "EE       24 %      10.00      2.40" in monet("reports", "oss", "2026-Q4").output
    monet("reports", "oss", "2026-Q4", tmp_path / "x.csv", "--documents", tmp_path / "d.csv")
    assert (tmp_path / "x.csv").read_text("utf-8-sig").splitlines()[1] == "supply,2026-Q4,EE,24,10.00,2.40"
    assert (tmp_path / "d.csv").read_text("utf-8-sig").splitlines()[1].startswith("KL-1,invoice,,2026-10-15")
    put(books, "KL-2", ("24", "PVM15", "9.00", "2.16"), treatment="oss", ship_country="EE", currency="USD")
    missing = monet("reports", "oss", "2026-Q4", code=1).output
    assert "The rate of USD published on 2026-12-31 is missing" in missing


def test_a_month_says_what_stands_open_and_closes_when_clean_or_with_a_reason(monet: Monet, books: Session) -> None:
    monet("reports", "isaf", MONTH, "--part", "EPARD")
    assert "October 2026: open.\nNothing stands open." in monet("reports", "month", MONTH).output
    put(books, "KL-1", state=InvoiceState.IN_JOURNAL)
    said = monet("reports", "month", MONTH, code=1).output
    assert "1 document waits with 2.10 EUR of VAT: monet journals list" in said
    refused = monet("reports", "month", MONTH, "--close", code=2).output
    assert "October 2026 is not clean: 1 of its points stand open." in refused
    assert "Closed until 2026-10-31." in monet("reports", "month", MONTH, "--close", "--reason", "late").output
    assert "October 2026: closed." in monet("reports", "month", MONTH, code=1).output


@pytest.mark.parametrize(
    "arguments", [("month", "2026"), ("month", "2026-10", "--reason", "x"), ("isaf", "x"), ("oss", "2026-10")]
)
def test_what_is_typed_wrong_is_said(monet: Monet, arguments: tuple[str, ...]) -> None:
    monet("reports", *arguments, code=2)


def test_months_before_this_isaf_are_refused(monet: Monet) -> None:
    assert "i.SAF 1.2 begins with September 2016." in monet("reports", "isaf", "2016-08", code=2).output
