"""A shop that answers /api/ as a real PrestaShop 8.0.3's webservice does, and refuses what it refuses."""

from monet_web.demo.prestashop.shop import VALUES, shop

__all__ = ["VALUES", "shop"]
