"""A window's orders: three lists of ids merged into one, then fetched a hundred at a time.

1. created in the window; 2. changed in it; 3. with a credit slip made in it, because a slip leaves its order's own
date as it was. The shop writes its local time without a zone, so it is asked from an hour before to an hour after, and
each order's own dates are judged here. Ids are collected first: they are small, an order that is edited meanwhile
cannot slip between two pages, and how many there are is known.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from monet_web.connectors.base import Page, Selection
from monet_web.connectors.foreign import Misfit, Row, amount, local_moment, rows, text
from monet_web.connectors.http import Params
from monet_web.connectors.paging import SeenIds, row_id
from monet_web.connectors.prestashop import resources as ask_for
from monet_web.connectors.prestashop.api import Api, can_be_asked_for
from monet_web.connectors.prestashop.bundles import PER_PAGE, Bundles
from monet_web.connectors.prestashop.configuration import ZONE, Configuration
from monet_web.connectors.prestashop.payments import moment_paid, read_payments
from monet_web.domain.errors import NeedsOwner
from monet_web.domain.windows import Window

_OVERLAP = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class _Clock:
    """The shop's clock, or the clocks of its shops where their zones differ."""

    configurations: Sequence[Row]
    zones: tuple[ZoneInfo, ...]

    def between(self, field: str, window: Window) -> list[tuple[str, str]]:
        """The filter for a window in the shop's local time. Both ends of a filter are included."""
        wide = window.widened(_OVERLAP)
        start = min(_local(wide.start, zone) for zone in self.zones)
        end = max(_local(wide.end, zone) for zone in self.zones)
        return [(f"filter[{field}]", f"[{start},{end}]")]

    def moment(self, row: Row, key: str) -> datetime | None:
        """A local date of an order or slip in UTC. Raises Misfit."""
        shop = Configuration(self.configurations, (), text(row, "id_shop"), text(row, "id_shop_group"))
        return local_moment(row, key, shop.zone())


class Reading:
    """Reads one selection from one shop."""

    def __init__(self, api: Api, selection: Selection) -> None:
        self._api = api
        self._selection = selection
        self._bundles = Bundles(api)

    def pages(self) -> Iterator[Page]:
        """Pages of at most 100 orders by their ids, lazily."""
        clock = _clock(self._bundles.configurations())
        is_by_paid = self._selection.by == "paid"
        ids = self._paid(clock) if is_by_paid else self._created_or_changed(clock)
        slips = self._with_slips(clock)
        for number in slips:
            ids.add(number)
        expected = None if is_by_paid else len(ids)
        for some in _hundreds(ids):
            page = self._bundles.page(some, expected)
            if is_by_paid:
                kept = tuple(o for o in page.orders if row_id(o["order"]) in slips or self._is_paid_in(o, clock))
                page = Page(kept, page.context, page.expected, page.unreadable)
            if page.orders or page.unreadable:
                yield page

    def _created_or_changed(self, clock: _Clock) -> SeenIds:
        found = SeenIds()
        dates = ("date_add", "date_upd") if self._selection.by == "any" else ("date_add",)
        for field in dates:
            filters = clock.between(field, self._selection.window)
            for row in self._api.listed(ask_for.ORDERS, [*filters, *self._of_shop()], fields=ask_for.DATES):
                if self._api.takes(row) and self._holds(row, clock):
                    found.add(row_id(row))
        return found

    def _holds(self, row: Row, clock: _Clock) -> bool:
        try:
            created, changed = clock.moment(row, "date_add"), clock.moment(row, "date_upd")
        except Misfit:
            return True  # with dates that nobody understands it is shown as unreadable, and not left out in silence
        return self._selection.holds(created=created, changed=changed, paid=None)

    def _with_slips(self, clock: _Clock) -> SeenIds:
        """Orders with a credit slip made in the window. A slip names its order by `id_order`; its id is its own."""
        window = self._selection.window
        found = SeenIds()
        for slip in self._api.listed(ask_for.SLIPS, clock.between("date_add", window), fields="[id,id_order,date_add]"):
            order_id = text(slip, "id_order")
            if order_id.isascii() and order_id.isdigit() and int(order_id) and self._made_in(slip, clock):
                found.add(int(order_id))
        if not self._api.shop.isdigit():
            return found
        # A slip does not say whose it is, and the list of slips is that of all shops.
        ours = SeenIds()
        for order in self._api.of(ask_for.ORDERS, "id", map(str, found), fields="[id,id_shop]"):
            if self._api.takes(order):
                ours.add(row_id(order))
        return ours

    def _made_in(self, slip: Row, clock: _Clock) -> bool:
        try:
            made = clock.moment(slip, "date_add")
        except Misfit:
            made = None
        return made is None or self._selection.window.holds(made)

    def _paid(self, clock: _Clock) -> SeenIds:
        """Orders of the carts that a payment of the window is booked on."""
        window = self._selection.window
        fields = "[id,order_reference,date_add]"
        payments = self._api.listed(ask_for.PAYMENTS, clock.between("date_add", window), fields=fields)
        references = {text(payment, "order_reference") for payment in payments}
        orders = self._api.of(
            ask_for.ORDERS, "reference", filter(can_be_asked_for, references), fields="[id,id_shop,reference]"
        )
        found = SeenIds()
        for order in orders:
            if self._api.takes(order):
                found.add(row_id(order))
        return found

    def _is_paid_in(self, bundle: Row, clock: _Clock) -> bool:
        """Asked of the order's own payments in the reader's way: of several, the last one counts."""
        header = bundle["order"]
        try:
            shop = Configuration(clock.configurations, (), text(header, "id_shop"), text(header, "id_shop_group"))
            total = amount(header, "total_paid_tax_incl")
            paid = moment_paid(read_payments(header, rows(bundle, "payments"), total, shop.zone(), is_paid=True))
        except Misfit:
            return True  # shown as unreadable
        return self._selection.holds(created=None, changed=None, paid=paid)

    def _of_shop(self) -> Params:
        """Orders of one shop of several: said once more as a filter, because not every list heeds the shop."""
        return [("filter[id_shop]", f"[{self._api.shop}]")] if self._api.shop.isdigit() else []


def _clock(configurations: Sequence[Row]) -> _Clock:
    zones = []
    problem = ""
    for row in configurations:
        if text(row, "name") != ZONE:
            continue
        of_row = Configuration([{**row, "id_shop": "", "id_shop_group": ""}])
        try:
            zones.append(of_row.zone())
        except Misfit as misfit:
            problem = str(misfit)
    if not zones:
        raise NeedsOwner(
            problem or f"The shop does not tell its time zone ({ZONE}), so a period cannot be asked for.",
            fix="In PrestaShop open International → Localization, choose the time zone and save.",
        )
    return _Clock(configurations, tuple(zones))


def _local(moment: datetime, zone: ZoneInfo) -> str:
    return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")


def _hundreds(ids: SeenIds) -> Iterator[list[str]]:
    some: list[str] = []
    for number in ids:
        some.append(str(number))
        if len(some) == PER_PAGE:
            yield some
            some = []
    if some:
        yield some
