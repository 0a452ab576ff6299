"""Asking the accountant about a cause or an invoice, answering, and reading the answer (H1)."""

from __future__ import annotations

from flask import flash, redirect, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from monet_web.blueprints.access import needs
from monet_web.blueprints.invoices.filters import number
from monet_web.blueprints.journals import mistakes, selection
from monet_web.blueprints.journals.blueprint import journals
from monet_web.blueprints.said import told
from monet_web.domain.errors import BrokenRule
from monet_web.models import db
from monet_web.models.base import now_utc, reading
from monet_web.models.users import Role
from monet_web.services.documents import causes, questions
from monet_web.services.documents.waiting import Which


@journals.post("/questions")
@needs(Role.OFFICE)
def ask_accountant() -> ResponseReturnValue:
    """A question about the invoices of a cause, or about one invoice."""
    form = request.form
    code, subject, text = form.get("cause", ""), form.get("subject", ""), form.get("question", "")
    session = db.session()
    said = None
    if code:
        with reading(session):
            example = causes.example(session, Which(code=code, subject=subject))
        said = dict(example.values) if example else None
    try:
        questions.ask(
            session, text, code=code, subject=subject, said=said, invoice_id=number(form.get("invoice", "")),
            now=now_utc(), actor=current_user.email,
        )  # fmt: skip
    except BrokenRule as error:
        mistakes.remember(f"question {code} {subject}".strip(), "question", text, told(error))
    else:
        flash(_("The accountant is asked. The answer comes back to this page and to Today."), "registered")
    return redirect(selection.way_back(form), 303)


@journals.post("/questions/<int:question_id>/answer")
@needs(Role.ACCOUNTANT)
def answer_question(question_id: int) -> ResponseReturnValue:
    """The answer goes back to who asked."""
    text = request.form.get("answer", "")
    try:
        questions.answer(db.session(), question_id, text, now=now_utc(), actor=current_user.email)
    except BrokenRule as error:
        mistakes.remember(f"answer {question_id}", "answer", text, told(error))
    else:
        flash(_("The answer went to who asked."), "registered")
    return redirect(selection.way_back(request.form), 303)


@journals.post("/questions/<int:question_id>/seen")
@needs(Role.OFFICE)
def answer_seen(question_id: int) -> ResponseReturnValue:
    """The answer was read and leaves the list."""
    try:
        questions.seen(db.session(), question_id, now=now_utc(), actor=current_user.email)
    except BrokenRule as error:
        flash(told(error), "failed")
    return redirect(selection.way_back(request.form), 303)
