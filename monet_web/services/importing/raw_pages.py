"""Raw orders as the stores gave them: found by their versions, and each page unpacked once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from monet_web.models.store_orders import RawPage, StoreOrderVersion
from monet_web.services.importing.packed import unpack


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
