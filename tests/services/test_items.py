"""Items from a file: all or nothing, every wrong row named, aliases that mean one item only."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from monet_web.domain.errors import BrokenRule
from monet_web.models import AuditEntry, Item, ItemAlias
from monet_web.models.base import reading, writing
from monet_web.models.items import AliasKind, ItemKind
from monet_web.services.books.tables import WrongRows
from monet_web.services.goods import items
from tests.builders import NOON, an_integration, an_item
from tests.databases import sqlite_only


def load(session: Session, text: str) -> items.ItemsImported:
    return items.import_items(session, text.encode(), now=NOON, actor="test")


def item(session: Session, code: str) -> Item:
    with reading(session):
        return session.scalars(select(Item).where(Item.code == code).execution_options(populate_existing=True)).one()


def aliases(session: Session) -> set[tuple[int, str, str, str]]:
    with reading(session):
        rows = session.execute(
            select(ItemAlias.store_id, ItemAlias.kind, ItemAlias.value, Item.code).join(
                Item, Item.id == ItemAlias.item_id
            )
        )
        return {(row.store_id, row.kind.value, row.value, row.code) for row in rows}


def count(session: Session, table: type[Item | ItemAlias | AuditEntry]) -> int:
    with reading(session):
        return session.execute(select(func.count()).select_from(table)).scalar_one()


def test_goods_keep_stock_and_services_do_not(session: Session) -> None:
    done = load(session, "code,name,kind,unit,vat_class\nKN-01,Notebook,,vnt.,std\nDEL,Delivery,service,,\n")
    assert (done.added, done.changed, done.same) == (2, 0, 0)
    assert (item(session, "KN-01").kind, item(session, "KN-01").keeps_stock) == (ItemKind.GOODS, True)
    assert (item(session, "DEL").kind, item(session, "DEL").keeps_stock) == (ItemKind.SERVICE, False)
    assert count(session, AuditEntry) == 2


def test_a_file_twice_changes_nothing_the_second_time(session: Session) -> None:
    text = "code,name,barcode,aliases\nKN-01,Notebook,4771,KN-1|product:501\n"
    load(session, text)
    done = load(session, text)
    assert (done.added, done.changed, done.same, done.aliases) == (0, 0, 1, 0)
    assert count(session, AuditEntry) == 4  # the item and its three aliases, once


def test_a_known_item_gets_what_the_file_says_and_keeps_the_rest(session: Session) -> None:
    load(session, "code,name,unit\nKN-01,Notebook,vnt.\n")
    assert load(session, "code,name,unit\nkn-01,Notebook A5,\n").changed == 1
    assert (item(session, "KN-01").name, item(session, "KN-01").unit) == ("Notebook A5", "vnt.")


def test_aliases_of_all_stores_and_of_one(session: Session) -> None:
    with writing(session):
        store_id = an_integration(session, "KL").store_id
    load(
        session,
        "code,name,barcode,aliases,store,kind,value\n"
        "KN-01,Notebook,4771,KN-1|product:501,,,\n"
        "KN-01,,,,kl,variation,77\n",
    )
    assert aliases(session) == {
        (0, "barcode", "4771", "KN-01"),
        (0, "sku", "KN-1", "KN-01"),
        (0, "product", "501", "KN-01"),
        (store_id, "variation", "77", "KN-01"),
    }


def test_every_wrong_row_is_named_and_nothing_is_kept(session: Session) -> None:
    with writing(session):
        other = an_item(session, "OLD")
        session.add(ItemAlias(store_id=0, kind=AliasKind.SKU, value="X", value_key="x", item_id=other.id))
    with pytest.raises(WrongRows) as refused:
        load(
            session,
            "code,name,kind,keeps_stock,aliases,store\n"
            "GOOD,Good,,,,\n"
            ",No code,,,,\n"
            "A,,,,,\n"
            "B,B,thing,,,\n"
            "C,C,service,yes,,\n"
            "D,D,,,x,\n"
            "E,E,,,,Nobody\n"
            "GOOD,Other name,,,,\n",
        )
    assert [row for row, _ in refused.value.rows] == [3, 4, 5, 6, 7, 8, 9]
    assert "means the item OLD already" in refused.value.rows[4][1]
    assert count(session, Item) == 1


def test_an_item_with_stock_on_hand_goes_on_keeping_it(session: Session) -> None:
    with writing(session):
        an_item(session, "KN-01", on_hand=3)
    with pytest.raises(WrongRows) as refused:
        load(session, "code,name,keeps_stock\nKN-01,,no\n")
    assert "has stock on hand" in refused.value.sentence()


def test_a_thousand_items_are_few_statements(session: Session) -> None:
    text = "code,name,barcode\n" + "".join(f"I{n},Item {n},{n}\n" for n in range(1200))
    assert load(session, text).added == 1200
    assert load(session, text).same == 1200


def test_a_preview_says_what_the_import_then_does_and_writes_nothing(session: Session) -> None:
    load(session, "code,name,unit\nOLD,Old,pcs\nSAME,Same,\n")
    data = b"code,name,unit,aliases\nNEW,New,,X|Y\nold,Older,,\nSAME,Same,,\nOLD,,kg,Z\n"
    plan = items.preview(session, data)
    assert [(item.row, item.code, item.is_new) for item in plan.items] == [(2, "NEW", True), (3, "OLD", False)]
    assert dict(plan.items[1].changes) == {"name": ("Old", "Older"), "unit": ("pcs", "kg")}
    assert (plan.added, plan.changed, plan.same, plan.aliases, plan.wrong) == (1, 1, 1, 3, ())
    assert count(session, Item) == 2
    done = items.import_items(session, data, now=NOON, actor="test")
    assert (done.added, done.changed, done.same, done.aliases) == (1, 1, 1, 3)


def test_a_preview_names_every_wrong_row_beside_what_is_right(session: Session) -> None:
    plan = items.preview(session, b"code,name,kind\nA,A,\n,B,\nC,C,thing\n")
    assert [row for row, _ in plan.wrong] == [3, 4]
    assert [item.code for item in plan.items][:1] == ["A"]


def test_the_name_is_kept_for_searches_however_the_item_is_made_or_changed(session: Session) -> None:
    load(session, "code,name\nA,ĄSOTIS „Banga“\n")
    assert item(session, "A").name_key == "ąsotis „banga“"
    load(session, "code,name\nA,Puodelis\n")
    assert item(session, "A").name_key == "puodelis"


@sqlite_only
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from([*'KN1,,,,;|:"\n\t =-ą\x85', "sku", "goods", "no"]), max_size=60).map("".join))
def test_no_file_of_items_raises_anything_but_a_broken_rule(session: Session, text: str) -> None:
    with suppress(BrokenRule):
        load(session, "code,name,kind,keeps_stock,aliases,store,value\n" + text)
