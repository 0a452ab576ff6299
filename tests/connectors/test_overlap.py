"""Questions that overlap: quicker where a store is slow, never more than it bears, the same rows in the same order."""

from __future__ import annotations

import itertools
import math
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.wrappers import Request, Response

from monet_web.connectors.address_guard import parse
from monet_web.connectors.base import Selection, Surroundings
from monet_web.connectors.failures import Stopped
from monet_web.connectors.http import StoreClient
from monet_web.connectors.overlap import Ahead, Overlap
from monet_web.connectors.pace import WIDEST, Pace
from monet_web.connectors.paging import IdOrdered, Slice
from monet_web.connectors.woocommerce import WooCommerce
from monet_web.demo.serve import serve
from monet_web.demo.woocommerce import VALUES, plain_shop
from monet_web.domain.windows import Window
from tests.connectors.shop import running, says

YEAR = Window(datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))


class Watched:
    """A shop in front of which it is seen how many ask at once, and when; each answer takes `seconds`."""

    def __init__(self, shop: Any, seconds: float = 0.0) -> None:
        self.most = 0
        self.at: list[float] = []
        self.refuse: set[int] = set()
        self.refused: dict[int, float] = {}
        self._shop = shop
        self._seconds = seconds
        self._asking = 0
        self._lock = threading.Lock()

    def __call__(self, environ: Any, start_response: Any) -> Any:
        with self._lock:
            self._asking += 1
            self.most = max(self.most, self._asking)
            self.at.append(time.monotonic())
            number = len(self.at)
        try:
            time.sleep(self._seconds)
            if number in self.refuse:
                self.refused[number] = time.monotonic()
                return Response("[]", 429, {"Retry-After": "1"})(environ, start_response)
            return self._shop(environ, start_response)
        finally:
            with self._lock:
                self._asking -= 1


def connector(address: str, *, should_stop: Callable[[], bool] = lambda: False) -> WooCommerce:
    around = Surroundings(allowed_addresses=(address.removeprefix("http://"),), should_stop=should_stop)
    return WooCommerce({"address": address, **VALUES}, around)


def ids_read(made: WooCommerce) -> list[int]:
    return [entry["order"]["id"] for page in made.pages(Selection(YEAR)) for entry in page.orders]


def test_a_slow_store_is_asked_several_things_at_once_and_gives_the_same_orders() -> None:
    watched = Watched(plain_shop(1500, first=YEAR.start), 0.05)
    with serve(watched) as address:
        made = connector(address)
        ids = ids_read(made)
        made.close()
    assert ids == sorted(set(ids))
    assert len(ids) == 1500
    assert 2 <= watched.most <= WIDEST


def test_who_stops_after_the_first_page_has_asked_for_nothing_more() -> None:
    watched = Watched(plain_shop(1500, first=YEAR.start))
    with serve(watched) as address:
        made = connector(address)
        next(iter(made.pages(Selection(YEAR))))
        asked = len(watched.at)
        made.close()
    assert asked <= 6  # what the version knows, two lists, refunds


def test_after_a_429_everybody_stays_away_and_then_one_asks_at_a_time() -> None:
    watched = Watched(plain_shop(1500, first=YEAR.start), 0.02)
    watched.refuse = {9}
    with serve(watched) as address:
        made = connector(address)
        ids = ids_read(made)
        made.close()
    assert len(ids) == len(set(ids)) == 1500
    refused = watched.at[8] + 0.02
    later = [moment for moment in watched.at[8:] if moment > refused + 0.05]
    assert min(later) - refused >= 0.9
    gaps = [second - first for first, second in itertools.pairwise(later)]
    assert min(gaps) >= 0.018


def test_who_waited_for_his_turn_meanwhile_does_not_ask_before_the_store_wants_it_either() -> None:
    watched = Watched(plain_shop(1500, first=YEAR.start), 0.05)
    with serve(watched) as address:
        made = connector(address)
        pages = made.pages(Selection(YEAR))
        ids = [entry["order"]["id"] for _ in range(5) for entry in next(pages).orders]
        first = len(watched.at) + WIDEST + 1
        watched.refuse = {first, *range(first + WIDEST, first + WIDEST + 2)}  # the second finds the others waiting
        ids += [entry["order"]["id"] for page in pages for entry in page.orders]
        made.close()
    assert len(ids) == len(set(ids)) == 1500
    assert len(watched.refused) == 3
    last = watched.refused[first + WIDEST + 1]
    assert min(moment for moment in watched.at if moment > last) - last >= 0.99


class Ticking:
    """A clock that only waiting moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_a_refusal_tells_the_pace_that_the_store_bears() -> None:
    clock = Ticking()
    pace = Pace(clock=clock)
    for _ in range(60):
        began = pace.begins()
        pace.went_well()
        clock.sleep(0.1)
    on_its_way = pace.begins()
    pace.refused(pace.begins(), 54)
    assert pace.gap == pytest.approx(1)
    pace.refused(on_its_way, 30)
    assert pace.gap == pytest.approx(1), "it was on its way already: no second refusal"
    clock.sleep(0.25)
    assert pace.until_next() == pytest.approx(0.75)
    assert began < on_its_way


def test_a_store_that_refuses_at_once_tells_no_pace() -> None:
    pace = Pace(clock=Ticking())
    pace.refused(pace.begins(), 30)
    assert pace.gap == 0


def test_a_store_with_a_limit_refuses_a_few_times_and_never_again() -> None:
    """Five questions in ten seconds: sixty in a row meet it at most twice, where each sixth would be refused."""
    clock = Ticking()
    begun: list[float] = []
    refused: list[int] = []

    def limited(request: Request) -> Response:
        begun.append(clock.now)
        lately = [moment for moment in begun if moment > clock.now - 10]
        if len(lately) > 5:
            refused.append(len(begun))
            begun.pop()
            return says({}, 429, Retry_After=str(math.ceil(min(lately) + 10 - clock.now)))
        return says([])

    with running(limited) as shop:
        client = StoreClient(parse(shop.address), shop.surroundings(), sleep=clock.sleep, clock=clock)
        for _ in range(60):
            client.get_json("/x")
            clock.sleep(0.01)
        client.close()
    assert len(begun) == 60
    assert 1 <= len(refused) <= 2


def test_a_run_that_is_stopped_does_not_wait_for_what_is_on_its_way() -> None:
    release = threading.Event()

    def slow(request: Request) -> Response:
        release.wait(10)
        return says([])

    stop = threading.Event()
    with running(slow) as shop:
        around = Surroundings(allowed_addresses=shop.surroundings().allowed_addresses, should_stop=stop.is_set)
        client = StoreClient(parse(shop.address), around)
        overlap = Overlap(client)
        begun = overlap.begin(lambda who: who.get_json("/x"))
        threading.Timer(0.3, stop.set).start()
        started = time.monotonic()
        with pytest.raises(Stopped):
            overlap.answer(begun)
        assert time.monotonic() - started < 3
        release.set()
        overlap.close()
        client.close()


class Nobody:
    """An asker without a store."""

    def twin(self) -> Nobody:
        return Nobody()

    def check_stop(self) -> None:
        pass

    def close(self) -> None:
        pass


@settings(deadline=None, max_examples=60)
@given(
    st.integers(0, 300),
    st.lists(st.tuples(st.integers(1, 12), st.integers(0, 299)), max_size=6),
    st.integers(2, 30),
)
def test_no_row_is_missed_though_rows_vanish_while_pieces_are_on_their_way(
    count: int, vanishing: list[tuple[int, int]], size: int
) -> None:
    """(question, place): before that question is answered the row at that place vanishes."""
    rows = [{"id": number} for number in range(1, count + 1)]
    gone: set[int] = set()
    lock = threading.Lock()
    asked = 0

    def fetch(_: Nobody, start: int, size: int) -> Slice:
        nonlocal asked
        with lock:
            asked += 1
            for question, place in vanishing:
                if question == asked and place < len(rows):
                    gone.add(rows.pop(place)["id"])
            return Slice(list(rows[start : start + size]), len(rows))

    overlap = Overlap(Nobody(), width=3)
    ahead = Ahead(overlap, fetch, lambda start, size: fetch(Nobody(), start, size))
    listing = IdOrdered(lambda start, size: ahead(start, size, listing.step), lambda number: number, size=size)
    read = [row["id"] for row in listing if isinstance(row, dict)]
    overlap.close()
    assert read == sorted(set(read))
    assert set(range(1, count + 1)) - gone <= set(read)
