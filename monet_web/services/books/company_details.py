"""What documents show of the company: as it was when each was registered, so that a reprint is the same paper."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from monet_web.domain.errors import BrokenRule
from monet_web.models.company import Company, CompanyDetails

SHOWN = ("name", "code", "vat_code", "address", "country", "bank_name", "bank_account")


@dataclass(frozen=True, slots=True)
class Details:
    """The company as a document shows it."""

    name: str
    code: str
    vat_code: str
    address: str
    country: str
    bank_name: str
    bank_account: str

    def missing(self, *, has_vat: bool) -> tuple[str, ...]:
        """Which of name, vat_code and address an invoice must show (Art. 80) and nobody filled in."""
        needed = ("name", "vat_code", "address") if has_vat else ("name",)
        return tuple(key for key in needed if not getattr(self, key).strip())


class Dated:
    """The company's details of every moment."""

    def __init__(self, now: Details, before: Sequence[tuple[datetime, Details]]) -> None:
        self._now = now
        self._until = [until for until, _ in before]
        self._before = [details for _, details in before]

    def at(self, moment: datetime | None) -> Details:
        """Those that held at a moment; None: today's."""
        if moment is None:
            return self._now
        place = bisect_right(self._until, moment)
        return self._before[place] if place < len(self._before) else self._now


def now(company: Company) -> Details:
    """Today's."""
    return Details(**{key: getattr(company, key) for key in SHOWN})


def load(session: Session, company: Company) -> Dated:
    """Today's and all earlier ones. Inside a transaction, one query whatever the number of documents."""
    rows = session.scalars(select(CompanyDetails).order_by(CompanyDetails.until, CompanyDetails.id))
    earlier = [(row.until, Details(**{key: getattr(row, key) for key in SHOWN})) for row in rows]
    return Dated(now(company), earlier)


def changed(session: Session, before: Mapping[str, Any], company: Company, *, everywhere: bool, now: datetime) -> None:
    """Keep what documents registered until `now` show. Inside the transaction that changes the company.

    `before`: the values of SHOWN that changed, as they were. What was empty is filled in on earlier documents too,
    since none could be right without it; `everywhere`: so is what was wrong.
    """
    shown = {key: str(value) for key, value in before.items() if key in SHOWN}
    kept = {key: value for key, value in shown.items() if value and not everywhere}
    for key, value in shown.items():
        if key not in kept:
            column = getattr(CompanyDetails, key)
            session.execute(update(CompanyDetails).where(column == value).values({column: getattr(company, key)}))
    if kept:
        was = {key: kept.get(key, getattr(company, key)) for key in SHOWN}
        session.add(CompanyDetails(until=now, **was))


def must_be_complete(missing: Sequence[str], *, has_vat: bool) -> None:
    """Raises BrokenRule where an invoice would not show what it must."""
    if not missing:
        return
    fix = "An administrator types what is missing under Settings, The company; then the document can be drawn."
    if has_vat:
        raise BrokenRule(
            "A VAT invoice must show the company's name, VAT code and address, and not all of them are filled in.",
            fix=fix,
        )
    raise BrokenRule("An invoice must show the company's name, and it is not filled in.", fix=fix)
