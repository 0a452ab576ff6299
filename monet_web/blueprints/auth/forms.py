"""What is typed at the door."""

from __future__ import annotations

from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import BooleanField, PasswordField, StringField
from wtforms.validators import InputRequired, Length

SHORTEST_PASSWORD = 10


class SignInForm(FlaskForm):
    """E-mail and password."""

    email = StringField(
        _("E-mail"), [InputRequired(_("Type your e-mail address.")), Length(max=254)],
        render_kw={"autocomplete": "username", "required": True},
    )  # fmt: skip
    password = PasswordField(
        _("Password"), [InputRequired(_("Type your password.")), Length(max=200)],
        render_kw={"autocomplete": "current-password", "required": True},
    )  # fmt: skip
    keep = BooleanField(_("Stay signed in"))


class LinkForm(FlaskForm):
    """What a person chooses who comes by a link."""

    email = StringField(
        _("E-mail"), [InputRequired(_("Type your e-mail address.")), Length(max=254)],
        render_kw={"autocomplete": "username", "required": True},
    )  # fmt: skip
    name = StringField(_("Your name"), [Length(max=200)], render_kw={"autocomplete": "name"})
    password = PasswordField(
        _("Password"),
        [
            InputRequired(_("Choose a password.")),
            Length(min=SHORTEST_PASSWORD, message=_("Type at least 10 characters.")),
            Length(max=200, message=_("Type at most 200 characters.")),
        ],
        render_kw={"autocomplete": "new-password", "required": True, "minlength": SHORTEST_PASSWORD},
    )  # fmt: skip
