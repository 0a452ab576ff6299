"""A month's registered documents as i.SAF wants them, read in order of day and id, a page at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Row, exists, or_, select
from sqlalchemy.orm import Session, aliased

from monet_web.domain.isaf import Document, Party, Rate, Terms
from monet_web.domain.money import ZERO
from monet_web.domain.periods import last_of_month
from monet_web.domain.treatment import Treatment
from monet_web.models.invoices import Invoice, InvoiceKind, InvoiceState, InvoiceVat

PAGE = 1000


def documents(session: Session, month: date, *which: ColumnElement[bool]) -> Iterator[Document]:
    """All that are issued in the month, whatever their treatment, or `which` of them.

    Inside a transaction; a statement a page of 1000.
    """
    credited = aliased(Invoice)
    query: Any = (
        select(
            Invoice.id, Invoice.number, Invoice.kind, Invoice.issue_date, Invoice.supply_date, Invoice.vat_date,
            Invoice.currency, Invoice.eur_rate, Invoice.treatment, Invoice.buyer, Invoice.buyer_name,
            Invoice.ship_country, Invoice.net_eur,
            credited.number.label("credits_number"), credited.issue_date.label("credits_issued"),
        )
        .outerjoin(
            credited, (credited.id == Invoice.credits_invoice_id) & (credited.state == InvoiceState.REGISTERED)
        )
        .where(*of_month(month), *which)
        .order_by(Invoice.issue_date, Invoice.id)
        .execution_options(yield_per=PAGE)
    )  # fmt: skip
    for page in session.execute(query).partitions():
        rates = _rates(session, [row.id for row in page])
        for row in page:
            yield _document(row, rates[row.id])


def named(session: Session, ids: Sequence[int]) -> list[tuple[int, str, date]]:
    """Id, number and day of issue of documents, in order of the day. Inside a transaction, one statement or none."""
    if not ids:
        return []
    query = select(Invoice.id, Invoice.number, Invoice.issue_date).where(Invoice.id.in_(ids))
    rows = session.execute(query.order_by(Invoice.issue_date, Invoice.id))
    return [(row.id, row.number or "", row.issue_date) for row in rows]


def of_month(month: date) -> tuple[ColumnElement[bool], ...]:
    """What a registered document of the month is."""
    first = month.replace(day=1)
    return Invoice.state == InvoiceState.REGISTERED, Invoice.issue_date.between(first, last_of_month(first))


def is_any_filed(session: Session, month: date, terms: Terms) -> bool:
    """True when a document of the month belongs into i.SAF, whatever the company was then. Inside a transaction."""
    treatments = [Treatment.NOT_PAYER.value, *([Treatment.OSS.value] if terms.oss == "out" else [])]
    carries = or_(Invoice.vat != ZERO, Invoice.treatment != "")
    which = exists().where(*of_month(month), Invoice.treatment.not_in(treatments), carries)
    return bool(session.scalar(select(which)))


def _rates(session: Session, ids: Sequence[int]) -> dict[int, list[Rate]]:
    found: dict[int, list[Rate]] = defaultdict(list)
    query = select(
        InvoiceVat.invoice_id, InvoiceVat.rate, InvoiceVat.code, InvoiceVat.base, InvoiceVat.amount,
        InvoiceVat.amount_eur,
    ).where(InvoiceVat.invoice_id.in_(ids)).order_by(InvoiceVat.id)  # fmt: skip
    for row in session.execute(query):
        found[row.invoice_id].append(Rate(row.rate, row.code, row.base, row.amount, row.amount_eur))
    return found


def _document(row: Row[Any], rates: Sequence[Rate]) -> Document:
    buyer = row.buyer or {}
    return Document(
        id=row.id,
        number=row.number or "",
        is_credit_note=row.kind is InvoiceKind.CREDIT_NOTE,
        issued=row.issue_date,
        supplied=row.supply_date,
        point=row.vat_date,
        currency=row.currency,
        eur_rate=row.eur_rate,
        treatment=row.treatment,
        buyer=Party(
            name=row.buyer_name,
            company=buyer.get("company", ""),
            vat_code=buyer.get("vat_code", ""),
            company_code=buyer.get("company_code", ""),
            country=buyer.get("country", ""),
        ),
        ship_country=row.ship_country,
        net_eur=row.net_eur,
        rates=tuple(rates),
        credits_number=row.credits_number or "",
        credits_issued=row.credits_issued,
    )
