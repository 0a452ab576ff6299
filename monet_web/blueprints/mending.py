"""Whatever mends checks again what waited for it and says how many went through, with a link to the rest (E2)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from flask import current_app, flash, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from markupsafe import Markup, escape
from sqlalchemy.orm import Session

from monet_web import jobs
from monet_web.blueprints.runs import signs
from monet_web.models import Errand
from monet_web.services.documents import errands
from monet_web.services.documents.mend_now import Mended, check_now, waiting_for


def say(session: Session, done: str, *, codes: Collection[str] = (), now: datetime, actor: str) -> Mended:
    """Check again what waits with a finding of `codes`, then tell what was done and what became of that.

    Many are a worker's: the person is told where to follow it.
    """
    url = signs.redis_url()
    many = waiting_for(session, codes) if url is not None else []
    if len(many) > errands.FEW:
        back = url_for("journals.page")
        errand = errands.begin(session, many, about=done, back=back, now=now, actor=actor)
        jobs.ring_errands([errand], url)
        flash(escape(done) + _way_to_the_errand(errand), "journal")
        return Mended()
    mended = check_now(session, codes=codes, now=now, actor=actor)
    sentences = [done]
    if mended.checked:
        sentences.append(_checked(mended))
    if mended.busy:
        sentences.append(_busy(mended))
    text = escape(" ".join(sentences))
    if mended.waiting or mended.busy:
        text += _way_to_the_rest(mended)
    flash(text, "journal" if mended.waiting or mended.busy else "registered")
    return mended


def _way_to_the_errand(errand: Errand) -> Markup:
    text = ngettext("%(num)s invoice is checked again now.", "%(num)s invoices are checked again now.", errand.total)
    link = url_for("journals.errand", errand_id=errand.id)
    return Markup(' {} <a href="{}">{}</a>').format(text, link, _("Follow it"))


def _checked(mended: Mended) -> str:
    values = {
        "checked": mended.checked,
        "registered": mended.registered,
        "waiting": ngettext("%(num)s still waits", "%(num)s still wait", mended.waiting),
    }
    if not mended.waiting:
        return str(
            ngettext(
                "The invoice that waited for it is registered.",
                "The %(num)s invoices that waited for it are registered.",
                mended.registered,
            )
        )
    return str(_("%(checked)s checked again: %(registered)s registered, %(waiting)s.", **values))


def _busy(mended: Mended) -> str:
    names = ", ".join(mended.busy)
    return str(
        ngettext(
            "An import of %(names)s is at work, so what waits there was not checked again. Check it when it ends.",
            "Imports of %(names)s are at work, so what waits there was not checked again. Check it when they end.",
            len(mended.busy),
            names=names,
        )
    )


def _way_to_the_rest(mended: Mended) -> Markup:
    if "journals.page" not in current_app.view_functions:
        return Markup("")
    words = _("See what still waits") if mended.waiting else _("See what waits")
    return Markup(' <a href="{}">{}</a>').format(url_for("journals.page"), words)
