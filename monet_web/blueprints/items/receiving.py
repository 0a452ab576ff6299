"""Goods received by hand: lines, the question with its sums, then the entry; what waited is checked again at once."""

from __future__ import annotations

from dataclasses import dataclass

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from monet_web.blueprints import mending
from monet_web.blueprints.access import needs
from monet_web.blueprints.formats import zone
from monet_web.blueprints.items import wording
from monet_web.blueprints.items.blueprint import items
from monet_web.blueprints.items.forms import MORE_LINES, ReceiptForm
from monet_web.blueprints.said import told
from monet_web.domain.errors import BrokenRule
from monet_web.domain.windows import local_day
from monet_web.models import db
from monet_web.models.base import now_utc, reading
from monet_web.models.users import Role
from monet_web.services.books.tables import Mistakes, WrongRows
from monet_web.services.goods import stock, warehouses
from monet_web.services.goods.receipt_rows import Received
from monet_web.services.goods.stock import AlreadyEntered, PlannedMove

MENDS = ("stock_short",)


@dataclass(frozen=True, slots=True)
class Preview:
    """What the form would do. `wrong`: line number (0: the form itself) → sentences."""

    moves: tuple[PlannedMove, ...] = ()
    wrong: tuple[tuple[int, str], ...] = ()
    fingerprint: str = ""

    @property
    def may_enter(self) -> bool:
        """There is something, and nothing is wrong."""
        return bool(self.moves) and not self.wrong


@items.get("/receive")
@needs(Role.OFFICE)
def receive() -> ResponseReturnValue:
    """The form, filled in by a link from a finding where there is one."""
    form = ReceiptForm.of_address(request.args)
    # A link may name the item alone: how many came is the person's to type, so nothing is wrong yet.
    return _page(form, is_asked=any(line.quantity for line in form.typed_lines))


@items.post("/receive")
@needs(Role.OFFICE)
def enter_receipt() -> ResponseReturnValue:
    """Preview, more lines, or the entry of exactly what was previewed."""
    form = ReceiptForm.of_posted(request.form)
    step = request.form.get("step", "preview")
    if step == "lines":
        return _page(form.with_lines(len(form.lines) + MORE_LINES), is_asked=False)
    session = db.session()
    now, actor = now_utc(), current_user.email
    if step == "enter":
        with reading(session):
            twice = stock.receipts_of_form(session, form.token, now=now, actor=actor)
        if twice:
            return _said_already(AlreadyEntered(twice))
    preview, rows = _look(form)
    if step != "enter" or not preview.may_enter or request.form.get("previewed") != preview.fingerprint:
        return _page(form, is_asked=True)
    try:
        stock.receive(session, rows, note=form.note, now=now, actor=actor, form=form.token)
    except AlreadyEntered as error:
        return _said_already(error)
    except WrongRows:
        return _page(form, is_asked=True)  # somebody else was faster: the page says what is so now
    mending.say(session, wording.entered(preview.moves), codes=MENDS, now=now, actor=actor)
    # Whoever came from a reason in the journals goes back to what still waits there.
    return redirect(url_for("journals.page" if request.args.get("back") == "journals" else "items.page"), 303)


@items.post("/receive/preview")
@needs(Role.OFFICE)
def receive_preview() -> ResponseReturnValue:
    """The question alone, anew at each change of the form."""
    form = ReceiptForm.of_posted(request.form)
    preview, _ = _look(form)
    with reading(db.session()):
        return render_template("items/_receipt_preview.html", preview=preview, wording=wording)


def _said_already(error: AlreadyEntered) -> ResponseReturnValue:
    flash(told(error), "journal")
    return redirect(url_for("items.page"), 303)


def _look(form: ReceiptForm) -> tuple[Preview, list[Received]]:
    session = db.session()
    mistakes = Mistakes()
    with reading(session):
        form.resolve(session)
        rows = form.rows(mistakes)
        try:
            plan = stock.plan(session, rows, mistakes, now=now_utc())
        except BrokenRule as error:
            return Preview(wrong=((0, told(error)),)), rows
    return Preview(plan.moves, plan.wrong, form.fingerprint(rows)), rows


def _page(form: ReceiptForm, *, is_asked: bool) -> ResponseReturnValue:
    preview = _look(form)[0] if form.typed_lines else Preview()
    session = db.session()
    with reading(session):
        form.day = form.day or local_day(now_utc(), zone()).isoformat()
        page = render_template(
            "items/receive.html",
            form=form,
            preview=preview if is_asked else Preview(),
            is_asked=is_asked,
            wrong=dict(preview.wrong) if is_asked else {},
            warehouses=warehouses.listed(session),
            more=MORE_LINES,
            wording=wording,
        )
    return page, 422 if is_asked and preview.wrong else 200
