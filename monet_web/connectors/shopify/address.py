"""Which shop is meant by what people type: every form ends at NAME.myshopify.com, where alone Shopify's keys work."""

from __future__ import annotations

import re

from monet_web.connectors.address_guard import StoreAddress, parse
from monet_web.domain.errors import BrokenRule

TYPE_SHOP = (
    "Type the shop's name as it stands in the address of its Shopify admin: in admin.shopify.com/store/example it is "
    "“example”. It is also under Settings → Domains, as example.myshopify.com."
)
_HOME = ".myshopify.com"
_NAME = re.compile(r"[a-z0-9][a-z0-9-]*")
_ADMIN = re.compile(r"/store/([^/]+)", re.IGNORECASE)
_OWN_PAGES = frozenset({"admin.shopify.com", "www.shopify.com", "shopify.com", "accounts.shopify.com"})
_DASHBOARDS = frozenset({"dev.shopify.com", "partners.shopify.com"})
# The demo store and a person's own trials; the address guard decides whether they may be reached at all.
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def shop_address(typed: str) -> StoreAddress:
    """The shop's own address: https://NAME.myshopify.com. Raises BrokenRule with a fix for what cannot be one.

    Nothing but such a host ever gets a key, whatever a person types.
    """
    text = typed.strip().split("#", 1)[0].split("?", 1)[0]
    if not text:
        raise BrokenRule("The shop's name is empty.", fix=TYPE_SHOP)
    try:
        address = parse(text)
    except BrokenRule as error:
        message = error.message
    else:
        return address if address.host in _LOOPBACK else _of_shopify(address)
    raise BrokenRule(message, fix=TYPE_SHOP)


def store_key(address: StoreAddress) -> str:
    """The myshopify domain; of a shop on the loopback, host and port."""
    return address.host if address.host.endswith(_HOME) else f"{address.host}:{address.port}"


def _of_shopify(address: StoreAddress) -> StoreAddress:
    host = address.host
    if host == "admin.shopify.com" and (found := _ADMIN.match(address.path)):
        name = found[1].lower()
    elif host.endswith(_HOME):
        name = host.removesuffix(_HOME)
    elif "." not in host:
        name = host
    elif host in _OWN_PAGES:
        raise BrokenRule(f"{host} is Shopify's own page and does not say which shop is meant.", fix=TYPE_SHOP)
    elif host in _DASHBOARDS:
        raise BrokenRule(f"{host} is where apps are made, not a shop.", fix=TYPE_SHOP)
    else:
        raise BrokenRule(
            f"{host} is the address that buyers see. Shopify's keys work only at the shop's myshopify.com address.",
            fix=TYPE_SHOP,
        )
    if not _NAME.fullmatch(name):
        raise BrokenRule(f"“{name}” cannot be the name of a Shopify shop.", fix=TYPE_SHOP)
    return StoreAddress("https", name + _HOME, 443)
