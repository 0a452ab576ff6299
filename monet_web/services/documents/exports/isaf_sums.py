"""A month of i.SAF added up by the database: only documents that are not plain are looked at one by one.

Plain is an invoice in EUR of a private buyer whose rows have known codes and add up to it: nothing of it is refused,
and the file says its amounts as they are kept. Every other document is odd, and `domain.isaf` judges it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, and_, case, exists, func, or_, select, true, type_coerce
from sqlalchemy.orm import Session

from monet_web.domain.countries import WRITTEN
from monet_web.domain.isaf import LONGEST_NUMBER, WITHOUT_RATE, Document, Terms, is_code, is_rate
from monet_web.domain.money import ZERO
from monet_web.domain.treatment import Treatment
from monet_web.models.invoices import Invoice, InvoiceKind, InvoiceVat
from monet_web.services.documents.exports.isaf_rows import of_month

_EURO = "EUR"
_PER_CENT = 100  # what amounts are kept in, for one cent


@dataclass(slots=True)
class Added:
    """What a month comes to before its odd documents are taken out: sums by code in the documents' own currencies."""

    filed: int = 0
    not_filed: int = 0
    rows: Counter[str] = field(default_factory=Counter)
    base: dict[str, Decimal] = field(default_factory=lambda: defaultdict(lambda: ZERO))
    amount: dict[str, Decimal] = field(default_factory=lambda: defaultdict(lambda: ZERO))  # in EUR
    odd_codes: set[str] = field(default_factory=set)
    odd_rates: set[Decimal] = field(default_factory=set)

    def without(self, odd: Iterable[Document]) -> Iterable[Document]:
        """The odd documents, each taken out of the sums as it passes."""
        for document in odd:
            self.filed -= 1
            for row in document.rates:
                if row.code:
                    self.rows[row.code] -= 1
                    self.base[row.code] -= row.base
                    self.amount[row.code] -= row.amount_eur or ZERO
            yield document

    def plain(self) -> dict[str, tuple[Decimal, Decimal]]:
        """(base, amount) in EUR by code of what is left; a code without rate has no amount."""
        return {
            code: (self.base[code], ZERO if code in WITHOUT_RATE else self.amount[code])
            for code, rows in self.rows.items()
            if code and rows
        }


def added(session: Session, month: date, terms: Terms) -> Added:
    """Two statements whatever the number of documents. Inside a transaction."""
    found = Added()
    filed = _filed(terms)
    row = session.execute(
        select(func.count().label("all"), func.sum(case((filed, 1), else_=0)).label("filed"))
        .select_from(Invoice)
        .where(*of_month(month))
    ).one()  # fmt: skip
    found.filed = int(row.filed or 0)
    found.not_filed = row.all - found.filed
    rows = session.execute(
        select(
            InvoiceVat.code, InvoiceVat.rate, func.count().label("rows"), func.sum(InvoiceVat.base).label("base"),
            func.sum(InvoiceVat.amount_eur).label("amount"),
        )
        .join(Invoice, Invoice.id == InvoiceVat.invoice_id)
        .where(*of_month(month), filed)
        .group_by(InvoiceVat.code, InvoiceVat.rate)
    )  # fmt: skip
    for each in rows:
        found.rows[each.code] += each.rows
        found.base[each.code] += each.base
        found.amount[each.code] += each.amount or ZERO
        if each.code and not is_code(each.code):
            found.odd_codes.add(each.code)
        if each.rate is not None and not is_rate(each.rate):
            found.odd_rates.add(each.rate)
    return found


def odd(terms: Terms, found: Added) -> ColumnElement[bool]:
    """What a document is that must be looked at by itself; those that are not filed are not among them."""
    return and_(_filed(terms), _plain(terms, found).is_not(True))


def _filed(terms: Terms) -> ColumnElement[bool]:
    left_out = [Treatment.NOT_PAYER.value, *([Treatment.OSS.value] if terms.oss == "out" else [])]
    return Invoice.treatment.not_in(left_out)


def _plain(terms: Terms, found: Added) -> ColumnElement[bool]:
    buyer: Any = Invoice.buyer
    said = {key: func.coalesce(buyer[key].as_string(), "") for key in ("vat_code", "company_code", "country")}
    country = func.upper(func.trim(func.coalesce(func.nullif(said["country"], ""), Invoice.ship_country)))
    its_rows = InvoiceVat.invoice_id == Invoice.id
    coded = select(func.sum(InvoiceVat.base)).where(its_rows, InvoiceVat.code != "").scalar_subquery()
    return and_(
        Invoice.kind == InvoiceKind.INVOICE,
        Invoice.number.is_not(None), func.length(Invoice.number).between(1, LONGEST_NUMBER),
        true() if terms.oss else Invoice.treatment != Treatment.OSS.value,
        Invoice.currency == _EURO, Invoice.eur_rate == Decimal(1), coded == Invoice.net_eur,
        said["vat_code"] == "", said["company_code"] == "", country.in_(["", *sorted(WRITTEN)]),
        ~exists().where(its_rows, _is_odd(found)),
    )  # fmt: skip


def _is_odd(found: Added) -> ColumnElement[bool]:
    parts = type_coerce(InvoiceVat.base, BigInteger) % _PER_CENT
    return or_(
        InvoiceVat.amount_eur.is_(None), and_(InvoiceVat.code == "", or_(InvoiceVat.base != 0, InvoiceVat.amount != 0)),
        InvoiceVat.code.in_(sorted(found.odd_codes)), InvoiceVat.rate.in_(sorted(found.odd_rates)), parts != 0,
    )  # fmt: skip
