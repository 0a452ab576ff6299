"""Lists in pages: orders, refunds and the small ones, with their totals and the Link header that leaks the keys."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from threading import Lock
from typing import Any, Final

from monet_web.demo.woocommerce.answers import Answer
from monet_web.demo.woocommerce.dates import Bound, bound
from monet_web.demo.woocommerce.documents import copy
from monet_web.demo.woocommerce.parameters import link_query
from monet_web.demo.woocommerce.profile import Profile
from monet_web.demo.woocommerce.selection import Query, Selector
from monet_web.demo.woocommerce.shaping import Shape
from monet_web.demo.woocommerce.store import Store

REMEMBERED_ORDERS: Final = 2000
REMEMBERED_PAGES: Final = 32


class BrokenOrder(Exception):
    """A plugin threw while WooCommerce prepared this order; the whole answer becomes a 500."""


@dataclass(frozen=True)
class Asked:
    """A checked request: `link` is its own address without a query, `values` in their types, in the order given.

    `broken`: orders on which a plugin throws.
    """

    link: str
    values: Mapping[str, Any]
    shape: Shape
    broken: frozenset[int] = frozenset()

    def raise_if_broken(self, ids: Sequence[int]) -> None:
        if not self.broken.isdisjoint(ids):
            raise BrokenOrder

    @property
    def size(self) -> int:
        return int(self.values.get("per_page", 10))

    @property
    def page(self) -> int:
        return int(self.values.get("page", 1))

    @property
    def start(self) -> int:
        """Rows before the page; an offset makes `page` void."""
        offset = self.values.get("offset")
        return (self.page - 1) * self.size if offset is None else max(int(offset), 0)


@dataclass
class Remembered:
    """The newest few values made for a key; safe from several threads."""

    size: int
    _values: OrderedDict[object, Any] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def get(self, key: object, make: Callable[[], Any]) -> Any:
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
        value = make()
        with self._lock:
            self._values[key] = value
            if len(self._values) > self.size:
                self._values.popitem(last=False)
        return value


class Shop:
    """A store with what makes answering it fast."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.selector = Selector(store)
        self._orders = Remembered(REMEMBERED_ORDERS)
        self._pages = Remembered(REMEMBERED_PAGES)

    def order_page(self, query: Query, shape: Shape) -> tuple[int, tuple[int, ...], bytes]:
        """(total, ids of the page's orders, their JSON list)."""
        key = (query, shape, self.store.version)
        page: tuple[int, tuple[int, ...], bytes] = self._pages.get(key, lambda: self._order_page(query, shape))
        return page

    def _order_page(self, query: Query, shape: Shape) -> tuple[int, tuple[int, ...], bytes]:
        with self.store.lock:
            selection = self.selector.select(query)
            orders = [self._encoded(order_id, shape) for order_id in selection.ids]
        return selection.total, selection.ids, b"[" + b",".join(orders) + b"]"

    def _encoded(self, order_id: int, shape: Shape) -> bytes:
        history, revision = self.store.history, self.store.revision(order_id)
        index = None if revision else history.index_of(order_id)
        if index is not None:
            fast = history.encoded(index, shape=shape, encode=shape.order)
            if fast is not None:
                return fast

        def make() -> bytes:
            document = self.store.order(order_id)
            if document is None:
                message = f"order {order_id} was selected and is gone"
                raise LookupError(message)
            return shape.order(document)

        encoded: bytes = self._orders.get((order_id, revision, shape), make)
        return encoded


def order_list(shop: Shop, asked: Asked, parts: dict[str, str]) -> Answer:  # noqa: ARG001
    query = _order_query(asked, shop.store.profile)
    total, ids, body = shop.order_page(query, asked.shape)
    asked.raise_if_broken(ids)
    if not ids and not shop.store.profile.posts:
        # With tables of its own WooCommerce counts nothing behind the end.
        total = 0
    return _paged(asked, body, total, _link_values(asked, len(ids)))


def refund_list(shop: Shop, asked: Asked, parts: dict[str, str]) -> Answer:  # noqa: ARG001
    """All refunds (WooCommerce 9.0 and later), newest first unless asked otherwise."""
    store, values = shop.store, asked.values
    bounds = _bounds(asked, store.profile)
    found = [
        (created, refund_id, order_id)
        for refund_id, created, order_id in store.refund_headers()
        if all(created > each.at if each.side == "after" else created < each.at for each in bounds)
        and (not values.get("parent") or order_id in values["parent"])
        and (not values.get("include") or refund_id in values["include"])
        and refund_id not in values.get("exclude", ())
    ]
    by_id = values.get("orderby") == "id"
    found.sort(key=lambda row: (row[1], row[1]) if by_id else row[:2], reverse=values.get("order", "desc") == "desc")
    rows = []
    for _, refund_id, order_id in found[asked.start : asked.start + asked.size]:
        refund = next(each for each in store.refunds(order_id) if each["id"] == refund_id)
        rows.append(asked.shape.refund(refund, parent_id=order_id))
    total = len(found) if rows else 0
    return _paged(asked, b"[" + b",".join(rows) + b"]", total, dict(values))


def listed(asked: Asked, rows: Sequence[bytes]) -> Answer:
    """A page of a small list."""
    page = rows[asked.start : asked.start + asked.size]
    return _paged(asked, b"[" + b",".join(page) + b"]", len(rows), dict(asked.values))


def whole(asked: Asked, document: Any) -> Answer:
    """A list or document without pages."""
    return Answer(200, asked.shape.other(copy(document)))


def _paged(asked: Asked, body: bytes, total: int, link_values: dict[str, Any]) -> Answer:
    pages = ceil(total / asked.size)
    headers = {"X-WP-Total": str(total), "X-WP-TotalPages": str(pages)}
    links = []
    if asked.page > 1:
        links.append(_link(asked, link_values, min(asked.page - 1, pages), "prev"))
    if asked.page < pages:
        links.append(_link(asked, link_values, asked.page + 1, "next"))
    if links:
        headers["Link"] = ", ".join(links)
    return Answer(200, body, headers)


def _link(asked: Asked, values: dict[str, Any], page: int, rel: str) -> str:
    return f'<{asked.link}?{link_query(values | {"page": page})}>; rel="{rel}"'


def _link_values(asked: Asked, here: int) -> dict[str, Any]:
    """The request's parameters, keys and all, and the defaults that WooCommerce wrote among them on its way."""
    values = dict(asked.values)
    if not values.get("status"):
        values["status"] = ["any"]
    if here:
        # They are written when the first order is prepared; an empty page has none.
        values.setdefault("dp", 2)
        values.setdefault("context", "view")
    return values


def _order_query(asked: Asked, profile: Profile) -> Query:
    values = asked.values
    return Query(
        statuses=_statuses(values.get("status") or ["any"], profile),
        bounds=_bounds(asked, profile),
        include=tuple(values.get("include", ())),
        exclude=tuple(values.get("exclude", ())),
        parent=tuple(values.get("parent", ())),
        search=values.get("search", ""),
        customer=values.get("customer"),
        product=values.get("product"),
        created_via=tuple(values.get("created_via", ())),
        orderby=values.get("orderby", "date"),
        descending=values.get("order", "desc") == "desc",
        start=asked.start,
        size=asked.size,
    )


def _statuses(asked: Sequence[str], profile: Profile) -> frozenset[str] | None:
    # Posts storage took auto-draft for no filter at all, and answered with everything.
    if "any" in asked or (profile.posts and "auto-draft" in asked):
        return None
    return frozenset(asked)


def _bounds(asked: Asked, profile: Profile) -> tuple[Bound, ...]:
    values = asked.values
    names: tuple[tuple[Any, Any, str], ...] = (("created", "after", "after"), ("created", "before", "before"))
    if profile.knows_modified:
        names += (("modified", "after", "modified_after"), ("modified", "before", "modified_before"))
    is_gmt = values.get("dates_are_gmt") is True
    return tuple(
        bound(column, side, values[name], dates_are_gmt=is_gmt, profile=profile)
        for column, side, name in names
        if name in values
    )
