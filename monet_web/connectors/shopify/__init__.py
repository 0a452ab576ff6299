"""Shopify: its key for a day, questions at its price, and its orders read to the cent."""

from monet_web.connectors.shopify.connector import Shopify

__all__ = ["Shopify"]
