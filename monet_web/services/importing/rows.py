"""Rows of documents: a prepared order as plain dicts for the tables, so that a page is written in a few statements."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from monet_web.domain.invoices import Draft
from monet_web.domain.money import ZERO, convert
from monet_web.domain.orders import LineKind
from monet_web.domain.periods import open_day
from monet_web.models.audit import AuditEntry
from monet_web.models.base import Base
from monet_web.models.bulk import insert_rows
from monet_web.models.invoices import (
    AccountingType,
    Invoice,
    InvoiceFinding,
    InvoiceKind,
    InvoiceLine,
    InvoiceState,
    InvoiceVat,
)
from monet_web.models.runs import RunOrder
from monet_web.models.stock import StockMove
from monet_web.services.books.numbers import number_key
from monet_web.services.importing.booking import Booking
from monet_web.services.importing.customers import address_of
from monet_web.services.importing.vat import vat_rows

if TYPE_CHECKING:
    from monet_web.services.importing.prepare import Prepared


@dataclass(slots=True)
class Batch:
    """Rows waiting to be inserted, in the order in which foreign keys allow it."""

    invoices: list[dict[str, Any]] = field(default_factory=list)
    lines: list[dict[str, Any]] = field(default_factory=list)
    vat: list[dict[str, Any]] = field(default_factory=list)
    findings: list[dict[str, Any]] = field(default_factory=list)
    moves: list[dict[str, Any]] = field(default_factory=list)
    run_orders: list[dict[str, Any]] = field(default_factory=list)
    audit: list[dict[str, Any]] = field(default_factory=list)

    def write(self, session: Session) -> None:
        """Insert everything; a violated unique index raises IntegrityError."""
        pages: tuple[tuple[type[Base], list[dict[str, Any]]], ...] = (
            (Invoice, self.invoices),
            (InvoiceLine, self.lines),
            (InvoiceVat, self.vat),
            (InvoiceFinding, self.findings),
            (StockMove, self.moves),
            (RunOrder, self.run_orders),
            (AuditEntry, self.audit),
        )
        for model, rows in pages:
            insert_rows(session, model, rows)


def add_invoice(
    batch: Batch,
    booking: Booking,
    one: Prepared,
    *,
    invoice_id: int,
    registered: bool,
    journal_id: int | None,
    customer_id: int | None,
) -> None:
    """The document of a prepared order with its lines, VAT and findings."""
    draft = one.draft
    assert draft is not None  # noqa: S101 - only drafted orders make documents
    living, kept = one.living, one.kept
    rate = one.eur_rate
    treated = one.treated
    rows_of_vat = vat_rows(draft, treated.codes if treated else ("",) * len(draft.lines), invoice_id, rate)
    total_eur, net_eur, vat_eur = _in_euro(draft, rows_of_vat, rate)
    batch.invoices.append(
        {
            "id": invoice_id,
            "store_id": booking.store_id,
            "integration_id": booking.integration_id,
            "store_order_id": one.remembered.store_order_id,
            "kind": InvoiceKind.INVOICE,
            "external_id": one.remembered.external_id,
            "revision": one.revision,
            "superseded": False,
            "number": one.number,
            "number_key": number_key(one.number) if one.number else None,
            "order_number": draft.order_number[:120],
            "state": InvoiceState.REGISTERED if registered else InvoiceState.IN_JOURNAL,
            "accounting_type": AccountingType(booking.settings.accounting_type),
            "journal_id": journal_id,
            "opened_by_run_id": living.opened_by_run_id if living else booking.run_id,
            "registered_by_run_id": booking.run_id if registered else None,
            "registered_at": booking.now if registered else None,
            "drafted_from_version_id": one.remembered.version_id,
            "touched_at": kept.touched_at if kept else None,
            "touched_by": kept.touched_by if kept else "",
            "row_version": living.row_version + 1 if living else 1,
            "credits_invoice_id": None,
            "reissues_invoice_id": kept.reissues if kept else None,
            # To another buyer the store has issued nothing: that invoice is ours.
            "issued_by_store": booking.settings.issued_by == "store" and not (kept and kept.reissues),
            "issue_date": draft.issue_date,
            "supply_date": draft.supply_date,
            "vat_date": kept.vat_date if kept else None,
            "currency": draft.currency[:3],
            "eur_rate": rate,
            "customer_id": customer_id,
            "buyer_name": (draft.buyer.company or draft.buyer.name or draft.buyer.email)[:400],
            "buyer": _buyer(draft),
            "ship_country": draft.ship_country[:2],
            "payment": ", ".join(dict.fromkeys(payment.title or payment.method for payment in draft.payments))[:200],
            "payments": [
                {"method": payment.method, "title": payment.title, "kind": payment.kind.value,
                 "amount": str(payment.amount), "reference": payment.reference}
                for payment in draft.payments
            ],
            "net": draft.net,
            "vat": draft.vat_total,
            "rounding": draft.rounding,
            "total": draft.total,
            "net_eur": net_eur,
            "vat_eur": vat_eur,
            "total_eur": total_eur,
            "treatment": treated.treatment.value if treated and treated.treatment else "",
            "evidence": (treated.evidence or None) if treated else None,
            "stock_not_moved_reason": one.stock_stays,
            "note": kept.note if kept else "",
            "search_text": _search_text(one, draft),
        }
    )  # fmt: skip
    for position, (line, item) in enumerate(zip(draft.lines, one.items, strict=True), start=1):
        account = None
        if not booking.is_goods:
            account = (kept.accounts[position - 1] if kept else "") or _account(booking, line.kind)
        place = one.place(booking, position - 1)
        # A person may have chosen the warehouse of a line whose item nobody knows yet.
        is_placed = (item and item.keeps_stock) or (kept and booking.is_goods and line.names_item and not registered)
        batch.lines.append(
            {
                "invoice_id": invoice_id,
                "position": position,
                "kind": line.kind.value,
                "item_id": item.id if item else None,
                "account": account,
                "store_line_id": line.store_line_id[:120],
                "store_product_id": line.product_id[:120],
                "store_variation_id": line.variation_id[:120],
                "name": line.name,
                "sku": line.sku[:200],
                "barcode": line.barcode[:60],
                "quantity": line.quantity,
                "unit": line.unit[:20],
                "unit_price": line.unit_price,
                "discount": line.discount,
                "net": line.net,
                "vat_rate": line.vat_rate,
                "vat": line.vat,
                "warehouse_id": place.id if is_placed else None,
            }
        )
    batch.vat.extend(rows_of_vat)
    add_findings(batch, invoice_id, one)


def add_findings(batch: Batch, invoice_id: int, one: Prepared) -> None:
    """The findings of a document; notices are kept on registered ones too."""
    for finding in one.findings:
        batch.findings.append(
            {"invoice_id": invoice_id, "code": finding.code, "subject": finding.subject[:200],
             "values": dict(finding.values), "stops": finding.stops}
        )  # fmt: skip


def add_moves(batch: Batch, booking: Booking, one: Prepared, invoice_id: int) -> None:
    """What a registered document takes from the stock, a move a line."""
    draft = one.draft
    assert draft is not None  # noqa: S101 - only drafted orders make documents
    for position, (line, item) in enumerate(zip(draft.lines, one.items, strict=True), start=1):
        if item is None or not item.keeps_stock or not line.quantity:
            continue
        batch.moves.append(
            {"document_type": "invoice", "document_id": invoice_id, "position": position, "item_id": item.id,
             "warehouse_id": one.place(booking, position - 1).id, "quantity": -line.quantity,
             "day": open_day(draft.supply_date, draft.issue_date, booking.closed_until)}
        )  # fmt: skip


def add_audit(batch: Batch, booking: Booking, action: str, invoice_id: int, after: dict[str, Any]) -> None:
    """One entry of the trail for one document."""
    batch.audit.append(
        {"at": booking.now, "actor": booking.actor, "action": action, "subject_kind": "invoice",
         "subject_id": invoice_id, "before": None, "after": after}
    )  # fmt: skip


def _account(booking: Booking, kind: LineKind) -> str:
    """What a line of amounts is credited on until a person says otherwise."""
    return {
        LineKind.GOODS: booking.revenue_account,
        LineKind.SERVICE: booking.revenue_account,
        LineKind.DISCOUNT: booking.revenue_account,
        LineKind.VOUCHER: booking.gift_card_account,
        LineKind.DEPOSIT: booking.deposit_account,
    }.get(kind, booking.charges_account)


def _in_euro(
    draft: Draft, vat_rows: Sequence[dict[str, Any]], rate: Decimal | None
) -> tuple[Decimal | None, Decimal | None, Decimal | None]:
    """(total, net, VAT) in EUR; VAT is the sum of its rows, and net takes what the rounding of each leaves."""
    if not rate:
        return None, None, None
    total = convert(draft.total, rate)
    vat = sum((row["amount_eur"] for row in vat_rows), ZERO)
    return total, total - vat - convert(draft.rounding, rate), vat


def _buyer(draft: Draft) -> dict[str, str]:
    buyer = draft.buyer
    return {
        "name": buyer.name,
        "company": buyer.company,
        "company_code": draft.company_code,
        "vat_code": draft.vat_code,
        "email": buyer.email,
        "phone": buyer.phone,
        **address_of(draft),
    }


def _search_text(one: Prepared, draft: Draft) -> str:
    order = one.remembered.order
    parts = [one.number or "", draft.order_number, getattr(order, "reference", ""), draft.buyer.name]
    parts += [draft.buyer.company, draft.company_code, draft.vat_code, draft.buyer.email]
    parts += [line.sku for line in draft.lines]
    return unicodedata.normalize("NFC", " ".join(part for part in dict.fromkeys(parts) if part)).casefold()
