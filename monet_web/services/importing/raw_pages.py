"""Raw orders as the stores gave them: packed a page at a time, unpacked one by one, exact to the last digit."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from monet_web.models.store_orders import RawPage, StoreOrderVersion

_LEVEL = 6  # measured: 52 µs and 502 bytes an order; higher levels cost time and save nothing


def pack(orders: Sequence[Mapping[str, Any]], context: Mapping[str, Any]) -> bytes:
    """A page as kept. Numbers with a point are Decimals and are written digit by digit, never through a float."""
    return zlib.compress(dump_exact({"context": context, "orders": orders}), _LEVEL)


def unpack(body: bytes) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """(orders, context) of a kept page."""
    page = json.loads(zlib.decompress(body), parse_float=Decimal)
    return page["orders"], page["context"]


def dump_exact(value: Any) -> bytes:
    """JSON of a value that may hold Decimals."""
    try:
        return orjson.dumps(value, default=_exact)
    except TypeError:  # an integer of more than 64 bits: the slow encoder writes any
        return json.dumps(_plain(value)).encode()


def _exact(value: Any) -> Any:
    if isinstance(value, Decimal):
        return orjson.Fragment(format(value, "f") if value.is_finite() else "null")
    raise TypeError(type(value).__name__)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return str(value) if isinstance(value, Decimal) else value


def load_versions(
    session: Session, version_ids: Iterable[int]
) -> dict[int, tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Version id → (raw order, context of its page); each page is unpacked once."""
    rows = session.execute(
        select(StoreOrderVersion.id, StoreOrderVersion.raw_index, StoreOrderVersion.raw_page_id, RawPage.body)
        .join(RawPage, RawPage.id == StoreOrderVersion.raw_page_id)
        .where(StoreOrderVersion.id.in_(list(version_ids)))
    ).all()
    pages: dict[int, tuple[list[dict[str, Any]], dict[str, Any]]] = {}
    found: dict[int, tuple[Mapping[str, Any], Mapping[str, Any]]] = {}
    for row in rows:
        if row.raw_page_id not in pages:
            pages[row.raw_page_id] = unpack(row.body)
        orders, context = pages[row.raw_page_id]
        found[row.id] = (orders[row.raw_index], context)
    return found
