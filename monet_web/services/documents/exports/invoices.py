"""Invoices as JSON, CSV or XLSX (I3): read by keyset pages, so that memory and queries a page stay the same.

JSON has one object an invoice; the tables one row a line. Run it inside `reading(session)`.
"""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, select
from sqlalchemy.orm import Session, aliased

from monet_web.domain.checks import money, plain
from monet_web.domain.errors import BrokenRule
from monet_web.domain.findings import Finding, describe
from monet_web.models.integrations import Integration, IntegrationState
from monet_web.models.invoices import Invoice, InvoiceFinding, InvoiceLine, InvoiceState, InvoiceVat
from monet_web.services.books.numbers import number_key
from monet_web.services.documents.exports.safe import cell, sheet_cell

PAGE = 500
_SHEET_ROWS = 1_048_576  # what a sheet of a workbook holds
# A workbook keeps numbers as binary fractions; up to this size 15 digits hold every ten-thousandth exactly.
_LARGEST_IN_SHEET = Decimal(10) ** 11

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which invoices: issued from `first` to `last` (both included), of one integration, in one state; None: all.

    `conditions` narrow them further: those of a list that somebody looks at.
    """

    first: date | None = None
    last: date | None = None
    integration: str | None = None
    state: str | None = None
    language: str = "en"
    conditions: tuple[ColumnElement[bool], ...] = ()


@dataclass(slots=True)
class Exported:
    """How many were written."""

    invoices: int = 0
    rows: int = 0


def export(session: Session, path: Path, wanted: Wanted) -> Exported:
    """Write the invoices to `path`; its ending says how. The file appears when it is whole. Raises BrokenRule."""
    writer = _WRITERS.get(path.suffix.casefold())
    if writer is None:
        raise BrokenRule(f"A file named {path.name} can't be written.", fix="Name it .csv, .xlsx or .json.")
    found = documents(session, wanted)
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        exported = writer(found, unfinished)
        unfinished.replace(path)
    except OSError as error:
        raise BrokenRule(
            f"{path} can't be written: {error.strerror or error}.", fix="Name a folder where you may write."
        ) from None
    finally:
        unfinished.unlink(missing_ok=True)
    return exported


def documents(session: Session, wanted: Wanted) -> Iterator[Document]:
    """The invoices in order of their making, each as the JSON export writes it. Five queries a page of 500.

    Raises BrokenRule for an unknown integration or state, before the first page.
    """
    query = _query(session, wanted)

    def pages() -> Iterator[Document]:
        after = 0
        while True:
            rows = session.execute(query.where(Invoice.id > after).limit(PAGE)).all()
            if not rows:
                return
            yield from _page(session, rows, wanted.language)
            after = rows[-1].id

    return pages()


# --- reading ----------------------------------------------------------------------------------------------------


def _query(session: Session, wanted: Wanted) -> Select[Any]:
    credited = aliased(Invoice)
    columns = [
        column for column in Invoice.__table__.columns if column.name not in ("search_text", "note", "touched_by")
    ]
    query = (
        select(*columns, Integration.name.label("integration"), credited.number.label("credits"))
        .join(Integration, Integration.id == Invoice.integration_id)
        .outerjoin(credited, credited.id == Invoice.credits_invoice_id)
        .order_by(Invoice.id)
    )
    if wanted.first is not None:
        query = query.where(Invoice.issue_date >= wanted.first)
    if wanted.last is not None:
        query = query.where(Invoice.issue_date <= wanted.last)
    if wanted.integration is not None:
        query = query.where(Invoice.integration_id.in_(_integrations(session, wanted.integration)))
    if wanted.state is not None:
        try:
            query = query.where(Invoice.state == InvoiceState(wanted.state))
        except ValueError:
            states = ", ".join(state.value for state in InvoiceState)
            raise BrokenRule(f"“{wanted.state}” is not a state.", fix=f"Type one of: {states}.") from None
    return query.where(*wanted.conditions)


def _integrations(session: Session, name: str) -> list[int]:
    """The integrations of that name, retired ones too: their documents stay."""
    rows = session.execute(select(Integration.id, Integration.name, Integration.name_key, Integration.state)).all()
    found = [row.id for row in rows if row.name_key == number_key(name)]
    if not found:
        names = ", ".join(sorted(row.name for row in rows if row.state is not IntegrationState.RETIRED))
        raise BrokenRule(f"There is no integration named “{name}”.", fix=f"Names: {names}." if names else "")
    return found


def _page(session: Session, rows: Sequence[Row[Any]], language: str) -> Iterator[Document]:
    ids = [row.id for row in rows]
    lines = _of(session, select(InvoiceLine.__table__).order_by(InvoiceLine.position), InvoiceLine.invoice_id, ids)
    vat = _of(session, select(InvoiceVat.__table__).order_by(InvoiceVat.id), InvoiceVat.invoice_id, ids)
    findings = select(
        InvoiceFinding.invoice_id, InvoiceFinding.code, InvoiceFinding.subject, InvoiceFinding.values.label("said")
    )
    found = _of(session, findings.order_by(InvoiceFinding.id), InvoiceFinding.invoice_id, ids)
    for row in rows:
        yield _document(row, lines[row.id], vat[row.id], [_finding(each, language) for each in found[row.id]])


def _of(session: Session, query: Select[Any], key: Any, ids: Sequence[int]) -> dict[int, list[Row[Any]]]:
    by_invoice: dict[int, list[Row[Any]]] = defaultdict(list)
    for row in session.execute(query.where(key.in_(ids))):
        by_invoice[row.invoice_id].append(row)
    return by_invoice


def _document(
    row: Row[Any], lines: Sequence[Row[Any]], vat: Sequence[Row[Any]], findings: Sequence[Mapping[str, str]]
) -> Document:
    return {
        "number": row.number,
        "kind": row.kind.value,
        "state": row.state.value,
        "integration": row.integration,
        "external_id": row.external_id,
        "order_number": row.order_number,
        "date": row.issue_date.isoformat(),
        "supply_date": row.supply_date.isoformat(),
        "currency": row.currency,
        "rate": None if row.eur_rate is None else plain(row.eur_rate),
        "buyer": {"name": row.buyer_name, **{key: text for key, text in row.buyer.items() if key != "name" or text}},
        "ship_country": row.ship_country,
        "payment": row.payment,
        "lines": [
            {
                "kind": line.kind,
                "name": line.name,
                "sku": line.sku,
                "quantity": plain(line.quantity),
                "unit_price": money(line.unit_price),
                "discount": money(line.discount),
                "net": money(line.net),
                "vat_rate": _rate(line.vat_rate),
                "vat": money(line.vat),
            }
            for line in lines
        ],
        "vat": [
            {
                "rate": _rate(one.rate),
                "code": one.code,
                "base": money(one.base),
                "amount": money(one.amount),
                "amount_eur": None if one.amount_eur is None else money(one.amount_eur),
            }
            for one in vat
        ],
        "rounding": money(row.rounding),
        "total": money(row.total),
        "credits": row.credits,
        "findings": findings,
    }


def _rate(rate: Decimal | None) -> str | None:
    return None if rate is None else plain(rate)  # None: no tax, which is not 0 %


def _finding(row: Row[Any], language: str) -> dict[str, str]:
    text = describe(Finding(row.code, row.subject, row.said), language)
    return {"code": row.code, "text": text.wrong, "fix": text.fix}


# --- JSON -------------------------------------------------------------------------------------------------------


def _write_json(found: Iterator[Document], path: Path) -> Exported:
    exported = Exported()
    with path.open("w", encoding="utf-8") as file:
        file.write("[")
        for one in found:
            file.write(",\n" if exported.invoices else "\n")
            json.dump(one, file, ensure_ascii=False)
            exported.invoices += 1
            exported.rows += len(one["lines"])
        file.write("\n]\n")
    return exported


# --- tables -----------------------------------------------------------------------------------------------------

_TEXT, _DAY, _AMOUNT = "text", "day", "amount"
# Figures of the whole document stand on its first row only, so that a column can be summed.
_COLUMNS: tuple[tuple[str, str], ...] = (
    ("number", _TEXT), ("kind", _TEXT), ("state", _TEXT), ("integration", _TEXT), ("external_id", _TEXT),
    ("order_number", _TEXT), ("date", _DAY), ("supply_date", _DAY), ("currency", _TEXT), ("rate", _TEXT),
    ("buyer", _TEXT), ("company_code", _TEXT), ("vat_code", _TEXT), ("country", _TEXT), ("ship_country", _TEXT),
    ("payment", _TEXT), ("line", _AMOUNT), ("line_kind", _TEXT), ("name", _TEXT), ("sku", _TEXT),
    ("quantity", _AMOUNT), ("unit_price", _AMOUNT), ("discount", _AMOUNT), ("net", _AMOUNT), ("vat_rate", _AMOUNT),
    ("vat_code_of_rate", _TEXT), ("vat", _AMOUNT), ("document_base", _AMOUNT), ("document_vat", _AMOUNT),
    ("document_vat_eur", _AMOUNT), ("document_rounding", _AMOUNT), ("document_total", _AMOUNT), ("credits", _TEXT),
    ("findings", _TEXT),
)  # fmt: skip


def _table_rows(one: Document) -> Iterator[dict[str, str]]:
    buyer = one["buyer"]
    codes = {vat["rate"]: vat["code"] for vat in one["vat"]}
    every = {
        **{key: one[key] or "" for key, _ in _COLUMNS[:10]},
        "buyer": buyer.get("company") or buyer["name"],
        "company_code": buyer.get("company_code", ""),
        "vat_code": buyer.get("vat_code", ""),
        "country": buyer.get("country", ""),
        "ship_country": one["ship_country"],
        "payment": one["payment"],
        "credits": one["credits"] or "",
        "findings": " ".join(finding["text"] for finding in one["findings"]),
    }
    in_eur = [vat["amount_eur"] for vat in one["vat"]]
    first = {
        "document_base": _sum(vat["base"] for vat in one["vat"]),
        "document_vat": _sum(vat["amount"] for vat in one["vat"]),
        "document_vat_eur": "" if None in in_eur else _sum(in_eur),
        "document_rounding": one["rounding"],
        "document_total": one["total"],
    }
    for position, line in enumerate(one["lines"] or [None], start=1):
        row = dict(every) | (first if position == 1 else {})
        if line is not None:
            row |= {
                "line": str(position), "line_kind": line["kind"], "name": line["name"], "sku": line["sku"],
                "quantity": line["quantity"], "unit_price": line["unit_price"], "discount": line["discount"],
                "net": line["net"], "vat_rate": line["vat_rate"] or "", "vat": line["vat"],
                "vat_code_of_rate": codes.get(line["vat_rate"], ""),
            }  # fmt: skip
        yield row


def _sum(amounts: Iterator[str] | Sequence[str]) -> str:
    return money(sum((Decimal(amount) for amount in amounts), Decimal(0)))


def _write_csv(found: Iterator[Document], path: Path) -> Exported:
    exported = Exported()
    # The mark at the beginning tells spreadsheets that it is UTF-8.
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([key for key, _ in _COLUMNS])
        for one in found:
            exported.invoices += 1
            for row in _table_rows(one):
                exported.rows += 1
                writer.writerow([_csv_cell(row.get(key, ""), kind) for key, kind in _COLUMNS])
    return exported


def _csv_cell(text: str, kind: str) -> str:
    return cell(text) if kind == _TEXT else text


def _write_xlsx(found: Iterator[Document], path: Path) -> Exported:
    exported = Exported()
    options = {
        "constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False,
    }  # fmt: skip
    # Loaded late: no start waits for a library of spreadsheets, and few requests need it.
    import xlsxwriter

    with path.open("wb") as file, xlsxwriter.Workbook(file, options) as book:
        sheet = _Sheet(book)
        for one in found:
            exported.invoices += 1
            for row in _table_rows(one):
                exported.rows += 1
                sheet.write(row)
    return exported


class _Sheet:
    """Rows of a workbook; a full sheet is followed by another one."""

    def __init__(self, book: Any) -> None:
        self._book = book
        self._bold = book.add_format({"bold": True})
        self._day = book.add_format({"num_format": "yyyy-mm-dd"})
        self._amount = book.add_format({"num_format": "0.00####"})
        self._begin()

    def _begin(self) -> None:
        self._sheet = self._book.add_worksheet()
        self._sheet.freeze_panes(1, 0)
        self._sheet.write_row(0, 0, [key for key, _ in _COLUMNS], self._bold)
        self._row = 1

    def write(self, row: Mapping[str, str]) -> None:
        """One row, each cell by its kind."""
        if self._row >= _SHEET_ROWS:
            self._begin()
        for column, (key, kind) in enumerate(_COLUMNS):
            text = row.get(key, "")
            if text:
                self._write(column, text, kind)
        self._row += 1

    def _write(self, column: int, text: str, kind: str) -> None:
        if kind == _DAY:
            self._sheet.write_datetime(self._row, column, date.fromisoformat(text), self._day)
        elif kind == _AMOUNT and abs(Decimal(text)) < _LARGEST_IN_SHEET:
            self._sheet.write_number(self._row, column, Decimal(text), self._amount)
        else:
            self._sheet.write_string(self._row, column, sheet_cell(text))


_WRITERS: Mapping[str, Callable[[Iterator[Document], Path], Exported]] = {
    ".json": _write_json,
    ".csv": _write_csv,
    ".xlsx": _write_xlsx,
}
