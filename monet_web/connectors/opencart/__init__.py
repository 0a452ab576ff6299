"""OpenCart: a small read-only bridge in the shop, its orders read to the cent, and backups where no bridge may be."""

from monet_web.connectors.opencart.connector import OpenCart

__all__ = ["OpenCart"]
