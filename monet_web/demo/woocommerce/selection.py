"""Which orders a query means, in which order, counted; lazily where the history is long and untouched."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from monet_web.demo.woocommerce.clock import wall
from monet_web.demo.woocommerce.dates import Bound
from monet_web.demo.woocommerce.documents import Document
from monet_web.demo.woocommerce.history import Header, History
from monet_web.demo.woocommerce.store import Store

_REMEMBERED = 8
# The wall clock is at most three hours ahead of UTC.
_WALL_ROOM = 3 * 3600 + 1


@dataclass(frozen=True, slots=True)
class Query:
    """A checked query for orders. `statuses` None means `any`; empty tuples mean no such filter."""

    statuses: frozenset[str] | None = None
    bounds: tuple[Bound, ...] = ()
    include: tuple[int, ...] = ()
    exclude: tuple[int, ...] = ()
    parent: tuple[int, ...] = ()
    search: str = ""
    customer: int | None = None
    product: int | None = None
    created_via: tuple[str, ...] = ()
    orderby: str = "date"
    descending: bool = True
    start: int = 0
    size: int = 10


@dataclass(frozen=True, slots=True)
class Selection:
    """`total` of all that match; `ids` of the page."""

    total: int
    ids: tuple[int, ...]


class Selector:
    """Answers queries over one store, remembering the last few that needed a walk through it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._walked: OrderedDict[tuple[Query, int], list[int]] = OrderedDict()

    def select(self, query: Query) -> Selection:
        store = self._store
        with store.lock:
            exact = self._exact_range(query)
            if exact is not None:
                low, high = exact
                return _page_of_range(store.history, low, high, query)
            ids = self._walk(replace(query, start=0, size=0))
            return Selection(len(ids), tuple(ids[query.start : query.start + query.size]))

    def _exact_range(self, query: Query) -> tuple[int, int] | None:
        """The indexes [low, high) that match, if they are a range and nobody has changed the store; else None."""
        store, history = self._store, self._store.history
        wanted = store.profile.any_statuses if query.statuses is None else query.statuses
        narrow = (query.include, query.exclude, query.parent, query.search, query.created_via)
        least_lag, most_lag = history.lag
        fits = (
            not store.changed
            and not store.deleted
            and history.statuses <= wanted
            and not any(narrow)
            and query.customer is None
            and query.product is None
            and query.orderby in {"date", "id", "modified"}
            and all(bound.clock == "utc" for bound in query.bounds)
        )
        asks_modified = query.orderby == "modified" or any(b.column == "modified" for b in query.bounds)
        if not fits or (asks_modified and least_lag != most_lag):
            return None
        return _range(history, query.bounds)

    def _walk(self, query: Query) -> list[int]:
        key = (query, self._store.version)
        if key not in self._walked:
            self._walked[key] = [header.id for header in self._sorted(query)]
            if len(self._walked) > _REMEMBERED:
                self._walked.popitem(last=False)
        self._walked.move_to_end(key)
        return self._walked[key]

    def _sorted(self, query: Query) -> list[Header]:
        store = self._store
        low, high = _range(store.history, _widened(query.bounds, store.history.lag))
        candidates: list[Header] = list(store.untouched_headers(low, high))
        candidates += [changed.header for changed in store.changed.values()]
        found = [header for header in candidates if self._matches(header, query)]
        if query.orderby == "include" and query.include:
            found.sort(key=lambda header: query.include.index(header.id))
            return found
        found.sort(key=_sort_key(query.orderby), reverse=query.descending)
        return found

    def _matches(self, header: Header, query: Query) -> bool:
        profile = self._store.profile
        wanted = profile.any_statuses if query.statuses is None else query.statuses
        if header.status not in wanted or not all(_within(header, bound) for bound in query.bounds):
            return False
        if (query.include and header.id not in query.include) or header.id in query.exclude:
            return False
        asks_document = query.search or query.created_via or query.parent
        if not asks_document and query.customer is None and query.product is None:
            return True
        document = self._store.order(header.id)
        return document is not None and _document_matches(document, query)


def _page_of_range(history: History, low: int, high: int, query: Query) -> Selection:
    total = high - low
    first, last = query.start, min(query.start + query.size, total)
    if query.descending:
        indexes: Iterable[int] = range(high - 1 - first, high - 1 - last, -1)
    else:
        indexes = range(low + first, low + last)
    return Selection(total, tuple(history.header(index).id for index in indexes) if first < last else ())


def _range(history: History, bounds: tuple[Bound, ...]) -> tuple[int, int]:
    indexes = range(history.count)
    low, high = 0, history.count
    for bound in bounds:
        # Only where the lag is one number does a bound on `modified` come here, or widened to one on `created`.
        at = bound.at - (history.lag[0] if bound.column == "modified" else 0)
        if bound.side == "after":
            low = max(low, bisect_right(indexes, at, key=history.created))
        else:
            high = min(high, bisect_left(indexes, at, key=history.created))
    return low, max(low, high)


def _widened(bounds: tuple[Bound, ...], lag: tuple[int, int]) -> tuple[Bound, ...]:
    """Bounds on `created` that leave out none that match; what they let through is looked at one by one."""
    wide = []
    for bound in bounds:
        at = bound.at
        if bound.column == "modified":
            at -= lag[1] if bound.side == "after" else lag[0]
        if bound.clock == "wall" and bound.side == "after":
            at -= _WALL_ROOM
        wide.append(Bound("created", bound.side, "utc", at))
    return tuple(wide)


def _within(header: Header, bound: Bound) -> bool:
    at = header.created if bound.column == "created" else header.modified
    if bound.clock == "wall":
        at = wall(at)
    return at > bound.at if bound.side == "after" else at < bound.at


def _sort_key(orderby: str) -> Callable[[Header], tuple[int, int]]:
    # Ties are broken by id, in the same direction (11.0.1).
    if orderby == "date":
        return lambda header: (header.created, header.id)
    if orderby == "modified":
        return lambda header: (header.modified, header.id)
    return lambda header: (header.id, header.id)


def _document_matches(document: Document, query: Query) -> bool:
    if query.customer is not None and document["customer_id"] != query.customer:
        return False
    if query.created_via and document["created_via"] not in query.created_via:
        return False
    if query.parent and document["parent_id"] not in query.parent:
        return False
    lines = document["line_items"]
    if query.product is not None and all(line["product_id"] != query.product for line in lines):
        return False
    return not query.search or _is_found(document, query.search.casefold())


def _is_found(document: Document, words: str) -> bool:
    """Id, names, e-mail, addresses and product names are searched; the number of a numbering plugin is not."""
    addresses = (document["billing"], document["shipping"])
    texts = [str(part) for address in addresses for part in address.values()]
    texts += [line["name"] for line in document["line_items"]]
    return words == str(document["id"]) or any(words in text.casefold() for text in texts)
