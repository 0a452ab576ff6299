"""Stop and Run again: what a person may do to a run (C5)."""

from __future__ import annotations

from contextlib import suppress

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from redis.exceptions import RedisError

from monet_web import events, jobs
from monet_web.blueprints.access import needs
from monet_web.blueprints.runs import signs
from monet_web.blueprints.runs.blueprint import runs
from monet_web.blueprints.runs.texts import _
from monet_web.blueprints.runs.views import ids_of, one
from monet_web.blueprints.said import told
from monet_web.domain.errors import BrokenRule
from monet_web.models import Run, db
from monet_web.models.base import now_utc, reading
from monet_web.models.runs import RunState
from monet_web.models.users import Role
from monet_web.services.opening import open_runs
from monet_web.services.running.progress import Line


@runs.post("/<int:run_id>/stop")
@needs(Role.OFFICE)
def stop(run_id: int) -> ResponseReturnValue:
    """End it between two pages of orders; one that has not begun ends at once."""
    session = db.session()
    _must_exist(run_id)
    is_stopped = open_runs.stop(session, run_id, now=now_utc())
    with reading(session):
        run = one(session, run_id)
    if not is_stopped:
        text = _("Run %(run)s had ended already.", run=run_id)
        if run.state is RunState.STOPPING:
            text = _("Run %(run)s stops already, after the page of orders in hand.", run=run_id)
        flash(text, "journal")
        return redirect(_back(run_id), 303)
    _tell(run)
    if run.state is RunState.STOPPED:
        flash(_("Run %(run)s of %(name)s was stopped before it began.", run=run_id, name=run.integration.name))
    else:
        text = _("Run %(run)s of %(name)s stops after the page of orders in hand. What was done stays.",
                 run=run_id, name=run.integration.name)  # fmt: skip
        flash(text)
    return redirect(_back(run_id), 303)


@runs.post("/<int:run_id>/again")
@needs(Role.OFFICE)
def again(run_id: int) -> ResponseReturnValue:
    """The same integration and period once more; what is already here is skipped."""
    _must_exist(run_id)
    try:
        run = open_runs.again(db.session(), run_id, now=now_utc(), actor=current_user.email)
    except BrokenRule as error:
        flash(told(error), "failed")
        return redirect(url_for("runs.show", run_id=run_id), 303)
    jobs.ring([run], signs.redis_url())  # when nobody hears it, the page says so, and the next tick rings again
    return redirect(url_for("runs.page", launch=run.id), 303)


def _must_exist(run_id: int) -> None:
    session = db.session()
    with reading(session):
        one(session, run_id)


def _back(run_id: int) -> str:
    """To the launch that the button stood in, else to the run."""
    launched = ids_of(request.form.get("launch", ""))
    if launched:
        return url_for("runs.page", launch=",".join(str(each) for each in launched))
    if request.form.get("list") == "1":
        return url_for("runs.page")
    return url_for("runs.show", run_id=run_id)


def _tell(run: Run) -> None:
    """So that pages that follow the run show it at once."""
    client = signs.redis()
    if client is not None:
        with suppress(RedisError):
            events.tell(client, run, [Line(now_utc(), "stop_asked", {"by": current_user.name or current_user.email})])
