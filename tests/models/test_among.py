"""Among: the same rows as `IN` finds, by the index, with one parameter for any number of values."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from monet_web.models import Customer, Item
from monet_web.models.among import among, table_of
from monet_web.models.base import reading, writing
from monet_web.models.bulk import insert_missing, insert_rows, write_over

pytestmark = pytest.mark.unused_database

ITEMS = table_of(Item).c
BY_CODE = select(ITEMS.id).where(among(ITEMS.code_key, "keys")).order_by(ITEMS.id)
BY_ID = select(ITEMS.code).where(among(ITEMS.id, "ids")).order_by(ITEMS.id)
CODES = ("mug", "žvakė \"1'\\", "{a,b}", "null", "7")


def item(number: int, code: str) -> dict[str, Any]:
    return {
        "id": number, "code": code, "code_key": code, "name": code, "kind": "goods", "keeps_stock": True,
        "vat_class": "", "unit": "",
    }  # fmt: skip


@pytest.fixture(autouse=True)
def _items(session: Session) -> None:
    with writing(session):
        insert_rows(session, Item, [item(number, code) for number, code in enumerate(CODES, start=1)])


@pytest.mark.parametrize(
    ("keys", "found"),
    [((), []), (("mug",), [1]), ({"7", "null", "no such"}, [4, 5]), (CODES, [1, 2, 3, 4, 5]), (["{a", "b}", "1"], [])],
)
def test_texts_are_found_as_they_are(session: Session, keys: Collection[str], found: list[int]) -> None:
    with reading(session):
        assert list(session.scalars(BY_CODE, {"keys": keys})) == found


def test_ids_are_found(session: Session) -> None:
    with reading(session):
        assert list(session.scalars(BY_ID, {"ids": {5, 1, 10**12}})) == ["mug", "7"]


@pytest.mark.parametrize("query", [BY_CODE, BY_ID])
def test_the_index_is_used(session: Session, query: Any) -> None:
    dialect = session.get_bind().dialect
    sql = str(query.compile(dialect=dialect))
    with reading(session):
        if dialect.name == "sqlite":
            plan = [row.detail for row in session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", ("[]",))]
            assert any("SEARCH items USING" in line for line in plan), plan
            return
        session.execute(text("SET LOCAL enable_seqscan = off"))  # of five rows every plan would read all
        values = {"keys": ["mug"], "ids": [1]}
        plan = [row[0] for row in session.connection().exec_driver_sql(f"EXPLAIN {sql}", values)]
        assert any("Index Cond" in line for line in plan), plan


def test_of_rows_that_are_there_already_none_is_inserted_again(session: Session) -> None:
    with writing(session):
        assert insert_missing(session, Item, [item(1, "mug"), item(6, "hat")]) == 1
        assert insert_missing(session, Item, []) == 0
    with reading(session):
        assert list(session.scalars(BY_ID, {"ids": {1, 6}})) == ["mug", "hat"]


def test_rows_are_written_over_by_their_unique_columns(session: Session) -> None:
    rows = [item(1, "mug") | {"name": "Mug, blue"}, item(6, "hat")]
    with writing(session):
        write_over(session, Item, rows, unique=("id",))
        write_over(session, Item, [], unique=("id",))
    with reading(session):
        names = session.execute(select(ITEMS.id, ITEMS.name).where(among(ITEMS.id, "ids")), {"ids": [1, 2, 6]})
        assert {row.id: row.name for row in names} == {1: "Mug, blue", 2: CODES[1], 6: "hat"}


def test_json_and_texts_travel_in_arrays_as_they_are(session: Session) -> None:
    rows = [
        {"id": number, "name": name, "address": {"line": name, "no": None}}
        for number, name in enumerate(CODES, start=1)
    ]
    with writing(session):
        assert insert_missing(session, Customer, rows) == len(rows)
    with reading(session):
        kept = {one.name: one.address for one in session.scalars(select(Customer))}
        assert kept == {name: {"line": name, "no": None} for name in CODES}
