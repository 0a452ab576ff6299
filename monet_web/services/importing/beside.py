"""Beside: pages are understood in a process of their own while the pages before them are booked.

The process gets pages of raw orders and gives them back read and packed. It asks no store, opens no database and knows
no secret, so nothing of a run depends on it: where it is missing, dies or is not ready yet, pages are read here. It
ends when its pipe does, whatever ended this process.
"""

from __future__ import annotations

import os
import pickle
import select
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO

import monet_web
from monet_web import connectors
from monet_web.connectors.base import Connector, Page
from monet_web.services.importing.frames import READY, received, send
from monet_web.services.importing.packed import dumped_exact
from monet_web.services.importing.understand import Read, ReadPage, read_page, unreadable

_OURS = connectors.__name__ + "."  # what another process knows
_PATIENCE = 5  # seconds for the process to end
_PASSED_ON = ("PATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL")  # of the environment; the rest of it holds secrets


def understood(pages: Iterable[Page], connector: type[Connector], *, beside: bool) -> Iterator[ReadPage]:
    """The pages in their order, each with its orders read. Raises what `pages` raises, after the pages before it.

    `beside`: with another process' help, which is called when there is more than a page and used once it is awake.
    Lazily: a page is taken from `pages` while the one before it waits for its turn.
    """
    coming = iter(pages)
    if not beside or not connector.__module__.startswith(_OURS):
        yield from (_here(connector, page) for page in coming)
        return
    helper: Helper | None = None
    try:
        for number, page in enumerate(coming):
            # An import of one page does without it.
            if helper is None and (number == 1 or (page.expected or 0) > len(page.orders) > 0):
                helper = Helper(connector.kind)
            if helper is not None and helper.is_awake() and helper.begin(page):
                yield from _in_turn(helper, connector, page, coming)
            else:
                yield _here(connector, page)
    finally:
        if helper is not None:
            helper.close()


def _in_turn(helper: Helper, connector: type[Connector], page: Page, coming: Iterator[Page]) -> Iterator[ReadPage]:
    """While a page is booked the next one is read. Ends with the pages, or with a page that the helper can't take."""
    while True:
        failure: Exception | None = None
        try:
            following = next(coming, None)
        except Exception as error:  # noqa: BLE001 - raised again below, when what came before it is booked
            following, failure = None, error
        done = helper.answer(page) or _here(connector, page)
        is_begun = following is not None and helper.begin(following)
        yield done
        if failure is not None:
            raise failure
        if following is None:
            return
        if not is_begun:
            yield _here(connector, following)
            return
        page = following


def _here(connector: type[Connector], page: Page) -> ReadPage:
    return ReadPage(page, read_page(connector, page))


class Helper:
    """The other process, which reads orders of one platform. One page at a time; `close()` ends it."""

    def __init__(self, kind: str) -> None:
        environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        environment["PYTHONPATH"] = str(Path(monet_web.__file__).parent.parent)
        command = [sys.executable, "-m", "monet_web.services.importing.reading_process", kind]
        self._process: subprocess.Popen[bytes] | None = None
        self._is_awake = False
        with suppress(OSError):  # no room for another process: everything is read here
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
            )

    def is_awake(self) -> bool:
        """Whether it has said that it is ready; it takes half a second, which nobody waits for."""
        if self._process is None or self._is_awake:
            return self._is_awake
        if select.select([self._out], [], [], 0)[0]:
            self._is_awake = received(self._out) == READY
            if not self._is_awake:
                self.close()
        return self._is_awake

    def begin(self, page: Page) -> bool:
        """Give it a page to read; false when that is not possible, or the page can't travel."""
        text = dumped_exact({"context": page.context, "orders": page.orders})
        if self._process is None or text is None:
            return False
        try:
            send(self._in, text)
        except OSError:
            self.close()
            return False
        return True

    def answer(self, page: Page) -> ReadPage | None:
        """The page that was begun, read; waited for. None when the process has died."""
        if self._process is None:
            return None
        answer = received(self._out)
        if answer is None:
            self.close()
            return None
        found, packed = pickle.loads(answer)  # noqa: S301 - our own process said it, over its own pipe
        reads = [Read(page.orders[index], order, digest, raw) for index, order, digest, raw in found]
        known = {one.key for one in reads}
        reads += [one for one in unreadable(page) if one.key not in known]
        is_whole = len(reads) == len(page.orders) and not page.unreadable
        return ReadPage(page, reads, packed if is_whole else None)

    def close(self) -> None:
        """End the process: it has nothing to lose."""
        process, self._process, self._is_awake = self._process, None, False
        if process is None:
            return
        process.kill()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):  # what was on its way to a dead process
                    pipe.close()
        process.wait(_PATIENCE)

    @property
    def _in(self) -> IO[bytes]:
        assert self._process is not None and self._process.stdin is not None  # noqa: S101, PT018 - asked before
        return self._process.stdin

    @property
    def _out(self) -> IO[bytes]:
        assert self._process is not None and self._process.stdout is not None  # noqa: S101, PT018 - asked before
        return self._process.stdout
