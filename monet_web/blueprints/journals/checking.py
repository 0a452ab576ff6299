"""Checking again after something was mended: at once when few wait for it, by a worker with a live page when many."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_login import current_user
from markupsafe import Markup, escape

from monet_web import jobs
from monet_web.blueprints import sentences
from monet_web.blueprints.access import signed_in
from monet_web.blueprints.journals import selection
from monet_web.blueprints.journals.blueprint import journals, rendered
from monet_web.blueprints.runs import signs
from monet_web.blueprints.said import told
from monet_web.domain.errors import MonetError
from monet_web.models import Errand, db
from monet_web.models.base import now_utc, reading
from monet_web.services.documents import decide, errands, mend, waiting
from monet_web.services.documents.waiting import Which
from monet_web.services.importing.claimed import SHORT_PATIENCE

MOST = 50_000  # of one answer; more than any journal has held


def ids_of(which: Which) -> list[int]:
    """The ids of what is meant, the oldest first."""
    session = db.session()
    with reading(session):
        return waiting.ids(session, which, limit=MOST)


def handed_over(
    ids: Sequence[int], done: str, *, back: str, by_person: bool = False, dated: date | None = None
) -> ResponseReturnValue | None:
    """When they are many: an errand for a worker, and the way to its page. None: they are to be worked here."""
    url = signs.redis_url()
    if len(ids) <= errands.FEW or url is None:
        return None
    errand = errands.begin(
        db.session(), ids, by_person=by_person, dated=dated, about=done, back=back, now=now_utc(),
        actor=current_user.email,
    )  # fmt: skip
    jobs.ring_errands([errand], url)
    return redirect(url_for("journals.errand", errand_id=errand.id), 303)


def check_again(
    ids: Sequence[int], done: str, *, back: str, dated: date | None = None, patience: float = SHORT_PATIENCE
) -> ResponseReturnValue:
    """Check again what waited for a cause, and say how many went through; `done` is what was mended."""
    handed = handed_over(ids, done, back=back, dated=dated)
    if handed is not None:
        return handed
    try:
        became = mend.check_again(
            db.session(), invoice_ids=ids, dated=dated, now=now_utc(), actor=current_user.email, patience=patience
        )
    except MonetError as error:
        flash(f"{done} {told(error)}".strip(), "journal" if done else "failed")
    else:
        said = sentences.checked(became.checked, became.registered, became.waiting)
        kind = "registered" if became.checked and not became.waiting else "journal"
        flash(f"{done} {said}".strip(), kind)
    return redirect(back, 303)


def tell_left(which: Which) -> None:
    """Say which invoices of the cause a mend passed over, since a person corrected them, each with its link."""
    session = db.session()
    with reading(session):
        left = decide.left_by_hand(session, which)
    if not left:
        return
    text = ngettext(
        "%(num)s corrected by hand was left as it is:", "%(num)s corrected by hand were left as they are:", len(left)
    )
    links = [
        Markup('<a href="{}">{}</a>').format(
            url_for("journals.show", invoice_id=one), number or _("invoice %(id)s", id=one)
        )
        for one, number in left
    ]
    flash(escape(text) + " " + Markup(", ").join(links) + ".", "journal")


@journals.get("/errands/<int:errand_id>")
@signed_in
def errand(errand_id: int) -> ResponseReturnValue:
    """Many invoices checked again: how far it is, and how many went through."""
    session = db.session()
    with reading(session):
        found = errands.find(session, errand_id)
        if found is None:
            abort(404)
        return rendered(session, "journals/errand.html", **shown(found))


@journals.get("/errands/<int:errand_id>/now")
@signed_in
def errand_now(errand_id: int) -> ResponseReturnValue:
    """The live part of that page."""
    session = db.session()
    with reading(session):
        found = errands.find(session, errand_id)
        if found is None:
            abort(404)
        if request.args.get("was") == f"{found.state.value}-{found.checked}":
            return "", 204
        return render_template("journals/_errand.html", is_fragment=True, **shown(found))


def shown(one: Errand) -> dict[str, Any]:
    """What the template of an errand speaks with."""
    has_ended = one.state in errands.ENDED
    return {
        "errand": one,
        "has_ended": has_ended,
        "said": result(one) if has_ended else "",
        "idle": "" if has_ended else signs.why_idle(),
        "back_to": one.back or url_for("journals.page"),
        "may_go": selection.is_ours(one.back),
    }


def result(one: Errand) -> Markup:
    """`The rate of USD is kept. 300 checked again: 287 registered, 13 still wait.`"""
    waits = one.checked - one.registered
    if one.by_person:
        named = [(str(each["number"] or each["invoice"]), int(each["causes"])) for each in one.waits]
        more = named + [("", 0)] * max(0, waits - len(named))
        said = sentences.registered(one.registered, one.checked, more)
    else:
        said = sentences.checked(one.checked, one.registered, waits)
    gone = one.total - one.checked
    if gone > 0 and not one.error:
        said += " " + ngettext("%(num)s waited no more.", "%(num)s waited no more.", gone)
    return escape(" ".join(part for part in (one.about, said, one.error) if part))
