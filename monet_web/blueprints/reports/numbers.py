"""The numbers of a month: gaps and dates out of order, explained; made to be printed."""

from __future__ import annotations

from flask import render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import get_locale

from monet_web.blueprints import sentences
from monet_web.blueprints.access import signed_in
from monet_web.blueprints.reports import asked
from monet_web.blueprints.reports.blueprint import reports
from monet_web.domain.number_dates import WHY_DATED
from monet_web.domain.number_gaps import UNEXPLAINED
from monet_web.models import db
from monet_web.models.base import reading
from monet_web.services.reports import numbers as service


@reports.get("/numbers")
@signed_in
def numbers() -> ResponseReturnValue:
    """The month that the address names, else the last one that is over."""
    session, language = db.session(), str(get_locale())
    with reading(session):
        first = asked.month_of(request.args.get("month", "")) or asked.last_month(session)
        return render_template(
            "reports/numbers.html",
            first=first,
            report=service.load(session, first, language),
            before=asked.before(first),
            after=asked.after(first) if first < asked.today(session).replace(day=1) else None,
            language=language,
            unexplained=UNEXPLAINED,
            why_dated={code: words[1 if language == "lt" else 0] for code, words in WHY_DATED.items()},
            say=sentences,
        )
