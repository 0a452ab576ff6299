"""Questions to the accountant about a cause or an invoice: asked, answered, and brought back to who asked (H1)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from monet_web.domain.errors import BrokenRule
from monet_web.domain.findings import CODES, OF_A_LINE
from monet_web.models.base import writing
from monet_web.models.invoices import Invoice, InvoiceState
from monet_web.models.questions import Question
from monet_web.models.users import User
from monet_web.services import audit

LONGEST = 2000
_MOST = 50


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with who asked and answered, by name, and where its invoice is now (None: of a cause, or gone)."""

    question: Question
    asked_by: str
    answered_by: str
    invoice_id: int | None = None
    registered: bool = False


def ask(
    session: Session,
    text: str,
    *,
    code: str = "",
    subject: str = "",
    said: Mapping[str, Any] | None = None,
    invoice_id: int | None = None,
    now: datetime,
    actor: str,
) -> Question:
    """Ask about the invoices of a cause, or about one invoice. In a transaction of its own. Raises BrokenRule."""
    text = _text(text, "question", "Type the question.")
    with writing(session):
        invoice = session.get(Invoice, invoice_id) if invoice_id is not None else None
        if invoice_id is not None and invoice is None:
            raise BrokenRule("This invoice is not here any more.", fix="Look at the list again.")
        if invoice is None and code not in CODES:
            raise BrokenRule("Nothing waits for this any more.", fix="Look at the list again.")
        row = Question(
            code=code, subject="" if code in OF_A_LINE else subject[:200], said=dict(said or {}),
            store_order_id=invoice.store_order_id if invoice else None,
            document=(invoice.number or invoice.order_number) if invoice else "",
            text=text, asked_by=actor[:200], asked_at=now,
        )  # fmt: skip
        session.add(row)
        session.flush()
        _record(session, row, "asked", {"text": text}, now=now, actor=actor)
    return row


def answer(session: Session, question_id: int, text: str, *, now: datetime, actor: str) -> Question:
    """Answer it; a second answer replaces the first until the first was read. Raises BrokenRule."""
    text = _text(text, "answer", "Type the answer.")
    with writing(session):
        row = _found(session, question_id)
        if row.seen_at is not None:
            raise BrokenRule("The answer was read already.", fix="Ask who asked to ask again.")
        row.answer, row.answered_by, row.answered_at = text, actor[:200], now
        _record(session, row, "answered", {"text": text}, now=now, actor=actor)
    return row


def seen(session: Session, question_id: int, *, now: datetime, actor: str) -> Question:
    """Who asked has read the answer: it leaves their list. Raises BrokenRule when it is somebody else's."""
    with writing(session):
        row = _found(session, question_id)
        if row.asked_by != actor[:200] or row.answered_at is None:
            raise BrokenRule("Only who asked puts an answer away.")
        session.execute(update(Question).where(Question.id == row.id, Question.seen_at.is_(None)).values(seen_at=now))
    return row


def unanswered(session: Session) -> list[Asked]:
    """The oldest first. Inside a transaction, three queries."""
    query = select(Question).where(Question.answered_at.is_(None)).order_by(Question.id).limit(_MOST)
    return _with_names(session, list(session.scalars(query.execution_options(populate_existing=True))))


def answered_to(session: Session, actor: str) -> list[Asked]:
    """Answers that `actor` has not read yet. Inside a transaction, three queries."""
    query = (
        select(Question)
        .where(Question.asked_by == actor[:200], Question.answered_at.is_not(None), Question.seen_at.is_(None))
        .order_by(Question.answered_at)
        .limit(_MOST)
        .execution_options(populate_existing=True)
    )
    return _with_names(session, list(session.scalars(query)))


def unanswered_count(session: Session) -> int:
    """How many wait for an answer. Inside a transaction, one query."""
    return session.scalar(select(func.count()).select_from(Question).where(Question.answered_at.is_(None))) or 0


def answered_count(session: Session, actor: str) -> int:
    """How many answers to `actor` are unread. Inside a transaction, one query."""
    unread = (Question.asked_by == actor[:200], Question.answered_at.is_not(None), Question.seen_at.is_(None))
    return session.scalar(select(func.count()).select_from(Question).where(*unread)) or 0


def of_causes(session: Session, causes: Collection[tuple[str, str]]) -> dict[tuple[str, str], list[Asked]]:
    """(code, subject) → what was asked about it and not put away, the oldest first. In a transaction, three queries."""
    if not causes:
        return {}
    rows = session.scalars(
        select(Question)
        .where(
            Question.code.in_({code for code, _ in causes}),
            Question.seen_at.is_(None),
            Question.store_order_id.is_(None),
        )
        .order_by(Question.id)
        .execution_options(populate_existing=True)
    ).all()
    wanted = set(causes)
    found: dict[tuple[str, str], list[Asked]] = {}
    for one in _with_names(session, [row for row in rows if (row.code, row.subject) in wanted]):
        found.setdefault((one.question.code, one.question.subject), []).append(one)
    return found


def of_order(session: Session, store_order_id: int) -> list[Asked]:
    """What was asked about the invoice of an order, answered or not, the oldest first. In a transaction."""
    rows = session.scalars(
        select(Question).where(Question.store_order_id == store_order_id).order_by(Question.id)
    ).all()
    return _with_names(session, list(rows))


# --- parts -------------------------------------------------------------------------------------------------------


def _with_names(session: Session, rows: list[Question]) -> list[Asked]:
    if not rows:
        return []
    people = {row.asked_by for row in rows} | {row.answered_by for row in rows}
    names = {
        row.email: row.name for row in session.execute(select(User.email, User.name).where(User.email.in_(people)))
    }
    orders = {row.store_order_id for row in rows if row.store_order_id is not None}
    invoices = {
        row.store_order_id: (row.id, row.state is InvoiceState.REGISTERED)
        for row in session.execute(
            select(Invoice.store_order_id, Invoice.id, Invoice.state)
            .where(Invoice.store_order_id.in_(orders), Invoice.superseded.is_(False))
            .order_by(Invoice.id)
        )
    }  # fmt: skip
    return [
        Asked(
            row,
            names.get(row.asked_by) or row.asked_by,
            names.get(row.answered_by) or row.answered_by,
            *(invoices.get(row.store_order_id, (None, False)) if row.store_order_id is not None else (None, False)),
        )
        for row in rows
    ]


def _found(session: Session, question_id: int) -> Question:
    row = session.get(Question, question_id, populate_existing=True)
    if row is None:
        raise BrokenRule("This question is not here any more.", fix="Look at the list again.")
    return row


def _text(text: str, field: str, fix: str) -> str:
    text = text.strip()
    if not text or len(text) > LONGEST:
        raise BrokenRule(
            f"It has {len(text)} characters." if text else "Nothing was typed.",
            fix=f"Type at most {LONGEST}." if text else fix,
            field=field,
        )
    return text


def _record(
    session: Session, row: Question, action: str, after: Mapping[str, Any], *, now: datetime, actor: str
) -> None:
    audit.record(
        session, at=now, actor=actor, action=action, subject_kind="question", subject_id=row.id, after=after
    )  # fmt: skip
