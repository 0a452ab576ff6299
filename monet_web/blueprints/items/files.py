"""Receipts from CSV or XLSX: first what the file would do and every wrong row, then, on a yes, the entry; samples."""

from __future__ import annotations

from flask import abort, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from monet_web.blueprints import mending
from monet_web.blueprints.access import needs, signed_in
from monet_web.blueprints.items import carried, receiving, samples, wording
from monet_web.blueprints.items.blueprint import items
from monet_web.blueprints.said import told
from monet_web.blueprints.uploads import uploaded
from monet_web.domain.errors import BrokenRule
from monet_web.models import db
from monet_web.models.base import now_utc, reading
from monet_web.models.users import Role
from monet_web.services.books.tables import WrongRows
from monet_web.services.goods import stock, warehouses
from monet_web.services.goods.stock import AlreadyEntered, ReceiptPlan

_RECEIPT = "receipt"


@items.get("/receive/file")
@needs(Role.OFFICE)
def receive_file() -> ResponseReturnValue:
    """Choose a file of goods received."""
    return _receipt_page()


@items.post("/receive/file")
@needs(Role.OFFICE)
def preview_receipt() -> ResponseReturnValue:
    """What the file would move; nothing is written."""
    try:
        name, data = uploaded()
        plan = stock.preview_file(db.session(), data, now=now_utc())
        signed = carried.sign(_RECEIPT, name=name, data=data) if not plan.wrong else ""
    except WrongRows as error:
        return _receipt_page(plan=ReceiptPlan((), tuple(error.rows)))
    except BrokenRule as error:
        return _receipt_page(error=told(error))
    return _receipt_page(plan=plan, name=name, signed=signed)


@items.post("/receive/file/enter")
@needs(Role.OFFICE)
def enter_receipt_file() -> ResponseReturnValue:
    """The file that was looked at, once."""
    session = db.session()
    now, actor = now_utc(), current_user.email
    try:
        file = carried.opened(_RECEIPT, request.form.get("file", ""))
        plan = stock.preview_file(session, file.data, now=now)
        stock.receive_file(session, file.data, note=file.name, now=now, actor=actor, form=file.token)
    except AlreadyEntered as error:
        flash(told(error), "journal")
        return redirect(url_for("items.page"), 303)
    except WrongRows as error:
        return _receipt_page(plan=ReceiptPlan((), tuple(error.rows)))
    except BrokenRule as error:
        return _receipt_page(error=told(error))
    mending.say(session, wording.entered(plan.moves), codes=receiving.MENDS, now=now, actor=actor)
    return redirect(url_for("items.page"), 303)


@items.get("/samples/<name>")
@signed_in
def sample(name: str) -> ResponseReturnValue:
    """A file to begin with: items.csv, items.xlsx, receipt.csv, receipt.xlsx."""
    made = samples.made(name)
    if made is None:
        abort(404)
    answer = make_response(made)
    answer.headers["Content-Type"] = samples.TYPES[name.rpartition(".")[2]]
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _receipt_page(
    *, plan: ReceiptPlan | None = None, name: str = "", signed: str = "", error: str = ""
) -> ResponseReturnValue:
    session = db.session()
    with reading(session):
        page = render_template(
            "items/receive_file.html", plan=plan, name=name, signed=signed, error=error, wording=wording,
            warehouses=warehouses.listed(session),
        )  # fmt: skip
    return page, 422 if error or (plan and plan.wrong) else 200
