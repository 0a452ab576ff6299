"""A backup's orders as the bridge would give them, so that one reader reads both."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from monet_web.connectors.base import Json, Page
from monet_web.connectors.opencart.backup.countries import STOCK_COUNTRIES
from monet_web.connectors.opencart.backup.dump import Row, rows
from monet_web.connectors.opencart.backup.scratch import Scratch, scratch
from monet_web.connectors.opencart.shop import context_of
from monet_web.domain.errors import BrokenRule
from monet_web.domain.orders import Unreadable

PER_PAGE = 100
_UNFINISHED = ("0", "", None)
_NEEDED = ("order", "order_product", "order_total")
# What a stock shop counts as a sale, when the backup was made without the table of settings.
_STOCK = {"config_complete_status": '["5","3"]', "config_processing_status": '["5","1","2","12","3"]'}
_OBJECTS = ("custom_field", "payment_custom_field", "shipping_custom_field", "payment_method", "shipping_method")
# The columns that the bridge gives of these tables; of the others it gives all.
_COLUMNS = {
    "history": ("order_history_id", "order_id", "order_status_id", "comment", "date_added"),
    "vouchers": ("order_voucher_id", "order_id", "description", "code", "to_name", "amount"),
    "returns": (
        *("return_id", "order_id", "product_id", "product", "model", "quantity"),
        *("return_status_id", "return_action_id", "date_added", "date_modified"),
    ),
}
_OF_PRODUCT = ("sku", "ean", "tax_class_id")


def pages_of(lines: Iterable[bytes], *, zone_of_old: str, shop: str) -> Iterator[Page]:
    """Every finished order of the file, by id; of one shop when `shop` is its number.

    The whole file is read before the first page: a broken one books nothing. Raises BrokenRule.
    """
    with scratch() as found:
        found.fill(rows(lines))
        missing = [name for name in _NEEDED if name not in found.tables()]
        if missing:
            raise BrokenRule(
                f"The backup has no rows of the table {' and '.join(missing)}.",
                fix="Export it anew with all the tables that this page names ticked.",
            )
        backup = _Backup(found, zone_of_old)
        after = 0
        while orders := found.orders(after, PER_PAGE):
            after = max(orders)
            finished = {
                number: order
                for number, order in orders.items()
                if order.get("order_status_id") not in _UNFINISHED and (not shop or order.get("store_id") == shop)
            }
            whole = backup.whole(finished)
            readable = tuple(order for order in whole if order["totals"])
            without = tuple(_without_totals(order) for order in whole if not order["totals"])
            if readable or without:
                yield Page(orders=readable, context=backup.context, unreadable=without)


class _Backup:
    """The small tables of a backup, and orders put together from the large ones."""

    def __init__(self, found: Scratch, zone_of_old: str) -> None:
        self._found = found
        self._statuses: dict[str | None, dict[str | None, str]] = {}
        for row in found.whole("order_status"):
            self._statuses.setdefault(row.get("order_status_id"), {})[row.get("language_id")] = row.get("name") or ""
        self._codes = {row.get("country_id"): row.get("iso_code_2") or "" for row in found.whole("country")}
        self.context = context_of(self._info(), zone_of_old=zone_of_old)

    def whole(self, orders: Mapping[int, Row]) -> list[dict[str, Any]]:
        """These orders with all that belongs to them."""
        if not orders:
            return []
        first, last = min(orders), max(orders)
        parts = {
            part: self._found.between(table, first, last)
            for part, table in (
                *(("products", "order_product"), ("options", "order_option"), ("totals", "order_total")),
                *(("history", "order_history"), ("vouchers", "order_voucher"), ("returns", "return")),
            )
        }
        sold = {_whole(line.get("product_id")) for number in orders for line in parts["products"].get(number, [])}
        products = self._found.of("product", sold)
        return [self._order(number, order, parts, products) for number, order in orders.items()]

    def _order(
        self, number: int, header: Row, parts: Mapping[str, Mapping[int, list[Row]]], products: Mapping[int, Row]
    ) -> dict[str, Any]:
        order: dict[str, Any] = {key: _decoded(value) if key in _OBJECTS else value for key, value in header.items()}
        for part, columns in _COLUMNS.items():
            order[part] = [{key: row.get(key) for key in columns} for row in parts[part].get(number, [])]
        order["totals"] = sorted(
            parts["totals"].get(number, []), key=lambda row: (_whole(row.get("sort_order")), _id(row, "order_total"))
        )
        options: dict[str | None, list[Row]] = {}
        for option in sorted(parts["options"].get(number, []), key=lambda row: _id(row, "order_option")):
            kept = {key: option.get(key) for key in ("name", "value", "type")}
            options.setdefault(option.get("order_product_id"), []).append(kept)
        order["products"] = [
            {**line, **_known(products.get(_whole(line.get("product_id")))), "options": options.get(_line(line), [])}
            for line in sorted(parts["products"].get(number, []), key=lambda row: _id(row, "order_product"))
        ]
        for which in ("payment", "shipping"):
            country = header.get(f"{which}_country_id")
            order[f"{which}_iso_code_2"] = self._codes.get(country) or STOCK_COUNTRIES.get(country or "", "")
        names = self._statuses.get(header.get("order_status_id"), {})
        order["order_status"] = names.get(header.get("language_id")) or next(iter(names.values()), "")
        return order

    def _info(self) -> dict[str, Json]:
        fields = self._found.whole("custom_field_description")
        settings = {str(row.get("key")): row.get("value") for row in self._found.whole("setting")}
        base = next((row.get("code") for row in self._found.whole("currency") if _is_one(row.get("value"))), "")
        return {
            "settings": {"config_currency": base, **_STOCK, **settings},
            "tax_rates": self._found.whole("tax_rate"),
            "tax_rules": self._found.whole("tax_rule"),
            "custom_fields": fields,
        }


def _without_totals(order: Mapping[str, Json]) -> Unreadable:
    number = str(order.get("order_id"))
    reason = f"The backup has order {number} without its totals: it is cut off, or made while the order was edited."
    return Unreadable(number, reason, number=number)


def _known(product: Row | None) -> Row:
    """What the bridge adds to a line of the product as it is today; nothing where it is gone."""
    there: Row = {key: product.get(key) if product else None for key in _OF_PRODUCT}
    return {**there, "product_exists": "1" if product else "0"}


def _decoded(value: str | None) -> Json:
    try:
        found = json.loads(value or "")
    except ValueError:
        return value
    return found if isinstance(found, dict | list) else value


def _is_one(value: str | None) -> bool:
    return (value or "").rstrip("0") in ("1.", "1")


def _line(row: Row) -> str | None:
    return row.get("order_product_id")


def _id(row: Row, table: str) -> int:
    return _whole(row.get(f"{table}_id"))


def _whole(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else 0
