"""The sales journal of a month: what the main program books of the registered documents, by the company's accounts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from monet_web.domain.errors import BrokenRule
from monet_web.domain.money import ZERO
from monet_web.domain.orders import LineKind
from monet_web.domain.sales_journal import Accounts, Document, Part, Row, Sold, Taxed, journal
from monet_web.domain.treatment import Treatment
from monet_web.models.company import Company
from monet_web.models.integrations import Integration
from monet_web.models.invoices import IS_WAITING, Invoice, InvoiceKind, InvoiceLine, InvoiceState, InvoiceVat
from monet_web.services.documents import origins

_STEP = 500
_OF_REVENUE = (LineKind.GOODS, LineKind.SERVICE, LineKind.DISCOUNT)
_MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class SalesJournal:
    """A month's rows. `waiting`: documents dated in it that are not registered, and so are not among the rows."""

    month: date
    rows: tuple[Row, ...]
    invoices: int
    credit_notes: int
    waiting: int

    @property
    def debit(self) -> Decimal:
        """The sum of the debit side, which is that of the credit side."""
        return sum((row.debit for row in self.rows), ZERO)

    @property
    def by_account(self) -> list[tuple[Part, str, str, str, Decimal, Decimal]]:
        """(part, account, code, rate, debit, credit) of the whole month."""
        sums: dict[tuple[Part, str, str, str], list[Decimal]] = {}
        for row in self.rows:
            both = sums.setdefault((row.part, row.account, row.code, row.rate), [ZERO, ZERO])
            both[0] += row.debit
            both[1] += row.credit
        order = list(Part)
        keys = sorted(sums, key=lambda key: (order.index(key[0]), *key[1:]))
        return [(*key, sums[key][0], sums[key][1]) for key in keys]


def load(session: Session, month: date) -> SalesJournal:
    """The journal of the documents dated in a month (its first day). Inside a transaction; four queries a step.

    Raises BrokenRule where a document has no figures in euro.
    """
    following = _following(month)
    in_month = (Invoice.issue_date >= month, Invoice.issue_date < following)
    company = session.get_one(Company, 1, populate_existing=True)
    integrations = {
        row.id: row for row in session.execute(select(Integration.id, Integration.name, Integration.settings))
    }
    counted: dict[InvoiceKind, int] = defaultdict(int)
    documents: list[Document] = []
    contradicting: list[str] = []
    after = 0
    while True:
        found = session.execute(
            select(
                Invoice.id, Invoice.number, Invoice.kind, Invoice.integration_id, Invoice.issue_date, Invoice.payment,
                Invoice.payments, Invoice.treatment, Invoice.currency, Invoice.eur_rate, Invoice.net, Invoice.vat,
                Invoice.total, Invoice.net_eur, Invoice.vat_eur, Invoice.total_eur, Invoice.credits_invoice_id,
                Invoice.reissues_invoice_id, Invoice.store_order_id,
            )
            .where(*in_month, Invoice.state == InvoiceState.REGISTERED, Invoice.id > after)
            .order_by(Invoice.id)
            .limit(_STEP)
        ).all()  # fmt: skip
        if not found:
            break
        after = found[-1].id
        _must_be_in_euro(found)
        ids = [row.id for row in found]
        lines, rates, paid_as = _lines(session, ids), _rates(session, ids), origins.load(session, found)
        for row in found:
            counted[row.kind] += 1
            accounts = _of_lines(company, integrations[row.integration_id].settings)
            one = _document(row, integrations[row.integration_id].name, lines[row.id], rates[row.id], accounts)
            if row.id in paid_as:
                payment, origin = paid_as[row.id]
                one = replace(one, payment=payment, origin=origin)
            documents.append(one)
            if sum((each.vat_eur for each in one.taxed), ZERO) != one.vat_eur or (one.net_eur and not one.taxed):
                contradicting.append(row.number or "")
    waiting = session.scalar(select(func.count()).select_from(Invoice).where(*in_month, IS_WAITING))
    if contradicting:
        raise BrokenRule(
            f"The figures of these contradict each other, so that nothing balances: {_named(contradicting)}.",
            fix="Compare them with the store's orders, and tell who keeps this program.",
        )
    rows = journal(documents, _accounts(company))
    return SalesJournal(
        month, tuple(rows), counted[InvoiceKind.INVOICE], counted[InvoiceKind.CREDIT_NOTE], waiting or 0
    )


def _following(month: date) -> date:
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def _must_be_in_euro(found: Sequence[Any]) -> None:
    missing = [row.number or "" for row in found if row.currency != "EUR" and row.total_eur is None]
    if missing:
        raise BrokenRule(f"These have no figures in euro: {_named(missing)}.", fix="Add the rate of their currency.")


def _named(numbers: Sequence[str]) -> str:
    return ", ".join(numbers[:_MOST_NAMED]) + (" …" if len(numbers) > _MOST_NAMED else "")


def _accounts(company: Company) -> Accounts:
    receivable = company.receivable_account
    return Accounts(
        receivable=receivable,
        prepaid=company.prepaid_account or receivable,
        cash_on_delivery=company.cod_account or receivable,
        gift_card=company.gift_card_account or receivable,
        vat=company.vat_account,
        oss_vat=company.oss_vat_account or company.vat_account,
        rounding=company.rounding_account or company.charges_account or company.revenue_account,
        cash=company.cash_account or receivable,
    )


@dataclass(frozen=True, slots=True)
class _OfLines:
    """What lines that name no account are credited on: the integration's own, else the company's."""

    revenue: str
    charges: str
    receivable: str
    owed: Mapping[LineKind, str]  # to who brings the card or the packaging: revenue is what they are used for

    def of(self, kind: LineKind, named: str | None) -> str:
        """`named` is the line's own account."""
        if kind in self.owed:
            # Invoices of amounts named that of charges once, and name that of what buyers owe while there is no other.
            return self.owed[kind] if named in (None, "", self.charges, self.receivable) else named
        return named or (self.revenue if kind in _OF_REVENUE else self.charges)


def _of_lines(company: Company, settings: Mapping[str, Any]) -> _OfLines:
    return _OfLines(
        revenue=str(settings.get("revenue_account") or company.revenue_account),
        charges=str(settings.get("charges_account") or company.charges_account),
        receivable=company.receivable_account,
        owed={
            LineKind.VOUCHER: company.gift_card_account or company.receivable_account,
            LineKind.DEPOSIT: company.deposit_account or company.receivable_account,
        },
    )


def _lines(session: Session, ids: Sequence[int]) -> dict[int, list[Any]]:
    query = (
        select(
            InvoiceLine.invoice_id, InvoiceLine.account, InvoiceLine.kind, InvoiceLine.vat_rate,
            func.sum(InvoiceLine.net).label("net"),
        )
        .where(InvoiceLine.invoice_id.in_(ids))
        .group_by(InvoiceLine.invoice_id, InvoiceLine.account, InvoiceLine.kind, InvoiceLine.vat_rate)
        .order_by(InvoiceLine.invoice_id, func.min(InvoiceLine.position))
    )  # fmt: skip
    return _by_invoice(session.execute(query).all())


def _rates(session: Session, ids: Sequence[int]) -> dict[int, list[Any]]:
    query = (
        select(
            InvoiceVat.invoice_id, InvoiceVat.rate, InvoiceVat.code, InvoiceVat.base, InvoiceVat.amount,
            InvoiceVat.amount_eur,
        )
        .where(InvoiceVat.invoice_id.in_(ids))
        .order_by(InvoiceVat.id)
    )  # fmt: skip
    return _by_invoice(session.execute(query).all())


def _by_invoice(rows: Sequence[Any]) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        found[row.invoice_id].append(row)
    return found


def _document(row: Any, store: str, lines: Sequence[Any], rates: Sequence[Any], accounts: _OfLines) -> Document:
    in_euro = row.total_eur is not None
    return Document(
        day=row.issue_date,
        store=store,
        payment=row.payment,
        is_credit_note=row.kind is InvoiceKind.CREDIT_NOTE,
        is_oss=row.treatment == Treatment.OSS,
        eur_rate=row.eur_rate or Decimal(1),
        sold=_sold(lines, rates, accounts),
        taxed=tuple(
            Taxed(one.rate, one.code, one.base, one.amount if one.amount_eur is None else one.amount_eur)
            for one in rates
        ),
        paid=origins.paid(row.payments),
        total=row.total,
        net_eur=row.net_eur if in_euro else row.net,
        vat_eur=row.vat_eur if in_euro else row.vat,
        total_eur=row.total_eur if in_euro else row.total,
    )


def _sold(lines: Sequence[Any], rates: Sequence[Any], accounts: _OfLines) -> tuple[Sold, ...]:
    """Accounts of what stands on the order's lines before those of charges, as the codes of their VAT are written."""
    first = (*_OF_REVENUE, LineKind.VOUCHER)
    sold = [
        Sold(accounts.of(LineKind(line.kind), line.account), line.vat_rate, line.net)
        for line in sorted(lines, key=lambda line: line.kind not in first)
    ]
    with_lines = {each.rate for each in sold}
    return (*sold, *(Sold(accounts.revenue, one.rate, one.base) for one in rates if one.rate not in with_lines))
