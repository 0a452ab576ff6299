"""The sales journal of a month: its sums by account, and the file for the main program."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from monet_web.blueprints import sentences
from monet_web.blueprints.access import signed_in
from monet_web.blueprints.reports import asked
from monet_web.blueprints.reports.blueprint import reports
from monet_web.blueprints.said import told
from monet_web.domain.errors import BrokenRule
from monet_web.models import db
from monet_web.models.base import reading
from monet_web.services.documents import sales_journal as service
from monet_web.services.documents.exports import sales_journal as files

_TYPES = {"csv": "text/csv", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}


@reports.get("/sales-journal")
@signed_in
def sales_journal() -> ResponseReturnValue:
    """The month that the address names, else the last one that is over."""
    session = db.session()
    with reading(session):
        first = asked.month_of(request.args.get("month", "")) or asked.last_month(session)
        try:
            found, trouble = service.load(session, first), ""
        except BrokenRule as error:
            found, trouble = None, told(error)
        return render_template(
            "reports/sales_journal.html",
            first=first,
            journal=found,
            trouble=trouble,
            before=asked.before(first),
            after=asked.after(first) if first < asked.today(session).replace(day=1) else None,
            parts={
                "payment": _("Payment"), "sales": _("Sales"), "vat": _("VAT"), "rounding": _("Rounding"),
            },
            say=sentences,
        )  # fmt: skip


@reports.get("/sales-journal.<any(csv, xlsx):ending>")
@signed_in
def sales_journal_file(ending: str) -> ResponseReturnValue:
    """The same as a file, every row of it."""
    session = db.session()
    try:
        with reading(session):
            first = asked.month_of(request.args.get("month", "")) or asked.last_month(session)
            found = service.load(session, first)
    except BrokenRule as error:
        flash(told(error), "failed")
        return redirect(url_for("reports.sales_journal", month=request.args.get("month", "")), 303)
    name = f"sales-journal-{first:%Y-%m}.{ending}"
    return asked.as_download(name, _TYPES[ending], lambda path: files.write(found, path))
