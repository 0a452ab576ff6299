"""Puts demo shops on ports: for a test, for a benchmark, for `monet demo`."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from monet_web.demo.stores import DemoStore

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


def banner(store: DemoStore, port: int, *, rates: Sequence[str] = ()) -> str:
    """What `monet demo` prints: the address, the keys, and the commands that connect an installation.

    `rates`: commands that make VAT rates valid which the shop still charges.
    """
    address = f"http://{LOOPBACK}:{port}"
    values = {"address": address, **store.values}
    given = " ".join(f"--set {key}={text}" for key, text in values.items())
    lines = [
        f"A demo store ({store.kind}) at {address}",
        *[f"  {key:<17}{text}" for key, text in store.values.items()],
        "",
        "Connect it:",
        f'  ./monet integrations add "{store.name}" --platform {store.kind} {given} --set not_before=',
    ]
    if rates:
        lines += [
            "",
            "The shop still charges rates that their countries gave up. Count them as valid until two days ago:",
            *[f"  {command}" for command in rates],
        ]
    return "\n".join([*lines, "", "Ctrl+C stops it."])


def run(
    stores: Mapping[int, DemoStore],
    *,
    seed: int = 1,
    orders: int = 200,
    still: bool = False,
    start: datetime | None = None,
    quiet: bool = False,
) -> None:
    """`monet demo`: serves each store at its port until interrupted. `quiet`: nobody needs to connect them.

    OSError when a port is taken.
    """
    with ExitStack() as served:
        for port, store in stores.items():
            shop = store.shop(seed=seed, orders=orders, still=still, start=start)
            served.enter_context(serve(shop, port))
            if not quiet:
                print(banner(store, port, rates=store.rate_commands(shop)), flush=True)
        with suppress(KeyboardInterrupt):
            threading.Event().wait()


class _Handler(WSGIRequestHandler):
    """No line a request: query strings carry keys."""

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - the parent's name
        pass


def _server(shop: WSGIApplication, port: int, tls: ssl.SSLContext | None) -> BaseWSGIServer:
    return make_server(LOOPBACK, port, shop, threaded=True, request_handler=_Handler, ssl_context=tls)
