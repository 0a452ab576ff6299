"""A window's orders: first which ones, by short lists of ids and dates; then each in full, in the order of their ids.

Two lists: processed in the window (that is the date people see as the order's; one brought over from elsewhere was
*created* when it was brought), and changed in it. Each is sorted by what it is filtered by, else Shopify is slow or
fails, and read by cursors, which stay right while orders come and go. All questions reach a little beyond the window
on both sides, because the search runs seconds behind and takes bounds loosely; each order's own dates are judged here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from monet_web.connectors.base import Page, Selection
from monet_web.connectors.broken import BrokenOrders
from monet_web.connectors.failures import LATER, TimedOut, TooLarge, Unusable
from monet_web.connectors.foreign import Misfit, utc_moment
from monet_web.connectors.shopify.api import Api, Record, TooDear, record, rows
from monet_web.connectors.shopify.completing import completed
from monet_web.connectors.shopify.cost import BatchSize
from monet_web.connectors.shopify.payments import SALES, paid_at
from monet_web.connectors.shopify.queries import LISTED, LISTING, ORDER, ORDERS, SHOP
from monet_web.domain.errors import MonetError, NeedsOwner, RetryLater
from monet_web.domain.orders import Unreadable

_OVERLAP = timedelta(minutes=15)
_SEEN_DAYS = 60  # how far back an app without read_all_orders sees
_MOST_PAGES = 50_000
_REFUNDED = frozenset({"PARTIALLY_REFUNDED", "REFUNDED"})


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Why an order is on the list. A maybe is judged by what only the whole order tells."""

    is_sure: bool
    name: str


def check_reach(api: Api, start: datetime, now: datetime) -> None:
    """Raises NeedsOwner when orders of the window would be missing without a word: older than 60 days, no right."""
    first = now - timedelta(days=_SEEN_DAYS)
    if start >= first or "read_all_orders" in api.scopes():
        return
    day = (first + timedelta(days=1)).date()
    raise NeedsOwner(
        f"Shopify shows this app only the orders of the last {_SEEN_DAYS} days, so those before "
        f"{first.date().isoformat()} would be missing without a word.",
        fix=f"Choose a period that begins on {day.isoformat()} or later. For older orders ask Shopify for the right "
        "read_all_orders: on dev.shopify.com in the app under API access, “Request access” beside “Read all orders”. "
        "Once it is granted, release a version of the app with that right and accept it in the shop's admin.",
    )


class Reading:
    """Reads orders of one shop."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._host = api.client.base.host
        self._batch = BatchSize()
        self._known = ""
        self._names: dict[str, str] = {}  # what people call the orders that are to be fetched: 1001
        self._broken = BrokenOrders(self._ask_known)
        self._context: Record = {}

    def pages(self, selection: Selection) -> Iterator[Page]:
        """The selection's orders, lazily, each once, by id."""
        wanted = self._wanted(selection)
        left = sorted(wanted)
        expected = len(left)
        while left:
            self._broken.check()
            ids, left = left[: self._batch.orders], left[self._batch.orders :]
            self._names = {str(number): wanted[number].name for number in ids}
            found, broken = self._whole([str(number) for number in ids])
            held = [
                order
                for number in ids
                if (order := found.get(str(number))) is not None
                and (wanted[number].is_sure or _holds(selection, order))
            ]
            expected -= len(ids) - len(held) - len(broken)
            if held or broken:
                yield Page(tuple(held), self._context, expected, tuple(broken))

    def by_ids(self, ids: Sequence[str]) -> Iterator[Page]:
        """The orders with these ids, those that are not there left out."""
        left = list(ids)
        while left:
            self._broken.check()
            now, left = left[: self._batch.orders], left[self._batch.orders :]
            found, broken = self._whole(now)
            if found or broken:
                yield Page(tuple(found[one] for one in now if one in found), self._context, None, tuple(broken))

    # Which orders.

    def _wanted(self, selection: Selection) -> dict[int, _Wanted]:
        window = selection.window
        start, end = window.start - _OVERLAP, window.end + _OVERLAP
        wanted: dict[int, _Wanted] = {}
        if selection.by != "paid":
            for row in self._listed("processed_at", start, end):
                if _in(selection, row):
                    wanted[_number(row, self._host)] = _Wanted(is_sure=True, name=_name(row))
        # Paying and refunding change an order, at the moment or later: what was changed since the window began.
        for row in self._listed("updated_at", start, end if selection.by == "any" else None):
            number = _number(row, self._host)
            if number in wanted:
                continue
            if selection.by == "any":
                if _in(selection, row):
                    wanted[number] = _Wanted(is_sure=True, name=_name(row))
            elif row.get("displayFinancialStatus") in (SALES if selection.by == "paid" else _REFUNDED):
                wanted[number] = _Wanted(is_sure=False, name=_name(row))
        return wanted

    def _listed(self, date: str, start: datetime, end: datetime | None) -> Iterator[Record]:
        until = f" {date}:<'{_text(end)}'" if end is not None else ""
        query, cursor = f"{date}:>='{_text(start)}'{until}", None
        for _ in range(_MOST_PAGES):
            data = self._api.ask(LISTING, first=LISTED, after=cursor, query=query, sortKey=date.upper())
            page = record(data.get("orders"), of="list of orders", host=self._host)
            yield from rows(page.get("nodes"), of="orders", host=self._host)
            info = record(page.get("pageInfo"), of="page", host=self._host)
            if info.get("hasNextPage") is not True:
                return
            last, cursor = cursor, info.get("endCursor")
            if not isinstance(cursor, str) or cursor == last:
                raise Unusable(f"{self._host} gave the same page of orders again.", fix=LATER)
        raise NeedsOwner("The store's list of orders does not end.", fix="Choose a shorter period.")

    # The orders themselves.

    def _whole(self, ids: Sequence[str]) -> tuple[dict[str, dict[str, Any]], list[Unreadable]]:
        """The orders in full by id, and those whose fetching fails: found by asking for fewer at once."""
        found: dict[str, dict[str, Any]] = {}
        broken: list[Unreadable] = []
        for order_id, order in self._fetched(ids).items():
            if isinstance(order, MonetError):
                broken.append(self._given_up(order_id, order))
                continue
            try:
                found[order_id] = completed(self._api, order)
                self._broken.came()
                self._known = order_id
            except (Unusable, TooLarge) as error:
                broken.append(self._given_up(order_id, error))
        return found, broken

    def _fetched(self, ids: Sequence[str]) -> dict[str, Record | MonetError]:
        """As they come with the list, or why they do not. An order that is not there has no entry."""
        failure: MonetError
        try:
            return dict(self._asked(ids))
        except TooDear as error:
            failure = error
            if not self._batch.too_dear(len(ids)):
                raise
        except (Unusable, TimedOut, TooLarge) as error:
            failure = error
        if len(ids) == 1:
            if isinstance(failure, TimedOut):
                raise failure  # not one bad order, but a store that is not well
            return {ids[0]: failure}
        middle = len(ids) // 2
        return {**self._fetched(ids[:middle]), **self._fetched(ids[middle:])}

    def _asked(self, ids: Sequence[str]) -> dict[str, Record]:
        found: dict[str, Record] = {}
        if len(ids) > 1:
            terms = " OR ".join(f"id:{order_id}" for order_id in ids)
            data, price = self._api.ask_priced(ORDERS, first=len(ids), query=terms)
            self._batch.paid(len(ids), price)
            page = record(data.get("orders"), of="list of orders", host=self._host)
            self._context = record(data.get("shop"), of="shop", host=self._host)
            for order in rows(page.get("nodes"), of="orders", host=self._host):
                number = str(_number(order, self._host))
                if number in ids:
                    found[number] = order
        # The search runs seconds behind the shop: an order that it does not know yet is asked for by its id.
        for order_id in ids:
            if order_id not in found:
                alone = self._api.ask(ORDER, id=f"gid://shopify/Order/{order_id}").get("order")
                if alone is not None:
                    found[order_id] = record(alone, of="order", host=self._host)
        return found

    def _ask_known(self) -> None:
        """An order that came before; before any has come, who the shop is."""
        if self._known:
            self._asked([self._known])
        else:
            self._api.ask(SHOP)

    def _given_up(self, order_id: str, error: MonetError) -> Unreadable:
        name = self._names.get(order_id, "")
        order = f"order {name} ({order_id})" if name else f"order {order_id}"
        self._broken.failed(order, error)
        return Unreadable(order_id, f"Shopify fails when it is asked for {order}. {error.sentence()}", number=name)


def _holds(selection: Selection, order: Record) -> bool:
    """Whether an order that only may belong to the selection does: paid, or refunded, in the window."""
    window = selection.window
    try:
        if selection.by == "paid" and window.holds(paid_at(order)):
            return True
        return any(window.holds(utc_moment(refund, "createdAt")) for refund in order["refunds"])
    except Misfit:
        return True  # with dates that nobody understands it is shown as unreadable, and not left out in silence


def _in(selection: Selection, row: Record) -> bool:
    try:
        created, changed = utc_moment(row, "processedAt"), utc_moment(row, "updatedAt")
    except Misfit:
        return True
    return selection.holds(created=created, changed=changed, paid=None)


def _number(row: Record, host: str) -> int:
    """The order's id. Raises RetryLater when it has none, because then nothing can be told apart."""
    found = row.get("legacyResourceId")
    if isinstance(found, int) and not isinstance(found, bool) and found > 0:
        return found
    if isinstance(found, str) and found.isascii() and found.isdigit() and int(found):
        return int(found)
    raise RetryLater(f"{host} gave an order whose id is {found!r:.40}.", fix=LATER)


def _name(row: Record) -> str:
    found = row.get("name")
    return found.strip().lstrip("#")[:64] if isinstance(found, str) else ""


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
