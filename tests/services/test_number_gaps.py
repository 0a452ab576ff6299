"""A month's numbers from the books: every missing one with what is known of it, on the page and the command line."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update
from sqlalchemy.orm import Session

from monet_web.domain.mask import fold
from monet_web.models import Integration, Series, StoreOrder, TakenNumber
from monet_web.models.base import reading, writing
from monet_web.models.invoices import InvoiceKind, InvoiceState
from monet_web.models.runs import RunKind, RunState
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
    version = a_version(session, order, a_run(session, shop, state=RunState.FAILED))
    plain = {"number": f"KL{n}", "order_number": str(n), "issue_date": day}
    return an_invoice(session, version, **{**plain, **changes}).id


def a_series(session: Session, shop: Integration, prefix: str, next_: int, kind: str = "invoice") -> None:
    session.add(Series(integration_id=shop.id, kind=kind, year=2026, prefix=prefix, next=next_))


def a_read_window(session: Session, shop: Integration, start: int, end: int, **changes: object) -> None:
    """Of an import that began when its window was over, in days from NOON."""
    plain = {"state": RunState.DONE, "kind": RunKind.TIMETABLE, "started_at": NOON + timedelta(days=end)}
    window = {"window_start": NOON + timedelta(days=start), "window_end": NOON + timedelta(days=end)}
    a_run(session, shop, **{**window, **plain, **changes})


def loaded(session: Session, month: date = NOVEMBER) -> numbers.NumbersReport:
    with reading(session):
        return numbers.load(session, month)


def missing(report: numbers.NumbersReport) -> list[tuple[str, str, str]]:
    """(first, last, why) of every series."""
    return [(m.first, m.last, m.why.code) for store in report.stores for each in store.series for m in each.missing]


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
    # A conflict, an order that nobody can read, one without a document, and one that never came explain nothing.
    assert loaded(session).unexplained == 4
    journals.delete(session, [waiting], leave_out=False, reason="", now=NOON, actor="ona@example.com")
    assert told(session)["KL9"] == "order 9 has no document yet"  # a run brings it back
    assert loaded(session).unexplained == 5


def test_a_deleted_document_explains_its_number_unless_a_run_brings_it_back(session: Session) -> None:
    with writing(session):
        shop = the_shop(session, number_from="invoice", number_prefix="")
        waiting = [
            a_document_of(session, shop, n, number=f"F{n}", order_number=f"{n + 50}", state=InvoiceState.IN_JOURNAL)
            for n in (102, 104)
        ]
        for n in (101, 103, 105):
            a_document_of(session, shop, n, number=f"F{n}", order_number=f"{n + 50}")
        for n in (102, 104):
            key = fold(str(n))
            session.execute(update(StoreOrder).where(StoreOrder.number_key == key).values(number_key=str(n + 50)))
    who: dict[str, Any] = {"now": NOON, "actor": "ona@example.com"}
    journals.delete(session, waiting[:1], leave_out=False, reason="", **who)
    journals.delete(session, waiting[1:], leave_out=True, reason="a test", **who)
    assert told(session) == {
        "F102": "order 152 has no document yet",
        "F104": "its invoice was deleted by ona@example.com on 2026-11-23",
    }
    assert loaded(session).unexplained == 1


def test_a_number_that_never_came_is_explained_where_all_that_the_store_has_was_read(session: Session) -> None:
    with writing(session):
        shop = the_shop(session)
        for n, moment in ((1, NOON), (3, NOON + timedelta(days=2)), (6, NOON + timedelta(days=9))):
            a_document_of(session, shop, n)
            session.execute(update(StoreOrder).where(StoreOrder.order_number == str(n)).values(placed_at=moment))
        for start, end in ((-1, 2), (1, 4), (8, 10)):
            a_read_window(session, shop, start, end)
        a_read_window(session, shop, 0, 20, state=RunState.FAILED)
        a_read_window(session, shop, 0, 20, kind=RunKind.PREVIEW)
        a_read_window(session, shop, 0, 20, started_at=NOON + timedelta(days=6))  # it could not read what came later
    words = "the store has no order with this number: all it has of 2026-11-23 – 2026-11-25 was read"
    assert told(session) == {"KL2": words, "KL4": "no order with this number came from the store"}
    assert loaded(session).unexplained == 2
    with writing(session):
        session.execute(update(Integration).values(settings={"number_prefix": "KL", "select_by": "paid"}))
    assert loaded(session).unexplained == 3


def test_a_prefix_that_was_changed_leaves_the_orders_of_the_former_one_explained(session: Session) -> None:
    with writing(session):
        shop = the_shop(session)
        for n in (1, 3):
            a_document_of(session, shop, n)
        an_order_of(session, shop, 2, Outcome.FILTERED, reason="not_paid", details={"status": "pending"})
        for n in (4, 6):
            a_document_of(session, shop, n, number=f"NEW-{n}")
        an_order_of(session, shop, 5, Outcome.FILTERED, reason="not_paid", details={"status": "pending"})
        session.execute(update(Integration).values(settings={"number_prefix": "NEW-"}))
    assert told(session) == {
        "KL2": "order 2 made no invoice: not paid yet (pending)",
        "NEW-5": "order 5 made no invoice: not paid yet (pending)",
    }


def test_a_number_of_the_stores_invoices_is_no_orders_number(session: Session) -> None:
    with writing(session):
        shop = the_shop(session, number_from="invoice", number_prefix="")
        for n in (101, 103):
            a_document_of(session, shop, n, number=f"F{n}", order_number=f"{n + 50}")
        an_order_of(session, shop, 102, Outcome.FILTERED, reason="not_paid", details={"status": "pending"})
    assert missing(loaded(session)) == [("F102", "F102", "no_invoice")]
    assert loaded(session).unexplained == 1


def test_a_gap_of_our_own_series_is_seen_however_long_ago_its_number_before_was_given(session: Session) -> None:
    with writing(session):
        shop = the_shop(session, number_from="series", credit_number_from="series")
        for n, day in ((1, date(2026, 1, 5)), (2, date(2026, 1, 9)), (4, DAY), (5, DAY)):
            a_document_of(session, shop, n, day, number=f"KL2026-{n:06d}")
        a_document_of(session, shop, 9, number="KLK2026-000002", kind=InvoiceKind.CREDIT_NOTE)
        a_series(session, shop, "KL", 7)
        a_series(session, shop, "KLK", 3, "credit_note")
    assert missing(loaded(session)) == [
        ("KL2026-000003", "KL2026-000003", "never_given"), ("KL2026-000006", "KL2026-000006", "never_given"),
        ("KLK2026-000001", "KLK2026-000001", "never_given"),
    ]  # fmt: skip
    assert loaded(session).unexplained == 3
    assert [each.is_own for store in loaded(session).stores for each in store.series] == [True, True]
    assert missing(loaded(session, date(2026, 1, 1))) == []
    assert [store.series[0].documents for store in loaded(session, date(2026, 1, 1)).stores] == [2]


def test_numbers_of_our_own_series_that_other_months_have_are_no_gap_and_run_backwards(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(numbers, "MOST_LOOKED", 3)
    with writing(session):
        shop = the_shop(session, number_from="series")
        days = (date(2026, 2, 1), date(2026, 6, 3), date(2026, 7, 1), date(2026, 6, 30), date(2026, 8, 1))
        for n, day in enumerate(days, start=2):
            a_document_of(session, shop, n, day, number=f"KL2026-{n:06d}")
        for n, day in ((1, date(2026, 2, 1)), (7, date(2026, 2, 3))):
            a_document_of(session, shop, n, day, number=f"KL2026-{n:06d}")
        a_series(session, shop, "KL", 8)
    report = loaded(session, date(2026, 2, 1))
    assert missing(report) == [("KL2026-000003", "KL2026-000006", "dated_between")]
    assert report.unexplained == 0
    (late,) = report.stores[0].series[0].out_of_order
    assert (late.number, late.beside, late.beside_day, late.why) == (
        "KL2026-000007", "KL2026-000006", date(2026, 8, 1), "series",
    )  # fmt: skip
    (row,) = report.stores[0].series[0].missing
    assert row.why.text("en") == "on documents dated 2026-06-03 to 2026-08-01"


def test_credit_notes_and_second_invoices_follow_an_invoice_of_long_ago(session: Session) -> None:
    with writing(session):
        shop = the_shop(session)
        old = a_document_of(session, shop, 1, date(2026, 3, 1))
        a_document_of(
            session, shop, 2, number="KL1-K2", kind=InvoiceKind.CREDIT_NOTE, credits_invoice_id=old, order_number="1"
        )
        a_document_of(session, shop, 3, number="KL1-2", revision=2, order_number="1")
    (store,) = loaded(session).stores
    assert (store.series, store.alone) == ((), ("KL1-K2", "KL1-2"))


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
    assert [(one.number, one.beside, one.why) for one in series.out_of_order] == [
        ("KL2026-000001", "KL2026-000002", "series")
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
    assert found.unexplained == 899_999_999_997


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
    assert page.count("Not explained") == 1
    assert 'href="/settings/numbers"' in page
    client.post("/settings/own", data={"language": "lt", "theme": ""})
    assert "užsakymo tokiu numeriu iš parduotuvės negauta" in browser(app, session, Role.VIEWER).get(
        "/reports/numbers?month=2026-11"
    ).get_data(as_text=True)
    assert client.get("/reports").status_code == 200
    assert client.get("/reports/numbers?month=2025-01").status_code == 200
