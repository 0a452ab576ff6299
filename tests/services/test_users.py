"""People and their one-time links."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from monet_web.domain.errors import BrokenRule
from monet_web.models import LoginLink, User
from monet_web.models.base import reading, writing
from monet_web.models.users import Role
from monet_web.services import users
from tests.builders import NOON


def take(session: Session, token: str, *, minutes: int = 1) -> int | None:
    with writing(session):
        return users.take_link(session, token, now=NOON + timedelta(minutes=minutes))


def test_a_link_lets_one_person_in_once_for_an_hour(session: Session) -> None:
    user, token = users.add(session, email=" Ona@Example.com ", role="Accountant", now=NOON, actor="test")
    assert (user.email, user.role) == ("ona@example.com", Role.ACCOUNTANT)
    assert take(session, token + "x") is None
    assert take(session, token, minutes=60) is None
    assert take(session, token, minutes=61) is None
    assert take(session, token, minutes=59) == user.id
    assert take(session, token, minutes=59) is None


def test_of_a_link_only_the_hash_is_kept(session: Session) -> None:
    _, token = users.add(session, email="ona@example.com", role="viewer", now=NOON, actor="test")
    with reading(session):
        link = session.scalars(select(LoginLink)).one()
    assert token not in link.token_hash
    assert len(token) >= 40


def test_a_new_link_ends_the_earlier_one(session: Session) -> None:
    user, old = users.add(session, email="ona@example.com", role="viewer", now=NOON, actor="test")
    new = users.new_link(session, email="ONA@example.com", now=NOON, actor="test")
    assert take(session, old) is None
    assert take(session, new) == user.id


@pytest.mark.parametrize(("email", "role"), [("ona", "viewer"), ("", "viewer"), ("ona@example.com", "boss")])
def test_a_wrong_address_or_role_is_refused(session: Session, email: str, role: str) -> None:
    with pytest.raises(BrokenRule):
        users.add(session, email=email, role=role, now=NOON, actor="test")


def test_a_person_is_added_once(session: Session) -> None:
    users.add(session, email="ona@example.com", role="viewer", now=NOON, actor="test")
    with pytest.raises(BrokenRule, match="here already, as viewer"):
        users.add(session, email="ONA@example.com", role="office", now=NOON, actor="test")


def test_the_first_administrators_link_is_made_anew_until_it_was_used(session: Session) -> None:
    first = users.first_administrator_link(session, now=NOON)
    second = users.first_administrator_link(session, now=NOON)
    assert first is not None
    assert second is not None
    assert take(session, first) is None
    user_id = take(session, second)
    assert user_id is not None
    with writing(session):
        session.get_one(User, user_id).password_hash = "hash"
    assert users.first_administrator_link(session, now=NOON) is None
    with reading(session):
        assert session.execute(select(func.count()).select_from(User)).scalar_one() == 1


def test_nobody_gets_a_link_who_may_not_sign_in(session: Session) -> None:
    user, _ = users.add(session, email="ona@example.com", role="viewer", now=NOON, actor="test")
    with writing(session):
        session.get_one(User, user.id).disabled_at = NOON
    with pytest.raises(BrokenRule):
        users.new_link(session, email="ona@example.com", now=NOON, actor="test")
