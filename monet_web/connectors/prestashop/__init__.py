"""PrestaShop 1.6 to 9: its webservice asked in bulk, and its orders read to the cent."""

from monet_web.connectors.prestashop.connector import PrestaShop

__all__ = ["PrestaShop"]
