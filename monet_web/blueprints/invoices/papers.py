"""Documents as PDF: one for the asking, many as a ZIP or one PDF, drawn by a worker when they are more than a few."""

from __future__ import annotations

import io

from flask import abort, flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from monet_web import jobs
from monet_web.blueprints.access import signed_in
from monet_web.blueprints.invoices import filters
from monet_web.blueprints.invoices.blueprint import invoices
from monet_web.blueprints.runs import signs
from monet_web.blueprints.said import told
from monet_web.domain.errors import BrokenRule
from monet_web.models import db
from monet_web.models.base import now_utc, reading
from monet_web.models.errands import ErrandState
from monet_web.services.documents import invoice_list
from monet_web.services.documents.exports import bundles, paper, pdf
from monet_web.services.office import company

_TYPES = {"pdf": "application/pdf", "zip": "application/zip"}


@invoices.get("/<int:invoice_id>/pdf")
@signed_in
def as_pdf(invoice_id: int) -> ResponseReturnValue:
    """A registered document, or the pro-forma of a waiting one, drawn now."""
    session = db.session()
    with reading(session):
        papers = paper.load(session, [invoice_id])
        logo, language = paper.logo(session), request.args.get("language", "") or company.get(session).language
    if not papers:
        abort(404)
    try:
        body = pdf.draw(papers, logo, language)
    except BrokenRule as error:
        flash(told(error), "failed")
        return redirect(url_for("invoices.show", invoice_id=invoice_id), 303)
    return send_file(
        io.BytesIO(body), mimetype=_TYPES["pdf"], as_attachment=True, download_name=pdf.file_name(papers[0])
    )


@invoices.post("/papers")
@signed_in
def papers() -> ResponseReturnValue:
    """The documents of the list: few are drawn while the person waits, many by a worker."""
    asked = filters.asked(request.args)
    back = asked.url()
    ending = "pdf" if request.form.get("ending") == "pdf" else "zip"
    session = db.session()
    try:
        with reading(session):
            ids = bundles.chosen(session, invoice_list.conditions(session, asked.wanted))
            language = request.form.get("language", "") or company.get(session).language
        pdf.must_be_possible()
        if len(ids) <= bundles.AT_ONCE:
            return _sent(bundles.file_of(session, ids, ending=ending, language=language), ending)
        row = bundles.begin(
            session, ids, ending=ending, language=language, now=now_utc(), actor=current_user.email
        )  # fmt: skip
    except BrokenRule as error:
        flash(told(error), "failed")
        return redirect(back, 303)
    jobs.ring_bundles([row], signs.redis_url())
    return redirect(url_for("invoices.bundle", bundle_id=row.id), 303)


@invoices.get("/papers/<int:bundle_id>")
@signed_in
def bundle(bundle_id: int) -> ResponseReturnValue:
    """How far the worker is, and the file when it is there."""
    session = db.session()
    with reading(session):
        found = bundles.find(session, bundle_id)
        if found is None:
            flash(_("That file is not kept any more: files are kept for a day."), "journal")
            return redirect(url_for("invoices.page"), 303)
        template = "invoices/_bundle.html" if "HX-Request" in request.headers else "invoices/bundle.html"
        has_ended = found.state in (ErrandState.DONE, ErrandState.FAILED)
        return render_template(
            template, bundle=found, has_ended=has_ended, idle="" if has_ended else signs.why_idle()
        )  # fmt: skip


@invoices.get("/papers/<int:bundle_id>/file")
@signed_in
def bundle_file(bundle_id: int) -> ResponseReturnValue:
    """The file itself."""
    session = db.session()
    with reading(session):
        found, body = bundles.find(session, bundle_id), bundles.body(session, bundle_id)
    if found is None or body is None:
        abort(404)
    return _sent(body, found.ending)


def _sent(body: bytes, ending: str) -> ResponseReturnValue:
    name = f"sales-invoices-{now_utc():%Y-%m-%d}.{ending}"
    return send_file(io.BytesIO(body), mimetype=_TYPES[ending], as_attachment=True, download_name=name)
