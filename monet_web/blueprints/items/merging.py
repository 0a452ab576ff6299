"""Two items merged: the other one chosen, what would go where, then the question (H6)."""

from __future__ import annotations

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user
from sqlalchemy import select
from sqlalchemy.orm import Session

from monet_web.blueprints import mending, sentences
from monet_web.blueprints.access import needs
from monet_web.blueprints.items import wording
from monet_web.blueprints.items.blueprint import items
from monet_web.blueprints.said import told
from monet_web.blueprints.typed import plain, whole
from monet_web.domain.errors import BrokenRule
from monet_web.models import Item, db
from monet_web.models.base import now_utc, reading
from monet_web.models.users import Role
from monet_web.services.documents.waiting import Sum
from monet_web.services.goods import item_lists, merge

# What names, stock or a code that lead somewhere else may have made wait.
MENDS = ("item_unknown", "common_item_missing", "stock_short")


@items.get("/<int:item_id>/merge")
@needs(Role.OFFICE)
def merge_with(item_id: int) -> ResponseReturnValue:
    """Choose the `code` of the other one and which `stays`; what would happen is shown."""
    typed = plain(request.args.get("code", "")).strip()[:200]
    stays = "other" if request.args.get("stays") == "other" else "this"
    session = db.session()
    with reading(session):
        item = session.get(Item, item_id)
        if item is None:
            abort(404)
        plan, error = None, ""
        if typed:
            try:
                other_id = _meant(session, typed)
                kept, gone = (item_id, other_id) if stays == "this" else (other_id, item_id)
                plan = merge.plan(session, gone_id=gone, kept_id=kept)
            except BrokenRule as refused:
                error = told(refused)
        waiting = plan and sentences.how_much(Sum(plan.waiting, dict(plan.sums), plan.months))
        page = render_template(
            "items/merge.html", item=item, typed=typed, stays=stays, plan=plan, error=error, waiting=waiting,
            alias_kinds=wording.ALIAS_KINDS, told=told, say=sentences,
        )  # fmt: skip
    return page, 422 if error else 200


@items.post("/<int:item_id>/merge")
@needs(Role.OFFICE)
def merge_now(item_id: int) -> ResponseReturnValue:
    """Merge this one into the one that stays; what waited for it is checked again."""
    now, actor = now_utc(), current_user.email
    session = db.session()
    with reading(session):
        gone = session.get(Item, item_id)
    try:
        kept = merge.merge(
            session, gone_id=item_id, kept_id=whole(request.form.get("into", "")) or 0, now=now, actor=actor
        )
    except BrokenRule as error:
        flash(told(error), "failed")
        return redirect(url_for("items.show", item_id=item_id), 303)
    said = _("%(gone)s is %(kept)s from now on.", gone=gone.code if gone else item_id, kept=kept.code)
    mending.say(session, said, codes=MENDS, now=now, actor=actor)
    return redirect(url_for("items.show", item_id=kept.id), 303)


def _meant(session: Session, typed: str) -> int:
    """The item of a code, an alias or a whole name. Raises BrokenRule when there is none, or several."""
    code = item_lists.codes_of(session, [typed]).get(typed)
    if code is None:
        raise BrokenRule(f"No item is called “{typed}”.", fix="Type its code, or choose one of the list.")
    return session.scalars(select(Item.id).where(Item.code == code)).one()
