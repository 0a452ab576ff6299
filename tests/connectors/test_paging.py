"""Lists that change while they are read, rows that break a page, servers that know no offset."""

from __future__ import annotations

import random
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monet_web.connectors.broken import TooManyBroken
from monet_web.connectors.failures import TimedOut, Unusable
from monet_web.connectors.paging import Hole, IdOrdered, SeenIds, Slice
from monet_web.domain.errors import NeedsOwner, RetryLater


class Store:
    """A list of ids that `change` may change before each answer."""

    def __init__(self, ids: list[int], *, change: Callable[[Store], None] | None = None) -> None:
        self.ids = sorted(ids)
        self.broken: set[int] = set()
        self.asked: list[tuple[int, int]] = []
        self._change = change

    def fetch(self, start: int, size: int) -> Slice:
        self.asked.append((start, size))
        if self._change and len(self.asked) > 1:
            self._change(self)
        ids = self.ids[start : start + size]
        if self.broken & set(ids):
            raise Unusable("a plugin fails")
        return Slice([{"id": number} for number in ids], len(self.ids) if ids else 0)

    def fetch_page(self, start: int, size: int) -> Slice:
        """A store that knows pages only: a start that is no page gives the first."""
        return self.fetch(start if start % size == 0 else 0, size)


def answers(number: int | None) -> object:
    """A store that gives what it gave before."""
    return number


def fails(number: int | None) -> object:
    raise Unusable("the store fails")


def read(listing: IdOrdered) -> list[int]:
    return [row["id"] for row in listing if not isinstance(row, Hole)]


@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 99, 100, 101, 250])
def test_every_row_once_whatever_their_number(count: int) -> None:
    ids = list(range(1, count + 1))
    for size in (1, 10, 100):
        assert read(IdOrdered(Store(ids).fetch, answers, size=size)) == ids
        assert read(IdOrdered(Store(ids).fetch_page, answers, size=size, by_page=True)) == ids


def test_rows_come_lazily() -> None:
    store = Store(list(range(1, 1000)))
    rows = iter(IdOrdered(store.fetch, answers, size=10))
    for _ in range(10):
        next(rows)
    assert len(store.asked) == 1


def test_a_trashed_order_makes_none_missed_though_a_new_one_keeps_the_total() -> None:
    def trash_one_and_sell_one(store: Store) -> None:
        del store.ids[0]
        store.ids.append(store.ids[-1] + 1)

    store = Store(list(range(1, 101)), change=trash_one_and_sell_one)
    found = read(IdOrdered(store.fetch, answers, size=10))
    assert set(range(60, 101)) <= set(found)
    assert found == sorted(set(found))
    missed = [number for number in store.ids if number <= 100 and number not in found]
    assert missed == []


@given(seed=st.integers(0, 10**6), size=st.sampled_from([10, 20, 100]))
def test_whatever_comes_and_goes_an_order_that_stays_is_read_once(seed: int, size: int) -> None:
    chance = random.Random(seed)
    stays = set(range(3, 120, 3))

    def change(store: Store) -> None:
        for _ in range(chance.randrange(4)):
            store.ids = [number for number in store.ids if number in stays or chance.random() > 0.02]
            if chance.random() < 0.7 and len(store.asked) < 60:
                store.ids.append(store.ids[-1] + 1)

    store = Store(list(range(1, 121)), change=change)
    found = read(IdOrdered(store.fetch, answers, size=size))
    assert stays <= set(found)
    assert len(found) == len(set(found))


def test_a_store_that_ignores_offset_is_read_by_page_numbers() -> None:
    store = Store(list(range(1, 36)))
    listing = IdOrdered(store.fetch_page, answers, size=10)
    assert read(listing) == list(range(1, 36))
    assert listing.by_page


def test_by_page_numbers_a_page_is_read_again_when_the_total_dropped() -> None:
    def trash_once(store: Store) -> None:
        if len(store.asked) == 3:
            del store.ids[2]

    store = Store(list(range(1, 46)), change=trash_once)
    found = read(IdOrdered(store.fetch_page, answers, size=10, by_page=True))
    assert set(store.ids) <= set(found)
    assert len(found) == len(set(found))


def test_the_total_is_the_first_pages_because_past_the_end_the_store_says_0() -> None:
    listing = IdOrdered(Store(list(range(1, 21))).fetch, answers, size=10)
    read(listing)
    assert listing.total == 20


def test_one_broken_order_is_a_hole_and_the_rest_goes_on() -> None:
    store = Store(list(range(1, 301)))
    store.broken = {137}
    rows = list(IdOrdered(store.fetch, answers, size=100))
    assert [row["id"] for row in rows if not isinstance(row, Hole)] == [n for n in range(1, 301) if n != 137]
    (hole,) = (row for row in rows if isinstance(row, Hole))
    assert (hole.after, hole.before) == (136, 138)
    assert len(store.asked) < 30


@pytest.mark.parametrize("broken", [{1}, {100}, {101}, {300}, {99, 100, 101}, {1, 2, 3, 4}, {50, 150, 250}])
@pytest.mark.parametrize("by_page", [False, True])
def test_broken_orders_anywhere_cost_only_themselves(broken: set[int], by_page: bool) -> None:
    store = Store(list(range(1, 301)))
    store.broken = broken
    rows = list(IdOrdered(store.fetch_page if by_page else store.fetch, answers, size=100, by_page=by_page))
    assert [row["id"] for row in rows if not isinstance(row, Hole)] == [n for n in range(1, 301) if n not in broken]
    assert len([row for row in rows if isinstance(row, Hole)]) == len(broken)


def test_a_store_that_fails_on_everything_is_not_taken_for_a_heap_of_broken_orders() -> None:
    store = Store(list(range(1, 301)))
    store.broken = set(store.ids)
    with pytest.raises(Unusable):
        read(IdOrdered(store.fetch, fails))
    assert len(store.asked) < 20


@pytest.mark.parametrize("by_page", [False, True])
@pytest.mark.parametrize("first", [1, 40, 290])
def test_many_broken_orders_side_by_side_cost_only_themselves_while_the_store_answers(
    first: int, by_page: bool
) -> None:
    store = Store(list(range(1, 301)))
    store.broken = set(range(first, min(first + 130, 301)))
    asked: list[int | None] = []
    rows = list(IdOrdered(store.fetch_page if by_page else store.fetch, asked.append, size=100, by_page=by_page))
    assert [row["id"] for row in rows if not isinstance(row, Hole)] == [n for n in store.ids if n not in store.broken]
    assert len([row for row in rows if isinstance(row, Hole)]) == len(store.broken)
    assert asked
    assert set(asked) == ({None} if first == 1 else {first - 1})


def test_after_hundreds_of_broken_orders_the_list_ends_and_gives_what_it_has() -> None:
    store = Store(list(range(1, 2001)))
    store.broken = set(range(51, 2001))
    found: list[object] = []

    def collect() -> None:
        for row in IdOrdered(store.fetch, answers, size=100):
            found.append(row)  # noqa: PERF402 - what came before the end is what is looked at

    with pytest.raises(TooManyBroken, match="the one after order 50") as caught:
        collect()
    assert caught.value.fix
    assert len([one for one in found if isinstance(one, Hole)]) >= 500
    assert len([one for one in found if not isinstance(one, Hole)]) == 50


def test_a_store_that_is_slow_with_one_order_is_tried_later() -> None:
    def slow(start: int, size: int) -> Slice:
        raise TimedOut("slow")

    with pytest.raises(TimedOut):
        read(IdOrdered(slow, answers))


def test_a_page_that_repeats_forever_ends_with_an_error() -> None:
    with pytest.raises(RetryLater, match="same page"):
        read(IdOrdered(lambda start, size: Slice([{"id": n + 1} for n in range(size)], 1000), answers))


def test_a_list_without_an_end_ends_with_an_error() -> None:
    with pytest.raises(NeedsOwner, match="does not end"):
        read(IdOrdered(lambda start, size: Slice([{"id": start + n + 1} for n in range(size)]), answers, slices=20))


def test_a_store_that_sorts_otherwise_is_refused_because_orders_could_be_missed() -> None:
    with pytest.raises(NeedsOwner, match="order of their ids"):
        read(IdOrdered(lambda start, size: Slice([{"id": 3}, {"id": 2}], 2), answers))


@pytest.mark.parametrize("value", [None, 0, -1, "x", True, 1.5, {}])
def test_a_row_without_an_id_is_an_error_and_not_a_guess(value: Any) -> None:
    with pytest.raises(RetryLater):
        read(IdOrdered(lambda start, size: Slice([{"id": value}], 1), answers))


@given(st.lists(st.integers(0, 10**6), max_size=60))
def test_seen_ids_are_a_set_that_is_in_order(numbers: list[int]) -> None:
    seen = SeenIds()
    first_times = [seen.add(number) for number in numbers]
    assert first_times == [number not in numbers[:place] for place, number in enumerate(numbers)]
    assert list(seen) == sorted(set(numbers))
    assert len(seen) == len(set(numbers))
    assert all(number in seen for number in numbers)
    assert -1 not in seen


def test_seen_ids_of_a_hundred_thousand_orders_stay_small() -> None:
    tracemalloc.start()
    seen = SeenIds()
    for number in range(0, 300_000, 3):
        seen.add(number)
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(seen) == 100_000
    assert size < 200_000
