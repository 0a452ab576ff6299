"""The benchmark's orders: each in EUR, Lithuanian, a few lines of known SKUs at 21 %, completed, without refunds."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from monet_web.demo.woocommerce.amounts import add_up, set_quantities
from monet_web.demo.woocommerce.clock import local_text, utc_text
from monet_web.demo.woocommerce.documents import Document, copy, recorded

# Seconds from an order's creation to its payment and to its completion, its last change.
PAID_AFTER: Final = 60
COMPLETED_AFTER: Final = 3600

_VARIANTS: Final = 400
_RATE: Final = Decimal(21)
# An id that no real order has; it stands in a variant's JSON wherever the order's own will go.
_ID_MARK: Final = 700_000_000_007
_LINE_STEP: Final = 40
_MARKS: Final = ("created", "created_gmt", "paid", "paid_gmt", "completed", "completed_gmt", "email")


def items(count: int) -> list[str]:
    """The first `count` SKUs of the plain shop: what a benchmark receives into stock before it imports."""
    return [f"DEMO-{number:04d}" for number in range(1, count + 1)]


@dataclass(frozen=True)
class PlainGenerator:
    """Makes orders from a few hundred variants, so that a page of a hundred costs a millisecond."""

    seed: int = 0
    lines: int = 3
    sku_count: int = 100
    _variants: dict[int, Document] = field(default_factory=dict, compare=False, repr=False)
    _templates: dict[tuple[object, int], bytes] = field(default_factory=dict, compare=False, repr=False)

    def order(self, index: int, order_id: int, created: int) -> Document:
        document = copy(self._variant(index % _VARIANTS))
        filled: Document = _fill(document, order_id, self._values(index, created))
        return filled

    def encoded(
        self, index: int, order_id: int, created: int, *, shape: object, encode: Callable[[Document], bytes]
    ) -> bytes:
        """The same order as JSON. `shape` names what `encode` does (address, version, dp), for the cache."""
        key = (shape, index % _VARIANTS)
        template = self._templates.get(key)
        if template is None:
            template = _template(encode(copy(self._variant(index % _VARIANTS))))
            self._templates[key] = template
        said = self._values(index, created)
        values: dict[bytes, bytes] = {name.encode(): text.encode() for name, text in said.items()}
        values[b"id"] = str(order_id).encode()
        # The items, the delivery and its tax line: _variant() numbers them in this order.
        for place in range(self.lines + 2):
            values[b"line%d" % place] = b"%d" % (order_id * _LINE_STEP + place)
        return template % values

    def _values(self, index: int, created: int) -> dict[str, str]:
        paid, completed = created + PAID_AFTER, created + COMPLETED_AFTER
        shop = f".{self.seed}" if self.seed > 1 else ""  # shops of other seeds have buyers of their own
        return {
            "created": local_text(created),
            "created_gmt": utc_text(created),
            "paid": local_text(paid),
            "paid_gmt": utc_text(paid),
            "completed": local_text(completed),
            "completed_gmt": utc_text(completed),
            "email": f"pirkejas{index % 50_000}{shop}@example.test",
        }

    def _variant(self, number: int) -> Document:
        if number not in self._variants:
            self._variants[number] = _variant(self, number)
        return self._variants[number]


def _variant(generator: PlainGenerator, number: int) -> Document:
    chance = random.Random(generator.seed * 1_000_003 + number)
    mould = next(order for order in recorded("orders") if _is_plain(order))
    document: Document = copy(mould)
    base_line = document["line_items"][0]
    skus = items(generator.sku_count)
    chosen = [(number * generator.lines + place) % len(skus) for place in range(generator.lines)]
    document["line_items"] = [_line(base_line, skus[choice], choice) for choice in chosen]
    document["coupon_lines"], document["fee_lines"] = [], []
    document["tax_lines"] = [
        {**line, "rate_percent": int(_RATE)} for line in document["tax_lines"] if line["rate_id"] == 1
    ]
    set_quantities(document, [chance.choice((1, 1, 2, 3)) for _ in chosen])
    add_up(document)
    text = f"order-pay/{_ID_MARK}/?pay_for_order=true&key=wc_order_demo{_ID_MARK}"
    document.update(
        id=_ID_MARK,
        number=str(_ID_MARK),
        order_key=f"wc_order_demo{_ID_MARK}",
        status="completed",
        customer_id=0,
        customer_note="",
        payment_url=document["payment_url"].partition("order-pay/")[0] + text,
    )
    document["_links"].pop("customer", None)
    for links in document["_links"].values():
        for link in links:
            link["href"] = link["href"].replace(f"/orders/{mould['id']}", f"/orders/{_ID_MARK}")
    document["billing"]["email"] = "{email}"
    for name in ("created", "paid", "completed"):
        document[f"date_{name}"], document[f"date_{name}_gmt"] = f"{{{name}}}", f"{{{name}_gmt}}"
    document["date_modified"], document["date_modified_gmt"] = "{completed}", "{completed_gmt}"
    place = 0
    for name in ("line_items", "shipping_lines", "tax_lines"):
        for line in document[name]:
            line["meta_data"] = []
            line["id"], place = _ID_MARK * _LINE_STEP + place, place + 1
    return document


def _is_plain(order: Document) -> bool:
    billing = order["billing"]
    return (
        order["status"] == "completed"
        and order["currency"] == "EUR"
        and (billing["country"], billing["company"]) == ("LT", "")
        and order["number"] == str(order["id"])
        and not order["refunds"]
        and not order["fee_lines"]
        and not order["coupon_lines"]
        and order["prices_include_tax"] is True
        and order["payment_method"] == "paysera"
        and order["shipping_total"] != "0.00"
        and len(order["tax_lines"]) == 1
        and order["tax_lines"][0]["rate_id"] == 1
    )


def _line(mould: Document, sku: str, number: int) -> Document:
    line: Document = copy(mould)
    # Gross prices of 3.10 to 60.00 EUR; net and tax of one piece follow from them.
    gross = Decimal(310 + number * 569 % 5691) / 100
    tax = (gross * _RATE / (100 + _RATE)).quantize(Decimal("0.01"))
    line.update(
        name=f"Demonstracinė prekė {number + 1}",
        product_id=100_000 + number,
        variation_id=0,
        quantity=1,
        sku=sku,
        tax_class="",
        subtotal=str(gross - tax),
        subtotal_tax=str(tax),
        total=str(gross - tax),
        total_tax=str(tax),
        taxes=[{"id": 1, "total": str(tax), "subtotal": str(tax)}],
        parent_name=None,
    )
    return line


def _fill(value: Any, order_id: int, values: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _fill(part, order_id, values) for key, part in value.items()}
    if isinstance(value, list):
        return [_fill(part, order_id, values) for part in value]
    if isinstance(value, str):
        if value.startswith("{"):
            return values.get(value[1:-1], value)
        return value.replace(str(_ID_MARK), str(order_id))
    if isinstance(value, int) and value >= _ID_MARK:
        lines, place = divmod(value, _LINE_STEP)
        return order_id if value == _ID_MARK else order_id * _LINE_STEP + place if lines == _ID_MARK else value
    return value


def _template(text: bytes) -> bytes:
    text = text.replace(b"%", b"%%")
    for place in range(_LINE_STEP):
        text = text.replace(b"%d" % (_ID_MARK * _LINE_STEP + place), b"%%(line%d)s" % place)
    text = text.replace(str(_ID_MARK).encode(), b"%(id)s")
    for mark in _MARKS:
        text = text.replace(b"{%s}" % mark.encode(), b"%%(%s)s" % mark.encode())
    return text
