"""Typed tables: what people save is read, and whatever else is in a file is refused in words."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monet_web.domain.errors import BrokenRule
from monet_web.services.books import tables


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1257"])
def test_files_of_every_usual_kind_are_read(delimiter: str, encoding: str) -> None:
    data = delimiter.join(("Code", "Name")) + "\r\n" + delimiter.join(("KN-01", "Sąsiuvinis š")) + "\r\n"
    rows = tables.read(data.encode(encoding), required=("code", "name"))
    assert [(row.number, dict(row.cells)) for row in rows] == [(2, {"code": "KN-01", "name": "Sąsiuvinis š"})]


def test_rows_are_counted_as_a_spreadsheet_counts_them() -> None:
    rows = tables.read(b'code\n\nA\n"B\nb"\n,\nC\n', required=("code",))
    assert [(row.number, row["code"]) for row in rows] == [(3, "A"), (4, "B\nb"), (6, "C")]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "empty"),
        (b"name\nX", "no column code"),
        (b"code,color\nX,red", "means nothing here: color"),
        (b"code,code\nX,Y", "twice"),
        (b'code\n"X', "can't be read as a table"),
        (b"PK\x03\x04", "workbook"),
        (b"code\nX\x00", "not a table"),
        (b"code\nX,Y", "1 row"),
    ],
)
def test_what_is_no_such_table_is_refused_in_words(data: bytes, said: str) -> None:
    with pytest.raises(BrokenRule, match=said):
        tables.read(data, required=("code",))


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12", "12"),
        ("0,5", "0.5"),
        ("1 234,50", "1234.50"),
        ("-3", "-3"),
        ("−3", "-3"),
        ("1\u00a0000", "1000"),
        (".5", ".5"),
    ],
)
def test_numbers_as_people_type_them(text: str, number: str) -> None:
    assert tables.number_of(text, example="1") == Decimal(number)


@pytest.mark.parametrize("text", ["", "x", "1,2,3", "1.234,5", "1e5", "nan", "inf", "٣", "0x1", "1" * 50])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(tables.Wrong, match="is not a number"):
        tables.number_of(text, example="1")


def test_a_file_with_many_mistakes_names_fifty_and_counts_the_rest() -> None:
    wrong = tables.WrongRows([(number, "No.") for number in range(2, 102)])
    assert "Row 51: No." in wrong.fix
    assert "… and 50 more." in wrong.fix


@given(st.binary(max_size=300))
def test_no_file_raises_anything_but_a_broken_rule(data: bytes) -> None:
    for head in (b"", b"code,quantity\n"):
        with suppress(BrokenRule):
            tables.read(head + data, required=("code", "quantity"))
