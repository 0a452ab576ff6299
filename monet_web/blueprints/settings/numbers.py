"""Invoice numbers used outside this program, from a file: they count as taken (D2)."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_login import current_user

from monet_web.blueprints.access import needs, signed_in
from monet_web.blueprints.said import told
from monet_web.blueprints.settings.blueprint import settings
from monet_web.blueprints.uploads import uploaded
from monet_web.domain.errors import BrokenRule
from monet_web.models import db
from monet_web.models.base import now_utc, reading
from monet_web.models.users import Role
from monet_web.services.books import numbers as service
from monet_web.services.books.numbers import TakenImported
from monet_web.services.books.tables import WrongRows

_NAMED = 10


@settings.get("/numbers")
@signed_in
def numbers() -> ResponseReturnValue:
    """How many are taken, the newest of them, and a form for a file."""
    return _page()


@settings.post("/numbers")
@needs(Role.ACCOUNTANT)
def import_numbers() -> ResponseReturnValue:
    """All of the file or, when a row is wrong, nothing."""
    try:
        name, data = uploaded()
        done = service.import_taken(db.session(), data, source=name, now=now_utc(), actor=current_user.email)
    except WrongRows as error:
        return _page(wrong=tuple(error.rows))
    except BrokenRule as error:
        return _page(error=told(error))
    flash(_said(done), "journal" if done.on_invoices else "registered")
    return redirect(url_for("settings.numbers"), 303)


def _said(done: TakenImported) -> str:
    said = ngettext("%(num)s number is taken from now on", "%(num)s numbers are taken from now on", done.added)
    text = str(_("%(said)s, %(known)s were already.", said=said, known=done.known))
    if done.on_invoices:
        shown = ", ".join(done.on_invoices[:_NAMED]) + (" …" if len(done.on_invoices) > _NAMED else "")
        text += " " + ngettext(
            "%(num)s of them is on an invoice here: %(shown)s.",
            "%(num)s of them are on invoices here: %(shown)s.",
            len(done.on_invoices),
            shown=shown,
        )
    return text


def _page(*, wrong: tuple[tuple[int, str], ...] = (), error: str = "") -> ResponseReturnValue:
    session = db.session()
    with reading(session):
        count, newest = service.taken(session)
        page = render_template("settings/numbers.html", count=count, newest=newest, wrong=wrong, error=error)
    return page, 422 if wrong or error else 200
