"""WooCommerce: signing in, paging that loses nothing, and its orders read to the cent."""

from monet_web.connectors.woocommerce.connector import WooCommerce

__all__ = ["WooCommerce"]
