"""What a person sees when a page is not there, not theirs, or broke: words, a way on, and a code to quote."""

from __future__ import annotations

import logging
import secrets

from flask import Flask, current_app, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.exceptions import HTTPException

from monet_web.blueprints.access import needed_role
from monet_web.models.users import Role

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
        403: (_("This is not for your role"), _who_may()),
        404: (_("There is no such page"), _("It may have been deleted, or the address is mistyped.")),
        405: (_("There is no such page"), _("It may have been deleted, or the address is mistyped.")),
        413: (_("The file is too large"), _("At most 32 MB can be sent at once. Split the file.")),
        429: (_("Too many tries"), _("Wait a quarter of an hour, then try again.")),
    }.get(code, (_("This did not work"), _("Nothing was changed. Try again.")))
    return render_template("errors/error.html", title=title, text=text), code


def _who_may() -> str:
    """Which roles may do what was asked, and who gives one."""
    needed = needed_role(current_app, request.endpoint) if request.endpoint else None
    ask: str = _("Ask an administrator when you need it.")
    if not isinstance(needed, Role) or not current_user.is_authenticated or current_user.may(needed):
        return ask
    who: str = {
        Role.VIEWER: _("It is for everybody who is signed in."),
        Role.OFFICE: _("It is for the office, accountants and administrators."),
        Role.ACCOUNTANT: _("It is for accountants and administrators."),
        Role.ADMINISTRATOR: _("It is for administrators."),
    }[needed]
    return f"{who} {ask}"


def _fault(error: Exception) -> ResponseReturnValue:
    code = secrets.token_hex(2).upper()
    log.error("a page broke", exc_info=error, extra={"code": code})
    text = _("Nothing was changed. Try again; if it repeats, send us the code %(code)s.", code=code)
    return render_template("errors/error.html", title=_("This did not work"), text=text), 500
