"""Items from a file with any header: what each column is, what would come of it and every wrong row, then the entry."""

from __future__ import annotations

from collections.abc import Sequence

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from monet_web.blueprints import mending
from monet_web.blueprints.access import needs
from monet_web.blueprints.items import carried, views, wording
from monet_web.blueprints.items.blueprint import items
from monet_web.blueprints.items.carried import Carried
from monet_web.blueprints.said import told
from monet_web.blueprints.uploads import uploaded
from monet_web.domain.errors import BrokenRule
from monet_web.models import db
from monet_web.models.base import now_utc, reading
from monet_web.models.users import Role
from monet_web.services.books.columns import Column
from monet_web.services.books.tables import WrongRows
from monet_web.services.goods import items as service
from monet_web.services.goods.item_columns import FIELDS
from monet_web.services.goods.items import ItemsPlan

_PURPOSE = "items"
_MOST_COLUMNS = 300


@items.get("/import")
@needs(Role.OFFICE)
def import_file() -> ResponseReturnValue:
    """Choose a file of items."""
    return _page()


@items.post("/import")
@needs(Role.OFFICE)
def upload_items() -> ResponseReturnValue:
    """What the columns are; a file whose columns are all known is previewed at once."""
    try:
        name, data = uploaded()
        signed = carried.sign(_PURPOSE, name=name, data=data, with_wrong_rows=True)
        file = carried.opened(_PURPOSE, signed)
        columns = service.proposed_columns(db.session(), file.data)
    except BrokenRule as error:
        return _page(error=told(error))
    fields = [column.field for column in columns]
    if "code" in fields and all(column.is_sure or not column.heading for column in columns):
        return _preview(file, signed, fields)
    return _page(name=file.name, signed=signed, columns=columns)


@items.post("/import/columns")
@needs(Role.OFFICE)
def choose_columns() -> ResponseReturnValue:
    """What the file would make and change when its columns are what was chosen; nothing is written."""
    signed = request.form.get("file", "")
    try:
        file = carried.opened(_PURPOSE, signed)
        columns = service.proposed_columns(db.session(), file.data)
    except BrokenRule as error:
        return _page(error=told(error))
    fields = _fields(len(columns))
    if request.form.get("step") == "columns":
        return _page(name=file.name, signed=signed, columns=columns, fields=fields)
    return _preview(file, signed, fields, columns)


@items.post("/import/enter")
@needs(Role.OFFICE)
def enter_items() -> ResponseReturnValue:
    """The file that was looked at; the good rows alone when that was the button."""
    now, actor = now_utc(), current_user.email
    signed = request.form.get("file", "")
    # Without any the file's own header says what its columns are.
    fields = _fields(_MOST_COLUMNS) if any(name.startswith("column-") for name in request.form) else None
    try:
        file = carried.opened(_PURPOSE, signed)
        done = service.import_items(
            db.session(), file.data, now=now, actor=actor, fields=fields, good_only=bool(request.form.get("good_only")),
            wrong=file.wrong,
        )  # fmt: skip
    except WrongRows:
        return _preview(carried.opened(_PURPOSE, signed), signed, fields)
    except BrokenRule as error:
        return _page(error=told(error))
    mending.say(db.session(), wording.items_brought(done), codes=views.MENDS, now=now, actor=actor)
    return redirect(url_for("items.page"), 303)


def _fields(count: int) -> list[str]:
    """What was chosen for each column; what is no field is left out."""
    typed = [request.form.get(f"column-{place}", "") for place in range(min(count, _MOST_COLUMNS))]
    return [field if field in FIELDS else "" for field in typed]


def _preview(
    file: Carried, signed: str, fields: list[str] | None, columns: Sequence[Column] | None = None
) -> ResponseReturnValue:
    try:
        plan = service.preview(db.session(), file.data, fields=fields, wrong=file.wrong)
    except BrokenRule as error:
        if columns is None:
            return _page(error=told(error))
        return _page(name=file.name, signed=signed, columns=columns, fields=fields, mistake=told(error))
    return _page(name=file.name, signed=signed, plan=plan, fields=fields)


def _page(
    *,
    name: str = "",
    signed: str = "",
    plan: ItemsPlan | None = None,
    columns: Sequence[Column] | None = None,
    fields: Sequence[str] | None = None,
    error: str = "",
    mistake: str = "",
) -> ResponseReturnValue:
    """`columns` asks what they are, `fields` is what was chosen; `mistake` is of that choice, `error` of the file."""
    with reading(db.session()):
        page = render_template(
            "items/import.html", plan=plan, name=name, signed=signed, error=error, mistake=mistake, columns=columns,
            fields=list(fields) if fields is not None else [column.field for column in columns or ()],
            wording=wording, alias_kinds=wording.ALIAS_KINDS, all_fields=FIELDS, told=told,
        )  # fmt: skip
    return page, 422 if error or mistake or (plan and plan.wrong) else 200
