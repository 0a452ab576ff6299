"""A correction as it is typed: texts by field and line, as a form sends them and as an invoice fills them in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from monet_web.domain.typed import Wrong, number_of

FIGURES = ("quantity", "price", "discount", "vat_rate", "vat")
CELLS = ("kind", "name", "item", "quantity", "unit", "price", "discount", "vat_rate", "vat", "account", "warehouse")


@dataclass(frozen=True, slots=True)
class TypedLine:
    """`row` names the line in its form, `origin` the invoice's line it comes from ("" = added). None: not in the form.

    `vat` is an amount given by hand, "" for the one that follows from the line.
    """

    row: str
    origin: str = ""
    kind: str = "goods"
    name: str = ""
    item: str | None = None
    quantity: str = ""
    unit: str = ""
    price: str = ""
    discount: str = ""
    vat_rate: str | None = None
    vat: str | None = None
    account: str | None = None
    warehouse: str | None = None

    @property
    def is_blank(self) -> bool:
        """An added line in which nothing is typed."""
        return not self.origin and not any((self.name, self.item, self.quantity, self.price, self.discount))

    def against(self, other: TypedLine) -> Iterator[tuple[str, str, str]]:
        """(cell, here, there) of each cell that differs; one that either form does not have is the same."""
        for name in CELLS:
            here, there = getattr(self, name), getattr(other, name)
            if here is None or there is None:
                continue
            same = _figure(here) == _figure(there) if name in FIGURES else here.split() == there.split()
            if not same:
                yield name, here, there


@dataclass(frozen=True, slots=True)
class Typed:
    """A whole form: the head's fields by name (one that is not there was not asked), and the lines in their order."""

    fields: Mapping[str, str] = field(default_factory=dict)
    lines: tuple[TypedLine, ...] = ()


def _figure(text: str) -> object:
    try:
        return number_of(text, example="1") if text.strip() else ""
    except Wrong:
        return text
