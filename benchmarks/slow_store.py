"""What overlapping questions are worth with a store that takes its time, and how a 429 is heeded.

    python benchmarks/slow_store.py [--orders 4000] [--seconds 0.2] [--database sqlite|postgresql] [--json]

The same demo store, in a process of its own, takes `--seconds` for each answer. The product imports from it twice, each
time in a fresh process into a new database: once with one question at a time, once with four. `ratio` = throughput of
the second / of the first. `same` = both databases hold the same invoices in the same order of registration.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import import_orders


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, default=4000)
    parser.add_argument("--seconds", type=float, default=0.2)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--width", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--address", help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.width:
        from monet_web.connectors.overlap import Overlap

        Overlap.__init__.__kwdefaults__ = {"width": arguments.width}
        print(json.dumps(import_orders.product(arguments.address, arguments.url)))
        return
    found = measure(arguments.orders, arguments.seconds, arguments.database)
    import_orders.report(found, as_json=arguments.json)


def measure(orders: int, seconds: float, database: str) -> dict[str, Any]:
    """Both imports, one after the other."""
    took: dict[int, float] = {}
    invoices: dict[int, list[Any]] = {}
    with ExitStack() as stack:
        address = stack.enter_context(slow_store(orders, seconds))
        made = stack.enter_context(import_orders.databases(database))
        for width in (1, 4):
            url = next(made)
            took[width] = child(width, address, url)
            invoices[width] = registered(url)
    return {
        "orders": orders,
        "database": database,
        "seconds_a_page": seconds,
        "one_at_a_time_per_second": round(orders / took[1], 1),
        "four_at_once_per_second": round(orders / took[4], 1),
        "ratio": round(took[1] / took[4], 2),
        "same": invoices[1] == invoices[4] and len(invoices[1]) == orders,
    }


def child(width: int, address: str, url: str) -> float:
    """Seconds of one import in a fresh process."""
    command = [sys.executable, __file__, "--width", str(width), "--address", address, "--url", url]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return float(json.loads(done.stdout.splitlines()[-1])["seconds"])


def registered(url: str) -> list[tuple[Any, ...]]:
    """Every invoice in the order of its id: number, total and day."""
    from sqlalchemy import create_engine, select

    from monet_web.models import Invoice

    with create_engine(url).connect() as connection:
        rows = connection.execute(select(Invoice.number, Invoice.total, Invoice.issue_date).order_by(Invoice.id))
        return [tuple(row) for row in rows]


@contextmanager
def slow_store(orders: int, seconds: float) -> Iterator[str]:
    """The plain demo shop behind a delay, in a process of its own; its address."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(orders, seconds, theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        yield ours.recv()
    finally:
        process.kill()
        process.join()


def _serve(orders: int, seconds: float, pipe: Any) -> None:
    from monet_web.demo.serve import serve
    from monet_web.demo.woocommerce import plain_shop

    shop = plain_shop(orders, sku_count=import_orders.SKUS)

    def slowly(environ: Any, start_response: Any) -> Any:
        time.sleep(seconds)
        return shop(environ, start_response)

    with serve(slowly) as address:
        pipe.send(address)
        time.sleep(24 * 3600)


if __name__ == "__main__":
    main()
