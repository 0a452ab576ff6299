"""One document as it is put on paper: every figure and name it shows, read from the rows and changed no more.

Loaded with the same number of queries for one as for a hundred; drawing needs no database.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased, selectinload

from monet_web.domain.money import minor_unit, round_to
from monet_web.domain.orders import LineKind
from monet_web.domain.treatment import Treatment
from monet_web.domain.windows import local_day
from monet_web.models.company import Company, CompanyLogo
from monet_web.models.invoices import Invoice, InvoiceKind, InvoiceLine, InvoiceState
from monet_web.models.items import Item
from monet_web.services.books import company_details
from monet_web.services.books.company_details import Dated, Details
from monet_web.services.documents.exports.paper_words import WORDS, Pair, legal_reference
from monet_web.services.importing.booking import company_vat

_GOODS = (LineKind.GOODS, LineKind.SERVICE)


@dataclass(frozen=True, slots=True)
class Party:
    """The seller or the buyer; what is not known is ""."""

    name: str
    code: str = ""
    vat_code: str = ""
    address: str = ""
    country: str = ""
    bank_name: str = ""
    bank_account: str = ""


@dataclass(frozen=True, slots=True)
class PaperLine:
    """One line. `unit` is None for a piece, "" where there is none to name; `rate` None is no tax.

    `quantity` 0 and `unit_price` None are not printed.
    """

    code: str
    name: str
    quantity: Decimal
    unit: str | None
    unit_price: Decimal | None
    discount: Decimal
    net: Decimal
    rate: Decimal | None
    vat: Decimal


@dataclass(frozen=True, slots=True)
class PaperRate:
    """The taxable value and VAT of one rate, in EUR too; `because`: the law where it carries no VAT of ours."""

    rate: Decimal | None
    base: Decimal
    vat: Decimal
    vat_eur: Decimal | None
    because: Pair | None


@dataclass(frozen=True, slots=True)
class Paper:
    """A document; amounts in its currency, those of a credit note negative. `number` may be "" on a pro-forma."""

    title: Pair
    number: str
    order_number: str
    is_pro_forma: bool
    is_copy: bool
    has_vat: bool  # False: of a seller that pays no VAT, without a word of it
    issue_date: date
    supply_date: date
    vat_date: date | None
    credits: tuple[str, date] | None  # number and date of the invoice that a credit note takes back
    seller: Party
    buyer: Party
    ship_country: str
    currency: str
    eur_rate: Decimal | None
    lines: tuple[PaperLine, ...]
    rates: tuple[PaperRate, ...]
    net: Decimal
    vat: Decimal
    rounding: Decimal
    total: Decimal
    net_eur: Decimal | None
    vat_eur: Decimal | None
    total_eur: Decimal | None
    payments: tuple[tuple[str, Decimal | None], ...]
    missing: tuple[str, ...] = ()  # what it must show of the seller and can't: name, vat_code, address

    @property
    def has_discounts(self) -> bool:
        """True when a line has one of its own."""
        return any(line.discount for line in self.lines)

    @property
    def reasons(self) -> tuple[Pair, ...]:
        """The law behind every rate without VAT, each once."""
        return tuple(dict.fromkeys(each.because for each in self.rates if each.because is not None))


@dataclass(frozen=True, slots=True)
class Logo:
    """The company's picture."""

    media_type: str
    body: bytes


def logo(session: Session) -> Logo | None:
    """The company's, None when there is none. Inside a transaction, one query."""
    row = session.get(CompanyLogo, 1, populate_existing=True)
    return None if row is None else Logo(row.media_type, row.body)


def must_be_complete(session: Session, now: datetime) -> None:
    """Raises BrokenRule where documents of today could not be drawn. Inside a transaction, one query."""
    company = session.get_one(Company, 1, populate_existing=True)
    has_vat = company_vat(company).pays_vat_on(local_day(now, ZoneInfo(company.time_zone)))
    missing = company_details.now(company).missing(has_vat=has_vat)
    company_details.must_be_complete(missing, has_vat=has_vat)


def load(session: Session, invoice_ids: Sequence[int]) -> list[Paper]:
    """The documents in the order asked, those that are gone left out. Inside a transaction; seven queries at most."""
    credited = aliased(Invoice)
    query = (
        select(Invoice, credited.number, credited.issue_date.label("day"))
        .outerjoin(credited, credited.id == Invoice.credits_invoice_id)
        .where(Invoice.id.in_(list(invoice_ids)))
        .options(selectinload(Invoice.lines), selectinload(Invoice.vat_rows))
        .execution_options(populate_existing=True)
    )
    found = {row.Invoice.id: row for row in session.execute(query)}
    company = session.get_one(Company, 1, populate_existing=True)
    dated = company_details.load(session, company)
    codes = _item_codes(session, [row.Invoice for row in found.values()])
    papers = []
    for id_ in invoice_ids:
        if (row := found.get(id_)) is not None:
            original = (row.number, row.day) if row.number else None
            papers.append(_paper(row.Invoice, company, dated, codes, original))
    return papers


def _item_codes(session: Session, invoices: Sequence[Invoice]) -> Mapping[int, str]:
    ids = {line.item_id for one in invoices for line in one.lines if line.item_id is not None}
    if not ids:
        return {}
    return {row.id: row.code for row in session.execute(select(Item.id, Item.code).where(Item.id.in_(ids)))}


def _paper(
    invoice: Invoice, company: Company, dated: Dated, codes: Mapping[int, str], original: tuple[str, date] | None
) -> Paper:
    is_payer = _is_payer(invoice, company)
    has_vat = is_payer or bool(invoice.vat)  # VAT that was charged all the same is never hidden
    is_pro_forma = invoice.state is not InvoiceState.REGISTERED
    details = dated.at(None if is_pro_forma else invoice.registered_at)
    return Paper(
        title=_title(invoice, has_vat),
        number=invoice.number or "",
        order_number=invoice.order_number,
        is_pro_forma=is_pro_forma,
        is_copy=invoice.issued_by_store,
        has_vat=has_vat,
        issue_date=invoice.issue_date,
        supply_date=invoice.supply_date,
        vat_date=invoice.vat_date if invoice.vat_date not in (None, invoice.supply_date) else None,
        credits=original,
        seller=_seller(details, has_vat),
        buyer=_buyer(invoice),
        ship_country=invoice.ship_country,
        currency=invoice.currency,
        eur_rate=invoice.eur_rate,
        lines=_lines(invoice, codes),
        rates=_rates(invoice, is_payer),
        net=invoice.net,
        vat=invoice.vat,
        rounding=invoice.rounding,
        total=invoice.total,
        net_eur=invoice.net_eur,
        vat_eur=invoice.vat_eur,
        total_eur=invoice.total_eur,
        payments=_payments(invoice),
        missing=() if is_pro_forma else details.missing(has_vat=has_vat),
    )


def _is_payer(invoice: Invoice, company: Company) -> bool:
    """As the sale was treated; one that was never treated, by the company's days."""
    if invoice.treatment:
        return invoice.treatment != Treatment.NOT_PAYER
    return company_vat(company).pays_vat_on(invoice.supply_date)


def _title(invoice: Invoice, has_vat: bool) -> Pair:
    if invoice.state is not InvoiceState.REGISTERED and invoice.kind is InvoiceKind.INVOICE:
        return WORDS["pro_forma"]
    kind = "credit_note" if invoice.kind is InvoiceKind.CREDIT_NOTE else "invoice"
    return WORDS[f"vat_{kind}" if has_vat else kind]


def _seller(details: Details, has_vat: bool) -> Party:
    return Party(
        name=details.name,
        code=details.code,
        vat_code=details.vat_code if has_vat else "",
        address=details.address,
        country=details.country,
        bank_name=details.bank_name,
        bank_account=details.bank_account,
    )


def _buyer(invoice: Invoice) -> Party:
    said = invoice.buyer or {}
    parts = (said.get("line", ""), said.get("postcode", ""), said.get("city", ""))
    return Party(
        name=said.get("company") or said.get("name") or invoice.buyer_name,
        code=said.get("company_code", ""),
        vat_code=said.get("vat_code", ""),
        address=", ".join(part.strip() for part in parts if part.strip()),
        country=said.get("country", ""),
    )


def _lines(invoice: Invoice, codes: Mapping[int, str]) -> tuple[PaperLine, ...]:
    return tuple(
        PaperLine(
            # What the store called it is the invoice's own; the item may be merged or mapped anew later.
            code=line.sku or (codes.get(line.item_id, "") if line.item_id is not None else ""),
            name=line.name,
            quantity=line.quantity if line.kind in _GOODS or _multiplies(invoice, line) else Decimal(0),
            unit=line.unit or (None if line.kind in _GOODS else ""),
            unit_price=line.unit_price if _multiplies(invoice, line) else None,
            discount=line.discount,
            net=line.net,
            rate=line.vat_rate,
            vat=line.vat,
        )
        for line in invoice.lines
    )


def _multiplies(invoice: Invoice, line: InvoiceLine) -> bool:
    """False for a row of a credit note whose quantity and price do not give its sum: the price would contradict it.

    A refund may take a part of the money only; pieces that came back are said all the same. An invoice says all.
    """
    if invoice.kind is not InvoiceKind.CREDIT_NOTE:
        return True
    worth = line.quantity * line.unit_price - line.discount
    return round_to(worth, minor_unit(invoice.currency)) == line.net


def _rates(invoice: Invoice, is_payer: bool) -> tuple[PaperRate, ...]:
    """A row a rate and reason: two codes of one rate that say the same are one row."""
    treatment = invoice.treatment or ("" if is_payer else Treatment.NOT_PAYER.value)
    summed: dict[tuple[Decimal | None, Pair | None], list[tuple[Decimal, Decimal, Decimal | None]]] = defaultdict(list)
    for row in invoice.vat_rows:
        because = legal_reference(treatment, row.rate, row.code, invoice.ship_country)
        summed[row.rate, because].append((row.base, row.amount, row.amount_eur))
    rates = []
    for (rate, because), rows in summed.items():
        in_eur = [eur for _, _, eur in rows if eur is not None]
        rates.append(
            PaperRate(
                rate=rate,
                base=sum((base for base, _, _ in rows), Decimal(0)),
                vat=sum((vat for _, vat, _ in rows), Decimal(0)),
                vat_eur=sum(in_eur, Decimal(0)) if len(in_eur) == len(rows) else None,
                because=because,
            )
        )
    return tuple(rates)


def _payments(invoice: Invoice) -> tuple[tuple[str, Decimal | None], ...]:
    """How it is paid; sums only where there are several. A credit note says nothing of it."""
    if invoice.kind is InvoiceKind.CREDIT_NOTE:
        return ()
    said = [(one.get("title") or one.get("method", ""), Decimal(one["amount"])) for one in invoice.payments or []]
    if len(said) > 1:
        return tuple(said)
    return ((invoice.payment, None),) if invoice.payment else ()
