"""What a person sees when a page is not there, not theirs, or broke: words, a way on, and a code to quote."""

from __future__ import annotations

import logging
import secrets

from flask import Flask, render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.exceptions import HTTPException

log = logging.getLogger(__name__)


def answer(app: Flask) -> None:
    """Register the pages of errors."""
    app.register_error_handler(HTTPException, _known)
    app.register_error_handler(Exception, _fault)


def _known(error: HTTPException) -> ResponseReturnValue:
    code = error.code or 500
    title, text = {
        400: (
            _("That could not be read"),
            _("The form was too old or incomplete. Go back, reload the page, try again."),
        ),
        403: (_("This is not for your role"), _("Ask an administrator when you need it.")),
        404: (_("There is no such page"), _("It may have been deleted, or the address is mistyped.")),
        405: (_("There is no such page"), _("It may have been deleted, or the address is mistyped.")),
        413: (_("The file is too large"), _("At most 32 MB can be sent at once. Split the file.")),
        429: (_("Too many tries"), _("Wait a quarter of an hour, then try again.")),
    }.get(code, (_("This did not work"), _("Nothing was changed. Try again.")))
    return render_template("errors/error.html", title=title, text=text), code


def _fault(error: Exception) -> ResponseReturnValue:
    code = secrets.token_hex(2).upper()
    log.error("a page broke", exc_info=error, extra={"code": code})
    text = _("Nothing was changed. Try again; if it repeats, send us the code %(code)s.", code=code)
    return render_template("errors/error.html", title=_("This did not work"), text=text), 500
