"""Dates that do not follow numbers: as few documents as can be, each beside one that it contradicts."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monet_web.domain.number_dates import WHY_DATED, out_of_order
from monet_web.domain.number_gaps import Numbered, Series, series_of

FIRST = date(2026, 11, 1)


def series(*days: int, touched: int = 0) -> Series:
    """Numbers from 1 on, by days from the 1st of November: below 0 October, from 30 on December."""
    documents = []
    for n, each in enumerate(days, start=1):
        day = FIRST + timedelta(days=each)
        documents.append(Numbered(str(n), day, 0 <= each < 30, n == touched, is_later=each >= 30))
    (found,), _ = series_of(documents)
    return found


@pytest.mark.parametrize(
    ("days", "named"),
    [
        ((1, 2, 2, 3), []),
        ((1, 20, 2, 3, 4), [("2", "3")]),  # the one that is late, not the three after it
        ((5, 6, 7, 1, 8), [("4", "3")]),
        ((1, 31, 2, 3), [("2", "3")]),  # dated in December: it contradicts two of the month
        ((3, 4, -2, 5), [("3", "2")]),
        ((-9, -3, -5, 1, 33, 32), []),  # of other months, all of them
        ((1, 2, 40, 45, 43, 50, 3), [("7", "6")]),  # registered long after its day
    ],
)
def test_what_contradicts_the_month_is_named(days: tuple[int, ...], named: list[tuple[str, str]]) -> None:
    assert [(one.number, one.beside) for one in out_of_order(series(*days), "order")] == named


def test_who_was_corrected_by_hand_is_told_apart() -> None:
    assert [one.why for one in out_of_order(series(1, 9, 2, 3, touched=2), "series")] == ["by_hand"]
    assert [one.why for one in out_of_order(series(1, 9, 2, 3, touched=3), "series")] == ["by_hand"]
    assert [one.why for one in out_of_order(series(1, 9, 2, 3), "series")] == ["series"]
    assert all(en != lt for en, lt in WHY_DATED.values())


@given(st.lists(st.integers(-20, 50), min_size=1, max_size=40).filter(lambda days: any(0 <= day < 30 for day in days)))
def test_without_what_is_named_every_document_of_the_month_is_in_order(days: list[int]) -> None:
    found = series(*days)
    named = {one.number: one for one in out_of_order(found, "order")}
    kept = [(n, day) for n, day in enumerate(days, start=1) if str(n) not in named]
    for place, (_, day) in enumerate(kept):
        for _, other in kept[place + 1 :]:
            assert other >= day or not (0 <= day < 30 or 0 <= other < 30)
    for number, one in named.items():
        assert one.beside_day != one.day
        assert (int(one.beside) < int(number)) == (one.beside_day > one.day)
