"""OSS of a quarter: by country and rate, corrections of earlier quarters, evidence, and taking it as a file."""

from __future__ import annotations

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
from monet_web.domain.errors import BrokenRule
from monet_web.models import Company, db
from monet_web.models.base import now_utc, reading
from monet_web.models.users import Role
from monet_web.services.documents.exports import filings
from monet_web.services.documents.exports import oss as service

_TYPES = {"csv": "text/csv", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}


@reports.get("/oss")
@signed_in
def oss() -> ResponseReturnValue:
    """The quarter that the address names, else the one that is declared next."""
    session = db.session()
    with reading(session):
        quarter = asked.quarter(request.args.get("quarter", "")) or asked.quarter_to_file(session)
        today = asked.today(session)
        return render_template(
            "reports/oss.html",
            found=service.load(session, quarter),
            company=session.get_one(Company, 1),
            taken=filings.taken(session, filings.OSS, str(quarter)),
            before=quarter.before(),
            after=quarter.after() if quarter.last < today else None,
            is_over=quarter.last < today,
            is_overdue=quarter.due < today,
            country=_country,
            may_file=current_user.may(Role.ACCOUNTANT),
            say=sentences,
        )


@reports.post("/oss/take")
@needs(Role.ACCOUNTANT)
def take_oss() -> ResponseReturnValue:
    """The quarter as a file; it is remembered with its hash, and once the quarter is over this files the return."""
    quarter = asked.quarter(request.form.get("quarter", ""))
    ending = request.form.get("ending", "")
    if quarter is None or ending not in _TYPES:
        flash(_("Choose the quarter again."), "failed")
        return redirect(url_for("reports.oss"), 303)
    session, now, actor = db.session(), now_utc(), current_user.email
    anew = request.form.get("anew") == "yes"

    def write(path: Path) -> None:
        service.take(session, quarter, path, anew=anew, now=now, actor=actor)

    try:
        return asked.as_download(f"oss-{quarter}.{ending}", _TYPES[ending], write)
    except BrokenRule as error:
        flash(told(error), "failed")
        return redirect(url_for("reports.oss", quarter=str(quarter)), 303)


@reports.get("/oss/documents.csv")
@signed_in
def oss_documents() -> ResponseReturnValue:
    """The documents of the quarter with their two pieces of evidence."""
    session = db.session()
    quarter = asked.quarter(request.args.get("quarter", ""))
    if quarter is None:
        flash(_("Choose the quarter again."), "failed")
        return redirect(url_for("reports.oss"), 303)
    return asked.as_download(
        f"oss-{quarter}-documents.csv", _TYPES["csv"], lambda path: service.write_evidence(session, quarter, path)
    )


def _country(code: str) -> str:
    """Its name in the person's language; "" for a code that is none."""
    locale = get_locale()
    return "" if locale is None else locale.territories.get("GR" if code == "EL" else code, "")
