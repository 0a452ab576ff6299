"""Pages understood by another process are the same to the byte, and a run does without it as well."""

from __future__ import annotations

import select
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from monet_web.connectors.base import Page, Selection, Surroundings
from monet_web.connectors.woocommerce import WooCommerce
from monet_web.demo.serve import serve
from monet_web.demo.woocommerce import plain_shop
from monet_web.demo.woocommerce.auth import DEMO_KEY, DEMO_SECRET
from monet_web.domain.errors import RetryLater
from monet_web.domain.orders import Unreadable
from monet_web.domain.windows import Window
from monet_web.services.importing import beside
from monet_web.services.importing.packed import pack, unpack
from monet_web.services.importing.understand import ReadPage
from tests.services.scripted import ScriptedStore

EVER = Selection(Window(datetime(2025, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC)))
PATIENCE = 120  # seconds, on the busiest machine


@cache
def orders() -> tuple[Any, ...]:
    with serve(plain_shop(40)) as address:
        values = {"address": address, "consumer_key": DEMO_KEY, "consumer_secret": DEMO_SECRET}
        store = WooCommerce(values, Surroundings(allowed_addresses=(address.split("://")[1],)))
        try:
            return tuple(order for page in store.pages(EVER) for order in page.orders)
        finally:
            store.close()


def pages() -> list[Page]:
    """Eight pages: an order twice, one that cannot be read, one without an id, one that could not be fetched."""
    found = [Page(orders()[start : start + 5], expected=40) for start in range(0, 40, 5)]
    twice = {"order": {**orders()[15]["order"], "number": "T-1"}, "refunds": []}
    exact = {"order": {**orders()[21]["order"], "extra": [Decimal("1E+2"), Decimal("0.10")]}, "refunds": []}
    found[3] = replace(found[3], orders=(*found[3].orders, twice))
    found[4] = replace(found[4], orders=(exact, {"order": {"id": 7, "status": "x"}}, {"order": {"number": "no id"}}))
    found[5] = replace(found[5], unreadable=(Unreadable("99", "The store fails when it is asked for order 99."),))
    found[6] = replace(found[6], orders=(*found[6].orders[:4], {"order": {"id": 2**70}}))
    return found


@pytest.fixture(autouse=True)
def _awaited(monkeypatch: pytest.MonkeyPatch) -> None:
    """The other process is waited for, which a run never does, so that it has its part in every test."""
    asked = beside.Helper.is_awake

    def is_awake(self: beside.Helper) -> bool:
        if self._process is not None and not self._is_awake:
            select.select([self._out], [], [], PATIENCE)
        return asked(self)

    monkeypatch.setattr(beside.Helper, "is_awake", is_awake)


def told(page: ReadPage) -> list[tuple[Any, ...]]:
    return [(one.raw, one.order, one.digest, one.key) for one in page.reads]


def test_the_other_process_reads_as_this_one_does() -> None:
    here = list(beside.understood(pages(), WooCommerce, beside=False))
    there = list(beside.understood(pages(), WooCommerce, beside=True))
    assert [told(page) for page in there] == [told(page) for page in here]
    assert [page.page for page in there] == pages()
    helped = [number for number, page in enumerate(there) if page.packed is not None]
    assert helped == [0, 1, 2, 4, 7], "the seventh can't travel, and of the others something is not whole"


def test_what_it_packs_is_what_would_be_kept_here() -> None:
    for page in beside.understood(pages(), WooCommerce, beside=True):
        if page.packed is not None:
            assert page.packed == pack([one.raw for one in page.reads], {})
            assert unpack(page.packed) == (list(page.page.orders), {})


def test_a_page_comes_before_the_error_of_the_one_after_it() -> None:
    def broken() -> Iterator[Page]:
        yield from pages()[:3]
        raise RetryLater("The store is away.", fix="Wait.")

    came: list[int] = []
    with pytest.raises(RetryLater, match="away"):
        came.extend(len(page.reads) for page in beside.understood(broken(), WooCommerce, beside=True))
    assert came == [5, 5, 5]


@pytest.mark.parametrize("dies_at", [2, 3])
def test_pages_are_read_here_when_the_other_process_dies(monkeypatch: pytest.MonkeyPatch, dies_at: int) -> None:
    made = helpers(monkeypatch)
    here = list(beside.understood(pages(), WooCommerce, beside=False))
    there = []
    for number, page in enumerate(beside.understood(pages(), WooCommerce, beside=True)):
        there.append(page)
        if number == dies_at:
            process = made[0]._process
            assert process is not None
            process.kill()
            process.wait(PATIENCE)
    assert [told(page) for page in there] == [told(page) for page in here]


def test_an_import_of_one_page_does_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    made = helpers(monkeypatch)
    for expected in (None, 5, 0):
        page = replace(pages()[0], expected=expected)
        assert len(list(beside.understood([page], WooCommerce, beside=True))) == 1
    assert made == []


@pytest.mark.parametrize(("expected", "called_at"), [(40, 0), (None, 1)])
def test_it_is_called_when_there_is_more_than_a_page_and_ends_with_the_run(
    monkeypatch: pytest.MonkeyPatch, expected: int | None, called_at: int
) -> None:
    made = helpers(monkeypatch)
    told = [replace(page, expected=expected) for page in pages()]
    coming = beside.understood(told, WooCommerce, beside=True)
    for number in range(called_at + 1):
        assert made == []
        next(coming)
        assert len(made) == (number == called_at)
    process = made[0]._process
    assert process is not None
    assert process.poll() is None
    coming.close()  # type: ignore[attr-defined]
    assert process.poll() is not None


def test_it_ends_when_its_input_does() -> None:
    helper = beside.Helper("woocommerce")
    try:
        assert helper.is_awake()
        helper._in.close()
        assert helper._process is not None
        assert helper._process.wait(PATIENCE) == 0
    finally:
        helper.close()


def test_it_is_told_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    if not Path("/proc/self/environ").exists():
        pytest.skip("only Linux shows what a process was told")
    monkeypatch.setenv("MONET_ENCRYPTION_KEYS", "a-key-of-this-house")
    helper = beside.Helper("woocommerce")
    try:
        assert helper.is_awake()
        assert helper._process is not None
        given = Path(f"/proc/{helper._process.pid}/environ").read_text()
        assert "PYTHONPATH" in given
        assert "MONET" not in given.replace("monet_web", "")
    finally:
        helper.close()


def test_a_connector_that_another_process_does_not_know_reads_here(
    monkeypatch: pytest.MonkeyPatch, store: type[ScriptedStore]
) -> None:
    made = helpers(monkeypatch)
    assert len(list(beside.understood([Page(())] * 5, store, beside=True))) == 5
    assert made == []


def test_without_room_for_a_process_pages_are_read_here(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*command: object, **around: object) -> None:
        raise OSError("no room")

    monkeypatch.setattr(subprocess, "Popen", refused)
    assert len(list(beside.understood(pages(), WooCommerce, beside=True))) == len(pages())


def helpers(monkeypatch: pytest.MonkeyPatch) -> list[beside.Helper]:
    """Those that are made from now on."""
    made: list[beside.Helper] = []
    begin = beside.Helper.__init__

    def noted(self: beside.Helper, kind: str) -> None:
        begin(self, kind)
        made.append(self)

    monkeypatch.setattr(beside.Helper, "__init__", noted)
    return made
