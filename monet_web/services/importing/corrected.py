"""Corrected: a waiting invoice that a person corrected is checked and booked as he left it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from monet_web.domain.checks import KnownItem
from monet_web.domain.correction_lines import Line
from monet_web.domain.corrections import Standing
from monet_web.domain.credit_notes import Amounts
from monet_web.domain.decided import OF_FIGURES
from monet_web.domain.findings import Finding
from monet_web.domain.invoices import Draft, DraftLine, draft_invoice, sum_by_rate
from monet_web.domain.measured import Said
from monet_web.domain.money import minor_unit, round_to
from monet_web.domain.orders import Address, Buyer, Charge, LineKind, Order, OrderLine, Payment, PaymentKind, Unreadable
from monet_web.models.invoices import Invoice, InvoiceLine
from monet_web.models.stock import Warehouse
from monet_web.services.importing import reissued
from monet_web.services.importing.booking import Booking, Place
from monet_web.services.importing.facts import CHANGED, IGNORED, items_by_id


@dataclass(frozen=True, slots=True)
class Kept:
    """What a person made of an invoice, beside its draft; `items` and `accounts` hold one value a line."""

    touched_at: datetime
    touched_by: str
    vat_date: date | None = None
    note: str = ""
    customer_id: int | None = None
    items: tuple[KnownItem | None, ...] = ()
    accounts: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()  # that no check finds: what the store changed since
    reissues: int | None = None  # the invoice of another buyer that it is issued instead of


@dataclass(frozen=True, slots=True)
class Stored:
    """A waiting invoice with all that a draft of it needs: `items` by id, `warehouses` id → code.

    `former`: the invoice of another buyer that it is issued instead of, with what was left of that one.
    """

    invoice: Invoice
    items: Mapping[int, KnownItem]
    warehouses: Mapping[int, str]
    former: tuple[Stored, Amounts] | None = None

    def places(self, booking: Booking) -> list[Place]:
        """The warehouse of each line: the one it names, else that of the settings."""
        return [
            Place(line.warehouse_id, self.warehouses[line.warehouse_id]) if line.warehouse_id else booking.place
            for line in self.invoice.lines
        ]

    def kept(self, order: Order | Unreadable, notices: tuple[Finding, ...] = ()) -> Kept | None:
        """What a person made of it, with `notices` of how that differs from the store; None: nobody corrected it."""
        invoice = self.invoice
        if invoice.touched_at is None:
            return None
        return Kept(
            invoice.touched_at,
            invoice.touched_by,
            invoice.vat_date,
            invoice.note,
            invoice.customer_id,
            tuple(self.items.get(line.item_id) if line.item_id else None for line in invoice.lines),
            tuple(line.account or "" for line in invoice.lines),
            (*self.carried(order), *notices),
            invoice.reissues_invoice_id,
        )

    def carried(self, order: Order | Unreadable) -> tuple[Finding, ...]:
        """What no check finds: what the store changed since, or a person ignored; figures that nobody can read now."""
        codes = (CHANGED, IGNORED, *OF_FIGURES) if isinstance(order, Unreadable) else (CHANGED, IGNORED)
        return tuple(
            Finding(one.code, one.subject, one.values, one.stops) for one in self.invoice.found if one.code in codes
        )


def load(session: Session, invoice_ids: Collection[int]) -> dict[int, Stored]:
    """Invoices by id, with lines, findings, items and warehouses. Inside a transaction, five queries or none.

    As many again when some of them are issued to another buyer.
    """
    if not invoice_ids:
        return {}
    invoices = session.scalars(
        select(Invoice)
        .where(Invoice.id.in_(invoice_ids))
        .options(selectinload(Invoice.lines), selectinload(Invoice.found))
        .execution_options(populate_existing=True)
    ).all()
    items = items_by_id(session, {line.item_id for one in invoices for line in one.lines if line.item_id})
    warehouses = {row.id: row.code for row in session.execute(select(Warehouse.id, Warehouse.code))}
    former = _former(session, invoices, items, warehouses)
    return {one.id: Stored(one, items, warehouses, former.get(one.reissues_invoice_id or 0)) for one in invoices}


def _former(
    session: Session, invoices: Sequence[Invoice], items: Mapping[int, KnownItem], warehouses: Mapping[int, str]
) -> dict[int, tuple[Stored, Amounts]]:
    ids = {one.reissues_invoice_id for one in invoices if one.reissues_invoice_id}
    if not ids:
        return {}
    found = session.scalars(
        select(Invoice)
        .where(Invoice.id.in_(ids))
        .options(selectinload(Invoice.lines), selectinload(Invoice.vat_rows), selectinload(Invoice.found))
    ).all()
    left = reissued.left_before(session, found)
    return {one.id: (Stored(one, items, warehouses), left[one.id]) for one in found}


def standing_of(stored: Stored, booking: Booking, order: Order | Unreadable) -> Standing:
    """The invoice as it stands: the draft that its rows are."""
    invoice = stored.invoice
    marketplace = _by_marketplace(order)
    unit = minor_unit(invoice.currency)
    drafted = tuple(_drafted(line, line.store_line_id in marketplace, unit) for line in invoice.lines)
    buyer = invoice.buyer or {}
    draft = Draft(
        external_id=invoice.external_id,
        order_number=invoice.order_number,
        currency=invoice.currency,
        placed_at=order.placed_at or booking.now,  # an order nobody can read; its moment only orders the page
        issue_date=invoice.issue_date,
        supply_date=invoice.supply_date,
        buyer=_buyer(buyer),
        company_code=buyer.get("company_code", ""),
        vat_code=buyer.get("vat_code", ""),
        ship_country=invoice.ship_country,
        payments=tuple(_payment(one) for one in invoice.payments or []),
        lines=drafted,
        vat=sum_by_rate(drafted),
        rounding=round_to(invoice.rounding, unit),
        total=round_to(invoice.total, unit),
        store_number=order.invoice_number if isinstance(order, Order) else "",
    )
    lines = zip(drafted, invoice.lines, stored.places(booking), strict=True)
    return Standing(
        draft=draft,
        lines=tuple(
            Line(line, _code(stored, row), row.account or "", place.code if booking.is_goods else "")
            for line, row, place in lines
        ),
        number=invoice.number or "",
        vat_date=invoice.vat_date,
        note=invoice.note,
    )


def said_of(stored: Stored, booking: Booking, order: Order | Unreadable, standing: Standing) -> Said:
    """The store's figures of an order; of one that can't be read those of the invoice as it stands.

    An invoice to another buyer is measured by what was left of the former one.
    """
    if stored.former is not None:
        former, left = stored.former
        draft, _lines = reissued.remaining(standing_of(former, booking, order).draft, left)
        return Said(draft.total, draft.vat_total, draft.lines, draft.rounding, booking.is_goods)
    if isinstance(order, Unreadable):
        draft = standing.draft
        return Said(draft.total, draft.vat_total, draft.lines, draft.rounding, booking.is_goods)
    draft = original(booking, order)
    return Said(draft.total, order.total_tax, draft.lines, order.rounding, booking.is_goods)


def original(booking: Booking, order: Order) -> Draft:
    """What the store's order becomes without anybody's hand."""
    return draft_invoice(
        order,
        booking.settings,
        zone=booking.zone,
        today=booking.today,
        company_code_fields=booking.connector.company_code_fields,
        vat_code_fields=booking.connector.vat_code_fields,
    )


def _by_marketplace(order: Order | Unreadable) -> set[str]:
    """Ids of the lines whose VAT the marketplace collected: the tables do not keep it."""
    if isinstance(order, Unreadable):
        return set()
    rows: list[OrderLine | Charge] = [*order.lines, *order.charges]
    return {row.external_id[:120] for row in rows if any(tax.collected_by_marketplace for tax in row.taxes)}


def _drafted(line: InvoiceLine, by_marketplace: bool, unit: Decimal) -> DraftLine:
    """The line with amounts of as many decimals as the currency has: the tables keep four of each."""
    return DraftLine(
        kind=LineKind(line.kind),
        name=line.name,
        sku=line.sku,
        barcode=line.barcode,
        product_id=line.store_product_id,
        variation_id=line.store_variation_id,
        store_line_id=line.store_line_id,
        quantity=line.quantity,
        unit=line.unit,
        unit_price=line.unit_price,
        discount=round_to(line.discount, unit),
        net=round_to(line.net, unit),
        vat_rate=line.vat_rate,
        vat=round_to(line.vat, unit),
        rate_known=line.vat_rate is not None or not line.vat,
        by_marketplace=by_marketplace,
    )


def _buyer(buyer: Mapping[str, str]) -> Buyer:
    get = buyer.get
    return Buyer(
        name=get("name", ""),
        company=get("company", ""),
        company_code=get("company_code", ""),
        vat_code=get("vat_code", ""),
        email=get("email", ""),
        phone=get("phone", ""),
        address=Address(
            line=get("line", ""), city=get("city", ""), postcode=get("postcode", ""), country=get("country", "")
        ),
    )


def _payment(said: Mapping[str, str]) -> Payment:
    return Payment(
        said["method"], said["title"], Decimal(said["amount"]), PaymentKind(said["kind"]), said.get("reference", "")
    )


def _code(stored: Stored, line: InvoiceLine) -> str:
    item = stored.items.get(line.item_id) if line.item_id else None
    return item.code if item else ""
