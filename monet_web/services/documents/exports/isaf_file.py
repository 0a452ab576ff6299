"""Writes the i.SAF file, one invoice after the other: its size costs no memory."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any, BinaryIO

from lxml import etree

from monet_web.domain.isaf import Entry, Total
from monet_web.domain.periods import last_of_month

NAMESPACE = "http://www.vmi.lt/cms/imas/isaf"
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_NAMES: Any = {None: NAMESPACE, "xsi": _XSI}  # the stubs know no default namespace
_NIL = {f"{{{_XSI}}}nil": "true"}
_SOFTWARE = "Monet Web"
# What XML 1.0 has no signs for.
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")

Write = Callable[[Entry], None]


@dataclass(frozen=True, slots=True)
class Header:
    """Who files which month as which part. `made_at` is local, without zone, as the register has it."""

    registration: str  # the company's code: digits
    part: str
    month: date
    made_at: datetime


@contextmanager
def writing_file(to: BinaryIO, header: Header) -> Iterator[Write]:
    """Gives a function that writes one entry; the file is whole when the block ends. Raises OSError."""
    with etree.xmlfile(to, encoding="UTF-8", close=False) as file:
        file.write_declaration()
        with file.element(_tag("iSAFFile"), nsmap=_NAMES):
            file.write("\n", _header(header), "\n")
            with _Documents(file) as documents:
                yield documents.write


class _Documents:
    """Opens the list of invoices with the first one: the structure has no empty list."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self._open: list[Any] = []

    def __enter__(self) -> _Documents:
        return self

    def __exit__(self, *raised: Any) -> None:
        while self._open:
            self._open.pop().__exit__(*raised)

    def write(self, entry: Entry) -> None:
        if not self._open:
            for name in ("SourceDocuments", "SalesInvoices"):
                element = self._file.element(_tag(name))
                element.__enter__()
                self._open.append(element)
        self._file.write(_invoice(entry), "\n")


def _header(header: Header) -> Any:
    root = etree.Element(_tag("Header"), nsmap=_NAMES)
    description = etree.SubElement(root, _tag("FileDescription"))
    _put(description, "FileVersion", "iSAF1.2")
    _put(description, "FileDateCreated", header.made_at.replace(microsecond=0, tzinfo=None).isoformat())
    _put(description, "DataType", "S")
    _put(description, "SoftwareCompanyName", _SOFTWARE)
    _put(description, "SoftwareName", _SOFTWARE)
    _put(description, "SoftwareVersion", _version())
    _put(description, "RegistrationNumber", header.registration)
    # How many parts the month has is known to whoever files the other ones, not here.
    _put(description, "NumberOfParts", None)
    _put(description, "PartNumber", header.part)
    criteria = etree.SubElement(description, _tag("SelectionCriteria"))
    first = header.month.replace(day=1)
    _put(criteria, "SelectionStartDate", first.isoformat())
    _put(criteria, "SelectionEndDate", last_of_month(first).isoformat())
    return root


def _invoice(entry: Entry) -> Any:
    root = etree.Element(_tag("Invoice"), nsmap=_NAMES)
    _put(root, "InvoiceNo", _clean(entry.number))
    buyer = etree.SubElement(root, _tag("CustomerInfo"))
    _put(buyer, "VATRegistrationNumber", _clean(entry.vat_code))
    if entry.company_code:
        _put(buyer, "RegistrationNumber", _clean(entry.company_code))
    _put(buyer, "Country", entry.country or None)
    _put(buyer, "Name", _clean(entry.name))
    _put(root, "InvoiceDate", entry.issued.isoformat())
    _put(root, "InvoiceType", entry.kind)
    _put(root, "SpecialTaxation", "")
    references = etree.SubElement(root, _tag("References"))
    if entry.credits_number and entry.credits_issued is not None:
        reference = etree.SubElement(references, _tag("Reference"))
        _put(reference, "ReferenceNo", _clean(entry.credits_number))
        _put(reference, "ReferenceDate", entry.credits_issued.isoformat())
    _put(root, "VATPointDate", _day(entry.supplied))
    totals = etree.SubElement(root, _tag("DocumentTotals"))
    for total in entry.totals:
        _total(totals, total)
    return root


def _total(totals: Any, total: Total) -> None:
    row = etree.SubElement(totals, _tag("DocumentTotal"))
    _put(row, "TaxableValue", f"{total.base:.2f}")
    _put(row, "TaxCode", total.code or None)
    _put(row, "TaxPercentage", None if total.percent is None else _plain(total.percent))
    _put(row, "Amount", None if total.amount is None else f"{total.amount:.2f}")
    _put(row, "VATPointDate2", None)


def _put(parent: Any, name: str, text: str | None) -> None:
    """A child with a text; None: it is there, and says that it has none."""
    if text is None:
        etree.SubElement(parent, _tag(name), _NIL)
    else:
        etree.SubElement(parent, _tag(name)).text = text


def _clean(text: str) -> str:
    """What people and stores typed, without the signs that XML has none for."""
    return _NOT_IN_XML.sub("", text)


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _plain(percent: Decimal) -> str:
    return f"{percent.normalize():f}" if percent else "0"


@lru_cache(maxsize=64)
def _tag(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"


def _version() -> str:
    try:
        return version("monet-web")[:24]
    except PackageNotFoundError:
        return "source"
