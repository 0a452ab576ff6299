"""Returns of OSS that were filed: which of the files taken count as such, and the documents that were in them.

The file taken last for a quarter counts. One taken before the quarter was over does not: it is to look at.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session, defer

from monet_web.domain import oss
from monet_web.domain.errors import BrokenRule
from monet_web.domain.oss import Correction, Filed, Supply
from monet_web.domain.quarters import Quarter, read_quarter
from monet_web.domain.windows import local_day
from monet_web.models.company import Company
from monet_web.models.filings import Filing
from monet_web.services.documents.exports import filings, fingerprints, oss_rows
from monet_web.services.documents.exports.oss_rows import Evidence

SUPPLY, CORRECTION, LATE = "supply", "correction", "correction, too late for the return"


@dataclass(frozen=True, slots=True)
class Held:
    """The files that count, by quarter, and the id of the last file of any (0: none was taken)."""

    filings: dict[Quarter, Filing]
    returns: dict[Quarter, Filed]
    last_id: int = 0

    def without(self, quarter: Quarter) -> Held:
        """As if the file of `quarter` had never been taken. Raises BrokenRule: a later return builds on it."""
        later = [each for each in self.filings if each > quarter]
        if quarter in self.filings and later:
            raise BrokenRule(
                f"{min(later)} was taken after {quarter} and holds what changed in it.",
                fix=f"What changes in {quarter} stands in the corrections of "
                f"{oss.takes_changes_of(quarter, self.filings)}.",
            )
        return Held(
            {each: filing for each, filing in self.filings.items() if each != quarter},
            {each: filed for each, filed in self.returns.items() if each != quarter},
            self.last_id,
        )


def load(session: Session) -> Held:
    """The returns that were filed. Inside a transaction; a handful of rows a quarter, whatever they hold."""
    zone = ZoneInfo(session.get_one(Company, 1).time_zone)
    query = (
        select(Filing).where(Filing.kind == filings.OSS).order_by(Filing.id).options(defer(Filing.fingerprints))
    )  # fmt: skip
    counted: dict[Quarter, Filing] = {}
    last_id = 0
    for filing in session.scalars(query):
        last_id = filing.id
        quarter = read_quarter(filing.period)
        if quarter is not None and local_day(filing.made_at, zone) > quarter.last:
            counted[quarter] = filing
    return Held(counted, {quarter: _read(filing.sums.get("rows", ())) for quarter, filing in counted.items()}, last_id)


def must_be_last(session: Session, last_id: int) -> None:
    """In the transaction that keeps a file: none was taken since its figures were read, and none can be meanwhile.

    Raises BrokenRule.
    """
    session.execute(select(Company.id).where(Company.id == 1).with_for_update())
    if (session.scalar(select(func.max(Filing.id)).where(Filing.kind == filings.OSS)) or 0) != last_id:
        raise BrokenRule("Another return was taken at the same moment.", fix="Look at the figures, then take it again.")


def evidence(session: Session, quarter: Quarter, held: Held) -> Iterator[Evidence]:
    """The documents of a return with their rates: those that were in its file, or that are new since the files before.

    In order of (day of supply, id). Inside a transaction; memory grows with what was filed, 20 bytes a document.
    """
    filing = held.filings.get(quarter)
    if filing is not None:
        was_in = list(fingerprints.unpacked(filing.fingerprints))
        if was_in:
            yield from _those(oss_rows.documents(session, was_in[0][0], quarter.last), was_in, are_in=True)
        return
    corrected = oss.corrected_by(quarter, held.filings)
    files = [fingerprints.unpacked(held.filings[each].fingerprints) for each in corrected]
    first = (corrected[0] if corrected else quarter).first
    yield from _those(oss_rows.documents(session, first, quarter.last), heapq.merge(*files), are_in=False)


def _those(found: Iterable[Evidence], marks: Iterable[fingerprints.Fingerprint], *, are_in: bool) -> Iterator[Evidence]:
    """The rows whose documents are among `marks`, or those that are not; both come in order of (day, id)."""
    coming = iter(marks)
    mark = next(coming, None)
    for one in found:
        place = one.supplied, one.id
        while mark is not None and mark[:2] < place:
            mark = next(coming, None)
        if (mark is not None and mark[:2] == place) is are_in:
            yield one


class Marked:
    """Passes the rows of documents on and packs a fingerprint of each document, `documents` of them."""

    def __init__(self, found: Iterable[Evidence]) -> None:
        self.documents = 0
        self._found = found
        self._kept = fingerprints.Kept()

    def __iter__(self) -> Iterator[Evidence]:
        place: tuple[date, int] | None = None
        rows: list[tuple[Any, ...]] = []
        for one in self._found:
            if place is not None and place != (one.supplied, one.id):
                self._add(place, rows)
                rows = []
            place = one.supplied, one.id
            rows.append((one.number, one.country, one.rate, one.currency, one.base, one.vat))
            yield one
        if place is not None:
            self._add(place, rows)

    def packed(self) -> bytes:
        """After the last document."""
        return self._kept.packed()

    def _add(self, place: tuple[date, int], rows: Sequence[tuple[Any, ...]]) -> None:
        self.documents += 1
        self._kept.add((*place, fingerprints.digest(rows)))


def as_rows(quarter: Quarter, filed: Filed) -> list[tuple[str, ...]]:
    """(part, quarter, country, rate, base, VAT) as texts: how a return is written and kept."""
    rows: list[tuple[str, ...]] = [
        (SUPPLY, str(quarter), each.country, plain(each.rate), f"{each.base:.2f}", f"{each.vat:.2f}")
        for each in filed.supplies
    ]
    rows += [
        (LATE if one.is_late else CORRECTION, str(one.quarter), one.country, "", "", f"{one.vat:.2f}")
        for one in filed.corrections
    ]
    return rows


def plain(rate: Decimal) -> str:
    """21, 5.5."""
    return f"{rate.normalize():f}"


def _read(rows: Iterable[Sequence[str]]) -> Filed:
    supplies, corrections = [], []
    for part, quarter, country, rate, base, vat in rows:
        if part == SUPPLY:
            supplies.append(Supply(country, Decimal(rate), Decimal(base), Decimal(vat)))
        elif (of := read_quarter(quarter)) is not None:
            corrections.append(Correction(country, of, Decimal(vat), is_late=part == LATE))
    return Filed(tuple(supplies), tuple(corrections))
