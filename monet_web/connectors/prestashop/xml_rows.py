"""PrestaShop's XML as the rows that its JSON would have: for answers whose JSON PHP could not make.

One text that is not UTF-8 makes PHP's json_encode fail, and the answer is empty with status 200. XML has the same
list, with that text's broken bytes in it, which become U+FFFD here.
"""

from __future__ import annotations

import re
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class NotXml(ValueError):
    """The body is no XML of PrestaShop's."""


def document(body: bytes) -> Element:
    """The `<prestashop>` element. Raises NotXml."""
    text = _NOT_XML.sub("", body.decode("utf-8-sig", "replace"))
    start = text.find("<?xml")
    if start < 0:
        raise NotXml("no XML")
    try:
        root: Element = fromstring(re.sub(r"^<\?xml[^>]*\?>", "", text[start:]))
    except (ParseError, DefusedXmlException, ValueError, RecursionError):
        root = Element("")
    if root.tag != "prestashop":
        raise NotXml("XML that is cut off or another program's")
    return root


def rows_of(body: bytes) -> list[dict[str, Any]]:
    """The rows of a list; texts throughout, also ids and numbers. Raises NotXml."""
    lists = list(document(body))
    if len(lists) != 1:
        raise NotXml("XML without a list")
    return [_row(entry) for entry in lists[0]]


def errors_of(body: bytes) -> list[tuple[str, str]]:
    """(code, message) of an answer that is an error, [] where it names none."""
    try:
        found = document(body).findall("errors/error")
    except NotXml:
        return []
    return [((entry.findtext("code") or "").strip(), (entry.findtext("message") or "").strip()) for entry in found]


def _row(entry: Element) -> dict[str, Any]:
    return {field.tag: _value(field) for field in entry}


def _value(field: Element) -> Any:
    if field.tag == "associations":
        return {listed.tag: [_row(entry) for entry in listed] for listed in field}
    if len(field) and all(part.tag == "language" for part in field):
        return [{"id": part.get("id", ""), "value": (part.text or "").strip()} for part in field]
    return (field.text or "").strip()
