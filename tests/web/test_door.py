"""The door: who gets in, who does not, and that no view forgets to ask."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from monet_web.blueprints.access import needed_role
from monet_web.models import Company, LoginLink, User
from monet_web.models.base import now_utc, reading, writing
from monet_web.models.users import Role
from monet_web.services.office import passwords, users

PASSWORD = "a sentence of nine words"


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def a_person(session: Session, email: str = "ona@example.com", role: str = "office") -> str:
    user, token = users.add(session, email=email, role=role, name="Ona", now=now_utc(), actor="test")
    with writing(session):
        session.execute(update(User).where(User.id == user.id).values(password_hash=passwords.hashed(PASSWORD)))
    return token


def sign_in(client: FlaskClient, password: str = PASSWORD, **query: str) -> int:
    form = {"email": "ONA@example.com", "password": password}
    return client.post("/sign-in", data=form, query_string=query).status_code


def test_every_view_says_who_may_see_it(app: Flask) -> None:
    silent = [rule.endpoint for rule in app.url_map.iter_rules() if needed_role(app, rule.endpoint) is None]
    assert [endpoint for endpoint in silent if endpoint != "static"] == []


def test_only_the_door_and_health_are_open(app: Flask) -> None:
    open_views = {rule.endpoint for rule in app.url_map.iter_rules() if needed_role(app, rule.endpoint) == "everybody"}
    assert open_views == {"health.alive", "health.ready", "auth.sign_in", "auth.link"}


def test_who_is_not_signed_in_is_sent_to_the_door_and_back(client: FlaskClient, session: Session) -> None:
    a_person(session)
    answer = client.get("/?day=1")
    assert answer.status_code == 302
    assert answer.location == "/sign-in?next=%2F%3Fday%3D1"
    answer = client.post(answer.location, data={"email": "ona@example.com", "password": PASSWORD})
    assert answer.location == "/?day=1"
    assert client.get("/").status_code == 200


@pytest.mark.parametrize("bad", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"])
def test_no_address_leads_out_of_the_house(client: FlaskClient, session: Session, bad: str) -> None:
    a_person(session)
    answer = client.post(
        "/sign-in", data={"email": "ona@example.com", "password": PASSWORD}, query_string={"next": bad}
    )
    assert answer.location == "/"


def test_a_wrong_password_and_an_unknown_person_are_told_alike(client: FlaskClient, session: Session) -> None:
    a_person(session)
    wrong = client.post("/sign-in", data={"email": "ona@example.com", "password": "wrong password"})
    unknown = client.post("/sign-in", data={"email": "jonas@example.com", "password": "wrong password"})
    assert (wrong.status_code, unknown.status_code) == (401, 401)
    assert "does not fit" in wrong.text
    assert "does not fit" in unknown.text


def test_guessing_is_slowed_down(client: FlaskClient, session: Session) -> None:
    a_person(session)
    answers = [sign_in(client, "wrong") for _ in range(10)]
    assert answers[:8] == [401] * 8
    assert answers[8:] == [429, 429]


def test_signing_out_ends_it(client: FlaskClient, session: Session) -> None:
    a_person(session)
    assert sign_in(client) == 302
    assert client.post("/sign-out").status_code == 302
    assert client.get("/").status_code == 302


def test_a_disabled_person_is_out_at_once(client: FlaskClient, session: Session) -> None:
    a_person(session)
    sign_in(client)
    with writing(session):
        session.execute(update(User).values(disabled_at=now_utc()))
    assert client.get("/").status_code == 302


def test_the_first_link_works_once_and_makes_an_administrator(client: FlaskClient, session: Session) -> None:
    token = users.first_administrator_link(session, now=now_utc())
    assert token is not None
    page = client.get(f"/link/{token}")
    assert page.status_code == 200
    assert "administrator@localhost" not in page.text
    form = {"email": "ruta@example.com", "name": "Rūta", "password": PASSWORD}
    assert client.post(f"/link/{token}", data=form).location == "/"
    assert client.get("/").status_code == 200
    assert client.get(f"/link/{token}").status_code == 410
    assert users.first_administrator_link(session, now=now_utc()) is None
    with reading(session):
        user = session.scalars(select(User)).one()
    assert (user.email, user.role, user.name) == ("ruta@example.com", Role.ADMINISTRATOR, "Rūta")
    assert PASSWORD not in user.password_hash


def test_a_link_of_yesterday_lets_nobody_in(client: FlaskClient, session: Session) -> None:
    token = a_person(session)
    with writing(session):
        session.execute(update(LoginLink).values(expires_at=now_utc() - timedelta(seconds=1)))
    assert client.get(f"/link/{token}").status_code == 410


def test_a_short_password_is_asked_again_and_the_link_still_works(client: FlaskClient, session: Session) -> None:
    token = users.first_administrator_link(session, now=now_utc())
    form = {"email": "ruta@example.com", "password": "short"}
    answer = client.post(f"/link/{token}", data=form)
    assert answer.status_code == 200
    assert "at least 10 characters" in answer.text
    assert client.get(f"/link/{token}").status_code == 200


def test_a_change_without_a_token_of_the_form_is_refused(app: Flask, session: Session) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    a_person(session)
    client = app.test_client()
    assert client.post("/sign-in", data={"email": "ona@example.com", "password": PASSWORD}).status_code == 400


def test_what_is_not_there_says_so_in_words(client: FlaskClient, session: Session) -> None:
    a_person(session)
    sign_in(client)
    answer = client.get("/no-such-page")
    assert answer.status_code == 404
    assert "There is no such page" in answer.text


def test_who_is_signed_in_keeps_the_navigation_on_a_page_of_errors(client: FlaskClient, session: Session) -> None:
    a_person(session, role="viewer")
    away = client.get("/no-such-page").text
    assert ("tabbar" in away, "Go to the first page" in away) == (False, True)
    sign_in(client)
    missing, forbidden = client.get("/no-such-page"), client.get("/settings/people")
    assert (missing.status_code, forbidden.status_code) == (404, 403)
    for answer in (missing, forbidden):
        assert 'class="tabbar"' in answer.text
        assert 'href="/journals"' in answer.text
    assert "It is for administrators." in forbidden.text
    assert "It is for the office, accountants and administrators." in client.post("/integrations/launch").text


def test_a_demo_says_so_at_the_door_and_on_a_phone(client: FlaskClient, session: Session) -> None:
    a_person(session)
    assert "Demo" not in client.get("/sign-in").text
    with writing(session):
        session.execute(update(Company).values(is_demo=True))
    for path in ("/sign-in", "/link/no-such-link", "/no-such-page"):
        assert "Demo: nothing here is real." in client.get(path).text
    sign_in(client)
    for path in ("/", "/no-such-page"):
        topbar = client.get(path).text.partition('class="topbar"')[2].partition("</header>")[0]
        assert "Demo" in topbar
