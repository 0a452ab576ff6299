"""Workbooks as people make them in Excel."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

from xlsxwriter import Workbook


def a_workbook(*rows: tuple[Any, ...], then: Callable[[Workbook, Any], None] = lambda _book, _sheet: None) -> bytes:
    """An XLSX file with one sheet of these rows."""
    written = io.BytesIO()
    book = Workbook(written, {"in_memory": True, "default_date_format": "yyyy-mm-dd"})
    sheet = book.add_worksheet("Items")
    for number, row in enumerate(rows):
        for column, value in enumerate(row):
            if value is not None:
                sheet.write(number, column, value)
    then(book, sheet)
    book.close()
    return written.getvalue()
