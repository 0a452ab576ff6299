"""A month before its filing: what stands in its way, with the place where each is mended, and closing it."""

from __future__ import annotations

from datetime import date

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from monet_web.blueprints import formats, sentences
from monet_web.blueprints.access import needs, signed_in
from monet_web.blueprints.reports import asked
from monet_web.blueprints.reports.blueprint import reports
from monet_web.blueprints.reports.isaf import words_of
from monet_web.blueprints.said import told
from monet_web.blueprints.typed import Typed
from monet_web.domain.errors import BrokenRule, MonetError
from monet_web.models import db
from monet_web.models.base import now_utc, reading
from monet_web.models.users import Role
from monet_web.services.documents import mend
from monet_web.services.documents.exports import isaf_rows
from monet_web.services.importing.claimed import SHORT_PATIENCE
from monet_web.services.office import periods
from monet_web.services.reports import month as service

_MOST = 500  # waiting invoices checked again before a page answers


@reports.get("/month")
@signed_in
def month() -> ResponseReturnValue:
    """The month that the address names, else the last one that is over."""
    return _page(asked.month_of(request.args.get("month", "")))


@reports.post("/month/close")
@needs(Role.ACCOUNTANT)
def close_month() -> ResponseReturnValue:
    """Close the month when nothing stands open, or for a reason; what waits in it is checked again."""
    first = asked.month_of(request.form.get("month", ""))
    if first is None:
        flash(_("Choose the month again."), "failed")
        return redirect(url_for("reports.month"), 303)
    form = Typed({"reason": request.form.get("reason", "")}, about="close")
    now, actor = now_utc(), current_user.email
    session = db.session()
    try:
        service.close(session, first, reason=form.value("reason"), now=now, actor=actor)
    except BrokenRule as error:
        form.refuse(error)
        return _page(first, form)
    said = [_("%(month)s and all before it are closed.", month=sentences.month(first))]
    with reading(session):
        ids = periods.waiting_in(session, first, limit=_MOST)
    try:
        mend.check_again(session, invoice_ids=ids, now=now, actor=actor, patience=SHORT_PATIENCE)
    except MonetError as error:
        said.append(told(error))
    if ids:
        said.append(_("What waits in it needs today's date now: see the journals."))
    flash(" ".join(said), "journal" if ids else "registered")
    return redirect(url_for("reports.month", month=f"{first:%Y-%m}"), 303)


def _page(first: date | None, form: Typed | None = None) -> ResponseReturnValue:
    session = db.session()
    with reading(session):
        first = first or asked.last_month(session)
        found = service.load(session, first, now=now_utc())
        ids = {name: each for name, each in found.isaf.changes.ids.items() if each}
        changed = {name: isaf_rows.named(session, each) for name, each in ids.items()}
        page = render_template(
            "reports/month.html",
            found=found,
            changed=changed,
            rates=[_rate_named(subject) for subject, _documents in found.rates],
            before=asked.before(first),
            after=asked.after(first) if first < asked.today(session).replace(day=1) else None,
            form=form or Typed(about="close"),
            may_close=current_user.may(Role.ACCOUNTANT),
            say=sentences,
            words=words_of,
        )
    return page, 422 if form is not None else 200


def _rate_named(subject: str) -> str:
    """A missing rate, "USD 2026-11-24", as a page writes it, on one line."""
    currency, _space, iso = subject.partition(" ")
    return f"{currency} {formats.day(date.fromisoformat(iso))}".replace(" ", formats.NO_BREAK)
