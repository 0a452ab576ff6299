"""Texts as people wrote them, and the bridge's field names as people call them."""

from __future__ import annotations

import html
import re

from monet_web.connectors.foreign import Row, text

_TAG = re.compile(r"<[/!a-zA-Z][^<>]*>")
_FIELD = re.compile(r"^([A-Za-z_]+)(?:\[(\d+)\])? ")
_CALLED = {
    "order_id": "the order's id",
    "order_product_id": "a line's id",
    "order_voucher_id": "a gift certificate's id",
    "total": "the total",
    "price": "a product's price",
    "tax": "a product's tax",
    "quantity": "a quantity",
    "value": "an amount of the order's totals",
    "amount": "a gift certificate's amount",
    "rate": "a tax rate of the shop",
    "currency_value": "the exchange rate of the order",
    "currency_code": "the currency",
    "date_added": "the date of the order or of a step in its history",
    "date_modified": "the date of the last change",
    "config_timezone": "the shop's time zone",
    "products": "the list of products",
    "totals": "the list of totals",
    "vouchers": "the list of gift certificates",
    "history": "the history",
    "options": "a product's list of options",
    "settings": "the shop's settings",
    "tax_rates": "the shop's table of tax rates",
    "tax_rules": "the shop's table of tax rules",
    "custom_fields": "the shop's table of custom fields",
}


def words(parent: Row, key: str) -> str:
    """A text as people wrote it: the shop escapes every text once; markup in it is no text."""
    return _TAG.sub("", html.unescape(text(parent, key))).strip()


def unescaped(parent: Row, key: str) -> Row:
    """The same row with this text as people wrote it."""
    return {**parent, key: words(parent, key)}


def plainly(misfit: str, number: str) -> str:
    """What is wrong with an order, for a person: the sentence of `foreign.py` with the field called by its name."""
    order = f"Order {number}" if number else "An order"
    field = _FIELD.match(misfit)
    if field is None:
        return f"{order} cannot be read: {misfit[:1].lower()}{misfit[1:]}"
    name = _CALLED.get(field[1], "a field of the order")
    shown = name if field[1] in name else f"{name} ({field[1]})"
    mend = "Correct the shop's settings." if "shop's" in name else "Open it in the shop's admin and save it anew."
    return f"{order} cannot be read: {shown} {misfit[field.end() :]} {mend}"
