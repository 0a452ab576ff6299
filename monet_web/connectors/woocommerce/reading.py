"""A window's orders: three lists sorted by id, merged into one, so that each order comes once and in order.

1. created in the window, in full; 2. changed in the window, only ids and dates, because most of these are in the
first list already; 3. refunded in the window, which `date_modified` does not always tell. What only the second and
third list name is fetched by id. All queries reach a few hours beyond the window on both sides, and each order's own
dates are judged here: shops differ in what they compare.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from monet_web.connectors.base import Page, Selection
from monet_web.connectors.broken import TooManyBroken
from monet_web.connectors.http import Params
from monet_web.connectors.paging import Hole, IdOrdered, Row, row_id
from monet_web.connectors.woocommerce.api import DATES, PER_PAGE, Api, moment_text
from monet_web.connectors.woocommerce.fields import Problem, moment
from monet_web.domain.orders import Unreadable
from monet_web.domain.windows import Window

_OVERLAP = timedelta(hours=6)
# 3.9.1 ignores `dates_are_gmt` and takes our UTC for local time: no place is further from UTC than 14 hours.
_OVERLAP_OF_OLD = timedelta(hours=15)
_LOOK_BACK = timedelta(days=60)  # where "changed since" cannot be asked: how old orders are looked at for changes


@dataclass(frozen=True, slots=True)
class _Found:
    order_id: int
    order: Row | None = None
    broken: Unreadable | None = None
    is_counted: bool = False  # by the total of the main list
    is_nameless: bool = False  # a broken order whose id is not known; `order_id` is that of the one before it


class Reading:
    """Reads one selection from one shop."""

    def __init__(self, api: Api, selection: Selection) -> None:
        self._api = api
        self._selection = selection
        self._main: IdOrdered | None = None
        self._left_out = 0
        self._added = 0

    def pages(self) -> Iterator[Page]:
        """Pages of at most 100 orders, lazily."""
        batch: list[_Found] = []
        ended: TooManyBroken | None = None
        try:
            for found in self._merged():
                batch.append(found)
                if len(batch) == PER_PAGE:
                    yield self._page(batch)
                    batch = []
        except TooManyBroken as error:
            ended = error
        if batch:
            yield self._page(batch)
        if ended is not None:
            raise ended

    def _merged(self) -> Iterator[_Found]:
        lists = [*self._lists(), (_Found(order_id) for order_id in self._api.refunded_orders(self._selection.window))]
        for _, same in groupby(heapq.merge(*lists, key=lambda found: found.order_id), key=lambda found: found.order_id):
            every = list(same)
            # A row that failed in one list may have come whole in another.
            best = next((found for found in every if found.order is not None), None)
            nameless = {found.broken.external_id: found for found in every if found.is_nameless and found.broken}
            known = [found for found in every if not found.is_nameless]
            if known:
                self._added += not any(found.is_counted for found in known)
                yield best or next((found for found in known if found.broken), known[0])
            yield from nameless.values()

    def _lists(self) -> list[Iterator[_Found]]:
        window = self._selection.window
        knows = self._api.knows_modified_after()
        overlap = _OVERLAP if knows else _OVERLAP_OF_OLD
        if self._selection.by == "paid":
            # Paying changes an order, so those paid in the window have changed since it began; when, is looked at here.
            since = _changed(window.start - overlap, None) if knows else _created(_looked_back(window, overlap))
            self._main = self._api.orders(since, fields=DATES)
            return [self._held(self._main, counts=True)]
        self._main = self._api.orders(_created(window.widened(overlap)))
        lists = [self._held(self._main, counts=True)]
        if self._selection.by == "any":
            changed = (
                _changed(window.start - overlap, window.end + overlap)
                if knows
                else _created(_looked_back(window, overlap))
            )
            lists.append(self._held(self._api.orders(changed, fields=DATES), counts=False))
        return lists

    def _held(self, listing: IdOrdered, *, counts: bool) -> Iterator[_Found]:
        """The orders of a list that the selection holds; in full when the list gives them so."""
        tried: set[str] = set()
        holes: list[Hole] = []  # side by side, they are named together, because their ids are found in any order
        ended: TooManyBroken | None = None
        try:
            for row in listing:
                if isinstance(row, Hole):
                    holes.append(row)
                    continue
                yield from self._named(holes, tried, counts=counts)
                holes = []
                if self._holds(row):
                    yield _Found(row_id(row), order=row if "line_items" in row else None, is_counted=counts)
                else:
                    self._left_out += counts
        except TooManyBroken as error:
            ended = error
        yield from self._named(holes, tried, counts=counts)
        if ended is not None:
            raise ended

    def _named(self, holes: Sequence[Hole], tried: set[str], *, counts: bool) -> list[_Found]:
        found = []
        for hole in holes:
            broken = self._api.broken_between(hole, tried)
            is_nameless = not broken.external_id.isdigit()
            order_id = hole.after if is_nameless else int(broken.external_id)
            found.append(_Found(order_id, broken=broken, is_counted=counts, is_nameless=is_nameless))
        return sorted(found, key=lambda one: one.order_id)

    def _holds(self, row: Row) -> bool:
        try:
            created = moment(row, "date_created_gmt")
            if self._selection.by != "paid" and self._selection.window.holds(created):
                return True  # most are new, and of these no other date is looked at
            changed, paid = moment(row, "date_modified_gmt"), moment(row, "date_paid_gmt")
        except Problem:
            return True  # with dates that nobody understands it is shown as unreadable, and not left out in silence
        return self._selection.holds(created=created, changed=changed, paid=paid)

    def _page(self, batch: list[_Found]) -> Page:
        missing = [str(found.order_id) for found in batch if found.order is None and found.broken is None]
        fetched, broken = self._api.by_ids(missing) if missing else ({}, [])
        orders = [found.order or fetched.get(str(found.order_id)) for found in batch]
        expected = None
        if self._main is not None and self._main.total is not None:
            expected = max(0, self._main.total - self._left_out + self._added)
        return Page(
            orders=bundled(self._api, [order for order in orders if order is not None]),
            expected=expected,
            unreadable=(*(found.broken for found in batch if found.broken is not None), *broken),
        )


def bundled(api: Api, orders: Sequence[Row]) -> tuple[dict[str, object], ...]:
    """Orders with all that reading them needs: their refunds in detail, None when they could not be had."""
    refunded = [row_id(order) for order in orders if isinstance(order.get("refunds"), list) and order["refunds"]]
    refunds = api.refunds_of(refunded) if refunded else {}
    return tuple({"order": order, "refunds": refunds.get(row_id(order), [])} for order in orders)


def _created(window: Window) -> Params:
    return [("after", moment_text(window.start)), ("before", moment_text(window.end)), ("dates_are_gmt", "true")]


def _changed(start: datetime, end: datetime | None) -> Params:
    until = [("modified_before", moment_text(end))] if end is not None else []
    return [("modified_after", moment_text(start)), *until, ("dates_are_gmt", "true")]


def _looked_back(window: Window, overlap: timedelta) -> Window:
    return Window(window.start - _LOOK_BACK, window.end + overlap)
