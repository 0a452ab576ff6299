"""A month before its filing: what still stands in its way, closing it, and what changed since its files were taken."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from monet_web.domain.errors import BrokenRule
from monet_web.domain.money import ZERO
from monet_web.domain.periods import is_closed, last_of_month
from monet_web.domain.quarters import Quarter, quarter_of
from monet_web.domain.windows import local_day, start_of_day
from monet_web.models.base import reading
from monet_web.models.company import Company
from monet_web.models.invoices import IS_WAITING, Invoice, InvoiceFinding, InvoiceState
from monet_web.models.store_orders import DATED, Outcome, StoreOrder
from monet_web.services.books import company_details
from monet_web.services.documents import unsettled
from monet_web.services.documents.exports import filings, isaf, isaf_kept, oss
from monet_web.services.importing.facts import CHANGED, IGNORED
from monet_web.services.importing.refund_signs import LEFT, NOT_BOOKED
from monet_web.services.office import periods
from monet_web.services.reports import numbers

# What i.SAF says of a company that files none at all: nothing of the month stands open because of it.
_FILES_NONE = frozenset({"not_payer", "not_lithuania"})
_RATE_MISSING = "currency_rate_missing"
_MOST_RATES = 50
_MOST_NAMED = 20
_CLEAN = "Nothing stood open."
_NOT_BOOKED = (Outcome.OPEN, Outcome.CONFLICT, Outcome.UNREADABLE)


@dataclass(frozen=True, slots=True)
class Waiting:
    """Invoices and credit notes of the month in journals. `without_euro`: how many have no amounts in EUR."""

    documents: int = 0
    vat: Decimal = ZERO  # in EUR
    total: Decimal = ZERO  # in EUR, VAT included
    without_euro: int = 0


@dataclass(frozen=True, slots=True)
class GivenBack:
    """A registered invoice of which money was given back in the month, and no credit note says so."""

    invoice_id: int
    number: str
    amount: str  # all that is not booked of it
    currency: str


@dataclass(slots=True)
class Month:
    """What stands between the month and its filing. The lists are empty where nothing does."""

    first: date
    is_over: bool
    is_closed: bool
    waiting: Waiting
    isaf: isaf.Checked
    rates: list[tuple[str, int]] = field(default_factory=list)  # "USD 2026-11-24", how many wait for it
    quarter: oss.Return | None = None  # of OSS, when the month is its last one
    unsettled: int = 0
    unexplained: int = 0  # numbers that are missing, and nobody knows why
    earlier: int = 0  # documents that wait in months before it, which closing would close too
    # Orders of the month that are in no document and nobody left out: their number is taken, nobody can read them, or
    # they wait for a run.
    unbooked: int = 0
    named_unbooked: list[str] = field(default_factory=list)  # the order numbers of the first of them
    company: tuple[str, ...] = ()  # what its invoices must show of it and nobody filled in: name, vat_code, address
    changed: int = 0  # registered documents whose orders say something else by now, unanswered
    given_back: int = 0  # invoices of GivenBack: refunds are not read, or the credit note was deleted
    named_back: list[GivenBack] = field(default_factory=list)  # the first of them

    @property
    def last(self) -> date:
        """Its last day."""
        return last_of_month(self.first)

    @property
    def files_isaf(self) -> bool:
        """False for a company that files no i.SAF, and has no document with VAT in the month."""
        return not any(each.code in _FILES_NONE for each in self.isaf.against)

    @property
    def quarter_rates(self) -> list[tuple[Quarter, str]]:
        """Rates that the quarter's OSS return misses."""
        return [] if self.quarter is None else self.quarter.missing

    @property
    def stands_open(self) -> list[str]:
        """What stands open, by name.

        company, waiting, earlier, orders, changed, refunds, numbers, rates, oss_rates, isaf, stock.
        """
        found = {
            "company": bool(self.company),
            "waiting": self.waiting.documents > 0,
            "earlier": self.earlier > 0,
            "orders": self.unbooked > 0,
            "changed": self.changed > 0,
            "refunds": self.given_back > 0,
            "numbers": self.unexplained > 0,
            "rates": bool(self.rates),
            "oss_rates": bool(self.quarter_rates),
            "isaf": self.files_isaf and not self.isaf.is_clean,
            "stock": self.unsettled > 0,
        }
        return [name for name, is_open in found.items() if is_open]

    @property
    def is_clean(self) -> bool:
        """Nothing stands open."""
        return not self.stands_open


def load(session: Session, month: date, *, now: datetime) -> Month:
    """The month of a day. Inside a transaction; one look through its documents, a few statements a store."""
    company = session.get_one(Company, 1, populate_existing=True)
    first, last = month.replace(day=1), last_of_month(month)
    has_vat = isaf.files(session, company, filings.terms(session), first)
    found = Month(
        first=first,
        is_over=last < local_day(now, ZoneInfo(company.time_zone)),
        is_closed=is_closed(last, company.closed_until),
        waiting=_waiting(session, first),
        isaf=isaf_kept.check(session, first),
        company=company_details.now(company).missing(has_vat=has_vat),
        rates=_rates(session, first),
        unsettled=unsettled.count(session, month=first),
        unexplained=numbers.load(session, first).unexplained,
        earlier=_count(session, IS_WAITING, Invoice.issue_date < first),
        changed=_count(
            session, Invoice.state == InvoiceState.REGISTERED, Invoice.issue_date.between(first, last),
            exists().where(InvoiceFinding.invoice_id == Invoice.id, InvoiceFinding.code == CHANGED),
        ),
    )  # fmt: skip
    found.given_back, found.named_back = _given_back(session, first)
    found.unbooked, found.named_unbooked = _unbooked(session, first, ZoneInfo(company.time_zone))
    quarter = quarter_of(first)
    if quarter.last == last:
        found.quarter = oss.load(session, quarter)
    return found


def close(session: Session, month: date, *, reason: str = "", now: datetime, actor: str) -> date:
    """Close a month and all before it; the last closed day. A clean one needs no reason, any other is signed with one.

    In transactions of its own. Raises BrokenRule.
    """
    reason = reason.strip()
    if not reason:
        with reading(session):
            found = load(session, month, now=now)
        if not found.is_clean:
            raise BrokenRule(
                f"{found.first:%B %Y} is not clean: {len(found.stands_open)} of its points stand open.",
                fix="Mend them, or type why it is closed all the same.", field="reason",
            )  # fmt: skip
        reason = _CLEAN
    return periods.close(session, month, reason=reason, now=now, actor=actor)


def _count(session: Session, *asked: ColumnElement[bool]) -> int:
    return session.scalar(select(func.count()).select_from(Invoice).where(*asked)) or 0


def _given_back(session: Session, first: date) -> tuple[int, list[GivenBack]]:
    """By the days of the refunds, whenever the invoice was issued; what a person has answered does not count."""
    answered = exists().where(InvoiceFinding.invoice_id == Invoice.id, InvoiceFinding.code == IGNORED)
    asks_again = exists().where(InvoiceFinding.invoice_id == Invoice.id, InvoiceFinding.code == CHANGED)
    said = aliased(InvoiceFinding)
    query = (
        select(Invoice.id, Invoice.number, said.values)
        .join(said, said.invoice_id == Invoice.id)
        .where(
            said.code.in_((NOT_BOOKED, LEFT)),
            said.values["count"].as_string().contains(f"{first:%Y-%m}-", autoescape=True),
            Invoice.state == InvoiceState.REGISTERED,
            Invoice.superseded.is_(False),
            ~answered | asks_again,
        )
    )
    count = session.scalar(select(func.count()).select_from(query.subquery())) or 0
    rows = session.execute(query.order_by(Invoice.id).limit(_MOST_NAMED)) if count else ()
    return count, [
        GivenBack(row.id, row.number or "", str(row.values["amount"]), str(row.values["currency"])) for row in rows
    ]


def _unbooked(session: Session, first: date, zone: ZoneInfo) -> tuple[int, list[str]]:
    """Orders placed in the month, or of a document dated in it that was deleted, which are in no document."""
    placed = and_(
        StoreOrder.placed_at >= start_of_day(first, zone),
        StoreOrder.placed_at < start_of_day(last_of_month(first) + timedelta(days=1), zone),
    )
    dated = StoreOrder.details[DATED].as_string().startswith(f"{first:%Y-%m}-", autoescape=True)
    query = select(StoreOrder.id, StoreOrder.order_number).where(
        StoreOrder.outcome.in_(_NOT_BOOKED), or_(placed, and_(StoreOrder.outcome == Outcome.OPEN, dated))
    )
    count = session.scalar(select(func.count()).select_from(query.subquery())) or 0
    rows = session.execute(query.order_by(StoreOrder.id).limit(_MOST_NAMED)) if count else ()
    return count, [row.order_number for row in rows]


def _waiting(session: Session, first: date) -> Waiting:
    row = session.execute(
        select(
            func.count().label("documents"), func.count(Invoice.total_eur).label("in_euro"),
            func.sum(Invoice.vat_eur).label("vat"), func.sum(Invoice.total_eur).label("total"),
        ).where(*_waits(first))
    ).one()  # fmt: skip
    return Waiting(row.documents, row.vat or ZERO, row.total or ZERO, row.documents - row.in_euro)


def _rates(session: Session, first: date) -> list[tuple[str, int]]:
    query = (
        select(InvoiceFinding.subject, func.count().label("documents"))
        .join(Invoice, Invoice.id == InvoiceFinding.invoice_id)
        .where(InvoiceFinding.code == _RATE_MISSING, *_waits(first))
        .group_by(InvoiceFinding.subject)
        .order_by(InvoiceFinding.subject)
        .limit(_MOST_RATES)
    )
    return [(row.subject, row.documents) for row in session.execute(query)]


def _waits(first: date) -> tuple[ColumnElement[bool], ...]:
    return IS_WAITING, Invoice.issue_date.between(first, last_of_month(first))
