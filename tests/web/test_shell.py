"""What stands around every page: the list of shortcuts, what a screen reader is told, the head of a printed page."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from monet_web.blueprints import navigation
from monet_web.config import CHECKOUT
from monet_web.models.users import Role
from tests.web.integrating import browser

SCRIPT = (CHECKOUT / "monet_web" / "static" / "keys-1.0.0.js").read_text()


@pytest.fixture
def office(app: Flask, session: Session) -> FlaskClient:
    return browser(app, session, Role.OFFICE)


class Noon(datetime):
    """A clock that stands still."""

    @classmethod
    def now(cls, tz: Any = None) -> Any:
        return datetime(2026, 11, 24, 10, 0, tzinfo=UTC).astimezone(tz)


def test_the_shortcuts_are_listed_and_open_by_buttons_in_the_menu_too(office: FlaskClient) -> None:
    page = office.get("/").text
    assert re.search(r'<dialog class="keys-help" id="keys" popover', page)
    assert page.count('popovertarget="keys">Keyboard shortcuts</button>') == 2  # at the side, and under More on a phone
    listed = page[page.index('id="keys"') :]
    for key, does in (
        ("/", "Search"),
        ("x", "Choose the row, or not"),
        ("r", "Ask to register it, or the chosen ones"),
    ):
        assert f"<tr><td><kbd>{key}</kbd></td><td>{does}</td></tr>" in listed
    assert "<kbd>g</kbd> <kbd>j</kbd></td><td>Journals</td>" in listed


def test_every_page_key_that_is_listed_leads_somewhere_and_only_once(office: FlaskClient) -> None:
    page = office.get("/").text
    links = dict(re.findall(r'data-go="(.)" href="([^"]+)"', page))
    assert links["t"] == "/"
    assert (links["i"], links["j"], links["s"]) == ("/integrations", "/journals", "/invoices")
    assert sorted(links) == sorted(re.findall(r"<kbd>g</kbd> <kbd>(.)</kbd>", page))
    assert len(re.findall(r'data-go="', page)) == len(links)


def test_every_key_of_the_script_is_listed(office: FlaskClient) -> None:
    page = office.get("/").text
    listed = set(re.findall(r"<kbd>([^<]+)</kbd>", page))
    used = set(re.findall(r'case "([^"]+)":', SCRIPT)) | set(re.findall(r'key === "([^"]+)"', SCRIPT))
    assert {"Esc" if key == "Escape" else key for key in used} <= listed


def test_what_is_said_aloud_has_a_region_that_stands_empty_from_the_start(office: FlaskClient) -> None:
    assert '<div class="visually-hidden" role="status" id="said"></div>' in office.get("/").text


def test_a_printed_page_says_what_it_is_and_when_it_was_printed(
    office: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(navigation, "datetime", Noon)
    page = office.get("/invoices").text
    assert re.search(r'<p class="on-paper">Monet( · [^·]+)? · Sales invoices · printed 2026-11-24 12:00</p>', page)


def test_who_stands_at_the_door_sees_no_shortcuts(app: Flask) -> None:
    page = app.test_client().get("/sign-in").text
    assert 'id="keys"' not in page
