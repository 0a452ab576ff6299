"""Which parts of an order a shop lets us see: what is denied is left out of the next question, and the rest comes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from monet_web.connectors.shopify.queries import PARTS

# Where in an answer a denial may stand, and the part that it is of.
_PART_OF = {
    "customer": "customer",
    "purchasingEntity": "company",
    "product": "products",
    "variant": "products",
    "fulfillments": "shipments",
    "billingAddress": "addresses",
    "shippingAddress": "addresses",
}
_OF_PEOPLE = frozenset({"firstName", "lastName", "address1", "address2", "zip", "phone", "email", "name"})
_FIELD_IN_WORDS = re.compile(r"(?:denied for|access|use) (?:the )?(\w+)(?: field| object)?")
_OBJECTS = {"Customer": "customer", "MailingAddress": "addresses", "Product": "products", "ProductVariant": "products"}


@dataclass
class Parts:
    """`denied` holds names of PARTS."""

    denied: set[str] = field(default_factory=set)

    def variables(self) -> dict[str, bool]:
        """The variables of a question for orders."""
        return {variable: part not in self.denied for part, variable in PARTS.items()}

    def granted(self, scopes: Iterable[str]) -> None:
        """Leaves out what these rights cannot show, so that it need not be denied first. `write_` holds `read_`."""
        rights = {scope.replace("write_", "read_", 1) for scope in scopes}
        if "read_customers" not in rights:
            self.denied.add("customer")
            if "read_companies" not in rights:
                self.denied.add("company")
        if "read_products" not in rights:
            self.denied.add("products")

    def give_up(self, errors: Sequence[Mapping[str, Any]]) -> bool:
        """Leaves out what these denials name. False when one of them names nothing that could be left out anew."""
        named = [_part(error) for error in errors]
        found = {part for part in named if part is not None}
        if None in named or not found - self.denied:
            return False
        self.denied |= found
        return True


def _part(error: Mapping[str, Any]) -> str | None:
    path = error.get("path")
    steps = [step for step in path if isinstance(step, str)] if isinstance(path, list) else []
    if not steps:
        message = error.get("message")
        words = _FIELD_IN_WORDS.search(message) if isinstance(message, str) else None
        steps = [words[1]] if words else []
    last = steps[-1] if steps else ""
    if last in _OF_PEOPLE:
        return "people"
    if last in _OBJECTS:
        return _OBJECTS[last]
    return next((_PART_OF[step] for step in reversed(steps) if step in _PART_OF), None)
