"""Query strings as PHP reads them and as WordPress checks them: the same refusals in the same words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final
from urllib.parse import parse_qsl, quote_plus

from monet_web.demo.woocommerce.answers import Answer, failure
from monet_web.demo.woocommerce.dates import is_date
from monet_web.demo.woocommerce.documents import copy, recorded
from monet_web.demo.woocommerce.profile import Profile

# A parameter's value: text, or for name[]=… and name[key]=… the texts by key.
Given = str | dict[str, str]
Parameters = dict[str, Given]

_INTEGER: Final = re.compile(r"[+-]?\d+(?:\.0*)?", re.ASCII)
_SUBSCRIPT: Final = re.compile(r"([^\[]+)\[([^\]]*)\]")
_OLD_VERSIONS_LACK: Final = frozenset({"modified_after", "modified_before", "dates_are_gmt"})


def read_query(query: str) -> Parameters:
    """PHP's $_GET: the last of equal names counts, `a[]` and `a[k]` become arrays."""
    found: Parameters = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        subscript = _SUBSCRIPT.match(name)
        if subscript is None:
            found[name] = value
            continue
        name, key = subscript.groups()
        values = found.get(name)
        if not isinstance(values, dict):
            values = found[name] = {}
        values[key or str(len(values))] = value
    return found


@lru_cache(maxsize=64)
def arguments(route: str, profile: Profile) -> dict[str, Any]:
    """What a route accepts, as the real shop's own index declares it (name → JSON schema), in its order; shared."""
    routes = recorded("wp_json_root")["routes"]
    # PHP writes an empty array as a list.
    declared: dict[str, Any] = copy(routes[route]["endpoints"][0]["args"] or {}) if route in routes else {}
    if "status" in declared and route == "/wc/v3/orders":
        known = [status for status in profile.statuses if profile.knows_modified or status != "checkout-draft"]
        declared["status"]["items"]["enum"] = ["any", "trash", "auto-draft", *known]
    if not profile.knows_modified:
        for name in _OLD_VERSIONS_LACK:
            declared.pop(name, None)
        if "modified" in declared.get("orderby", {}).get("enum", ()):
            declared["orderby"]["enum"].remove("modified")
    return declared


def checked(given: Parameters, declared: Mapping[str, Any]) -> dict[str, Any] | Answer:
    """The values in their types, in the order they were given, unknown ones as text; or the 400."""
    faults: dict[str, tuple[str, str, object]] = {}
    for name, schema in declared.items():
        if name in given:
            fault = _fault(name, given[name], schema)
            if fault is not None:
                faults[name] = fault
    if faults:
        return failure(
            400,
            "rest_invalid_param",
            "Invalid parameter(s): " + ", ".join(faults),
            params={name: message for name, (_, message, _) in faults.items()},
            details={
                name: {"code": code, "message": message, "data": data} for name, (code, message, data) in faults.items()
            },
        )
    return {name: _typed(value, declared.get(name, {})) for name, value in given.items()}


def as_list(value: Given) -> list[str]:
    """WordPress's wp_parse_list: an array's values, or a text split at commas and spaces."""
    return list(value.values()) if isinstance(value, dict) else [part for part in re.split(r"[\s,]+", value) if part]


def link_query(values: Mapping[str, Any]) -> str:
    """The query of a Link header as add_query_arg writes it, twice: an = at a value's end is lost on the way."""
    raw = []
    for name, value in values.items():
        if isinstance(value, list):
            raw += [(f"{name}[{place}]", str(part)) for place, part in enumerate(value)]
        elif isinstance(value, bool):
            raw.append((name, "1" if value else "0"))
        else:
            raw.append((name, str(value)))
    pairs = [(name, value[:-1] if value.endswith("=") else value) for name, value in raw]
    return "&".join(
        _encoded(name) + (f"={_encoded(value.replace('+', ' '))}" if value else "") for name, value in pairs
    )


def _encoded(text: str) -> str:
    return quote_plus(text, safe="-_.")


def _fault(name: str, value: Given, schema: Mapping[str, Any]) -> tuple[str, str, object] | None:
    kind = schema.get("type")
    if kind == "array":
        faults = (_fault(f"{name}[{i}]", part, schema["items"]) for i, part in enumerate(as_list(value)))
        return next((fault for fault in faults if fault is not None), None)
    if isinstance(value, dict) or not _is_of_type(value, kind):
        return "rest_invalid_type", f"{name} is not of type {kind}.", {"param": name}
    if "enum" in schema and value not in schema["enum"]:
        return "rest_not_in_enum", f"{name} is not one of {_listed(schema['enum'])}.", None
    if kind == "integer":
        return _bounds_fault(name, int(float(value)), schema)
    if schema.get("format") == "date-time" and not is_date(value):
        return "rest_invalid_date", "Invalid date.", None
    return None


def _is_of_type(value: str, kind: str | None) -> bool:
    if kind == "integer":
        return _INTEGER.fullmatch(value.strip()) is not None
    if kind == "boolean":
        return value.lower() in {"true", "false", "1", "0"}
    return True


def _bounds_fault(name: str, value: int, schema: Mapping[str, Any]) -> tuple[str, str, object] | None:
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        if not low <= value <= high:
            message = f"{name} must be between {low} (inclusive) and {high} (inclusive)"
            return "rest_out_of_bounds", message, None
    elif low is not None and value < low:
        return "rest_out_of_bounds", f"{name} must be greater than or equal to {low}", None
    return None


def _listed(words: list[str]) -> str:
    if len(words) < 3:
        return " and ".join(words)
    return ", ".join(words[:-1]) + f", and {words[-1]}"


def _typed(value: Given, schema: Mapping[str, Any]) -> Any:
    kind = schema.get("type")
    if kind == "array":
        parts = as_list(value)
        return [int(float(part)) for part in parts] if schema["items"].get("type") == "integer" else parts
    if kind == "integer" and isinstance(value, str):
        return int(float(value))
    if kind == "boolean" and isinstance(value, str):
        return value.lower() in {"true", "1"}
    return list(value.values()) if isinstance(value, dict) else value
