"""What it costs when very many people watch a run, and how much slower the import gets.

    python benchmarks/watching.py [--watchers 200] [--orders 8000] [--rounds 3] [--database sqlite|postgresql] [--json]

The real web process (as `monet run` starts it) and the real worker; each watcher is a connection of its own, signed in
as a person of their own, that does what the page of a live run does: it asks for the stream, and when there is none for
it, it asks for the live part as often as that part says. Rounds alternate: a run without watchers, one with.
`cores` = CPU time that web process, Redis and PostgreSQL took more with watchers than without / seconds of the run.
`slowdown` = median seconds with / without. The watchers' own process stands on other machines in life, so it gives way
to the others (nice 19). Targets: at most 0.5 cores and 1.10.
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
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import import_orders
from house import SECRET, House, free_port, house

TARGET_CORES, TARGET_SLOWDOWN = 0.5, 1.10
_EVERY = re.compile(rb'hx-trigger="every (\d+)s"')
_VERSION = re.compile(rb'data-version="(\d+)"')
_TAG = re.compile(rb'(?im)^etag: (".*")\r$')


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--watchers", type=int, default=200)
    parser.add_argument("--orders", type=int, default=8000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--watch", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.watch:
        os.nice(19)
        print(json.dumps(asyncio.run(watch_all(**json.loads(arguments.watch)))))
        return
    found = measure(arguments.watchers, arguments.orders, arguments.rounds, arguments.database)
    import_orders.report(found, as_json=arguments.json)


def measure(watchers: int, orders: int, rounds: int, database: str) -> dict[str, Any]:
    """Rounds in turn, each into a database of its own."""
    alone, watched = [], []
    with import_orders.databases(database) as made, import_orders.demo_store(orders) as store:
        for number in range(rounds):
            # The first of a pair changes places, so that what drifts falls on both.
            for count in (0, watchers) if number % 2 == 0 else (watchers, 0):
                (watched if count else alone).append(one_round(store, next(made), count))
    last = watched[-1]["told"]
    return {
        "database": database,
        "orders": orders,
        "watchers": watchers,
        "seconds_alone": [each["seconds"] for each in alone],
        "seconds_watched": [each["seconds"] for each in watched],
        "worker_cpu_alone": [each["worker_cpu"] for each in alone],
        "worker_cpu_watched": [each["worker_cpu"] for each in watched],
        "cores": round(cores_of(watched, alone), 3),
        "target_cores": TARGET_CORES,
        "slowdown": round(
            statistics.median(each["seconds"] for each in watched)
            / statistics.median(each["seconds"] for each in alone),
            3,
        ),
        "target_slowdown": TARGET_SLOWDOWN,
        "answers_per_second": round(last["answers"] / watched[-1]["watched_seconds"], 1),
        "cpu_ms_an_answer": round(1000 * (cores_of(watched, alone) * watched[-1]["seconds"]) / last["answers"], 2),
        "streams": last["streams"],
        "failures": sum(each["told"]["failures"] for each in watched),
        "median_ms": last["median_ms"],
        "p99_ms": last["p99_ms"],
    }


def cores_of(watched: list[dict[str, Any]], alone: list[dict[str, Any]]) -> float:
    """The part of one core that watching took."""
    usual = statistics.median(each["cpu"] for each in alone)
    return statistics.median((each["cpu"] - usual) / each["seconds"] for each in watched)


def one_round(store: str, url: str, watchers: int) -> dict[str, Any]:
    """One import, from its bell to its end; seconds by the run's own row."""
    import psutil

    with ExitStack() as stack:
        port = free_port()
        installation = stack.enter_context(house(url, port=port))
        installation.connect(store)
        run_id = installation.launch()
        cookies = signed_in(installation, max(watchers, 1))
        page_opened(port, run_id, cookies[0])
        worker, web = (psutil.Process(each.pid) for each in installation.programs)
        crowd = None
        if watchers:
            told = json.dumps({"port": port, "run_id": run_id, "cookies": cookies})
            crowd = subprocess.Popen(
                [sys.executable, __file__, "--watch", told], stdout=subprocess.PIPE, text=True
            )  # fmt: skip
            time.sleep(3)  # all are there before the run begins
        servers = [web, redis_process(installation.redis_url), *postgres_of(url)]
        before, worker_before, began = sum(map(cpu, servers)), cpu(worker), time.monotonic()
        installation.ring(run_id)
        seconds = installation.wait(run_id)
        spent = sum(map(cpu, servers)) - before
        result: dict[str, Any] = {"seconds": round(seconds, 2), "watched_seconds": time.monotonic() - began + 3}
        result["cpu"] = round(spent, 2)
        time.sleep(0.5)  # the program that ran it has ended, and its parent has counted it
        result["worker_cpu"] = round(cpu(worker) - worker_before, 2)
        if crowd is not None:
            result["told"] = json.loads(crowd.communicate(timeout=60)[0])
        return result


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


def cpu(process: Any) -> float:
    """Seconds of CPU that a process, those it waited for and those it still has took."""
    import psutil

    spent = 0.0
    for each in [process, *process.children(recursive=True)]:
        try:
            times = each.cpu_times()
        except psutil.NoSuchProcess:
            continue
        spent += times.user + times.system + times.children_user + times.children_system
    return spent


# --- the watchers ------------------------------------------------------------------------------------------------


async def watch_all(port: int, run_id: int, cookies: list[str]) -> dict[str, Any]:
    """All at once until the run has ended; how it went."""
    watchers = [Watcher(port, run_id, cookie) for cookie in cookies]
    await asyncio.gather(*(each.watch(number / len(watchers)) for number, each in enumerate(watchers)))
    took = sorted(took for each in watchers for took in each.took) or [0.0]
    return {
        "answers": sum(each.answers for each in watchers),
        "streams": sum(each.streamed for each in watchers),
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
        self.answers = self.failures = 0
        self.streamed = False

    async def watch(self, delay: float) -> None:
        """Until the run has ended."""
        await asyncio.sleep(delay)
        if await self._stream():
            return
        while self._every:
            began = time.monotonic()
            was_open = self._pipe is not None
            try:
                await self._ask()
            except (OSError, EOFError, ValueError):
                # A server may close a connection that rests; browsers open another without a word.
                self.failures += not was_open
                self._pipe = None
            self.took.append(time.monotonic() - began)
            await asyncio.sleep(self._every)

    async def _stream(self) -> bool:
        """True when there was a stream and it told the end."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        writer.write(self._request(f"/runs/events?run={self._run}&whole=1"))
        head = await reader.readuntil(b"\r\n\r\n")
        if b" 200 " not in head[:16]:
            self._pipe = reader, writer
            return False
        self.streamed = True
        while True:
            line = await reader.readline()
            if line.startswith(b"event: painting"):
                self.answers += 1
            if not line or line.startswith(b"event: end"):
                writer.close()
                return bool(line)

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
        self._every = int(every.group(1)) if every else 0

    def _request(self, path: str, more: str = "") -> bytes:
        return (
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\nCookie: session={self._cookie}\r\n"
            f"HX-Request: true\r\nAccept: */*\r\nAccept-Language: lt\r\n{more}\r\n"
        ).encode()


if __name__ == "__main__":
    main()
