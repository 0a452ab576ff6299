"""What a person does with waiting invoices: the question first, then register, check again, delete (E3, E5, H6)."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

from flask import current_app, flash, redirect, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale, ngettext
from flask_babel import gettext as _
from flask_login import current_user
from markupsafe import Markup, escape
from sqlalchemy.orm import Session

from monet_web.blueprints import asked, sentences
from monet_web.blueprints.access import needs
from monet_web.blueprints.formats import zone
from monet_web.blueprints.invoices import views
from monet_web.blueprints.journals import mistakes, selection
from monet_web.blueprints.journals.blueprint import journals, rendered
from monet_web.blueprints.journals.checking import check_again, handed_over, ids_of
from monet_web.blueprints.said import told
from monet_web.domain.errors import BrokenRule, MonetError
from monet_web.models import db
from monet_web.models.base import now_utc, reading
from monet_web.models.invoices import InvoiceKind
from monet_web.models.users import Role
from monet_web.services.books.closed import PeriodClosed
from monet_web.services.documents import journals as service
from monet_web.services.documents import move as moving
from monet_web.services.documents import register as registering
from monet_web.services.documents import run_again, waiting
from monet_web.services.documents.exports import invoices as exports
from monet_web.services.documents.register import Registered
from monet_web.services.documents.run_again import Launch
from monet_web.services.documents.waiting import Which
from monet_web.services.importing.claimed import SHORT_PATIENCE

DOES = ("register", "check", "delete", "move")
FORMATS = {**views.FORMATS, "json": "application/json"}
_PART = 500


@journals.get("/ask")
@needs(Role.OFFICE)
def ask() -> ResponseReturnValue:
    """The question before something is done: how many, for how much, in which month."""
    does = request.args.get("do", "")
    if does.startswith("export."):
        return _export(does.partition(".")[2])
    which = _asked_for()
    if does not in DOES or which is None:
        flash(_("Tick at least one invoice first."), "failed")
        return redirect(selection.way_back(request.args), 303)
    session = db.session()
    if does == "move":
        which = replace(which, failing=True)
    if does == "register":
        which = _may_be_registered(which)
    with reading(session):
        meant = waiting.summary(session, which)
        if not meant.count and does == "move":
            flash(_("None of them has a finding that keeps it from being registered."), "journal")
            return redirect(selection.way_back(request.args), 303)
        if not meant.count and which.kind is not None and waiting.summary(session, replace(which, kind=None)).count:
            flash(_("Credit notes are registered by an accountant."), "journal")
            return redirect(selection.way_back(request.args), 303)
        if not meant.count:
            flash(_("Nothing of it waits any more."), "journal")
            return redirect(selection.way_back(request.args), 303)
        return rendered(
            session, "journals/ask.html", does=does, which=which, sum=meant, selection=selection,
            back=selection.way_back(request.args), proof=asked.proof(_named(session, which)),
        )  # fmt: skip


@journals.post("/register")
@needs(Role.OFFICE)
def register() -> ResponseReturnValue:
    """Register what passes; say of the rest why it still waits."""
    which = _may_be_registered(selection.surely_meant(request.form))
    if again := _asked_again(which, "register"):
        return again
    ids = ids_of(which)
    handed = handed_over(ids, "", back=selection.way_back(request.form), by_person=True)
    if handed is not None:
        return handed
    done: list[Registered] = []
    try:
        for part in _parts(ids):
            done += registering.register(
                db.session(), part, now=now_utc(), actor=current_user.email, patience=SHORT_PATIENCE
            )
    except MonetError as error:
        flash(told(error), "failed")
        if not done:
            return redirect(selection.way_back(request.form), 303)
    _tell_registered(done)
    alone = which.invoice_ids is not None and len(which.invoice_ids) == 1
    if alone and done and done[0].ok:
        return redirect(url_for("invoices.show", invoice_id=done[0].invoice_id), 303)
    return redirect(selection.way_back(request.form), 303)


@journals.post("/check")
@needs(Role.OFFICE)
def check() -> ResponseReturnValue:
    """Check again; what passes is registered where the integration registers by itself."""
    which = selection.surely_meant(request.form)
    if again := _asked_again(which, "check"):
        return again
    return check_again(ids_of(which), "", back=selection.way_back(request.form), patience=SHORT_PATIENCE)


@journals.post("/move")
@needs(Role.OFFICE)
def move() -> ResponseReturnValue:
    """Those that something keeps from being registered go to a new journal; the rest stays where it is."""
    which = selection.surely_meant(request.form)
    if again := _asked_again(which, "move"):
        return again
    made = moving.move_with_findings(db.session(), ids_of(which), now=now_utc(), actor=current_user.email)
    if not made:
        flash(_("None of them has a finding that keeps it from being registered."), "journal")
    for one in made:
        text = ngettext("%(num)s invoice moved to journal", "%(num)s invoices moved to journal", one.invoices)
        link = url_for("journals.journal", journal_id=one.journal_id)
        flash(Markup('{} <a href="{}">{}</a>').format(text, link, one.number), "registered")
    return redirect(selection.way_back(request.form), 303)


@journals.post("/delete")
@needs(Role.OFFICE)
def delete() -> ResponseReturnValue:
    """Delete what waits: the next run brings its orders back, or they are left out for a reason."""
    which = selection.surely_meant(request.form)
    leave_out = request.form.get("then") == "leave_out"
    reason = request.form.get("reason", "").strip()[:400]
    if again := _asked_again(which, "delete"):
        return again
    meant = ids_of(which)
    deleted = 0
    session = db.session()
    try:
        with reading(session):
            service.must_be_deletable(session, meant, leave_out=leave_out)
            launch = run_again.launch_of(session, meant, zone())
        for ids in _parts(meant):
            deleted += service.delete(
                session, ids, leave_out=leave_out, reason=reason, now=now_utc(), actor=current_user.email
            )
    except PeriodClosed as error:
        flash(told(error), "failed")
        return redirect(selection.way_back(request.form), 303)
    except BrokenRule as error:
        mistakes.remember("delete", "reason", reason, told(error))
        question = selection.arguments(which, do="delete", back=selection.way_back(request.form))
        return redirect(url_for("journals.ask", **question), 303)
    if leave_out:
        text = _("%(many)s deleted and left out: %(reason)s.", many=sentences.invoices(deleted), reason=reason)
        link = Markup(' <a href="{}">{}</a>').format(url_for("journals.left_out"), _("Left out by hand"))
        flash(escape(text) + link, "registered")
    else:
        many = sentences.invoices(deleted)
        done = escape(_("%(many)s deleted. The next run of the period brings the orders back.", many=many))
        flash(done + _way_to_run_again(launch), "registered")
    back = selection.way_back(request.form)
    gone = which.invoice_ids is not None and back.startswith("/journals/invoices/")
    return redirect(url_for("journals.page") if gone else back, 303)


def _way_to_run_again(launch: Launch | None) -> Markup:
    """The form of the launch that brings them back now, filled in."""
    if launch is None or "integrations.page" not in current_app.view_functions:
        return Markup("")
    address = url_for("integrations.page", mask=", ".join(launch.names), first=launch.first, last=launch.last)
    return Markup(' <a href="{}#launch">{}</a>').format(address, _("Run it again now"))


def _named(session: Session, which: Which) -> list[object]:
    """What the question names: each invoice, and for how much they are."""
    meant = waiting.summary(session, which)
    return [*waiting.ids(session, which, limit=meant.count), meant.sums, meant.months]


def _asked_again(which: Which, does: str) -> ResponseReturnValue | None:
    """The way back to the question when it was about something else than what would be done now."""
    session = db.session()
    with reading(session):
        if not asked.has_changed(_named(session, which)):
            return None
    question = selection.arguments(selection.meant(request.form), do=does, back=selection.way_back(request.form))
    return redirect(url_for("journals.ask", **question), 303)


def _asked_for() -> Which | None:
    """The invoices of the question; None when the boxes were to say them and none is ticked."""
    if "chosen" in request.args and "invoice" not in request.args:
        return None
    return selection.surely_meant(request.args)


def _export(ending: str) -> ResponseReturnValue:
    """The chosen ones, or all that are meant, as a file."""
    which = _asked_for()
    if which is None or ending not in FORMATS:
        flash(_("Tick at least one invoice first."), "failed")
        return redirect(selection.way_back(request.args), 303)
    session = db.session()
    with tempfile.TemporaryDirectory(prefix="monet-") as folder:
        path = Path(folder) / f"waiting.{ending}"
        with reading(session):
            wanted = exports.Wanted(language=str(get_locale()), conditions=tuple(waiting.conditions(session, which)))
            exports.export(session, path, wanted)
        file = path.open("rb")  # the file lives on until the answer is sent, its name goes with the folder
    return send_file(
        file,
        mimetype=FORMATS[ending],
        as_attachment=True,
        download_name=f"waiting-invoices-{now_utc():%Y-%m-%d}.{ending}",
    )


def _may_be_registered(which: Which) -> Which:
    """Those that this person may register: credit notes are an accountant's (H1)."""
    return which if current_user.may(Role.ACCOUNTANT) else replace(which, kind=InvoiceKind.INVOICE)


def _parts(ids: list[int]) -> list[list[int]]:
    return [ids[start : start + _PART] for start in range(0, len(ids), _PART)]


def _tell_registered(done: list[Registered]) -> None:
    still = [one for one in done if not one.ok]
    named = [(one.number or _("invoice %(id)s", id=one.invoice_id), len(one.findings)) for one in still]
    if not done:
        flash(_("Nothing of it waits any more."), "journal")
        return
    text = escape(sentences.registered(len(done) - len(still), len(done), named))
    if len(done) == 1 and still:
        # The same words as in the list: what stands in the way of this one.
        text += escape(" " + " ".join(sentences.said(one).wrong for one in still[0].findings))
    elif still:
        link = url_for("journals.show", invoice_id=still[0].invoice_id)
        text += Markup(' <a href="{}">{}</a>').format(link, _("Open %(number)s", number=named[0][0]))
    flash(text, "journal" if still else "registered")
