"""What it costs when very many people watch a run, and how much slower the import gets.

    python benchmarks/watching.py [--watchers 200] [--orders 20000] [--phase 6] [--database sqlite|postgresql] [--json]

The real web process (as `monet run` starts it) and the real worker; each watcher is a connection of its own, signed in
as a person of their own, that does what the page of a live run does: it asks for the stream, and when there is none for
it, it asks for the live part as often as that part says. During one import all of them come and leave again, every
`--phase` seconds, so that whatever else the machine does falls on both kinds of phases alike.
`cores` = CPU time a second that web process, Redis and PostgreSQL take more with watchers than without. `slowdown` =
orders a second without watchers / with. The watchers' own process stands on other machines in life, so it gives way to
the others (nice 5). Targets: at most 0.5 cores and 1.10.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import statistics
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import import_orders
from house import SECRET, House, cpu, free_port, house

TARGET_CORES, TARGET_SLOWDOWN = 0.5, 1.10
JOINING = 1.5  # seconds of a phase in which people come or leave, which they do rarely in life: not counted
_EVERY = re.compile(rb'hx-trigger="every (\d+)s"')
_VERSION = re.compile(rb'data-version="(\d+)"')
_TAG = re.compile(rb'(?im)^etag: (".*")\r$')


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--watchers", type=int, default=200)
    parser.add_argument("--orders", type=int, default=20_000)
    parser.add_argument("--phase", type=float, default=6.0)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--watch", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.watch:
        os.nice(5)
        print(json.dumps(asyncio.run(watch_all(**json.loads(arguments.watch)))))
        return
    found = measure(arguments.watchers, arguments.orders, arguments.phase, arguments.database)
    import_orders.report(found, as_json=arguments.json)


def measure(watchers: int, orders: int, phase: float, database: str) -> dict[str, Any]:
    """One import, watched half of the time."""
    with ExitStack() as stack:
        made = stack.enter_context(import_orders.databases(database))
        store = stack.enter_context(import_orders.demo_store(orders))
        url, port = next(made), free_port()
        installation = stack.enter_context(house(url, port=port))
        installation.connect(store)
        run_id = installation.launch()
        cookies = signed_in(installation, watchers)
        page_opened(port, run_id, cookies[0])
        begins_at = time.time() + 3
        told = {"port": port, "run_id": run_id, "cookies": cookies, "begins_at": begins_at, "phase": phase}
        crowd = subprocess.Popen(
            [sys.executable, __file__, "--watch", json.dumps(told)], stdout=subprocess.PIPE, text=True
        )  # fmt: skip
        _, web = installation.programs
        samples = Samples([psutil_of(web.pid), redis_process(installation.redis_url), *postgres_of(url)], phase)
        installation.ring(run_id)
        seconds = installation.wait(run_id, look=lambda row: samples.take(row.fetched, begins_at))
        heard = json.loads(crowd.communicate(timeout=120)[0])
    without, watched = samples.of(False), samples.of(True)
    if not without.seconds or not watched.seconds:
        raise SystemExit(f"the import took {seconds:.1f} s, too short for phases of {phase} s: give it more --orders")
    cores = (watched.cpu / watched.seconds) - (without.cpu / without.seconds)
    return {
        "database": database,
        "orders": orders,
        "watchers": watchers,
        "seconds": round(seconds, 1),
        "phases": samples.phases,
        "orders_per_second_alone": round(without.orders / without.seconds, 1),
        "orders_per_second_watched": round(watched.orders / watched.seconds, 1),
        "slowdown": round((without.orders / without.seconds) / (watched.orders / watched.seconds), 3),
        "target_slowdown": TARGET_SLOWDOWN,
        "cores": round(cores, 3),
        "target_cores": TARGET_CORES,
        "answers_per_second": round(heard["answers"] / watched.seconds, 1),
        "cpu_ms_an_answer": round(1000 * cores * watched.seconds / max(1, heard["answers"]), 2),
        **{name: heard[name] for name in ("streams", "failures", "median_ms", "p99_ms")},
        "load": round(os.getloadavg()[0], 1),
    }


@dataclass
class Total:
    """What happened in all phases of one kind, their first moments left out."""

    seconds: float = 0.0
    orders: float = 0.0
    cpu: float = 0.0


class Samples:
    """How far the import was, and what the servers had spent, ten times a second."""

    def __init__(self, servers: list[Any], phase: float) -> None:
        self._servers = servers
        self._phase = phase
        self._taken: dict[int, list[tuple[float, int, float]]] = {}

    def take(self, fetched: int, begins_at: float) -> None:
        """Look now; before the first page nothing counts."""
        now = time.time()
        within = (now - begins_at) % self._phase
        if fetched and now > begins_at and within > JOINING:
            number = int((now - begins_at) // self._phase)
            self._taken.setdefault(number, []).append((now, fetched, sum(map(cpu, self._servers))))

    @property
    def phases(self) -> int:
        """How many there were."""
        return len(self._taken)

    def of(self, watched: bool) -> Total:
        """All of one kind; the last, which the end of the run cuts short, only as far as it went."""
        total = Total()
        for number, taken in self._taken.items():
            if is_watched(number) is watched and taken[-1][0] - taken[0][0] > self._phase / 3:
                total.seconds += taken[-1][0] - taken[0][0]
                total.orders += taken[-1][1] - taken[0][1]
                total.cpu += taken[-1][2] - taken[0][2]
        return total


def is_watched(number: int) -> bool:
    """In pairs that change places, on off off on, so that what drifts falls on both kinds."""
    return number % 4 in (0, 3)


def psutil_of(pid: int) -> Any:
    """A process of the operating system."""
    import psutil

    return psutil.Process(pid)


def signed_in(installation: House, count: int) -> list[str]:
    """Session cookies of so many people, each with an account."""
    from flask import Flask
    from flask.sessions import SecureCookieSessionInterface
    from sqlalchemy import insert, select

    from monet_web.models import User
    from monet_web.models.base import now_utc, reading, writing
    from monet_web.models.users import Role

    now = now_utc()
    session = installation.factory()
    with writing(session):
        rows = [
            {"email": f"watcher{n}@example.com", "name": f"Watcher {n}", "role": Role.VIEWER, "created_at": now}
            for n in range(count)
        ]
        session.execute(insert(User), rows)
    with reading(session):
        people = session.scalars(select(User).where(User.email.like("watcher%")).order_by(User.id)).all()
    session.close()
    app = Flask("watchers")
    app.secret_key = SECRET
    signer = SecureCookieSessionInterface().get_signing_serializer(app)
    assert signer is not None
    return [
        str(signer.dumps({"_user_id": f"{one.id}.{one.session_version}", "_fresh": True, "_permanent": True}))
        for one in people
    ]


def page_opened(port: int, run_id: int, cookie: str) -> None:
    """One look at the whole page: what is compiled once is compiled before anything is measured."""
    import requests

    answer = requests.get(f"http://127.0.0.1:{port}/runs/{run_id}", headers={"Cookie": f"session={cookie}"}, timeout=30)
    assert answer.status_code == 200, answer.status_code
    assert "data-stream" in answer.text, "the page of a queued run follows it"


def redis_process(redis_url: str) -> Any:
    """The process of the Redis at that address."""
    import psutil

    from monet_web import queues

    with queues.connect(redis_url) as client:
        info: Any = client.info("server")
        return psutil.Process(int(info["process_id"]))


def postgres_of(url: str) -> list[Any]:
    """The PostgreSQL server of a database: its first process, which counts those that ended. Nothing for SQLite."""
    import psutil
    from sqlalchemy import create_engine, text

    if url.startswith("sqlite"):
        return []
    engine = create_engine(url)
    with engine.connect() as connection:
        backend = psutil.Process(connection.scalar(text("SELECT pg_backend_pid()")))
    engine.dispose()
    return [psutil.Process(backend.ppid())] if backend.is_running() else []


# --- the watchers ------------------------------------------------------------------------------------------------


async def watch_all(
    port: int, run_id: int, cookies: list[str], begins_at: float, phase: float
) -> dict[str, Any]:  # fmt: skip
    """All come and leave until the run has ended; how it went."""
    watchers = [Watcher(port, run_id, cookie) for cookie in cookies]
    number = 0
    while not any(each.has_ended for each in watchers):
        await asyncio.sleep(begins_at + number * phase - time.time())
        if is_watched(number):
            until = begins_at + (number + 1) * phase
            await asyncio.gather(*(each.watch(until, place / len(watchers)) for place, each in enumerate(watchers)))
        elif number % 4 == 2:  # nobody watches: has it ended meanwhile?
            await watchers[0].watch(time.time() + 0.05, 0)
        number += 1
    took = sorted(took for each in watchers for took in each.took) or [0.0]
    return {
        "answers": sum(each.answers for each in watchers),
        "streams": max(each.streams for each in watchers) and sum(each.streams > 0 for each in watchers),
        "failures": sum(each.failures for each in watchers),
        "median_ms": round(statistics.median(took) * 1000, 1),
        "p99_ms": round(took[int(len(took) * 0.99)] * 1000, 1),
    }


class Watcher:
    """One open page of one run, as runs.js and htmx keep it."""

    def __init__(self, port: int, run_id: int, cookie: str) -> None:
        self._port = port
        self._run = run_id
        self._cookie = cookie
        self._version, self._tag = 0, b""
        self._every = 1
        self._pipe: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self.took: list[float] = []
        self.answers = self.failures = self.streams = 0
        self.has_ended = False

    async def watch(self, until: float, delay: float) -> None:
        """The page is open until that moment of the clock, or until the run has ended."""
        try:
            async with asyncio.timeout(max(0.01, until - time.time())):
                await asyncio.sleep(delay)
                await self._stream()
                while not self.has_ended:
                    await self._ask_once()
                    await asyncio.sleep(self._every)
        except TimeoutError:
            pass
        finally:
            self._leave()

    async def _ask_once(self) -> None:
        was_open = self._pipe is not None
        began = time.monotonic()
        try:
            await self._ask()
        except (OSError, EOFError, ValueError):
            # A server may close a connection that rests; browsers open another without a word.
            self.failures += not was_open
            self._leave()
        self.took.append(time.monotonic() - began)

    def _leave(self) -> None:
        if self._pipe is not None:
            self._pipe[1].close()
            self._pipe = None

    async def _stream(self) -> None:
        """Listen while there is a stream; without one the connection is kept for asking."""
        try:
            self._pipe = reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
            writer.write(self._request(f"/runs/events?run={self._run}&whole=1"))
            head = await reader.readuntil(b"\r\n\r\n")
            if b" 200 " not in head[:16]:
                return
            self.streams += 1
            while line := await reader.readline():
                self.answers += line.startswith(b"event: painting")
                if line.startswith(b"event: end"):
                    self.has_ended = True
                    break
        except (OSError, EOFError):
            self.failures += 1
        self._leave()

    async def _ask(self) -> None:
        if self._pipe is None or self._pipe[0].at_eof():
            self._pipe = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._pipe
        known = f"If-None-Match: {self._tag.decode()}\r\n" if self._tag else ""
        writer.write(self._request(f"/runs/{self._run}/now?version={self._version}&whole=1", known))
        head = await reader.readuntil(b"\r\n\r\n")
        status = int(head[9:12])
        length = re.search(rb"(?im)^content-length: (\d+)", head)
        body = await reader.readexactly(int(length.group(1))) if length and status == 200 else b""
        if re.search(rb"(?im)^connection: close", head):
            writer.close()
            self._pipe = None
        if status not in (200, 204, 304):
            raise ValueError(status)
        self.answers += 1
        if status != 200:
            return
        tag = _TAG.search(head)
        version = int(_VERSION.search(body).group(1))  # type: ignore[union-attr]
        # The address carries the version, and a browser knows a tag for one address only.
        self._tag = tag.group(1) if tag and version == self._version else b""
        self._version = version
        every = _EVERY.search(body)
        self._every = int(every.group(1)) if every else 1
        self.has_ended = every is None

    def _request(self, path: str, more: str = "") -> bytes:
        return (
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\nCookie: session={self._cookie}\r\n"
            f"HX-Request: true\r\nAccept: */*\r\nAccept-Language: lt\r\n{more}\r\n"
        ).encode()


if __name__ == "__main__":
    main()
