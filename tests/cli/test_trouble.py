"""Orders that could not be entered: each named with its reason and what to do; conflicts answered by commands."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy.orm import Session

from monet_web.domain.orders import Unreadable
from monet_web.models.base import writing
from monet_web.models.company import TakenNumber
from tests.builders import an_order
from tests.cli.conftest import Monet, said
from tests.services.scripted import ScriptedStore, put

PERIOD = ("--from", "2026-01-05", "--to", "2026-01-06")
PLACED = datetime(2026, 1, 5, 10, 0, tzinfo=UTC)
OTHER = "belongs to invoice 1001 of Kava, 2026-11-23, 12.10 EUR (order 1001)."


@pytest.fixture
def shop(monet: Monet, store: type[ScriptedStore]) -> type[ScriptedStore]:
    """Kava has invoice 1001; Kibinai has orders 1001 and 1002, whose numbers are taken."""
    add = ("--platform", "scripted", "accounting_type=amounts", "number_prefix=", "--set")
    monet("integrations", "add", "Kava", *add, "address=kava")
    monet("integrations", "add", "Kibinai", *add, "address=kibinai")
    both = [an_order(external_id=each, number=each, placed_at=PLACED) for each in ("1001", "1002")]
    put(store, *both)
    monet("import", "Kava", *PERIOD)
    return store


def test_conflicts_are_named_in_the_summary_and_by_the_run(monet: Monet, shop: type[ScriptedStore]) -> None:
    shown = monet("import", "Kibinai", *PERIOD).stdout
    assert f"Order 1001 (Kibinai, 2026-01-05, 12.10 EUR): Its number 1001 {OTHER}" in shown
    assert '→ Another prefix for all its orders: monet conflicts prefix "Kibinai" PREFIX' in shown
    assert '→ Another number for this one: monet conflicts number "1001" NUMBER' in shown
    assert OTHER in monet("runs", "show", 2).stdout
    monet("conflicts", "number", "1001", "B-1", "--yes")
    assert "Its number 1001 belonged to the invoice of order 1001; answered since." in monet("runs", "show", 2).stdout


def test_unreadable_orders_are_named_ten_at_most(monet: Monet, shop: type[ScriptedStore]) -> None:
    shop.ORDERS = {}
    reason = "Its list of products (line_items) is empty."
    put(shop, *(Unreadable(str(n), reason, f"N{n}", PLACED) for n in range(1, 13)))
    shown = monet("import", "Kava", *PERIOD).stdout
    assert f"Order N1: {reason}" in shown
    assert "→ Open the order in the store and save it; the next run reads it again." in shown
    assert "Order N10: " in shown
    assert "Order N11: " not in shown
    assert "and 2 more: monet runs show 2" in shown
    assert "Order N12: " in monet("runs", "show", 2).stdout


@pytest.mark.usefixtures("shop")
def test_conflicts_are_listed_with_both_documents(monet: Monet) -> None:
    assert monet("conflicts", "list").stdout == "No order is in conflict.\n"
    monet("import", "Kibinai", *PERIOD)
    assert OTHER in monet("conflicts", "list").stdout
    first = said(monet("conflicts", "list", "--json"))[0]
    assert (first["order"], first["integration"], first["number"]) == ("1001", "Kibinai", "1001")
    assert first["belongs_to"]["integration"] == "Kava"


@pytest.mark.usefixtures("shop")
def test_another_prefix_answers_all_conflicts_of_a_store_after_a_question(monet: Monet) -> None:
    assert "No order of Kibinai is in conflict." in monet("conflicts", "prefix", "kibinai", "K-", "--yes").stdout
    monet("import", "Kibinai", *PERIOD)
    asked = monet("conflicts", "prefix", "kibinai", "KB-", code=2).stderr
    assert "Give Kibinai the prefix “KB-” and enter 2 orders for 24.20 EUR, dated January 2026?" in asked
    assert len(said(monet("conflicts", "list", "--json"))) == 2
    shown = monet("conflicts", "prefix", "kibinai", "KB-", "--yes").stdout
    assert "Order 1001 is registered as KB-1001." in shown
    assert "Order 1002 is registered as KB-1002." in shown
    assert said(monet("conflicts", "list", "--json")) == []


@pytest.mark.usefixtures("shop")
def test_another_number_answers_one_order_after_a_question(monet: Monet) -> None:
    monet("import", "Kibinai", *PERIOD)
    asked = monet("conflicts", "number", " 1001 ", "B-1001", code=2).stderr
    assert "under the number B-1001? It waits in the journal." in asked
    assert "belongs to" in monet("conflicts", "number", "1001", "1002", "--yes", code=2).stderr
    assert "is in conflict" in monet("conflicts", "number", "999", "B-1001", "--yes", code=2).stderr
    shown = monet("conflicts", "number", "1001", "B-1001", "--yes").stdout
    assert "Order 1001 waits in the journal as B-1001." in shown
    assert [one["order"] for one in said(monet("conflicts", "list", "--json"))] == ["1002"]


def test_two_stores_with_the_same_order_need_a_name(monet: Monet, books: Session, shop: type[ScriptedStore]) -> None:
    monet("import", "Kibinai", *PERIOD)
    monet("integrations", "add", "Kepykla", "--platform", "scripted", "accounting_type=amounts", "number_prefix=",
          "address=kepykla")  # fmt: skip
    monet("import", "Kepykla", *PERIOD)
    assert "Type --integration NAME." in monet("conflicts", "number", "1001", "B-1", "--yes", code=2).stderr
    assert "as B-1" in monet("conflicts", "number", "1001", "B-1", "--yes", "--integration", "kepykla").stdout


def test_a_number_used_elsewhere_says_where(monet: Monet, books: Session, shop: type[ScriptedStore]) -> None:
    put(shop, an_order(external_id="7", number="A-7", placed_at=PLACED))
    with writing(books):
        books.add(TakenNumber(number="A-7", number_key="a-7", source="the old program"))
    shown = monet("import", "Kava", *PERIOD).stdout
    assert "Its number A-7 belongs to a document outside this program (the old program)." in shown
