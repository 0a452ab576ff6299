"""Undo a run: what it put into journals is deleted, what it registered and an accountant ticks is credited (E6).

Done in parts, each in one transaction under the integration's claim: a crash leaves a part done, and undoing once more
does the rest. Who presses twice waits for the first, then finds nothing left.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import ColumnElement, extract, func, or_, select, type_coerce
from sqlalchemy.orm import Session, aliased, defer

from monet_web.domain.errors import BrokenRule
from monet_web.domain.periods import is_closed
from monet_web.models.audit import AuditEntry
from monet_web.models.base import Money, reading, writing
from monet_web.models.invoices import Invoice, InvoiceKind, InvoiceState
from monet_web.models.runs import ENDED, Run, RunKind
from monet_web.services import audit
from monet_web.services.books.closed import PeriodClosed, closed_until
from monet_web.services.documents import credit
from monet_web.services.documents.credit import Credited
from monet_web.services.documents.journals import delete_in
from monet_web.services.documents.waiting import Sum
from monet_web.services.importing.claimed import PATIENCE, Claimed, claimed
from monet_web.services.importing.claims import hold

PAGE = 50
MOST = 500  # invoices credited in one go of a page; the rest by the next
_PART = 50  # documents a transaction
_BRINGS = (RunKind.LAUNCH, RunKind.TIMETABLE, RunKind.FILE, RunKind.REREAD, RunKind.RECHECK)


@dataclass(frozen=True, slots=True)
class Plan:
    """What undoing would do. `waiting` is deleted; of `registered` what is ticked is credited, dated `day`.

    The sums of `registered` are what is left to credit after the credit notes that are there.

    `held`: waiting, but dated in a closed period, so they stay. `touched` of `waiting`: corrected by hand, which is
    lost. `refused`: why it can't be undone now, "" when it can.
    """

    run: Run
    waiting: Sum
    held: Sum
    registered: Sum
    day: date
    notes: Sum = field(default_factory=Sum)  # credit notes that it registered: what was given back stays given back
    refused: str = ""
    before: tuple[AuditEntry, ...] = ()  # when it was undone before, the newest first

    @property
    def is_nothing(self) -> bool:
        """Nothing of it is left to undo."""
        return not (self.waiting.count or self.registered.count)


@dataclass(frozen=True, slots=True)
class Undone:
    """What was done: how many waiting invoices were deleted, what was credited."""

    deleted: int = 0
    credited: tuple[Credited, ...] = ()
    left: int = 0  # meant, and still to do: press again
    sums: dict[str, Decimal] = field(default_factory=dict)  # of what was credited, as on the invoices


def plan(session: Session, run_id: int, *, today: date) -> Plan:
    """What there is to undo. Inside a transaction; six queries. Raises BrokenRule for a run that brings nothing."""
    run = _run(session, run_id)
    until = closed_until(session)
    refused = ""
    if run.state not in ENDED:
        refused = "It is still at work. Stop it first, or wait for its end."
    elif is_closed(today, until):
        refused = f"Periods until {until} are closed, and credit notes would be dated {today}. Reopen the period first."
    stays = Invoice.issue_date <= until if until is not None else None
    waits = [Invoice.opened_by_run_id == run_id, Invoice.state == InvoiceState.IN_JOURNAL]
    return Plan(
        run=run,
        waiting=_sum(session, *waits, *([~stays] if stays is not None else [])),
        held=_sum(session, *waits, stays) if stays is not None else Sum(),
        registered=_sum(session, *_registered(run_id)),
        notes=_sum(
            session,
            Invoice.kind == InvoiceKind.CREDIT_NOTE,
            Invoice.state == InvoiceState.REGISTERED,
            Invoice.registered_by_run_id == run_id,
        ),
        day=today,
        refused=refused,
        before=tuple(history(session, run_id)),
    )


def registered(session: Session, run_id: int, *, after: int = 0, limit: int = PAGE) -> tuple[list[Invoice], int | None]:
    """A page of what can be ticked, by id, and the next page's cursor. Inside a transaction, one query."""
    query = (
        select(Invoice)
        .where(*_registered(run_id), Invoice.id > after)
        .order_by(Invoice.id)
        .limit(limit + 1)
        .options(defer(Invoice.search_text), defer(Invoice.buyer))
        .execution_options(populate_existing=True)
    )
    found = list(session.scalars(query))
    return found[:limit], found[limit - 1].id if len(found) > limit else None


def summary(session: Session, run_id: int, invoice_ids: Sequence[int] | None) -> Sum:
    """Those of the ticked that can be credited (None: all), for the question. Inside a transaction."""
    ticked = [] if invoice_ids is None else [Invoice.id.in_(invoice_ids)]
    return _sum(session, *_registered(run_id), *ticked)


def history(session: Session, run_id: int) -> Sequence[AuditEntry]:
    """When the run was undone, and how much of it. Inside a transaction."""
    return session.scalars(
        select(AuditEntry)
        .where(AuditEntry.subject_kind == "run", AuditEntry.subject_id == run_id, AuditEntry.action == "run_undone")
        .order_by(AuditEntry.id.desc())
        .limit(10)
    ).all()


def undo(
    session: Session,
    run_id: int,
    *,
    credit_ids: Sequence[int] | None = (),
    today: date,
    now: datetime,
    actor: str,
    most: int | None = None,
    patience: float = PATIENCE,
) -> Undone:
    """Delete what the run put into journals, then credit those of what it registered (`credit_ids`; None: all of it).

    `most`: credit no more than so many now. Raises BrokenRule (nothing to undo, still at work, today's period is
    closed), RetryLater while an import of the integration is at work.
    """
    with reading(session):
        first = plan(session, run_id, today=today)
    if first.refused:
        raise BrokenRule(f"Run {run_id} can't be undone now.", fix=first.refused)
    if first.is_nothing:
        raise BrokenRule(f"Nothing of run {run_id} is left to undo.", fix="What it made is gone or credited already.")
    reason = f"run {run_id} was undone"
    with claimed(session, first.run.integration_id, now=now, actor=actor, patience=patience, kind=RunKind.UNDO) as held:
        deleted = sum(_delete(session, held, run_id, reason))
        credited: list[Credited] = []
        for part in _parts(session, run_id, credit_ids, most):
            credited += _credit(session, held, part, reason)
        with reading(session):
            left = summary(session, run_id, credit_ids).count
        if deleted or credited:
            _tell(session, held, run_id, deleted, credited)
    sums: dict[str, Decimal] = {}
    for one in credited:
        sums[one.currency] = sums.get(one.currency, Decimal(0)) - one.total
    return Undone(deleted, tuple(credited), left, sums)


# --- parts --------------------------------------------------------------------------------------------------------


def _run(session: Session, run_id: int) -> Run:
    run = session.get(Run, run_id, populate_existing=True)
    if run is None:
        raise BrokenRule(f"There is no run {run_id}.", fix="`monet runs list` shows them.")
    if run.kind not in _BRINGS:
        raise BrokenRule(f"Run {run_id} brought no invoices.", fix="Only an import can be undone.")
    return run


def brings(run: Run) -> bool:
    """True of a run that ended and brings documents: it can be undone."""
    return run.kind in _BRINGS and run.state in ENDED


def _registered(run_id: int) -> list[ColumnElement[bool]]:
    """What the run registered, and what it brought and a person registered later; credited ones are done."""
    return [
        Invoice.kind == InvoiceKind.INVOICE,
        Invoice.state == InvoiceState.REGISTERED,
        Invoice.superseded.is_(False),
        or_(Invoice.registered_by_run_id == run_id, Invoice.opened_by_run_id == run_id),
    ]


def _sum(session: Session, *asked: ColumnElement[bool]) -> Sum:
    year, month = extract("year", Invoice.issue_date), extract("month", Invoice.issue_date)
    note = aliased(Invoice)
    credited = (
        select(func.coalesce(func.sum(note.total), 0))
        .where(note.credits_invoice_id == Invoice.id, note.state == InvoiceState.REGISTERED)
        .correlate(Invoice)
        .scalar_subquery()
    )
    rows = session.execute(
        select(
            Invoice.currency, year.label("year"), month.label("month"), func.count().label("invoices"),
            func.sum(type_coerce(Invoice.total + credited, Money())).label("total"),
            func.count(Invoice.touched_at).label("touched"),
        )
        .where(*asked)
        .group_by(Invoice.currency, year, month)
    ).all()  # fmt: skip
    sums: dict[str, Decimal] = {}
    for row in rows:
        sums[row.currency] = sums.get(row.currency, Decimal(0)) + row.total
    months = tuple(sorted({date(int(row.year), int(row.month), 1) for row in rows}))
    return Sum(sum(row.invoices for row in rows), sums, months, sum(row.touched for row in rows))


def _delete(session: Session, held: Claimed, run_id: int, reason: str) -> Iterator[int]:
    """How many of each part; those dated in a closed period stay."""
    after = 0
    while True:
        try:
            with writing(session):
                hold(session, held.claim, now=held.clock())
                until = closed_until(session, lock=True)
                query = select(Invoice.id).where(
                    Invoice.opened_by_run_id == run_id, Invoice.state == InvoiceState.IN_JOURNAL, Invoice.id > after
                )
                if until is not None:
                    query = query.where(Invoice.issue_date > until)
                ids = session.scalars(query.order_by(Invoice.id).limit(_PART)).all()
                if not ids:
                    return
                after = ids[-1]
                done = delete_in(
                    session, ids, leave_out=False, reason=reason, now=held.clock(), actor=held.booking.actor
                )
        except PeriodClosed:  # corrected in between: what is dated in a closed period stays
            continue
        yield done


def _parts(
    session: Session, run_id: int, invoice_ids: Sequence[int] | None, most: int | None
) -> Iterator[Sequence[int]]:
    """The ids of what is credited, all found before the first is."""
    query = select(Invoice.id).where(*_registered(run_id)).order_by(Invoice.id)
    if invoice_ids is not None:
        query = query.where(Invoice.id.in_(invoice_ids))
    with reading(session):
        ids = session.scalars(query.limit(most) if most is not None else query).all()
    for start in range(0, len(ids), _PART):
        yield ids[start : start + _PART]


def _credit(session: Session, held: Claimed, ids: Sequence[int], reason: str) -> list[Credited]:
    with writing(session):
        hold(session, held.claim, now=held.clock())
        return credit.in_full(
            session, ids, run_id=held.claim.run_id, day=held.booking.today, reason=reason, now=held.clock(),
            actor=held.booking.actor,
        )  # fmt: skip


def _tell(session: Session, held: Claimed, run_id: int, deleted: int, credited: Sequence[Credited]) -> None:
    with writing(session):
        hold(session, held.claim, now=held.clock(), credit_notes=sum(one.number is not None for one in credited))
        after = {"deleted": deleted, "credited": len(credited), "by_run": held.claim.run_id}
        audit.record(
            session, at=held.clock(), actor=held.booking.actor, action="run_undone", subject_kind="run",
            subject_id=run_id, after=after,
        )  # fmt: skip
