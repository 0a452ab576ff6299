"""One customer's card: data, keys, documents, history; corrected here too. No invoice changes by it (D9)."""

from __future__ import annotations

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from monet_web.blueprints import sentences
from monet_web.blueprints.access import needs, signed_in
from monet_web.blueprints.customers import wording
from monet_web.blueprints.customers.blueprint import customers
from monet_web.blueprints.typed import Typed, whole
from monet_web.domain.errors import BrokenRule
from monet_web.models import Customer, db
from monet_web.models.base import now_utc, reading
from monet_web.models.users import Role
from monet_web.services.customers import card, change

_SHOWN_COUNT = card.MOST_COUNTED


@customers.get("/<int:customer_id>")
@signed_in
def show(customer_id: int) -> ResponseReturnValue:
    """The card; older documents by `before`. One that was merged leads to the one that stayed."""
    return _page(customer_id)


@customers.post("/<int:customer_id>")
@needs(Role.OFFICE)
def save(customer_id: int) -> ResponseReturnValue:
    """Correct the card."""
    form = Typed({name: request.form.get(name, "") for name in (*change.LONGEST, "is_company")}, about="customer")
    try:
        changed = change.change(
            db.session(), customer_id, form.values, is_company=bool(form.value("is_company")), now=now_utc(),
            actor=current_user.email,
        )  # fmt: skip
    except BrokenRule as error:
        form.refuse(error)
        return _page(customer_id, form=form)
    done = (
        _("Saved. Invoices that are here keep what they say.")
        if changed
        else _("Nothing was changed: it was so already.")
    )
    flash(done)
    return redirect(url_for("customers.show", customer_id=customer_id), 303)


def _page(customer_id: int, *, form: Typed | None = None) -> ResponseReturnValue:
    before = whole(request.args.get("before", ""))
    session = db.session()
    with reading(session):
        shown = card.load(session, customer_id, before=before)
        if shown is None:
            abort(404)
        if shown.customer.merged_into_id is not None:
            return redirect(url_for("customers.show", customer_id=shown.customer.merged_into_id))
        page = render_template(
            "customers/show.html", card=shown, is_first_page=before is None, form=form or _saved(shown.customer),
            most=_SHOWN_COUNT, wording=wording, say=sentences,
        )  # fmt: skip
    return page, 422 if form is not None and form.errors else 200


def _saved(customer: Customer) -> Typed:
    values = {name: str(value or "") for name, value in change.said(customer).items()}
    return Typed({**values, "is_company": "yes" if customer.is_company else ""}, about="customer")
