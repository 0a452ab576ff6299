"""Stock to settle: invoices registered without moving stock, each with the control that moves it now (E3)."""

from __future__ import annotations

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user
from markupsafe import Markup

from monet_web.blueprints.access import needs, signed_in
from monet_web.blueprints.invoices.filters import number
from monet_web.blueprints.journals.blueprint import journals, rendered
from monet_web.blueprints.said import told
from monet_web.domain.errors import BrokenRule
from monet_web.models import db
from monet_web.models.base import now_utc, reading
from monet_web.models.users import Role
from monet_web.services.documents import unsettled as service


@journals.get("/stock-to-settle")
@signed_in
def to_settle() -> ResponseReturnValue:
    """The list, the oldest first."""
    session = db.session()
    with reading(session):
        found, after = service.page(session, after=number(request.args.get("after", "")) or 0)
        return rendered(
            session, "journals/to_settle.html", found=found, after=after, is_first="after" not in request.args,
            count=service.count(session), may_settle=current_user.may(Role.ACCOUNTANT),
        )  # fmt: skip


@journals.post("/stock-to-settle/<int:invoice_id>")
@needs(Role.ACCOUNTANT)
def settle(invoice_id: int) -> ResponseReturnValue:
    """Move the stock of one of them now."""
    try:
        moved = service.settle(db.session(), invoice_id, now=now_utc(), actor=current_user.email)
    except BrokenRule as error:
        flash(told(error), "failed")
    else:
        items = ", ".join(dict.fromkeys(need.item for need in moved))
        link = Markup(' <a href="{}">{}</a>').format(url_for("invoices.show", invoice_id=invoice_id), _("See it"))
        flash(Markup("{}{}").format(_("Stock moved: %(items)s.", items=items), link), "registered")
    return redirect(url_for("journals.to_settle"), 303)
