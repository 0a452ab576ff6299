"""Rates of currencies and of VAT: which one holds on a day, and files of them."""

from __future__ import annotations

from contextlib import suppress
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from monet_web.domain.errors import BrokenRule
from monet_web.models import CurrencyRate
from monet_web.models.base import reading
from monet_web.services.books import rates
from monet_web.services.books.tables import WrongRows
from tests.builders import NOON
from tests.databases import sqlite_only


def load(session: Session, text: str) -> rates.RatesImported:
    return rates.import_rates(session, text.encode(), source="rates.csv", now=NOON, actor="test")


def on(session: Session, currency: str, day: date) -> Decimal | None:
    with reading(session):
        return rates.eur_rates(session, {(currency, day)}).get((currency, day))


def test_a_day_has_its_own_rate_and_a_weekend_the_one_of_its_friday(session: Session) -> None:
    load(session, "date,currency,rate\n2026-11-05,usd,1.15\n2026-11-06,USD,1,16\n".replace("1,16", '"1,16"'))
    assert on(session, "USD", date(2026, 11, 4)) is None
    assert on(session, "USD", date(2026, 11, 5)) == Decimal("1.15")
    assert on(session, "USD", date(2026, 11, 7)) == Decimal("1.16")
    assert on(session, "USD", date(2026, 11, 8)) == Decimal("1.16")
    assert on(session, "USD", date(2026, 11, 9)) is None
    assert on(session, "GBP", date(2026, 11, 6)) is None


def test_an_older_rate_never_stands_in_for_one_that_is_missing(session: Session) -> None:
    load(session, "date,currency,rate\n2026-11-05,USD,1.15\n")
    # The Friday's is missing, so neither it nor its weekend has one.
    assert [on(session, "USD", date(2026, 11, day)) for day in (6, 7, 8)] == [None, None, None]


def test_a_rate_that_was_published_for_a_saturday_counts_on_it_alone(session: Session) -> None:
    load(session, "date,currency,rate\n2026-11-06,USD,1.15\n2026-11-07,USD,1.16\n")
    assert on(session, "USD", date(2026, 11, 7)) == Decimal("1.16")
    assert on(session, "USD", date(2026, 11, 8)) == Decimal("1.15")


def test_over_easter_the_rate_of_maundy_thursday_counts(session: Session) -> None:
    load(session, "date,currency,rate\n2026-04-02,USD,1.15\n")
    assert on(session, "USD", date(2026, 4, 6)) == Decimal("1.15")
    assert on(session, "USD", date(2026, 4, 7)) is None


def test_the_euro_is_one_on_every_day(session: Session) -> None:
    assert on(session, "EUR", date(1999, 1, 1)) == 1


def test_many_pairs_are_answered_at_once(session: Session) -> None:
    load(session, "date,currency,rate\n2026-11-02,USD,1.15\n2026-11-02,SEK,11\n2025-01-02,USD,1.03\n")
    first, second = date(2026, 11, 2), date(2025, 1, 2)
    with reading(session):
        too_late = date(2025, 1, 3)
        asked = {("USD", first), ("USD", second), ("USD", too_late), ("SEK", first), ("SEK", second)}
        found = rates.eur_rates(session, asked)
    assert found == {("USD", first): Decimal("1.15"), ("USD", second): Decimal("1.03"), ("SEK", first): Decimal(11)}


def test_a_rate_that_differs_is_replaced(session: Session) -> None:
    load(session, "date,currency,rate\n2026-11-02,USD,1.15\n2026-11-02,SEK,11\n")
    done = load(session, "date,currency,rate\n2026-11-02,USD,1.16\n2026-11-02,SEK,11\n2026-11-03,USD,1.17\n")
    assert (done.added, done.changed, done.same) == (1, 1, 1)
    assert on(session, "USD", date(2026, 11, 2)) == Decimal("1.16")


def test_every_wrong_rate_is_named_and_nothing_is_kept(session: Session) -> None:
    with pytest.raises(WrongRows) as refused:
        load(
            session,
            "date,currency,rate\n2026-11-02,USD,1.15\n2026-13-02,USD,1\n2026-11-02,EUR,1\n2026-11-02,US,1\n"
            "2026-11-02,SEK,0\n2026-11-02,SEK,-1\n2026-11-02,SEK,x\n2026-11-02,USD,1.16\n",
        )
    assert [row for row, _ in refused.value.rows] == [3, 4, 5, 6, 7, 8, 9]
    with reading(session):
        assert session.scalars(select(CurrencyRate)).all() == []


def test_an_added_vat_rate_holds_beside_the_built_in_ones(session: Session) -> None:
    day = date(2026, 11, 24)
    with reading(session):
        assert not rates.load_rates(session).valid("LT", Decimal(9), day)
    for _ in range(2):  # the same again is no second row
        rates.add_vat_rate(
            session, country="lt", percent=Decimal("9.00"), valid_from=date(2015, 1, 1), valid_to=day, code="pvm2",
            now=NOON, actor="test",
        )  # fmt: skip
    with reading(session):
        known = rates.load_rates(session)
        added = [one for one in rates.list_vat_rates(session, "LT") if not one.is_builtin]
    assert known.valid("LT", Decimal(9), day)
    assert known.valid("LT", Decimal(21), day)
    assert [(one.percent, one.valid_to, one.code) for one in added] == [(Decimal(9), day, "PVM2")]


def test_the_same_rate_again_changes_its_end(session: Session) -> None:
    for last in (date(2026, 11, 22), date(2026, 11, 23)):
        rates.add_vat_rate(
            session, country="EL", percent=Decimal(9), valid_from=date(2015, 1, 1), valid_to=last, now=NOON,
            actor="test",
        )  # fmt: skip
    with reading(session):
        added = [one for one in rates.list_vat_rates(session, "GR") if not one.is_builtin]
    assert [one.valid_to for one in added] == [date(2026, 11, 23)]


@pytest.mark.parametrize(
    ("country", "percent", "last"),
    [("X", "9", None), ("LT", "0", None), ("LT", "101", None), ("LT", "9", date(2014, 1, 1))],
)
def test_a_vat_rate_that_can_not_be_is_refused(session: Session, country: str, percent: str, last: date | None) -> None:
    with pytest.raises(BrokenRule):
        rates.add_vat_rate(
            session, country=country, percent=Decimal(percent), valid_from=date(2015, 1, 1), valid_to=last,
            now=NOON, actor="test",
        )  # fmt: skip


@sqlite_only
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.sampled_from(list('2026-1,.USD"\n ')), max_size=60))
def test_no_file_of_rates_raises_anything_but_a_broken_rule(session: Session, text: str) -> None:
    with suppress(BrokenRule):
        load(session, "date,currency,rate\n" + text)
