"""Demo stores: small programs that speak the platforms' protocols; of Monet Web they import only themselves."""

from monet_web.demo.rates import rate_commands, vat_rates
from monet_web.demo.woocommerce.plain import items

__all__ = ["items", "rate_commands", "vat_rates"]
