"""A shop that answers at once and a browser of a signed-in person: for tests of the pages of integrations."""

from __future__ import annotations

import html as entities
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from monet_web.connectors import CONNECTORS
from monet_web.connectors.base import Choice, Connector, Page, Parameter, Selection, StoreFacts, Surroundings
from monet_web.domain.errors import BrokenRule, MonetError
from monet_web.domain.orders import Order, Unreadable
from monet_web.models import Integration, User, db
from monet_web.models.base import now_utc, reading, writing
from monet_web.models.users import Role
from monet_web.services.integrations import connect

SECRET = "cs_very-secret-1"
HOSTILE = '<script>alert("1")</script> & Co'

FACTS = StoreFacts(
    name="Kavos <b>namai</b>",
    version="9",
    time_zone="Europe/Vilnius",
    currency="EUR",
    statuses=(Choice("processing", "Vykdomas", is_default=True), Choice("on-hold", "Sulaikytas <i>")),
    payment_methods=(Choice("cod", "Grynieji"), Choice("bacs", "Pavedimas")),
    fields=(Choice("_vat", "_vat"),),
    orders=4312,
    learned={"auth": "basic"},
)


class FakeShop(Connector):
    """The address is the store; `answer` is what its test says."""

    kind = "fake"
    label = "Fake shop"
    parameters = (
        Parameter("address", "Shop's address", "As in the browser.", is_address=True),
        Parameter("key", "Key", "Begins with ck_.", secret=True),
        Parameter("secret", "Secret", "Begins with cs_.", secret=True),
    )
    setup_steps = ("Open Keys → Add <key>.", "Choose the right “Read”.")
    answer: ClassVar[MonetError | StoreFacts] = FACTS
    asked_with: ClassVar[list[Mapping[str, str]]] = []

    def __init__(self, values: Mapping[str, str], surroundings: Surroundings) -> None:
        FakeShop.asked_with.append(dict(values))

    @classmethod
    def store_key(cls, values: Mapping[str, str]) -> str:
        if not values["address"].startswith("http"):
            raise BrokenRule(f"“{values['address']}” is no address.", fix="Type it as https://www.example.com.")
        return values["address"].partition("://")[2].rstrip("/").lower()

    def test(self) -> StoreFacts:
        if isinstance(self.answer, MonetError):
            raise self.answer
        return self.answer

    def pages(self, selection: Selection) -> Iterator[Page]:
        yield from ()

    def by_ids(self, external_ids: Sequence[str]) -> Iterator[Page]:
        yield from ()

    @classmethod
    def read(cls, order: Mapping[str, Any], context: Mapping[str, Any]) -> Order | Unreadable:
        raise NotImplementedError

    def close(self) -> None:
        """Nothing is open."""


def put_shop(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fake platform is there for the time of a test."""
    monkeypatch.setitem(CONNECTORS, "fake", FakeShop)
    monkeypatch.setattr(FakeShop, "answer", FACTS)
    monkeypatch.setattr(FakeShop, "asked_with", [])


def add(session: Session, name: str = "Kava Ltd", address: str = "", **settings: str) -> Integration:
    """An integration of the fake platform, as a person would have connected it."""
    values = {"address": address or f"https://{abs(hash(name))}.example", "key": "ck_1", "secret": SECRET, **settings}
    return connect.add_integration(session, name=name, platform="fake", values=values, now=now_utc(), actor="test")


def again(session: Session, integration: Integration) -> Integration:
    """The row as it is now."""
    with reading(session):
        return session.get_one(Integration, integration.id, populate_existing=True)


def browser(app: Flask, session: Session, role: Role, email: str = "") -> FlaskClient:
    """A client in which a person of that role is signed in."""
    address = email or f"{role.value}@example.com"
    with writing(session):
        user = session.scalars(select(User).where(User.email == address)).one_or_none()
        if user is None:
            user = User(email=address, name=f"Rūta {role.value}", role=role, created_at=now_utc())
            session.add(user)
            session.flush()
        identity = f"{user.id}.{user.session_version}"
    client = app.test_client()
    with client.session_transaction() as cookie:
        cookie["_user_id"] = identity
        cookie["_fresh"] = True
    return client


@contextmanager
def statements(app: Flask) -> Iterator[list[str]]:
    """What the application asks its database while the block runs."""
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        asked.append(statement)

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(engine, "before_cursor_execute", note)


def words(page: str) -> str:
    """What a person reads of a page: without tags, with single spaces."""
    text = re.sub(r"<(script|style|svg)\b.*?</\1>", " ", page, flags=re.DOTALL)
    return " ".join(entities.unescape(re.sub(r"<[^>]+>", " ", text)).split())


def value_of(html: str, name: str) -> str:
    """The value attribute of an input."""
    found = re.search(rf'<input[^>]*\bname="{re.escape(name)}"[^>]*>', html)
    assert found is not None, name
    value = re.search(r'\bvalue="([^"]*)"', found.group())
    return value.group(1) if value else ""
