"""OSS of a quarter: sales by country and rate in EUR, corrections of earlier quarters apart, and taking them as a file.

Amounts are converted at the rates that the ECB published for the quarter's last day (Art. 369h of Directive
2006/112/EC). A correction is VAT only, by country and the quarter of the supply, at that quarter's rates, since it
changes what was declared then.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import xlsxwriter
from sqlalchemy.orm import Session

from monet_web.domain.checks import money
from monet_web.domain.errors import BrokenRule
from monet_web.domain.money import ZERO, convert
from monet_web.domain.quarters import Quarter
from monet_web.models.base import reading
from monet_web.models.filings import Filing
from monet_web.services.documents.exports import filings, oss_rows
from monet_web.services.documents.exports.oss_rows import Evidence, Figure
from monet_web.services.documents.exports.safe import cell, sheet_cell

ENDINGS = ("csv", "xlsx")


@dataclass(slots=True)
class Supply:
    """What was sold to one country at one rate, in EUR, credit notes of the same quarter taken off."""

    country: str
    rate: Decimal
    base: Decimal = ZERO
    vat: Decimal = ZERO


@dataclass(slots=True)
class Correction:
    """VAT of an earlier quarter that this one takes back, in EUR (negative)."""

    country: str
    quarter: Quarter
    vat: Decimal = ZERO
    is_late: bool = False  # the return takes it no more: that country is told directly


@dataclass(slots=True)
class Return:
    """A quarter. With rates `missing` (quarter, currency) the sums in EUR are without those currencies."""

    quarter: Quarter
    supplies: list[Supply] = field(default_factory=list)
    corrections: list[Correction] = field(default_factory=list)
    missing: list[tuple[Quarter, str]] = field(default_factory=list)
    rates: dict[str, Decimal] = field(default_factory=dict)  # of the quarter itself, EUR left out
    doubtful: int = 0  # invoices whose two pieces of evidence do not agree
    since: Filing | None = None
    changed: list[tuple[str, Decimal]] = field(
        default_factory=list
    )  # country → VAT now less VAT in the file taken last

    @property
    def base(self) -> Decimal:
        """All countries."""
        return sum((each.base for each in self.supplies), ZERO)

    @property
    def vat(self) -> Decimal:
        """All countries, corrections not."""
        return sum((each.vat for each in self.supplies), ZERO)

    @property
    def corrected(self) -> Decimal:
        """All corrections that the return takes."""
        return sum((each.vat for each in self.corrections if not each.is_late), ZERO)

    @property
    def countries(self) -> list[tuple[str, Decimal]]:
        """Country → VAT to pay: supplies and corrections."""
        due: dict[str, Decimal] = defaultdict(Decimal)
        for supply in self.supplies:
            due[supply.country] += supply.vat
        for one in self.corrections:
            if not one.is_late:
                due[one.country] += one.vat
        return sorted(due.items())


def load(session: Session, quarter: Quarter) -> Return:
    """The quarter as the books have it now. Inside a transaction; its cost follows the days, not the documents."""
    found = oss_rows.figures(session, quarter)
    whole = Return(quarter)
    supplies: dict[tuple[str, Decimal], Supply] = {}
    corrections: dict[tuple[str, Quarter], Correction] = {}
    for of, figures in _by_quarter(found).items():
        rates = oss_rows.rates(session, of, {each.currency for each in figures})
        if of == quarter:
            whole.rates = {key: rate for key, rate in rates.items() if key != oss_rows.EURO}
        for each in figures:
            rate = rates.get(each.currency)
            if rate is None:
                if (of, each.currency) not in whole.missing:
                    whole.missing.append((of, each.currency))
            elif of == quarter:
                supply = supplies.setdefault((each.country, each.rate), Supply(each.country, each.rate))
                supply.base += convert(each.base, rate)
                supply.vat += convert(each.vat, rate)
            else:
                late = not of.is_correctable_in(quarter)
                key = each.country, of
                corrections.setdefault(key, Correction(each.country, of, is_late=late)).vat += convert(each.vat, rate)
    whole.supplies = [supplies[key] for key in sorted(supplies)]
    whole.corrections = [corrections[key] for key in sorted(corrections)]
    whole.doubtful = oss_rows.doubtful(session, quarter)
    whole.since = filings.newest(session, filings.OSS, str(quarter))
    if whole.since is not None:
        whole.changed = _changed(whole, whole.since)
    return whole


def take(session: Session, quarter: Quarter, path: Path, *, name: str = "", now: datetime, actor: str) -> Filing:
    """Write the quarter to `path`, a .csv or .xlsx, and remember it. The file appears when it is whole.

    The workbook holds the documents with their evidence too. In transactions of its own. Raises BrokenRule: a rate is
    missing, the ending is another one.
    """
    write = _WRITERS.get(path.suffix.casefold())
    if write is None:
        raise BrokenRule(f"A file named {path.name} can't be written.", fix="Name it .csv or .xlsx.")
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        with reading(session):
            whole = load(session, quarter)
            _must_have_rates(whole)
            documents = write(session, whole, unfinished)
        filing = filings.keep(
            session, unfinished, kind=filings.OSS, period=str(quarter), name=name or path.name, documents=documents,
            sums=_as_text(whole), now=now, actor=actor,
        )  # fmt: skip
        unfinished.replace(path)
    except OSError as error:
        raise filings.unwritable(path, error) from None
    finally:
        unfinished.unlink(missing_ok=True)
    return filing


def write_evidence(session: Session, quarter: Quarter, path: Path) -> int:
    """The documents of the return with their evidence as CSV; how many rows. In a transaction of its own.

    Raises BrokenRule.
    """
    try:
        with reading(session), path.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(_EVIDENCE)
            rows = 0
            for each in oss_rows.evidence(session, quarter):
                writer.writerow([cell(text) for text in _evidence_row(each)])
                rows += 1
    except OSError as error:
        raise filings.unwritable(path, error) from None
    return rows


def _by_quarter(found: list[Figure]) -> dict[Quarter, list[Figure]]:
    of: dict[Quarter, list[Figure]] = defaultdict(list)
    for each in found:
        of[each.quarter].append(each)
    return of


def _must_have_rates(whole: Return) -> None:
    if not whole.missing:
        return
    named = ", ".join(f"{currency} as published on {quarter.published}" for quarter, currency in whole.missing)
    raise BrokenRule(
        f"A rate for the end of the quarter is missing: {named}.",
        fix="Load the European Central Bank's file of rates, or type it for the next working day.",
    )


def _changed(whole: Return, since: Filing) -> list[tuple[str, Decimal]]:
    then = {country: Decimal(vat) for country, vat in since.sums.get("due", {}).items()}
    now = dict(whole.countries)
    differences = [(country, now.get(country, ZERO) - then.get(country, ZERO)) for country in sorted({*now, *then})]
    return [(country, amount) for country, amount in differences if amount]


def _as_text(whole: Return) -> dict[str, Any]:
    return {
        "due": {country: f"{vat:.2f}" for country, vat in whole.countries},
        "rows": [list(row) for row in _rows(whole)],
    }


# --- the file -------------------------------------------------------------------------------------------------------

_HEADER = ("part", "quarter", "country", "rate", "base_eur", "vat_eur")
_EVIDENCE = (
    "document", "kind", "credits", "issued", "supplied", "quarter", "delivered_to", "buyer_in", "evidence", "rate",
    "currency", "base", "vat",
)  # fmt: skip


def _rows(whole: Return) -> Iterator[tuple[str, ...]]:
    for each in whole.supplies:
        yield "supply", str(whole.quarter), each.country, _plain(each.rate), f"{each.base:.2f}", f"{each.vat:.2f}"
    for one in whole.corrections:
        part = "correction, too late for the return" if one.is_late else "correction"
        yield part, str(one.quarter), one.country, "", "", f"{one.vat:.2f}"


def _evidence_row(one: Evidence) -> tuple[str, ...]:
    return (
        one.number, "credit_note" if one.is_credit_note else "invoice", one.credits_number, one.issued.isoformat(),
        one.supplied.isoformat(), str(one.quarter), one.country, one.buyer_country,
        "two pieces agree" if one.agrees else "delivery only", _plain(one.rate), one.currency, money(one.base),
        money(one.vat),
    )  # fmt: skip


def _plain(rate: Decimal) -> str:
    return f"{rate.normalize():f}"


def _write_csv(session: Session, whole: Return, path: Path) -> int:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(_HEADER)
        writer.writerows([cell(text) if text[:1].isalpha() else text for text in row] for row in _rows(whole))
    return sum(1 for _ in oss_rows.evidence(session, whole.quarter))


def _write_xlsx(session: Session, whole: Return, path: Path) -> int:
    options = {
        "constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False,
    }  # fmt: skip
    with path.open("wb") as file, xlsxwriter.Workbook(file, options) as book:
        amount = book.add_format({"num_format": "0.00####"})
        _sheet(book, str(whole.quarter), _HEADER, _rows(whole), {3, 4, 5}, amount)
        found = (_evidence_row(each) for each in oss_rows.evidence(session, whole.quarter))
        return _sheet(book, "Documents", _EVIDENCE, found, {9, 11, 12}, amount)


def _sheet(
    book: Any, name: str, header: tuple[str, ...], rows: Iterator[tuple[str, ...]], figures: set[int], amount: Any
) -> int:
    sheet = book.add_worksheet(name)
    sheet.freeze_panes(1, 0)
    sheet.write_row(0, 0, header, book.add_format({"bold": True}))
    written = 0
    for written, row in enumerate(rows, start=1):
        for column, text in enumerate(row):
            if column in figures and text:
                sheet.write_number(written, column, Decimal(text), amount)
            else:
                sheet.write_string(written, column, sheet_cell(text))
    return written


_WRITERS: Mapping[str, Callable[[Session, Return, Path], int]] = {".csv": _write_csv, ".xlsx": _write_xlsx}
