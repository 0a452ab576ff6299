"""The controls of causes that the office uses: items, goods, rates, buyers; what waited is checked again (E2)."""

from __future__ import annotations

from datetime import date

from flask import flash, redirect, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from monet_web.blueprints.access import needs
from monet_web.blueprints.formats import number as shown_number
from monet_web.blueprints.journals import mistakes, selection
from monet_web.blueprints.journals.blueprint import journals
from monet_web.blueprints.journals.checking import check_again, ids_of, tell_left
from monet_web.blueprints.said import shown, told
from monet_web.domain.errors import BrokenRule
from monet_web.models import db
from monet_web.models.base import now_utc, reading
from monet_web.models.users import Role
from monet_web.services.books import tables
from monet_web.services.books.tables import Wrong
from monet_web.services.customers import found as customers_found
from monet_web.services.documents import decide, mend_cause
from monet_web.services.documents.mend_cause import Mapped
from monet_web.services.documents.waiting import Which
from monet_web.services.goods import stock
from monet_web.services.goods.receipt_rows import Received
from monet_web.services.goods.stock import AlreadyEntered

_CODE_ENDS = " · "  # a suggestion is "KN-01 · its name"


def back() -> str:
    """The page that the control stands on."""
    return selection.way_back(request.form)


def refused(about: str, typed: str, error: BrokenRule, field: str = "") -> ResponseReturnValue:
    """Back to the control, with what was typed and what is wrong with it beside the field."""
    mistakes.remember(about, error.field or field, typed, told(error))
    return redirect(back(), 303)


def meant(code: str) -> Which:
    """The invoices of a cause that the control's hidden fields mean."""
    which = selection.meant(request.form)
    subject = request.form.get("subject", "")
    return Which(
        invoice_ids=which.invoice_ids, code=code, subject=subject, integration_id=which.integration_id,
        month=which.month,
    )  # fmt: skip


@journals.post("/mend/item")
@needs(Role.OFFICE)
def map_item() -> ResponseReturnValue:
    """What the stores call so is our item from now on."""
    typed = request.form.get("code", "")
    which = _of_line()
    try:
        mapped = mend_cause.map_unknown(
            db.session(), which.subject or "", typed.partition(_CODE_ENDS)[0], integration_id=which.integration_id,
            now=now_utc(), actor=current_user.email,
        )  # fmt: skip
    except BrokenRule as error:
        return refused(f"{mend_cause.ITEM_UNKNOWN} {which.subject}", typed, error, "item")
    return _mapped(which, mapped)


@journals.post("/mend/new-item")
@needs(Role.OFFICE)
def make_item() -> ResponseReturnValue:
    """What the stores call so is made an item."""
    form = request.form
    which = _of_line()
    try:
        mapped = mend_cause.make_for_unknown(
            db.session(), which.subject or "", code=form.get("code", ""), name=form.get("name", ""),
            keeps_stock=form.get("keeps_stock") == "yes", integration_id=which.integration_id, now=now_utc(),
            actor=current_user.email,
        )  # fmt: skip
    except BrokenRule as error:
        typed = form.get("name" if error.field == "name" else "code", "")
        return refused(f"{mend_cause.ITEM_UNKNOWN} {which.subject}", typed, error)
    return _mapped(which, mapped)


@journals.post("/mend/common-item")
@needs(Role.OFFICE)
def use_common() -> ResponseReturnValue:
    """What the stores call so is a common item, of which no pieces are counted."""
    typed = request.form.get("code", "")
    which = _of_line()
    try:
        mapped = mend_cause.use_common(
            db.session(), which.subject or "", typed.partition(_CODE_ENDS)[0], integration_id=which.integration_id,
            now=now_utc(), actor=current_user.email,
        )  # fmt: skip
    except BrokenRule as error:
        return refused(f"{mend_cause.ITEM_UNKNOWN} {which.subject}", typed, error, "common")
    return _mapped(which, mapped)


@journals.post("/mend/make-common")
@needs(Role.OFFICE)
def make_common() -> ResponseReturnValue:
    """The common item that the settings name is made."""
    which = meant("common_item_missing")
    try:
        item = mend_cause.make_common(
            db.session(), which.subject or "", request.form.get("name", ""), now=now_utc(), actor=current_user.email
        )
    except BrokenRule as error:
        return refused(f"common_item_missing {which.subject}", request.form.get("name", ""), error, "name")
    return check_again(ids_of(which), _("%(code)s is made.", code=item.code), back=back())


@journals.post("/mend/receive")
@needs(Role.OFFICE)
def receive_goods() -> ResponseReturnValue:
    """Goods received right where they are missing."""
    form = request.form
    which = meant(decide.SHORT)
    item, typed = form.get("item", ""), form.get("quantity", "")
    about = f"{decide.SHORT} {which.subject}"
    try:
        quantity = tables.number_of(typed.strip(), example="5 or 2,5")
        if quantity <= 0:
            raise Wrong(_("Type how many came in, for example 5."))
        row = Received(1, item, quantity, form.get("warehouse", ""), _day(form.get("day", "")))
        stock.receive(
            db.session(), [row], note=form.get("note", "").strip()[:400], form=form.get("token", "")[:60],
            now=now_utc(), actor=current_user.email,
        )  # fmt: skip
    except Wrong as wrong:
        return refused(about, typed, BrokenRule(str(wrong)), "quantity")
    except AlreadyEntered as twice:
        flash(told(twice), "journal")
        return redirect(back(), 303)
    except BrokenRule as error:
        return refused(about, typed, error, "quantity")
    said = _(
        "%(quantity)s of %(item)s received into %(warehouse)s.",
        quantity=shown_number(quantity), item=item, warehouse=form.get("warehouse", ""),
    )  # fmt: skip
    return check_again(ids_of(Which(code=which.code, subject=which.subject)), said, back=back())


@journals.post("/mend/warehouse")
@needs(Role.OFFICE)
def change_warehouse() -> ResponseReturnValue:
    """These invoices take their goods from another warehouse."""
    typed = request.form.get("warehouse", "")
    which = meant(decide.SHORT)
    try:
        ids = decide.choose_warehouse(db.session(), which, typed, now=now_utc(), actor=current_user.email)
    except BrokenRule as error:
        return refused(f"{decide.SHORT} {which.subject}", typed, error, "warehouse")
    tell_left(which)
    return check_again(ids, _("Their goods leave %(warehouse)s.", warehouse=typed), back=back())


@journals.post("/mend/rate")
@needs(Role.OFFICE)
def set_rate() -> ResponseReturnValue:
    """The rate of a day, typed right where it is missing; it may serve the weekend after it too."""
    subject = request.form.get("subject", "")
    typed = request.form.get("rate", "")
    currency, _space, day = subject.partition(" ")
    try:
        mend_cause.set_rate(
            db.session(), currency, date.fromisoformat(day), typed, now=now_utc(), actor=current_user.email
        )
    except (BrokenRule, ValueError) as error:
        known = error if isinstance(error, BrokenRule) else BrokenRule(_("Look at the list again."))
        return refused(f"{mend_cause.RATE_MISSING} {subject}", typed, known, "rate")
    done = _("The rate of %(currency)s for %(day)s is kept.", currency=currency, day=shown(day))
    return check_again(ids_of(Which(code=mend_cause.RATE_MISSING)), done, back=back())


@journals.post("/mend/buyer")
@needs(Role.OFFICE)
def correct_buyer() -> ResponseReturnValue:
    """The buyer's right VAT code, none, or the customer whose codes are taken."""
    form = request.form
    session = db.session()
    code = form.get("cause", "")
    code = code if code in decide.OF_BUYER else decide.VAT_CODE
    which = meant(code)
    typed = form.get("customer_name", form.get("vat_code", ""))
    try:
        customer_id = None
        if "customer_name" in form:
            with reading(session):
                customer_id = customers_found.meant(session, typed)
        ids = decide.correct_buyer(
            session, which, typed, customer_id=customer_id, now=now_utc(), actor=current_user.email
        )
    except BrokenRule as error:
        return refused(f"{code} {which.subject}", typed, error, "buyer")
    tell_left(which)
    return check_again(ids, _("The buyer is corrected."), back=back())


def _of_line() -> Which:
    return meant(mend_cause.ITEM_UNKNOWN)


def _mapped(which: Which, mapped: Mapped) -> ResponseReturnValue:
    # In every store where it waited, or in the one of the invoice that the person looks at.
    waited = Which(code=which.code, subject=which.subject, integration_id=which.integration_id)
    done = _("%(subject)s is %(item)s from now on.", subject=mapped.what, item=mapped.item.code)
    return check_again(ids_of(waited), done, back=back())


def _day(text: str) -> date | None:
    return tables.day_of(text) if text.strip() else None
