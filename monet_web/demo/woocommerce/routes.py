"""The routes under /wp-json/wc/v3 that the demo answers: who may, with which arguments, with what."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from monet_web.demo.woocommerce.answers import Answer, failure, no_route
from monet_web.demo.woocommerce.auth import Key
from monet_web.demo.woocommerce.documents import copy, recorded
from monet_web.demo.woocommerce.lists import Asked, Shop, listed, order_list, refund_list, whole
from monet_web.demo.woocommerce.parameters import Parameters, arguments, checked
from monet_web.demo.woocommerce.shaping import Shape, read_fields

_ITEM_METHODS: Final = "GET, POST, PUT, PATCH, DELETE"


@dataclass(frozen=True, slots=True)
class Route:
    """`declared`: the key of its arguments in the recorded index. `since`: old versions lack it."""

    pattern: re.Pattern[str]
    declared: str
    answer: Callable[[Shop, Asked, dict[str, str]], Answer]
    methods: str = "GET"
    only_current: bool = False


def routed(
    shop: Shop,
    path: str,
    given: Parameters,
    key: Key | None,
    *,
    address: str,
    link: str,
    broken: frozenset[int] = frozenset(),
) -> Answer:
    """The answer of the REST route `path` ("/wc/v3/orders"); bad arguments are named before the key is looked at.

    BrokenOrder when one of `broken` (order ids) would be in it.
    """
    for route in ROUTES:
        match = route.pattern.fullmatch(path)
        if match is not None and (shop.store.profile.is_current or not route.only_current):
            break
    else:
        return no_route()
    values = checked(given, arguments(route.declared, shop.store.profile))
    if isinstance(values, Answer):
        return values.with_headers(Allow=route.methods)
    parts = match.groupdict()
    refusal = _refusal(shop, key, parts)
    if refusal is not None:
        return refusal
    asked = Asked(link, values, _shape(shop, values, address), broken)
    return route.answer(shop, asked, parts).with_headers(Allow=route.methods)


def _shape(shop: Shop, values: Mapping[str, Any], address: str) -> Shape:
    places = str(values.get("dp", 2))
    return Shape(
        address,
        shop.store.profile,
        int(places) if places.isdigit() else 0,
        read_fields(str(values.get("_fields", ""))),
    )


def _refusal(shop: Shop, key: Key | None, parts: Mapping[str, str]) -> Answer | None:
    if key is not None and key.may_see_orders:
        return None
    status = 401 if key is None else 403
    if "id" in parts:
        # The shop looks for the order first: an unknown one is 404 even to a stranger.
        if shop.store.revision(int(parts["id"])) == 0 and shop.store.order(int(parts["id"])) is None:
            return None
        return failure(status, "woocommerce_rest_cannot_view", "Sorry, you cannot view this resource.")
    return failure(status, "woocommerce_rest_cannot_view", "Sorry, you cannot list resources.")


def _one_order(shop: Shop, asked: Asked, parts: dict[str, str]) -> Answer:
    order_id = int(parts["id"])
    document = shop.store.order(order_id)
    if document is None:
        return failure(404, "woocommerce_rest_shop_order_invalid_id", "Invalid ID.")
    asked.raise_if_broken((order_id,))
    return Answer(200, asked.shape.order(document, keep_links=True))


def _refunds_of(shop: Shop, asked: Asked, parts: dict[str, str]) -> Answer:
    refunds = shop.store.refunds(int(parts["order_id"]))
    return listed(asked, [asked.shape.refund(refund) for refund in refunds])


def _one_refund(shop: Shop, asked: Asked, parts: dict[str, str]) -> Answer:
    for refund in shop.store.refunds(int(parts["order_id"])):
        if str(refund["id"]) == parts["refund_id"]:
            return Answer(200, asked.shape.refund(refund))
    return failure(404, "woocommerce_rest_shop_order_refund_invalid_id", "Invalid ID.")


def _products(shop: Shop, asked: Asked, parts: dict[str, str]) -> Answer:  # noqa: ARG001
    values = asked.values
    found = [
        product
        for product in shop.store.products
        if (not values.get("include") or product["id"] in values["include"])
        and product["id"] not in values.get("exclude", ())
        and (not values.get("sku") or product["sku"] in values["sku"].split(","))
        and values.get("search", "").casefold() in product["name"].casefold()
    ]
    return listed(asked, [asked.shape.other(copy(product)) for product in found])


def _one_product(shop: Shop, asked: Asked, parts: dict[str, str]) -> Answer:
    for product in shop.store.products:
        if str(product["id"]) == parts["product_id"]:
            return Answer(200, asked.shape.other(copy(product), keep_links=True))
    return failure(404, "woocommerce_rest_product_invalid_id", "Invalid ID.")


def _statuses(shop: Shop, asked: Asked, parts: dict[str, str]) -> Answer:  # noqa: ARG001
    known = [{"slug": slug, "name": name} for slug, name in shop.store.profile.statuses.items()]
    return Answer(200, asked.shape.other(known))


def _system_status(shop: Shop, asked: Asked, parts: dict[str, str]) -> Answer:  # noqa: ARG001
    # Not recorded: only the fields that tell which versions run.
    environment = {
        "home_url": asked.shape.address,
        "site_url": asked.shape.address,
        "version": shop.store.profile.version,
        "wp_version": "7.1",
        "wp_multisite": False,
        "php_version": "8.2.36",
        "default_timezone": "UTC",
    }
    settings = {"api_enabled": False, "force_ssl": False, "currency": "EUR", "number_of_decimals": 2}
    return Answer(200, asked.shape.other({"environment": environment, "settings": settings}))


def _recorded_list(name: str) -> Callable[[Shop, Asked, dict[str, str]], Answer]:
    """A recorded list that answers with totals and in pages."""

    def answer(shop: Shop, asked: Asked, parts: dict[str, str]) -> Answer:  # noqa: ARG001
        return listed(asked, [asked.shape.other(copy(row)) for row in recorded(name)])

    return answer


def _recorded_whole(name: str) -> Callable[[Shop, Asked, dict[str, str]], Answer]:
    """A recorded answer that has no pages."""

    def answer(shop: Shop, asked: Asked, parts: dict[str, str]) -> Answer:  # noqa: ARG001
        return whole(asked, recorded(name))

    return answer


def _route(
    pattern: str,
    declared: str,
    answer: Callable[[Shop, Asked, dict[str, str]], Answer],
    methods: str = "GET",
    *,
    only_current: bool = False,
) -> Route:
    return Route(re.compile(f"/wc/v3{pattern}", re.ASCII), f"/wc/v3{declared}", answer, methods, only_current)


ROUTES: Final[tuple[Route, ...]] = (
    _route("/orders", "/orders", order_list, "GET, POST"),
    _route(r"/orders/(?P<id>\d+)", r"/orders/(?P<id>[\d]+)", _one_order, _ITEM_METHODS),
    _route("/orders/statuses", "/orders/statuses", _statuses, only_current=True),
    _route(r"/orders/(?P<order_id>\d+)/refunds", r"/orders/(?P<order_id>[\d]+)/refunds", _refunds_of, "GET, POST"),
    _route(
        r"/orders/(?P<order_id>\d+)/refunds/(?P<refund_id>\d+)",
        r"/orders/(?P<order_id>[\d]+)/refunds/(?P<id>[\d]+)",
        _one_refund,
        "GET, DELETE",
    ),
    _route("/refunds", "/refunds", refund_list, only_current=True),
    _route("/products", "/products", _products, "GET, POST"),
    _route(r"/products/(?P<product_id>\d+)", r"/products/(?P<id>[\d]+)", _one_product, _ITEM_METHODS),
    _route("/taxes", "/taxes", _recorded_list("taxes"), "GET, POST"),
    _route("/taxes/classes", "/taxes/classes", _recorded_list("tax_classes"), "GET, POST"),
    _route("/payment_gateways", "/payment_gateways", _recorded_list("payment_gateways")),
    _route("/settings/general", "/settings/general", _recorded_whole("settings_general")),
    _route("/settings/tax", "/settings/tax", _recorded_whole("settings_tax")),
    _route("/data/currencies/current", "/data/currencies/current", _recorded_whole("data_currencies_current")),
    _route("/system_status", "/system_status", _system_status),
)
