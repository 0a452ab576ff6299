"""A waiting credit note on its page: what became of the goods, which lines and how much; kept, then registered."""

from __future__ import annotations

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user
from markupsafe import Markup

from monet_web.blueprints import sentences
from monet_web.blueprints.access import needs
from monet_web.blueprints.journals.blueprint import journals
from monet_web.blueprints.said import told
from monet_web.domain.errors import MonetError
from monet_web.models import db
from monet_web.models.base import now_utc
from monet_web.models.users import Role
from monet_web.services.documents import refund_note
from monet_web.services.documents import register as registering
from monet_web.services.importing.claimed import SHORT_PATIENCE


@journals.post("/credit-notes/<int:note_id>")
@needs(Role.OFFICE)
def save_refund(note_id: int) -> ResponseReturnValue:
    """Keep what is typed; an accountant may register it in the same step."""
    step, version = request.form.get("step", "save"), request.form.get("version", "")
    may_amounts = current_user.may(Role.ACCOUNTANT)
    here = redirect(url_for("journals.show", invoice_id=note_id), 303)
    try:
        refund_note.save(
            db.session(), note_id, request.form.to_dict(), may_amounts=may_amounts,
            version=int(version) if version.isdecimal() and len(version) < 10 else 0,
            now=now_utc(), actor=current_user.email, patience=SHORT_PATIENCE,
        )  # fmt: skip
        if step != "register" or not may_amounts:
            flash(_("What was typed is kept."), "journal")
            return here
        done = registering.register(
            db.session(), [note_id], now=now_utc(), actor=current_user.email, patience=SHORT_PATIENCE
        )
    except MonetError as error:
        flash(told(error), "failed")
        return here
    link = url_for("invoices.show", invoice_id=note_id)
    if done and done[0].ok:
        text = Markup('{} <a href="{}">{}</a>.').format(_("Registered as"), link, done[0].number or "–")
        flash(text, "registered")
        return redirect(link, 303)
    if not done:  # checking it again has registered it by itself
        return redirect(link, 303)
    why = " ".join(sentences.said(found).wrong for found in done[0].findings)
    flash(_("Not registered: %(why)s", why=why), "failed")
    return here
