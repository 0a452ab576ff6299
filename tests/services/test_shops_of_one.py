"""An installation of several shops is connected whole or shop by shop, never so that an order comes twice (A8)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy.orm import Session

from monet_web.connectors.base import Connector
from monet_web.domain.errors import BrokenRule
from monet_web.models import Integration
from monet_web.services.integrations import connect

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


def add(session: Session, name: str, shop: str = "", address: str = "https://arbata.example") -> Integration:
    values = {"address": address, "shop": shop, "number_prefix": f"{name}-"}
    return connect.add_integration(session, name=name, platform="opencart", values=values, now=NOW, actor="test")


@pytest.mark.parametrize(
    ("one", "other", "common"),
    [
        ("a.lt", "a.lt", True),
        ("a.lt", "a.lt#3", True),
        ("a.lt#3", "a.lt", True),
        ("a.lt#3", "a.lt#3", True),
        ("a.lt#3", "a.lt#4", False),
        ("a.lt", "b.lt#3", False),
        ("a.lt", "a.lt/b", False),
    ],
)
def test_which_keys_have_orders_in_common(one: str, other: str, common: bool) -> None:
    assert Connector.have_orders_in_common(one, other) is common


def test_two_shops_stand_side_by_side(session: Session) -> None:
    add(session, "A", "0")
    add(session, "B", "3")
    add(session, "C", "", "https://arbata.example/b")
    add(session, "D", "", "https://arbat_.example")


@pytest.mark.parametrize(("first", "second"), [("", "3"), ("3", "")])
def test_the_whole_beside_one_of_its_shops_is_refused(session: Session, first: str, second: str) -> None:
    add(session, "A", first)
    with pytest.raises(BrokenRule) as caught:
        add(session, "B", second)
    assert caught.value.message.startswith("A has orders in common with arbata.example")
    assert caught.value.fix
    assert caught.value.field == "address"


def test_the_same_shop_twice_is_refused_in_the_old_words(session: Session) -> None:
    add(session, "A", "3")
    with pytest.raises(BrokenRule, match=r"The store arbata\.example#3 is connected already: it is A\."):
        add(session, "B", "03")


def test_one_that_was_all_shops_becomes_one_of_them_and_makes_room(session: Session) -> None:
    add(session, "A")
    connect.set_values(session, "A", {"shop": "0"}, now=NOW, actor="test")
    add(session, "B", "3")
    with pytest.raises(BrokenRule, match="B has orders in common"):
        connect.set_values(session, "A", {"shop": ""}, now=NOW, actor="test")


def test_a_removed_one_is_in_nobody_s_way(session: Session) -> None:
    add(session, "A")
    connect.retire(session, "A", now=NOW, actor="test")
    add(session, "B", "3")
