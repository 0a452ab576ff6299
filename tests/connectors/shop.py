"""A small store of WSGI for tests: answers from a function, on 127.0.0.1, plain or with TLS."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

from monet_web.connectors.base import Surroundings

Handler = Callable[[Request], Response]


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - werkzeug's name
        return


@dataclass
class Shop:
    """A running store; `asked` are the requests it got."""

    address: str
    host_port: str
    asked: list[Request] = field(default_factory=list)

    def surroundings(self, **more: Any) -> Surroundings:
        return Surroundings(allowed_addresses=(self.host_port,), **more)


@contextmanager
def running(handler: Handler, tls: ssl.SSLContext | None = None) -> Iterator[Shop]:
    """Serves `handler` while the block runs."""
    asked: list[Request] = []

    def application(environ: Any, start_response: Any) -> Any:
        request = Request(environ)
        asked.append(request)
        return handler(request)(environ, start_response)

    server: BaseWSGIServer = make_server(
        "127.0.0.1", 0, application, threaded=True, request_handler=_Quiet, ssl_context=tls
    )
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    scheme = "https" if tls else "http"
    host_port = f"127.0.0.1:{server.port}"
    try:
        yield Shop(f"{scheme}://{host_port}", host_port, asked)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def says(value: Any, status: int = 200, **headers: str) -> Response:
    """A JSON answer; header names are written with underscores."""
    return Response(
        json.dumps(value),
        status,
        content_type="application/json; charset=UTF-8",
        headers={name.replace("_", "-"): text for name, text in headers.items()},
    )
