"""Figures of what waits, a journal at a time: counted once, and kept in memory as long as the journal's mark stands.

A page sums them up instead of going through every waiting invoice; after a change only that journal is counted again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from threading import Lock
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from sqlalchemy import BigInteger, ColumnElement, String, func, select, type_coerce
from sqlalchemy.orm import Session

from monet_web.domain.findings import OF_A_LINE, PERSON_MAY_PASS
from monet_web.models.base import is_reading
from monet_web.models.invoices import IS_WAITING, Invoice, InvoiceFinding, InvoiceLine
from monet_web.models.waiting import WaitingMark

SHORT = "stock_short"
_MOST_NAMED = 300  # journals in one query; more of them are counted with all that waits


class Sort(NamedTuple):
    """What invoices of one tally have in common; `passing`: a person may register them."""

    kind: str
    accounting_type: str
    integration_id: int
    currency: str
    month: date
    passing: bool


@dataclass(slots=True)
class Tally:
    """How many invoices, for how much (ten-thousandths), how many corrected by hand, dated from when to when."""

    invoices: int = 0
    total: int = 0
    touched: int = 0
    oldest: date = date.max
    newest: date = date.min
    one: int = 0  # of a cause: the id of its first finding

    def add(self, other: Tally) -> None:
        """Both together."""
        self.invoices += other.invoices
        self.total += other.total
        self.touched += other.touched
        self.oldest = min(self.oldest, other.oldest)
        self.newest = max(self.newest, other.newest)
        self.one = min(self.one or other.one, other.one or self.one)


Tallies = dict[Sort, Tally]


@dataclass(slots=True)
class Figures:
    """Of one journal or of several; in `causes` (code, shared subject) and `codes` an invoice counts once each."""

    invoices: Tallies = field(default_factory=dict)
    causes: dict[tuple[str, str], Tallies] = field(default_factory=dict)
    codes: dict[str, Tallies] = field(default_factory=dict)
    needed: dict[str, Decimal] = field(default_factory=dict)  # subject of a shortage → pieces

    def add(self, other: Figures) -> None:
        """Both together."""
        _join(self.invoices, other.invoices)
        for cause, tallies in other.causes.items():
            _join(self.causes.setdefault(cause, {}), tallies)
        for code, tallies in other.codes.items():
            _join(self.codes.setdefault(code, {}), tallies)
        for subject, pieces in other.needed.items():
            self.needed[subject] = self.needed.get(subject, Decimal(0)) + pieces


def _join(mine: Tallies, others: Mapping[Sort, Tally]) -> None:
    for sort, tally in others.items():
        mine.setdefault(sort, Tally()).add(tally)


@dataclass(slots=True)
class _Kept:
    """Of one database: journal → (version, figures), and those of all journals for one state of all marks."""

    journals: dict[int, tuple[int, Figures]] = field(default_factory=dict)
    marks: dict[int, int] = field(default_factory=dict)
    all: Figures = field(default_factory=Figures)
    items: dict[int, tuple[int, dict[int, int]]] = field(default_factory=dict)  # journal → (version, item → invoices)


_kept: WeakKeyDictionary[Any, _Kept] = WeakKeyDictionary()
_lock = Lock()


def waiting_count(session: Session) -> int:
    """How many invoices wait. Inside a transaction, one query of the marks."""
    return int(session.scalar(select(func.sum(WaitingMark.waiting)).where(WaitingMark.waiting > 0)) or 0)


def of_all(session: Session) -> Figures:
    """Of everything that waits. Inside a transaction; one query, two more where journals have changed."""
    marks = _marks(session)
    kept = _of_database(session)
    if is_reading() and kept.marks == marks:
        return kept.all
    every = _of_journals(session, marks, kept)
    together = Figures()
    for figures in every.values():
        together.add(figures)
    if is_reading():
        with _lock:
            kept.journals = {journal: (marks[journal], figures) for journal, figures in every.items()}
            kept.marks, kept.all = marks, together
    return together


def of_journals(session: Session, ids: Collection[int]) -> dict[int, Figures]:
    """Journal id → its figures, of those in which something waits. Inside a transaction; queries as of `of_all`."""
    wanted = set(ids)
    marks = {journal: version for journal, version in _marks(session).items() if journal in wanted}
    kept = _of_database(session)
    found = _of_journals(session, marks, kept)
    if is_reading():
        with _lock:
            kept.journals.update({journal: (marks[journal], figures) for journal, figures in found.items()})
    return found


def of_items(session: Session) -> dict[int, int]:
    """Item id → on how many waiting invoices it stands. Inside a transaction; one query, one more after changes."""
    marks = _marks(session)
    kept = _of_database(session)
    found = {
        journal: kept.items[journal] for journal, version in marks.items()
        if is_reading() and journal in kept.items and kept.items[journal][0] == version
    }  # fmt: skip
    missing = marks.keys() - found.keys()
    if missing:
        fresh: dict[int, dict[int, int]] = {journal: {} for journal in missing}
        rows = session.execute(
            select(
                Invoice.journal_id, InvoiceLine.item_id, func.count(InvoiceLine.invoice_id.distinct()).label("invoices")
            )
            .join(InvoiceLine, InvoiceLine.invoice_id == Invoice.id)
            .where(*_of(missing), InvoiceLine.item_id.is_not(None))
            .group_by(Invoice.journal_id, InvoiceLine.item_id)
        )
        for row in rows:
            if (row.journal_id or 0) in fresh:
                fresh[row.journal_id or 0][row.item_id or 0] = row.invoices
        found |= {journal: (marks[journal], fresh[journal]) for journal in missing}
        if is_reading():
            with _lock:
                kept.items = found
    together: dict[int, int] = {}
    for _, items in found.values():
        for item, count in items.items():
            together[item] = together.get(item, 0) + count
    return together


def sorts(tallies: Mapping[Sort, Tally], wanted: Mapping[str, Any]) -> Iterator[tuple[Sort, Tally]]:
    """Those whose sort has the wanted values."""
    for sort, tally in tallies.items():
        if all(getattr(sort, name) == value for name, value in wanted.items()):
            yield sort, tally


def money(total: int) -> Decimal:
    """A tally's total as an amount."""
    return Decimal(total).scaleb(-4)


# --- counting ------------------------------------------------------------------------------------------------------


def _marks(session: Session) -> dict[int, int]:
    rows = session.execute(select(WaitingMark.journal_id, WaitingMark.version).where(WaitingMark.waiting > 0))
    return {row.journal_id: row.version for row in rows}


def _of_database(session: Session) -> _Kept:
    with _lock:
        return _kept.setdefault(session.get_bind(), _Kept())


def _of_journals(session: Session, marks: Mapping[int, int], kept: _Kept) -> dict[int, Figures]:
    found = {}
    if is_reading():  # what a writer sees may be rolled back, and its version given again
        before = kept.journals
        found = {
            journal: before[journal][1]
            for journal, version in marks.items()
            if journal in before and before[journal][0] == version
        }
    missing = marks.keys() - found.keys()
    return {**found, **_counted(session, missing)} if missing else found


def _counted(session: Session, journals: Collection[int]) -> dict[int, Figures]:
    asked = _of(journals)
    invoices = session.execute(
        select(
            Invoice.id, Invoice.journal_id, type_coerce(Invoice.kind, String),
            type_coerce(Invoice.accounting_type, String), Invoice.integration_id, Invoice.currency, Invoice.issue_date,
            type_coerce(Invoice.total, BigInteger), Invoice.touched_at.is_not(None),
        ).where(*asked)
    ).all()  # fmt: skip
    findings = session.execute(
        select(InvoiceFinding.invoice_id, InvoiceFinding.id, InvoiceFinding.code, InvoiceFinding.subject)
        .join(Invoice, Invoice.id == InvoiceFinding.invoice_id)
        .where(*asked, InvoiceFinding.stops)
    ).all()
    short = session.execute(
        select(Invoice.journal_id, InvoiceFinding.subject, InvoiceFinding.values)
        .join(Invoice, Invoice.id == InvoiceFinding.invoice_id)
        .where(*asked, InvoiceFinding.stops, InvoiceFinding.code == SHORT)
    ).all()
    of_invoice: dict[int, list[Any]] = defaultdict(list)
    for invoice_id, *finding in findings:
        of_invoice[invoice_id].append(finding)
    wanted = set(journals)
    figures: dict[int, Figures] = {journal: Figures() for journal in wanted}
    months: dict[date, date] = {}
    for invoice_id, journal_id, kind, accounting_type, integration_id, currency, day, total, touched in invoices:
        mine = figures.get(journal_id or 0)
        if mine is None:
            continue
        found = of_invoice.get(invoice_id, ())
        month = months.get(day) or months.setdefault(day, day.replace(day=1))
        passing = all(code in PERSON_MAY_PASS for _, code, _ in found)
        sort = Sort(kind, accounting_type, integration_id, currency, month, passing)
        once = Tally(1, total, int(touched), day, day)
        mine.invoices.setdefault(sort, Tally()).add(once)
        for cause, finding_id in _once(found).items():
            once.one = finding_id
            mine.causes.setdefault(cause, {}).setdefault(sort, Tally()).add(once)
        once.one = 0
        for code in {code for _, code, _ in found}:
            mine.codes.setdefault(code, {}).setdefault(sort, Tally()).add(once)
    for journal_id, subject, values in short:
        if (mine := figures.get(journal_id or 0)) is not None:
            mine.needed[subject] = mine.needed.get(subject, Decimal(0)) + Decimal(values.get("needed", 0))
    return figures


def _of(journals: Collection[int]) -> list[ColumnElement[bool]]:
    """What waits in these journals, or more where they are many."""
    if len(journals) <= _MOST_NAMED and 0 not in journals:
        return [IS_WAITING, Invoice.journal_id.in_(journals)]
    return [IS_WAITING]


def _once(found: Iterable[Any]) -> dict[tuple[str, str], int]:
    """(code, shared subject) → the first finding: two lines without a rate are one cause."""
    causes: dict[tuple[str, str], int] = {}
    for finding_id, code, subject in found:
        cause = (code, "" if code in OF_A_LINE else subject)
        causes[cause] = min(finding_id, causes.get(cause, finding_id))
    return causes
