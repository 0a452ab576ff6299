"""An invoice opened for correction: as it stands, as its form is filled in, and what the store says it should be."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from monet_web.domain import corrections
from monet_web.domain.correction_lines import Line
from monet_web.domain.correction_typed import Typed
from monet_web.domain.corrections import Standing
from monet_web.domain.errors import BrokenRule
from monet_web.domain.measured import Said
from monet_web.domain.orders import Order, Unreadable
from monet_web.models.audit import AuditEntry
from monet_web.models.integrations import Integration
from monet_web.models.invoices import Invoice, InvoiceKind, InvoiceState
from monet_web.models.runs import RunKind
from monet_web.models.store_orders import StoreOrder
from monet_web.services.documents.document import read as read_order
from monet_web.services.importing import corrected, raw_pages
from monet_web.services.importing.booking import Booking, booking_for
from monet_web.services.importing.collect import Remembered
from monet_web.services.importing.corrected import Stored
from monet_web.services.importing.facts import Living, living_invoices
from monet_web.services.importing.prepare import Prepared, number_by_settings


class Gone(BrokenRule):
    """The invoice does not wait any more: somebody (or an import) registered or deleted it. `at` None: nobody knows."""

    def __init__(self, number: str, *, registered: bool, who: str = "", at: datetime | None = None) -> None:
        became = "registered" if registered else "deleted from its journal"
        super().__init__(
            f"{number or 'This invoice'} was {became} meanwhile.", fix="Nothing of what was typed is kept."
        )
        self.number, self.registered, self.who, self.at = number, registered, who, at


@dataclass(frozen=True)
class Opened:
    """One waiting invoice; `remembered` is the state of the order that it is measured by."""

    stored: Stored
    booking: Booking
    remembered: Remembered
    living: Living
    standing: Standing
    said: Said

    @property
    def invoice(self) -> Invoice:
        """Its row."""
        return self.stored.invoice

    @cached_property
    def typed(self) -> Typed:
        """Its form as it is filled in now."""
        return corrections.as_typed(self.standing, self.said)

    @cached_property
    def seen(self) -> str:
        """Tells two states of it apart, whatever their versions: checking it again changes no word of it."""
        return hashlib.sha256(repr(self.typed).encode()).hexdigest()[:16]

    @property
    def original(self) -> Typed | None:
        """Its form as the store's order would fill it in; None when the order can't be read."""
        order = self.remembered.order
        if not isinstance(order, Order):
            return None
        draft = corrected.original(self.booking, order)
        number = number_by_settings(self.booking, draft)
        typed = corrections.as_typed(Standing(draft, tuple(map(Line, draft.lines)), number or ""), self.said)
        # The store knows nothing of items, accounts and warehouses.
        lines = tuple(replace(line, item=None, account=None, warehouse=None) for line in typed.lines)
        return Typed(typed.fields, lines)

    def as_typed(self, prepared: Prepared) -> Typed:
        """The form of the same invoice as it was just drafted."""
        assert prepared.draft is not None  # noqa: S101 - the callers drafted it
        lines = tuple(
            Line(line, item=item.code if item else "", warehouse=prepared.place(self.booking, index).code)
            for index, (line, item) in enumerate(zip(prepared.draft.lines, prepared.items, strict=True))
        )
        return corrections.as_typed(Standing(prepared.draft, lines, prepared.number or ""), self.said)


def open_invoice(session: Session, invoice_id: int, *, now: datetime, actor: str, newest: bool = False) -> Opened:
    """Load it. Inside a transaction; the same number of queries whatever it holds. Raises Gone, BrokenRule.

    `newest`: measured by what the store says now, not by the state that it was drafted from.
    """
    row = session.execute(
        select(Invoice.store_id, Invoice.external_id, Invoice.state, Invoice.number, Invoice.kind).where(
            Invoice.id == invoice_id
        )
    ).one_or_none()
    if row is None or row.state is InvoiceState.REGISTERED:
        raise _gone(session, invoice_id, row)
    if row.kind is not InvoiceKind.INVOICE:
        raise BrokenRule("A credit note is not corrected by hand.", fix="Delete it and correct its invoice.")
    # Before the rows themselves are loaded: it loads the invoice anew, without them.
    living = living_invoices(session, row.store_id, [row.external_id])[row.external_id]
    stored = corrected.load(session, [invoice_id])[invoice_id]
    invoice = stored.invoice
    integration = session.get_one(Integration, invoice.integration_id, populate_existing=True)
    booking = booking_for(
        session, integration, run_id=invoice.opened_by_run_id or 0, attempt=0, kind=RunKind.RECHECK, now=now,
        actor=actor, by_person=True,
    )  # fmt: skip
    order = session.get_one(StoreOrder, invoice.store_order_id, populate_existing=True)
    version = order.latest_version_id if newest and order.latest_version_id else invoice.drafted_from_version_id
    raw, context = raw_pages.load_versions(session, [version])[version]
    read = read_order(integration.store.platform, raw, context)
    if isinstance(read, Unreadable):
        read = replace(read, external_id=invoice.external_id)
    remembered = Remembered(order.id, version, read, order.ignored_version_id)
    standing = corrected.standing_of(stored, booking, remembered.order)
    return Opened(
        stored, booking, remembered, living, standing, corrected.said_of(stored, booking, remembered.order, standing)
    )


def _gone(session: Session, invoice_id: int, row: Any) -> Gone:
    action = "deleted" if row is None else "registered"
    entry = session.scalars(
        select(AuditEntry)
        .where(AuditEntry.subject_kind == "invoice", AuditEntry.subject_id == invoice_id, AuditEntry.action == action)
        .order_by(AuditEntry.id.desc())
        .limit(1)
    ).first()
    number = row.number if row else ((entry.before or {}).get("number") if entry else "")
    return Gone(
        str(number or ""),
        registered=row is not None,
        who=entry.actor if entry else "",
        at=entry.at if entry else None,
    )
