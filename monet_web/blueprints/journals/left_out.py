"""Orders that somebody left out by hand or whose invoice was credited, and bringing them back (E5, E6)."""

from __future__ import annotations

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_login import current_user

from monet_web.blueprints.access import needs, signed_in
from monet_web.blueprints.invoices.filters import number
from monet_web.blueprints.journals.blueprint import journals, rendered
from monet_web.models import db
from monet_web.models.base import now_utc, reading
from monet_web.models.users import Role
from monet_web.services.documents import credited as credited_orders
from monet_web.services.documents import journals as service


@journals.get("/left-out")
@signed_in
def left_out() -> ResponseReturnValue:
    """The list, the newest first."""
    session = db.session()
    with reading(session):
        found, older = service.left_out(session, before=number(request.args.get("before", "")))
        credited, older_credited = credited_orders.page(session, before=number(request.args.get("credited_before", "")))
        return rendered(
            session, "journals/left_out.html", found=found, older=older, is_first="before" not in request.args,
            credited=credited, older_credited=older_credited, is_first_credited="credited_before" not in request.args,
        )  # fmt: skip


@journals.post("/left-out/bring-back")
@needs(Role.OFFICE)
def bring_back() -> ResponseReturnValue:
    """Open again: the next run of their period books them."""
    ids = [each for text in request.form.getlist("order") if (each := number(text)) is not None]
    done = service.bring_back_orders(db.session(), ids, now=now_utc(), actor=current_user.email) if ids else 0
    if done:
        text = ngettext(
            "%(num)s order is open again: the next run of its period books it.",
            "%(num)s orders are open again: the next run of their period books them.",
            done,
        )
        flash(text, "registered")
    else:
        flash(_("Tick at least one order first."), "failed")
    return redirect(url_for("journals.left_out"), 303)


@journals.post("/left-out/import-anew")
@needs(Role.ACCOUNTANT)
def import_anew() -> ResponseReturnValue:
    """The yes to importing credited orders anew: the next run of their period books them as a next revision."""
    ids = [each for text in request.form.getlist("order") if (each := number(text)) is not None]
    done = credited_orders.import_anew(db.session(), ids, now=now_utc(), actor=current_user.email) if ids else 0
    if done:
        text = ngettext(
            "%(num)s credited order is open again: the next run of its period makes a new invoice.",
            "%(num)s credited orders are open again: the next run of their period makes new invoices.",
            done,
        )
        flash(text, "registered")
    else:
        flash(_("Tick at least one order first."), "failed")
    return redirect(url_for("journals.left_out"), 303)
