"""What *Test connection* asks a WooCommerce shop (A4): rights first, then what the form's lists need."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from monet_web.connectors.answers import NotJson
from monet_web.connectors.base import Choice, StoreFacts
from monet_web.connectors.failures import TimedOut
from monet_web.connectors.http import Moved
from monet_web.connectors.paging import row_id
from monet_web.connectors.woocommerce.api import ORDERS, Api
from monet_web.connectors.woocommerce.explain import NO_ROUTE, PERMALINKS, explain
from monet_web.connectors.woocommerce.fields import optional_records, text, title
from monet_web.connectors.woocommerce.payments import SALE_STATUSES
from monet_web.domain.errors import NeedsOwner

_LOOKED_AT = 20  # of the newest orders, for custom fields; small, so that a slow shop stays within the time


def test_connection(api: Api) -> StoreFacts:
    """Everything the shop tells of itself. Raises NeedsOwner or RetryLater when orders cannot be read."""
    root = _root(api)
    counted = api.signed_in.ask(ORDERS, [("status", "any"), ("per_page", "1"), ("_fields", "id")])
    if not 200 <= counted.status < 300:
        raise api.signed_in.client.explained(counted)
    rows = api.signed_in.client.json(counted)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise _foreign(api)
    for row in rows:
        row_id(row)
    api.knows_modified_after()
    newest = _list(api.get(ORDERS, [("status", "any"), ("per_page", str(_LOOKED_AT)), ("orderby", "id")]))
    asked = _Optional(api)
    _learn_refunds_list(api, asked)
    statuses = _statuses(asked, newest)
    currency = text(_first(asked.get("/wc/v3/data/currencies/current")), "code")
    gateways = [entry for entry in _list(asked.get("/wc/v3/payment_gateways")) if entry.get("enabled") is True]
    rates = _list(asked.get("/wc/v3/taxes", [("per_page", "100")]))
    notices = tuple(_notices(api, statuses, asked))
    return StoreFacts(
        name=title(root, "name"),
        version=text(newest[0], "version") if newest else "",
        time_zone=text(root, "timezone_string") or _offset(root.get("gmt_offset")),
        currency=currency or (text(newest[0], "currency") if newest else ""),
        statuses=statuses,
        tax_rates=tuple(
            Choice(text(rate, "id"), f"{text(rate, 'name')} ({text(rate, 'country') or 'everywhere'})")
            for rate in rates
        ),
        payment_methods=tuple(
            Choice(method, label)
            for method, label in {
                **{text(entry, "id"): title(entry, "title") or text(entry, "id") for entry in gateways},
                # Methods that are switched off by now still stand in the orders to import.
                **{text(o, "payment_method"): title(o, "payment_method_title") for o in reversed(newest)},
            }.items()
            if method
        ),
        fields=tuple(Choice(key, key) for key in _field_keys(newest)),
        orders=counted.number("X-WP-Total"),
        learned=api.learned,
        notices=notices,
    )


class _Optional:
    """Asks what a shop may refuse to tell, until the time is up."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self.is_late = False

    def get(self, path: str, params: list[tuple[str, str]] | None = None) -> Any:
        if self.is_late:
            return None
        try:
            return self._api.optional(path, params or [])
        except TimedOut:
            self.is_late = True
            return None


def _root(api: Api) -> dict[str, Any]:
    """The API's front page, which needs no key: it tells a wrong address from a wrong key."""
    client = api.signed_in.client
    params = [("_fields", "name,namespaces,timezone_string,gmt_offset")]
    try:
        answer = client.ask("/wp-json/", params)
    except Moved as moved:
        if client.base.scheme == "https" or moved.target != client.base.secured():
            raise
        return {}  # signing in goes to https by itself
    if answer.is_html and answer.status < 400:
        behind = client.ask("/", [("rest_route", "/"), ("_fields", "name")])
        try:
            is_wordpress = isinstance(behind.json(), dict) and behind.status == 200
        except NotJson:
            is_wordpress = False
        if is_wordpress:
            raise NeedsOwner(
                f"{client.base.url} is WordPress with plain permalinks, under which WooCommerce's keys do not work.",
                fix=PERMALINKS,
            )
        raise explain(answer)
    if answer.status in (401, 403):
        return {}  # a plugin may ask for a login here and let a good key through
    if answer.status >= 300:
        raise client.explained(answer)
    root = client.json(answer)
    namespaces = root.get("namespaces") if isinstance(root, dict) else None
    if not isinstance(root, dict) or not isinstance(namespaces, list):
        raise _foreign(api)
    if "wc/v3" not in namespaces:
        raise explain(type(answer)(404, {}, f'{{"code":"{NO_ROUTE}"}}'.encode(), f"{client.base.url}/wp-json{ORDERS}"))
    return root


def _foreign(api: Api) -> NeedsOwner:
    return NeedsOwner(
        f"{api.signed_in.client.base.url} answers with JSON, but not as WooCommerce does.",
        fix="Check that this is the address of a WooCommerce shop; if it is, a plugin changes its REST API.",
    )


def _learn_refunds_list(api: Api, asked: _Optional) -> None:
    if asked.get("/wc/v3/refunds", [("per_page", "1"), ("_fields", "id")]) is not None:
        api.learn("refunds_list", "yes")
    elif not asked.is_late:
        api.learn("refunds_list", "no")


def _statuses(asked: _Optional, newest: list[dict[str, Any]]) -> tuple[Choice, ...]:
    labels = {text(entry, "slug"): title(entry, "name") for entry in _list(asked.get("/wc/v3/orders/statuses"))}
    for order in newest:
        labels.setdefault(text(order, "status"), text(order, "status"))
    for status in SALE_STATUSES:
        labels.setdefault(status, status.capitalize())
    return tuple(
        Choice(status, label or status, is_default=status in SALE_STATUSES)
        for status, label in labels.items()
        if status and status != "checkout-draft"
    )


def _notices(api: Api, statuses: tuple[Choice, ...], asked: _Optional) -> Iterable[str]:
    known = {choice.value for choice in statuses}
    before = set(filter(None, api.learned.get("statuses", "").split(",")))
    gone = sorted(before - known)
    if gone:
        yield (
            f"The shop had the order statuses {', '.join(gone)} and has them no more: as long as their plugin is off, "
            "the shop hides the orders that are in them. Switch the plugin on again, or move those orders."
        )
    api.learn("statuses", ",".join(sorted(known | before)))
    if api.learned.get("modified_after") == "no":
        yield (
            "This WooCommerce is too old to be asked for changed orders, so the orders of the last 60 days are looked "
            "through each time. Updating WooCommerce makes it faster."
        )
    if api.learned.get("refunds_list") == "no":
        yield (
            "This WooCommerce does not list refunds by their date: a refund of an older order may come a day late, "
            "with the nightly look at the orders of the last 60 days."
        )
    if api.signed_in.client.base.scheme == "http":
        yield "The address is not https: buyers' data travel readable. Type the https address, if the shop has one."
    if asked.is_late:
        yield "The shop was slow, so some of the lists on this page may be incomplete. Testing again may fill them."


def _field_keys(orders: list[dict[str, Any]]) -> list[str]:
    keys = {
        text(meta, "key")
        for order in orders
        for meta in optional_records(order, "meta_data")
        if isinstance(meta.get("value"), (str, int)) and text(meta, "value")
    }
    return [*sorted(filter(None, keys)), "billing.company"]


def _offset(value: Any) -> str:
    text_of = str(value) if isinstance(value, (int, str)) or value is not None else ""
    return f"UTC{'' if text_of.startswith('-') else '+'}{text_of}" if text_of else ""


def _list(value: Any) -> list[dict[str, Any]]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _first(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
