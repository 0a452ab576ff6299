"""`monet run` and `monet demo`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from monet_web.commands import _out

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from sqlalchemy.orm import Session

    from monet_web.config import Config

DEMO_PORT = 8080
_START_FILE = "demo_start"


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True, help="Of the web page.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address it listens on.")
@click.option("--demo", "is_demo", is_flag=True, help="With a demo store, on a database for nothing else.")
def run(port: int, host: str, is_demo: bool) -> None:
    """Run everything on this machine: web page, worker, scheduler and, unless REDIS_URL names one, Redis.

    \b
    ./monet run
    ./monet run --port 8010
    ./monet run --demo

    The first start prints the link of the first administrator. Ctrl-C ends everything.
    """
    from dataclasses import replace

    from monet_web import supervisor
    from monet_web.commands._context import configuration
    from monet_web.config import DEFAULT_URL

    config = configuration()
    _check_demo(config, is_demo=is_demo)
    if config.url in {None, DEFAULT_URL}:
        config = replace(config, url=f"http://{'127.0.0.1' if host in {'0.0.0.0', '::'} else host}:{port}")  # noqa: S104
    prepare = _preparation(config, is_demo=is_demo)
    raise click.exceptions.Exit(supervisor.run(config, is_demo, port=port, host=host, prepare=prepare))


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), default=DEMO_PORT, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True, help="Another number, other orders.")
@click.option("--orders", type=click.IntRange(0, 10_000_000), default=200, show_default=True, help="How many.")
@click.option("--still", is_flag=True, help="The recorded dates, and nothing ever changes.")
def demo(port: int, seed: int, orders: int, still: bool) -> None:
    """Serve a demo store that speaks the real WooCommerce protocol; it prints how to connect it. Ctrl-C ends it.

    \b
    ./monet demo --orders 500
    """
    import signal

    from monet_web.commands._context import configuration
    from monet_web.demo import serve
    from monet_web.installation import announced_demo

    config = configuration()
    # SIGTERM ends it as Ctrl-C does, with its address taken back.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # Connectors refuse this machine's own addresses, except of a demo store that is served now.
    with announced_demo(config.home, f"{serve.LOOPBACK}:{port}"):
        serve.run(port=port, seed=seed, orders=orders, still=still, start=_kept_start(config.home))


def _check_demo(config: Config, *, is_demo: bool) -> None:
    """A demo database is for the demo alone, and nothing else is for a demo (I1)."""
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
        finally:
            session.close()


def _preparation(config: Config, *, is_demo: bool) -> Callable[[], None]:
    """What is done once the tables are up to date: the demo's data, and the first administrator's link."""

    def prepare() -> None:
        from monet_web.installation import opened
        from monet_web.models.base import now_utc
        from monet_web.services import users

        with opened(config) as installation:
            session = installation.session_factory()
            try:
                if is_demo:
                    _prepare_demo(session, config.home)
                token = None
                if config.is_embedded_database:
                    token = users.first_administrator_link(session, now=now_utc())
                if token is not None:
                    _out.say("The first administrator's link works once, for an hour:")
                    _out.say(f"  {config.url}{users.link_path(token)}")
            finally:
                session.close()

    return prepare


def _prepare_demo(session: Session, home: Path) -> None:
    from monet_web.demo import serve, vat_rates
    from monet_web.demo.woocommerce.auth import DEMO_KEY, DEMO_SECRET
    from monet_web.models.base import now_utc
    from monet_web.services import demo as service

    now = now_utc()
    if _kept_start(home) is None:
        (home / _START_FILE).write_text(now.isoformat(), encoding="ascii")
    service.prepare(
        session,
        values={
            "address": f"http://{serve.LOOPBACK}:{DEMO_PORT}",
            "consumer_key": DEMO_KEY,
            "consumer_secret": DEMO_SECRET,
        },
        vat_rates=vat_rates(now),
        now=now,
    )


def _kept_start(home: Path) -> datetime | None:
    """When the demo store of this home began its life: after a restart its orders must have the same dates."""
    from datetime import datetime

    try:
        return datetime.fromisoformat((home / _START_FILE).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
