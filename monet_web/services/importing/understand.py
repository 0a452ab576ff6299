"""Understand: the orders of a page as the connector reads them, each with the digest of what it says. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import orjson

import monet_web
from monet_web.connectors.base import Connector, Page
from monet_web.domain.orders import Order, Unreadable
from monet_web.services.importing.packed import dump_exact

ID_LENGTH = 120  # of the columns that keep a store's ids and numbers
_EARLIEST, _LATEST = 1990, 2200  # years: before the first e-shop, and after anybody who reads this
_UNKEEPABLE = rb"\u0000"  # how JSON writes the zero character, which PostgreSQL refuses in text


@dataclass(frozen=True, slots=True)
class Read:
    """One order just read: `raw` as the store gave it."""

    raw: Mapping[str, Any]
    order: Order | Unreadable
    digest: bytes
    raw_digest: bytes | None = None  # None: the same raw order is to be read again

    @property
    def key(self) -> str:
        """The store's own identity, as kept."""
        return self.order.external_id[:ID_LENGTH]


def read_page(connector: type[Connector], page: Page) -> list[Read]:
    """Every order of a page understood or named unreadable, each identity once (the last one said)."""
    reads: dict[str, Read] = {}
    for raw in page.orders:
        order = connector.read(raw, page.context)
        if not order.external_id:
            order = replace(order, external_id="?" + hashlib.sha256(dump_exact(raw)).hexdigest()[:16])
        one = _read(raw, order)
        if isinstance(one.order, Order) and not one.order.refunds and not one.order.is_refunded:
            one = replace(one, raw_digest=raw_digest(raw, page.context))
        reads[one.key] = one
    for one in unreadable(page):
        reads.setdefault(one.key, one)
    return list(reads.values())


def raw_digest(raw: Mapping[str, Any], context: Mapping[str, Any]) -> bytes:
    """16 bytes that tell two raw orders apart, what they share with their page and the program that reads them."""
    seed = program() + (dump_exact(context) if context else b"")
    return hashlib.blake2b(seed + dump_exact(raw), digest_size=16).digest()


@cache
def program() -> bytes:
    """A digest of all that decides how an order is read: a newer program reads what an older one knew."""
    home = Path(monet_web.__file__).parent
    files = sorted([*home.glob("connectors/**/*.py"), *home.glob("domain/*.py"), Path(__file__)])
    return hashlib.blake2b(b"".join(file.read_bytes() for file in files), digest_size=16).digest()


def unreadable(page: Page) -> list[Read]:
    """Those of a page that could not even be fetched."""
    return [_read({"unreadable": broken.reason}, broken) for broken in page.unreadable]


def _read(raw: Mapping[str, Any], order: Order | Unreadable) -> Read:
    """With its digest; text that no database keeps (half a surrogate pair, a zero character) makes it unreadable."""
    if isinstance(order, Order) and (wrong := _impossible_date(order)):
        reason = f"Order {_printable(order.number)} is dated {wrong}, which can't be. Correct its dates in the store."
        order = Unreadable(_printable(order.external_id), reason, _printable(order.number))
    if isinstance(order, Order):
        try:
            content = _without_change(orjson.dumps(order, default=_as_text), order)
        except TypeError:
            content = _UNKEEPABLE
        if _UNKEEPABLE not in content:
            return Read(raw, order, _hash(content))
        reason = (
            f"Order {_printable(order.number)} holds a character that can't be kept. Look at its texts in the store."
        )
        order = Unreadable(_printable(order.external_id), reason, _printable(order.number), order.placed_at)
    return Read(raw, order, _hash(order.reason.encode(errors="replace") + dump_exact(raw)))


@dataclass(frozen=True, slots=True)
class ReadPage:
    """A page and its orders understood; `packed` is the whole of it as it is kept, where that was made already."""

    page: Page
    reads: list[Read]
    packed: bytes | None = None


def _impossible_date(order: Order) -> str:
    """The first date that no sale can have, in words; "" when all can be. Shops with a broken clock write year 1."""
    moments = [order.placed_at, order.paid_at, order.shipped_at, order.changed_at, order.invoice_date]
    moments += [refund.created_at for refund in order.refunds]
    wrong = (moment for moment in moments if moment is not None and not _EARLIEST <= moment.year <= _LATEST)
    return next((f"{moment:%Y-%m-%d}" if moment.year > 999 else f"year {moment.year}" for moment in wrong), "")


def _without_change(content: bytes, order: Order) -> bytes:
    """The JSON of an order as if the store did not say when it was changed.

    Quicker than another order without it. No text before it can hold the same: quotes in texts are escaped.
    """
    if order.changed_at is None:
        return content
    before, name, after = content.partition(b'"changed_at":"')
    return before + b'"changed_at":null' + after[after.index(b'"') + 1 :] if name else content


def _hash(content: bytes) -> bytes:
    """16 bytes that tell two states of an order apart. A mere touch of the store's "changed" date is no new state."""
    return hashlib.blake2b(content, digest_size=16).digest()


def _printable(text: str) -> str:
    return "".join(sign for sign in text if sign.isprintable())


def _as_text(value: Any) -> str:
    if isinstance(value, Decimal):
        return str(value.normalize())
    raise TypeError(type(value).__name__)
