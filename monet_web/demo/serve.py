"""Puts a demo shop on a port: for a test, for a benchmark, for `monet demo`."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from monet_web.demo.rates import rate_commands
from monet_web.demo.woocommerce.auth import DEMO_KEY, DEMO_SECRET
from monet_web.demo.woocommerce.clock import moment, seconds
from monet_web.demo.woocommerce.history import PlainHistory, RealisticHistory
from monet_web.demo.woocommerce.life import living_store
from monet_web.demo.woocommerce.plain import PlainGenerator
from monet_web.demo.woocommerce.server import WooCommerceShop
from monet_web.demo.woocommerce.store import Store

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

LOOPBACK = "127.0.0.1"


@contextmanager
def serve(shop: WSGIApplication, port: int = 0, *, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """Serves on the loopback until the block ends; gives "http://127.0.0.1:PORT", https with `tls`. Port 0 picks one.

    Threaded: slow answers do not hold up others.
    """
    server = _server(shop, port, tls)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"{'http' if tls is None else 'https'}://{LOOPBACK}:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def demo_shop(
    *, seed: int = 1, orders: int = 200, still: bool = False, start: datetime | None = None
) -> WooCommerceShop:
    """The shop of `monet demo`. `still`: the recorded dates, and nothing ever changes.

    `start` (aware, default now) is when a living shop's life began. A demo installation keeps it and gives it again,
    or every order would have other dates after a restart.
    """
    if still:
        return WooCommerceShop(Store(RealisticHistory(seed=seed, total=orders)))
    store, life = living_store(seed=seed, orders=orders, start=datetime.now(UTC) if start is None else start)
    life.catch_up(datetime.now(UTC))
    return WooCommerceShop(store, before_answering=lambda: life.catch_up(datetime.now(UTC)))


def plain_shop(
    orders: int,
    *,
    lines: int = 3,
    sku_count: int = 100,
    seed: int = 1,
    first: datetime = datetime(2026, 1, 1, tzinfo=UTC),
    last: datetime = datetime(2026, 11, 1, tzinfo=UTC),
) -> WooCommerceShop:
    """The benchmark's shop: `orders` completed Lithuanian orders, spread evenly over [first, last] by creation.

    Each has `lines` lines of the SKUs monet_web.demo.items(sku_count), one to three pieces each. Its memory does not
    grow with the number of orders.
    """
    generator = PlainGenerator(seed=seed, lines=lines, sku_count=sku_count)
    history = PlainHistory(orders, seconds(first), seconds(last), generator)
    return WooCommerceShop(Store(history))


def banner(shop: WooCommerceShop, port: int) -> str:
    """What `monet demo` prints: the address, the keys, and the commands that connect an installation."""
    address = f"http://{LOOPBACK}:{port}"
    connect = (
        f'./monet integrations add "Demo shop" --platform woocommerce --set address={address} '
        f"--set consumer_key={DEMO_KEY} --set consumer_secret={DEMO_SECRET} --set not_before="
    )
    rates = rate_commands(moment(shop.store.newest_created))
    return "\n".join([
        f"A demo WooCommerce shop with {shop.store.history.count} orders at {address}",
        f"  consumer key     {DEMO_KEY}",
        f"  consumer secret  {DEMO_SECRET}",
        "",
        "Connect it:",
        f"  {connect}",
        "",
        "The shop still charges two rates that their countries gave up. Count them as valid until two days ago:",
        *[f"  {command}" for command in rates],
        "",
        "Ctrl+C stops it.",
    ])  # fmt: skip


def run(
    *,
    port: int = 8080,
    seed: int = 1,
    orders: int = 200,
    still: bool = False,
    start: datetime | None = None,
    quiet: bool = False,
) -> None:
    """`monet demo`: serves until interrupted; `quiet`: nobody needs to connect it. OSError when the port is taken."""
    shop = demo_shop(seed=seed, orders=orders, still=still, start=start)
    server = _server(shop, port, None)
    if not quiet:
        print(banner(shop, server.server_port), flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        server.server_close()


class _Handler(WSGIRequestHandler):
    """No line a request: query strings carry keys."""

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - the parent's name
        pass


def _server(shop: WSGIApplication, port: int, tls: ssl.SSLContext | None) -> BaseWSGIServer:
    return make_server(LOOPBACK, port, shop, threaded=True, request_handler=_Handler, ssl_context=tls)
