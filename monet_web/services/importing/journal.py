"""The journal of a run, or of one day's timetable runs: made when the first document has to wait in it (E2)."""

from __future__ import annotations

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from monet_web.models.base import take_ids
from monet_web.models.invoices import AccountingType, Journal
from monet_web.models.runs import RunKind
from monet_web.services.importing.booking import Booking


def journal_of_run(session: Session, booking: Booking) -> int:
    """Its id, found or made in the caller's writing transaction."""
    if booking.journal_id is not None:
        return booking.journal_id
    own_run = None if booking.kind in (RunKind.TIMETABLE, RunKind.REREAD) else booking.run_id
    key = {
        "accounting_type": AccountingType(booking.settings.accounting_type),
        "integration_id": booking.integration_id,
        "local_day": booking.today,
        "run_id": own_run,
        "moved_from_id": None,  # nothing is put into a journal that a person made
    }
    found = session.scalars(select(Journal.id).filter_by(**key)).first()
    if found is None:
        found = take_ids(session, Journal.__tablename__, 1)[0]
        letter = "G" if booking.is_goods else "S"
        session.execute(insert(Journal), [{"id": found, "number": f"{letter}{found:05d}", "note": "", **key}])
    booking.journal_id = found
    return found
