"""The list of sales invoices, one of them, and the list as a file."""

from __future__ import annotations

import tempfile
from pathlib import Path

from flask import abort, current_app, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from flask_login import current_user
from sqlalchemy import select
from sqlalchemy.orm import Session

from monet_web.blueprints import sentences
from monet_web.blueprints.access import signed_in
from monet_web.blueprints.invoices import filters
from monet_web.blueprints.invoices.blueprint import invoices
from monet_web.blueprints.typed import Typed
from monet_web.models import Integration, Invoice, db
from monet_web.models.base import now_utc, reading
from monet_web.models.invoices import InvoiceState
from monet_web.models.users import Role
from monet_web.services.documents import document as one_document
from monet_web.services.documents import invoice_list, reissue, related
from monet_web.services.documents.exports import invoices as exports

FORMATS = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@invoices.get("")
@signed_in
def page() -> ResponseReturnValue:
    """The list: looked through, narrowed, sorted; 50 a page."""
    asked = filters.asked(request.args)
    session = db.session()
    with reading(session):
        found, after = invoice_list.page(
            session, asked.wanted, sort=asked.sort, descending=asked.descending, after=asked.after
        )
        counted = invoice_list.counted(session, asked.wanted)
        of_all = counted if found or not asked.narrows else invoice_list.counted(session, invoice_list.Wanted())
        return render_template(
            "invoices/page.html",
            asked=asked,
            found=found,
            after=after,
            counted=counted,
            of_all=of_all,
            integrations=names_of_integrations(session),
            currencies=invoice_list.currencies(session),
            views=current_app.view_functions,
            say=sentences,
        )


@invoices.get("/<int:invoice_id>")
@signed_in
def show(invoice_id: int) -> ResponseReturnValue:
    """One registered invoice; one that waits is shown among the journals."""
    return shown(invoice_id)


def shown(invoice_id: int, form: Typed | None = None) -> ResponseReturnValue:
    """The invoice's page; `form`: the other buyer as it was typed, when it could not be used."""
    session = db.session()
    with reading(session):
        document = one_document.load(session, invoice_id)
        if document is None:
            abort(404)
        if document.invoice.state is not InvoiceState.REGISTERED:
            return redirect(url_for("journals.show", invoice_id=invoice_id))
        may_credit = current_user.may(Role.ACCOUNTANT) and reissue.is_creditable(document.invoice)
        return render_template(
            "invoices/show.html",
            document=document,
            invoice=document.invoice,
            compared=one_document.compare(document),
            others=related.others(session, document.invoice),
            left=reissue.left(session, document.invoice) if may_credit else None,
            is_on_delivery=reissue.is_on_delivery(document.invoice),
            form=form or Typed(_buyer_of(document.invoice), about="b"),
            say=sentences,
        )


def _buyer_of(invoice: Invoice) -> dict[str, str]:
    return {name: str((invoice.buyer or {}).get(name) or "") for name in reissue.FIELDS}


@invoices.get("/export.<any(csv, xlsx):ending>")
@signed_in
def export(ending: str) -> ResponseReturnValue:
    """The invoices that the list shows, all pages of it, as a file."""
    asked = filters.asked(request.args)
    session = db.session()
    with tempfile.TemporaryDirectory(prefix="monet-") as folder:
        path = Path(folder) / f"invoices.{ending}"
        with reading(session):
            wanted = exports.Wanted(
                language=str(get_locale()), conditions=tuple(invoice_list.conditions(session, asked.wanted))
            )
            exports.export(session, path, wanted)
        file = path.open("rb")  # the file lives on until the answer is sent, its name goes with the folder
    return send_file(
        file,
        mimetype=FORMATS[ending],
        as_attachment=True,
        download_name=f"sales-invoices-{now_utc():%Y-%m-%d}.{ending}",
    )


def names_of_integrations(session: Session) -> dict[int, str]:
    """Every integration by name, retired ones too: their documents stay. Inside a transaction."""
    rows = session.execute(select(Integration.id, Integration.name).order_by(Integration.name_key))
    return {row.id: row.name for row in rows}
