"""The made-up orders after Shopify's schema, the schema itself, and money as Shopify writes it."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from importlib.resources import files
from typing import Any, Final

Document = dict[str, Any]

CENT: Final = Decimal("0.01")
ZERO: Final = Decimal(0)


def read(name: str) -> str:
    """A packed file of the folder `recorded/shopify`."""
    data = files("monet_web.demo").joinpath("recorded", "shopify", f"{name}.gz").read_bytes()
    return gzip.decompress(data).decode()


@cache
def recorded() -> Document:
    """{"shop", "orders"}; shared, so a caller that changes it must copy it first."""
    found: Document = json.loads(read("orders.json"), parse_float=Decimal)
    return found


def copy(value: Any) -> Any:
    """A deep copy of JSON."""
    if isinstance(value, dict):
        return {key: copy(part) for key, part in value.items()}
    if isinstance(value, list):
        return [copy(part) for part in value]
    return value


def moved(value: Any, by: timedelta, until: datetime) -> Any:
    """A copy of JSON whose dates are later by `by`, and none after `until`."""
    if isinstance(value, dict):
        return {key: moved(part, by, until) for key, part in value.items()}
    if isinstance(value, list):
        return [moved(part, by, until) for part in value]
    if isinstance(value, str) and len(value) == 20 and value.endswith("Z") and value[4] == "-" and value[10] == "T":
        return date_text(min(date(value) + by, until))
    return value


def date(text: str) -> datetime:
    return datetime.fromisoformat(text)


def date_text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)


def amount_text(amount: Decimal) -> str:
    """As Shopify writes a Decimal: "49.95", "12.0"."""
    text = f"{amount + 0:f}"
    if "." not in text:
        return f"{text}.0"
    return text.rstrip("0") + "0" if text.rstrip("0").endswith(".") else text.rstrip("0")


def value(bag: Document | None) -> Decimal:
    """The presentment side of a MoneyBag; an absent one is 0."""
    return ZERO if bag is None else Decimal(bag["presentmentMoney"]["amount"])


def allocate(whole: Decimal, weights: list[Decimal]) -> list[Decimal]:
    """`whole` in cents in proportion to `weights`; the last takes what rounding leaves."""
    together = sum(weights, ZERO)
    shares = [cents(whole * weight / together) if together else ZERO for weight in weights]
    if shares:
        shares[-1] += whole - sum(shares, ZERO)
    return shares
