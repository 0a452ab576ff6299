"""The demo stores there are: one of each platform, its code loaded only when it is asked for."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


@dataclass(frozen=True, slots=True)
class DemoStore:
    """One demo store. `settings` are of its integration in a demo installation, beside the connection."""

    kind: str
    name: str
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def values(self) -> dict[str, str]:
        """The connection's parameters but for the address."""
        return dict(importlib.import_module(f"monet_web.demo.{self.kind}").VALUES)

    def shop(
        self, *, seed: int = 1, orders: int = 200, still: bool = False, start: datetime | None = None
    ) -> WSGIApplication:
        """The shop itself. `still`: nothing ever changes; `start` (aware): when a living one's life began."""
        module = importlib.import_module(f"monet_web.demo.{self.kind}")
        return cast("WSGIApplication", module.shop(seed=seed, orders=orders, still=still, start=start))

    def rate_commands(self, shop: WSGIApplication) -> list[str]:
        """What to type before the first import: VAT rates that the shop still charges though they were given up."""
        module = importlib.import_module(f"monet_web.demo.{self.kind}")
        return list(module.rates_to_add(shop)) if hasattr(module, "rates_to_add") else []


STORES: Final[tuple[DemoStore, ...]] = (
    DemoStore("woocommerce", "Demo shop", {"number_prefix": "DEMO-"}),
    # Each of the others shows another way to keep books: items made when they are sold, services without stock, and
    # a shop whose sales wait for a person.
    DemoStore("prestashop", "Demo PrestaShop", {"number_prefix": "PS-", "unknown_items": "create"}),
    DemoStore("opencart", "Demo OpenCart", {"number_prefix": "OC-", "accounting_type": "amounts"}),
    DemoStore(
        "shopify", "Demo Shopify",
        {"number_prefix": "SH-", "unknown_items": "create", "register_automatically": "no"},
    ),
)  # fmt: skip


def store_of(kind: str) -> DemoStore:
    """The demo store of a platform. KeyError when there is none."""
    return {store.kind: store for store in STORES}[kind]


def ports(first: int) -> dict[str, int]:
    """The port of each kind when all are served: consecutive ones from `first`."""
    return {store.kind: first + number for number, store in enumerate(STORES)}
