"""i.SAF of a month: what it would hold, what the tax authority would refuse, and taking the file (G2)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from monet_web.domain import isaf_words
from monet_web.domain.codes import normalise_company_code
from monet_web.domain.errors import BrokenRule
from monet_web.domain.isaf import (
    FIRST_DAY,
    MOST_DOCUMENTS,
    Document,
    Entry,
    Refusal,
    Terms,
    entry,
    is_filed,
    of_company,
    refusals,
)
from monet_web.domain.money import ZERO
from monet_web.domain.periods import last_of_month
from monet_web.models.base import reading
from monet_web.models.company import Company
from monet_web.models.filings import Filing
from monet_web.services.documents.exports import filings, isaf_sums
from monet_web.services.documents.exports.fingerprints import Changes, Compared, Fingerprint, Kept, digest, unpacked
from monet_web.services.documents.exports.isaf_file import Header, writing_file
from monet_web.services.documents.exports.isaf_rows import documents, is_any_filed
from monet_web.services.importing.booking import company_vat

MOST_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Refused:
    """One document that would be refused, and everything that stands against it."""

    id: int
    number: str
    issued: date
    why: tuple[Refusal, ...]


@dataclass(slots=True)
class CodeSum:
    """What a classifier code comes to, in EUR."""

    base: Decimal = ZERO
    amount: Decimal = ZERO


@dataclass(slots=True)
class Checked:
    """A month looked through. `refused` holds the first ones, `refused_count` says how many there are."""

    month: date
    terms: Terms
    against: list[Refusal] = field(default_factory=list)  # the file as a whole
    invoices: int = 0
    credit_notes: int = 0
    not_filed: int = 0  # no VAT invoices, or left out by the terms
    sums: dict[str, CodeSum] = field(default_factory=dict)  # by code; "" is what has none
    refused: list[Refused] = field(default_factory=list)
    refused_count: int = 0
    since: Filing | None = None  # the file taken last
    changes: Changes = field(default_factory=Changes)  # since then

    @property
    def documents(self) -> int:
        """How many the file would hold."""
        return self.invoices + self.credit_notes

    @property
    def is_clean(self) -> bool:
        """True when nothing would be refused."""
        return not self.against and not self.refused_count


def check(session: Session, month: date) -> Checked:
    """Look through a month. Inside a transaction; memory does not grow with the month.

    Each document is looked at where a file was taken before, to tell what changed; else only those that are odd.
    """
    company = session.get_one(Company, 1, populate_existing=True)
    terms = filings.terms(session)
    checked = Checked(month.replace(day=1), terms, against=_against(session, company, terms, month))
    checked.since = filings.newest(session, filings.ISAF, period_of(month))
    if checked.since is None:
        _add_up(session, checked, company)
        return checked
    compared = Compared(unpacked(checked.since.fingerprints))
    for document, said in _looked_through(session, checked, company):
        if said is not None:
            compared.add(_fingerprint(document, said))
    checked.changes = compared.finished()
    return checked


def take(
    session: Session,
    month: date,
    path: Path,
    *,
    name: str = "",
    without_refused: bool = False,
    now: datetime,
    actor: str,
) -> Filing:
    """Write the month's file to `path` and remember it. `without_refused`: what would be refused is left out.

    The file appears when it is whole; `name` is what it is called, where that is not the path's own. In transactions
    of its own. Raises BrokenRule.
    """
    unfinished = path.with_name(f".{path.name}.unfinished")
    kept = Kept()
    try:
        with reading(session), unfinished.open("wb") as file:
            company = session.get_one(Company, 1, populate_existing=True)
            terms = filings.terms(session)
            checked = Checked(month.replace(day=1), terms, against=_against(session, company, terms, month))
            _must_be_fine(checked.against)
            made_at = now.astimezone(ZoneInfo(company.time_zone))
            header = Header(normalise_company_code(company.code), terms.part, checked.month, made_at)
            with writing_file(file, header) as write:
                for document, said in _looked_through(session, checked, company):
                    if said is not None:
                        write(said)
                        kept.add(_fingerprint(document, said))
            _may_be_taken(checked, without_refused=without_refused)
        filing = filings.keep(
            session, unfinished, kind=filings.ISAF, period=period_of(month), name=name or path.name,
            documents=checked.documents, left_out=checked.refused_count, sums=_as_text(checked.sums),
            fingerprints=kept.packed(), now=now, actor=actor,
        )  # fmt: skip
        unfinished.replace(path)
    except OSError as error:
        raise filings.unwritable(path, error) from None
    finally:
        unfinished.unlink(missing_ok=True)
    return filing


def file_name(month: date, part: str) -> str:
    """`isaf-2026-11-EPARD.xml`."""
    return f"isaf-{period_of(month)}-{part}.xml"


def period_of(month: date) -> str:
    """`2026-11`."""
    return f"{month:%Y-%m}"


def _add_up(session: Session, checked: Checked, company: Company) -> None:
    """Fill `checked` as looking at every document would, at the cost of those that are not plain."""
    added = isaf_sums.added(session, checked.month, checked.terms)
    which = documents(session, checked.month, isaf_sums.odd(checked.terms, added))
    for _ in _looked_through(session, checked, company, added.without(which)):
        pass
    checked.not_filed = added.not_filed
    checked.invoices += added.filed  # credit notes are never plain
    for code, (base, amount) in added.plain().items():
        of_code = checked.sums.setdefault(code, CodeSum())
        of_code.base += base
        of_code.amount += amount
    _must_fit(checked)


def _looked_through(
    session: Session, checked: Checked, company: Company, which: Iterable[Document] | None = None
) -> Iterator[tuple[Document, Entry | None]]:
    """Every document that is filed, with what the file says of it (None: it would be refused); `checked` is filled."""
    terms = checked.terms
    for document in documents(session, checked.month) if which is None else which:
        if not is_filed(document, terms):
            checked.not_filed += 1
            continue
        why = refusals(document, terms)
        if why:
            checked.refused_count += 1
            if len(checked.refused) < MOST_SHOWN:
                checked.refused.append(Refused(document.id, document.number, document.issued, tuple(why)))
            yield document, None
            continue
        said = entry(document, terms, company.country)
        if document.is_credit_note:
            checked.credit_notes += 1
        else:
            checked.invoices += 1
        for total in said.totals:
            of_code = checked.sums.setdefault(total.code, CodeSum())
            of_code.base += total.base
            of_code.amount += total.amount or ZERO
        yield document, said
    if which is None:
        _must_fit(checked)


def _must_fit(checked: Checked) -> None:
    if checked.documents > MOST_DOCUMENTS:
        values = {"count": str(checked.documents), "most": str(MOST_DOCUMENTS)}
        checked.against.append(Refusal("too_many", values))


def files(session: Session, company: Company, terms: Terms, month: date) -> bool:
    """True when the month is filed: a VAT payer files each, and nobody keeps a document with VAT back.

    An invoice dated before the company's first day as payer, or a credit note after its last, would be nowhere else.
    """
    first = month.replace(day=1)
    if company_vat(company).pays_vat_in(first, last_of_month(first)):
        return True
    return is_any_filed(session, month, terms)


def _against(session: Session, company: Company, terms: Terms, month: date) -> list[Refusal]:
    is_payer = files(session, company, terms, month)
    return of_company(
        company.code, company.country, terms, is_payer=is_payer, name=company.name, vat_code=company.vat_code
    )


def _must_be_fine(against: list[Refusal]) -> None:
    if against:
        words = [isaf_words.said(each) for each in against]
        raise BrokenRule(" ".join(each.wrong for each in words), fix=" ".join(each.fix for each in words))


def _may_be_taken(checked: Checked, *, without_refused: bool) -> None:
    _must_be_fine(checked.against)
    if checked.refused_count and not without_refused:
        first = checked.refused[0]
        words = isaf_words.said(first.why[0])
        many = "1 document" if checked.refused_count == 1 else f"{checked.refused_count} documents"
        raise BrokenRule(
            f"{many} would be refused, first {first.number or 'one without number'}: {words.wrong}",
            fix="Mend what the list says, or take the file without them.",
        )


def must_be_known(month: date) -> None:
    """Raises BrokenRule for a month before this version of i.SAF."""
    if month < FIRST_DAY:
        raise BrokenRule(f"i.SAF 1.2 begins with {FIRST_DAY:%B %Y}.", fix="Choose a later month.")


def _fingerprint(document: Document, said: Entry) -> Fingerprint:
    totals = [(each.code, str(each.base), str(each.percent), str(each.amount)) for each in said.totals]
    whole = (
        said.number, said.kind, str(said.supplied), said.vat_code, said.company_code, said.country, said.name,
        said.credits_number, str(said.credits_issued), totals,
    )  # fmt: skip
    return document.issued, document.id, digest(whole)


def _as_text(sums: dict[str, CodeSum]) -> dict[str, dict[str, str]]:
    return {code: {"base": f"{each.base:.2f}", "amount": f"{each.amount:.2f}"} for code, each in sums.items()}
