"""What one integration, one run and one invoice cost apart from the work: figures for reckoning with ten thousand.

    python benchmarks/many.py [--integrations 10000] [--database sqlite|postgresql] [--json]

`tick_idle_ms`: a tick of the timetable when nothing of so many integrations is due (median of five). `due_ms`: what
each due integration adds: its run opened and its next slot computed. `bytes_an_invoice`: what the database grows by for
an order of three lines: raw page, store order, invoice, lines, VAT, stock moves, audit, with every index.
`bytes_a_run`: the run's row with its slot. `redis_bytes_a_bell` and `redis_bytes_a_run`: a queued job, and the stream
of events of a long run. `cpu_ms_a_quiet_run` and `seconds_a_quiet_run`: what the real worker takes to begin a run, ask
a store that has nothing new, and end it.
"""

from __future__ import annotations

import argparse
import sqlite3
import statistics
import sys
import tempfile
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import import_orders
from house import cpu, house

DUE = 500
QUIET_RUNS = 10
ORDERS = 2000
NOON = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)  # 12:00 in Vilnius: within the hours of every frequency


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--integrations", type=int, default=10_000)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    import_orders.report(measure(arguments.integrations, arguments.database), as_json=arguments.json)


def measure(count: int, database: str) -> dict[str, Any]:
    """All of it."""
    with import_orders.databases(database) as made:
        ticks = of_ticks(next(made), count)
        invoices = of_invoices(next(made))
        runs = of_quiet_runs(next(made))
    return {"database": database, "integrations": count, **ticks, **invoices, **runs, **of_redis()}


def of_ticks(url: str, count: int) -> dict[str, Any]:
    """A timetable of so many integrations, first quiet, then with some due."""
    from sqlalchemy import create_engine, insert, select, update
    from sqlalchemy.orm import sessionmaker

    from monet_web.models import Integration, Run, Store
    from monet_web.models.base import reading, sealer, writing
    from monet_web.models.integrations import IntegrationState
    from monet_web.services.opening import timetable

    sealer.bind([import_orders.KEY])
    engine = create_engine(url)
    factory = sessionmaker(engine, expire_on_commit=False)
    session = factory()
    numbers = range(1, count + 1)
    later = NOON + timedelta(hours=1)
    with writing(session):
        session.execute(
            insert(Store), [{"id": n, "platform": "woocommerce", "store_key": f"shop{n}.example.com"} for n in numbers]
        )
        session.execute(
            insert(Integration),
            [
                {"id": n, "store_id": n, "name": f"Shop {n}", "name_key": f"shop {n}", "state": IntegrationState.ON,
                 "settings": {"frequency": "minutes"}, "next_run_at": later, "reread_at": later, "created_at": NOON,
                 "covered_until": NOON}
                for n in numbers
            ],
        )  # fmt: skip
    idle = []
    for _ in range(5):
        began = time.perf_counter()
        timetable.tick(factory, now=NOON)
        idle.append(time.perf_counter() - began)
    before = size(url)
    with writing(session):
        # Spread over all, as slots are.
        due = [n for n in numbers if n % max(1, count // DUE) == 0][:DUE]
        session.execute(update(Integration).where(Integration.id.in_(due)).values(next_run_at=NOON))
    began = time.perf_counter()
    done = timetable.tick(factory, now=NOON + timedelta(seconds=1))
    took = time.perf_counter() - began
    with reading(session):
        opened = len(session.scalars(select(Run.id)).all())
    assert opened == len(done.opened) == len(due), (opened, len(done.opened), len(due))
    grown = size(url) - before
    session.close()
    engine.dispose()
    return {
        "tick_idle_ms": round(statistics.median(idle) * 1000, 1),
        "due_ms": round((took - statistics.median(idle)) / len(due) * 1000, 2),
        "bytes_a_run": round(grown / len(due)),
    }


def of_invoices(url: str) -> dict[str, Any]:
    """The size of the database before and after an import."""
    with import_orders.demo_store(ORDERS) as address:
        before = size(url)
        import_orders.child("product", address, url)
    return {"bytes_an_invoice": round((size(url) - before) / ORDERS)}


def of_quiet_runs(url: str) -> dict[str, Any]:
    """Runs of the real worker that find one order, and know it."""
    import psutil

    with import_orders.demo_store(1) as store, house(url) as installation:
        installation.connect(store)
        worker = psutil.Process(installation.programs[0].pid)
        seconds = []
        for number in range(QUIET_RUNS + 1):
            if number == 1:  # the first one books the order
                time.sleep(1)
                before = cpu(worker)
            run_id = installation.launch()
            installation.ring(run_id)
            seconds.append(installation.wait(run_id, knows=number > 0))
        time.sleep(1)  # until the parent has counted the last child
        return {
            "cpu_ms_a_quiet_run": round((cpu(worker) - before) / QUIET_RUNS * 1000),
            "seconds_a_quiet_run": round(statistics.median(seconds[1:]), 2),
        }


def size(url: str) -> int:
    """Bytes of a database, what is still in its log written home first."""
    from sqlalchemy import create_engine, text
    from sqlalchemy.engine import make_url

    if url.startswith("sqlite"):
        # Past our own engine, which begins a transaction before every statement.
        with closing(sqlite3.connect(str(make_url(url).database))) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            pages, page = (
                int(connection.execute(f"PRAGMA {name}").fetchone()[0]) for name in ("page_count", "page_size")
            )
        return pages * page
    engine = create_engine(url)
    with engine.connect() as asked:
        found = int(asked.scalar(text("SELECT pg_database_size(current_database())")) or 0)
    engine.dispose()
    return found


def of_redis() -> dict[str, Any]:
    """What a bell and a run's events take."""
    from monet_web import embedded, events, jobs, queues
    from monet_web.models import Integration, Run
    from monet_web.models.base import now_utc
    from monet_web.models.runs import RunKind, RunState
    from monet_web.services.running.progress import Line

    with (
        tempfile.TemporaryDirectory(prefix="mr-") as home,
        embedded.valkey(Path(home)) as url,
        queues.connect(url) as redis,
    ):
        run = Run(
            id=1, kind=RunKind.LAUNCH, state=RunState.RUNNING, attempt=0, progress_version=1, created_at=now_utc(),
            requested_by="benchmark", window_start=now_utc(), window_end=now_utc(), integration=Integration(),
        )  # fmt: skip
        for number in range(events.MOST_EVENTS):
            events.tell(redis, run, [Line(now_utc(), "page", {"page": number, "registered": 100})])
        stream = redis.memory_usage(events.stream_of(1), samples=0)
        before = used(redis)
        for number in range(1000):
            run.id = number + 2
            jobs.ring([run], url)
        return {"redis_bytes_a_bell": round((used(redis) - before) / 1000), "redis_bytes_a_run": stream}


def used(redis: Any) -> int:
    """Bytes of Redis."""
    return int(redis.info("memory")["used_memory"])


if __name__ == "__main__":
    main()
