"""Files of currency rates as banks publish them: the ECB's CSV, ZIP and XML, the Bank of Lithuania's XML.

A bank's file names the day of publication; what is given back is the day from which the rate counts in the books.
Sources: the ECB's "Euro foreign exchange reference rates" (eurofxref.csv, eurofxref-hist.csv, the same zipped,
eurofxref-daily.xml, -hist.xml) and the Bank of Lithuania's web service FxRates (getFxRates, getFxRatesForCurrency).
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from monet_web.domain.bank_days import counts_from
from monet_web.domain.errors import BrokenRule
from monet_web.services.books.tables import MOST_BYTES

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

Rates = dict[tuple[str, date], Decimal]

ECB = "European Central Bank"
LB = "Bank of Lithuania"
_CODE = re.compile(r"[A-Z]{3}")
# The daily file writes its day as "20 November 2026", in English whatever the reader's language.
_MONTHS = {
    name: number
    for number, name in enumerate(
        ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
         "december"), start=1,
    )
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class BankFile:
    """The rates of one file, by (currency, first day on which it counts), and whose they are."""

    bank: str
    rates: Rates


def read(data: bytes) -> BankFile | None:
    """A bank's file understood; None when it is none. Raises BrokenRule for one that is but can't be read."""
    if data[:2] == b"PK":
        data = _unzipped(data)
    text = data.lstrip(b"\xef\xbb\xbf \t\r\n")
    if text[:1] == b"<":
        return _from_xml(text)
    return _from_csv(data)


def _unzipped(data: bytes) -> bytes:
    """The one CSV or XML inside; anything else (an XLSX workbook is a ZIP too) is given back as it is."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
            if len(names) != 1 or not names[0].lower().endswith((".csv", ".xml")):
                return data
            if archive.getinfo(names[0]).file_size > MOST_BYTES:
                raise BrokenRule("The file is larger than any list of rates.", fix="Load the bank's file itself.")
            return archive.read(names[0])
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError):
        return data


# --- CSV --------------------------------------------------------------------------------------------------------


def _from_csv(data: bytes) -> BankFile | None:
    """`Date,USD,JPY,…` and a row a day; currencies that were not quoted are empty or N/A."""
    try:
        rows = csv.reader(io.StringIO(data.decode("utf-8-sig")), strict=True)
        header = [cell.strip() for cell in next(rows, [])]
        columns = [(place, code) for place, code in enumerate(header) if place and code]
        if header[:1] != ["Date"] or not columns or not all(_CODE.fullmatch(code) for _, code in columns):
            return None
        rates: Rates = {}
        for number, row in enumerate(rows, start=2):
            if not any(cell.strip() for cell in row):
                continue
            day = counts_from(_day(row[0].strip(), f"row {number}"))
            for place, code in columns:
                cell = row[place].strip() if place < len(row) else ""
                if cell and cell != "N/A":
                    rates[code, day] = _rate(cell, f"{code} in row {number}")
    except (UnicodeDecodeError, csv.Error):
        return None
    return _complete(ECB, rates)


# --- XML --------------------------------------------------------------------------------------------------------


def _from_xml(data: bytes) -> BankFile | None:
    try:
        root = fromstring(data, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError):
        raise _unreadable("it is no XML that can be read") from None
    if any(_name(node.tag) == "FxRate" for node in root.iter()):
        return _complete(LB, dict(_of_lithuania(root)))
    found: Rates = {}
    for dated in (node for node in root.iter() if _name(node.tag) == "Cube" and "time" in node.attrib):
        day = counts_from(_day(dated.attrib["time"], "a Cube"))
        for node in dated:
            code = node.attrib.get("currency", "")
            if _CODE.fullmatch(code):
                found[code, day] = _rate(node.attrib.get("rate", ""), f"{code} of {dated.attrib['time']}")
    return _complete(ECB, found)


def _of_lithuania(root: Element) -> Iterator[tuple[tuple[str, date], Decimal]]:
    """Each FxRate holds its kind, its day, and two amounts: the euro's and the other currency's.

    Kind LT is the accounting rate and counts on its own day, EU is the ECB's and counts from the next working day.
    """
    for node in (each for each in root.iter() if _name(each.tag) == "FxRate"):
        texts = {_name(each.tag): (each.text or "").strip() for each in node}
        pairs = {
            parts["Ccy"]: parts.get("Amt", "")
            for amount in node
            if _name(amount.tag) == "CcyAmt"
            and "Ccy" in (parts := {_name(each.tag): (each.text or "").strip() for each in amount})
        }
        where = f"{'/'.join(pairs)} of {texts.get('Dt', '?')}"
        others = [code for code in pairs if code != "EUR"]
        if "EUR" not in pairs or len(others) != 1 or not _CODE.fullmatch(others[0]):
            raise _unreadable(f"{where} is no rate of the euro")
        day = _day(texts.get("Dt", ""), where)
        rate = _rate(pairs[others[0]], where) / _rate(pairs["EUR"], where)
        yield (others[0], day if texts.get("Tp") == "LT" else counts_from(day)), rate


def _name(tag: object) -> str:
    """A tag without its namespace."""
    return str(tag).rpartition("}")[2]


# --- values -----------------------------------------------------------------------------------------------------


def _complete(bank: str, rates: Rates) -> BankFile:
    if not rates:
        raise _unreadable("it holds no rate")
    return BankFile(bank, rates)


def _day(text: str, where: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        pass
    written = re.fullmatch(r"(\d{1,2}) ([A-Za-z]+) (\d{4})", text)
    month = _MONTHS.get(written.group(2).lower()) if written else None
    try:
        if written and month:
            return date(int(written.group(3)), month, int(written.group(1)))
    except ValueError:
        pass
    raise _unreadable(f"{where} has no day, but “{text[:30]}”")


def _rate(text: str, where: str) -> Decimal:
    try:
        rate = Decimal(text)
    except InvalidOperation:
        rate = Decimal(0)
    if not rate.is_finite() or not 0 < rate < 10**9:
        raise _unreadable(f"{where} has no rate, but “{text[:30]}”")
    return rate


def _unreadable(reason: str) -> BrokenRule:
    return BrokenRule(
        f"The bank's file can't be used: {reason}.",
        fix="Load it from the bank once more, or type the rates into a table with the header: date,currency,rate.",
    )
