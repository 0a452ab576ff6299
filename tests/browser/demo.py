"""The whole demo as a person starts it: `monet run --demo` with real processes, in a folder of its own."""

from __future__ import annotations

import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from monet_web import embedded
from monet_web.config import CHECKOUT
from monet_web.demo.stores import ports

_SECONDS_TO_START = 60
_SECONDS_TO_END = 40
_LINK = re.compile(r"http://\S+/link/\S+")


@dataclass(frozen=True, slots=True)
class Demo:
    """One that runs. `link` lets the first administrator in, once."""

    home: Path
    address: str
    link: str
    said: Path
    process_id: int

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of its database, which other processes may be writing."""
        with closing(sqlite3.connect(f"file:{self.home / 'monet.sqlite3'}?mode=ro", uri=True, timeout=10)) as database:
            return database.execute(sql).fetchall()

    def silent_store(self) -> AbstractContextManager[None]:
        """While the block runs the demo store takes requests and answers none."""
        return self._suspended({"demo", "--quiet"})

    def idle_worker(self) -> AbstractContextManager[None]:
        """While the block runs the worker takes no job; what is queued meanwhile it does afterwards."""
        return self._suspended({str(CHECKOUT / "worker.py")})

    @contextmanager
    def _suspended(self, words: set[str]) -> Iterator[None]:
        child = next(child for child in psutil.Process(self.process_id).children() if words <= set(child.cmdline()))
        child.suspend()
        try:
            yield
        finally:
            child.resume()


@contextmanager
def running(home: Path) -> Iterator[Demo]:
    """Started on free ports, ended as Ctrl-C ends it; nothing of it is left."""
    port, store_port = _free_ports()
    said = home / "said"
    command = ["-m", "monet_web.cli", "run", "--demo", "--port", str(port), "--store-port", str(store_port)]
    with said.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=CHECKOUT,
            env={**kept_environment(), "MONET_HOME": str(home), "PYTHONPATH": str(CHECKOUT)},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield Demo(home, f"http://127.0.0.1:{port}", _link(process, said), said, process.pid)
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(_SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        # Whatever a killed one left: the last to leave stops it.
        with embedded.valkey(home):
            pass


def kept_environment() -> dict[str, str]:
    """What a program of the demo is given of this one's environment: nothing that could lead it elsewhere."""
    return {name: value for name, value in os.environ.items() if name in {"PATH", "LANG", "TMPDIR", "HOME"}}


def _link(process: subprocess.Popen[bytes], said: Path) -> str:
    deadline = time.monotonic() + _SECONDS_TO_START
    while (found := _LINK.search(said.read_text())) is None:
        if process.poll() is not None or time.monotonic() > deadline:
            raise AssertionError(f"monet run --demo printed no link:\n{said.read_text()}")
        time.sleep(0.1)
    return found.group()


def _free_ports() -> tuple[int, int]:
    """One for the page, and the first of as many in a row as there are demo stores."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        page = int(probe.getsockname()[1])
    while True:
        with ExitStack() as tried:
            first = tried.enter_context(socket.socket())
            first.bind(("127.0.0.1", 0))
            number = int(first.getsockname()[1])
            try:
                for each in list(ports(number).values())[1:]:
                    tried.enter_context(socket.socket()).bind(("127.0.0.1", each))
            except (OSError, OverflowError):
                continue
            if page not in ports(number).values():
                return page, number
