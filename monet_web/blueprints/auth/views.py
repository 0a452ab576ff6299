"""The door."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user, login_user, logout_user

from monet_web.blueprints.access import SignedIn, open_to_everybody, signed_in
from monet_web.blueprints.auth.forms import LinkForm, SignInForm
from monet_web.blueprints.said import told
from monet_web.domain.errors import BrokenRule
from monet_web.extensions import limiter
from monet_web.models import db
from monet_web.models.base import now_utc
from monet_web.services.office import passwords, users

auth = Blueprint("auth", __name__)


def _typed_email() -> str:
    return (request.form.get("email") or "").strip().casefold()[:254]


@auth.route("/sign-in", methods=["GET", "POST"])
@open_to_everybody
@limiter.limit("30 per 15 minutes", methods=["POST"])
@limiter.limit("8 per 15 minutes", methods=["POST"], key_func=_typed_email)
def sign_in() -> ResponseReturnValue:
    """E-mail and password; wrong ones are slowed down by address and by person."""
    if current_user.is_authenticated:
        return redirect(_next_page())
    form = SignInForm()
    refused = False
    if form.validate_on_submit():
        user = passwords.check(db.session(), email=form.email.data or "", password=form.password.data or "")
        if user is not None:
            login_user(SignedIn.of(user), remember=bool(form.keep.data))
            return redirect(_next_page())
        refused = True
    return render_template("auth/sign_in.html", form=form, refused=refused), 401 if refused else 200


@auth.route("/link/<token>", methods=["GET", "POST"])
@open_to_everybody
@limiter.limit("30 per 15 minutes")
def link(token: str) -> ResponseReturnValue:
    """The first time: the person chooses e-mail, name and password. Looking at the page does not use the link up."""
    session = db.session()
    owner = users.owner_of_link(session, token, now=now_utc())
    if owner is None:
        return render_template("auth/link_gone.html"), 410
    form = LinkForm(email="" if owner.email == users.FIRST_ADMINISTRATOR else owner.email, name=owner.name)
    if form.validate_on_submit():
        try:
            user = users.enter_by_link(
                session, token, email=form.email.data or "", name=form.name.data or "",
                password_hash=passwords.hashed(form.password.data or ""), now=now_utc(),
            )  # fmt: skip
        except BrokenRule as error:
            form.email.errors = [told(error)]
        else:
            if user is None:
                return render_template("auth/link_gone.html"), 410
            login_user(SignedIn.of(user))
            return redirect(url_for("today.page"))
    return render_template("auth/link.html", form=form)


@auth.post("/sign-out")
@signed_in
def sign_out() -> ResponseReturnValue:
    """Leave on this device."""
    logout_user()
    return redirect(url_for("auth.sign_in"))


def _next_page() -> str:
    """Where the person wanted to go, only ever a path of ours."""
    wanted = request.args.get("next", "")
    parts = urlsplit(wanted)
    is_ours = wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and not parts.scheme and not parts.netloc
    return wanted if is_ours else str(url_for("today.page"))
