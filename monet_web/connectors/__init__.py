"""How a store speaks: requests in, `domain.orders.Order` out. Knows no database and no web page."""

from __future__ import annotations

from monet_web.connectors.base import Connector
from monet_web.connectors.opencart import OpenCart
from monet_web.connectors.prestashop import PrestaShop
from monet_web.connectors.shopify import Shopify
from monet_web.connectors.woocommerce import WooCommerce

CONNECTORS: dict[str, type[Connector]] = {
    "woocommerce": WooCommerce,
    "prestashop": PrestaShop,
    "opencart": OpenCart,
    "shopify": Shopify,
}
