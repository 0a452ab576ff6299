"""The first page of the reports: what each is for."""

from __future__ import annotations

from flask import render_template
from flask.typing import ResponseReturnValue

from monet_web.blueprints.access import signed_in
from monet_web.blueprints.reports.blueprint import reports
from monet_web.models import db
from monet_web.models.base import reading


@reports.get("")
@signed_in
def page() -> ResponseReturnValue:
    """The reports there are, each with a sentence."""
    with reading(db.session()):
        return render_template("reports/page.html")
