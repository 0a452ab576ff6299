"""Evidence: what is known of buyers' VAT codes and of exports, loaded for a page and entered by hand."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import date, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from monet_web.domain.codes import normalise_vat_code
from monet_web.domain.errors import BrokenRule
from monet_web.domain.mask import fold
from monet_web.domain.treated import Confirmation, ExportProof
from monet_web.models.base import reading, writing
from monet_web.models.evidence import ExportProofRow, VatConfirmation
from monet_web.models.integrations import Integration
from monet_web.models.invoices import Invoice, InvoiceFinding, InvoiceState
from monet_web.models.store_orders import StoreOrder
from monet_web.services import audit
from monet_web.services.books.tables import shown
from monet_web.services.books.vat_codes import vat_code_problem

# Two digits of the year, the country, twelve signs and the check sign: 18 in all.
_MRN = re.compile(r"\d{2}[A-Z]{2}[A-Z0-9]{14}")


def confirmations(session: Session, codes: Collection[str]) -> dict[str, Confirmation]:
    """VAT code with prefix → the newest answer that says yes or no. Inside a transaction, one statement or none."""
    if not codes:
        return {}
    newest = (
        select(func.max(VatConfirmation.id))
        .where(VatConfirmation.vat_code.in_(codes), VatConfirmation.valid.is_not(None))
        .group_by(VatConfirmation.vat_code)
    )
    rows = session.scalars(select(VatConfirmation).where(VatConfirmation.id.in_(newest)))
    return {
        row.vat_code: Confirmation(
            row.vat_code, bool(row.valid), row.day, row.how, row.number, row.name, row.reason
        )
        for row in rows
    }  # fmt: skip


def proofs(session: Session, store_order_ids: Collection[int]) -> dict[int, ExportProof]:
    """Store order → the proof that its goods left the EU. Inside a transaction, one statement or none."""
    if not store_order_ids:
        return {}
    rows = session.scalars(select(ExportProofRow).where(ExportProofRow.store_order_id.in_(store_order_ids)))
    return {row.store_order_id: ExportProof(row.mrn, row.reason) for row in rows}


def confirm_by_hand(
    session: Session, code: str, *, day: date, number: str = "", reason: str = "", now: datetime, actor: str
) -> None:
    """An accountant says that the buyer of `code` (with prefix) is a VAT payer on `day`: by the consultation's number
    or for a reason. In a transaction of its own. Raises BrokenRule.
    """
    code, number, reason = normalise_vat_code(code), number.strip(), " ".join(reason.split())
    if problem := vat_code_problem(code, ""):
        raise BrokenRule(
            f"{shown(code)} can't be a VAT code ({problem}).", fix="Type it with its prefix, as DE136695976."
        )
    if not number and not reason:
        raise BrokenRule(
            "A confirmation needs the number of the consultation, or the reason why it is believed.",
            fix="Type one of them.", field="number",
        )  # fmt: skip
    if day > (now + timedelta(days=1)).date():  # the company's day may have begun before UTC's
        raise BrokenRule(f"{day} is still to come.", fix="Type the day of the consultation.", field="day")
    _enter(
        session,
        VatConfirmation(
            vat_code=code[:40], valid=True, day=day, how="hand", number=number[:80], reason=reason[:400], asked_at=now,
            asked_by=actor[:200],
        ),
    )  # fmt: skip


def keep(session: Session, answer: VatConfirmation) -> None:
    """An answer of VIES, in a transaction of its own."""
    _enter(session, answer)


def _enter(session: Session, row: VatConfirmation) -> None:
    with writing(session):
        session.add(row)
        session.flush()
        audit.record(
            session, at=row.asked_at, actor=row.asked_by, action="vat_code_asked", subject_kind="vat_confirmation",
            subject_id=row.id,
            after={
                "vat_code": row.vat_code, "valid": row.valid, "day": row.day, "how": row.how, "number": row.number,
                "reason": row.reason,
            },
        )  # fmt: skip


def prove_export(
    session: Session, store_order_id: int, *, mrn: str = "", reason: str = "", now: datetime, actor: str
) -> None:
    """The number of an order's customs declaration, or what is accepted instead and why. Raises BrokenRule.

    In a transaction of its own; what was entered before is replaced.
    """
    mrn, reason = re.sub(r"[\s\-]", "", mrn).upper(), " ".join(reason.split())
    if mrn and not _MRN.fullmatch(mrn):
        raise BrokenRule(
            f"“{shown(mrn)}” can't be the number of a customs declaration (MRN).",
            fix="Type its 18 signs, as 26LTVR1000EX123451.", field="mrn",
        )  # fmt: skip
    if not mrn and not reason:
        raise BrokenRule("Nothing was typed.", fix="Type the MRN of the declaration.", field="mrn")
    with writing(session):
        if session.get(StoreOrder, store_order_id) is None:
            raise BrokenRule("This order is not here any more.", fix="Look at the list again.")
        row = session.get(ExportProofRow, store_order_id, populate_existing=True)
        before = None if row is None else {"mrn": row.mrn, "reason": row.reason}
        if row is None:
            row = ExportProofRow(store_order_id=store_order_id)
            session.add(row)
        row.mrn, row.reason, row.entered_at, row.entered_by = mrn, reason[:400], now, actor[:200]
        audit.record(
            session, at=now, actor=actor, action="export_proven", subject_kind="store_order",
            subject_id=store_order_id, before=before, after={"mrn": mrn, "reason": row.reason},
        )  # fmt: skip


def exported_order(session: Session, number: str, *, integration: str = "") -> int:
    """The store order of that number among those that wait for a proof of export. Raises BrokenRule."""
    with reading(session):
        query = (
            select(Invoice.store_order_id, Integration.name)
            .join(InvoiceFinding, InvoiceFinding.invoice_id == Invoice.id)
            .join(Integration, Integration.id == Invoice.integration_id)
            .where(
                Invoice.order_number == number.strip(), Invoice.state == InvoiceState.IN_JOURNAL,
                InvoiceFinding.code == "export_unproven",
            )
        )  # fmt: skip
        if integration:
            query = query.where(Integration.name_key == fold(integration))
        found = session.execute(query).all()
    if not found:
        raise BrokenRule(f"No invoice of order {shown(number)} waits for a proof of export.", fix="Check its number.")
    if len(found) > 1:
        names = ", ".join(sorted(row.name for row in found))
        raise BrokenRule(f"Several stores have an order {shown(number)}: {names}.", fix="Name one: --integration NAME.")
    return int(found[0].store_order_id)
