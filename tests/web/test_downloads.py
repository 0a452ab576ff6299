"""What an OpenCart shop needs is offered where it is connected: files, steps and pictures, without a secret in them."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from monet_web.connectors.base import Download
from monet_web.connectors.opencart import OpenCart
from monet_web.models.base import now_utc
from monet_web.models.users import Role
from monet_web.services.integrations import connect
from tests.web.integrating import browser

SECRET = "opencart-key-4711"


@pytest.fixture
def client(app: Flask, session: Session) -> FlaskClient:
    return browser(app, session, Role.ADMINISTRATOR)


@pytest.mark.parametrize("download", OpenCart.downloads, ids=lambda one: one.key)
def test_each_file_comes_under_the_name_that_the_installer_wants(client: FlaskClient, download: Download) -> None:
    answer = client.get(f"/integrations/downloads/opencart/{download.key}")
    assert (answer.status_code, answer.mimetype) == (200, download.media_type)
    assert answer.headers["Content-Disposition"] == f"attachment; filename={download.file_name}"
    assert answer.data == download.content()


def test_the_form_offers_them_with_steps_and_pictures(client: FlaskClient) -> None:
    text = client.get("/integrations/connect/opencart").text
    for one in OpenCart.downloads:
        assert f'href="/integrations/downloads/opencart/{one.key}"' in text
    for picture in OpenCart.setup_pictures:
        assert f"/static/steps/{picture.file_name}" in text
        with client.get(f"/static/steps/{picture.file_name}") as drawn:
            assert (drawn.status_code, drawn.mimetype) == (200, "image/svg+xml")
    assert "System → Users → API" in text


def test_a_connected_store_s_form_offers_them_too_and_no_file_holds_its_key(
    client: FlaskClient, session: Session
) -> None:
    values = {"address": "https://shop.example.com", "api_key": SECRET}
    integration = connect.add_integration(
        session, name="Arbata", platform="opencart", values=values, now=now_utc(), actor="test"
    )
    text = client.get(f"/integrations/{integration.id}").text
    assert "/integrations/downloads/opencart/oc4" in text
    assert SECRET not in text
    for one in OpenCart.downloads:
        content = client.get(f"/integrations/downloads/opencart/{one.key}").data
        assert SECRET.encode() not in content
        assert b"shop.example.com" not in content


@pytest.mark.parametrize("path", ["opencart/other", "woocommerce/file", "nothing/file", "opencart/..%2ffile"])
def test_what_is_not_offered_is_not_there(client: FlaskClient, path: str) -> None:
    assert client.get(f"/integrations/downloads/{path}").status_code == 404


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OFFICE])
def test_who_may_not_connect_stores_gets_no_file(app: Flask, session: Session, role: Role) -> None:
    assert browser(app, session, role).get("/integrations/downloads/opencart/file").status_code == 403


def test_a_stranger_is_asked_to_sign_in(app: Flask, session: Session) -> None:
    browser(app, session, Role.ADMINISTRATOR)
    answer = app.test_client().get("/integrations/downloads/opencart/file")
    assert answer.status_code == 302
    assert "/sign-in" in answer.headers["Location"] or "login" in answer.headers["Location"]
