"""The list of customers, what is proposed while one is typed, and the list as a file."""

from __future__ import annotations

import tempfile
from pathlib import Path

from flask import render_template, request, send_file
from flask.typing import ResponseReturnValue

from monet_web.blueprints.access import needs, signed_in
from monet_web.blueprints.customers.blueprint import customers
from monet_web.blueprints.typed import plain, whole
from monet_web.models import db
from monet_web.models.base import now_utc, reading
from monet_web.models.users import Role
from monet_web.services.customers import found
from monet_web.services.customers.found import KINDS, Wanted
from monet_web.services.documents.exports import customers as exports

FORMATS = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@customers.get("")
@signed_in
def page() -> ResponseReturnValue:
    """Customers by name, found by name, code or e-mail; 50 a page."""
    wanted = _wanted()
    after = whole(request.args.get("after", ""))
    session = db.session()
    with reading(session):
        rows, following = found.page(session, wanted, after=after)
        counted = found.counted(session, wanted)
        of_all = found.counted(session, Wanted()) if wanted.narrows and not rows else counted
        return render_template(
            "customers/page.html", rows=rows, following=following, wanted=wanted, after=after, counted=counted,
            of_all=of_all,
        )  # fmt: skip


@customers.get("/suggest")
@needs(Role.OFFICE)
def suggest() -> ResponseReturnValue:
    """A few customers for what is being typed, as the options of a list."""
    session = db.session()
    with reading(session):
        rows = found.suggest(session, plain(request.args.get("other", ""))[:200])
        return render_template("customers/_suggestions.html", found=rows)


@customers.get("/export.<any(csv, xlsx):ending>")
@signed_in
def export(ending: str) -> ResponseReturnValue:
    """The customers that the list shows, all pages of it, as a file."""
    session = db.session()
    with tempfile.TemporaryDirectory(prefix="monet-") as folder:
        path = Path(folder) / f"customers.{ending}"
        with reading(session):
            exports.export(session, path, _wanted())
        file = path.open("rb")  # the file lives on until the answer is sent, its name goes with the folder
    return send_file(
        file, mimetype=FORMATS[ending], as_attachment=True, download_name=f"customers-{now_utc():%Y-%m-%d}.{ending}"
    )


def _wanted() -> Wanted:
    kind = request.args.get("kind", "")
    return Wanted(plain(request.args.get("q", "")).strip()[:200], kind if kind in KINDS else "")
