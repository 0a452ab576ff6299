"""A registered invoice that goes back whole: the parcel nobody paid for, and the invoice to another buyer (E1, D11)."""

from __future__ import annotations

from flask import flash, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from monet_web.blueprints.access import needs
from monet_web.blueprints.invoices.blueprint import invoices
from monet_web.blueprints.invoices.views import shown
from monet_web.blueprints.said import told
from monet_web.blueprints.typed import Typed
from monet_web.domain.errors import BrokenRule, MonetError
from monet_web.models import db
from monet_web.models.base import now_utc
from monet_web.models.users import Role
from monet_web.services.documents import reissue
from monet_web.services.importing.claimed import SHORT_PATIENCE


@invoices.post("/<int:invoice_id>/uncollected")
@needs(Role.ACCOUNTANT)
def uncollected(invoice_id: int) -> ResponseReturnValue:
    """Credited in full, its goods back."""
    try:
        done = reissue.uncollected(
            db.session(), invoice_id, now=now_utc(), actor=current_user.email, patience=SHORT_PATIENCE
        )
    except MonetError as error:
        flash(told(error), "failed")
        return redirect(url_for("invoices.show", invoice_id=invoice_id), 303)
    flash(_("Credited as %(number)s; its goods are back.", number=done.number or "–"), "registered")
    return redirect(url_for("invoices.show", invoice_id=done.credit_note_id or invoice_id), 303)


@invoices.post("/<int:invoice_id>/another-buyer")
@needs(Role.ACCOUNTANT)
def to_another_buyer(invoice_id: int) -> ResponseReturnValue:
    """Credited, and issued anew to the buyer that was typed: registered, or waiting for what is not clear."""
    try:
        done = reissue.to_another_buyer(
            db.session(), invoice_id, request.form.to_dict(), now=now_utc(), actor=current_user.email,
            patience=SHORT_PATIENCE,
        )  # fmt: skip
    except BrokenRule as error:
        form = Typed(request.form.to_dict(), about="b")
        form.refuse(error)
        return make_response(shown(invoice_id, form), 422)
    except MonetError as error:
        flash(told(error), "failed")
        return redirect(url_for("invoices.show", invoice_id=invoice_id), 303)
    said = {"note": done.credit_note or "–", "number": done.number}
    if not done.registered:
        flash(
            _("Credited as %(note)s. %(number)s to the new buyer waits: see what is found about it.", **said), "journal"
        )
        return redirect(url_for("journals.show", invoice_id=done.invoice_id), 303)
    flash(_("Credited as %(note)s and issued anew as %(number)s.", **said), "registered")
    return redirect(url_for("invoices.show", invoice_id=done.invoice_id), 303)
