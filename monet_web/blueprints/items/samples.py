"""Files to begin with, also those of the settings: the columns that are read, and two rows of them."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping

Rows = tuple[tuple[str, ...], ...]

_TABLES: Mapping[str, Rows] = {
    "items": (
        ("code", "name", "kind", "keeps_stock", "unit", "barcode", "aliases"),
        ("KN-01", "Notebook A5, squared", "goods", "yes", "pcs", "4770000000017", "KN-1|KN01"),
        ("DEL", "Delivery", "service", "no", "", "", ""),
    ),
    "receipt": (
        ("code", "quantity", "warehouse", "date"),
        ("KN-01", "24", "MAIN", "2026-11-24"),
        ("KN-02", "-2", "", ""),
    ),
    "rates": (("date", "currency", "rate"), ("2026-11-24", "USD", "1.1527"), ("2026-11-24", "SEK", "11.02")),
    "numbers": (("number",), ("KL-1001",), ("KL-1002",)),
}
TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def made(name: str) -> bytes | None:
    """The file of that name (`items.csv`); None when there is no such sample."""
    table, _dot, kind = name.rpartition(".")
    if table not in _TABLES or kind not in TYPES:
        return None
    return _as_csv(_TABLES[table]) if kind == "csv" else _as_workbook(_TABLES[table])


def _as_csv(rows: Rows) -> bytes:
    written = io.StringIO(newline="")
    csv.writer(written).writerows(rows)
    # The mark at the beginning tells Excel that it is UTF-8.
    return written.getvalue().encode("utf-8-sig")


def _as_workbook(rows: Rows) -> bytes:
    written = io.BytesIO()
    # Loaded late: no start waits for a library of spreadsheets, and few requests need it.
    from xlsxwriter import Workbook

    book = Workbook(written, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    sheet = book.add_worksheet()
    sheet.freeze_panes(1, 0)
    for number, row in enumerate(rows):
        for column, text in enumerate(row):
            # As text, so that a code keeps its zeros and a barcode its digits.
            sheet.write_string(number, column, text)
    sheet.set_column(0, max(len(row) for row in rows) - 1, 18)
    book.close()
    return written.getvalue()
