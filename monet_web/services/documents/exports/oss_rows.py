"""What the books hold under OSS: sums by quarter of supply, country, rate and currency, and the documents behind."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, func, select, tuple_
from sqlalchemy.orm import Session, aliased

from monet_web.domain.money import ZERO
from monet_web.domain.quarters import Quarter, quarter_of
from monet_web.domain.treatment import Treatment
from monet_web.models.company import CurrencyRate
from monet_web.models.invoices import Invoice, InvoiceKind, InvoiceState, InvoiceVat

PAGE = 1000
EURO = "EUR"


@dataclass(frozen=True, slots=True)
class Figure:
    """A sum in one currency. `quarter` is that of the supply, which a credit note takes from its invoice."""

    quarter: Quarter
    country: str
    rate: Decimal
    currency: str
    base: Decimal
    vat: Decimal


@dataclass(frozen=True, slots=True)
class Evidence:
    """One document's rate with the two pieces that say where the buyer is: delivery and the buyer's own country."""

    id: int
    number: str
    is_credit_note: bool
    issued: date
    supplied: date
    quarter: Quarter
    country: str
    buyer_country: str
    rate: Decimal
    currency: str
    base: Decimal
    vat: Decimal
    credits_number: str

    @property
    def agrees(self) -> bool:
        """Both pieces name one country."""
        return self.country == self.buyer_country


_credited = aliased(Invoice)


def figures(session: Session, first: Quarter, last: Quarter) -> list[Figure]:
    """The sums of these quarters and those between them, whenever it was sold or credited. One statement."""
    supplied = _supplied()
    query = (
        select(
            supplied.label("day"), Invoice.ship_country, InvoiceVat.rate, Invoice.currency,
            func.sum(InvoiceVat.base).label("base"), func.sum(InvoiceVat.amount).label("vat"),
        )
        .select_from(Invoice)
        .join(InvoiceVat, InvoiceVat.invoice_id == Invoice.id)
        .outerjoin(_credited, _credited.id == Invoice.credits_invoice_id)
        .where(*_supplied_between(first.first, last.last))
        .group_by(supplied, Invoice.ship_country, InvoiceVat.rate, Invoice.currency)
    )  # fmt: skip
    sums: dict[tuple[Quarter, str, Decimal, str], list[Decimal]] = defaultdict(lambda: [ZERO, ZERO])
    for row in session.execute(query):
        # 24 and 24.0 are one rate; the column keeps text.
        rate = Decimal(f"{row.rate.normalize():f}")
        of = sums[quarter_of(row.day), filed_country(row.ship_country), rate, row.currency]
        of[0] += row.base
        of[1] += row.vat
    return [Figure(*key, base, vat) for key, (base, vat) in sorted(sums.items())]


def documents(session: Session, first: date, last: date) -> Iterator[Evidence]:
    """Each document supplied on these days with its rates, in order of (day of supply, id). Inside a transaction.

    Memory does not grow.
    """
    supplied = _supplied()
    query: Any = (
        select(
            Invoice.id, Invoice.number, Invoice.kind, Invoice.issue_date, supplied.label("day"), Invoice.ship_country,
            _buyer_country().label("buyer_country"), InvoiceVat.rate, Invoice.currency, InvoiceVat.base,
            InvoiceVat.amount, _credited.number.label("credits_number"),
        )
        .select_from(Invoice)
        .join(InvoiceVat, InvoiceVat.invoice_id == Invoice.id)
        .outerjoin(_credited, _credited.id == Invoice.credits_invoice_id)
        .where(*_supplied_between(first, last))
        .order_by(supplied, Invoice.id, InvoiceVat.id)
        .execution_options(yield_per=PAGE)
    )  # fmt: skip
    for row in session.execute(query):
        yield Evidence(
            row.id, row.number or "", row.kind is InvoiceKind.CREDIT_NOTE, row.issue_date, row.day,
            quarter_of(row.day), filed_country(row.ship_country), filed_country(row.buyer_country or ""),
            row.rate, row.currency, row.base, row.amount, row.credits_number or "",
        )  # fmt: skip


def doubtful(session: Session, quarter: Quarter) -> int:
    """How many invoices of the quarter have one piece of evidence only, or two that differ. Inside a transaction."""
    query = (
        select(func.count())
        .select_from(Invoice)
        .outerjoin(_credited, _credited.id == Invoice.credits_invoice_id)
        .where(
            *_registered_oss(), Invoice.kind == InvoiceKind.INVOICE, _supplied().between(quarter.first, quarter.last),
            func.coalesce(_buyer_country(), "") != Invoice.ship_country,
        )
    )  # fmt: skip
    return session.scalar(query) or 0


def is_any(session: Session, quarter: Quarter) -> bool:
    """True when a document under OSS was supplied in the quarter. Inside a transaction."""
    query = (
        select(Invoice.id)
        .where(
            *_registered_oss(),
            func.coalesce(Invoice.vat_date, Invoice.supply_date).between(quarter.first, quarter.last),
        )
        .limit(1)
    )
    return session.scalar(query) is not None


def rates(session: Session, wanted: Collection[tuple[Quarter, str]]) -> dict[tuple[Quarter, str], Decimal]:
    """(quarter, currency) → units for one EUR as the ECB published them for the quarter's end; missing ones left out.

    Inside a transaction, one statement or none.
    """
    found = {each: Decimal(1) for each in wanted if each[1] == EURO}
    # The table holds days of accounting: no other day has the rate that was published for the quarter's end.
    days = {(quarter.rates_count_from, currency): quarter for quarter, currency in wanted if currency != EURO}
    if days:
        query = select(CurrencyRate.day, CurrencyRate.currency, CurrencyRate.rate).where(
            tuple_(CurrencyRate.day, CurrencyRate.currency).in_(sorted(days))
        )
        found |= {(days[row.day, row.currency], row.currency): row.rate for row in session.execute(query)}
    return found


def filed_country(code: str) -> str:
    """The country as returns write it: Greece is EL."""
    code = code.strip().upper()
    return "EL" if code == "GR" else code


def _supplied_between(first: date, last: date) -> tuple[ColumnElement[bool], ...]:
    return (
        *_registered_oss(),
        InvoiceVat.rate.is_not(None),
        InvoiceVat.rate.not_in((Decimal(0), Decimal("0.00"))),  # the column keeps text
        _supplied().between(first, last),
    )


def _registered_oss() -> tuple[ColumnElement[bool], ...]:
    return Invoice.treatment == Treatment.OSS.value, Invoice.state == InvoiceState.REGISTERED


def _supplied() -> Any:
    """The day of VAT: of a credit note that of its invoice."""
    return func.coalesce(_credited.vat_date, _credited.supply_date, Invoice.vat_date, Invoice.supply_date)


def _buyer_country() -> Any:
    return Invoice.buyer["country"].as_string()
