"""Correct: a person's changes to one waiting invoice, looked at without writing, kept, or taken back (E3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from monet_web.domain import corrections
from monet_web.domain.checks import money
from monet_web.domain.correction_typed import Typed
from monet_web.domain.corrections import Change, Corrected
from monet_web.domain.errors import BrokenRule
from monet_web.domain.findings import Finding
from monet_web.domain.measured import kinds_changed
from monet_web.models.audit import AuditEntry
from monet_web.models.base import writing
from monet_web.models.customers import Customer
from monet_web.models.invoices import Invoice
from monet_web.services import audit
from monet_web.services.books.fields import WrongFields
from monet_web.services.books.numbers import number_key
from monet_web.services.documents import correct_places, figures
from monet_web.services.documents.correct_open import Opened, open_invoice
from monet_web.services.importing.book import customers_of
from monet_web.services.importing.corrected import Kept
from monet_web.services.importing.facts import taken_numbers
from monet_web.services.importing.page_stock import PageStock
from monet_web.services.importing.prepare import (
    Prepared,
    number_by_settings,
    number_shown,
    prepare_again,
    prepare_typed,
)
from monet_web.services.importing.rows import Batch, add_invoice

NOT_ACCOUNTANT = "Only an accountant accepts a difference."


@dataclass(frozen=True, slots=True)
class Looked:
    """What an invoice would be as typed. `errors`: field → what is wrong; `changes`: against what is kept now."""

    opened: Opened
    corrected: Corrected
    prepared: Prepared
    errors: Mapping[str, str]
    changes: tuple[Change, ...]

    @property
    def figures(self) -> str:
        """How its figures differ from the store's, as a form says which ones were seen; "" when they do not."""
        assert self.prepared.draft is not None  # noqa: S101 - a correction is always drafted
        return " ".join(f"{one.of} {money(one.store)} {money(one.lines)}" for one in self.prepared.draft.differences)

    @property
    def findings(self) -> list[Finding]:
        """Everything that is found about it, shortages of stock too."""
        return self.prepared.findings


class Overtaken(BrokenRule):
    """Somebody (or an import) changed the invoice since the form was opened; nothing of what was typed is kept yet.

    `who` and `at`: the person, "" and None for an import; `changes`: what is kept now against what was typed.
    """

    def __init__(self, opened: Opened, typed: Typed) -> None:
        super().__init__("This invoice was changed meanwhile.", fix="Compare, then save again or begin anew.")
        self.who = opened.invoice.touched_by
        self.at = opened.invoice.touched_at
        self.changes = corrections.changes(opened.typed, typed)


def look(session: Session, opened: Opened, typed: Typed, *, may_amounts: bool, now: datetime, actor: str) -> Looked:
    """What the invoice would be as typed, with all that would be found about it; writes nothing. In a transaction."""
    booking = opened.booking
    typed, errors, booked = correct_places.resolved(session, opened, typed)
    limit = booking.settings.limit_of(len(typed.lines))
    done = corrections.correct(opened.standing, typed, opened.said, limit=limit, may_amounts=may_amounts)
    number, wrong = _number(session, opened, done)
    errors = {**done.errors, **errors, **wrong}
    changes = corrections.changes(opened.typed, typed)
    kept = Kept(
        touched_at=now,
        touched_by=actor[:200],
        vat_date=done.vat_date,
        note=done.note,
        customer_id=_customer(session, opened, typed, changes),
        items=tuple(booked.item(line) for line in done.lines),
        accounts=tuple(line.account for line in done.lines),
        findings=(
            *opened.stored.carried(opened.remembered.order),
            *kinds_changed([line.draft for line in done.lines], opened.said),
        ),
        reissues=opened.invoice.reissues_invoice_id,
    )
    prepared = prepare_typed(
        session, booking, opened.remembered, opened.living, done.draft, kept,
        number=number, places=[booked.place(line) for line in done.lines],
    )  # fmt: skip
    _add_shortages(session, opened, prepared)
    return Looked(opened, done, prepared, errors, changes)


def save(
    session: Session,
    invoice_id: int,
    typed: Typed,
    *,
    version: int,
    seen: str,
    accept: str = "",
    may_amounts: bool,
    now: datetime,
    actor: str,
) -> tuple[Change, ...]:
    """Keep a correction; what it changed. The invoice stays in its journal, and no import refreshes it any more.

    `version` and `seen` are of the form when it was opened. `accept`: the figures that differ from the store's and are
    right, as `Looked.figures` says them (an accountant's word): other ones are not accepted unseen. Raises WrongFields,
    Overtaken, correct_open.Gone, BrokenRule.
    """
    if accept and not may_amounts:
        raise BrokenRule(NOT_ACCOUNTANT, fix="Ask one, or correct the lines.", field="accept")
    try:
        with writing(session):
            opened = _locked(session, invoice_id, version=version, seen=seen, typed=typed, now=now, actor=actor)
            looked = look(session, opened, typed, may_amounts=may_amounts, now=now, actor=actor)
            if looked.errors:
                raise WrongFields(looked.errors)
            accepts = bool(accept) and accept == looked.figures
            if accepts:
                figures.accept(session, opened.invoice, looked.findings, now=now, actor=actor)
            if not (looked.changes or accepts):
                return ()
            if looked.changes:
                if accepts:
                    looked = look(session, opened, typed, may_amounts=may_amounts, now=now, actor=actor)
                prepared = looked.prepared
            else:
                prepared = _checked(session, opened)
            _rewrite(session, opened, prepared)
            if looked.changes:
                _record(session, opened, looked, now=now, actor=actor)
    except IntegrityError as error:
        if "number_key" not in str(error.orig):
            raise
        number = typed.fields.get("number", "")
        raise WrongFields(
            {"number": f"{number} was given to another document just now. Type another number."}
        ) from None
    return looked.changes


def back_to_original(
    session: Session, invoice_id: int, *, version: int, seen: str, may_amounts: bool = False, now: datetime, actor: str
) -> tuple[Change, ...]:
    """Forget a correction: the invoice is again what the store says now, and imports refresh it; what was undone.

    What an accountant alone corrects, an accountant alone takes back (`may_amounts`). Raises Overtaken,
    correct_open.Gone, BrokenRule.
    """
    with writing(session):
        opened = _locked(session, invoice_id, version=version, seen=seen, typed=None, now=now, actor=actor)
        if opened.invoice.touched_at is None:
            return ()
        opened = open_invoice(session, invoice_id, now=now, actor=actor, newest=True)
        untouched = replace(opened, living=replace(opened.living, touched=False, number_by_hand=False))
        prepared = _checked(session, untouched)
        undone = corrections.changes(untouched.as_typed(prepared), opened.typed)
        if not may_amounts:
            _refuse_accountants(session, opened, undone, actor)
        _rewrite(session, untouched, prepared)
        before = {
            "touched_by": opened.invoice.touched_by,
            "total": opened.standing.draft.total,
            **_said(undone, "after"),
        }
        audit.record(
            session, at=now, actor=actor, action="correction_undone", subject_kind="invoice", subject_id=invoice_id,
            before=before, after=_said(undone, "before"),
        )  # fmt: skip
    return undone


# --- parts --------------------------------------------------------------------------------------------------------

_ACCOUNTANTS = frozenset({*corrections.DATES, "vat_rate", "vat", "kind"})


def _refuse_accountants(session: Session, opened: Opened, undone: Sequence[Change], actor: str) -> None:
    """Dates, VAT, kinds and accepted differences that somebody else settled are not taken back by office."""
    accepted = any(one.code == "difference_accepted" for one in opened.invoice.found)
    fields = _ACCOUNTANTS & {one.field for one in undone}
    others = session.scalars(
        select(AuditEntry).where(
            AuditEntry.subject_kind == "invoice", AuditEntry.subject_id == opened.invoice.id,
            AuditEntry.action == "corrected", AuditEntry.actor != actor,
        )
    ).all()  # fmt: skip
    if accepted or any(fields & {name.partition(" ")[0] for name in one.after or {}} for one in others):
        raise BrokenRule(
            "An accountant settled dates, VAT or a difference of this invoice.",
            fix="Ask an accountant to take it back, or correct the other fields one by one.",
        )


def _locked(
    session: Session, invoice_id: int, *, version: int, seen: str, typed: Typed | None, now: datetime, actor: str
) -> Opened:
    """The invoice, its row locked, as it was when the form was opened; a version that changed nothing is the same."""
    session.execute(select(Invoice.id).where(Invoice.id == invoice_id).with_for_update())
    opened = open_invoice(session, invoice_id, now=now, actor=actor)
    if opened.invoice.row_version != version and opened.seen != seen:
        raise Overtaken(opened, typed if typed is not None else opened.typed)
    return opened


def _checked(session: Session, opened: Opened) -> Prepared:
    """The invoice drafted anew, or as it was corrected before, with what is found about it now."""
    (prepared,) = prepare_again(session, opened.booking, [(opened.remembered, opened.living)])
    if prepared.draft is None:
        raise BrokenRule("The order can't be read any more.", fix=prepared.details.get("text", ""))
    _add_shortages(session, opened, prepared)
    return prepared


def _add_shortages(session: Session, opened: Opened, prepared: Prepared) -> None:
    stock = PageStock.seen(session, opened.booking, [prepared])
    prepared.findings = prepared.findings + stock.short(opened.booking, prepared)


def _rewrite(session: Session, opened: Opened, prepared: Prepared) -> None:
    """The invoice's rows made anew, as every check makes them: one way in which documents are written."""
    assert prepared.draft is not None  # noqa: S101 - looked at before
    booking, invoice = opened.booking, opened.invoice
    (customer_id,) = customers_of(session, booking, [prepared])
    batch = Batch()
    add_invoice(
        batch, booking, prepared, invoice_id=invoice.id, registered=False, journal_id=invoice.journal_id,
        customer_id=customer_id,
    )  # fmt: skip
    session.execute(delete(Invoice).where(Invoice.id == invoice.id).execution_options(synchronize_session=False))
    batch.write(session)
    session.expunge_all()


def _number(session: Session, opened: Opened, done: Corrected) -> tuple[str | None, dict[str, str]]:
    """The number, that of the settings where none is typed; and what is wrong with it."""
    number: str | None = number_shown(done.number)
    if not number:
        number = number_by_settings(opened.booking, done.draft)
        if number and opened.invoice.revision > 1:
            number = f"{number[:112]}-{opened.invoice.revision}"
    if not number:
        return None, {}
    key = number_key(number)
    invoice_id, by = taken_numbers(session, {key}).get(key, (opened.invoice.id, ""))
    if invoice_id == opened.invoice.id:
        return number, {}
    return number, {"number": f"{number} belongs to {by}. Type another number."}


def _customer(session: Session, opened: Opened, typed: Typed, changes: Sequence[Change]) -> int | None:
    """The customer that was chosen; without a choice the former one, as long as the buyer is the former one."""
    chosen = typed.fields.get("customer", "")
    if chosen.isdecimal() and len(chosen) < 18:
        return session.scalars(select(Customer.id).where(Customer.id == int(chosen))).one_or_none()
    same = not any(change.field in corrections.BUYER for change in changes)
    return opened.invoice.customer_id if same else None


def _record(session: Session, opened: Opened, looked: Looked, *, now: datetime, actor: str) -> None:
    before, after = _said(looked.changes, "before"), _said(looked.changes, "after")
    old, new = opened.standing.draft.total, looked.corrected.draft.total
    if old != new:
        before, after = {**before, "total": str(old)}, {**after, "total": str(new)}
    audit.record(
        session, at=now, actor=actor, action="corrected", subject_kind="invoice", subject_id=opened.invoice.id,
        before=before, after=after,
    )  # fmt: skip


def _said(changes: Sequence[Change], side: str) -> dict[str, str]:
    return {f"{one.field} {one.line}" if one.line else one.field: getattr(one, side) for one in changes}
