"""People and their one-time links."""

from __future__ import annotations

import threading
from contextlib import suppress
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, sessionmaker

from monet_web.domain.errors import BrokenRule
from monet_web.models import LoginLink, User
from monet_web.models.base import reading, writing
from monet_web.models.users import Role
from monet_web.services.office import users
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


def two_administrators(session: Session) -> tuple[int, int]:
    first, _ = users.add(session, email="a@example.com", role="administrator", now=NOON, actor="test")
    second, _ = users.add(session, email="b@example.com", role="administrator", now=NOON, actor="test")
    with writing(session):
        session.execute(update(User).values(password_hash="hash"))
    return first.id, second.id


def test_an_administrator_goes_only_while_another_can_sign_in(session: Session) -> None:
    first, second = two_administrators(session)
    users.disable(session, first, now=NOON, actor="test")
    with pytest.raises(BrokenRule, match="only administrator"):
        users.change_role(session, second, role="viewer", now=NOON, actor="test")
    with pytest.raises(BrokenRule, match="only administrator"):
        users.disable(session, second, now=NOON, actor="test")
    users.enable(session, first, now=NOON, actor="test")
    assert users.change_role(session, second, role="viewer", now=NOON, actor="test").role is Role.VIEWER


def test_two_administrators_who_shut_each_other_out_at_once_leave_one(
    session: Session, session_factory: sessionmaker[Session]
) -> None:
    pair = two_administrators(session)
    both = threading.Barrier(2)

    def shut_out(user_id: int) -> None:
        mine = session_factory()
        both.wait()
        with suppress(BrokenRule):
            users.disable(mine, user_id, now=NOON, actor="test")
        mine.close()

    threads = [threading.Thread(target=shut_out, args=(user_id,)) for user_id in pair]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with reading(session):
        assert len(session.scalars(select(User.id).where(User.disabled_at.is_(None))).all()) == 1


def test_who_is_disabled_is_signed_out_everywhere_and_their_link_is_dead(session: Session) -> None:
    user, token = users.add(session, email="ona@example.com", role="viewer", now=NOON, actor="test")
    disabled = users.disable(session, user.id, now=NOON, actor="test")
    assert (disabled.disabled_at, disabled.session_version) == (NOON, 2)
    users.enable(session, user.id, now=NOON, actor="test")
    assert take(session, token) is None
