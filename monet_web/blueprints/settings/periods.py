"""Months closed and reopened by the accountant, each with a reason (E7)."""

from __future__ import annotations

from datetime import date

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from monet_web.blueprints import mending, sentences
from monet_web.blueprints.access import needs, signed_in
from monet_web.blueprints.said import told
from monet_web.blueprints.settings.blueprint import settings
from monet_web.blueprints.typed import Typed
from monet_web.domain.errors import BrokenRule, MonetError
from monet_web.models import db
from monet_web.models.base import now_utc, reading
from monet_web.models.users import Role
from monet_web.services.documents import mend
from monet_web.services.importing.claimed import SHORT_PATIENCE
from monet_web.services.office import periods as service

_MOST = 500  # waiting invoices checked again before a page answers


@settings.get("/periods")
@signed_in
def periods() -> ResponseReturnValue:
    """The months, the newest first, with what is dated in them."""
    return _page()


@settings.post("/periods/close")
@needs(Role.ACCOUNTANT)
def close_period() -> ResponseReturnValue:
    """Close a month and all before it; what waits in it says so at once."""
    month, form = _typed()
    if month is None:
        return redirect(url_for("settings.periods"), 303)
    now, actor = now_utc(), current_user.email
    session = db.session()
    try:
        service.close(session, month, reason=form.value("reason"), now=now, actor=actor)
    except BrokenRule as error:
        return _refused(form, error)
    said = [_("%(month)s and all before it are closed.", month=sentences.month(month))]
    with reading(session):
        ids = service.waiting_in(session, month, limit=_MOST)
    try:
        mend.check_again(session, invoice_ids=ids, now=now, actor=actor, patience=SHORT_PATIENCE)
    except MonetError as error:
        said.append(told(error))
    if ids:
        said.append(_("What waits in it needs today's date now: see the journals."))
    flash(" ".join(said), "journal" if ids else "registered")
    return redirect(url_for("settings.periods"), 303)


@settings.post("/periods/reopen")
@needs(Role.ACCOUNTANT)
def reopen_period() -> ResponseReturnValue:
    """Reopen a month and all after it; what waited for it is checked again."""
    month, form = _typed()
    if month is None:
        return redirect(url_for("settings.periods"), 303)
    now, actor = now_utc(), current_user.email
    try:
        service.reopen(db.session(), month, reason=form.value("reason"), now=now, actor=actor)
    except BrokenRule as error:
        return _refused(form, error)
    said = _("%(month)s and all after it are open.", month=sentences.month(month))
    mending.say(db.session(), said, codes=("period_closed",), now=now, actor=actor)
    return redirect(url_for("settings.periods"), 303)


def _refused(form: Typed, error: BrokenRule) -> ResponseReturnValue:
    """A missing reason is said beside its field; anything else means that the page shown was old."""
    if error.field:
        form.refuse(error)
        return _page(form)
    flash(told(error), "failed")
    return redirect(url_for("settings.periods"), 303)


def _typed() -> tuple[date | None, Typed]:
    text = request.form.get("month", "")
    form = Typed({"month": text, "reason": request.form.get("reason", "")}, about=f"period-{text[:7]}")
    try:
        return date.fromisoformat(f"{text}-01"), form
    except ValueError:
        flash(_("Choose the month again."), "failed")
        return None, form


def _page(form: Typed | None = None) -> ResponseReturnValue:
    session = db.session()
    with reading(session):
        page = render_template(
            "settings/periods.html",
            books=service.books(session, now=now_utc()),
            form=form or Typed(about="period"),
            may_close=current_user.may(Role.ACCOUNTANT),
            say=sentences,
        )
    return page, 422 if form is not None and form.errors else 200
