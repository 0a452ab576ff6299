"""An order read to its end: what did not fit into the list of orders is asked for until nothing is missing.

Lines, shipping, refunds and their parts are connections with pages; transactions, shipments and refunds are plain
lists, of which as many come as were asked for: a full one is asked for again, larger.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from monet_web.connectors.failures import LATER, Unusable
from monet_web.connectors.shopify.api import Api, Record, record, rows
from monet_web.connectors.shopify.queries import LINES, MOST_ITEMS, SHIPMENTS, SHIPPING, TRANSACTIONS, Query
from monet_web.connectors.shopify.refund_queries import MORE_OF_REFUND, MOST_REFUNDS, REFUND, REFUND_IDS, REFUNDS

_PAGES = 1000  # of one connection: beyond that it does not end


def completed(api: Api, order: Record) -> dict[str, Any]:
    """The order with plain, whole lists in the place of connections. Raises Unusable and what asking raises."""
    gid = _gid(api, order)
    whole = dict(order)
    whole["lineItems"] = _all(api, order, "lineItems", LINES, gid, "order")
    whole["shippingLines"] = _all(api, order, "shippingLines", SHIPPING, gid, "order")
    fields = order.get("localizedFields")
    whole["localizedFields"] = list(_nodes(api, fields, "localizedFields")) if fields else []
    for key, query in (("transactions", TRANSACTIONS), ("fulfillments", SHIPMENTS)):
        whole[key] = _longer(api, order, key, query, gid)
    whole["refunds"] = _refunds(api, gid) if order.get("refunds") else []
    return whole


def _refunds(api: Api, gid: str) -> list[dict[str, Any]]:
    host = api.client.base.host
    found = rows(_of_order(api, REFUNDS, gid).get("refunds"), of="refunds", host=host)
    if len(found) >= MOST_REFUNDS:
        known = {refund.get("id") for refund in found}
        every = rows(_of_order(api, REFUND_IDS, gid).get("refunds"), of="refunds", host=host)
        for refund in every:
            if refund.get("id") not in known:
                found.append(record(api.ask(REFUND, id=refund.get("id")).get("refund"), of="refund", host=host))
    return [_whole_refund(api, refund) for refund in found]


def _whole_refund(api: Api, refund: Record) -> dict[str, Any]:
    gid = _gid(api, refund)
    return {
        **refund,
        **{key: _all(api, refund, key, query, gid, "refund") for key, query in MORE_OF_REFUND.items()},
    }


def _longer(api: Api, order: Record, key: str, query: Query, gid: str) -> list[Record]:
    """A plain list; one that came full is asked for again, with room for more."""
    if order.get(key) is None:
        return []  # this shop does not show it
    found = rows(order[key], of=key, host=api.client.base.host)
    if len(found) < MOST_ITEMS:
        return found
    return rows(_of_order(api, query, gid).get(key), of=key, host=api.client.base.host)


def _all(api: Api, parent: Record, key: str, query: Query, gid: str, owner: str) -> list[Record]:
    """Every item of a connection whose first page came with `parent`."""
    page = parent.get(key)
    found = list(_nodes(api, page, key))
    last: object = None
    for _ in range(_PAGES):
        info = page.get("pageInfo") if isinstance(page, Mapping) else None
        if not isinstance(info, Mapping) or info.get("hasNextPage") is not True:
            return found
        cursor = info.get("endCursor")
        if not isinstance(cursor, str) or cursor == last:
            break
        last = cursor
        holder = api.ask(query, id=gid, after=cursor).get(owner)
        if not isinstance(holder, Mapping):
            break  # removed while it was read: what came of it is no whole order
        page = holder.get(key)
        found += _nodes(api, page, key)
    raise Unusable(f"{api.client.base.host} did not give {key} to the end.", fix=LATER)


def _nodes(api: Api, page: Any, key: str) -> list[Record]:
    return rows(page.get("nodes") if isinstance(page, Mapping) else None, of=key, host=api.client.base.host)


def _of_order(api: Api, query: Query, gid: str) -> Record:
    return record(api.ask(query, id=gid).get("order"), of="order", host=api.client.base.host)


def _gid(api: Api, found: Record) -> str:
    gid = found.get("id")
    if not isinstance(gid, str) or not gid:
        raise Unusable(f"{api.client.base.host} gave something without an id.", fix=LATER)
    return gid
