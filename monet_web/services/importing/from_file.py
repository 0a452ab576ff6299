"""Orders out of a file against what is known of them already: an older file takes nothing back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from monet_web.connectors.base import Connector, Page
from monet_web.domain.orders import Order, Unreadable
from monet_web.models.base import reading
from monet_web.models.store_orders import StoreOrder
from monet_web.services.importing import raw_pages
from monet_web.services.importing.claims import patiently
from monet_web.services.importing.understand import read_page

_Version = tuple[Mapping[str, Any], Mapping[str, Any]]  # a raw order and the context of its page


def pages(session: Session, store_id: int, connector: type[Connector], own: Iterable[Page]) -> Iterator[Page]:
    """A file's pages; an order that is known no older than the file says it comes as it is known, from its own page."""
    for page in own:
        reads = {one.key: one.order for one in read_page(connector, page)}
        known = patiently(partial(_known, session, store_id, reads))
        if not known:
            yield page
            continue
        yield replace(
            page,
            orders=tuple(raw for raw in page.orders if _key(connector, raw, page) not in known),
            unreadable=tuple(one for one in page.unreadable if one.external_id not in known),
        )
        for raw, context in known.values():
            yield Page(orders=(raw,), context=context)


def _key(connector: type[Connector], raw: Mapping[str, Any], page: Page) -> str:
    return connector.read(raw, page.context).external_id


def _known(session: Session, store_id: int, reads: Mapping[str, Order | Unreadable]) -> dict[str, _Version]:
    """By external id, those of the orders that are known in a state as new as this one or newer."""
    with reading(session):
        rows = session.execute(
            select(StoreOrder.external_id, StoreOrder.changed_at, StoreOrder.latest_version_id).where(
                StoreOrder.store_id == store_id, StoreOrder.external_id.in_(list(reads))
            )
        ).all()
        latest = {
            row.external_id: row.latest_version_id
            for row in rows
            if row.latest_version_id is not None and _is_as_new(row.changed_at, reads[row.external_id])
        }
        versions = raw_pages.load_versions(session, latest.values())
    return {key: versions[version] for key, version in latest.items() if version in versions}


def _is_as_new(known: datetime | None, order: Order | Unreadable) -> bool:
    if known is None:
        return False
    return not isinstance(order, Order) or order.changed_at is None or order.changed_at <= known
