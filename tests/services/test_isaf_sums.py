"""A month that the database adds up says what looking at every document says, and is kept while nothing changes."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, update
from sqlalchemy.orm import Session

from monet_web.models import Company, Integration, InvoiceVat
from monet_web.models.base import reading, writing
from monet_web.models.invoices import InvoiceState
from monet_web.services.documents.exports import filings, isaf, isaf_kept
from tests.builders import an_integration
from tests.services.filed import AT_HOME, COMPANY, NOVEMBER, Row, a_document

NOW = datetime(2026, 12, 5, 8, 30, tzinfo=UTC)
WHO: dict[str, Any] = {"now": NOW, "actor": "accountant@example.com"}

ROWS: list[list[Row]] = [
    [AT_HOME], [AT_HOME, ("5", "PVM3", "20.00", "1.00")], [("0", "PVM12", "7.00", "0.00")],
    [("24", "PVM15", "10.00", "2.40"), (None, "PVM100", "0.10", "0.00")], [(None, "", "0.00", "0.00")],
    [("12", "", "10.00", "1.20")], [("12", "X12", "10.00", "1.20")], [("5.125", "PVM1", "10.00", "0.51")],
    [("21", "PVM1", "10.005", "2.10")], [AT_HOME, (None, "", "0.00", "0.00")],
]  # fmt: skip
BUYERS: list[dict[str, str]] = [
    {"country": "LT"}, {"country": ""}, {"country": "el"}, {"country": " lt "}, {"country": "ZZ"}, {},
    {"company": "UAB X", "company_code": "300000001", "country": "LT"},
    {"company": "GmbH", "vat_code": "DE136695976", "country": "DE"}, {"vat_code": "ZZ123456", "country": "DE"},
    {"vat_code": " - ", "country": "LT"},
]  # fmt: skip
OTHERS: list[dict[str, Any]] = [
    {}, {}, {}, {"treatment": "oss", "ship_country": "EE"}, {"treatment": "not_payer"}, {"treatment": ""},
    {"ship_country": ""}, {"ship_country": "XK"}, {"currency": "USD", "eur_rate": "1.15"}, {"number": "K" * 71},
    {"issue_date": date(2026, 10, 31)}, {"state": InvoiceState.IN_JOURNAL}, {"net_eur": Decimal("10.02")},
    {"net_eur": None},
]  # fmt: skip


@pytest.fixture
def shop(session: Session) -> Integration:
    with writing(session):
        session.execute(update(Company).values(**COMPANY))
        integration = an_integration(session)
    filings.set_terms(session, part="EPARD", oss="in", names="given", **WHO)
    return integration


def looked_through(session: Session) -> isaf.Checked:
    """One document after the other, as a file is written."""
    with reading(session):
        company = session.get_one(Company, 1, populate_existing=True)
        checked = replace(isaf.check(session, NOVEMBER), invoices=0, credit_notes=0, not_filed=0, refused_count=0)
        checked.sums, checked.refused = {}, []
        for _ in isaf._looked_through(session, checked, company):
            pass
    return checked


def added_up(session: Session) -> isaf.Checked:
    with reading(session):
        return isaf.check(session, NOVEMBER)


def kept(session: Session) -> isaf.Checked:
    with reading(session):
        return isaf_kept.check(session, NOVEMBER)


def some(session: Session, shop: Integration, chosen: random.Random, count: int) -> None:
    with writing(session):
        for n in range(count):
            changes = dict(chosen.choice(OTHERS))
            number = changes.pop("number", "KL-") + str(n)
            one = a_document(
                session, shop, number, chosen.choice(ROWS), buyer=dict(chosen.choice(BUYERS)),
                **{"treatment": "domestic", **changes},
            )  # fmt: skip
            if chosen.random() < 0.2:
                a_document(session, shop, f"{number}-K1"[-60:], [("21", "PVM1", "-1.00", "-0.21")], of=one)


@pytest.mark.parametrize("oss", ["in", "out", ""])
@pytest.mark.parametrize("seed", range(3))
def test_the_sums_are_those_of_looking_at_every_document(
    session: Session, shop: Integration, oss: str, seed: int
) -> None:
    filings.set_terms(session, oss=oss, **WHO)
    some(session, shop, random.Random(seed), 60)
    one_by_one = looked_through(session)
    assert added_up(session) == one_by_one
    assert one_by_one.refused_count
    assert one_by_one.documents


@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("buyer", [BUYERS[0], BUYERS[4]])
def test_each_kind_of_rows_is_added_up_as_it_is_looked_at(
    session: Session, shop: Integration, rows: list[Row], buyer: dict[str, str]
) -> None:
    with writing(session):
        a_document(session, shop, "KL-1", rows, buyer=buyer)
        a_document(session, shop, "KL-2")
    assert added_up(session) == looked_through(session)


def test_a_row_without_its_amount_in_euro_is_not_added_up(session: Session, shop: Integration) -> None:
    with writing(session):
        a_document(session, shop, "KL-1")
        session.execute(update(InvoiceVat).values(amount_eur=None))
    assert added_up(session) == looked_through(session)
    assert added_up(session).refused[0].why[0].code == "eur_missing"


def statements(session: Session) -> int:
    """How many the look through a month takes."""
    done: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        done.append(statement)

    engine = session.get_bind()
    event.listen(engine, "before_cursor_execute", note)
    try:
        kept(session)
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return sum("SELECT" in one for one in done)


def test_many_plain_documents_cost_what_a_few_do_and_the_second_look_less(session: Session, shop: Integration) -> None:
    with writing(session):
        for n in range(3):
            a_document(session, shop, f"KL-{n}")
    few, again = statements(session), statements(session)
    with writing(session):
        for n in range(3, 30):
            a_document(session, shop, f"KL-{n}")
    assert statements(session) == few
    assert statements(session) == again < few


def test_what_is_kept_is_forgotten_when_anything_it_says_could_change(
    session: Session, shop: Integration, tmp_path: Path
) -> None:
    def same() -> isaf.Checked:
        now = kept(session)
        exact = added_up(session)
        assert now == exact
        assert (now.since and now.since.id) == (exact.since and exact.since.id)
        return now

    with writing(session):
        first = a_document(session, shop, "KL-1")
        sold = a_document(session, shop, "KL-2", treatment="oss", ship_country="EE", buyer={"country": "EE"})
    assert same().documents == 2
    with writing(session):
        a_document(session, shop, "KL-3")
    assert same().documents == 3
    filings.set_terms(session, oss="out", **WHO)
    assert (same().documents, same().not_filed) == (2, 1)
    with writing(session):
        session.execute(update(Company).values(code=""))
    assert [one.code for one in same().against] == ["company_code"]
    with writing(session):
        session.execute(update(Company).values(**COMPANY))
    isaf.take(session, NOVEMBER, tmp_path / "a.xml", **WHO)
    assert same().since is not None
    with writing(session):
        first = session.get_one(type(first), first.id, populate_existing=True)
        first.buyer = {"company": "UAB Kitas", "country": "LT"}
    assert (same().changes.altered, same().changes.added) == (1, 0)
    filings.set_terms(session, oss="in", **WHO)
    assert same().changes.ids["added"] == [sold.id]
    isaf.take(session, NOVEMBER, tmp_path / "b.xml", **WHO)
    assert same().changes.are_none


def test_months_and_databases_are_kept_apart(session: Session, shop: Integration) -> None:
    with writing(session):
        a_document(session, shop, "KL-1")
        a_document(session, shop, "KL-2", issue_date=date(2026, 10, 2))
        a_document(session, shop, "KL-3", issue_date=date(2026, 10, 3))
    with reading(session):
        counted = [isaf_kept.check(session, date(2026, month, 15)).documents for month in (11, 10, 11, 9)]
    assert counted == [1, 2, 1, 0]
