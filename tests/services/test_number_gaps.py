"""A month's numbers from the books: every missing one with what is known of it, on the page and the command line."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from flask import Flask
from sqlalchemy import update
from sqlalchemy.orm import Session

from monet_web.domain.mask import fold
from monet_web.models import Integration, StoreOrder, TakenNumber
from monet_web.models.base import reading, writing
from monet_web.models.invoices import InvoiceState
from monet_web.models.runs import RunState
from monet_web.models.store_orders import Outcome
from monet_web.models.users import Role
from monet_web.services.documents import journals
from monet_web.services.reports import numbers
from tests.builders import NOON, a_run, a_store_order, a_version, an_integration, an_invoice
from tests.web.integrating import browser

NOVEMBER = date(2026, 11, 1)
DAY = date(2026, 11, 10)


def the_shop(session: Session, name: str = "KL", **settings: str) -> Integration:
    return an_integration(session, name, settings={"number_prefix": "KL", **settings})


def an_order_of(session: Session, shop: Integration, n: int, outcome: Outcome, **changes: object) -> StoreOrder:
    plain = {"order_number": str(n), "number_key": fold(str(n)), "outcome": outcome, "placed_at": NOON}
    return a_store_order(session, shop, str(n), **{**plain, **changes})


def a_document_of(session: Session, shop: Integration, n: int, day: date = DAY, **changes: object) -> int:
    order = an_order_of(session, shop, n, Outcome.REGISTERED)
    version = a_version(session, order, a_run(session, shop, state=RunState.DONE))
    return an_invoice(session, version, **{"number": f"KL{n}", "issue_date": day, **changes}).id


def told(session: Session) -> dict[str, str]:
    """first missing number → why."""
    with reading(session):
        found = numbers.load(session, NOVEMBER)
    return {one.first: one.why.text("en") for store in found.stores for each in store.series for one in each.missing}


def test_every_missing_number_says_where_it_is(session: Session) -> None:
    with writing(session):
        shop, other = the_shop(session), the_shop(session, "Other")
        a_document_of(session, shop, 1)
        an_order_of(session, shop, 2, Outcome.FILTERED, reason="not_paid", details={"status": "pending"})
        an_order_of(session, shop, 3, Outcome.CONFLICT)
        an_order_of(session, shop, 4, Outcome.UNREADABLE)
        an_order_of(session, shop, 5, Outcome.FILTERED, left_out=True, left_out_reason="a test", reason="left_out")
        a_document_of(session, shop, 6, date(2026, 12, 2))
        a_document_of(session, other, 7)
        session.add(TakenNumber(number="KL8", number_key=fold("KL8"), source="used.csv"))
        waiting = a_document_of(session, shop, 9, state=InvoiceState.IN_JOURNAL)
        a_document_of(session, shop, 13)
        a_document_of(session, shop, 11, number="KL-odd")
        an_order_of(session, shop, 12, Outcome.OPEN)
    assert told(session) == {
        "KL2": "order 2 made no invoice: not paid yet (pending)",
        "KL3": "order 3: its number belongs to another order",
        "KL4": "order 4 could not be read",
        "KL5": "order 5 was left out by hand: a test",
        "KL6": "on a document dated 2026-12-02",
        "KL7": "on a document of Other, dated 2026-11-10",
        "KL8": "used outside this program (used.csv)",
        "KL9": "waits in a journal, dated 2026-11-10",
        "KL10": "no order with this number came from the store",
        "KL11": "order 11 has the number KL-odd",
        "KL12": "order 12 has no document yet",
    }
    journals.delete(session, [waiting], leave_out=False, reason="", now=NOON, actor="ona@example.com")
    assert told(session)["KL9"] == "its invoice was deleted by ona@example.com on 2026-11-23"


def test_a_series_of_ours_has_no_gap_that_a_store_explains(session: Session) -> None:
    with writing(session):
        shop = the_shop(session, number_from="series")
        for n, days in ((1, 0), (2, -3), (4, 0)):
            number = f"KL2026-{n:06d}"
            a_document_of(session, shop, n, DAY + timedelta(days=days), number=number)
    with reading(session):
        found = numbers.load(session, NOVEMBER)
    ((series,),) = [store.series for store in found.stores]
    assert [(one.first, one.why.code) for one in series.missing] == [("KL2026-000003", "never_given")]
    assert found.unexplained == 1
    assert [(one.number, one.before, one.why) for one in series.backwards] == [
        ("KL2026-000002", "KL2026-000001", "series")
    ]


def test_a_jump_is_told_and_not_walked_through(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numbers, "MOST_LOOKED", 3)
    with writing(session):
        shop = the_shop(session)
        for n in (1, 4, 900_000_000_000):
            a_document_of(session, shop, n)
    with reading(session):
        found = numbers.load(session, NOVEMBER)
    (series,) = found.stores[0].series
    assert [(one.first, one.count, one.why.code) for one in series.missing] == [
        ("KL2", 2, "never_came"), ("KL5", 899_999_999_995, "not_looked"),
    ]  # fmt: skip
    assert found.unexplained == 899_999_999_995


def test_a_reason_that_an_earlier_version_kept_without_its_values_is_still_told(session: Session) -> None:
    with writing(session):
        shop = the_shop(session)
        a_document_of(session, shop, 1)
        an_order_of(session, shop, 2, Outcome.FILTERED, reason="not_paid")
        a_document_of(session, shop, 3)
    assert told(session) == {"KL2": "order 2 made no invoice: not paid yet"}


def test_the_page_escapes_and_speaks_the_persons_language(app: Flask, session: Session) -> None:
    with writing(session):
        shop = the_shop(session)
        a_document_of(session, shop, 1)
        a_document_of(session, shop, 3)
        session.execute(update(Integration).values(name="<b>KL</b>"))
    client = browser(app, session, Role.VIEWER)
    page = client.get("/reports/numbers?month=2026-11").get_data(as_text=True)
    assert "no order with this number came from the store" in page
    assert "&lt;b&gt;KL&lt;/b&gt;" in page
    client.post("/settings/own", data={"language": "lt", "theme": ""})
    assert "užsakymo tokiu numeriu iš parduotuvės negauta" in browser(app, session, Role.VIEWER).get(
        "/reports/numbers?month=2026-11"
    ).get_data(as_text=True)
    assert client.get("/reports").status_code == 200
    assert client.get("/reports/numbers?month=2025-01").status_code == 200
