"""`monet run` and `monet demo`."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from sqlalchemy.orm import Session

    from monet_web.config import Config

DEMO_PORT = 8080
_START_FILE = "demo_start"
_RECEIVED_BEFORE = timedelta(days=60)  # its oldest order is younger


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True, help="Of the web page.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address it listens on.")
@click.option("--demo", "is_demo", is_flag=True, help="With demo stores, on a database for nothing else.")
@click.option(
    "--store-port",
    type=click.IntRange(1, 65000),
    help=f"Of the first demo store, the others follow.  [default: {DEMO_PORT}, or its last one]",
)
def run(port: int, host: str, is_demo: bool, store_port: int | None) -> None:
    """Run everything on this machine: web page, worker, scheduler and, unless REDIS_URL names one, Redis.

    \b
    ./monet run
    ./monet run --port 8010
    ./monet run --demo
    ./monet run --demo --port 8010 --store-port 8090

    The first start prints the link of the first administrator. Ctrl-C ends everything.
    """
    from dataclasses import replace

    from monet_web import supervisor
    from monet_web.commands._context import configuration
    from monet_web.config import DEFAULT_URL

    if store_port is not None and not is_demo:
        raise click.UsageError("--store-port is the demo stores'; it goes with --demo.")
    config = configuration()
    served_before = _check_demo(config, is_demo=is_demo)
    if is_demo:
        store_port = store_port or served_before or DEMO_PORT
    if config.url in {None, DEFAULT_URL}:
        config = replace(config, url=f"http://{'127.0.0.1' if host in {'0.0.0.0', '::'} else host}:{port}")  # noqa: S104
    prepare = _preparation(config, store_port=store_port)
    raise click.exceptions.Exit(supervisor.run(config, port=port, host=host, store_port=store_port, prepare=prepare))


@click.command()
@click.option("--port", type=click.IntRange(1, 65000), default=DEMO_PORT, show_default=True)
@click.option("--platform", default="woocommerce", show_default=True, help="Or all: one of each.")
@click.option("--seed", type=int, default=1, show_default=True, help="Another number, other orders.")
@click.option("--orders", type=click.IntRange(0, 10_000_000), default=200, show_default=True, help="How many.")
@click.option("--still", is_flag=True, help="The recorded dates, and nothing ever changes.")
@click.option("--quiet", is_flag=True, help="Without the words how to connect it.")
def demo(port: int, platform: str, seed: int, orders: int, still: bool, quiet: bool) -> None:
    """Serve a demo store that speaks its platform's real protocol; it prints how to connect it. Ctrl-C ends it.

    \b
    ./monet demo --orders 500
    ./monet demo --platform prestashop --port 8090
    """
    import signal
    from contextlib import ExitStack

    from monet_web.commands._context import configuration
    from monet_web.demo import serve
    from monet_web.demo.stores import STORES, ports
    from monet_web.installation import announced_demo

    found = {
        (ports(port)[store.kind] if platform == "all" else port): store
        for store in STORES
        if platform in {"all", store.kind}
    }
    if not found:
        raise click.UsageError(f"--platform is one of: {', '.join(store.kind for store in STORES)}, all.")
    config = configuration()
    # SIGTERM ends it as Ctrl-C does, with its address taken back.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with ExitStack() as announced:
        # Connectors refuse this machine's own addresses, except of a demo store that is served now.
        for each in found:
            announced.enter_context(announced_demo(config.home, f"{serve.LOOPBACK}:{each}"))
        serve.run(found, seed=seed, orders=orders, still=still, start=_kept_start(config.home), quiet=quiet)


def _check_demo(config: Config, *, is_demo: bool) -> int | None:
    """A demo database is for the demo alone, and nothing else is for a demo (I1).

    The port at which its first demo store was served last, None when there is none yet.
    """
    from monet_web.demo.stores import STORES
    from monet_web.domain.errors import BrokenRule
    from monet_web.installation import opened
    from monet_web.services import demo as service

    if is_demo and not config.is_embedded_database:
        raise BrokenRule(
            "--demo works on a database of its own, and DATABASE_URL names another.", fix="Leave DATABASE_URL out."
        )
    with opened(config) as installation:
        session = installation.session_factory()
        try:
            service.check(session, is_demo=is_demo)
            return service.store_port(session, STORES[0].kind) if is_demo else None
        finally:
            session.close()


def _preparation(config: Config, *, store_port: int | None) -> Callable[[], list[str]]:
    """What is done once the tables are up to date: the demo's data, and the first administrator's link.

    It gives the lines that are said when the web page answers.
    """

    def prepare() -> list[str]:
        from monet_web.installation import opened
        from monet_web.models.base import now_utc
        from monet_web.services.office import users

        with opened(config) as installation:
            session = installation.session_factory()
            lines = []
            try:
                if store_port is not None:
                    lines += _prepare_demo(session, config.home, store_port)
                token = None
                if config.is_embedded_database:
                    token = users.first_administrator_link(session, now=now_utc())
                if token is not None:
                    lines.append("The first administrator's link works once, for an hour:")
                    lines.append(f"  {config.url}{users.link_path(token)}")
            finally:
                session.close()
            return lines

    return prepare


def _prepare_demo(session: Session, home: Path, store_port: int) -> list[str]:
    from monet_web.demo import goods, serve, vat_rates
    from monet_web.demo.stores import STORES, ports
    from monet_web.models.base import now_utc
    from monet_web.services import demo as service

    now = now_utc()
    if _kept_start(home) is None:
        (home / _START_FILE).write_text(now.isoformat(), encoding="ascii")
    stores = [
        service.Shop(
            name=store.name,
            platform=store.kind,
            connection={"address": f"http://{serve.LOOPBACK}:{ports(store_port)[store.kind]}", **store.values},
            settings=store.settings,
        )
        for store in STORES
    ]
    service.prepare(
        session,
        stores=stores,
        vat_rates=vat_rates(now),
        items=goods.items_file(),
        receipt=goods.receipt_file(now.date() - _RECEIVED_BEFORE),
        currency_rates=goods.rates_file(now.date()),
        now=now,
    )
    return [
        "Demo stores answer on this machine; they are connected already:",
        *[f"  {one.name}: {one.connection['address']}" for one in stores],
    ]


def _kept_start(home: Path) -> datetime | None:
    """When the demo store of this home began its life: after a restart its orders must have the same dates."""
    from datetime import datetime

    try:
        return datetime.fromisoformat((home / _START_FILE).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
