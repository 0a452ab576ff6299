"""Orders with all that belongs to them, a hundred at a time: eight questions for a page, whatever its orders hold."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from monet_web.connectors.base import Page
from monet_web.connectors.broken import BrokenOrders
from monet_web.connectors.failures import TimedOut, TooLarge, Unusable
from monet_web.connectors.paging import Row
from monet_web.connectors.prestashop import resources as ask_for
from monet_web.connectors.prestashop.api import Api, can_be_asked_for
from monet_web.domain.orders import Unreadable

PER_PAGE = 100
_NARROWABLE = (Unusable, TimedOut, TooLarge)

_STATE = "[id,name,template,paid,logable,shipped,deleted]"

Bundle = dict[str, Any]


class Bundles:
    """Fetches pages of orders by their ids. The tables that all orders share are asked for once."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._tables: dict[str, list[Row]] = {}
        self._broken = BrokenOrders(self._ask_known)
        self._known = ""

    def page(self, ids: Sequence[str], expected: int | None = None) -> Page:
        """The orders with these ids, ascending; unknown ones left out, one that cannot be fetched as unreadable."""
        self._broken.check()
        orders, broken = self._fetched(ids)
        return Page(
            orders=tuple(orders),
            context=self._context(orders) if orders else {},
            expected=expected,
            unreadable=tuple(broken),
        )

    def configurations(self) -> list[Row]:
        """The shop's settings, rows of several shops among them."""
        return self._table(ask_for.CONFIGURATIONS)

    def _fetched(self, ids: Sequence[str]) -> tuple[list[Bundle], list[Unreadable]]:
        """A page that fails is halved until the order that breaks it is alone."""
        try:
            found = self._bundles(ids)
        except _NARROWABLE as error:
            if len(ids) > 1:
                middle = len(ids) // 2
                left, right = self._fetched(ids[:middle]), self._fetched(ids[middle:])
                return [*left[0], *right[0]], [*left[1], *right[1]]
            self._broken.failed(f"order {ids[0]}", error)
            return [], [
                Unreadable(ids[0], f"The shop fails when it is asked for order {ids[0]}. {error.message}", ids[0])
            ]
        if found:
            self._broken.came()
            self._known = _id(found[-1]["order"])
        return found, []

    def _ask_known(self) -> None:
        """An order that came before, with all that belongs to it; before any has come, the shop's settings."""
        if self._known:
            self._asked([self._known])
        else:
            self._api.rows(ask_for.CONFIGURATIONS, limit=1)

    def _bundles(self, ids: Sequence[str]) -> list[Bundle]:
        """The orders with their rows; one that changed between two questions is asked for again."""
        found = []
        for bundle in self._asked(ids):
            found += [bundle] if _has_its_lines(bundle) else self._asked([_id(bundle["order"])])
        return found

    def _asked(self, ids: Sequence[str]) -> list[Bundle]:
        wanted = set(ids)
        orders = [row for row in self._api.of(ask_for.ORDERS, "id", ids) if _id(row) in wanted and self._api.takes(row)]
        if not orders:
            return []
        present = [_id(order) for order in orders]
        references = {str(order.get("reference") or "") for order in orders}
        of_order = {
            name: _grouped(self._api.of(resource, "id_order", present), "id_order")
            for name, resource in (
                ("details", ask_for.DETAILS),
                ("cart_rules", self._api.cart_rules),
                ("slips", ask_for.SLIPS),
                ("invoices", ask_for.INVOICES),
            )
        }
        payments = _grouped(
            self._api.of(ask_for.PAYMENTS, "order_reference", filter(can_be_asked_for, references)), "order_reference"
        )
        places = {key for order in orders for key in _places(order)}
        addresses = {_id(row): row for row in self._api.of(ask_for.ADDRESSES, "id", places, fields=ask_for.ADDRESS)}
        people = {_text(order, "id_customer") for order in orders} - {"", "0"}
        customers = {_id(row): row for row in self._api.of(ask_for.CUSTOMERS, "id", people, fields=ask_for.CUSTOMER)}
        bundles: dict[str, Bundle] = {
            _id(order): {
                "order": {key: value for key, value in order.items() if key not in ask_for.NOT_KEPT},
                **{name: rows[_id(order)] for name, rows in of_order.items()},
                "payments": payments[_text(order, "reference")],
                "addresses": [addresses[key] for key in _places(order) if key in addresses],
                "customer": customers.get(_text(order, "id_customer"), {}),
            }
            for order in orders
        }
        return [bundles[key] for key in sorted(bundles, key=int)]

    def _context(self, orders: Iterable[Bundle]) -> Mapping[str, list[Row]]:
        """What the orders of a page share; of the long tables only the rows that they name, because it is kept."""
        countries = {_text(address, "id_country") for order in orders for address in order["addresses"]}
        carriers = {_text(order["order"], "id_carrier") for order in orders}
        return {
            "taxes": self._table(ask_for.TAXES, "[id,rate,name]"),
            "states": self._table(ask_for.STATES, _STATE),
            "currencies": self._table(ask_for.CURRENCIES, "[id,iso_code]"),
            "countries": [row for row in self._table(ask_for.COUNTRIES, "[id,iso_code]") if _id(row) in countries],
            "carriers": [row for row in self._table(ask_for.CARRIERS, "[id,name]") if _id(row) in carriers],
            "configurations": self.configurations(),
            "translated_configurations": self._table(ask_for.TRANSLATED),
        }

    def _table(self, resource: str, fields: str = ask_for.FULL) -> list[Row]:
        if resource not in self._tables:
            names = ask_for.SETTINGS.get(resource)
            filters = [("filter[name]", f"[{'|'.join(names)}]")] if names else []
            self._tables[resource] = self._api.rows(resource, filters, fields=fields)
        return self._tables[resource]


def _has_its_lines(bundle: Bundle) -> bool:
    """Whether every line that the order names came with it; not so when it was deleted or edited in between."""
    associations = bundle["order"].get("associations")
    named = associations.get("order_rows") if isinstance(associations, dict) else None
    came = {_id(row) for row in bundle["details"]}
    return not isinstance(named, list) or all(_id(row) in came for row in named if isinstance(row, dict))


def _id(row: Row) -> str:
    return _text(row, "id")


def _text(row: Row, key: str) -> str:
    return str(row.get(key) or "").strip()


def _places(order: Row) -> list[str]:
    """The invoice's and the delivery's address, once when they are the same."""
    found = (_text(order, "id_address_invoice"), _text(order, "id_address_delivery"))
    return [key for key in dict.fromkeys(found) if key not in ("", "0")]


def _grouped(rows: Iterable[Row], key: str) -> defaultdict[str, list[Row]]:
    groups: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[_text(row, key)].append(row)
    return groups
