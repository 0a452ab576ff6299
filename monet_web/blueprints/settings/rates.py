"""Rates: of VAT by country and day, of currencies by day; typed here or loaded from a file."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_login import current_user

from monet_web.blueprints import mending
from monet_web.blueprints.access import needs, signed_in
from monet_web.blueprints.formats import day as written_day
from monet_web.blueprints.formats import number, zone
from monet_web.blueprints.said import told
from monet_web.blueprints.settings.blueprint import settings
from monet_web.blueprints.typed import Typed, plain
from monet_web.blueprints.uploads import uploaded
from monet_web.domain.errors import BrokenRule
from monet_web.domain.windows import local_day
from monet_web.models import db
from monet_web.models.base import now_utc, reading
from monet_web.models.users import Role
from monet_web.services.books import rates, tables
from monet_web.services.books.rates import RatesImported
from monet_web.services.books.tables import Wrong, WrongRows
from monet_web.services.office import company

_VAT_FIELDS = ("country", "percent", "valid_from", "valid_to", "code")
_CURRENCY_FIELDS = ("currency", "day", "rate")
NO_BREAK = "\u00a0"


@settings.get("/vat-rates")
@signed_in
def vat_rates() -> ResponseReturnValue:
    """The rates of one country, the company's first."""
    return _vat_page(None)


@settings.post("/vat-rates")
@needs(Role.ACCOUNTANT)
def add_vat_rate() -> ResponseReturnValue:
    """A rate that a country had on certain days."""
    form = Typed({name: request.form.get(name, "").strip() for name in _VAT_FIELDS})
    percent = _percent(form)
    first, last = _day(form, "valid_from", required=True), _day(form, "valid_to")
    if form.errors or percent is None or first is None:
        return _vat_page(form)
    now, actor = now_utc(), current_user.email
    try:
        row = rates.add_vat_rate(
            db.session(), country=form.value("country"), percent=percent, valid_from=first, valid_to=last,
            code=form.value("code"), now=now, actor=actor,
        )  # fmt: skip
    except BrokenRule as error:
        form.refuse(error)
        return _vat_page(form)
    values = {"country": row.country, "rate": f"{number(row.percent)}{NO_BREAK}%", "day": written_day(row.valid_from)}
    said = _("%(country)s has %(rate)s from %(day)s.", **values)
    codes = ("vat_rate_unknown", "classifier_missing", "oss_off", "oss_rate")
    mending.say(db.session(), said, codes=codes, now=now, actor=actor)
    return redirect(url_for("settings.vat_rates", country=row.country), 303)


@settings.get("/currency-rates")
@signed_in
def currency_rates() -> ResponseReturnValue:
    """Rates of currencies, the newest day first; 50 a page."""
    return _currency_page()


@settings.post("/currency-rates")
@needs(Role.ACCOUNTANT)
def set_currency_rate() -> ResponseReturnValue:
    """One rate of one day; one that is here is replaced."""
    form = Typed({name: request.form.get(name, "").strip() for name in _CURRENCY_FIELDS})
    day = _day(form, "day", required=True)
    rate: Decimal | None = None
    try:
        rate = tables.number_of(form.value("rate"), example="1.1527, units of the currency for one euro")
    except Wrong as wrong:
        form.errors["rate"] = str(wrong)
    if form.errors or day is None or rate is None:
        return _currency_page(form)
    now, actor = now_utc(), current_user.email
    try:
        rates.set_rate(db.session(), currency=form.value("currency"), day=day, rate=rate, now=now, actor=actor)
    except BrokenRule as error:
        form.refuse(error)
        return _currency_page(form)
    values = {"rate": number(rate), "currency": form.value("currency").upper(), "day": written_day(day)}
    said = _("One euro is %(rate)s %(currency)s on %(day)s.", **values)
    mending.say(db.session(), said, codes=("currency_rate_missing",), now=now, actor=actor)
    return redirect(url_for("settings.currency_rates"), 303)


@settings.post("/currency-rates/file")
@needs(Role.ACCOUNTANT)
def import_currency_rates() -> ResponseReturnValue:
    """Rates from a file: all of it or, when a row is wrong, nothing."""
    now, actor = now_utc(), current_user.email
    try:
        name, data = uploaded()
        done = rates.import_rates(db.session(), data, source=name, now=now, actor=actor)
    except WrongRows as error:
        return _currency_page(wrong=tuple(error.rows))
    except BrokenRule as error:
        return _currency_page(file_error=told(error))
    mending.say(db.session(), _brought(done), codes=("currency_rate_missing",), now=now, actor=actor)
    return redirect(url_for("settings.currency_rates"), 303)


def _brought(done: RatesImported) -> str:
    added = ngettext("%(num)s rate added", "%(num)s rates added", done.added)
    return str(
        _("%(added)s, %(changed)s changed, %(same)s the same.", added=added, changed=done.changed, same=done.same)
    )


def _percent(form: Typed) -> Decimal | None:
    try:
        return tables.number_of(form.value("percent").removesuffix("%"), example="21 or 5,5")
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


def _vat_page(form: Typed | None) -> ResponseReturnValue:
    session = db.session()
    with reading(session):
        ours = company.get(session).country
        known = rates.list_vat_rates(session)
        countries = sorted({rate.country for rate in known} | {ours})
        asked = (request.args.get("country") or (form.value("country") if form else "")).upper()
        country = asked if asked in countries else ours
        page = render_template(
            "settings/vat_rates.html",
            rates=[rate for rate in known if rate.country == country],
            country=country,
            countries=countries,
            today=local_day(now_utc(), zone()),
            form=form or Typed({"country": country}),
        )
    return page, 422 if form and form.errors else 200


def _currency_page(
    form: Typed | None = None, *, wrong: tuple[tuple[int, str], ...] = (), file_error: str = ""
) -> ResponseReturnValue:
    currency = plain(request.args.get("currency", "")).strip().upper()[:3]
    after = request.args.get("after", "")
    session = db.session()
    with reading(session):
        rows, following = rates.list_rates(session, currency=currency, after=_cursor(after))
        page = render_template(
            "settings/currency_rates.html",
            rows=rows,
            following=f"{following[0].isoformat()}.{following[1]}" if following else None,
            currency=currency,
            after=after,
            form=form or Typed({"day": local_day(now_utc(), zone()).isoformat()}),
            wrong=wrong,
            file_error=file_error,
        )
    return page, 422 if (form and form.errors) or wrong or file_error else 200


def _cursor(text: str) -> tuple[date, str] | None:
    day, _dot, currency = text.partition(".")
    try:
        return tables.day_of(day), plain(currency)
    except Wrong:
        return None
