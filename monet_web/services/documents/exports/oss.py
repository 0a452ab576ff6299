"""OSS of a quarter: sales by country and rate in EUR, corrections of earlier quarters apart, and taking them as a file.

Amounts are converted at the rates that the ECB published for the quarter's last day (Art. 369h of Directive
2006/112/EC). Taking the file once the quarter is over files the return: it stays as it was taken, and what changes
afterwards is a correction in the first return not yet filed (domain/oss.py), at the rates of the quarter corrected.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from monet_web.domain import oss
from monet_web.domain.errors import BrokenRule
from monet_web.domain.money import ZERO, convert
from monet_web.domain.oss import Correction, Filed, Supply
from monet_web.domain.quarters import Quarter
from monet_web.models.base import reading
from monet_web.models.filings import Filing
from monet_web.services.documents.exports import filings, oss_file, oss_filed, oss_rows
from monet_web.services.documents.exports.oss_filed import Held, Marked
from monet_web.services.documents.exports.oss_rows import EURO, Figure

_Rates = dict[tuple[Quarter, str], Decimal]


@dataclass(slots=True)
class Return:
    """A quarter: as the books have it now, or, once filed, as it was filed (`since`), with what changed afterwards.

    With rates `missing` (quarter, currency) the sums in EUR are without those currencies, and quarters that would be
    corrected are left out as a whole.
    """

    quarter: Quarter
    supplies: tuple[Supply, ...] = ()
    corrections: tuple[Correction, ...] = ()
    missing: list[tuple[Quarter, str]] = field(default_factory=list)
    rates: dict[str, Decimal] = field(default_factory=dict)  # of the quarter itself, EUR left out
    doubtful: int = 0  # invoices whose two pieces of evidence do not agree
    since: Filing | None = None
    changed: list[tuple[str, Decimal]] = field(default_factory=list)  # country → VAT of the books less VAT declared
    changes_stand_in: Quarter | None = None  # the return that takes what changed since this one was filed
    may_be_anew: bool = False  # no later return was filed, so that this one can be filed anew
    gap: Quarter | None = None  # an earlier return that is not filed, and takes what changed before it

    @property
    def base(self) -> Decimal:
        """All countries."""
        return oss.total(each.base for each in self.supplies)

    @property
    def vat(self) -> Decimal:
        """All countries, corrections not."""
        return oss.total(each.vat for each in self.supplies)

    @property
    def corrected(self) -> Decimal:
        """All corrections that the return takes."""
        return oss.total(each.vat for each in self.corrections if not each.is_late)

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
    """The quarter's return. Inside a transaction; the same number of statements whatever it holds."""
    return _load(session, quarter, oss_filed.load(session))


def take(
    session: Session, quarter: Quarter, path: Path, *, anew: bool = False, name: str = "", now: datetime, actor: str
) -> Filing:
    """Write the quarter to `path`, a .csv or .xlsx, and remember it. The file appears when it is whole.

    Once the quarter is over, this files its return. One that is filed is written again as it was, unless `anew`: the
    earlier file was not handed in, and this one holds what changed since. In transactions of its own. Raises
    BrokenRule: a rate is missing, the ending is another one, anew after a later return, another one is being taken.
    """
    write = oss_file.WRITERS.get(path.suffix.casefold())
    if write is None:
        raise BrokenRule(f"A file named {path.name} can't be written.", fix="Name it .csv or .xlsx.")
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        with reading(session):
            _see_one_moment(session)
            held = oss_filed.load(session)
            if anew:
                held = held.without(quarter)
            whole = _load(session, quarter, held)
            if quarter not in held.filings:
                _must_have_rates(whole)
            sums = _as_kept(whole)
            found = Marked(oss_filed.evidence(session, quarter, held))
            write(str(quarter), sums["rows"], found, unfinished)
        filing = filings.keep(
            session, unfinished, kind=filings.OSS, period=str(quarter), name=name or path.name,
            documents=found.documents, sums=sums, fingerprints=found.packed(),
            first=lambda session: oss_filed.must_be_last(session, held.last_id), now=now, actor=actor,
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
        with reading(session):
            return oss_file.write_evidence(oss_filed.evidence(session, quarter, oss_filed.load(session)), path)
    except OSError as error:
        raise filings.unwritable(path, error) from None


def _load(session: Session, quarter: Quarter, held: Held) -> Return:
    filed = held.returns.get(quarter)
    corrected = [] if filed else oss.corrected_by(quarter, held.returns)
    found = oss_rows.figures(session, corrected[0] if corrected else quarter, quarter)
    rates = oss_rows.rates(session, {(each.quarter, each.currency) for each in found})
    books = _in_euro(found, rates)
    whole = Return(quarter, doubtful=oss_rows.doubtful(session, quarter), gap=_gap(session, quarter, held))
    whole.rates = {currency: rate for (of, currency), rate in rates.items() if of == quarter and currency != EURO}
    whole.missing = sorted({each for each in ((one.quarter, one.currency) for one in found) if each not in rates})
    incomplete = {of for of, _ in whole.missing}
    if filed is None:
        whole.supplies = tuple(books.get(quarter, ()))
        known = {of: books.get(of, ()) for of in corrected if of not in incomplete}
        whole.corrections = tuple(oss.corrections(quarter, known, held.returns))
        return whole
    whole.supplies, whole.corrections = filed.supplies, filed.corrections
    whole.since = held.filings[quarter]
    whole.changes_stand_in = oss.takes_changes_of(quarter, held.returns)
    whole.may_be_anew = quarter == max(held.returns)
    if quarter not in incomplete:
        whole.changed = oss.differences(books.get(quarter, ()), oss.declared(quarter, held.returns))
    return whole


def _in_euro(found: Iterable[Figure], rates: _Rates) -> dict[Quarter, list[Supply]]:
    """Quarter → its supplies by country and rate; each currency's sum is converted once."""
    sums: dict[tuple[Quarter, str, Decimal], tuple[Decimal, Decimal]] = {}
    for each in found:
        rate = rates.get((each.quarter, each.currency))
        if rate is not None:
            key = each.quarter, each.country, each.rate
            base, vat = sums.get(key, (ZERO, ZERO))
            sums[key] = base + convert(each.base, rate), vat + convert(each.vat, rate)
    books: dict[Quarter, list[Supply]] = defaultdict(list)
    for (of, country, percent), (base, vat) in sorted(sums.items()):
        if base or vat:
            books[of].append(Supply(country, percent, base, vat))
    return books


def _gap(session: Session, quarter: Quarter, held: Held) -> Quarter | None:
    """The latest return before an unfiled one that is not filed either, where it holds sales or takes changes."""
    if quarter in held.returns:
        return None
    filed = oss.corrected_by(quarter, held.returns)
    before = (filed[0] if filed else quarter).before()
    takes_changes = any(each < before for each in held.returns)
    holds_sales = not filed and oss_rows.is_any(session, before)
    return before if takes_changes or holds_sales else None


def _see_one_moment(session: Session) -> None:
    """All statements of the transaction that begins see the same documents: the sums are those of the list."""
    if session.get_bind().dialect.name == "postgresql":
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})


def _must_have_rates(whole: Return) -> None:
    if not whole.missing:
        return
    days = ", ".join(dict.fromkeys(str(quarter.rates_count_from) for quarter, _ in whole.missing))
    named = ", ".join(f"{currency} as published on {quarter.published}" for quarter, currency in whole.missing)
    raise BrokenRule(
        f"A rate for the end of the quarter is missing: {named}.",
        fix=f"Load the European Central Bank's file of rates, or type it under the day from which it counts: {days}.",
    )


def _as_kept(whole: Return) -> dict[str, Any]:
    filed = Filed(whole.supplies, whole.corrections)
    return {
        "due": {country: f"{vat:.2f}" for country, vat in whole.countries},
        "rows": [list(row) for row in oss_filed.as_rows(whole.quarter, filed)],
    }
