"""Which return takes what: filed ones stay, and the first open one corrects those filed in a row before it."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monet_web.domain.oss import (
    Correction,
    Filed,
    Supply,
    corrected_by,
    corrections,
    declared,
    differences,
    takes_changes_of,
)
from monet_web.domain.quarters import Quarter

Q1, Q2, Q3, Q4 = (Quarter(2026, number) for number in (1, 2, 3, 4))
NEXT = Quarter(2027, 1)


@pytest.mark.parametrize(
    ("filed", "corrected"),
    [([], []), ([Q3], [Q3]), ([Q2, Q3], [Q2, Q3]), ([Q2], []), ([Q1, Q3], [Q3])],
)
def test_a_return_corrects_those_filed_in_a_row_before_it(filed: list[Quarter], corrected: list[Quarter]) -> None:
    assert corrected_by(Q4, filed) == corrected


def test_what_changes_goes_to_the_first_return_that_is_open() -> None:
    assert takes_changes_of(Q1, {Q1, Q2, Q4}) == Q3
    assert takes_changes_of(Q4, {Q1, Q2, Q4}) == NEXT


@given(st.sets(st.sampled_from([Q1, Q2, Q3, Q4, NEXT])), st.sampled_from([Q1, Q2, Q3, Q4, NEXT]))
def test_both_say_the_same(filed: set[Quarter], quarter: Quarter) -> None:
    for each in filed - {quarter}:
        if quarter not in filed and each < quarter:
            assert (each in corrected_by(quarter, filed)) == (takes_changes_of(each, filed) == quarter)


def test_a_correction_is_the_difference_to_all_that_was_declared_before() -> None:
    filed = {
        Q2: Filed((a_supply("EE", "10.00"), a_supply("LV", "3.00"))),
        Q3: Filed((), (Correction("EE", Q2, Decimal("-4.00")),)),
    }
    books = {Q2: [a_supply("EE", "6.00"), a_supply("LV", "1.00"), a_supply("FI", "2.00")]}
    assert declared(Q2, filed) == {"EE": Decimal("6.00"), "LV": Decimal("3.00")}
    assert corrections(Q4, books, filed) == [
        Correction("FI", Q2, Decimal("2.00")), Correction("LV", Q2, Decimal("-2.00")),
    ]  # fmt: skip
    assert differences([], {"EE": Decimal("1.00")}) == [("EE", Decimal("-1.00"))]


def test_after_three_years_that_country_is_told_directly() -> None:
    quarters = [Quarter(2023, 3)]
    while quarters[-1] != Q3:
        quarters.append(quarters[-1].after())
    filed = {each: Filed() for each in quarters}
    books = {Quarter(2023, 3): [a_supply("EE", "1.00")], Quarter(2023, 4): [a_supply("EE", "1.00")]}
    assert [(str(one.quarter), one.is_late) for one in corrections(Q4, books, filed)] == [
        ("2023-Q3", True), ("2023-Q4", False),
    ]  # fmt: skip


_AMOUNTS = st.integers(-500, 500).map(lambda cents: Decimal(cents).scaleb(-2))
_STEPS = st.lists(
    st.tuples(st.sampled_from([Q1, Q2, Q3, Q4]), st.sampled_from(["EE", "LV"]), _AMOUNTS)
    | st.sampled_from([Q1, Q2, Q3, Q4]),
    max_size=30,
)


@given(_STEPS)
def test_returns_add_up_to_the_books_in_whatever_order_they_are_filed(steps: list[object]) -> None:
    sold: dict[Quarter, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    filed: dict[Quarter, Filed] = {}

    def take(quarter: Quarter) -> None:
        if quarter not in filed:
            books = {each: [a_supply(country, vat) for country, vat in of.items()] for each, of in sold.items()}
            filed[quarter] = Filed(tuple(books.get(quarter, ())), tuple(corrections(quarter, books, filed)))

    for step in steps:
        if isinstance(step, Quarter):
            take(step)
        elif isinstance(step, tuple):
            sold[step[0]][step[1]] += step[2]
    for quarter in (Q1, Q2, Q3, Q4, NEXT):
        take(quarter)
    for quarter in (Q1, Q2, Q3, Q4):
        now = {country: vat for country, vat in sold[quarter].items() if vat}
        then = {country: vat for country, vat in declared(quarter, filed).items() if vat}
        assert then == now


def a_supply(country: str, vat: Decimal | str) -> Supply:
    return Supply(country, Decimal(24), Decimal(0), Decimal(vat))
