"""The manual launch: live matches, presets, previews, and runs opened (C1, C2, C4)."""

from __future__ import annotations

from flask import abort, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from monet_web import jobs
from monet_web.blueprints.access import needs, signed_in
from monet_web.blueprints.integrations import asking, views, workers
from monet_web.blueprints.integrations.blueprint import integrations
from monet_web.blueprints.integrations.launch_form import LaunchForm
from monet_web.blueprints.integrations.translating import _, ngettext
from monet_web.blueprints.said import told
from monet_web.domain import periods
from monet_web.domain.errors import BrokenRule
from monet_web.models import db
from monet_web.models.base import now_utc, reading
from monet_web.models.users import Role
from monet_web.services.integrations import integration_form
from monet_web.services.running import launching


@integrations.get("/matches")
@signed_in
def matches() -> ResponseReturnValue:
    """Which integrations a mask means, as it is typed."""
    session = db.session()
    with reading(session):
        form = LaunchForm.from_address(session, request.args, now_utc())
        return render_template("integrations/_matches.html", launch=form, is_fragment=True)


@integrations.get("/picked")
@signed_in
def picked() -> ResponseReturnValue:
    """The mask that the ticked boxes mean."""
    session = db.session()
    with reading(session):
        mask = launching.mask_of(session, request.args.getlist("pick"))
        form = LaunchForm.made(session, mask=mask, first="", last="", now=now_utc())
        return render_template("integrations/_matches.html", launch=form, is_fragment=True, is_picked=True)


@integrations.route("/period/<name>", methods=["GET", "POST"])
@signed_in
def period(name: str) -> ResponseReturnValue:
    """The dates of a preset: the fields alone, or (without JavaScript) the page with all else as it was typed."""
    if name not in periods.PRESETS:
        abort(404)
    session = db.session()
    with reading(session):
        if request.method == "GET":
            form = LaunchForm.from_address(session, request.args, now_utc()).with_preset(name)
            return render_template("integrations/_period.html", launch=form)
        form = LaunchForm.posted(session, request.form, now_utc()).with_preset(name)
    return redirect(
        url_for("integrations.page", mask=form.meant.mask, first=form.first, last=form.last, _anchor="launch-h"), 303
    )


@integrations.post("/launch")
@needs(Role.OFFICE)
def launch() -> ResponseReturnValue:
    """Open runs or previews; a first launch, or one that reaches far back, shows its preview first."""
    now = now_utc()
    session = db.session()
    with reading(session):
        form = LaunchForm.posted(session, request.form, now)
    if form.errors or form.period is None:
        return _wrong(form)
    try:
        runs, is_preview = launching.launch(
            session, mask=form.meant.mask, first=form.period.first, last=form.period.last,
            preview=request.form.get("do") == "preview", seen=asking.ids(request.form.get("seen", "")),
            now=now, actor=current_user.email,
        )  # fmt: skip
    except BrokenRule as error:
        form.errors[error.field or "mask"] = told(error)
        return _wrong(form)
    jobs.ring(runs, workers.redis_url())
    numbers = ",".join(str(run.id) for run in runs)
    if is_preview:
        return redirect(url_for("integrations.previewed", preview=numbers), 303)
    said = ngettext("%(num)s run is queued.", "%(num)s runs are queued.", len(runs))
    if idle := workers.why_idle():
        flash(f"{said} {idle}", "journal")
    elif "runs.page" not in current_app.view_functions:
        flash(said)
    if "runs.page" in current_app.view_functions:
        return redirect(url_for("runs.page", launch=numbers), 303)
    return redirect(url_for("integrations.page"), 303)


@integrations.post("/<int:integration_id>/run")
@needs(Role.OFFICE)
def run_now(integration_id: int) -> ResponseReturnValue:
    """Run one integration for yesterday and today; its first time it shows the preview, as any launch does."""
    now = now_utc()
    session = db.session()
    with reading(session):
        integration = integration_form.find(session, integration_id)
        if integration is None:
            abort(404)
        name = integration.name
        form = LaunchForm.from_address(session, request.args, now)
    if form.period is None:  # it has the usual dates
        abort(400)
    runs, is_preview = launching.launch(
        session, mask=name, first=form.period.first, last=form.period.last, preview=False, seen=(),
        now=now, actor=current_user.email,
    )  # fmt: skip
    jobs.ring(runs, workers.redis_url())
    if is_preview:
        return redirect(url_for("integrations.previewed", preview=runs[0].id), 303)
    flash(_("The run of %(name)s is queued, for %(days)s.", name=name, days=form.own_period or form.first))
    return redirect(url_for("integrations.page"), 303)


@integrations.get("/launch")
@signed_in
def previewed() -> ResponseReturnValue:
    """What a launch would do, run by run, and the question whether to launch it (C3, C4)."""
    if not request.args.get("preview"):  # typed, or left from a form: the launch begins on the page itself
        return redirect(url_for("integrations.page", _anchor="launch-h"))
    idle = workers.why_idle()
    session = db.session()
    with reading(session):
        question = asking.question(session, request.args.get("preview", ""), now_utc())
        if question is None:
            abort(404)
        return render_template("integrations/previewed.html", question=question, idle=idle)


@integrations.get("/launch/sums")
@signed_in
def sums() -> ResponseReturnValue:
    """The same without the page around it, asked again until every preview has ended."""
    session = db.session()
    with reading(session):
        question = asking.question(session, request.args.get("preview", ""), now_utc())
        if question is None:
            abort(404)
        if not question.has_ended and request.args.get("was") == str(question.version):
            return "", 204
        return render_template("integrations/_sums.html", question=question, is_fragment=True)


def _wrong(form: LaunchForm) -> ResponseReturnValue:
    idle = workers.why_still()
    session = db.session()
    with reading(session):
        return views.draw(session, form, idle, 422)
