"""A return of OSS as a file: its rows as CSV, or a workbook with the documents and their evidence too."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from monet_web.domain.checks import money
from monet_web.services.documents.exports.oss_filed import plain
from monet_web.services.documents.exports.oss_rows import Evidence
from monet_web.services.documents.exports.safe import cell, sheet_cell

_HEADER = ("part", "quarter", "country", "rate", "base_eur", "vat_eur")
_EVIDENCE = (
    "document", "kind", "credits", "issued", "supplied", "quarter", "delivered_to", "buyer_in", "evidence", "rate",
    "currency", "base", "vat",
)  # fmt: skip

Rows = Sequence[Sequence[str]]


def write_evidence(found: Iterable[Evidence], path: Path) -> int:
    """The documents of a return as CSV; how many rows. Raises OSError."""
    rows = 0
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(_EVIDENCE)
        for rows, each in enumerate(found, start=1):  # noqa: B007 - it is the number of rows
            writer.writerow([cell(text) for text in _evidence_row(each)])
    return rows


def _write_csv(_quarter: str, rows: Rows, found: Iterable[Evidence], path: Path) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(_HEADER)
        writer.writerows([cell(text) if text[:1].isalpha() else text for text in row] for row in rows)
    for _ in found:  # the file does not hold them, but who takes it is told how many they are
        pass


def _write_xlsx(quarter: str, rows: Rows, found: Iterable[Evidence], path: Path) -> None:
    options = {
        "constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False,
    }  # fmt: skip
    # Loaded late: no start waits for a library of spreadsheets, and few requests need it.
    import xlsxwriter

    with path.open("wb") as file, xlsxwriter.Workbook(file, options) as book:
        amount = book.add_format({"num_format": "0.00####"})
        _sheet(book, quarter, _HEADER, rows, {3, 4, 5}, amount)
        _sheet(book, "Documents", _EVIDENCE, (_evidence_row(each) for each in found), {9, 11, 12}, amount)


def _sheet(
    book: Any, name: str, header: tuple[str, ...], rows: Iterable[Sequence[str]], figures: set[int], amount: Any
) -> None:
    sheet = book.add_worksheet(name)
    sheet.freeze_panes(1, 0)
    sheet.write_row(0, 0, header, book.add_format({"bold": True}))
    for written, row in enumerate(rows, start=1):
        for column, text in enumerate(row):
            if column in figures and text:
                sheet.write_number(written, column, Decimal(text), amount)
            else:
                sheet.write_string(written, column, sheet_cell(text))


def _evidence_row(one: Evidence) -> tuple[str, ...]:
    return (
        one.number, "credit_note" if one.is_credit_note else "invoice", one.credits_number, one.issued.isoformat(),
        one.supplied.isoformat(), str(one.quarter), one.country, one.buyer_country,
        "two pieces agree" if one.agrees else "delivery only", plain(one.rate), one.currency, money(one.base),
        money(one.vat),
    )  # fmt: skip


# By the ending of a file's name: what writes the rows of a return, and goes through all its documents.
WRITERS: Mapping[str, Callable[[str, Rows, Iterable[Evidence], Path], None]] = {
    ".csv": _write_csv,
    ".xlsx": _write_xlsx,
}
