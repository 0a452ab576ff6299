"""Runs a posted GraphQL question on Shopify's own schema: what the schema refuses is refused here."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLResolveInfo,
    GraphQLSchema,
    build_schema,
    execute_sync,
    get_named_type,
    parse,
    validate,
)

from monet_web.demo.shopify import price
from monet_web.demo.shopify.app import App
from monet_web.demo.shopify.documents import Document, read
from monet_web.demo.shopify.price import Bucket
from monet_web.demo.shopify.search import Search
from monet_web.demo.shopify.store import Header, Store

_SEEN: Final = timedelta(days=60)
_SORTED: Final[dict[str, Callable[[Header], Any]]] = {
    "ID": lambda header: header.id,
    "CREATED_AT": lambda header: header.created,
    "UPDATED_AT": lambda header: header.updated,
    "PROCESSED_AT": lambda header: header.processed,
}
_PEOPLE: Final = frozenset({"firstName", "lastName", "address1", "address2", "zip", "phone"})


@cache
def schema() -> GraphQLSchema:
    """The schema of 2026-10, cut to what is asked for."""
    return build_schema(read("schema.graphql"))


@dataclass
class Asked:
    """One question on its way: the shop it is asked of, who asks, and what goes beside the answer."""

    store: Store
    app: App
    now: datetime
    broken: frozenset[int]
    warnings: list[Document] = field(default_factory=list)


def answer(question: Any, asked: Asked, bucket: Bucket) -> Document:
    """The body of the answer, with its price in `extensions`."""
    if not isinstance(question, Mapping) or not isinstance(question.get("query"), str):
        return {"errors": [{"message": "A query attribute must be specified and must be a string."}]}
    variables = question.get("variables")
    variables = variables if isinstance(variables, Mapping) else {}
    document = _checked(question["query"])
    if isinstance(document, list):
        return {"errors": document}
    cost = price.requested(schema(), document, variables)
    if cost > price.MOST_OF_ONE:
        message = f"Query cost is {cost}, which exceeds the single query max cost limit ({price.MOST_OF_ONE})."
        return {"errors": [_error(message, "MAX_COST_EXCEEDED", cost=cost, maxCost=price.MOST_OF_ONE)]}
    if not bucket.take(cost):
        return {"errors": [_error("Throttled", "THROTTLED")], "extensions": {"cost": _cost(cost, None, bucket)}}
    result = execute_sync(
        schema(), document, root_value=asked, field_resolver=_resolve, type_resolver=_type_of,
        variable_values=dict(variables), operation_name=question.get("operationName"), context_value=asked,
    )  # fmt: skip
    body: Document = {"data": result.data}
    if result.errors:
        body["errors"] = [error.formatted for error in result.errors]
    actual = min(cost, max(1, _objects(result.data) // 10))
    bucket.give_back(cost - actual)
    body["extensions"] = {"cost": _cost(cost, actual, bucket)}
    if asked.warnings:
        body["extensions"]["search"] = asked.warnings
    return body


def is_throttled(body: Document) -> bool:
    """Whether an answer is the refusal for want of points."""
    return any(error.get("extensions", {}).get("code") == "THROTTLED" for error in body.get("errors", ()))


@cache
def _checked(text: str) -> DocumentNode | list[Document]:
    try:
        document = parse(text)
    except GraphQLError as error:
        return [dict(error.formatted)]
    errors = validate(schema(), document)
    if errors:
        return [{**error.formatted, "extensions": {"code": "undefinedField"}} for error in errors]
    return document


def _resolve(source: Any, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
    name, asked = info.field_name, info.context
    if isinstance(source, Asked):
        return _ROOT[name](asked, **arguments)
    _check_right(asked.app, info.parent_type.name, name)
    if name == "lineItems" and info.parent_type.name == "Order" and int(source["legacyResourceId"]) in asked.broken:
        message = "Internal error. Looks like something went wrong on our end."
        raise GraphQLError(message, extensions={"code": "INTERNAL_SERVER_ERROR"})
    value = source.get(name)
    if not asked.app.shows_people and (name in _PEOPLE or (info.parent_type.name == "Order" and name == "email")):
        return None  # protected customer data: simply not there
    if isinstance(value, list):
        kind = get_named_type(info.return_type)
        if kind.name.endswith("Connection"):
            return _connection(value, arguments)
        first = arguments.get("first")
        return value if first is None else value[:first]
    return value


def _check_right(app: App, parent: str, name: str) -> None:
    if name == "customer" and parent == "Order":
        _need(app, "read_customers", name)
    elif name in ("product", "variant") and parent == "LineItem":
        _need(app, "read_products", name)
    elif name == "purchasingEntity" and not app.sells_to_companies:
        message = "Access denied for purchasingEntity field. Some operations may require additional plan capabilities."
        raise GraphQLError(message, extensions={"code": "ACCESS_DENIED"})


def _need(app: App, scope: str, name: str) -> None:
    if scope not in app.scopes:
        message = f"Access denied for {name} field. Required access: `{scope}` access scope."
        raise GraphQLError(message, extensions={"code": "ACCESS_DENIED", "requiredAccess": f"`{scope}` access scope."})


def _type_of(value: Any, _info: GraphQLResolveInfo[Any], _kind: Any) -> str:
    return str(value.get("__typename", "PurchasingCompany"))


def _shop(asked: Asked) -> Document:
    return {
        "name": "Pavyzdžių namai",
        "myshopifyDomain": "pavyzdziai.myshopify.com",
        "enabledPresentmentCurrencies": ["EUR", "NOK", "USD"],
        "plan": {"publicDisplayName": asked.app.plan.name},
        **asked.store.shop,
    }


def _installation(asked: Asked) -> Document:
    return {"accessScopes": [{"handle": scope} for scope in sorted(asked.app.scopes)]}


def _count(asked: Asked, query: str | None = None, **_: Any) -> Document:
    _need(asked.app, "read_orders", "ordersCount")
    return {"count": len(_found(asked, query)), "precision": "EXACT"}


def _order(asked: Asked, id: str) -> Document | None:  # noqa: A002 - the schema's name
    _need(asked.app, "read_orders", "order")
    number = id.rsplit("/", 1)[-1]
    header = asked.store.header(int(number)) if number.isdigit() and id.startswith("gid://shopify/Order/") else None
    return None if header is None or not _is_seen(asked, header) else asked.store.order(header.id)


def _refund(asked: Asked, id: str) -> Document | None:  # noqa: A002 - the schema's name
    _need(asked.app, "read_orders", "refund")
    for order_id in asked.store.ids():
        document = asked.store.order(order_id)
        for refund in document["refunds"] if document else ():
            if refund["id"] == id:
                found: Document = refund
                return found
    return None


def _orders(asked: Asked, **arguments: Any) -> Document:
    _need(asked.app, "read_orders", "orders")
    first = arguments.get("first")
    if first is None:
        message = "you must provide one of first or last"
        raise GraphQLError(message, extensions={"code": "BAD_REQUEST"})
    if first > 250:
        message = "The value of first cannot exceed 250"
        raise GraphQLError(message, extensions={"code": "BAD_REQUEST"})
    sort = arguments.get("sortKey") or "PROCESSED_AT"
    key = _SORTED.get(sort, _SORTED["ID"])
    headers = sorted(_found(asked, arguments.get("query")), key=lambda header: (key(header), header.id))
    after = arguments.get("after")
    is_reverse = bool(arguments.get("reverse"))
    if is_reverse:
        headers.reverse()
    if after is not None:
        # A cursor names a value and an id, not a place: it stays right while orders come and go.
        value, last = _read_cursor(after)
        behind = [header for header in headers if (_text(key(header)), header.id) > (value, last)]
        headers = [header for header in headers if header not in behind] if is_reverse else behind
    page = headers[:first]
    end = _cursor(_text(key(page[-1])), page[-1].id) if page else None
    return {
        "nodes": [asked.store.order(header.id) for header in page],
        "pageInfo": {"hasNextPage": len(headers) > first, "hasPreviousPage": after is not None, "endCursor": end},
    }


def _found(asked: Asked, query: str | None) -> list[Header]:
    headers = [header for number in asked.store.ids() if (header := asked.store.header(number)) is not None]
    seen = [header for header in headers if _is_seen(asked, header)]
    if not query:
        return seen
    search = Search(query)
    asked.warnings += search.warnings
    return search(seen)


def _is_seen(asked: Asked, header: Header) -> bool:
    """Without the right to all orders older ones are simply not there."""
    return "read_all_orders" in asked.app.scopes or header.created >= asked.now - _SEEN


def _connection(items: Sequence[Any], arguments: Mapping[str, Any]) -> Document:
    after = arguments.get("after")
    start = 0 if after is None else _read_cursor(after)[1]
    first = arguments.get("first")
    end = len(items) if first is None else min(len(items), start + first)
    return {
        "nodes": items[start:end],
        "pageInfo": {
            "hasNextPage": end < len(items),
            "hasPreviousPage": start > 0,
            "endCursor": _cursor("", end) if end else None,
        },
    }


def _cursor(value: str, last: int) -> str:
    return base64.b64encode(json.dumps({"last_id": last, "last_value": value}).encode()).decode()


def _read_cursor(cursor: str) -> tuple[str, int]:
    try:
        found = json.loads(base64.b64decode(cursor, validate=True))
        return str(found["last_value"]), int(found["last_id"])
    except (ValueError, KeyError, TypeError):
        message = f"Invalid cursor for current pagination sort: {cursor}"
        raise GraphQLError(message, extensions={"code": "BAD_REQUEST"}) from None


def _text(value: Any) -> str:
    """A date or an id as a text that sorts as it does."""
    return str(value).rjust(40)


def _objects(data: Any) -> int:
    if isinstance(data, dict):
        return 1 + sum(_objects(part) for part in data.values())
    return sum(_objects(part) for part in data) if isinstance(data, Iterable) and not isinstance(data, str) else 0


def _error(message: str, code: str, **more: Any) -> Document:
    return {"message": message, "extensions": {"code": code, **more}}


def _cost(requested: int, actual: int | None, bucket: Bucket) -> Document:
    return {"requestedQueryCost": requested, "actualQueryCost": actual, "throttleStatus": bucket.status()}


_ROOT: Final[dict[str, Callable[..., Any]]] = {
    "shop": _shop,
    "currentAppInstallation": _installation,
    "ordersCount": _count,
    "order": _order,
    "orders": _orders,
    "refund": _refund,
}
__all__ = ["Asked", "answer", "is_throttled", "schema"]
