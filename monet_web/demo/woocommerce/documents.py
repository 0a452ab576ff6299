"""The recorded documents of the real shop, and the JSON of PHP: how they are read and written to the byte."""

from __future__ import annotations

import gzip
import json
import re
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any, Final

Document = dict[str, Any]

# The address that the recordings carry; every answer puts the demo's own in its place.
RECORDED_ADDRESS: Final = "https://shop.example"

_MARK = "\ue000"
_NUMBER = re.compile(r'"\\ue000([^"]*)"')


def encode(value: object) -> bytes:
    """JSON as PHP's json_encode writes it: no spaces, ASCII only, slashes escaped; a Decimal stays the number it is."""
    text = json.dumps(value, separators=(",", ":"), default=_number).replace("/", "\\/")
    return _NUMBER.sub(r"\1", text).encode("ascii")


def decode(data: bytes | str) -> Any:
    """JSON in which no number becomes a float: `price` and `rate_percent` are int or Decimal."""
    return json.loads(data, parse_float=Decimal)


@cache
def recorded(name: str) -> Any:
    """A recorded answer by the name of its file; shared, so a caller that changes it must copy it first."""
    data = files("monet_web.demo").joinpath("recorded", "woocommerce", f"{name}.json.gz").read_bytes()
    return decode(gzip.decompress(data))


def copy(value: Any) -> Any:
    """A deep copy of JSON: several times faster than copy.deepcopy, because there are no cycles."""
    if isinstance(value, dict):
        return {key: copy(part) for key, part in value.items()}
    if isinstance(value, list):
        return [copy(part) for part in value]
    return value


def _number(value: object) -> str:
    # The encoder offers only what it does not know; a Decimal goes out as marked text and loses the mark at the end.
    if isinstance(value, Decimal):
        return f"{_MARK}{value:f}"
    message = f"no JSON for {type(value).__name__}"
    raise TypeError(message)
