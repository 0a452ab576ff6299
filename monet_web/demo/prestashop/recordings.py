"""What was read off a real PrestaShop 8.0.3, as tables of rows, and the clock that its dates are written by."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any, Final
from zoneinfo import ZoneInfo

Row = dict[str, Any]

SHOP_ZONE: Final = ZoneInfo("Europe/Vilnius")
VERSION: Final = "8.0.3"
NEVER: Final = "0000-00-00 00:00:00"
# The recording was made then; a still shop has nothing after it.
RECORDED_AT: Final = int(datetime(2026, 11, 24, 6, 0, tzinfo=UTC).timestamp())

# Tables that are the same for every order.
SHARED: Final = (
    *("addresses", "carriers", "configurations", "countries", "currencies", "customers", "languages", "order_states"),
    *("shops", "taxes", "translated_configurations"),
)
OF_ORDERS: Final = (
    "order_details",
    "order_cart_rules",
    "order_slip",
    "order_invoices",
    "order_payments",
)


@cache
def recorded(name: str) -> tuple[Row, ...]:
    """The rows of a recorded table by id; shared, so a caller that changes one must copy it first."""
    data = files("monet_web.demo").joinpath("recorded", "prestashop", f"{name}.json.gz").read_bytes()
    return tuple(json.loads(gzip.decompress(data), parse_float=Decimal))


def copy(value: Any) -> Any:
    """A deep copy of JSON."""
    if isinstance(value, dict):
        return {key: copy(part) for key, part in value.items()}
    if isinstance(value, list):
        return [copy(part) for part in value]
    return value


def seconds(text: str) -> int:
    """Seconds since 1970 of the shop's local text; of the doubled hour the first pass."""
    return int(datetime.fromisoformat(text).replace(tzinfo=SHOP_ZONE).timestamp())


def local_text(second: int) -> str:
    """How the shop writes a moment: its wall clock, without a zone."""
    return datetime.fromtimestamp(second, SHOP_ZONE).strftime("%Y-%m-%d %H:%M:%S")
