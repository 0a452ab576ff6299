"""The process that reads for a run: `python -m monet_web.services.importing.reading_process PLATFORM`.

A page of raw orders comes in, as JSON; out goes what its orders say, pickled, with the page as it is kept. Ends with
its input. Nothing of the database, the store or a secret is known here; see `beside`.
"""

from __future__ import annotations

import copyreg
import pickle
import signal
import sys
from collections.abc import Callable
from dataclasses import fields
from io import BytesIO
from operator import attrgetter
from typing import Any

from monet_web.connectors import CONNECTORS
from monet_web.connectors.base import Connector, Page
from monet_web.domain import orders
from monet_web.services.importing.frames import READY, received, send
from monet_web.services.importing.packed import load_exact, packed
from monet_web.services.importing.understand import read_page


def main(kind: str) -> None:
    """Read until there is nothing more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C ends the run, and its end ends this process
    connector = CONNECTORS[kind]
    given, answers = sys.stdin.buffer, sys.stdout.buffer
    send(answers, READY)
    while (text := received(given)) is not None:
        send(answers, answer(connector, text))


def answer(connector: type[Connector], text: bytes) -> bytes:
    """Pickled: ([(place in the page, order, digest, raw digest)], the page as it is kept)."""
    page = load_exact(text)
    places = {id(raw): place for place, raw in enumerate(page["orders"])}
    reads = read_page(connector, Page(tuple(page["orders"]), page["context"]))
    found = [(places[id(one.raw)], one.order, one.digest, one.raw_digest) for one in reads]
    pickled = BytesIO()
    _Pickler(pickled, pickle.HIGHEST_PROTOCOL).dump((found, packed(text)))
    return pickled.getvalue()


def _made_anew(kind: type[Any]) -> Callable[[Any], tuple[type[Any], tuple[Any, ...]]]:
    values = attrgetter(*(each.name for each in fields(kind)))
    return lambda one: (kind, values(one))


class _Pickler(pickle.Pickler):
    """Orders are made anew from their values, in half the time of setting the fields of empty ones."""

    dispatch_table = copyreg.dispatch_table | {
        kind: _made_anew(kind)
        for kind in (
            *(orders.Order, orders.OrderLine, orders.Charge, orders.Tax, orders.TaxTotal, orders.Payment),
            *(orders.Address, orders.Buyer, orders.Refund, orders.RefundLine, orders.Unreadable),
        )
    }


if __name__ == "__main__":
    main(sys.argv[1])
