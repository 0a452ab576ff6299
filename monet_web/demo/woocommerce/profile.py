"""Which WooCommerce a demo shop pretends to be: its version, its order storage, and what follows from them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from monet_web.demo.woocommerce.documents import Document

# In the order in which the 400 text lists them; "shipped" is registered by a plugin of the recorded shop.
STATUSES: Final[dict[str, str]] = {
    "pending": "Pending payment",
    "processing": "Processing",
    "shipped": "Išsiųsta",
    "on-hold": "On hold",
    "completed": "Completed",
    "cancelled": "Cancelled",
    "refunded": "Refunded",
    "failed": "Failed",
    "checkout-draft": "Draft",
}

_NEW_ORDER_FIELDS: Final = ("payment_url", "is_editable", "needs_payment", "needs_processing")


@dataclass(frozen=True)
class Profile:
    """`posts`: orders are kept as posts, not in tables of their own (HPOS). Old versions know only posts."""

    version: str = "11.0.1"
    posts: bool = False
    statuses: dict[str, str] = field(default_factory=lambda: dict(STATUSES), hash=False)

    @property
    def is_current(self) -> bool:
        return self.version.startswith("11.")

    @property
    def knows_modified(self) -> bool:
        """3.9.1 ignores modified_after, modified_before and dates_are_gmt without a word."""
        return not self.version.startswith("3.")

    @property
    def bumps_small_edits(self) -> bool:
        """Whether editing only lines or only meta changes date_modified: with HPOS alone."""
        return self.is_current and not self.posts

    @property
    def any_statuses(self) -> frozenset[str]:
        return frozenset(self.statuses) - {"checkout-draft"}

    def shaped(self, order: Document) -> Document:
        """Takes from an order, in place, what this version does not know yet; counts stand in the platform page."""
        if self.is_current:
            return order
        order["version"] = self.version
        for name in _NEW_ORDER_FIELDS:
            order.pop(name, None)
        order["_links"].pop("email_templates", None)
        if not self.knows_modified:
            order.pop("currency_symbol", None)
        self._shape_lines(order)
        for refund in order["refunds"]:
            refund.pop("total_tax", None)
        return order

    def shaped_refund(self, refund: Document) -> Document:
        if not self.is_current:
            self._shape_lines(refund)
        return refund

    def _shape_lines(self, owner: Document) -> None:
        for line in owner["line_items"]:
            line.pop("global_unique_id", None)
            line.pop("image", None)
            if not self.knows_modified:
                line.pop("parent_name", None)


CURRENT: Final = Profile()
CURRENT_ON_POSTS: Final = Profile(posts=True)
VERSION_5_9: Final = Profile("5.9.0", posts=True)
VERSION_3_9: Final = Profile("3.9.1", posts=True)
