"""The controls of causes that are an accountant's: differences, VAT rates, dates of closed periods, warehouses (H1)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from flask import request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_login import current_user

from monet_web.blueprints.access import needs
from monet_web.blueprints.formats import NO_BREAK, number, zone
from monet_web.blueprints.formats import day as written_day
from monet_web.blueprints.journals.blueprint import journals
from monet_web.blueprints.journals.checking import check_again, ids_of, tell_left
from monet_web.blueprints.journals.mending import back, meant, refused
from monet_web.domain.decided import OF_FIGURES
from monet_web.domain.errors import BrokenRule
from monet_web.domain.windows import local_day
from monet_web.models import db
from monet_web.models.base import now_utc
from monet_web.models.users import Role
from monet_web.services.books import rates, tables
from monet_web.services.books.tables import Wrong
from monet_web.services.documents import decide
from monet_web.services.documents.waiting import Which
from monet_web.services.goods import warehouses


@journals.post("/mend/accept")
@needs(Role.ACCOUNTANT)
def accept_difference() -> ResponseReturnValue:
    """The differences of these invoices are rounding."""
    code = request.form.get("cause", "")
    which = meant(code)
    try:
        if code not in OF_FIGURES:
            raise BrokenRule(_("Nothing waits for this any more."), fix=_("Look at the list again."))
        ids = decide.accept_difference(db.session(), which, now=now_utc(), actor=current_user.email)
    except BrokenRule as error:
        return refused(f"{code} {which.subject}", "", error, "accept")
    said = ngettext(
        "The difference of %(num)s invoice is accepted.",
        "The differences of %(num)s invoices are accepted.",
        len(ids),
    )
    return check_again(ids, said, back=back())


@journals.post("/mend/vat-rate")
@needs(Role.ACCOUNTANT)
def choose_vat_rate() -> ResponseReturnValue:
    """The right rate of these invoices, what was paid staying; or the refused rate is one that the country has."""
    code, typed = request.form.get("cause", ""), request.form.get("rate", "")
    which = meant(code)
    if request.form.get("does") == "allow":
        return _allow(which)
    try:
        ids = decide.choose_rate(db.session(), which, typed, now=now_utc(), actor=current_user.email)
    except BrokenRule as error:
        return refused(f"{code} {which.subject}", typed, error, "vat")
    tell_left(which)
    percent = f"{typed.strip().removesuffix('%').strip()}{NO_BREAK}%"
    said = _("The rate is %(rate)s; what was paid stays.", rate=percent)
    return check_again(ids, said, back=back())


@journals.post("/mend/date")
@needs(Role.ACCOUNTANT)
def date_today() -> ResponseReturnValue:
    """Invoices dated in a closed period, or when the company was no VAT payer, are dated today (E7).

    The supply date is kept.
    """
    code = request.form.get("cause", "")
    which = meant(code if code == "issued_not_payer" else "period_closed")
    today = local_day(now_utc(), zone())
    done = _("Dated %(day)s, the supply date kept.", day=written_day(today))
    return check_again(ids_of(which), done, back=back(), dated=today)


@journals.post("/mend/new-warehouse")
@needs(Role.ACCOUNTANT)
def add_warehouse() -> ResponseReturnValue:
    """The warehouse that the settings name is made."""
    which = meant("warehouse_missing")
    code = which.subject or ""
    try:
        warehouses.add(db.session(), code=code, name=code, now=now_utc(), actor=current_user.email)
    except BrokenRule as error:
        return refused(f"warehouse_missing {code}", code, error, "warehouse")
    done = _("The warehouse %(code)s is made.", code=code)
    return check_again(ids_of(Which(code="warehouse_missing", subject=code)), done, back=back())


def _allow(which: Which) -> ResponseReturnValue:
    """A rate that the country had: kept with the dated rates, from the day that was typed on."""
    subject, typed = which.subject or "", request.form.get("from", "")
    country, _space, percent = subject.rpartition(" ")
    about = f"{decide.RATE_UNKNOWN} {subject}"
    try:
        first: date = tables.day_of(typed)
        row = rates.add_vat_rate(
            db.session(), country=country, percent=Decimal(percent), valid_from=first, now=now_utc(),
            actor=current_user.email,
        )  # fmt: skip
    except (Wrong, ArithmeticError) as wrong:
        text = str(wrong) if isinstance(wrong, Wrong) else _("Look at the list again.")
        return refused(about, typed, BrokenRule(text), "from")
    except BrokenRule as error:
        return refused(about, typed, error, "from")
    done = _(
        "%(country)s has %(rate)s from %(day)s.",
        country=row.country, rate=f"{number(row.percent)}{NO_BREAK}%", day=written_day(row.valid_from),
    )  # fmt: skip
    return check_again(ids_of(Which(code=decide.RATE_UNKNOWN, subject=subject)), done, back=back())
