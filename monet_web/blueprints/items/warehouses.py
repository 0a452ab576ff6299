"""Warehouses: the list, and one more."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from monet_web.blueprints import mending
from monet_web.blueprints.access import needs, signed_in
from monet_web.blueprints.items.blueprint import items
from monet_web.blueprints.typed import Typed
from monet_web.domain.errors import BrokenRule
from monet_web.models import db
from monet_web.models.base import now_utc, reading
from monet_web.models.users import Role
from monet_web.services.goods import warehouses as service


@items.get("/warehouses")
@signed_in
def warehouses() -> ResponseReturnValue:
    """All of them, and a form for one more."""
    return _page(Typed())


@items.post("/warehouses")
@needs(Role.ACCOUNTANT)
def add_warehouse() -> ResponseReturnValue:
    """One more; it can't be taken away again."""
    form = Typed({name: request.form.get(name, "") for name in ("code", "name", "country")})
    now, actor = now_utc(), current_user.email
    try:
        made = service.add(
            db.session(), code=form.value("code"), name=form.value("name"), country=form.value("country"), now=now,
            actor=actor,
        )  # fmt: skip
    except BrokenRule as error:
        form.refuse(error)
        return _page(form)
    said = _("Warehouse %(code)s is added.", code=made.code)
    mending.say(db.session(), said, codes=("warehouse_missing",), now=now, actor=actor)
    return redirect(url_for("items.warehouses"), 303)


def _page(form: Typed) -> ResponseReturnValue:
    session = db.session()
    with reading(session):
        rows = service.listed(session)
        return render_template("items/warehouses.html", rows=rows, form=form), 422 if form.errors else 200
