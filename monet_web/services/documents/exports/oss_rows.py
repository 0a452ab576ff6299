"""What the books hold for an OSS return: sums by country, rate and currency, and the documents behind them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select
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
    rows: int


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


def figures(session: Session, quarter: Quarter) -> list[Figure]:
    """The sums of a return: of the quarter itself, and of earlier ones by what was credited in it. One statement."""
    supplied = _supplied()
    query = (
        select(
            supplied.label("day"), Invoice.ship_country, InvoiceVat.rate, Invoice.currency,
            func.sum(InvoiceVat.base).label("base"), func.sum(InvoiceVat.amount).label("vat"),
            func.count().label("rows"),
        )
        .select_from(Invoice)
        .join(InvoiceVat, InvoiceVat.invoice_id == Invoice.id)
        .outerjoin(_credited, _credited.id == Invoice.credits_invoice_id)
        .where(*_of_return(quarter))
        .group_by(supplied, Invoice.ship_country, InvoiceVat.rate, Invoice.currency)
    )  # fmt: skip
    sums: dict[tuple[Quarter, str, Decimal, str], list[Any]] = defaultdict(lambda: [ZERO, ZERO, 0])
    for row in session.execute(query):
        # 24 and 24.0 are one rate; the column keeps text.
        rate = Decimal(f"{row.rate.normalize():f}")
        of = sums[quarter_of(row.day), filed_country(row.ship_country), rate, row.currency]
        of[0] += row.base
        of[1] += row.vat
        of[2] += row.rows
    return [Figure(*key, base, vat, rows) for key, (base, vat, rows) in sorted(sums.items())]


def evidence(session: Session, quarter: Quarter) -> Iterator[Evidence]:
    """Each document of the return with its rates, in order of id. Inside a transaction; memory does not grow."""
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
        .where(*_of_return(quarter))
        .order_by(Invoice.id, InvoiceVat.id)
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
            *_registered_oss(), Invoice.kind == InvoiceKind.INVOICE, _days(_supplied(), quarter),
            func.coalesce(_buyer_country(), "") != Invoice.ship_country,
        )
    )  # fmt: skip
    return session.scalar(query) or 0


def rates(session: Session, quarter: Quarter, currencies: set[str]) -> dict[str, Decimal]:
    """Currency → units for one EUR as the ECB published them for the quarter's end; what is missing is left out."""
    found = {currency: Decimal(1) for currency in currencies if currency == EURO}
    query = (
        select(CurrencyRate.currency, CurrencyRate.rate)
        .where(
            CurrencyRate.currency.in_(currencies - {EURO}), CurrencyRate.day > quarter.published,
            CurrencyRate.day <= quarter.rates_count_from,
        )
        .order_by(CurrencyRate.day)
    )  # fmt: skip
    return found | {row.currency: row.rate for row in session.execute(query)}


def filed_country(code: str) -> str:
    """The country as returns write it: Greece is EL."""
    code = code.strip().upper()
    return "EL" if code == "GR" else code


def _of_return(quarter: Quarter) -> tuple[ColumnElement[bool], ...]:
    supplied = _supplied()
    is_note = Invoice.kind == InvoiceKind.CREDIT_NOTE
    return (
        *_registered_oss(),
        InvoiceVat.rate.is_not(None),
        InvoiceVat.rate.not_in((Decimal(0), Decimal("0.00"))),  # the column keeps text
        or_(
            # What was supplied in the quarter, with its credit notes until the quarter's end …
            and_(_days(supplied, quarter), or_(~is_note, Invoice.issue_date <= quarter.last)),
            # … and what this quarter credited of earlier ones.
            and_(is_note, supplied < quarter.first, _days(Invoice.issue_date, quarter)),
        ),
    )


def _registered_oss() -> tuple[ColumnElement[bool], ...]:
    return Invoice.treatment == Treatment.OSS.value, Invoice.state == InvoiceState.REGISTERED


def _days(column: Any, quarter: Quarter) -> ColumnElement[bool]:
    is_in: ColumnElement[bool] = column.between(quarter.first, quarter.last)
    return is_in


def _supplied() -> Any:
    """The day of VAT: of a credit note that of its invoice."""
    return func.coalesce(_credited.vat_date, _credited.supply_date, Invoice.vat_date, Invoice.supply_date)


def _buyer_country() -> Any:
    return Invoice.buyer["country"].as_string()
