"""Rows as PHP's JSON and as the webservice's XML, to the recorded form."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final
from xml.sax.saxutils import quoteattr

from monet_web.demo.prestashop.recordings import Row

# The name of a list and of its entry, where it is not the resource's name without its s.
LIST: Final = {"order_slip": "order_slips"}
ENTRY: Final = {
    "addresses": "address",
    "countries": "country",
    "currencies": "currency",
    "taxes": "tax",
    "order_details": "order_detail",
    "order_slip": "order_slip",
}
_XML: Final = '<?xml version="1.0" encoding="UTF-8"?>\n<prestashop xmlns:xlink="http://www.w3.org/1999/xlink">\n'


def entry_of(resource: str) -> str:
    return ENTRY.get(resource, resource.removesuffix("s"))


def json_body(value: Any) -> bytes:
    """Unicode as it is, slashes escaped. A text that is not UTF-8 (a lone surrogate here) leaves PHP with nothing."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("/", "\\/")
    try:
        return text.encode()
    except UnicodeEncodeError:
        return b""


def json_list(resource: str, rows: Sequence[Row]) -> bytes:
    """Nothing found is an empty list, not an object."""
    return json_body({LIST.get(resource, resource): list(rows)} if rows else [])


def json_single(resource: str, row: Row) -> bytes:
    """Since 8.0 a single object lacks every field that is 0, empty or null."""
    return json_body({entry_of(resource): {key: value for key, value in row.items() if value not in (0, "", None, [])}})


def json_errors(errors: Sequence[tuple[int, str]]) -> bytes:
    return json_body({"errors": [{"code": code, "message": text} for code, text in errors]})


def xml_list(resource: str, rows: Sequence[Row], address: str) -> bytes:
    """Without `display` only links, as `<order id="1" xlink:href="…"/>`."""
    entry, many = entry_of(resource), LIST.get(resource, resource)
    body = "".join(
        f'<{entry} id="{row["id"]}" xlink:href="{address}/api/{resource}/{row["id"]}"/>\n'
        if set(row) == {"id"}
        else _entry(entry, row)
        for row in rows
    )
    return _bytes(f"{_XML}<{many}>\n{body}</{many}>\n</prestashop>\n")


def xml_single(resource: str, row: Row) -> bytes:
    return _bytes(f"{_XML}{_entry(entry_of(resource), row)}</prestashop>\n")


def xml_errors(errors: Sequence[tuple[int, str]]) -> bytes:
    body = "".join(
        f"<error>\n<code>{_cdata(code)}</code>\n<message>{_cdata(text)}</message>\n</error>\n" for code, text in errors
    )
    return _bytes(f"{_XML}<errors>\n{body}</errors>\n</prestashop>\n")


def xml_root(shop_name: str, rights: Mapping[str, Sequence[str]], address: str) -> bytes:
    """What a key may do, resource by resource."""
    entries = []
    for resource in sorted(rights):
        may = " ".join(
            f'{method}="{"true" if method in rights[resource] else "false"}"'
            for method in ("get", "put", "post", "patch", "delete", "head")
        )
        entries.append(f'<{resource} xlink:href="{address}/api/{resource}" {may}>\n</{resource}>\n')
    return _bytes(f"{_XML}<api shopName={quoteattr(shop_name)}>\n{''.join(entries)}</api>\n</prestashop>\n")


def _entry(name: str, row: Row) -> str:
    fields = "".join(_field(key, value) for key, value in row.items() if key != "associations")
    lists = row.get("associations") or {}
    inside = "".join(_association(key, entries) for key, entries in lists.items())
    return f"<{name}>\n{fields}<associations>\n{inside}</associations>\n</{name}>\n"


def _field(key: str, value: Any) -> str:
    if isinstance(value, list):
        inside = "".join(f'<language id="{part["id"]}">{_cdata(part["value"])}</language>' for part in value)
        return f"\t<{key}>{inside}</{key}>\n"
    return f"\t<{key}>{_cdata(value)}</{key}>\n"


def _association(key: str, entries: Sequence[Row]) -> str:
    entry = entry_of(key)
    rows = "".join(
        f"\t<{entry}>\n{''.join(_field(name, value) for name, value in row.items())}\t</{entry}>\n" for row in entries
    )
    return f'<{key} nodeType="{entry}">\n{rows}</{key}>\n'


def _cdata(value: Any) -> str:
    return f"<![CDATA[{'' if value is None else value}]]>"


def _bytes(text: str) -> bytes:
    """Broken bytes of a text go out as they are in the database."""
    return text.encode("utf-8", "surrogateescape")
