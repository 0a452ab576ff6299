"""i.SAF of a month: what it would hold, what would be refused and where that is mended, and taking the file."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_login import current_user

from monet_web.blueprints import sentences
from monet_web.blueprints.access import needs, signed_in
from monet_web.blueprints.reports import asked
from monet_web.blueprints.reports.blueprint import reports
from monet_web.blueprints.said import told
from monet_web.blueprints.typed import Typed
from monet_web.domain.errors import BrokenRule
from monet_web.domain.isaf import DEFAULT_PART, Refusal
from monet_web.domain.isaf_words import Words, said
from monet_web.models import db
from monet_web.models.base import now_utc, reading
from monet_web.models.users import Role
from monet_web.services.documents.exports import filings, isaf_kept, isaf_rows
from monet_web.services.documents.exports import isaf as service

# Where a refusal is mended: the page, for those that are no document's own.
_PAGES = {
    "company": "settings.page", "vat": "settings.vat", "rates": "settings.currency_rates", "classifier": "settings.vat",
}  # fmt: skip


@reports.get("/isaf")
@signed_in
def isaf() -> ResponseReturnValue:
    """The month that the address names, else the last one."""
    return _page(asked.month_of(request.args.get("month", "")))


@reports.post("/isaf/terms")
@needs(Role.ACCOUNTANT)
def set_isaf_terms() -> ResponseReturnValue:
    """The part's name, OSS and private buyers' names: said once, corrected when they were wrong."""
    first = asked.month_of(request.form.get("month", ""))
    form = Typed({name: request.form.get(name, "") for name in ("part", "oss", "names")}, about="terms")
    try:
        filings.set_terms(
            db.session(), part=form.value("part"), oss=form.value("oss"), names=form.value("names"), now=now_utc(),
            actor=current_user.email,
        )  # fmt: skip
    except BrokenRule as error:
        form.refuse(error)
        return _page(first, form)
    flash(_("Saved: the next file says it so."), "registered")
    return redirect(url_for("reports.isaf", month=request.form.get("month", "")), 303)


@reports.post("/isaf/take")
@needs(Role.ACCOUNTANT)
def take_isaf() -> ResponseReturnValue:
    """The month's file; it is remembered with its hash. `without` says to leave out what would be refused."""
    first = asked.month_of(request.form.get("month", ""))
    if first is None:
        flash(_("Choose the month again."), "failed")
        return redirect(url_for("reports.isaf"), 303)
    session, now, actor = db.session(), now_utc(), current_user.email
    without = request.form.get("without") == "refused"
    with reading(session):
        name = service.file_name(first, filings.terms(session).part)

    def write(path: Path) -> None:
        service.take(session, first, path, without_refused=without, now=now, actor=actor)

    try:
        return asked.as_download(name, "application/xml", write)
    except BrokenRule as error:
        flash(told(error), "failed")
        return redirect(url_for("reports.isaf", month=f"{first:%Y-%m}"), 303)


def mend_at(words: Words, document_id: int | None = None) -> str:
    """The address where a refusal is mended, "" where there is none."""
    if words.mend == "terms":
        return "#terms"
    if words.mend in _PAGES:
        return url_for(_PAGES[words.mend])
    return url_for("invoices.show", invoice_id=document_id) if document_id is not None and words.mend else ""


def _page(first: date | None, form: Typed | None = None) -> ResponseReturnValue:
    session = db.session()
    with reading(session):
        first = first or asked.last_month(session)
        checked = isaf_kept.check(session, first)
        terms = checked.terms
        saved = {"part": terms.part or DEFAULT_PART, "oss": terms.oss, "names": terms.names or "given"}
        ids = {name: each for name, each in checked.changes.ids.items() if each}
        page = render_template(
            "reports/isaf.html",
            checked=checked,
            taken=filings.taken(session, filings.ISAF, service.period_of(first)),
            changed={name: isaf_rows.named(session, each) for name, each in ids.items()},
            before=asked.before(first),
            after=asked.after(first) if first < asked.today(session).replace(day=1) else None,
            form=form or Typed(saved, about="terms"),
            may_file=current_user.may(Role.ACCOUNTANT),
            words=words_of,
            mend_at=mend_at,
            say=sentences,
        )
    return page, 422 if form is not None else 200


def words_of(refusal: Refusal) -> Words:
    """What is wrong and what to do, in the person's language."""
    return said(refusal, str(get_locale()))
