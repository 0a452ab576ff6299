"""Workbooks: what people save in Excel is read as a CSV file is; what a hostile one holds harms nobody."""

from __future__ import annotations

import io
import zipfile
from contextlib import suppress
from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from xlsxwriter import Workbook

from monet_web.domain.errors import BrokenRule
from monet_web.services.books import tables, workbooks
from tests.workbooks import a_workbook

SHEET = "xl/worksheets/sheet1.xml"


def replaced(data: bytes, name: str, part: bytes) -> bytes:
    """The same workbook with another part under that name."""
    written = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as new:
        for each in old.namelist():
            new.writestr(each, part if each == name else old.read(each))
    return written.getvalue()


def a_sheet(rows: str, *, before: str = "") -> bytes:
    """A workbook whose sheet is written by hand."""
    xml = (
        f'<?xml version="1.0"?>{before}<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        f'<dimension ref="A1:A1"/><sheetData>{rows}</sheetData></worksheet>'
    )
    return replaced(a_workbook(("code",)), SHEET, xml.encode())


def read(data: bytes) -> list[tuple[int, dict[str, str]]]:
    rows = tables.read(data, required=("code",), optional=("quantity", "date", "name"))
    return [(row.number, dict(row.cells)) for row in rows]


def test_cells_are_read_as_a_csv_file_has_them() -> None:
    data = a_workbook(
        ("Code", "Quantity", "Date", "Name"),
        (4771234567890, 1.1527, date(2026, 11, 24), " Sąsiuvinis\nA5 "),
        ("KN-01", 5.0, datetime(2026, 11, 24, 8, 30), True),  # noqa: DTZ001 - a cell knows no zone
        (),
        (1, 0.1 + 0.2, None, 0.00001),
    )
    assert read(data) == [
        (2, {"code": "4771234567890", "quantity": "1.1527", "date": "2026-11-24", "name": "Sąsiuvinis\nA5"}),
        (3, {"code": "KN-01", "quantity": "5", "date": "2026-11-24 08:30:00", "name": "yes"}),
        (5, {"code": "1", "quantity": "0.3", "date": "", "name": "0.00001"}),
    ]


def test_a_formula_is_refused_with_its_place_whatever_it_came_to_last() -> None:
    data = a_workbook(
        ("code", "quantity"),
        ("A", None),
        ("B", 2),
        then=lambda _book, sheet: sheet.write_formula("B2", "=1+1", None, 2),
    )
    with pytest.raises(tables.WrongRows) as refused:
        read(data)
    assert refused.value.rows == [(2, "B2 is a formula. Copy the cell and paste it as a value.")]


def test_an_error_of_a_cell_is_no_value() -> None:
    data = a_sheet('<row r="1"><c r="A1" t="str"><v>code</v></c></row><row r="2"><c r="A2" t="e"><v>#N/A</v></c></row>')
    with pytest.raises(tables.WrongRows, match="can't be used") as refused:
        read(data)
    assert refused.value.rows == [(2, "A2 shows #N/A. Type the value.")]


def test_the_first_sheet_that_can_be_seen_is_read() -> None:
    def hide_and_add(book: Workbook, sheet: Any) -> None:
        second = book.add_worksheet("Second")
        second.write(0, 0, "code")
        second.write(1, 0, "SEEN")
        second.activate()
        second.set_first_sheet()
        sheet.hide()

    assert read(a_workbook(("code",), ("HIDDEN",), then=hide_and_add)) == [(2, {"code": "SEEN"})]


def test_a_file_that_unpacks_to_too_much_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = a_sheet(f'<row r="1"><c r="A1" t="str"><v>{"A" * 3_000_000}</v></c></row>')
    assert len(bomb) < 20_000
    monkeypatch.setattr(workbooks, "MOST_UNPACKED", 2_000_000)
    monkeypatch.setattr("openpyxl.load_workbook", None)
    with pytest.raises(BrokenRule, match="unpacks to 2 MB; at most 1 are read"):
        read(bomb)


@pytest.mark.parametrize(
    "rows",
    [
        '<row r="999999999"><c r="A999999999" t="str"><v>X</v></c></row>',
        "".join(f'<row r="{n}"><c r="XFD{n}" t="str"><v>X</v></c></row>' for n in range(2, 300)),
    ],
    ids=["a row far down", "cells far to the right"],
)
def test_a_sheet_that_claims_to_be_endless_is_given_up(rows: str) -> None:
    with pytest.raises(BrokenRule, match="too large"):
        read(a_sheet('<row r="1"><c r="A1" t="str"><v>code</v></c></row>' + rows))


def test_cells_beyond_the_size_that_a_sheet_claims_are_not_lost() -> None:
    cells = '<row r="{0}"><c r="A{0}" t="str"><v>{1}</v></c><c r="B{0}" t="str"><v>{2}</v></c></row>'
    assert read(a_sheet(cells.format(1, "code", "name") + cells.format(3, "A", "B"))) == [
        (3, {"code": "A", "name": "B"})
    ]


def test_rows_beyond_the_limit_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbooks, "MOST_ROWS", 3)
    with pytest.raises(BrokenRule, match="more than 3 rows"):
        read(a_workbook(("code",), ("A",), ("B",), ("C",)))


def test_entities_are_not_expanded() -> None:
    laughs = '<!DOCTYPE w [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    data = a_sheet('<row r="1"><c r="A1" t="str"><v>&b;</v></c></row>', before=laughs)
    with pytest.raises(BrokenRule, match="can't be read as an Excel workbook"):
        read(data)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"PK\x05\x06" + bytes(18), "can't be read as an Excel workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512), r"old Excel workbook \(.xls\)"),
        (replaced(a_workbook(("code",)), SHEET, b"<worksheet"), "can't be read as an Excel workbook"),
        (a_workbook(), "is empty"),
        (a_workbook(("name",)), "no column code"),
    ],
)
def test_what_is_no_workbook_is_refused_in_words(data: bytes, said: str) -> None:
    with pytest.raises(BrokenRule, match=said):
        read(data)


WHOLE = a_workbook(("code", "quantity"), ("A", 1), ("B", 2.5))


@settings(max_examples=80)
@given(st.integers(0, len(WHOLE) - 1), st.binary(min_size=1, max_size=8))
def test_no_broken_workbook_raises_anything_but_a_broken_rule(at: int, junk: bytes) -> None:
    with suppress(BrokenRule):
        read(WHOLE[:at] + junk + WHOLE[at + len(junk) :])


def test_a_table_as_csv_keeps_its_row_numbers() -> None:
    data = a_workbook((), ("code", "name"), (), ("A", 'He said "a, b"\nand left'), ("B", ";"))
    assert read(tables.as_csv(data).encode()) == read(data)
    assert [number for number, _ in read(data)] == [4, 5]
