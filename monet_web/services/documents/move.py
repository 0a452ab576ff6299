"""Moving: waiting invoices with findings go to a new journal, so that the one they lay in holds only good ones."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import insert, or_, select, update
from sqlalchemy.orm import Session, aliased

from monet_web.domain.windows import local_day
from monet_web.models.base import take_ids, writing
from monet_web.models.company import Company
from monet_web.models.invoices import AccountingType, Invoice, InvoiceState, Journal
from monet_web.services import audit
from monet_web.services.documents.waiting import held

_PART = 500


@dataclass(frozen=True, slots=True)
class Moved:
    """A journal that was made, and how many invoices it got."""

    journal_id: int
    number: str
    invoices: int


def move_with_findings(session: Session, invoice_ids: Sequence[int], *, now: datetime, actor: str) -> list[Moved]:
    """Of these waiting invoices those that something keeps from being registered, each journal's into one new journal.

    What only waits for a person stays. A credit note whose invoice waits lies where its invoice does (D11).
    In a transaction of its own.
    """
    waits = aliased(Invoice)
    with_its_invoice = (
        select(waits.id)
        .where(waits.id == Invoice.credits_invoice_id, waits.state == InvoiceState.IN_JOURNAL)
        .correlate(Invoice)
        .exists()
    )
    with writing(session):
        by_journal: dict[int, list[int]] = defaultdict(list)
        for start in range(0, len(invoice_ids), _PART):
            part = invoice_ids[start : start + _PART]
            rows = session.execute(
                select(Invoice.id, Invoice.journal_id)
                .where(Invoice.id.in_(part), Invoice.state == InvoiceState.IN_JOURNAL, held(), ~with_its_invoice)
                .with_for_update(of=Invoice)
            )
            for row in rows:
                by_journal[row.journal_id or 0].append(row.id)
        by_journal.pop(0, None)
        before = {
            one.id: one for one in session.scalars(select(Journal).where(Journal.id.in_(list(by_journal))))
        }  # fmt: skip
        ids = take_ids(session, Journal.__tablename__, len(by_journal))
        today = local_day(now, ZoneInfo(session.get_one(Company, 1).time_zone))
        moved = []
        for new_id, (journal_id, of) in zip(ids, sorted(by_journal.items()), strict=True):
            old = before[journal_id]
            letter = "G" if old.accounting_type is AccountingType.GOODS else "S"
            number = f"{letter}{new_id:05d}"
            session.execute(
                insert(Journal),
                [{
                    "id": new_id, "number": number, "accounting_type": old.accounting_type,
                    "integration_id": old.integration_id, "local_day": today, "run_id": None, "note": "",
                    "moved_from_id": journal_id,
                }],
            )  # fmt: skip
            for start in range(0, len(of), _PART):
                part = of[start : start + _PART]
                session.execute(
                    update(Invoice)
                    .where(
                        or_(Invoice.id.in_(part), Invoice.credits_invoice_id.in_(part)),
                        Invoice.state == InvoiceState.IN_JOURNAL,
                    )
                    .values(journal_id=new_id)
                    .execution_options(synchronize_session=False)
                )
            moved.append(Moved(new_id, number, len(of)))
            audit.record(
                session, at=now, actor=actor, action="journal_split", subject_kind="journal", subject_id=new_id,
                before={"journal": old.number}, after={"journal": number, "invoices": len(of)},
            )  # fmt: skip
    return moved
