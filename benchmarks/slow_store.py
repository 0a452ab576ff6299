"""What overlapping questions are worth with a store that takes its time, and how a 429 is heeded.

    python benchmarks/slow_store.py [--orders 4000] [--seconds 0.2] [--database sqlite|postgresql] [--json]

The same demo store, in a process of its own, takes `--seconds` for each answer. The product imports from it twice, each
time in a fresh process into a new database: once with one question at a time, once with four. `ratio` = throughput of
the second / of the first. `same` = both databases hold the same invoices in the same order of registration.

Then it is imported once more from a store that bears `LIMIT` questions a second and answers 429 to any more, with the
time until it wants to be asked again. `refused` = how many 429 it said; `asked_too_soon` = questions that it got before
that time, though they were asked after its answer: there must be none.
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import import_orders

LIMIT = 3  # questions a second
ON_ITS_WAY = 0.2  # seconds
SAID = "/said"


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
        address = stack.enter_context(limited_store(orders))
        url = next(made)
        child(4, address, url)
        invoices[0] = registered(url)
        with urlopen(address + SAID) as answer:  # noqa: S310 - our own store
            said = json.load(answer)
    return {
        "orders": orders,
        "database": database,
        "seconds_a_page": seconds,
        "one_at_a_time_per_second": round(orders / took[1], 1),
        "four_at_once_per_second": round(orders / took[4], 1),
        "ratio": round(took[1] / took[4], 2),
        "same": invoices[0] == invoices[1] == invoices[4] and len(invoices[1]) == orders,
        **said,
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
    with _process(_serve_slowly, orders, seconds) as address:
        yield address


@contextmanager
def limited_store(orders: int) -> Iterator[str]:
    """The plain demo shop that bears so much and no more; at `SAID` it tells what it had to say."""
    with _process(_serve_limited, orders) as address:
        yield address


@contextmanager
def _process(target: Callable[..., None], *about: Any) -> Iterator[str]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=target, args=(*about, theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        yield ours.recv()
    finally:
        process.kill()
        process.join()


def _serve_slowly(orders: int, seconds: float, pipe: Any) -> None:
    shop = _shop(orders)

    def slowly(environ: Any, start_response: Any) -> Any:
        time.sleep(seconds)
        return shop(environ, start_response)

    _serve(slowly, pipe)


def _serve_limited(orders: int, pipe: Any) -> None:
    _serve(Limited(_shop(orders)), pipe)


def _shop(orders: int) -> Any:
    from monet_web.demo.woocommerce import plain_shop

    return plain_shop(orders, sku_count=import_orders.SKUS)


def _serve(application: Any, pipe: Any) -> None:
    from monet_web.demo.serve import serve

    with serve(application) as address:
        pipe.send(address)
        time.sleep(24 * 3600)


class Limited:
    """A shop that bears `LIMIT` questions in any second, and says how long to stay away to who asks more."""

    def __init__(self, shop: Any) -> None:
        self._shop = shop
        self._lock = threading.Lock()
        self._lately: list[float] = []
        self._refused_at = self._until = 0.0
        self._said = {"limited_to_per_second": LIMIT, "asked": 0, "refused": 0, "asked_too_soon": 0}

    def __call__(self, environ: Any, start_response: Any) -> Any:
        if environ["PATH_INFO"] == SAID:
            start_response("200 OK", [("Content-Type", "application/json")])
            return [json.dumps(self._said).encode()]
        with self._lock:
            now = time.monotonic()
            self._said["asked"] += 1
            # What comes right after a refusal was on its way already.
            self._said["asked_too_soon"] += self._refused_at + ON_ITS_WAY < now < self._until
            self._lately = [moment for moment in self._lately if moment > now - 1]
            if len(self._lately) >= LIMIT:
                wait = math.ceil(self._lately[0] + 1 - now)
                self._said["refused"] += 1
                self._refused_at, self._until = now, now + wait
                start_response("429 Too Many Requests", [("Retry-After", str(wait))])
                return [b"[]"]
            self._lately.append(now)
        return self._shop(environ, start_response)


if __name__ == "__main__":
    main()
