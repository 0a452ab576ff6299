"""Undo a run: what it will delete and credit, the question, the deed (E6)."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from monet_web.blueprints import sentences
from monet_web.blueprints.access import needs
from monet_web.blueprints.formats import day, zone
from monet_web.blueprints.runs.blueprint import runs
from monet_web.blueprints.runs.texts import _, ngettext
from monet_web.blueprints.runs.views import one
from monet_web.blueprints.said import told
from monet_web.blueprints.typed import whole
from monet_web.domain.errors import BrokenRule, MonetError
from monet_web.domain.windows import local_day
from monet_web.models import db
from monet_web.models.base import now_utc, reading
from monet_web.models.users import Role
from monet_web.services.importing.claimed import SHORT_PATIENCE
from monet_web.services.running import undo as service
from monet_web.services.running.undo import Undone

_MOST_TICKED = service.PAGE


@runs.get("/<int:run_id>/undo")
@needs(Role.ACCOUNTANT)
def undo_plan(run_id: int) -> ResponseReturnValue:
    """What undoing will delete, and the registered invoices to tick, 50 a page."""
    session = db.session()
    with reading(session):
        run = one(session, run_id)
        try:
            plan = service.plan(session, run_id, today=local_day(now_utc(), zone()))
        except BrokenRule as error:
            flash(told(error), "failed")
            return redirect(url_for("runs.show", run_id=run_id), 303)
        after = whole(request.args.get("after", "")) or 0
        found, following = service.registered(session, run_id, after=after)
        return render_template(
            "runs/undo.html", run=run, plan=plan, found=found, following=following, is_first=not after, say=sentences,
        )  # fmt: skip


@runs.get("/<int:run_id>/undo/ask")
@needs(Role.ACCOUNTANT)
def undo_ask(run_id: int) -> ResponseReturnValue:
    """The question: how many, for how much, in which month; what is ticked, or all that the run registered."""
    ids = _ticked()
    session = db.session()
    with reading(session):
        run = one(session, run_id)
        try:
            plan = service.plan(session, run_id, today=local_day(now_utc(), zone()))
        except BrokenRule as error:
            flash(told(error), "failed")
            return redirect(url_for("runs.show", run_id=run_id), 303)
        credited = service.summary(session, run_id, ids)
        if not (plan.waiting.count or credited.count):
            flash(_("Tick at least one invoice first."), "failed")
            return redirect(url_for("runs.undo_plan", run_id=run_id), 303)
        return render_template(
            "runs/undo_ask.html", run=run, plan=plan, credited=credited, ids=ids, say=sentences, most=service.MOST,
        )  # fmt: skip


@runs.post("/<int:run_id>/undo")
@needs(Role.ACCOUNTANT)
def undo_run(run_id: int) -> ResponseReturnValue:
    """Do it. A second press finds what the first has left."""
    session = db.session()
    with reading(session):
        one(session, run_id)
    now = now_utc()
    try:
        done = service.undo(
            session, run_id, credit_ids=_ticked(), today=local_day(now, zone()), now=now,
            actor=current_user.email, most=service.MOST, patience=SHORT_PATIENCE,
        )  # fmt: skip
    except MonetError as error:
        flash(told(error), "failed")
        return redirect(url_for("runs.show", run_id=run_id), 303)
    flash(_told(run_id, done), "journal" if done.left else "registered")
    return redirect(url_for("runs.undo_plan" if done.left else "runs.show", run_id=run_id), 303)


def _ticked() -> list[int] | None:
    """The ids that were ticked; None: all that the run registered."""
    arguments = request.form if request.method == "POST" else request.args
    if arguments.get("which") == "all":
        return None
    texts = arguments.getlist("invoice")[:_MOST_TICKED]
    return [each for text in texts if (each := whole(text)) is not None]


def _told(run_id: int, done: Undone) -> str:
    parts = []
    if done.deleted:
        parts.append(ngettext("%(num)s invoice deleted", "%(num)s invoices deleted", done.deleted))
    if done.credited:
        text = ngettext(
            "%(num)s credited for %(sums)s, dated %(day)s", "%(num)s credited for %(sums)s, dated %(day)s",
            len(done.credited), sums=sentences.sums(done.sums), day=day(now_utc()),
        )  # fmt: skip
        parts.append(text)
    said = _("Run %(run)s is undone: %(what)s.", run=run_id, what=sentences.joined(parts) or _("nothing was left"))
    if done.left:
        said += " " + ngettext("%(num)s is still to credit.", "%(num)s are still to credit.", done.left)
    return said
