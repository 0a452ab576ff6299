"""People: who may do what. A one-time link is shown once, to the administrator who made it, and never kept."""

from __future__ import annotations

from dataclasses import dataclass

from flask import current_app, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user

from monet_web.blueprints.access import needs
from monet_web.blueprints.said import told
from monet_web.blueprints.settings.blueprint import settings
from monet_web.blueprints.typed import Typed
from monet_web.config import Config
from monet_web.domain.errors import BrokenRule
from monet_web.models import User, db
from monet_web.models.base import now_utc, reading
from monet_web.models.users import Role
from monet_web.services.office import users

ROLES = {
    Role.VIEWER: (_l("viewer"), _l("sees everything, changes nothing")),
    Role.OFFICE: (_l("office"), _l("launches, mends items and buyers, receives goods, registers what passes")),
    Role.ACCOUNTANT: (_l("accountant"), _l("also VAT amounts, rates, closing of periods")),
    Role.ADMINISTRATOR: (_l("administrator"), _l("also integrations, people, the company")),
}


@dataclass(frozen=True, slots=True)
class Invitation:
    """A link that was made a moment ago."""

    email: str
    address: str


@settings.get("/people")
@needs(Role.ADMINISTRATOR)
def people() -> ResponseReturnValue:
    """Everybody, and a form for one more."""
    return _page(Typed({"role": Role.OFFICE.value}))


@settings.post("/people")
@needs(Role.ADMINISTRATOR)
def add_person() -> ResponseReturnValue:
    """One more; the link stands on the page that answers, and nowhere else."""
    form = Typed({name: request.form.get(name, "") for name in ("email", "name", "role")})
    try:
        added, token = users.add(
            db.session(), email=form.value("email"), role=form.value("role"), name=form.value("name"),
            now=now_utc(), actor=current_user.email,
        )  # fmt: skip
    except BrokenRule as error:
        form.refuse(error)
        return _page(form)
    return _page(Typed({"role": Role.OFFICE.value}), Invitation(added.email, _address(token)))


@settings.post("/people/<int:user_id>/link")
@needs(Role.ADMINISTRATOR)
def make_link(user_id: int) -> ResponseReturnValue:
    """A new link for somebody who is here, also when a password was forgotten."""
    session = db.session()
    with reading(session):
        user = session.get(User, user_id)
    try:
        if user is None:
            raise BrokenRule(_("Nobody here has this number."))
        token = users.new_link(session, email=user.email, now=now_utc(), actor=current_user.email)
    except BrokenRule as error:
        return _refused(error)
    return _page(Typed({"role": Role.OFFICE.value}), Invitation(user.email, _address(token)))


@settings.post("/people/<int:user_id>/role")
@needs(Role.ADMINISTRATOR)
def change_role(user_id: int) -> ResponseReturnValue:
    """Another role, from the person's next page on."""
    role = request.form.get("role", "")
    try:
        user = users.change_role(db.session(), user_id, role=role, now=now_utc(), actor=current_user.email)
    except BrokenRule as error:
        return _refused(error)
    flash(_("%(who)s is %(role)s from now on.", who=user.name or user.email, role=ROLES[user.role][0]))
    return _back(user)


@settings.post("/people/<int:user_id>/disable")
@needs(Role.ADMINISTRATOR)
def disable_person(user_id: int) -> ResponseReturnValue:
    """The person may not sign in any more."""
    try:
        user = users.disable(db.session(), user_id, now=now_utc(), actor=current_user.email)
    except BrokenRule as error:
        return _refused(error)
    flash(_("%(who)s is signed out everywhere and may not sign in any more.", who=user.name or user.email))
    return _back(user)


@settings.post("/people/<int:user_id>/enable")
@needs(Role.ADMINISTRATOR)
def enable_person(user_id: int) -> ResponseReturnValue:
    """The person may sign in again."""
    try:
        user = users.enable(db.session(), user_id, now=now_utc(), actor=current_user.email)
    except BrokenRule as error:
        return _refused(error)
    flash(_("%(who)s may sign in again.", who=user.name or user.email))
    return _back(user)


def _address(token: str) -> str:
    config: Config = current_app.config["MONET"]
    if config.url:
        return config.url.rstrip("/") + users.link_path(token)
    return str(url_for("auth.link", token=token, _external=True))


def _refused(error: BrokenRule) -> ResponseReturnValue:
    form = Typed({"role": Role.OFFICE.value})
    form.errors[""] = told(error)
    return _page(form)


def _back(user: User) -> ResponseReturnValue:
    # Who took the right from themselves would be refused there.
    stays = user.id != current_user.id or (user.role is Role.ADMINISTRATOR and user.disabled_at is None)
    return redirect(url_for("settings.people" if stays else "settings.page"), 303)


def _page(form: Typed, invitation: Invitation | None = None) -> ResponseReturnValue:
    session = db.session()
    with reading(session):
        page = render_template(
            "settings/people.html", people=users.listed(session), form=form, invitation=invitation, roles=ROLES
        )
    answer = make_response(page, 422 if form.errors else 200)
    if invitation is not None:
        answer.headers["Cache-Control"] = "no-store"
    return answer
