"""Correcting a waiting invoice: looked at as typed, kept, registered, taken back; items and customers proposed (E3)."""

from __future__ import annotations

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_login import current_user
from markupsafe import Markup, escape

from monet_web.blueprints import field_words, sentences
from monet_web.blueprints.access import needs
from monet_web.blueprints.journals import correction_form, invoice
from monet_web.blueprints.journals.blueprint import journals, rendered
from monet_web.blueprints.said import each_told, told
from monet_web.blueprints.typed import plain
from monet_web.domain.correction_typed import Typed
from monet_web.domain.errors import BrokenRule, MonetError
from monet_web.models import Customer, db
from monet_web.models.base import now_utc, reading
from monet_web.models.users import Role
from monet_web.services.books.fields import WrongFields
from monet_web.services.customers import found as customers_found
from monet_web.services.documents import correct
from monet_web.services.documents import document as one_document
from monet_web.services.documents import register as registering
from monet_web.services.documents.correct import Overtaken
from monet_web.services.documents.correct_open import Gone, open_invoice
from monet_web.services.documents.register import Registered
from monet_web.services.goods import item_lists
from monet_web.services.importing.claimed import SHORT_PATIENCE

STEPS = ("save", "register", "next", "without_stock")


@journals.post("/invoices/<int:invoice_id>/recalculate")
@needs(Role.OFFICE)
def recalculate(invoice_id: int) -> ResponseReturnValue:
    """The page as typed, with a line more or less, or with a customer filled in; writes nothing."""
    typed = correction_form.read(request.form)
    errors: dict[str, str] = {}
    session = db.session()
    with reading(session):
        try:
            if "add" in request.form:
                typed = _with_line(typed, invoice_id)
            elif "remove" in request.form:
                typed = correction_form.without_line(typed, request.form["remove"])
            elif "fill" in request.form:
                typed, errors = _with_customer(typed)
            page = invoice.page(session, invoice_id, typed, errors=errors, accept=_accepts(), reason=_reason())
            # Sums that were asked for before a line came or went must not stay.
            return page, 200, {"HX-Trigger-After-Swap": "recalculated"}
        except Gone as gone:
            return _gone(gone, typed)


@journals.post("/invoices/<int:invoice_id>/sums")
@needs(Role.OFFICE)
def sums(invoice_id: int) -> ResponseReturnValue:
    """The sums and reasons alone, anew at each change of the form; writes nothing."""
    session = db.session()
    with reading(session):
        try:
            opened = open_invoice(session, invoice_id, now=now_utc(), actor=current_user.email)
        except Gone as gone:
            return render_template("journals/_gone.html", gone=gone)
        form = invoice.form_of(session, opened, correction_form.read(request.form), accept=_accepts())
        return render_template("journals/_sums_live.html", form=form, invoice=opened.invoice, say=sentences)


@journals.post("/invoices/<int:invoice_id>/correction")
@needs(Role.OFFICE)
def save(invoice_id: int) -> ResponseReturnValue:
    """Keep what is typed; then register it, where that was asked for."""
    typed, step = correction_form.read(request.form), request.form.get("step", "save")
    may_amounts = current_user.may(Role.ACCOUNTANT)
    if step not in STEPS or (step == "without_stock" and not may_amounts):
        abort(403 if step in STEPS else 400)
    version = request.form.get("version", "")
    reason = _reason()
    session = db.session()
    try:
        if step == "without_stock" and not reason:
            raise WrongFields({"reason": _("Type why stock does not move now.")})
        with reading(session):  # before it leaves the journal
            following = _following(invoice_id) if step == "next" else None
        changed = correct.save(
            session, invoice_id, typed, version=int(version) if version.isdecimal() and len(version) < 10 else 0,
            seen=request.form.get("seen", ""), accept=_accepts(), may_amounts=may_amounts, now=now_utc(),
            actor=current_user.email,
        )  # fmt: skip
    except Gone as gone:
        with reading(session):
            return _gone(gone, typed)
    except Overtaken as overtaken:
        with reading(session):
            return invoice.page(
                session, invoice_id, typed, overtaken=overtaken, accept=_accepts(), reason=_reason()
            ), 409
    except BrokenRule as error:
        errors = each_told(error.fields) if isinstance(error, WrongFields) else {error.field or "lines": told(error)}
        with reading(session):
            return invoice.page(session, invoice_id, typed, errors=errors, accept=_accepts(), reason=_reason()), 422
    if step == "save":
        flash(_saved(len(changed)), "journal")
        return redirect(url_for("journals.show", invoice_id=invoice_id), 303)
    return _register(invoice_id, reason if step == "without_stock" else "", following)


@journals.post("/invoices/<int:invoice_id>/original")
@needs(Role.OFFICE)
def take_back(invoice_id: int) -> ResponseReturnValue:
    """Back to the store's original: what was corrected by hand is forgotten."""
    version = request.form.get("version", "")
    try:
        undone = correct.back_to_original(
            db.session(), invoice_id, version=int(version) if version.isdecimal() and len(version) < 10 else 0,
            seen=request.form.get("seen", ""), may_amounts=current_user.may(Role.ACCOUNTANT), now=now_utc(),
            actor=current_user.email,
        )  # fmt: skip
    except Gone as error:
        flash(told(error), "failed")
        return redirect(url_for("journals.page"), 303)
    except BrokenRule as error:  # overtaken, or an accountant's to take back: the invoice still waits
        flash(told(error), "failed")
    except MonetError as error:
        flash(told(error), "failed")
        return redirect(url_for("journals.page"), 303)
    else:
        text = ngettext(
            "It is the store's again: %(num)s field.", "It is the store's again: %(num)s fields.", len(undone)
        )
        flash(text, "journal")
    return redirect(url_for("journals.show", invoice_id=invoice_id), 303)


@journals.get("/suggest/items")
@needs(Role.OFFICE)
def suggest_items() -> ResponseReturnValue:
    """A few items for what is typed on a line, as the options of a list."""
    typed = next((value for name, value in request.args.items() if name.startswith("item-")), "")
    session = db.session()
    with reading(session):
        found = item_lists.suggest(session, plain(typed)[:200], services=True)
        return render_template("items/_suggestions.html", found=found)


@journals.get("/suggest/customers")
@needs(Role.OFFICE)
def suggest_customers() -> ResponseReturnValue:
    """A few customers for what is typed, as the options of a list."""
    session = db.session()
    with reading(session):
        found = customers_found.suggest(session, plain(request.args.get("find_customer", ""))[:200])
        return render_template("journals/_customers.html", found=found)


# --- parts --------------------------------------------------------------------------------------------------------


def _accepts() -> str:
    """The figures that the person says are right, as they were shown."""
    return request.form.get("accept", "")[:20_000]  # a few figures of each of 300 lines at most


def _reason() -> str:
    """Why stock does not move now."""
    return plain(request.form.get("reason", "")).strip()[:400]


def _with_line(typed: Typed, invoice_id: int) -> Typed:
    opened = open_invoice(db.session(), invoice_id, now=now_utc(), actor=current_user.email)
    rates = opened.booking.rates.of(opened.booking.country, opened.standing.draft.supply_date)
    return correction_form.with_line(
        typed, rate=f"{rates[0].normalize():f}" if rates else "", warehouse=opened.booking.warehouse_code
    )


def _with_customer(typed: Typed) -> tuple[Typed, dict[str, str]]:
    session = db.session()
    words = typed.fields.get("find_customer", "").partition(" · ")[0]
    try:
        customer = session.get_one(Customer, customers_found.meant(session, words))
    except BrokenRule as error:
        return typed, {"find_customer": told(error)}
    return correction_form.filled_in(typed, customer), {}


def _following(invoice_id: int) -> int | None:
    """The invoice that a person looks at after this one: the next of the journal, else the one before."""
    opened = open_invoice(db.session(), invoice_id, now=now_utc(), actor=current_user.email)
    place = one_document.place(db.session(), opened.invoice)
    return place.after or place.before


def _register(invoice_id: int, without_stock: str, following: int | None) -> ResponseReturnValue:
    try:
        done = registering.register(
            db.session(), [invoice_id], now=now_utc(), actor=current_user.email, without_stock=without_stock,
            patience=SHORT_PATIENCE,
        )  # fmt: skip
    except MonetError as error:
        flash(_("What was typed is kept. %(why)s", why=told(error)), "failed")
        return redirect(url_for("journals.show", invoice_id=invoice_id), 303)
    if not done or not done[0].ok:
        _tell_why(done)
        return redirect(url_for("journals.show", invoice_id=invoice_id), 303)
    link = url_for("invoices.show", invoice_id=invoice_id)
    text = Markup('{} <a href="{}">{}</a>.').format(_("Registered as"), link, done[0].number or "–")
    if without_stock:
        text += Markup(' <a href="{}">{}</a>').format(url_for("journals.to_settle"), _("Its stock is to be settled."))
    flash(text, "registered")
    if following is not None:
        # Its heading takes the focus: whoever works by keyboard or screen reader stands on the next invoice.
        return redirect(url_for("journals.show", invoice_id=following, _anchor="invoice"), 303)
    return redirect(link if request.form.get("step") != "next" else url_for("journals.page"), 303)


def _tell_why(done: list[Registered]) -> None:
    """The same words as in the list: what stands in the way."""
    if not done:
        flash(_("Nothing of it waits any more."), "journal")
        return
    one = done[0]
    named = [(one.number or _("invoice %(id)s", id=one.invoice_id), len(one.findings))]
    text = escape(sentences.registered(0, 1, named))
    flash(text + escape(" " + " ".join(sentences.said(found).wrong for found in one.findings)), "journal")


def _saved(count: int) -> str:
    if not count:
        return str(_("Nothing was changed."))
    return str(ngettext("Saved: %(num)s field corrected.", "Saved: %(num)s fields corrected.", count))


def _gone(gone: Gone, typed: Typed) -> ResponseReturnValue:
    """Too late: who registered or deleted it, and what was typed, which is kept nowhere."""
    session = db.session()
    return rendered(
        session, "journals/gone.html", gone=gone, typed=typed, labels=field_words.LABELS,
        line_labels=field_words.LINE_LABELS, people=one_document.people(session, [gone.who]),
        invoice_id=request.view_args["invoice_id"] if request.view_args else 0,
    ), 409  # fmt: skip
