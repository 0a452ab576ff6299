"""The list of items, a new item, and what is proposed while an item is typed."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.datastructures import MultiDict

from monet_web.blueprints import mending
from monet_web.blueprints.access import needs, signed_in
from monet_web.blueprints.items.blueprint import items
from monet_web.blueprints.typed import Typed, plain
from monet_web.domain.errors import BrokenRule
from monet_web.models import db
from monet_web.models.base import now_utc, reading
from monet_web.models.users import Role
from monet_web.services.goods import item_card, item_lists

# What an item that was missing made wait.
MENDS = ("item_unknown", "common_item_missing")


@items.get("")
@signed_in
def page() -> ResponseReturnValue:
    """Items by code, found by code, name or alias; 50 a page."""
    words = plain(request.args.get("q", "")).strip()[:200]
    only = request.args.get("only", "") if request.args.get("only") in item_lists.FILTERS else ""
    after = plain(request.args.get("after", ""))
    session = db.session()
    with reading(session):
        counts = item_lists.count_items(session)
        rows, following = item_lists.list_items(session, words=words, only=only, after=after)
        return render_template(
            "items/page.html", counts=counts, rows=rows, following=following, words=words, only=only, after=after
        )


@items.get("/suggest")
@needs(Role.OFFICE)
def suggest() -> ResponseReturnValue:
    """A few items for what is being typed, as the options of a list."""
    session = db.session()
    with reading(session):
        services = bool(request.args.get("services"))
        found = item_lists.suggest(session, plain(request.args.get("code", ""))[:200], services=services)
        return render_template("items/_suggestions.html", found=found)


@items.route("/new", methods=["GET", "POST"])
@needs(Role.OFFICE)
def new() -> ResponseReturnValue:
    """One item typed by hand; code and name may come with the address, from a finding."""
    form = Typed({"kind": "goods", "keeps_stock": "yes", **_of(request.args, "code", "name", "unit")})
    if request.method == "POST":
        form = Typed(_of(request.form, "code", "name", "kind", "keeps_stock", "unit", "vat_class"))
        now, actor = now_utc(), current_user.email
        try:
            item = item_card.make(
                db.session(), code=form.value("code"), name=form.value("name"), kind=form.value("kind"),
                keeps_stock=bool(form.value("keeps_stock")), unit=form.value("unit"),
                vat_class=form.value("vat_class"), now=now, actor=actor,
            )  # fmt: skip
        except BrokenRule as error:
            form.refuse(error)
        else:
            mending.say(db.session(), _("%(code)s is made.", code=item.code), codes=MENDS, now=now, actor=actor)
            return redirect(url_for("items.show", item_id=item.id), 303)
    session = db.session()
    with reading(session):
        return render_template("items/new.html", form=form), 422 if form.errors else 200


def _of(source: MultiDict[str, str], *names: str) -> dict[str, str]:
    return {name: source[name] for name in names if name in source}
