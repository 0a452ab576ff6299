"""VAT: from when the company is a VAT payer and in OSS, the year's threshold, and the classifier's codes."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from monet_web.blueprints import mending, sentences
from monet_web.blueprints.access import needs, signed_in
from monet_web.blueprints.formats import zone
from monet_web.blueprints.settings.blueprint import settings
from monet_web.blueprints.typed import Typed
from monet_web.domain.classifier import CLASSIFIED
from monet_web.domain.errors import BrokenRule
from monet_web.domain.treatment import Treatment
from monet_web.domain.windows import local_day
from monet_web.models import db
from monet_web.models.base import now_utc, reading
from monet_web.models.users import Role
from monet_web.services.books import tables, vat_codes
from monet_web.services.books.tables import Wrong
from monet_web.services.importing.vat import eu_sales
from monet_web.services.office import company, company_vat

_CODE_FIELDS = ("treatment", "percent", "supply", "code", "valid_from", "valid_to", "source")
_TICKS = ("vat_payer", "ask_vies")


@settings.get("/vat")
@signed_in
def vat() -> ResponseReturnValue:
    """The company's days, and every row of the classifier."""
    return _page()


@settings.post("/vat")
@needs(Role.ACCOUNTANT)
def set_vat() -> ResponseReturnValue:
    """The company's days and the threshold; everything that waits is checked again."""
    form = Typed({name: request.form.get(name, "").strip() for name in company_vat.KEYS}, about="days")
    values = {name: form.value(name) or ("no" if name in _TICKS else "") for name in company_vat.KEYS}
    now, actor = now_utc(), current_user.email
    try:
        changed = company.set_values(db.session(), values, now=now, actor=actor)
    except BrokenRule as error:
        form.refuse(error)
        return _page(days=form)
    if changed:
        mending.say(db.session(), _("Saved."), now=now, actor=actor)
    else:
        flash(_("Nothing was changed: it was so already."))
    return redirect(url_for("settings.vat"), 303)


@settings.post("/vat/codes")
@needs(Role.ACCOUNTANT)
def add_vat_code() -> ResponseReturnValue:
    """One more row of the classifier; what waited for a code is checked again."""
    form = Typed({name: request.form.get(name, "").strip() for name in _CODE_FIELDS}, about="code")
    percent = _percent(form)
    first, last = _day(form, "valid_from", required=True), _day(form, "valid_to")
    if form.errors or first is None:
        return _page(code=form)
    now, actor = now_utc(), current_user.email
    try:
        row = vat_codes.add_code(
            db.session(), treatment=form.value("treatment"), percent=percent, supply=form.value("supply"),
            code=form.value("code"), valid_from=first, valid_to=last, source=form.value("source"), now=now, actor=actor,
        )  # fmt: skip
    except BrokenRule as error:
        form.refuse(error)
        return _page(code=form)
    said = _("The code %(code)s is kept.", code=row.code)
    mending.say(db.session(), said, codes=("classifier_missing",), now=now, actor=actor)
    return redirect(url_for("settings.vat"), 303)


def _percent(form: Typed) -> Decimal | None:
    """None is "no tax", as the empty field says."""
    text = form.value("percent").removesuffix("%").strip()
    if not text or form.value("treatment") == Treatment.OUTSIDE_VAT.value:
        return None
    try:
        return tables.number_of(text, example="21 or 5,5")
    except Wrong as wrong:
        form.errors["percent"] = str(wrong)
        return None


def _day(form: Typed, name: str, *, required: bool = False) -> date | None:
    text = form.value(name)
    if not text and not required:
        return None
    try:
        return tables.day_of(text)
    except Wrong as wrong:
        form.errors[name] = str(wrong) if text else _("Type the day.")
        return None


def _page(*, days: Typed | None = None, code: Typed | None = None) -> ResponseReturnValue:
    session = db.session()
    today = local_day(now_utc(), zone())
    asked = {name: request.args.get(name, "") for name in ("treatment", "percent", "supply")}
    with reading(session):
        row = company.get(session)
        texts = company.as_text(row)
        sold = eu_sales(session, (today.year - 1, today.year))
        page = render_template(
            "settings/vat.html",
            company=row,
            today=today,
            sold={year: sold.of_year(year) for year in (today.year, today.year - 1)},
            codes=vat_codes.list_codes(session, row.country),
            treatments=[(each.value, sentences.treatment(each.value)) for each in CLASSIFIED],
            name_of=sentences.treatment,
            days=days or Typed(_ticked({name: texts[name] for name in company_vat.KEYS}), about="days"),
            code=code or Typed({**asked, "valid_from": date(today.year, 1, 1).isoformat()}, about="code"),
        )
    return page, 422 if any(form is not None and form.errors for form in (days, code)) else 200


def _ticked(texts: dict[str, str]) -> dict[str, str]:
    """A box is ticked where its value is not empty."""
    return {name: "" if name in _TICKS and text == "no" else text for name, text in texts.items()}
