"""Collect remembers: a page of a store becomes store orders, versions by content and one raw page. It books nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from monet_web.domain.orders import Order, Unreadable
from monet_web.models.among import among, table_of
from monet_web.models.base import take_many_ids, writing
from monet_web.models.bulk import insert_rows
from monet_web.models.store_orders import Outcome, RawPage, StoreOrder, StoreOrderVersion
from monet_web.services.books.numbers import number_key
from monet_web.services.importing.claims import Claim, hold
from monet_web.services.importing.packed import pack
from monet_web.services.importing.understand import ID_LENGTH, Read, ReadPage


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
        return self.order.external_id[:ID_LENGTH]


def remember(session: Session, claim: Claim, *, store_id: int, page: ReadPage, now: datetime) -> list[Remembered]:
    """Keep what is new or changed, in one transaction; unchanged orders cost one SELECT and no write."""
    reads = page.reads
    with writing(session):
        hold(session, claim, now=now)
        known = _known(session, store_id, [one.key for one in reads])
        fresh = [one for one in reads if _known_digest(known, one) != one.digest]
        kept = _keep(session, claim, store_id, fresh, known, page) if fresh else {}
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


def _known_digest(known: Mapping[str, Any], one: Read) -> bytes | None:
    row = known.get(one.key)
    return None if row is None or row.content_hash is None else bytes(row.content_hash)


def _keep(
    session: Session,
    claim: Claim,
    store_id: int,
    fresh: Sequence[Read],
    known: Mapping[str, Any],
    page: ReadPage,
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
    is_whole = page.packed is not None and len(fresh) == len(page.reads)
    body = page.packed if is_whole else pack([one.raw for one in fresh], page.page.context)
    insert_rows(session, RawPage, [{"id": page_id, "body": body}])
    orders: list[dict[str, Any]] = []
    versions: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    for index, (one, version_id) in enumerate(zip(fresh, version_ids, strict=True)):
        row = known.get(one.key)
        said = _what_it_says(one.order)
        if row is None:
            orders.append(
                {"id": ids[one.key], "store_id": store_id, "external_id": one.key, "latest_version_id": version_id,
                 "outcome": Outcome.OPEN, "reason": "", "left_out": False, "left_out_reason": "",
                 "raw_hash": one.raw_digest, **said}
            )  # fmt: skip
        else:
            changed.append(
                {"the_id": row.id, "latest_version_id": version_id, "raw_hash": one.raw_digest, **said}
            )  # fmt: skip
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
    number = order.number[:ID_LENGTH]
    return {
        "order_number": number,
        "number_key": number_key(number)[:ID_LENGTH],
        "placed_at": order.placed_at,
        "changed_at": order.changed_at if isinstance(order, Order) else None,
    }
