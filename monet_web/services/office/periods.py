"""Closing and reopening months: the accountant's, always with a reason that is kept (E7)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from monet_web.domain.errors import BrokenRule
from monet_web.domain.periods import is_closed, last_of_month
from monet_web.domain.windows import local_day
from monet_web.models.audit import AuditEntry
from monet_web.models.base import writing
from monet_web.models.company import Company
from monet_web.models.invoices import IS_FOREIGN, IS_WAITING, NOT_WAITING, Invoice, InvoiceKind, InvoiceState
from monet_web.services import audit

MONTHS = 24  # shown, beside the month that is not over
_MOST_HISTORY = 30
_ACTIONS = ("period_closed", "period_reopened", "company_changed")


@dataclass(frozen=True, slots=True)
class Month:
    """One month and what is dated in it. `first` is its first day; `is_over` False: it can't be closed yet."""

    first: date
    is_closed: bool
    is_over: bool
    invoices: int = 0
    credit_notes: int = 0
    waiting: int = 0
    sums: Mapping[str, Decimal] = field(default_factory=dict)  # of what is registered, credit notes taken off


@dataclass(frozen=True, slots=True)
class Books:
    """Which months are closed, what is dated in them, who closed and reopened them why (the newest first)."""

    closed_until: date | None
    months: tuple[Month, ...]
    history: tuple[AuditEntry, ...]


def books(session: Session, *, now: datetime) -> Books:
    """The last MONTHS months, the newest first. Inside a transaction, four queries."""
    company = session.get_one(Company, 1, populate_existing=True)
    today = local_day(now, ZoneInfo(company.time_zone))
    firsts = _firsts(today, MONTHS)
    dated = _dated(session, firsts[-1])
    months = tuple(_month(first, company.closed_until, today, dated.get(first, _Dated())) for first in firsts)
    # A month without anything before the first one with something says nothing; the last closed one can be reopened.
    used = [index for index, month in enumerate(months) if month.invoices or month.waiting]
    used += [index for index, month in enumerate(months) if month.is_closed][:1]
    shown = months[: max([*used, 2]) + 1]
    return Books(company.closed_until, shown, tuple(_history(session)))


def close(session: Session, month: date, *, reason: str, now: datetime, actor: str) -> date:
    """Close the month of `month` and all before it; the last closed day. In a transaction of its own.

    Raises BrokenRule: no reason, the month is not over, it is closed already.
    """
    first, last = month.replace(day=1), last_of_month(month)
    reason = _reason(reason, "October is filed")
    with writing(session):
        company = _locked(session)
        today = local_day(now, ZoneInfo(company.time_zone))
        if last >= today:
            raise BrokenRule(
                f"{first:%B %Y} is not over, and invoices of today would be refused.",
                fix=f"Close it from {last + timedelta(days=1)} on.",
            )
        if is_closed(last, company.closed_until):
            raise BrokenRule(f"{first:%B %Y} is closed already.", fix="Nothing need be done.")
        _set(session, company, last, "period_closed", reason=reason, now=now, actor=actor)
    return last


def reopen(session: Session, month: date, *, reason: str, now: datetime, actor: str) -> date:
    """Reopen the month of `month` and all after it; the last day that stays closed. In a transaction of its own.

    Raises BrokenRule: no reason, the month is open.
    """
    first = month.replace(day=1)
    reason = _reason(reason, "an invoice of the month was forgotten")
    with writing(session):
        company = _locked(session)
        if not is_closed(first, company.closed_until):
            raise BrokenRule(f"{first:%B %Y} is open.", fix="Nothing need be done.")
        before = first - timedelta(days=1)
        _set(session, company, before, "period_reopened", reason=reason, now=now, actor=actor)
    return before


def waiting_in(session: Session, month: date, *, limit: int) -> list[int]:
    """Waiting invoices dated in the month or before it, the oldest first: closing concerns them. In a transaction."""
    query = select(Invoice.id).where(IS_WAITING, Invoice.issue_date <= last_of_month(month))
    return list(session.scalars(query.order_by(Invoice.id).limit(limit)))


def _month(first: date, closed_until: date | None, today: date, of: _Dated) -> Month:
    last = last_of_month(first)
    return Month(first, is_closed(last, closed_until), last < today, of.invoices, of.credit_notes, of.waiting, of.sums)


def _firsts(today: date, count: int) -> list[date]:
    """The first days of this month and of `count` months before it, the newest first."""
    firsts = [today.replace(day=1)]
    for _ in range(count):
        firsts.append((firsts[-1] - timedelta(days=1)).replace(day=1))
    return firsts


@dataclass(slots=True)
class _Dated:
    invoices: int = 0
    credit_notes: int = 0
    waiting: int = 0
    sums: dict[str, Decimal] = field(default_factory=dict)


def _dated(session: Session, since: date) -> dict[date, _Dated]:
    """Day by day in the order of an index that holds all that is asked: two years may be half a million documents."""
    rows = session.execute(
        select(
            Invoice.state, Invoice.issue_date, func.count().label("documents"),
            func.count().filter(Invoice.kind == InvoiceKind.CREDIT_NOTE).label("credit_notes"),
            func.sum(Invoice.total).filter(Invoice.currency == "EUR").label("in_euro"),
        )
        .where(Invoice.issue_date >= since, Invoice.state.in_(tuple(InvoiceState)))
        .group_by(Invoice.state, Invoice.issue_date)
    ).all()  # fmt: skip
    found: dict[date, _Dated] = {}
    for row in rows:
        of = found.setdefault(row.issue_date.replace(day=1), _Dated())
        if row.state is InvoiceState.IN_JOURNAL:
            of.waiting += row.documents
            continue
        of.credit_notes += row.credit_notes
        of.invoices += row.documents - row.credit_notes
        if row.in_euro is not None:
            of.sums["EUR"] = of.sums.get("EUR", Decimal(0)) + row.in_euro
    foreign = session.execute(
        select(Invoice.issue_date, Invoice.currency, func.sum(Invoice.total).label("total"))
        .where(IS_FOREIGN, NOT_WAITING, Invoice.issue_date >= since)
        .group_by(Invoice.issue_date, Invoice.currency)
    ).all()
    for other in foreign:
        sums = found.setdefault(other.issue_date.replace(day=1), _Dated()).sums
        sums[other.currency] = sums.get(other.currency, Decimal(0)) + other.total
    return found


def _history(session: Session) -> Sequence[AuditEntry]:
    entries = session.scalars(
        select(AuditEntry)
        .where(AuditEntry.subject_kind == "company", AuditEntry.action.in_(_ACTIONS))
        .order_by(AuditEntry.id.desc())
        .limit(_MOST_HISTORY * 3)
    )
    return [entry for entry in entries if "closed_until" in (entry.after or {})][:_MOST_HISTORY]


def _locked(session: Session) -> Company:
    """Behind everybody who writes something dated in an open period now."""
    return session.scalars(select(Company).where(Company.id == 1).with_for_update()).one()


def _reason(reason: str, example: str) -> str:
    reason = reason.strip()[:400]
    if not reason:
        raise BrokenRule(
            "Closing and reopening a month need a reason.", fix=f"Type why, for example: {example}.", field="reason"
        )
    return reason


def _set(
    session: Session, company: Company, until: date | None, action: str, *, reason: str, now: datetime, actor: str
) -> None:
    before = company.closed_until
    company.closed_until = until
    audit.record(
        session, at=now, actor=actor, action=action, subject_kind="company", subject_id=1,
        before={"closed_until": before}, after={"closed_until": until, "reason": reason},
    )  # fmt: skip
