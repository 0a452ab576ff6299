"""People and the one-time links that let them in the first time. Of a link only its hash is kept (H1)."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from monet_web.domain.errors import BrokenRule
from monet_web.domain.mask import fold
from monet_web.models.base import reading, writing
from monet_web.models.users import LoginLink, Role, User
from monet_web.services import audit

LINK_LASTS = timedelta(hours=1)
# Of the link of an installation that has nobody yet; whoever opens it types an address of their own.
FIRST_ADMINISTRATOR = "administrator@localhost"
LANGUAGES = ("", "en", "lt")
THEMES = ("", "light", "dark")
_KIND = "user"


def add(session: Session, *, email: str, role: str, name: str = "", now: datetime, actor: str) -> tuple[User, str]:
    """A new person and the token of the link that lets them in for an hour. In a transaction of its own.

    Raises BrokenRule for a wrong address or role, or when the person is here already.
    """
    address, chosen = _checked_email(email), _checked_role(role)
    with writing(session):
        known = _by_email(session, address)
        if known is not None:
            raise BrokenRule(
                f"{address} is here already, as {known.role.value}.",
                fix="Make a new link for them instead.",
                field="email",
            )
        user = User(email=address, name=name.strip()[:200], role=chosen, created_at=now)
        session.add(user)
        session.flush()
        audit.record(
            session, at=now, actor=actor, action="user_added", subject_kind=_KIND, subject_id=user.id,
            after={"email": address, "role": chosen},
        )  # fmt: skip
        return user, _new_link(session, user, now)


def new_link(session: Session, *, email: str, now: datetime, actor: str) -> str:
    """The token of a new link for a person who is here; earlier links stop working. Raises BrokenRule."""
    with writing(session):
        user = _by_email(session, fold(email))
        if user is None:
            raise BrokenRule(f"Nobody here has the address {email.strip()}.", fix="Add them: monet user add EMAIL.")
        if user.disabled_at is not None:
            raise BrokenRule(f"{user.email} may not sign in any more.", fix="An administrator can allow it again.")
        audit.record(
            session, at=now, actor=actor, action="login_link_made", subject_kind=_KIND, subject_id=user.id,
        )  # fmt: skip
        return _new_link(session, user, now)


def disable(session: Session, user_id: int, *, now: datetime, actor: str) -> User:
    """The person may not sign in any more and is signed out everywhere; what they did keeps their name.

    Raises BrokenRule when nobody would be left who can let people in.
    """
    with writing(session):
        user = _locked(session, user_id)
        if user.disabled_at is None:
            _refuse_last_administrator(session, user)
            user.disabled_at = now
            user.session_version += 1
            session.execute(delete(LoginLink).where(LoginLink.user_id == user.id, LoginLink.used_at.is_(None)))
            audit.record(
                session, at=now, actor=actor, action="user_disabled", subject_kind=_KIND, subject_id=user.id,
            )  # fmt: skip
    return user


def enable(session: Session, user_id: int, *, now: datetime, actor: str) -> User:
    """The person may sign in again, with the password they had. Raises BrokenRule."""
    with writing(session):
        user = _locked(session, user_id)
        if user.disabled_at is not None:
            user.disabled_at = None
            audit.record(
                session, at=now, actor=actor, action="user_enabled", subject_kind=_KIND, subject_id=user.id,
            )  # fmt: skip
    return user


def change_role(session: Session, user_id: int, *, role: str, now: datetime, actor: str) -> User:
    """The person has another role from the next page on.

    Raises BrokenRule for a wrong role, or when nobody would be left who can let people in.
    """
    chosen = _checked_role(role)
    with writing(session):
        user = _locked(session, user_id)
        if user.role is not chosen:
            if chosen is not Role.ADMINISTRATOR:
                _refuse_last_administrator(session, user)
            before, user.role = user.role, chosen
            audit.record(
                session, at=now, actor=actor, action="role_changed", subject_kind=_KIND, subject_id=user.id,
                before={"role": before}, after={"role": chosen},
            )  # fmt: skip
    return user


def set_own(session: Session, user_id: int, *, language: str, theme: str) -> None:
    """How the person wants pages: language en | lt | "" (as the browser), theme light | dark | "" (as the device)."""
    if language not in LANGUAGES or theme not in THEMES:
        raise BrokenRule("This language or look is not here.", fix="Choose one of the list.")
    with writing(session):
        session.execute(update(User).where(User.id == user_id).values(language=language, theme=theme))


def listed(session: Session) -> list[User]:
    """Everybody who ever was let in: those who may sign in first. Inside the caller's transaction."""
    query = select(User).order_by(User.disabled_at.is_not(None), User.email).execution_options(populate_existing=True)
    return list(session.scalars(query))


def _locked(session: Session, user_id: int) -> User:
    """The person, with every administrator locked: of two who take the right from each other one comes second."""
    found = session.scalars(
        select(User)
        .where((User.id == user_id) | (User.role == Role.ADMINISTRATOR))
        .order_by(User.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    user = next((one for one in found if one.id == user_id), None)
    if user is None:
        raise BrokenRule("Nobody here has this number.")
    return user


def _refuse_last_administrator(session: Session, user: User) -> None:
    if user.role is not Role.ADMINISTRATOR or user.disabled_at is not None:
        return
    # One who has no password yet may never come: their link lasts an hour.
    others = session.scalars(
        select(User.id).where(
            User.role == Role.ADMINISTRATOR, User.disabled_at.is_(None), User.password_hash != "", User.id != user.id
        )
    ).first()
    if others is None:
        raise BrokenRule(
            f"{user.email} is the only administrator who can sign in.",
            fix="Make somebody else an administrator first, who then signs in once.",
        )


def first_administrator_link(session: Session, *, now: datetime) -> str | None:
    """The token of the first administrator's link, a new one at each call until it was used; then None.

    In a transaction of its own.
    """
    with writing(session):
        administrators = session.scalars(
            select(User)
            .where(User.role == Role.ADMINISTRATOR, User.disabled_at.is_(None))
            .order_by(User.id)
            .execution_options(populate_existing=True)
        ).all()
        if any(user.password_hash for user in administrators):
            return None
        if administrators:
            return _new_link(session, administrators[0], now)
        user = User(email=FIRST_ADMINISTRATOR, role=Role.ADMINISTRATOR, created_at=now)
        session.add(user)
        session.flush()
        audit.record(
            session, at=now, actor="first start", action="user_added", subject_kind=_KIND, subject_id=user.id,
            after={"email": user.email, "role": user.role},
        )  # fmt: skip
        return _new_link(session, user, now)


def take_link(session: Session, token: str, *, now: datetime) -> int | None:
    """Use a link up: the id of its person, None when it is unknown, used or too old. In the caller's writing one."""
    return session.execute(
        update(LoginLink)
        .where(LoginLink.token_hash == token_hash(token), LoginLink.used_at.is_(None), LoginLink.expires_at > now)
        .values(used_at=now)
        .returning(LoginLink.user_id)
        .execution_options(synchronize_session=False)
    ).scalar_one_or_none()


def token_hash(token: str) -> str:
    """What the database keeps of a token. It is random, so a fast hash without salt is enough."""
    return hashlib.sha256(token.encode()).hexdigest()


def _new_link(session: Session, user: User, now: datetime) -> str:
    session.execute(delete(LoginLink).where(LoginLink.user_id == user.id, LoginLink.used_at.is_(None)))
    token = secrets.token_urlsafe(32)
    session.add(LoginLink(user_id=user.id, token_hash=token_hash(token), expires_at=now + LINK_LASTS))
    return token


def _by_email(session: Session, address: str) -> User | None:
    return session.scalars(select(User).where(User.email == address)).one_or_none()


def _checked_email(email: str) -> str:
    try:
        # Whether the domain takes mail is nobody's business here: nothing is ever sent.
        checked = validate_email(email.strip(), check_deliverability=False)
    except EmailNotValidError:
        raise BrokenRule(
            f"“{email.strip()[:60]}” is no e-mail address.", fix="Type it as ona@example.com.", field="email"
        ) from None
    return fold(checked.normalized)


def _checked_role(role: str) -> Role:
    try:
        return Role(fold(role))
    except ValueError:
        raise BrokenRule(
            f"“{role}” is not a role.", fix=f"Type one of: {', '.join(each.value for each in Role)}.", field="role"
        ) from None


def link_path(token: str) -> str:
    """Where the link of a token leads, below the installation's own address."""
    return f"/link/{token}"


def owner_of_link(session: Session, token: str, *, now: datetime) -> User | None:
    """Whose link it is, without using it up; None when it is unknown, used or too old. Opens a reading transaction."""
    with reading(session):
        link = session.scalars(
            select(LoginLink).where(
                LoginLink.token_hash == token_hash(token), LoginLink.used_at.is_(None), LoginLink.expires_at > now
            )
        ).one_or_none()
        return None if link is None or link.user.disabled_at is not None else link.user


def enter_by_link(
    session: Session, token: str, *, email: str, name: str, password_hash: str, now: datetime
) -> User | None:
    """Use a link up: the person has this e-mail, name and password from now on; None when the link works no more.

    Everywhere else the person is signed out. Raises BrokenRule when the address is wrong or somebody else's.
    """
    address = _checked_email(email)
    with writing(session):
        user_id = take_link(session, token, now=now)
        if user_id is None:
            return None
        user = session.get_one(User, user_id, populate_existing=True)
        other = _by_email(session, address)
        if other is not None and other.id != user.id:
            raise BrokenRule(f"{address} is somebody else's here.", fix="Type your own e-mail address.")
        before = {"email": user.email, "name": user.name}
        user.email, user.name, user.password_hash = address, name.strip()[:200], password_hash
        user.session_version += 1
        audit.record(
            session, at=now, actor=address, action="entered_by_link", subject_kind=_KIND, subject_id=user.id,
            before=before, after={"email": address, "name": user.name},
        )  # fmt: skip
    return user
