"""Whether a million invoices make anything slower: importing beside them, and the pages that list them.

    python benchmarks/many_invoices.py pages  --database sqlite|postgresql [--few 10000] [--many 1000000]
    python benchmarks/many_invoices.py growth --database sqlite|postgresql [--many 1000000] [--orders 5000]

`pages`: every list, search, filter, sort, group and report is asked for through the application in turn on a database
of few invoices and on one of many (one of twenty waits), and the medians of milliseconds are set beside each other.
`first` is the first answer on many, when nothing of it is in memory. Statements are counted: they must be the same.
`growth`: a demo store's orders are imported over HTTP into a database without invoices and into one of many, in turn,
each time by a fresh process as a new store; then read again by the same process: all of them known and unchanged.

Databases are filled by `past.py` into `--folder` and stay there for the next time.
"""

from __future__ import annotations

import argparse
import json
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import date, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import import_orders
import past

FOLDER = Path(tempfile.gettempdir(), "monet-past")  # a million invoices are to outlive the process that made them
ROUNDS = 15
# {number}: a word of the newest registered invoice's number; {month}: the last whole one.
PAGES = (
    "/", "/?show=eur",
    "/invoices", "/invoices?after={registered}", "/invoices?sort=total", "/invoices?sort=buyer",
    "/invoices?sort=number",
    "/invoices?q={number}", "/invoices?q={order}", "/invoices?q={buyer}", "/invoices?q={email}", "/invoices?q={sku}",
    "/invoices?q={sku}+{buyer}", "/invoices?q=nothing-like-it", "/invoices?integration=2", "/invoices?currency=EUR",
    "/invoices?currency=USD", "/invoices?from={first}&to={last}", "/invoices?from={first}&to={last}&sort=total",
    "/invoices?only=notices", "/invoices?only=changed", "/invoices?q={buyer}&integration=2&sort=buyer",
    "/invoices/{registered}",
    "/journals", "/journals?integration=2", "/journals?month={month}", "/journals/invoices",
    "/journals/invoices?after={waiting}", "/journals/invoices?cause=item_unknown&subject=NEW-5",
    "/journals/invoices?cause=stock_short", "/journals/invoices?q={number}", "/journals/invoices?q={buyer}",
    "/journals/invoices?integration=2&month={month}", "/journals/1", "/journals/invoices/{waiting}",
    "/journals/changed", "/journals/conflicts", "/journals/left-out", "/journals/stock-to-settle",
    "/journals/ask?do=register&all=yes", "/journals/ask?do=delete&cause=item_unknown&subject=NEW-5",
    "/items", "/items?q={sku}", "/items?only=waiting", "/items?only=none", "/items/1", "/items/suggest?q={sku}",
    "/customers", "/customers?q={email}", "/customers?q=nobody", "/customers/{customer}",
    "/customers/suggest?words=vard",
    "/integrations", "/integrations/list", "/integrations/1", "/runs", "/runs?q={order}", "/runs/1",
    "/settings", "/settings/periods", "/settings/numbers", "/reports", "/reports/month?month={month}",
    "/reports/isaf?month={month}",
    "/reports/numbers?month={month}", "/reports/oss", "/reports/sales-journal?month={month}",
)  # fmt: skip


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("pages", "growth", "importing"))
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--few", type=int, default=10_000)
    parser.add_argument("--many", type=int, default=1_000_000)
    parser.add_argument("--orders", type=int, default=5000)
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--only", default="", help="pages whose address begins with this")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--address", help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.what == "importing":
        print(json.dumps(importing(arguments.address, arguments.url)))
        return
    with past.kept(arguments.database, arguments.folder) as urls:
        if arguments.what == "pages":
            wanted = [page for page in PAGES if page.startswith(arguments.only)]
            found = pages(urls(arguments.few), urls(arguments.many), wanted, arguments.rounds or ROUNDS)
            report = pages_report
        else:
            found = growth(urls, arguments.many, arguments.orders, arguments.rounds or 3)
            report = import_orders.report  # type: ignore[assignment]
            if not arguments.json:
                import_orders.report(found, as_json=False)
                return
    if arguments.json:
        print(json.dumps(found))
    else:
        report(found)


# --- pages ---------------------------------------------------------------------------------------------------------


def pages(few: str, many: str, wanted: Sequence[str], rounds: int) -> dict[str, Any]:
    """Each page on both databases in turn, `rounds` times after a first time that only `first` tells of."""
    both = [Office(few), Office(many)]
    rows = []
    for page in wanted:
        firsts, counts = zip(*(one.first(page) for one in both), strict=True)
        took: list[list[int]] = [[], []]
        for _ in range(rounds):
            for place, one in enumerate(both):
                took[place].append(one.milliseconds(page))
        medians = [statistics.median(each) / 1000 for each in took]
        print(
            f"{min(took[0]) / 1000:8.1f} {min(took[1]) / 1000:8.1f} {firsts[1] / 1000:8.1f} {page}",
            file=sys.stderr,
            flush=True,
        )
        rows.append(
            {"page": page, "few": round(medians[0], 1), "many": round(medians[1], 1),
             "ratio": round(medians[1] / medians[0], 2), "first": round(firsts[1] / 1000, 1), "statements": counts}
        )  # fmt: skip
    return {
        "pages": rows,
        "median_ms": statistics.median(row["many"] for row in rows),
        "slower_than_twice": [row["page"] for row in rows if row["ratio"] > 2],
        "over_50_ms": [row["page"] for row in rows if row["many"] > 50],
        "other_statements": [row["page"] for row in rows if len(set(row["statements"])) > 1],
    }


def pages_report(found: dict[str, Any]) -> None:
    """A line a page, then what is not as it should be."""
    print(f"{'few':>8} {'many':>8} {'ratio':>6} {'first':>8}  statements  page (milliseconds)")
    for row in found["pages"]:
        counts = "/".join(str(each) for each in sorted(set(row["statements"])))
        print(f"{row['few']:>8} {row['many']:>8} {row['ratio']:>6} {row['first']:>8}  {counts:>10}  {row['page']}")
    for name in ("median_ms", "slower_than_twice", "over_50_ms", "other_statements"):
        print(f"{name}: {found[name]}")


class Office:
    """The application on one database, with an accountant signed in."""

    def __init__(self, url: str) -> None:
        from sqlalchemy import create_engine
        from sqlalchemy.orm import Session

        from monet_web.app import create_app
        from monet_web.config import Config
        from monet_web.models.base import sealer
        from monet_web.models.users import Role
        from tests.web.integrating import browser, statements

        sealer.bind([import_orders.KEY])
        secret = secrets.token_hex(32)
        self._app = create_app(
            Config(
                database_url=url, is_embedded_database=False, redis_url=None, encryption_keys=(import_orders.KEY,),
                home=FOLDER, secret_key=secret, url="http://localhost",
            )
        )  # fmt: skip
        self._app.config.update(TESTING=True, WTF_CSRF_ENABLED=False)
        self._statements = statements
        engine = create_engine(url)
        with Session(engine, expire_on_commit=False) as session:
            self._client = browser(self._app, session, Role.ACCOUNTANT)
        self._values = _values(engine)
        engine.dispose()

    def first(self, page: str) -> tuple[int, int]:
        """Microseconds and statements of an answer that must be 200."""
        with self._statements(self._app) as asked:
            took = self.milliseconds(page)
        return took, len(asked)

    def milliseconds(self, page: str) -> int:
        """Microseconds of server time."""
        address = page.format(**self._values)
        began = time.perf_counter_ns()
        answer = self._client.get(address)
        took = (time.perf_counter_ns() - began) // 1000
        assert answer.status_code == 200, (address, answer.status_code, answer.location)
        return took


def _values(engine: Any) -> dict[str, Any]:
    """What the addresses name: of an invoice in the middle of the past."""
    from sqlalchemy import func, select

    from monet_web.models import Invoice
    from monet_web.models.invoices import InvoiceState

    with engine.connect() as connection:
        half = connection.scalar(select(func.max(Invoice.id))) // 2
        of_state = {}
        for state in InvoiceState:
            query = select(Invoice).where(Invoice.state == state, Invoice.id >= half).order_by(Invoice.id).limit(1)
            of_state[state] = connection.execute(query).one()
    one = of_state[InvoiceState.REGISTERED]
    first = date.today().replace(day=1) - timedelta(days=1)  # noqa: DTZ011 - any month will do
    return {
        "registered": one.id, "waiting": of_state[InvoiceState.IN_JOURNAL].id, "number": one.number,
        "order": one.order_number, "buyer": one.buyer_name.split()[-1], "email": one.buyer["email"], "sku": "DEMO-0012",
        "customer": one.customer_id, "month": f"{first:%Y-%m}", "first": first.replace(day=1), "last": first,
    }  # fmt: skip


# --- growth --------------------------------------------------------------------------------------------------------


def growth(urls: Any, many: int, orders: int, rounds: int) -> dict[str, Any]:
    """New and known orders beside none and beside many, each in a fresh process, in turn."""
    took: dict[str, list[float]] = {}
    full = urls(many)
    with ExitStack() as stack:
        for _ in range(rounds):
            for name, url in (("none", urls(0)), ("many", full)):
                # A store of its own each time: its orders are new to both.
                with import_orders.demo_store(orders) as address:
                    command = [sys.executable, __file__, "importing", "--address", address, "--url", url]
                    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
                for key, seconds in json.loads(done.stdout.splitlines()[-1]).items():
                    took.setdefault(f"{key}_beside_{name}", []).append(seconds)
        stack.close()
    medians = {key: statistics.median(each) for key, each in took.items()}
    return {
        "orders": orders,
        "many": many,
        **{f"{key}_seconds": round(value, 2) for key, value in medians.items()},
        "growth": round(medians["new_beside_many"] / medians["new_beside_none"], 3),
        "known_faster_beside_none": round(medians["new_beside_none"] / medians["known_beside_none"], 2),
        "known_faster_beside_many": round(medians["new_beside_many"] / medians["known_beside_many"], 2),
    }


def importing(address: str, url: str) -> dict[str, float]:
    """Seconds of a launch that books all of a new store's orders, and of a second one that finds them all known."""
    from sqlalchemy import create_engine, func, select
    from sqlalchemy.orm import sessionmaker

    from monet_web.connectors.base import Surroundings
    from monet_web.demo.woocommerce import VALUES
    from monet_web.models import Integration, Item
    from monet_web.models.base import now_utc, sealer
    from monet_web.models.runs import RunKind
    from monet_web.services.importing import claims
    from monet_web.services.integrations import connect
    from monet_web.services.opening import open_runs
    from monet_web.services.running import run_import

    sealer.bind([import_orders.KEY])
    factory = sessionmaker(create_engine(url), expire_on_commit=False)
    session = factory()
    with session.begin():
        is_new = session.scalar(select(func.count()).select_from(Item)) == 0
        turn = (session.scalar(select(func.max(Integration.id))) or 0) + 1
    if is_new:
        past.prepare(session)
    now = now_utc()
    values = {"address": address, **VALUES, "number_prefix": f"G{turn}-", "private_buyers": "each"}
    name = f"Growth {turn}"
    connect.add_integration(session, name=name, platform="woocommerce", values=values, now=now, actor="benchmark")
    surroundings = Surroundings(allowed_addresses=(address.removeprefix("http://"),))
    took = {}
    for which in ("new", "known"):
        (run,) = open_runs.launch(
            session, mask=name, first=date(2025, 12, 1), last=now.date(), kind=RunKind.LAUNCH, now=now,
            actor="benchmark", foreground=True,
        )  # fmt: skip
        began = time.perf_counter()
        row = run_import.run(factory, run.id, surroundings=surroundings, clock=now_utc, worker=claims.this_process())
        took[which] = time.perf_counter() - began
        counted = row.registered if which == "new" else row.already_there
        if row.error or counted != row.fetched:
            raise SystemExit(f"{which}: {row.error} {row.outcomes()} {row.findings}")
    return took


if __name__ == "__main__":
    main()
