"""Who may see what: every view says it, and one that does not is never shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from flask import Flask, abort, current_app, request
from flask.typing import ResponseReturnValue
from flask_login import UserMixin, current_user

from monet_web.extensions import login
from monet_web.models import User, db
from monet_web.models.base import reading
from monet_web.models.users import Role

View = TypeVar("View", bound=Callable[..., ResponseReturnValue])

_RANK = {role: rank for rank, role in enumerate(Role)}
_EVERYBODY = "everybody"


class SignedIn(UserMixin):
    """The person of a request: a copy of what pages need, so that no page begins a transaction to greet them."""

    def __init__(self, user: User) -> None:
        self.id = user.id
        self.email = user.email
        self.name = user.name
        self.role = user.role
        self.language = user.language
        self.theme = user.theme
        self.session_version = user.session_version

    @classmethod
    def of(cls, user: User) -> SignedIn:
        """The person of a row."""
        return cls(user)

    def get_id(self) -> str:
        """With the version: raising it signs a person out everywhere."""
        return f"{self.id}.{self.session_version}"

    def may(self, role: Role) -> bool:
        """Each role may do what the ones before it may."""
        return _RANK[self.role] >= _RANK[role]


def needs(role: Role) -> Callable[[View], View]:
    """A view for people with at least this role."""

    def mark(view: View) -> View:
        view.needs = role  # type: ignore[attr-defined]
        return view

    return mark


signed_in = needs(Role.VIEWER)


def open_to_everybody(view: View) -> View:
    """A view that nobody need sign in for."""
    view.needs = _EVERYBODY  # type: ignore[attr-defined]
    return view


def guard(app: Flask) -> None:
    """Put the guard before every view of the application."""
    app.before_request(_check)


def needed_role(app: Flask, endpoint: str) -> Role | str | None:
    """What a view asks for: a role, "everybody", or None when it says nothing (and is therefore closed)."""
    view = app.view_functions[endpoint]
    return getattr(view, "needs", None)


def _check() -> ResponseReturnValue | None:
    if request.endpoint is None or request.endpoint == "static":
        return None  # 404 is Flask's; files are public
    needed = needed_role(current_app, request.endpoint)
    if needed == _EVERYBODY:
        return None
    if not current_user.is_authenticated:
        answer: ResponseReturnValue = login.unauthorized()
        return answer
    if not isinstance(needed, Role) or not current_user.may(needed):
        abort(403)
    return None


@login.user_loader
def _load(identity: str) -> SignedIn | None:
    number, _, version = identity.partition(".")
    if not number.isdigit() or not version.isdigit():
        return None
    session = db.session()
    with reading(session):
        user = session.get(User, int(number))
    if user is None or user.disabled_at is not None or user.session_version != int(version):
        return None
    return SignedIn.of(user)
