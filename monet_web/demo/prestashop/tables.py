"""Which rows a question finds: orders by their headers, what belongs to them by its order, the rest as it stands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Final

from monet_web.demo.prestashop.patterns import Bundle, patterns
from monet_web.demo.prestashop.questions import Question, Refused, listed, matches
from monet_web.demo.prestashop.recordings import OF_ORDERS, SHARED, Row, local_text, recorded
from monet_web.demo.prestashop.store import Store

RESOURCES: Final = ("orders", *OF_ORDERS, *SHARED)
# Everything that the real webservice knows; what is not in RESOURCES is an empty list here.
KNOWN: Final = tuple(
    (  # noqa: SIM905 - as a list it is seventy lines
        "addresses attachments carriers cart_rules carts categories combinations configurations contacts "
        "content_management_system countries currencies customer_messages customer_threads customers customizations "
        "deliveries employees groups guests image_types images languages manufacturers messages order_carriers "
        "order_cart_rules order_details order_histories order_invoices order_payments order_slip order_states orders "
        "price_ranges product_customization_fields product_feature_values product_features product_option_values "
        "product_options product_suppliers products search shop_groups shop_urls shops specific_price_rules "
        "specific_prices states stock_availables stock_movement_reasons stock_movements stocks stores suppliers "
        "supply_order_details supply_order_histories supply_order_receipt_histories supply_order_states supply_orders "
        "tags tax_rule_groups tax_rules taxes translated_configurations warehouse_product_locations warehouses "
        "weight_ranges zones "
    ).split()
)
_LIGHT: Final = frozenset({"id", "id_shop", "id_shop_group", "date_add", "date_upd"})


class BrokenOrder(Exception):
    """Serving this order ends in a fatal error of PHP."""


@cache
def fields_of(resource: str) -> tuple[str, ...]:
    """A resource's fields, as its recorded rows have them."""
    if resource == "orders":
        row = patterns()[0].bundle.order
    elif resource in OF_ORDERS:
        row = next(p.bundle.rows[resource][0] for p in patterns() if p.bundle.rows[resource])
    else:
        row = recorded(resource)[0]
    return tuple(name for name in row if name != "associations")


def found(
    store: Store,
    resource: str,
    question: Question,
    broken: frozenset[int] = frozenset(),
    *,
    of_shop: int | None = None,
) -> list[Row]:
    """The rows, whole or cut to the fields asked for, in order and cut to the limit.

    `of_shop` is the shop that is asked, None for all: orders are kept apart by it, what belongs to them is not.
    """
    is_light = resource == "orders" and set(question.fields or ("id",)) <= _LIGHT and question.fields != ()
    if resource == "orders" and is_light and all(name in _LIGHT for name, _ in question.filters):
        rows: Iterable[Row] = _headers(store, question)
    elif resource == "orders":
        rows = (bundle.order for bundle in _bundles(store, question, "id", broken))
    elif resource in OF_ORDERS:
        rows = _of_orders(store, resource, question, broken)
    else:
        rows = store.tables[resource]
    if resource == "orders" and of_shop is not None:
        rows = (row for row in rows if row["id_shop"] == of_shop)
    kept = question.cut(question.sorted([row for row in rows if question.holds(row)]))
    return [_cut(row, question.fields) for row in kept]


def single(store: Store, resource: str, row_id: int, *, of_shop: int | None = None) -> Row:
    """One row by its id. Raises Refused: a 404 has no body."""
    question = Question((("id", f"[{row_id}]"),), (), (), None)
    rows = found(store, resource, question, of_shop=of_shop)
    if not rows:
        raise Refused(404, 0, "")
    return rows[0]


def _headers(store: Store, question: Question) -> Iterator[Row]:
    """Orders by what their headers say, without making them. The filters on dates are asked first, roughly."""
    by_id = question.of("id")
    fits = matches(by_id) if by_id is not None else None
    for header in store.headers():
        if fits is None or fits(header.id):
            yield {
                "id": header.id,
                **dict(zip(("id_shop", "id_shop_group"), store.shop_of(header.id), strict=True)),
                "date_add": local_text(header.created),
                "date_upd": local_text(header.changed),
            }


def _bundles(store: Store, question: Question, key: str, broken: frozenset[int]) -> Iterator[Bundle]:
    wanted, carts = (
        listed(question.of(key) or ""),
        listed(question.of("reference") or question.of("order_reference") or ""),
    )
    if wanted is not None:
        ids = [int(text) for text in wanted if text.isdigit()]
    elif carts is not None:
        ids = store.of_carts(carts)
    else:
        ids = [header.id for header in store.headers()]
    for order_id in dict.fromkeys(ids):
        bundle = store.peek(order_id)
        if bundle is None:
            continue
        if order_id in broken:
            raise BrokenOrder
        yield bundle


def _of_orders(store: Store, resource: str, question: Question, broken: frozenset[int]) -> Iterator[Row]:
    if resource == "order_slip" and question.of("id_order") is None:
        for order_id in store.with_slips():
            bundle = store.peek(order_id)
            yield from bundle.rows[resource] if bundle is not None else ()
        return
    for bundle in _bundles(store, question, "id_order", broken):
        yield from bundle.rows[resource]


def _cut(row: Row, fields: tuple[str, ...] | None) -> Row:
    if fields is None:
        return {"id": row["id"]}
    return row if fields == () else {key: row[key] for key in row if key in fields}
