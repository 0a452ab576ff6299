"""What the bridge answers from the store: the same rules as monet_bridge.php, told a second time."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from monet_web.demo.opencart.documents import Document
from monet_web.demo.opencart.store import Store

VERSION: Final = "1.1"
_FIELDS: Final = {
    "any": ("date_added", "date_modified"),
    "date_added": ("date_added",),
    "date_modified": ("date_modified",),
}
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d( \d\d:\d\d:\d\d)?", re.ASCII)
_BRIEF: Final = ("order_id", "order_status_id", "date_added", "date_modified")


@dataclass
class Refused(Exception):
    """The bridge's refusal: HTTP status, code and message."""

    status: int
    code: str
    message: str
    more: dict[str, Any] = field(default_factory=dict)


def info(store: Store, now: int) -> Document:
    """`action=info`."""
    orders = list(store.orders.values())
    dates = [order["date_added"] for order in orders]
    return {
        **store.info,
        "bridge": VERSION,
        "server_time": now,
        "stores": [],
        "payments": _payments(store),
        "counts": {
            "orders": str(len(orders)),
            "unfinished": str(sum(order["order_status_id"] == "0" for order in orders)),
            "first": min(dates, default=None),
            "last": max(dates, default=None),
        },
    }


def orders(store: Store, wanted: Mapping[str, str], now: int, *, broken: frozenset[int]) -> Document:
    """`action=orders`. Raises Refused; PHP dies of an order in `broken` that it is asked for in whole."""
    holds = _window(wanted)
    after = wanted.get("after", "")
    if after and not re.fullmatch(r"\d{1,18}", after, re.ASCII):
        raise Refused(400, "after", "after is the id of an order")
    ids = {_php_int(one) for one in wanted["ids"].split(",")} if wanted.get("ids") else None
    shop = str(_php_int(wanted["store_id"])) if wanted.get("store_id") else None
    every = [
        order
        for number, order in sorted(store.orders.items())
        if (ids is None or number in ids)
        and (shop is None or order["store_id"] == shop)
        and (order["order_status_id"] != "0" or wanted.get("unfinished", "0") not in ("", "0"))
        and holds(order)
    ]
    found = [order for order in every if int(order["order_id"]) > int(after or -1)]
    limit = max(1, min(500, _php_int(wanted.get("limit") or "100")))
    page = found[:limit]
    is_brief = wanted.get("brief", "0") not in ("", "0")
    if not is_brief and any(int(order["order_id"]) in broken for order in page):
        raise Refused(500, "encoding", "Malformed UTF-8 characters, possibly incorrectly encoded")
    answer: Document = {
        "orders": [{key: order[key] for key in _BRIEF} for order in page] if is_brief else page,
        "next": page[-1]["order_id"] if len(found) > limit else None,
    }
    if wanted.get("count", "0") not in ("", "0"):
        answer["total"] = len(every)
    return answer | {"server_time": now}


def _window(wanted: Mapping[str, str]) -> Callable[[Document], bool]:
    name = wanted.get("field") or "any"
    if name not in _FIELDS:
        raise Refused(400, "field", "field is any, date_added or date_modified")
    for end in ("from", "to"):
        if wanted.get(end) and not _DAY.fullmatch(wanted[end]):
            raise Refused(400, end, f"{end} must look like 2026-01-31 or 2026-01-31 15:00:00")
    first, last = wanted.get("from", ""), wanted.get("to", "")

    def holds(order: Document) -> bool:
        # A day alone is its midnight, in SQL as in the order of texts.
        return any(first <= order[column] and (not last or order[column] < last) for column in _FIELDS[name])

    return holds


def _payments(store: Store) -> list[dict[str, str]]:
    counted: dict[tuple[str, str], int] = {}
    for order in store.finished():
        method = order["payment_method"]
        is_object = isinstance(method, dict)
        key = (method["code"], method["name"]) if is_object else (order.get("payment_code", ""), method)
        counted[key] = counted.get(key, 0) + 1
    most = sorted(counted.items(), key=lambda one: -one[1])
    return [{"code": code, "name": name, "orders": str(orders)} for (code, name), orders in most]


def _php_int(text: str) -> int:
    found = re.match(r"\s*[-+]?\d+", text, re.ASCII)
    return int(found[0]) if found else 0
