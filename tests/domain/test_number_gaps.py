"""Series of numbers: gaps from the document before the month's first, and why a number is missing."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from monet_web.domain.filters import REASONS
from monet_web.domain.number_gaps import WHY, Numbered, Why, series_of, together


def numbered(number: str, day: int = 10, *, month: int = 11, touched: bool = False, follows: bool = False) -> Numbered:
    return Numbered(number, date(2026, month, day), month == 11, touched, is_later=month > 11, follows=follows)


def test_a_gap_begins_after_the_last_document_before_the_month() -> None:
    (series,), alone = series_of([numbered("KL-7", month=10), numbered("KL-9"), numbered("KL-12")])
    assert series.gaps() == [(8, 8), (10, 11)]
    assert alone == []


def test_numbers_are_one_series_by_what_stands_before_their_last_digits() -> None:
    found, alone = series_of([numbered("KL-1"), numbered("KL2026-000002"), numbered("A/1/B"), numbered("KL-3")])
    assert [each.head for each in found] == ["KL-", "KL2026-"]
    assert [one.number for one in alone] == ["A/1/B"]
    assert found[1].text(7) == "KL2026-000007"


def test_credit_notes_and_second_invoices_follow_their_invoice() -> None:
    every = [numbered("KL-7"), numbered("KL-7-K1", follows=True), numbered("KL-7-2", follows=True), numbered("KL-8")]
    (series,), alone = series_of(every)
    assert series.gaps() == []
    assert [one.number for one in alone] == ["KL-7-K1", "KL-7-2"]


def test_a_series_without_a_document_of_the_month_is_not_told() -> None:
    assert series_of([numbered("KL-7", month=10)]) == ([], [])


def test_a_gap_begins_where_the_caller_knows_the_document_before() -> None:
    (series,), _ = series_of([numbered("5")])
    assert (series.gaps(), series.gaps(2), series.gaps(0), series.gaps(4)) == ([], [(3, 4)], [(1, 4)], [])


def test_numbers_on_documents_of_other_days_are_one_row() -> None:
    (series,), _ = series_of([numbered("1"), numbered("9")])
    days = [Why("dated_elsewhere", {"day": f"2026-12-0{day}"}) for day in (3, 1, 2)]
    (row,) = together(series, list(enumerate(days, start=2)))
    assert (row.first, row.last, row.why.text("en")) == ("2", "4", "on documents dated 2026-12-01 to 2026-12-03")


def test_neighbours_missing_for_one_reason_are_one_row() -> None:
    (series,), _ = series_of([numbered("01"), numbered("10")])
    came, other = Why("never_came"), Why("taken", {"source": "a.csv"})
    rows = together(series, [(2, came), (3, came), (4, other), (6, other)])
    assert [(one.first, one.last, one.count) for one in rows] == [("02", "03", 2), ("04", "04", 1), ("06", "06", 1)]


def test_every_reason_has_words_in_both_languages() -> None:
    names = ("day", "store", "source", "order", "reason", "number", "actor", "first", "last", "days")
    values = dict.fromkeys(names, "x")
    for code in WHY:
        assert Why(code, values).text("en") != Why(code, values).text("lt")
    assert not set(REASONS) & {"never_came", "never_given"}


@given(st.sets(st.integers(1, 60), min_size=1), st.sets(st.integers(1, 60)))
def test_what_is_known_and_what_is_missing_together_are_all_numbers(here: set[int], earlier: set[int]) -> None:
    documents = [numbered(str(n)) for n in here]
    documents += [numbered(str(n), month=10) for n in earlier - here]
    (series,), _ = series_of(documents)
    missing = {n for first, last in series.gaps() for n in range(first, last + 1)}
    below = [n for n in earlier if n < min(here)]
    every = set(range(max(below) if below else min(here), max(here) + 1))
    assert missing == every - here - earlier
