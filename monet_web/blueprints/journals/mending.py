"""The controls of causes: map an unknown line to an item, type a missing rate; what waited is checked again (E2)."""

from __future__ import annotations

from datetime import date

from flask import flash, redirect, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from monet_web.blueprints import sentences
from monet_web.blueprints.access import needs
from monet_web.blueprints.invoices.filters import number
from monet_web.blueprints.journals import mistakes, selection
from monet_web.blueprints.journals.blueprint import journals
from monet_web.domain.errors import BrokenRule, MonetError
from monet_web.models import db
from monet_web.models.base import now_utc, reading
from monet_web.models.users import Role
from monet_web.services.documents import mend, mend_cause, waiting
from monet_web.services.documents.waiting import Which
from monet_web.services.importing.claimed import SHORT_PATIENCE

_MOST = 2000
_CODE_ENDS = " · "  # a suggestion is "KN-01 · its name"


@journals.post("/mend/item")
@needs(Role.OFFICE)
def map_item() -> ResponseReturnValue:
    """What the stores call so is our item from now on."""
    subject = request.form.get("subject", "")
    typed = request.form.get("code", "")
    integration_id = number(request.form.get("integration", ""))
    which = Which(code=mend_cause.ITEM_UNKNOWN, subject=subject, integration_id=integration_id)
    now = now_utc()
    try:
        item = mend_cause.map_unknown(
            db.session(), subject, typed.partition(_CODE_ENDS)[0], integration_id=integration_id, now=now,
            actor=current_user.email,
        )  # fmt: skip
    except BrokenRule as error:
        mistakes.remember(f"{mend_cause.ITEM_UNKNOWN} {subject}", "item", typed, error.sentence())
        return redirect(selection.way_back(request.form), 303)
    return _checked(which, _("%(subject)s is %(item)s from now on.", subject=subject, item=item.code))


@journals.post("/mend/rate")
@needs(Role.OFFICE)
def set_rate() -> ResponseReturnValue:
    """The rate of a day, typed right where it is missing."""
    subject = request.form.get("subject", "")
    typed = request.form.get("rate", "")
    currency, _space, day = subject.partition(" ")
    which = Which(code=mend_cause.RATE_MISSING, subject=subject)
    try:
        mend_cause.set_rate(
            db.session(), currency, date.fromisoformat(day), typed, now=now_utc(), actor=current_user.email
        )
    except (BrokenRule, ValueError) as error:
        text = error.sentence() if isinstance(error, BrokenRule) else _("Look at the list again.")
        mistakes.remember(f"{mend_cause.RATE_MISSING} {subject}", "rate", typed, text)
        return redirect(selection.way_back(request.form), 303)
    return _checked(which, _("The rate of %(currency)s for %(day)s is kept.", currency=currency, day=day))


def _checked(which: Which, done: str) -> ResponseReturnValue:
    """Check again what waited for the cause, and say how many went through."""
    session = db.session()
    with reading(session):
        ids = waiting.ids(session, which, limit=_MOST)
    try:
        became = mend.check_again(
            session, invoice_ids=ids, now=now_utc(), actor=current_user.email, patience=SHORT_PATIENCE
        )
    except MonetError as error:
        flash(f"{done} {error.sentence()}", "journal")
    else:
        said = sentences.checked(became.checked, became.registered, became.waiting)
        flash(f"{done} {said}", "journal" if became.waiting else "registered")
    return redirect(selection.way_back(request.form), 303)
