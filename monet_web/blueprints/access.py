"""Who may see what: every view says it, and one that does not is never shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from flask import Flask, abort, current_app, request
from flask.sessions import SecureCookieSessionInterface, SessionMixin
from flask.typing import ResponseReturnValue
from flask_login import UserMixin, current_user
from sqlalchemy import select

from monet_web.blueprints.remembered import Remembered
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


def asked_often(view: View) -> View:
    """A view that open pages ask by themselves: its people are looked up together, and may be a second behind."""
    view.is_asked_often = True  # type: ignore[attr-defined]
    return view


def is_still_here(identity: str) -> bool:
    """True while the person of a `get_id()` may be here, as of the last second. Outside a transaction."""
    people: Remembered[SignedIn] = current_app.extensions["monet_people"]
    return people.get(identity, seconds=current_app.config["MONET_SHARED_SECONDS"]) is not None


def guard(app: Flask) -> None:
    """Put the guard before every view of the application."""
    app.extensions["monet_people"] = Remembered(_people)
    app.session_interface = _Sessions()
    app.before_request(_check)


def needed_role(app: Flask, endpoint: str) -> Role | str | None:
    """What a view asks for: a role, "everybody", or None when it says nothing (and is therefore closed)."""
    view = app.view_functions[endpoint]
    return getattr(view, "needs", None)


class _Sessions(SecureCookieSessionInterface):
    """Sessions last while somebody does something: a page that asks by itself prolongs none, and signs no cookie."""

    def should_set_cookie(self, app: Flask, session: SessionMixin) -> bool:
        """Asked at the end of each request."""
        if _is_asked_often() and not session.modified:
            return False
        return super().should_set_cookie(app, session)


def _is_asked_often() -> bool:
    view = current_app.view_functions.get(request.endpoint or "")
    return bool(getattr(view, "is_asked_often", False))


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
    if _is_asked_often():
        people: Remembered[SignedIn] = current_app.extensions["monet_people"]
        return people.get(identity, seconds=current_app.config["MONET_SHARED_SECONDS"])
    return _people([identity]).get(identity)


def _people(identities: Sequence[str]) -> dict[str, SignedIn]:
    """Those of these identities that may be here, in one query."""
    numbers = {int(number) for number, _, _ in (each.partition(".") for each in identities) if _is_number(number)}
    if not numbers:
        return {}
    session = db.session()
    with reading(session):
        query = select(User).where(User.id.in_(numbers), User.disabled_at.is_(None))
        users = session.scalars(query.execution_options(populate_existing=True)).all()
    here = {person.get_id(): person for person in map(SignedIn.of, users)}
    return {each: here[each] for each in identities if each in here}


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 16
