"""Two customers merged: the other one chosen, what would go where, then the question (H6)."""

from __future__ import annotations

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from monet_web.blueprints.access import needs
from monet_web.blueprints.customers import wording
from monet_web.blueprints.customers.blueprint import customers
from monet_web.blueprints.said import told
from monet_web.blueprints.typed import plain, whole
from monet_web.domain.errors import BrokenRule
from monet_web.models import Customer, db
from monet_web.models.base import now_utc, reading
from monet_web.models.users import Role
from monet_web.services.customers import card, found, merge


@customers.get("/<int:customer_id>/merge")
@needs(Role.OFFICE)
def merge_with(customer_id: int) -> ResponseReturnValue:
    """Choose the `other` one and which `stays`; what would happen is shown."""
    typed = plain(request.args.get("other", "")).strip()[:400]
    stays = "other" if request.args.get("stays") == "other" else "this"
    session = db.session()
    with reading(session):
        customer = session.get(Customer, customer_id)
        if customer is None or customer.merged_into_id is not None:
            abort(404)
        plan, error = None, ""
        if typed:
            try:
                other_id = found.meant(session, typed, but=customer_id)
                kept, gone = (customer_id, other_id) if stays == "this" else (other_id, customer_id)
                plan = merge.plan(session, gone_id=gone, kept_id=kept)
            except BrokenRule as refused:
                error = told(refused)
        page = render_template(
            "customers/merge.html", customer=customer, typed=typed, stays=stays, plan=plan, error=error,
            most=card.MOST_COUNTED, wording=wording, told=told,
        )  # fmt: skip
    return page, 422 if error else 200


@customers.post("/<int:customer_id>/merge")
@needs(Role.OFFICE)
def merge_now(customer_id: int) -> ResponseReturnValue:
    """Merge this one into the one that stays."""
    kept_id = whole(request.form.get("into", "")) or 0
    try:
        kept = merge.merge(db.session(), gone_id=customer_id, kept_id=kept_id, now=now_utc(), actor=current_user.email)
    except BrokenRule as error:
        flash(told(error), "failed")
        return redirect(url_for("customers.show", customer_id=customer_id), 303)
    flash(_("The two are %(name)s from now on. No invoice was changed.", name=kept.name))
    return redirect(url_for("customers.show", customer_id=kept.id), 303)
