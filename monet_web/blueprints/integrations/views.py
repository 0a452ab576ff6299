"""The list of integrations with the manual launch below it; run, stop and switch on from its rows."""

from __future__ import annotations

from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy.orm import Session

from monet_web import jobs
from monet_web.blueprints.access import needs, signed_in
from monet_web.blueprints.integrations import listing, workers
from monet_web.blueprints.integrations.blueprint import integrations
from monet_web.blueprints.integrations.launch_form import LaunchForm
from monet_web.blueprints.integrations.translating import _
from monet_web.blueprints.said import told
from monet_web.connectors import CONNECTORS
from monet_web.domain.errors import BrokenRule
from monet_web.models import db
from monet_web.models.base import now_utc, reading
from monet_web.models.users import Role
from monet_web.services.integrations import integration_form, integration_list
from monet_web.services.opening import open_runs
from monet_web.services.running import month_checks, next_runs


@integrations.get("")
@signed_in
def page() -> ResponseReturnValue:
    """Every integration, and the launch by hand; the launch's fields may come in the address (presets do)."""
    idle = workers.why_still()
    session = db.session()
    with reading(session):
        return draw(session, LaunchForm.from_address(session, request.args, now_utc()), idle)


@integrations.get("/list")
@signed_in
def list_() -> ResponseReturnValue:
    """The list alone, asked again while something is at work."""
    session = db.session()
    with reading(session):
        return render_template("integrations/_list.html", **_list(session))


@integrations.post("/<int:integration_id>/stop")
@needs(Role.OFFICE)
def stop(integration_id: int) -> ResponseReturnValue:
    """Stop the run at work between two pages, or take the waiting one out of the queue (C5)."""
    session = db.session()
    with reading(session):
        row = integration_list.row(session, integration_id, now=now_utc())
        run = row.current if row is not None else None
    if row is None:
        abort(404)
    if run is not None and open_runs.stop(session, run.id, now=now_utc()):
        flash(_("The run of %(name)s stops after this page. What was done stays.", name=row.integration.name))
    else:
        flash(_("Nothing of %(name)s is at work any more.", name=row.integration.name))
    return _back()


@integrations.post("/<int:integration_id>/switch")
@needs(Role.ADMINISTRATOR)
def switch(integration_id: int) -> ResponseReturnValue:
    """Switch an integration on or off."""
    on = request.form.get("on") == "yes"
    try:
        changed = integration_form.switch(db.session(), integration_id, on=on, now=now_utc(), actor=current_user.email)
    except BrokenRule as error:
        flash(told(error), "failed")
        return _back()
    if on:
        flash(_("%(name)s is switched on.", name=changed.name))
    else:
        flash(_("%(name)s is switched off. Only its exact name launches it now.", name=changed.name))
    return _back()


@integrations.post("/<int:integration_id>/preview")
@needs(Role.ADMINISTRATOR)
def preview(integration_id: int) -> ResponseReturnValue:
    """A preview of the last seven days (A7)."""
    try:
        run = integration_form.preview(db.session(), integration_id, now=now_utc(), actor=current_user.email)
    except BrokenRule as error:
        flash(told(error), "failed")
        return _back()
    jobs.ring([run], workers.redis_url())
    return redirect(url_for("integrations.first", integration_id=integration_id), 303)


def draw(session: Session, launch: LaunchForm, idle: str, status: int = 200) -> ResponseReturnValue:
    """The whole page. Inside a reading transaction."""
    around = _list(session)
    if not around["lines"]:
        return render_template("integrations/empty.html", connectors=CONNECTORS.values(), headline=around["headline"])
    return render_template("integrations/page.html", launch=launch, idle=idle, **around), status


def _list(session: Session) -> dict[str, Any]:
    now = now_utc()
    rows = integration_list.rows(session, now=now, months=month_checks.differing(session, now=now))
    return {
        "lines": listing.lines(rows, next_runs.next_runs(session, now=now), now=now),
        "headline": listing.headline(rows),
        "is_live": any(row.current is not None for row in rows),
    }


def _back() -> ResponseReturnValue:
    return redirect(url_for("integrations.page"), 303)
