"""One item's card: what stores call it, what is where, its moves with their documents; changed here too."""

from __future__ import annotations

from flask import abort, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from monet_web.blueprints import mending
from monet_web.blueprints.access import needs, signed_in
from monet_web.blueprints.items import wording
from monet_web.blueprints.items.blueprint import items
from monet_web.blueprints.items.views import MENDS
from monet_web.blueprints.said import told
from monet_web.blueprints.typed import Typed, whole
from monet_web.domain.errors import BrokenRule
from monet_web.models import db
from monet_web.models.base import now_utc, reading
from monet_web.models.items import Item
from monet_web.models.users import Role
from monet_web.services.goods import item_card, item_history, merge


@items.get("/<int:item_id>")
@signed_in
def show(item_id: int) -> ResponseReturnValue:
    """The card; older moves by `before`."""
    return _page(item_id)


@items.post("/<int:item_id>")
@needs(Role.OFFICE)
def change(item_id: int) -> ResponseReturnValue:
    """Everything but the code."""
    typed = {name: request.form.get(name, "") for name in ("name", "kind", "keeps_stock", "unit", "vat_class")}
    form = Typed(typed, about="item")
    now, actor = now_utc(), current_user.email
    try:
        changed = item_card.change(
            db.session(), item_id, name=form.value("name"), kind=form.value("kind"),
            keeps_stock=bool(form.value("keeps_stock")), unit=form.value("unit"), vat_class=form.value("vat_class"),
            now=now, actor=actor,
        )  # fmt: skip
    except BrokenRule as error:
        form.refuse(error)
        return _page(item_id, form=form)
    if "keeps_stock" in changed:
        # What is short of an item that keeps no stock any more is short no more.
        mending.say(db.session(), _("Saved."), codes=("stock_short",), now=now, actor=actor)
    else:
        flash(_("Saved.") if changed else _("Nothing was changed: it was so already."))
    return redirect(url_for("items.show", item_id=item_id), 303)


@items.post("/<int:item_id>/aliases")
@needs(Role.OFFICE)
def add_alias(item_id: int) -> ResponseReturnValue:
    """What one store, or every store, calls the item."""
    form = Typed({name: request.form.get(name, "") for name in ("store", "kind", "value")}, about="alias")
    now, actor = now_utc(), current_user.email
    try:
        alias = item_card.add_alias(
            db.session(), item_id, store_id=whole(form.value("store")) or 0, kind=form.value("kind"),
            value=form.value("value"), now=now, actor=actor,
        )  # fmt: skip
    except BrokenRule as error:
        form.refuse(error)
        return _page(item_id, alias_form=form)
    said = _("%(value)s leads to this item from now on.", value=alias.value)
    mending.say(db.session(), said, codes=MENDS, now=now, actor=actor)
    return redirect(url_for("items.show", item_id=item_id), 303)


@items.post("/<int:item_id>/aliases/<int:alias_id>/remove")
@needs(Role.OFFICE)
def remove_alias(item_id: int, alias_id: int) -> ResponseReturnValue:
    """Forget one of them."""
    try:
        alias = item_card.remove_alias(db.session(), item_id, alias_id, now=now_utc(), actor=current_user.email)
    except BrokenRule as error:
        flash(told(error), "failed")
    else:
        flash(_("%(value)s leads to no item any more.", value=alias.value))
    return redirect(url_for("items.show", item_id=item_id), 303)


def _page(item_id: int, *, form: Typed | None = None, alias_form: Typed | None = None) -> ResponseReturnValue:
    before = whole(request.args.get("before", ""))
    session = db.session()
    with reading(session):
        card = item_history.card(session, item_id, before=before)
        if card is None:
            into = merge.merged_into(session, item_id)
            if into is None:
                abort(404)
            return redirect(url_for("items.show", item_id=into))
        page = render_template(
            "items/show.html",
            card=card,
            is_first_page=before is None,
            form=form or _saved(card.item),
            alias_form=alias_form or Typed({"kind": "sku"}, about="alias"),
            alias_kinds=wording.ALIAS_KINDS,
            links_invoices="invoices.show" in current_app.view_functions,
        )
    refused = (form is not None and form.errors) or (alias_form is not None and alias_form.errors)
    return page, 422 if refused else 200


def _saved(item: Item) -> Typed:
    values = {"name": item.name, "kind": item.kind.value, "unit": item.unit, "vat_class": item.vat_class}
    return Typed({**values, "keeps_stock": "yes" if item.keeps_stock else ""}, about="item")
