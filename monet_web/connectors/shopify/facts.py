"""What *Test connection* asks a Shopify shop (A4): rights first, then what the form's lists need."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from monet_web.connectors.base import Choice, StoreFacts
from monet_web.connectors.failures import TimedOut, TooLarge, Unusable
from monet_web.connectors.shopify.api import Api, Record, record, rows
from monet_web.connectors.shopify.explain import NEW_RIGHTS
from monet_web.connectors.shopify.payments import SALES
from monet_web.connectors.shopify.queries import API_VERSION, COUNT, NEWEST, ORDERS, SHOP
from monet_web.domain.errors import NeedsOwner

STATUSES = (
    ("PAID", "Paid"),
    ("PARTIALLY_PAID", "Partially paid"),
    ("PARTIALLY_REFUNDED", "Partially refunded"),
    ("REFUNDED", "Refunded"),
    ("AUTHORIZED", "Authorized"),
    ("PENDING", "Payment pending"),
    ("VOIDED", "Voided"),
    ("EXPIRED", "Expired"),
)
_SEEN_DAYS = 60


def test_connection(api: Api, now: datetime) -> StoreFacts:
    """Everything the shop tells of itself. Raises NeedsOwner or RetryLater when orders cannot be read."""
    host = api.client.base.host
    data = api.ask(SHOP)
    api.learn_scopes(data)
    shop = record(data.get("shop"), of="shop", host=host)
    scopes = api.scopes()
    if not scopes & {"read_orders", "write_orders"}:
        raise NeedsOwner(f"The app may not read the orders of {host}: it lacks the right read_orders.", fix=NEW_RIGHTS)
    newest = _orders(api.ask(NEWEST), host)
    # The question that every import asks, so that whatever the shop withholds is found out now.
    full = _orders(api.ask(ORDERS, first=5, query="status:any"), host)
    domain = _text(shop, "myshopifyDomain")
    return StoreFacts(
        name=_text(shop, "name") or domain,
        version=f"Admin API {api.answered_version or API_VERSION}",
        time_zone=_text(shop, "ianaTimezone"),
        currency=_text(shop, "currencyCode"),
        statuses=tuple(Choice(code, label, is_default=code in SALES) for code, label in STATUSES),
        tax_rates=tuple(_rates(newest)),
        payment_methods=tuple(Choice(name, name) for name in _unique(_gateways(newest))),
        fields=tuple(Choice(name, name) for name in _unique(_field_names(newest))),
        orders=_count(api),
        learned={"api_version": api.answered_version or API_VERSION, "domain": domain},
        notices=tuple(_notices(api, shop, full, domain, now)),
    )


def _notices(api: Api, shop: Record, full: list[Record], domain: str, now: datetime) -> Iterator[str]:
    scopes = api.scopes()
    if "read_all_orders" not in scopes:
        first = (now - timedelta(days=_SEEN_DAYS)).date()
        yield (
            f"Shopify shows this app only the orders of the last {_SEEN_DAYS} days, since {first.isoformat()}. For "
            "older ones ask Shopify for the right read_all_orders, on dev.shopify.com in the app under API access."
        )
    plan = _text(record(shop["plan"], of="plan", host=domain), "publicDisplayName") if shop.get("plan") else ""
    nameless = full and "people" not in api.parts.denied and not any(_has_buyer(order) for order in full)
    if "people" in api.parts.denied or "addresses" in api.parts.denied or nameless:
        of_plan = f" (plan {plan})" if plan else ""
        yield (
            f"Shopify hides the buyers' names, streets, e-mails and telephones from this app{of_plan}: "
            "their invoices come without a buyer's name, for you to fill in. A plan above Basic shows them; on "
            "dev.shopify.com the app must also ask for protected customer data."
        )
    if "customer" in api.parts.denied:
        yield "The app lacks the right read_customers: buyers are known by their addresses only."
    if "products" in api.parts.denied:
        yield (
            "The app lacks the right read_products: goods are found by SKU only, not by product or barcode. "
            f"{NEW_RIGHTS}"
        )
    if "shipments" in api.parts.denied:
        yield "The app may not see shipments: the day of payment counts as the day of supply."
    if api.answered_version not in ("", API_VERSION):
        yield (
            f"Shopify answered as version {api.answered_version}, because {API_VERSION} is no longer supported: update "
            "this program before the next quarter."
        )
    if domain and api.client.base.host.endswith(".myshopify.com") and domain != api.client.base.host:
        yield f"The shop's own address is {domain} by now. Type that one."


def _has_buyer(order: Record) -> bool:
    addresses = [order.get("billingAddress"), order.get("shippingAddress")]
    people = [place for place in (*addresses, order.get("customer")) if isinstance(place, dict)]
    return bool(order.get("email")) or any(person.get("firstName") or person.get("lastName") for person in people)


def _count(api: Api) -> int | None:
    try:
        found = api.ask(COUNT).get("ordersCount")
    except (NeedsOwner, Unusable, TimedOut, TooLarge):
        return None
    count = found.get("count") if isinstance(found, dict) else None
    is_exact = isinstance(found, dict) and found.get("precision") == "EXACT"
    return count if isinstance(count, int) and is_exact else None


def _orders(data: Record, host: str) -> list[Record]:
    page = record(data.get("orders"), of="list of orders", host=host)
    return rows(page.get("nodes"), of="orders", host=host)


def _rates(newest: list[Record]) -> Iterator[Choice]:
    seen = set()
    for line in (line for order in newest for line in _list(order.get("taxLines"))):
        percent, title = line.get("ratePercentage"), _text(line, "title")
        if isinstance(percent, (int, Decimal)) and not isinstance(percent, bool):
            code = f"{Decimal(percent).normalize():f}"
            if (code, title) not in seen:
                seen.add((code, title))
                yield Choice(f"{title} {code}", f"{title} {code} %")


def _gateways(newest: list[Record]) -> Iterator[str]:
    for order in newest:
        names = order.get("paymentGatewayNames")
        yield from (name for name in (names if isinstance(names, list) else []) if isinstance(name, str))


def _field_names(newest: list[Record]) -> Iterator[str]:
    for order in newest:
        fields = order.get("localizedFields")
        localized = fields.get("nodes") if isinstance(fields, dict) else []
        for entry in (*_list(order.get("customAttributes")), *_list(localized)):
            if _text(entry, "value"):
                yield _text(entry, "key")


def _unique(names: Iterable[str]) -> list[str]:
    return [name for name in dict.fromkeys(names) if name]


def _list(value: Any) -> list[Record]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _text(found: Record, key: str) -> str:
    value = found.get(key)
    return value.strip() if isinstance(value, str) else ""
