"""Collect remembers: a page of a store becomes store orders, versions by content and one raw page. It books nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson
from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from monet_web.connectors.base import Connector, Page
from monet_web.domain.orders import Order, Unreadable
from monet_web.models.among import among, table_of
from monet_web.models.base import take_many_ids, writing
from monet_web.models.bulk import insert_rows
from monet_web.models.store_orders import Outcome, RawPage, StoreOrder, StoreOrderVersion
from monet_web.services.books.numbers import number_key
from monet_web.services.importing import raw_pages
from monet_web.services.importing.claims import Claim, hold

_ID_LENGTH = 120  # of the columns that keep a store's ids and numbers
_EARLIEST, _LATEST = 1990, 2200  # years: before the first e-shop, and after anybody who reads this
_UNKEEPABLE = rb"\u0000"  # how JSON writes the zero character, which PostgreSQL refuses in text


@dataclass(frozen=True, slots=True)
class Remembered:
    """One order of the page, remembered: what the store says now and where it stood before."""

    store_order_id: int
    version_id: int
    order: Order | Unreadable
    ignored_version_id: int | None = None
    left_out: bool = False
    left_out_reason: str = ""
    credited: bool = False  # its invoice was credited in full: importing it anew needs a person's yes (E6)

    @property
    def external_id(self) -> str:
        """The store's own identity, as kept."""
        return self.order.external_id[:_ID_LENGTH]


@dataclass(frozen=True, slots=True)
class _Read:
    """One order just read: `raw` as the store gave it."""

    raw: Mapping[str, Any]
    order: Order | Unreadable
    digest: bytes

    @property
    def key(self) -> str:
        """The store's own identity, as kept."""
        return self.order.external_id[:_ID_LENGTH]


def read_page(connector: type[Connector], page: Page) -> list[_Read]:
    """Every order of a page understood or named unreadable, each identity once (the last one said)."""
    reads: dict[str, _Read] = {}
    for raw in page.orders:
        order = connector.read(raw, page.context)
        if not order.external_id:
            order = replace(order, external_id="?" + hashlib.sha256(raw_pages.dump_exact(raw)).hexdigest()[:16])
        one = _read(raw, order)
        reads[one.key] = one
    for broken in page.unreadable:
        one = _read({"unreadable": broken.reason}, broken)
        reads.setdefault(one.key, one)
    return list(reads.values())


def _read(raw: Mapping[str, Any], order: Order | Unreadable) -> _Read:
    """With its digest; text that no database keeps (half a surrogate pair, a zero character) makes it unreadable."""
    if isinstance(order, Order) and (wrong := _impossible_date(order)):
        reason = f"Order {_printable(order.number)} is dated {wrong}, which can't be. Correct its dates in the store."
        order = Unreadable(_printable(order.external_id), reason, _printable(order.number))
    if isinstance(order, Order):
        try:
            content = orjson.dumps(replace(order, changed_at=None), default=_as_text)
        except TypeError:
            content = _UNKEEPABLE
        if _UNKEEPABLE not in content:
            return _Read(raw, order, _hash(content))
        reason = (
            f"Order {_printable(order.number)} holds a character that can't be kept. Look at its texts in the store."
        )
        order = Unreadable(_printable(order.external_id), reason, _printable(order.number), order.placed_at)
    return _Read(raw, order, _hash(order.reason.encode(errors="replace") + raw_pages.dump_exact(raw)))


def remember(
    session: Session, claim: Claim, *, store_id: int, reads: Sequence[_Read], context: Mapping[str, Any], now: datetime
) -> list[Remembered]:
    """Keep what is new or changed, in one transaction; unchanged orders cost one SELECT and no write."""
    with writing(session):
        hold(session, claim, now=now)
        known = _known(session, store_id, [one.key for one in reads])
        fresh = [one for one in reads if _known_digest(known, one) != one.digest]
        kept = _keep(session, claim, store_id, fresh, known, context) if fresh else {}
    remembered = []
    for one in reads:
        row = known.get(one.key)
        if row is None:
            remembered.append(Remembered(*kept[one.key], one.order))
            continue
        remembered.append(
            Remembered(
                row.id,
                kept[one.key][1] if one.key in kept else row.latest_version_id,
                one.order,
                ignored_version_id=row.ignored_version_id,
                left_out=row.left_out,
                left_out_reason=row.left_out_reason,
                credited=row.outcome is Outcome.CREDITED,
            )
        )
    return remembered


_ORDERS, _VERSIONS = table_of(StoreOrder).c, table_of(StoreOrderVersion).c
_KNOWN = (
    select(
        _ORDERS.id,
        _ORDERS.external_id,
        _ORDERS.latest_version_id,
        _ORDERS.ignored_version_id,
        _ORDERS.left_out,
        _ORDERS.left_out_reason,
        _ORDERS.outcome,
        _VERSIONS.n,
        _VERSIONS.content_hash,
    )
    .outerjoin_from(table_of(StoreOrder), table_of(StoreOrderVersion), _VERSIONS.id == _ORDERS.latest_version_id)
    .where(_ORDERS.store_id == bindparam("store_id"), among(_ORDERS.external_id, "external_ids"))
)


def _known(session: Session, store_id: int, external_ids: list[str]) -> dict[str, Any]:
    rows = session.execute(_KNOWN, {"store_id": store_id, "external_ids": external_ids})
    return {row.external_id: row for row in rows}


def _known_digest(known: Mapping[str, Any], one: _Read) -> bytes | None:
    row = known.get(one.key)
    return None if row is None or row.content_hash is None else bytes(row.content_hash)


def _keep(
    session: Session,
    claim: Claim,
    store_id: int,
    fresh: Sequence[_Read],
    known: Mapping[str, Any],
    context: Mapping[str, Any],
) -> dict[str, tuple[int, int]]:
    """Write them; key → id of the order and of its newest version."""
    unknown = [one.key for one in fresh if one.key not in known]
    new = take_many_ids(
        session,
        {RawPage.__tablename__: 1, StoreOrder.__tablename__: len(unknown), StoreOrderVersion.__tablename__: len(fresh)},
    )
    page_id = new[RawPage.__tablename__][0]
    version_ids = new[StoreOrderVersion.__tablename__]
    ids = dict(zip(unknown, new[StoreOrder.__tablename__], strict=True))
    insert_rows(session, RawPage, [{"id": page_id, "body": raw_pages.pack([one.raw for one in fresh], context)}])
    orders: list[dict[str, Any]] = []
    versions: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    for index, (one, version_id) in enumerate(zip(fresh, version_ids, strict=True)):
        row = known.get(one.key)
        said = _what_it_says(one.order)
        if row is None:
            orders.append(
                {"id": ids[one.key], "store_id": store_id, "external_id": one.key, "latest_version_id": version_id,
                 "outcome": Outcome.OPEN, "reason": "", "left_out": False, "left_out_reason": "", **said}
            )  # fmt: skip
        else:
            changed.append({"the_id": row.id, "latest_version_id": version_id, **said})
        versions.append(
            {"id": version_id, "store_order_id": ids[one.key] if row is None else row.id,
             "n": 1 if row is None else (row.n or 0) + 1, "content_hash": one.digest,
             "raw_page_id": page_id, "raw_index": index, "seen_in_run": claim.run_id}
        )  # fmt: skip
    insert_rows(session, StoreOrder, orders)
    insert_rows(session, StoreOrderVersion, versions)
    for values in changed:
        session.execute(
            update(StoreOrder)
            .where(StoreOrder.id == values.pop("the_id"))
            .values(values)
            .execution_options(synchronize_session=False)
        )
    return {one.key: (version["store_order_id"], version["id"]) for one, version in zip(fresh, versions, strict=True)}


def _what_it_says(order: Order | Unreadable) -> dict[str, Any]:
    number = order.number[:_ID_LENGTH]
    return {
        "order_number": number,
        "number_key": number_key(number)[:_ID_LENGTH],
        "placed_at": order.placed_at,
        "changed_at": order.changed_at if isinstance(order, Order) else None,
    }


def _impossible_date(order: Order) -> str:
    """The first date that no sale can have, in words; "" when all can be. Shops with a broken clock write year 1."""
    moments = [order.placed_at, order.paid_at, order.shipped_at, order.changed_at, order.invoice_date]
    moments += [refund.created_at for refund in order.refunds]
    wrong = (moment for moment in moments if moment is not None and not _EARLIEST <= moment.year <= _LATEST)
    return next((f"{moment:%Y-%m-%d}" if moment.year > 999 else f"year {moment.year}" for moment in wrong), "")


def _hash(content: bytes) -> bytes:
    """16 bytes that tell two states of an order apart. A mere touch of the store's "changed" date is no new state."""
    return hashlib.blake2b(content, digest_size=16).digest()


def _printable(text: str) -> str:
    return "".join(sign for sign in text if sign.isprintable())


def _as_text(value: Any) -> str:
    if isinstance(value, Decimal):
        return str(value.normalize())
    raise TypeError(type(value).__name__)
