"""Days that no import covered and none will by itself: a person says that they may stay out."""

from __future__ import annotations

from datetime import datetime

from flask import abort, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from monet_web.blueprints.access import needs
from monet_web.blueprints.formats import period
from monet_web.blueprints.integrations.blueprint import integrations
from monet_web.blueprints.integrations.translating import _
from monet_web.blueprints.said import told
from monet_web.domain.errors import BrokenRule
from monet_web.domain.windows import Window
from monet_web.models import db
from monet_web.models.base import now_utc
from monet_web.models.users import Role
from monet_web.services.opening import coverage


@integrations.post("/<int:integration_id>/gap")
@needs(Role.OFFICE)
def leave_out(integration_id: int) -> ResponseReturnValue:
    """The gap, with both its ends as the list gave them, is told no more."""
    try:
        window = Window(*(datetime.fromisoformat(request.form.get(name, "")) for name in ("start", "end")))
    except ValueError:
        abort(400)
    try:
        one = coverage.leave_out(
            db.session(), integration_id, window, now=now_utc(), actor=current_user.email
        )  # fmt: skip
    except BrokenRule as error:
        flash(told(error), "failed")
    else:
        days = period(window.start, window.end)
        flash(_("%(days)s of %(name)s is left out: nobody is reminded of it any more.", days=days, name=one.name))
    return redirect(url_for("integrations.page", _anchor="list"), 303)
