"""The first page."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from monet_web.blueprints.access import signed_in
from monet_web.models import Integration, Run, db
from monet_web.models.base import reading
from monet_web.models.integrations import IntegrationState
from monet_web.models.runs import RunKind
from monet_web.services import journals

today = Blueprint("today", __name__)

_SHOWN_RUNS = 10


@today.get("/")
@signed_in
def page() -> ResponseReturnValue:
    """Integrations, the newest runs, what waits."""
    session = db.session()
    with reading(session):
        integrations = session.scalars(
            select(Integration).where(Integration.state != IntegrationState.RETIRED).order_by(Integration.name_key)
        ).all()
        runs = session.scalars(
            select(Run).where(Run.kind != RunKind.RECHECK).order_by(Run.id.desc()).limit(_SHOWN_RUNS)
        ).all()
        waiting = journals.list_journals(session)
        return render_template("today/page.html", integrations=integrations, runs=runs, waiting=waiting)
