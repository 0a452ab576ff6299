"""The wire under StoreClient: connections that go only to addresses the guard has checked, cut off when time is up."""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
from types import TracebackType
from typing import Any, Self
from weakref import WeakSet

from requests.adapters import HTTPAdapter
from urllib3 import PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from monet_web.connectors.address_guard import AddressGuard

_ADDRESSES_TRIED = 4


class GuardedAdapter(HTTPAdapter):
    """A requests adapter whose every new connection is resolved once, checked, and made to the checked IP.

    The name stays the connection's host, so the Host header, SNI and the certificate's check are the name's.
    """

    def __init__(self, guard: AddressGuard) -> None:
        self.guard = guard
        self.sockets: WeakSet[socket.socket] = WeakSet()
        super().__init__(max_retries=0, pool_connections=2, pool_maxsize=2)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **pool_kwargs: Any) -> None:
        """requests asks for the pool here; the guarded classes are put in."""
        manager = PoolManager(num_pools=connections, maxsize=maxsize, block=block, **pool_kwargs)
        manager.pool_classes_by_scheme = _guarded_pools(self.guard, self.sockets)
        self.poolmanager = manager

    def cut_off(self) -> None:
        """Ends every open connection, so that whoever waits on one stops waiting."""
        for connected in list(self.sockets):
            with contextlib.suppress(OSError):
                connected.shutdown(socket.SHUT_RDWR)


class Deadline:
    """Cuts an adapter's connections off when an answer takes longer than `seconds`, header and body together.

    A read time-out alone does not do: a server that sends one byte a second never runs into it.
    """

    def __init__(self, adapter: GuardedAdapter, seconds: float) -> None:
        self.passed = False
        self._adapter = adapter
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True

    def _cut(self) -> None:
        self.passed = True
        self._adapter.cut_off()

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._timer.cancel()


def _guarded_pools(guard: AddressGuard, sockets: WeakSet[socket.socket]) -> dict[str, type[HTTPConnectionPool]]:
    def connect(connection: HTTPConnection, name: str, dial: Any) -> socket.socket:
        """Dials the checked addresses one after the other; `_dns_host` is what urllib3 dials."""
        refused: NewConnectionError | ConnectTimeoutError | None = None
        try:
            for address in guard.resolve(name, connection.port or connection.default_port)[:_ADDRESSES_TRIED]:
                connection._dns_host = address  # noqa: SLF001 - urllib3 has no other door to "this name at that IP"
                try:
                    connected: socket.socket = dial()
                except (NewConnectionError, ConnectTimeoutError) as error:
                    refused = error
                else:
                    sockets.add(connected)
                    return connected
        finally:
            connection._dns_host = name  # noqa: SLF001
        assert refused is not None  # noqa: S101 - the guard gives at least one address or raises
        raise refused

    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return connect(self, self._dns_host, super()._new_conn)

    class Secure(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return connect(self, self._dns_host, super()._new_conn)

        def connect(self) -> None:
            super().connect()
            if isinstance(self.sock, socket.socket):
                sockets.add(self.sock)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}


class _WithoutQueries(logging.Filter):
    """urllib3 logs every request's path with its query at DEBUG, and a query may hold a store's keys."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                argument.split("?", 1)[0] if isinstance(argument, str) else argument for argument in record.args
            )
        return True


logging.getLogger("urllib3.connectionpool").addFilter(_WithoutQueries())
