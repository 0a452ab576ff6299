"""From the recorded address to this shop's, from all fields to those asked for, from a document to bytes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from monet_web.demo.woocommerce.amounts import with_decimals
from monet_web.demo.woocommerce.documents import RECORDED_ADDRESS, Document, encode
from monet_web.demo.woocommerce.profile import Profile

_RECORDED_BYTES = RECORDED_ADDRESS.replace("/", "\\/").encode()


@dataclass(frozen=True, slots=True)
class Shape:
    """How an answer's documents look: `address` without a slash at its end, `places` = dp."""

    address: str
    profile: Profile
    places: int = 2
    fields: tuple[str, ...] = ()

    def order(self, document: Document, *, keep_links: bool = False) -> bytes:
        """The order's JSON; `document` is used up. An answer of one order keeps its links whatever the fields."""
        document = self.profile.shaped(document)
        if self.places != 2:
            with_decimals(document, self.places)
        return self.other(document, keep_links=keep_links)

    def refund(self, document: Document, *, parent_id: int | None = None) -> bytes:
        document = self.profile.shaped_refund(document)
        if parent_id is not None:
            document = {"id": document["id"], "parent_id": parent_id, **document}
        if self.places != 2:
            with_decimals(document, self.places)
        return self.other(document)

    def other(self, document: Any, *, keep_links: bool = False) -> bytes:
        if self.fields:
            links = document.get("_links") if keep_links and isinstance(document, dict) else None
            document = only(document, self.fields)
            if links is not None:
                document["_links"] = links
        return self.addressed(encode(document))

    def addressed(self, text: bytes) -> bytes:
        return text.replace(_RECORDED_BYTES, self.address.replace("/", "\\/").encode())


def read_fields(text: str) -> tuple[str, ...]:
    """`_fields`: names at commas or spaces; `a.b` means b inside a."""
    return tuple(part for part in re.split(r"[\s,]+", text) if part)


def only(document: Any, fields: tuple[str, ...]) -> Any:
    """The fields asked for, in the document's order, of one document or of each in a list."""
    if isinstance(document, list):
        return [only(part, fields) for part in document]
    tree: dict[str, Any] = {}
    for field in fields:
        place = tree
        *parents, last = field.split(".")
        for parent in parents:
            inner = place.setdefault(parent, {})
            if inner is True:
                # `billing,billing.email` means all of it.
                break
            place = inner
        else:
            place[last] = True
    return _only(document, tree)


def _only(document: Any, tree: dict[str, Any]) -> Any:
    if not isinstance(document, dict):
        # PHP looks for the names among a list's numbers and finds none.
        return []
    kept = {}
    for name, value in document.items():
        wanted = tree.get(name)
        if wanted is True or (wanted is not None and not isinstance(value, (dict, list))):
            kept[name] = value
        elif wanted is not None:
            # An empty PHP array is written as a list.
            kept[name] = _only(value, wanted) or []
    return kept
