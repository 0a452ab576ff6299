"""What goes wrong at Shopify: bills, locks, limits, and answers that are not whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from monet_web.demo.shopify.documents import Document

VERSIONS: Final = ("2026-01", "2026-04", "2026-07", "2026-10")


@dataclass(frozen=True, slots=True)
class Faults:
    """All off by default."""

    unknown_shop: bool = False
    frozen: bool = False
    locked: bool = False
    forbidden: bool = False
    # Seconds to wait that a 429 names.
    too_many_requests: int | None = None
    failing: bool = False
    maintenance: bool = False
    # Orders on which Shopify's own code fails.
    broken_orders: frozenset[int] = frozenset()
    # The versions of the API that are still supported: another one falls forward to the first of them.
    versions: tuple[str, ...] = VERSIONS
    delay: float = 0.0
    # The connection ends in the middle of the body.
    truncated: bool = False


def refusal(faults: Faults) -> tuple[int, Document | str] | None:
    """Status and body of what comes before the API is reached; a text is a web page."""
    if faults.unknown_shop:
        return 404, {"errors": "Not Found"}
    if faults.frozen:
        return 402, {"errors": "Unavailable Shop"}
    if faults.locked:
        return 423, {"errors": "This shop is unavailable"}
    if faults.forbidden:
        return 403, {"errors": "[API] This action requires merchant approval for read_orders scope."}
    if faults.too_many_requests is not None:
        return 429, {"errors": "Exceeded 2 calls per second for api client. Reduce request rates to resume service."}
    if faults.failing:
        return 500, {"errors": "Internal Server Error"}
    return (503, "<h1>Something went wrong</h1>") if faults.maintenance else None
