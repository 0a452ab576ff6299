"""Orders out of a file that the shop exported, where no bridge may be: first what it would bring, then the import."""

from __future__ import annotations

from typing import Any

from flask import abort, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from monet_web import jobs
from monet_web.blueprints.access import needs
from monet_web.blueprints.integrations import workers
from monet_web.blueprints.integrations.blueprint import integrations
from monet_web.blueprints.integrations.translating import _
from monet_web.blueprints.said import told
from monet_web.blueprints.typed import plain
from monet_web.domain.errors import BrokenRule
from monet_web.models import db
from monet_web.models.base import now_utc, reading
from monet_web.models.runs import RunKind
from monet_web.models.users import Role
from monet_web.services.integrations import integration_form
from monet_web.services.opening import uploads

_FIELDS = 1024**2  # bytes of a form beside its file


@integrations.url_value_preprocessor
def make_room(endpoint: str | None, values: dict[str, Any] | None) -> None:  # noqa: ARG001 - Flask gives both
    """A backup is larger than any other upload. Before the form is read, and only for who may upload one."""
    if endpoint == "integrations.upload_orders" and current_user.is_authenticated and current_user.may(Role.OFFICE):
        request.max_content_length = uploads.LARGEST + _FIELDS


@integrations.post("/<int:integration_id>/file")
@needs(Role.OFFICE)
def upload_orders(integration_id: int) -> ResponseReturnValue:
    """Keep what orders need of the file, and preview them."""
    now, session = now_utc(), db.session()
    with reading(session):
        if integration_form.find(session, integration_id) is None:
            abort(404)
    file = request.files.get("file")
    try:
        if file is None or not file.filename:
            raise BrokenRule(_("No file was chosen."), fix=_("Choose the file that the shop's admin exported."))
        name = plain(file.filename.replace("\\", "/").rpartition("/")[2])
        # The form's file is on disk by now: what is larger than half a megabyte is not held in memory.
        upload = uploads.keep(session, integration_id, file.stream, name=name, now=now, actor=current_user.email)  # type: ignore[arg-type] # it is a binary file
    except BrokenRule as error:
        flash(told(error), "failed")
        return redirect(url_for("integrations.edit", integration_id=integration_id, _anchor="from-file-h"), 303)
    return _run(upload.id, RunKind.PREVIEW)


@integrations.post("/<int:integration_id>/file/<int:upload_id>/import")
@needs(Role.OFFICE)
def import_uploaded(integration_id: int, upload_id: int) -> ResponseReturnValue:
    """Import the orders of a file that was uploaded before."""
    try:
        return _run(upload_id, RunKind.FILE)
    except BrokenRule as error:
        flash(told(error), "failed")
        return redirect(url_for("integrations.edit", integration_id=integration_id, _anchor="from-file-h"), 303)


def _run(upload_id: int, kind: RunKind) -> ResponseReturnValue:
    run = uploads.open_run(
        db.session(), upload_id, kind=kind, now=now_utc(), actor=current_user.email, foreground=False
    )
    jobs.ring([run], workers.redis_url())
    return redirect(url_for("runs.show", run_id=run.id), 303)
