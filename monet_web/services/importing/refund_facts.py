"""What is known around the invoices whose refunds are booked, loaded at once: credit notes, decisions, stock taken."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from monet_web.domain.refund_parts import Part
from monet_web.models.decisions import Decision, DecisionKind
from monet_web.models.invoices import Invoice, InvoiceKind
from monet_web.models.items import Item, ItemKind
from monet_web.services.importing.notes import credit_notes_of, taken_out
from monet_web.services.importing.reissued import settled_before


@dataclass(slots=True)
class Around:
    """What is known around the invoices of a page, loaded at once."""

    notes: Mapping[int, list[Invoice]]
    settled: Mapping[int, Collection[str]]  # refunds that an invoice before it, to another buyer, has credited
    typed: Mapping[tuple[int, str], Mapping[int, Part]]
    keeping_stock: Collection[int]
    services: Collection[int] = ()  # ids of items that are services
    out: Mapping[tuple[int, int, int, int], Decimal] = field(default_factory=dict)  # invoice, position, place → pieces


def locked(session: Session, invoice_ids: Sequence[int]) -> dict[int, Invoice]:
    """The living invoices by id with lines and VAT, their rows locked."""
    query = (
        select(Invoice)
        .where(Invoice.id.in_(invoice_ids), Invoice.kind == InvoiceKind.INVOICE, Invoice.superseded.is_(False))
        .order_by(Invoice.id)
        .options(selectinload(Invoice.lines), selectinload(Invoice.vat_rows))
        .with_for_update(of=Invoice)
        .execution_options(populate_existing=True)
    )
    return {invoice.id: invoice for invoice in session.scalars(query)}


def around_of(session: Session, invoices: Mapping[int, Invoice], store_order_ids: Sequence[int]) -> Around:
    """Inside the transaction that has locked the invoices; a handful of queries."""
    notes = credit_notes_of(session, list(invoices))
    items = {line.item_id for invoice in invoices.values() for line in invoice.lines if line.item_id}
    keeping, services = set(), set()
    if items:
        known = list(session.execute(select(Item.id, Item.keeps_stock, Item.kind).where(Item.id.in_(items))))
        keeping = {item.id for item in known if item.keeps_stock}
        services = {item.id for item in known if item.kind is ItemKind.SERVICE}
    typed = _typed(session, store_order_ids)
    around = Around(notes, settled_before(session, list(invoices)), typed, keeping, services)
    if keeping:
        of_document = {document: invoice for invoice in invoices for document in _documents(invoice, notes)}
        around.out = taken_out(session, of_document)
    return around


def _typed(session: Session, store_order_ids: Sequence[int]) -> dict[tuple[int, str], dict[int, Part]]:
    """(order, refund) → what a person said of it, by position."""
    rows = session.scalars(
        select(Decision).where(Decision.store_order_id.in_(store_order_ids), Decision.kind == DecisionKind.REFUND)
    )
    return {(row.store_order_id, row.subject): parts_of(row.values) for row in rows}


def parts_of(values: Mapping[str, Any]) -> dict[int, Part]:
    """A decision's values as parts by position."""
    return {
        int(position): Part(Decimal(said["quantity"]), Decimal(said["net"]), Decimal(said["vat"]), said["goods"])
        for position, said in values["lines"].items()
    }


def _documents(invoice_id: int, notes: Mapping[int, Sequence[Invoice]]) -> list[int]:
    return [invoice_id, *(note.id for note in notes.get(invoice_id, ()))]
