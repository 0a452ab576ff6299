"""What more workers are worth: four integrations worked by one process, and by four at once.

    python benchmarks/workers.py [--orders 2000] [--stock own|shared] [--database postgresql|sqlite] [--json]

Four demo stores of `--orders` orders each, with buyers of their own, in processes of their own. One worker works the
four runs one after another; then, in a new database of the same kind, four workers work one run each, at the same time.
All are processes that are awake before the clock starts. `ratio` = throughput of the four / of the one. `own`: each
integration has a warehouse of its own; `shared`: all take the same items from one, so each waits while another writes.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import import_orders

WORKERS = 4


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, default=2000)
    parser.add_argument("--stock", choices=("own", "shared"), default="own")
    parser.add_argument("--database", choices=("postgresql", "sqlite"), default="postgresql")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    parser.add_argument("--addresses", nargs="*", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        work(arguments.worker, arguments.addresses)
        return
    found = measure(arguments.orders, arguments.stock, arguments.database)
    import_orders.report(found, as_json=arguments.json)


def measure(orders: int, stock: str, database: str) -> dict[str, Any]:
    """Both, one after the other, on the same stores."""
    with ExitStack() as stack:
        addresses = [stack.enter_context(import_orders.demo_store(orders, seed=seed)) for seed in range(1, WORKERS + 1)]
        made = stack.enter_context(import_orders.databases(database))
        took: dict[int, float] = {}
        for workers in (1, WORKERS):
            url = next(made)
            runs = launched(url, addresses, stock)
            took[workers] = worked(url, [runs[number::workers] for number in range(workers)], addresses)
            registered = registered_in(url)
            if registered != orders * WORKERS:
                raise SystemExit(f"{registered} of {orders * WORKERS} orders were registered by {workers} workers")
    return {
        "orders": orders * WORKERS,
        "database": database,
        "stock": stock,
        "one_worker_per_second": round(orders * WORKERS / took[1], 1),
        "four_workers_per_second": round(orders * WORKERS / took[WORKERS], 1),
        "ratio": round(took[1] / took[WORKERS], 2),
    }


def launched(url: str, addresses: list[str], stock: str) -> list[int]:
    """Four integrations and a run of each, queued; items and stock are there."""
    from sqlalchemy import create_engine, insert, select
    from sqlalchemy.orm import sessionmaker

    from monet_web.demo.woocommerce.auth import DEMO_KEY, DEMO_SECRET
    from monet_web.models import Balance, Warehouse
    from monet_web.models.base import now_utc, sealer, writing
    from monet_web.models.runs import RunKind
    from monet_web.services.integrations import connect
    from monet_web.services.opening import open_runs

    sealer.bind([import_orders.KEY])
    session = sessionmaker(create_engine(url), expire_on_commit=False)()
    import_orders.prepare(session)
    now = now_utc()
    runs = []
    for number, address in enumerate(addresses, start=1):
        values = {
            "address": address, "consumer_key": DEMO_KEY, "consumer_secret": DEMO_SECRET,
            "number_prefix": f"W{number}-", "private_buyers": "each",
        }  # fmt: skip
        if stock == "own" and number > 1:
            with writing(session):
                warehouse = Warehouse(code=f"W{number}", name=f"Warehouse {number}", country="LT")
                session.add(warehouse)
                session.flush()
                of_first = select(warehouse.id, Balance.item_id, Balance.on_hand).where(Balance.warehouse_id == 1)
                session.execute(insert(Balance).from_select(["warehouse_id", "item_id", "on_hand"], of_first))
            values["warehouse"] = f"W{number}"
        connect.add_integration(
            session, name=f"Shop {number}", platform="woocommerce", values=values, now=now, actor="benchmark"
        )
        (run,) = open_runs.launch(
            session, mask=f"Shop {number}", first=date(2025, 12, 1), last=now.date(), kind=RunKind.LAUNCH, now=now,
            actor="benchmark",
        )  # fmt: skip
        runs.append(run.id)
    return runs


def worked(url: str, shares: list[list[int]], addresses: list[str]) -> float:
    """Seconds from the word to go until the last worker has ended."""
    command = [sys.executable, __file__, "--worker", url, "--addresses", *addresses]
    workers = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in shares]
    for worker in workers:
        assert worker.stdout is not None
        worker.stdout.readline()  # it is awake
    started = time.perf_counter()
    for worker, runs in zip(workers, shares, strict=True):
        assert worker.stdin is not None
        worker.stdin.write(" ".join(map(str, runs)) + "\n")
        worker.stdin.flush()
    for worker in workers:
        assert worker.stdout is not None
        worker.stdout.readline()  # it is done
    took = time.perf_counter() - started
    for worker in workers:
        worker.communicate()
        if worker.returncode:
            raise SystemExit(f"a worker ended with {worker.returncode}")
    return took


def work(url: str, addresses: list[str]) -> None:
    """What a worker process does: be awake, get its runs, work them, tell."""
    from sqlalchemy import create_engine
    from sqlalchemy.orm import sessionmaker

    from monet_web.connectors.base import Surroundings
    from monet_web.models.base import now_utc, sealer
    from monet_web.services.importing import claims
    from monet_web.services.running import run_import

    sealer.bind([import_orders.KEY])
    factory = sessionmaker(create_engine(url), expire_on_commit=False)
    factory().connection().close()
    surroundings = Surroundings(allowed_addresses=tuple(address.removeprefix("http://") for address in addresses))
    print("awake", flush=True)
    for run_id in map(int, sys.stdin.readline().split()):
        row = run_import.run(factory, run_id, surroundings=surroundings, clock=now_utc, worker=claims.this_process())
        if row.error:
            raise SystemExit(f"run {run_id}: {row.error}")
    print("done", flush=True)


def registered_in(url: str) -> int:
    """How many invoices are registered."""
    from sqlalchemy import create_engine, func, select

    from monet_web.models.invoices import Invoice, InvoiceState

    with create_engine(url).connect() as connection:
        return connection.scalar(select(func.count()).where(Invoice.state == InvoiceState.REGISTERED)) or 0


if __name__ == "__main__":
    main()
