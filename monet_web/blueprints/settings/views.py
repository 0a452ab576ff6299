"""How a person wants pages, and the company whose books these are."""

from __future__ import annotations

import io

from flask import abort, flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import force_locale
from flask_babel import gettext as _
from flask_login import current_user

from monet_web.blueprints import mending, navigation
from monet_web.blueprints.access import needs, signed_in
from monet_web.blueprints.settings.blueprint import settings
from monet_web.blueprints.typed import Typed
from monet_web.domain.errors import BrokenRule
from monet_web.models import db
from monet_web.models.base import now_utc, reading
from monet_web.models.users import Role
from monet_web.services.office import company as company_service
from monet_web.services.office import logo, users

# Closing is the accountant's and has a page of its own; the books' currency can't be chosen.
COMPANY_FIELDS = (
    "name", "code", "vat_code", "address", "country", "bank_name", "bank_account", "time_zone", "language",
    "revenue_account", "charges_account", "receivable_account", "prepaid_account", "cod_account", "cash_account",
    "gift_card_account", "deposit_account", "vat_account", "oss_vat_account", "rounding_account",
)  # fmt: skip
# What drafts and checks of invoices look at.
_MATTERS = frozenset(
    {"country", "time_zone", "revenue_account", "charges_account", "gift_card_account", "deposit_account", "vat_code"}
)


@settings.get("")
@signed_in
def page() -> ResponseReturnValue:
    """Language and look for everybody; the company's data, to change for administrators."""
    return _page()


@settings.post("/own")
@signed_in
def set_own() -> ResponseReturnValue:
    """Language and look of the person who is signed in."""
    form = Typed({name: request.form.get(name, "") for name in ("language", "theme")}, about="own")
    try:
        users.set_own(db.session(), current_user.id, language=form.value("language"), theme=form.value("theme"))
    except BrokenRule as error:
        form.refuse(error)
        return _page(own=form)
    with force_locale(navigation.language(form.value("language"))):
        flash(_("Saved. From now on pages look as you chose."))
    return redirect(url_for("settings.page"), 303)


@settings.post("/company")
@needs(Role.ADMINISTRATOR)
def set_company() -> ResponseReturnValue:
    """The company's data; what waits for them is checked again."""
    form = Typed({name: request.form[name] for name in COMPANY_FIELDS if name in request.form}, about="company")
    now, actor = now_utc(), current_user.email
    try:
        changed = company_service.set_values(
            db.session(), form.values, everywhere=bool(request.form.get("everywhere")), now=now, actor=actor
        )
    except BrokenRule as error:
        form.refuse(error)
        return _page(company=form)
    if _MATTERS & set(changed):
        mending.say(db.session(), _("Saved."), now=now, actor=actor)
    else:
        flash(_("Saved.") if changed else _("Nothing was changed: it was so already."))
    return redirect(url_for("settings.page"), 303)


@settings.get("/logo")
@signed_in
def company_logo() -> ResponseReturnValue:
    """The picture on documents."""
    session = db.session()
    with reading(session):
        row = logo.get(session)
    if row is None:
        abort(404)
    return send_file(io.BytesIO(row.body), mimetype=row.media_type, max_age=0)


@settings.post("/logo")
@needs(Role.ADMINISTRATOR)
def set_logo() -> ResponseReturnValue:
    """Another picture, or none from now on."""
    now, actor = now_utc(), current_user.email
    form = Typed(about="picture")
    if request.form.get("remove"):
        removed = logo.remove(db.session(), now=now, actor=actor)
        flash(_("Documents have no logo from now on.") if removed else _("Nothing was changed: it was so already."))
        return redirect(url_for("settings.page"), 303)
    file = request.files.get("logo")
    try:
        logo.put(db.session(), file.read(logo.LARGEST + 1) if file else b"", now=now, actor=actor)
    except BrokenRule as error:
        form.refuse(error)
        return _page(picture=form)
    flash(_("The logo is kept. Documents drawn from now on show it."))
    return redirect(url_for("settings.page"), 303)


def _page(
    *, own: Typed | None = None, company: Typed | None = None, picture: Typed | None = None
) -> ResponseReturnValue:
    session = db.session()
    with reading(session):
        texts = company_service.as_text(company_service.get(session))
        page = render_template(
            "settings/page.html",
            own=own or Typed({"language": current_user.language, "theme": current_user.theme}, about="own"),
            company=company or Typed({name: texts[name] for name in COMPANY_FIELDS}, about="company"),
            picture=picture or Typed(about="picture"),
            has_logo=logo.get(session) is not None,
        )
    return page, 422 if any(form is not None and form.errors for form in (own, company, picture)) else 200
