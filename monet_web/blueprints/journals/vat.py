"""The controls of VAT: ask VIES or confirm a code by hand, enter a customs declaration, add a classifier code."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from flask import current_app, flash, redirect, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from monet_web import jobs
from monet_web.blueprints.access import needs
from monet_web.blueprints.formats import zone
from monet_web.blueprints.integrations import workers
from monet_web.blueprints.journals.blueprint import journals
from monet_web.blueprints.journals.checking import check_again, ids_of
from monet_web.blueprints.journals.mending import back, meant, refused
from monet_web.blueprints.typed import whole
from monet_web.domain.errors import BrokenRule
from monet_web.domain.windows import local_day
from monet_web.installation import surroundings_of
from monet_web.models import db
from monet_web.models.base import now_utc
from monet_web.models.users import Role
from monet_web.services.books import evidence, tables, vat_codes, vies
from monet_web.services.books.tables import Wrong
from monet_web.services.books.vies import Said
from monet_web.services.documents import confirm
from monet_web.services.documents.waiting import Which
from monet_web.services.importing.claimed import SHORT_PATIENCE

UNCODED = "classifier_missing"
EXPORT = "export_unproven"


@journals.post("/mend/vies")
@needs(Role.OFFICE)
def ask_vies() -> ResponseReturnValue:
    """Ask VIES: a worker does, so that nobody waits for the network; without one it is asked here."""
    code, which = _of_buyer()
    about = f"{code} {which.subject}"
    codes = [which.subject or ""]
    if jobs.ring_vies(codes, workers.redis_url(), current_user.email):
        flash(_("VIES is being asked about %(code)s. Look again in a moment.", code=codes[0]), "journal")
        return redirect(back(), 303)
    try:
        done = confirm.ask(
            db.session(), codes, surroundings=surroundings_of(current_app.config["MONET"]), now=now_utc(),
            actor=current_user.email, patience=SHORT_PATIENCE,
        )  # fmt: skip
    except BrokenRule as error:
        return refused(about, "", error, "vies")
    said = " ".join([_answer(one) for one in done.said] + ([done.later] if done.later else []))
    flash(said, "registered" if done.said and done.said[0].valid and not done.checked.waiting else "journal")
    return redirect(back(), 303)


@journals.post("/mend/vat-number")
@needs(Role.ACCOUNTANT)
def confirm_number() -> ResponseReturnValue:
    """The buyer is a VAT payer: by the number of a consultation, or for a reason."""
    code, which = _of_buyer()
    form = request.form
    try:
        day = tables.day_of(form.get("day", ""))
        evidence.confirm_by_hand(
            db.session(), which.subject or "", day=day, number=form.get("number", ""), reason=form.get("reason", ""),
            now=now_utc(), actor=current_user.email,
        )  # fmt: skip
    except Wrong as wrong:
        return refused(f"{code} {which.subject}", form.get("day", ""), BrokenRule(str(wrong)), "day")
    except BrokenRule as error:
        return refused(f"{code} {which.subject}", form.get(error.field, ""), error, "number")
    ids = ids_of(Which(code=code, subject=which.subject))
    return check_again(ids, _("The VAT code %(code)s is confirmed.", code=which.subject), back=back())


@journals.post("/mend/mrn")
@needs(Role.OFFICE)
def prove_export() -> ResponseReturnValue:
    """The MRN of one order's customs declaration; instead of it an accountant may say what proves the export."""
    which = meant(EXPORT)
    form = request.form
    order_id = whole(form.get("order", ""))
    reason = form.get("reason", "") if current_user.may(Role.ACCOUNTANT) else ""
    try:
        if order_id is None:
            raise BrokenRule(_("Nothing waits for this any more."), fix=_("Look at the list again."))
        evidence.prove_export(
            db.session(), order_id, mrn=form.get("mrn", ""), reason=reason, now=now_utc(), actor=current_user.email
        )
    except BrokenRule as error:
        return refused(f"{EXPORT} {which.subject}", form.get("mrn", ""), error, "mrn")
    return check_again(ids_of(which), _("The proof of export is kept."), back=back())


@journals.post("/mend/vat-code")
@needs(Role.ACCOUNTANT)
def add_vat_code() -> ResponseReturnValue:
    """The classifier code that lines wait for, from the first day of this year's supplies on."""
    which = meant(UNCODED)
    typed = request.form.get("code", "")
    parts = (which.subject or "").split()
    try:
        if len(parts) != 3:
            raise BrokenRule(_("Nothing waits for this any more."), fix=_("Look at the list again."))
        treatment, percent, supply = parts
        first = local_day(now_utc(), zone()).replace(month=1, day=1)
        vat_codes.add_code(
            db.session(), treatment=treatment, percent=None if percent == "none" else Decimal(percent), supply=supply,
            code=typed, valid_from=_earliest(first), source=request.form.get("source", ""), now=now_utc(),
            actor=current_user.email,
        )  # fmt: skip
    except (BrokenRule, ArithmeticError) as error:
        known = error if isinstance(error, BrokenRule) else BrokenRule(_("Look at the list again."))
        return refused(f"{UNCODED} {which.subject}", typed, known, "code")
    ids = ids_of(Which(code=UNCODED, subject=which.subject))
    return check_again(ids, _("The code %(code)s is kept.", code=typed.strip().upper()), back=back())


def _earliest(first: date) -> date:
    """From the day that was typed, else the first of the year; the oldest invoice that waits may be older."""
    typed = request.form.get("from", "")
    try:
        return tables.day_of(typed) if typed else first
    except Wrong as wrong:
        raise BrokenRule(str(wrong), field="from") from None


def _of_buyer() -> tuple[str, Which]:
    code = request.form.get("cause", "")
    code = code if code in vies.WAITING else vies.WAITING[0]
    return code, meant(code)


def _answer(said: Said) -> str:
    """What VIES said of one code."""
    if said.valid is None:
        return f"{said.vat_code}: {said.why}"
    if not said.valid:
        return str(_("VIES does not know %(code)s.", code=said.vat_code))
    values = {"code": said.vat_code, "name": said.name or "–", "number": said.number or "–"}
    return str(_("VIES knows %(code)s: %(name)s, consultation %(number)s.", **values))
