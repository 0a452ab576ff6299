"""The sales journal of a month as CSV or XLSX, one row a day, store, payment method, VAT code and account."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from monet_web.domain.checks import money
from monet_web.domain.errors import BrokenRule
from monet_web.services.documents.exports.safe import cell, sheet_cell
from monet_web.services.documents.sales_journal import SalesJournal

COLUMNS = (
    "date", "store", "document", "payment", "entry", "account", "vat_code", "vat_rate", "documents", "debit", "credit",
    "currency",
)  # fmt: skip


def write(journal: SalesJournal, path: Path) -> None:
    """Write it to `path`; its ending says how. Raises BrokenRule."""
    writer = {".csv": _write_csv, ".xlsx": _write_xlsx}.get(path.suffix.casefold())
    if writer is None:
        raise BrokenRule(f"A file named {path.name} can't be written.", fix="Name it .csv or .xlsx.")
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        writer(journal, unfinished)
        unfinished.replace(path)
    except OSError as error:
        raise BrokenRule(
            f"{path} can't be written: {error.strerror or error}.", fix="Name a folder where you may write."
        ) from None
    finally:
        unfinished.unlink(missing_ok=True)


def _rows(journal: SalesJournal) -> Iterator[tuple[str, ...]]:
    for row in journal.rows:
        yield (
            row.day.isoformat(), row.store, "credit_note" if row.is_credit_note else "invoice", row.payment,
            row.part.value, row.account, row.code, row.rate, str(row.documents), money(row.debit), money(row.credit),
            "EUR",
        )  # fmt: skip


def _write_csv(journal: SalesJournal, path: Path) -> None:
    # The mark at the beginning tells spreadsheets that it is UTF-8.
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for row in _rows(journal):
            writer.writerow([*map(cell, row[:9]), *row[9:]])


def _write_xlsx(journal: SalesJournal, path: Path) -> None:
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    # Loaded late: no start waits for a library of spreadsheets, and few requests need it.
    import xlsxwriter

    with path.open("wb") as file, xlsxwriter.Workbook(file, options) as book:
        sheet, bold = book.add_worksheet(f"{journal.month:%Y-%m}"), book.add_format({"bold": True})
        day, amount = book.add_format({"num_format": "yyyy-mm-dd"}), book.add_format({"num_format": "0.00"})
        sheet.freeze_panes(1, 0)
        sheet.write_row(0, 0, COLUMNS, bold)
        for n, (row, texts) in enumerate(zip(journal.rows, _rows(journal), strict=True), start=1):
            sheet.write_datetime(n, 0, row.day, day)
            for column, text in enumerate(texts[1:8], start=1):
                sheet.write_string(n, column, sheet_cell(text))
            sheet.write_number(n, 8, row.documents)
            sheet.write_number(n, 9, row.debit, amount)
            sheet.write_number(n, 10, row.credit, amount)
            sheet.write_string(n, 11, "EUR")
        sheet.autofit()
