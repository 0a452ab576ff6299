"""The recorded orders of real OpenCart shops 3.0.4.1, 4.0.2.3 and 4.1.0.3, as their bridge gives them."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from typing import Any, Final
from zoneinfo import ZoneInfo

Document = dict[str, Any]

VERSIONS: Final = ("oc3", "oc40", "oc41")
SHOP_ZONE: Final = ZoneInfo("Europe/Vilnius")

_FORM = "%Y-%m-%d %H:%M:%S"
_DATES = frozenset({"date_added", "date_modified"})


def recorded(version: str, part: str) -> Any:
    """A fresh copy of `info` or `orders` of one of VERSIONS."""
    return json.loads(_text(version))[part]


def encode(value: Any) -> bytes:
    """JSON as PHP writes it with JSON_UNESCAPED_UNICODE and JSON_UNESCAPED_SLASHES."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def text_of(moment: datetime) -> str:
    """An aware moment as the shop writes it: its own wall clock, without a zone."""
    return moment.astimezone(SHOP_ZONE).strftime(_FORM)


def moment_of(text: str) -> datetime:
    """The moment of a date of the shop, in UTC; the doubled hour of October is its first."""
    return datetime.strptime(text, _FORM).replace(tzinfo=SHOP_ZONE).astimezone(UTC)


def moved(value: Any, seconds: float, until: datetime) -> Any:
    """The same value with every date in it moved, none of them beyond `until`."""
    if isinstance(value, list):
        return [moved(one, seconds, until) for one in value]
    if isinstance(value, dict):
        return {
            key: _moved_text(one, seconds, until)
            if key in _DATES and isinstance(one, str)
            else moved(one, seconds, until)
            for key, one in value.items()
        }
    return value


def _moved_text(text: str, seconds: float, until: datetime) -> str:
    later = datetime.fromtimestamp(moment_of(text).timestamp() + seconds, UTC)
    return text_of(min(later, until))


@cache
def _text(version: str) -> str:
    packed = resources.files("monet_web.demo").joinpath("recorded", "opencart", f"{version}.json.gz").read_bytes()
    return gzip.decompress(packed).decode()
