"""Customers as CSV or XLSX: the list that somebody looks at, one row a customer. Run it inside `reading(session)`."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from monet_web.models.customers import Customer, CustomerKey
from monet_web.services.customers import found
from monet_web.services.customers.found import Wanted
from monet_web.services.documents.exports.safe import cell, sheet_cell

COLUMNS = (
    "id", "name", "kind", "company_code", "vat_code", "email", "country", "address", "city", "postcode", "keys",
)  # fmt: skip
_AT_ONCE = 500
_SHEET_ROWS = 1_048_576  # what a sheet of a workbook holds


def rows(session: Session, wanted: Wanted) -> Iterator[dict[str, str]]:
    """Each customer that is looked for, by name; two queries for 500 of them."""
    every = found.each(session, wanted)
    while part := list(islice(every, _AT_ONCE)):
        keys = _keys(session, [customer.id for customer in part])
        for customer in part:
            yield _row(customer, keys.get(customer.id, []))


def export(session: Session, path: Path, wanted: Wanted) -> int:
    """Write them to `path`, which ends with .csv or .xlsx; how many there were."""
    return (_write_xlsx if path.suffix == ".xlsx" else _write_csv)(rows(session, wanted), path)


def _keys(session: Session, ids: list[int]) -> dict[int, list[str]]:
    keys: dict[int, list[str]] = {}
    for key in session.scalars(select(CustomerKey).where(CustomerKey.customer_id.in_(ids)).order_by(CustomerKey.id)):
        keys.setdefault(key.customer_id, []).append(f"{key.kind} {key.value}")
    return keys


def _row(customer: Customer, keys: list[str]) -> dict[str, str]:
    address: Mapping[str, str] = customer.address or {}
    return {
        "id": str(customer.id),
        "name": customer.name,
        "kind": "company" if customer.is_company else "person",
        "company_code": customer.company_code,
        "vat_code": customer.vat_code,
        "email": customer.email,
        "country": customer.country,
        "address": address.get("line", ""),
        "city": address.get("city", ""),
        "postcode": address.get("postcode", ""),
        "keys": "; ".join(keys),
    }


def _write_csv(found_rows: Iterator[dict[str, str]], path: Path) -> int:
    count = 0
    # The mark at the beginning tells spreadsheets that it is UTF-8.
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for row in found_rows:
            count += 1
            writer.writerow([cell(row[name]) for name in COLUMNS])
    return count


def _write_xlsx(found_rows: Iterator[dict[str, str]], path: Path) -> int:
    count = 0
    options = {
        "constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False,
    }  # fmt: skip
    # Loaded late: no start waits for a library of spreadsheets, and few requests need it.
    import xlsxwriter

    with path.open("wb") as file, xlsxwriter.Workbook(file, options) as book:
        bold = book.add_format({"bold": True})
        for row in found_rows:
            at = count % (_SHEET_ROWS - 1)
            if at == 0:
                sheet = book.add_worksheet()
                sheet.freeze_panes(1, 0)
                sheet.write_row(0, 0, COLUMNS, bold)
            count += 1
            for column, name in enumerate(COLUMNS):
                if row[name]:
                    sheet.write_string(at + 1, column, sheet_cell(row[name]))
        if not count:
            book.add_worksheet().write_row(0, 0, COLUMNS, bold)
    return count
