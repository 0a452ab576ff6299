"""Accept a change in the store: documents follow their orders, registered ones by a credit note and a new invoice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from sqlalchemy import delete, update
from sqlalchemy.orm import Session, selectinload

from monet_web.domain.errors import BrokenRule
from monet_web.domain.filters import why_not
from monet_web.domain.orders import Order
from monet_web.models.base import reading, writing
from monet_web.models.invoices import Invoice, InvoiceState
from monet_web.models.store_orders import Outcome, StoreOrder
from monet_web.services.books.closed import must_be_open
from monet_web.services.documents import credit
from monet_web.services.documents.answers import (
    MEANWHILE,
    Answered,
    Asked,
    asked_of,
    by_integration,
    forget,
    refusal,
    tell,
)
from monet_web.services.documents.changed import Answer
from monet_web.services.documents.journals import copy_of
from monet_web.services.importing.book import First, Prepare, book_prepared
from monet_web.services.importing.claimed import PATIENCE, Claimed, claimed
from monet_web.services.importing.claims import hold
from monet_web.services.importing.counts import Counts
from monet_web.services.importing.facts import living_invoices
from monet_web.services.importing.prepare import Prepared, prepare_again, prepare_replacement
from monet_web.services.importing.refunds import park
from monet_web.services.importing.vanished import GONE

_REASON = "changed in the store"


def accept(
    session: Session,
    invoice_ids: Sequence[int],
    *,
    versions: Mapping[int, str] | None = None,
    may_credit: bool = True,
    now: datetime,
    actor: str,
    patience: float = PATIENCE,
) -> list[Answered]:
    """Make documents follow their orders: refreshed or gone from the journal, or credited in full and replaced.

    `versions`: invoice id → the version of the order that the person saw; another one is not accepted unseen.
    `may_credit` False: registered documents are refused, because crediting is an accountant's. Raises RetryLater while
    an import of an integration is at work.
    """
    done: list[Answered] = []
    for integration_id, ids in by_integration(session, invoice_ids).items():
        with claimed(session, integration_id, now=now, actor=actor, patience=patience) as held:
            done += [_accept(session, held, invoice_id, versions, may_credit) for invoice_id in ids]
    return done


def _accept(
    session: Session, held: Claimed, invoice_id: int, versions: Mapping[int, str] | None, may_credit: bool
) -> Answered:
    with reading(session):
        asked = asked_of(session, held, invoice_id)
    if asked is None:
        return Answered(invoice_id, "", Answer.NONE, refused=MEANWHILE)
    answered = Answered(invoice_id, asked.invoice.number or asked.invoice.order_number, asked.answer)
    if refused := refusal(asked, versions, may_credit):
        return replace(answered, refused=refused)
    held.booking.now = held.clock()
    try:
        match asked.answer:
            case Answer.REFRESH:
                return _refresh(session, held, asked, answered)
            case Answer.LEAVE:
                return _leave(session, held, asked, answered)
            case Answer.CREDIT:
                return _credit(session, held, asked, answered)
            case Answer.REPLACE:
                return _replace(session, held, asked, answered)
            case Answer.NONE:
                text = (
                    "Money was given back and nothing else changed: a credit note of that part is due, not a new "
                    "invoice. Let refunds wait in a journal (the integration's settings), or enter it elsewhere and "
                    "ignore this change with that as the reason."
                )
                return replace(answered, refused=text)
    except BrokenRule as error:
        return replace(answered, refused=error.sentence())


def _refresh(session: Session, held: Claimed, asked: Asked, answered: Answered) -> Answered:
    """The waiting invoice drafted anew; what was corrected by hand is kept in the trail only."""

    def prepare(session: Session) -> list[Prepared]:
        living = living_invoices(session, held.booking.store_id, [asked.remembered.external_id])
        mine = living[asked.remembered.external_id]
        return prepare_again(session, held.booking, [(asked.remembered, replace(mine, touched=False))])

    def first(session: Session) -> None:
        before = session.get_one(
            Invoice, asked.invoice.id, populate_existing=True, options=[selectinload(Invoice.lines)]
        )
        tell(session, held, asked, "change_accepted", before=copy_of(before))
        session.execute(
            update(Invoice)
            .where(Invoice.id == asked.invoice.id)
            .values(touched_at=None, touched_by="")
            .execution_options(synchronize_session=False)
        )

    return _booked(session, held, partial(_must_be_drafted, prepare), first, answered)


def _leave(session: Session, held: Claimed, asked: Asked, answered: Answered) -> Answered:
    """The waiting invoice leaves the journal, and its order makes none."""
    with writing(session):
        hold(session, held.claim, now=held.booking.now)
        must_be_open(session, [(f"The invoice {answered.was}", asked.invoice.issue_date)])
        before = session.get_one(
            Invoice, asked.invoice.id, populate_existing=True, options=[selectinload(Invoice.lines)]
        )
        tell(session, held, asked, "change_accepted", before=copy_of(before))
        reason, details = "gone", None
        order = asked.remembered.order
        if asked.what != GONE and isinstance(order, Order):
            why = why_not(order, held.booking.settings, held.booking.zone)
            reason, details = (why.reason, dict(why.details)) if why else ("", None)
        session.execute(
            update(StoreOrder)
            .where(StoreOrder.id == asked.remembered.store_order_id)
            .values(outcome=Outcome.FILTERED if reason else Outcome.OPEN, reason=reason, details=details or None)
            .execution_options(synchronize_session=False)
        )
        park(session, [asked.invoice.id])
        session.execute(
            delete(Invoice)
            .where(Invoice.id == asked.invoice.id, Invoice.state == InvoiceState.IN_JOURNAL)
            .execution_options(synchronize_session=False)
        )
    return answered


def _credit(session: Session, held: Claimed, asked: Asked, answered: Answered) -> Answered:
    with writing(session):
        hold(session, held.claim, now=held.booking.now)
        number = _credited(session, held, asked, Outcome.CREDITED)
    return replace(answered, credit_note=number)


def _replace(session: Session, held: Claimed, asked: Asked, answered: Answered) -> Answered:
    """The credit note and the invoice that replaces the credited one, in one transaction."""
    order = asked.remembered.order
    held.booking.by_person = isinstance(order, Order)
    numbers: list[str | None] = []

    def prepare(session: Session) -> list[Prepared]:
        return [prepare_replacement(session, held.booking, asked.remembered, revision=asked.invoice.revision)]

    def first(session: Session) -> None:
        numbers[:] = [_credited(session, held, asked, Outcome.OPEN)]

    booked = _booked(session, held, partial(_must_be_drafted, prepare), first, answered)
    return replace(booked, credit_note=numbers[0])


def _must_be_drafted(prepare_now: Prepare, session: Session) -> list[Prepared]:
    """Refuse, before anything is credited, what can't be booked. Raises BrokenRule."""
    prepared = prepare_now(session)
    for one in prepared:
        if one.draft is None:
            said = (
                one.details.get("text") or f"Its number {one.details.get('number', '?')} belongs to another document."
            )
            raise BrokenRule(said, fix="Nothing was changed. Mend this first, or ignore the change.")
    return prepared


def _booked(session: Session, held: Claimed, prepare_now: Prepare, first: First, answered: Answered) -> Answered:
    (one,), _ = book_prepared(session, held.claim, held.booking, prepare_now, Counts(), first=first)
    document_id = one.details.get("invoice_id")
    return replace(
        answered,
        number=one.number,
        document_id=int(document_id) if document_id else None,
        registered=one.outcome == "registered",
    )


def _credited(session: Session, held: Claimed, asked: Asked, order_becomes: Outcome) -> str | None:
    """The number of the credit note. Raises BrokenRule when somebody was faster."""
    forget(session, asked)
    done = credit.in_full(
        session, [asked.invoice.id], run_id=held.claim.run_id, day=held.booking.today, reason=_REASON,
        order_becomes=order_becomes, now=held.booking.now, actor=held.booking.actor,
    )  # fmt: skip
    if not done:
        raise BrokenRule(MEANWHILE, fix="Look at the list again.")
    tell(session, held, asked, "change_accepted")
    return done[0].number
