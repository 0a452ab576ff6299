"""XLSX workbooks as tables of text: the first visible sheet, nothing calculated, nothing unpacked past its limit."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from monet_web.domain.errors import BrokenRule

# A zip of some kilobytes may hold gigabytes. Reading stops at the sizes it declares, so these can be believed.
MOST_UNPACKED = 128 * 1024 * 1024
MOST_PARTS = 1000
MOST_ROWS = 200_000
_MOST_CELLS = 4_000_000  # also those that a far-off cell makes openpyxl fill in
_LAST_ROW = 1_048_576  # of a sheet, whatever a row says of itself
_FORMULA, _ERROR = "f", "e"

Record = tuple[int, list[str]]


def is_workbook(data: bytes) -> bool:
    """True for XLSX, and for whatever else is a zip."""
    return data.startswith((b"PK\x03\x04", b"PK\x05\x06"))


def records(data: bytes) -> tuple[list[Record], list[tuple[int, str]]]:
    """(row number, cells as trimmed text) of every row that is not empty, and cells that can't be used, by row.

    A formula can't: what it comes to is known to the program that wrote the file, not to this one. Raises BrokenRule.
    """
    # Loaded late: no start waits for a library of spreadsheets, and few requests need it.
    from openpyxl import load_workbook

    _refuse_bombs(data)
    try:
        book = load_workbook(io.BytesIO(data), read_only=True, keep_links=False)
    except Exception:  # noqa: BLE001 - the file is anybody's, and openpyxl says in many ways that it is broken
        raise _unreadable() from None
    try:
        sheet = next((one for one in book.worksheets if one.sheet_state == "visible"), None)
        if sheet is None:
            return [], []
        sheet.reset_dimensions()  # what a file says of its size may be wrong, and cells beyond it would be lost
        return _read(sheet.iter_rows())
    except BrokenRule:
        raise
    except Exception:  # noqa: BLE001 - the same; a sheet is only opened when its rows are asked for
        raise _unreadable() from None
    finally:
        book.close()


def _unreadable() -> BrokenRule:
    return BrokenRule(
        "The file can't be read as an Excel workbook.", fix="Save it as “Excel workbook (.xlsx)” or “CSV UTF-8” again."
    )


def _refuse_bombs(data: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
        raise _unreadable() from None
    unpacked = sum(part.file_size for part in parts)
    if unpacked > MOST_UNPACKED or len(parts) > MOST_PARTS:
        raise BrokenRule(
            f"The workbook unpacks to {unpacked // 1024 // 1024} MB; at most {MOST_UNPACKED // 1024 // 1024} are read.",
            fix="Copy the rows that are needed into a new workbook, or save the sheet as “CSV UTF-8”.",
        )


def _read(rows: Iterable[tuple[Any, ...]]) -> tuple[list[Record], list[tuple[int, str]]]:
    from openpyxl.utils import get_column_letter

    found: list[Record] = []
    wrong: list[tuple[int, str]] = []
    for number, cells in _counted(rows):
        texts: list[str] = []
        for column, cell in enumerate(cells, start=1):
            if cell.data_type in (_FORMULA, _ERROR):
                wrong.append((number, _unusable(f"{get_column_letter(column)}{number}", cell)))
            texts.append(_text(cell.value))
        if any(texts):
            found.append((number, texts))
        if len(found) > MOST_ROWS:
            raise BrokenRule(
                f"The sheet has more than {MOST_ROWS:,} rows.", fix="Split it into several files, each with the header."
            )
    return found, wrong


def _counted(rows: Iterable[tuple[Any, ...]]) -> Iterator[tuple[int, tuple[Any, ...]]]:
    cells = 0
    for number, row in enumerate(rows, start=1):
        cells += len(row)
        if number > _LAST_ROW or cells > _MOST_CELLS:
            raise BrokenRule(
                "The sheet is too large to be read.", fix="Copy the rows that are needed into a new workbook."
            )
        if row:
            yield number, row


def _unusable(place: str, cell: Any) -> str:
    if cell.data_type == _ERROR:
        return f"{place} shows {cell.value}. Type the value."
    return f"{place} is a formula. Copy the cell and paste it as a value."


def _text(value: Any) -> str:
    """A cell as CSV would have it."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case float():
            # The shortest text that means this number is what was typed; 1E-05 is written out.
            return f"{Decimal(repr(value)).normalize():f}"
        case datetime():
            at_midnight = value.time() == datetime.min.time()
            return value.date().isoformat() if at_midnight else value.isoformat(sep=" ")
        case date():
            return value.isoformat()
        case _:
            return str(value).strip()
