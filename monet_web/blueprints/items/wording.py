"""Sentences of stock: how many pieces go where, and what became of what waited for them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from monet_web.blueprints.formats import day, number
from monet_web.models.items import AliasKind
from monet_web.services.goods.items import ItemsImported, ItemsPlan
from monet_web.services.goods.stock import PlannedMove

NO_BREAK = "\u00a0"

# What of a store's line names the item, in the words of shops.
ALIAS_KINDS = {
    AliasKind.SKU: _l("SKU"),
    AliasKind.BARCODE: _l("barcode"),
    AliasKind.PRODUCT: _l("product id"),
    AliasKind.VARIATION: _l("variation id"),
    AliasKind.NAME: _l("name"),
}
# What a column of a file of items may be.
COLUMNS = {
    "code": _l("Code"),
    "name": _l("Name"),
    "sku": _l("SKU in the store"),
    "barcode": _l("Barcode"),
    "kind": _l("Kind: goods or service"),
    "unit": _l("Unit"),
    "keeps_stock": _l("Keeps stock: yes or no"),
    "vat_class": _l("VAT class"),
    "product_id": _l("Product id in the store"),
    "variation_id": _l("Variation id in the store"),
    "aliases": _l("Other names: KN-1|KN01"),
    "store": _l("Integration that calls it so"),
    "alias_kind": _l("Kind of the name in “Value of a name”"),
    "value": _l("Value of a name"),
}
FIELDS = {
    "name": _l("name"),
    "kind": _l("kind"),
    "keeps_stock": _l("keeps stock"),
    "unit": _l("unit"),
    "vat_class": _l("VAT class"),
}


def items_plan(plan: ItemsPlan) -> str:
    """The question before a file is imported: `Make 2 items, add 3 names of stores; 1 stays as it is.`"""
    parts = [
        _("make %(items)s", items=items(plan.added)) if plan.added else "",
        _("change %(items)s", items=items(plan.changed)) if plan.changed else "",
        ngettext("add %(num)s name of a store", "add %(num)s names of stores", plan.aliases) if plan.aliases else "",
    ]
    said = ", ".join(part for part in parts if part)
    said = said[:1].upper() + said[1:]
    if plan.same:
        said = f"{said}; " + ngettext("%(num)s stays as it is", "%(num)s stay as they are", plan.same)
    return f"{said}."


def items_brought(done: ItemsImported) -> str:
    """The same after it was imported."""
    parts = [
        _("%(items)s made", items=items(done.added)) if done.added else "",
        _("%(items)s changed", items=items(done.changed)) if done.changed else "",
        ngettext("%(num)s name of a store added", "%(num)s names of stores added", done.aliases)
        if done.aliases
        else "",
    ]
    said = ", ".join(part for part in parts if part)
    said = f"{said}." if said else str(_("Nothing was changed: it was so already."))
    if not done.left_out:
        return said
    left_out = ngettext("%(num)s row was left out.", "%(num)s rows were left out.", done.left_out)
    return f"{said} {left_out}"


def shown(value: object) -> str:
    """A value of an item as a list of changes says it."""
    if isinstance(value, bool):
        return str(_("yes") if value else _("no"))
    return str(value) if value not in (None, "") else "–"


def items(count: int) -> str:
    """`1 item`, `3 items`."""
    return str(ngettext("%(num)s item", "%(num)s items", count))


def pieces(moves: Iterable[PlannedMove]) -> str:
    """`27 pieces`, or `12 vnt. and 3.5 kg`: quantities of one unit are added up, of several they are not."""
    by_unit: dict[str, Decimal] = {}
    for move in moves:
        by_unit[move.unit] = by_unit.get(move.unit, Decimal(0)) + abs(move.quantity)
    parts = []
    for unit, quantity in by_unit.items():
        whole = int(quantity) if quantity == int(quantity) else 2  # which plural
        word = unit or ngettext("piece", "pieces", whole)
        parts.append(f"{number(quantity)}{NO_BREAK}{word}")
    return _joined(parts)


def in_short(moves: Sequence[PlannedMove]) -> str:
    """What the button says: `Receive 3 items, 27 pieces`."""
    into = [move for move in moves if move.quantity > 0]
    out = [move for move in moves if move.quantity < 0]
    if into and out:
        values = {"into": _counted(into), "out": _counted(out)}
        return str(_("Receive %(into)s, take out %(out)s", **values))
    if out:
        return str(_("Take out %(out)s", out=_counted(out)))
    return str(_("Receive %(into)s", into=_counted(into)))


def sentence(moves: Sequence[PlannedMove]) -> str:
    """The question before they are entered: `Receive 3 items, 27 pieces into MAIN, dated 24 Nov.`"""
    return _with_place(moves, in_short(moves))


def entered(moves: Sequence[PlannedMove]) -> str:
    """The same after they were entered: `Received 3 items, 27 pieces into MAIN, dated 24 Nov.`"""
    into = [move for move in moves if move.quantity > 0]
    out = [move for move in moves if move.quantity < 0]
    if into and out:
        done = _("Received %(into)s, took out %(out)s", into=_counted(into), out=_counted(out))
    elif out:
        done = _("Took out %(out)s", out=_counted(out))
    else:
        done = _("Received %(into)s", into=_counted(into))
    return _with_place(moves, str(done))


def _with_place(moves: Sequence[PlannedMove], what: str) -> str:
    places = _joined(list(dict.fromkeys(move.warehouse for move in moves)))
    values = {"what": what, "places": places, "days": _days([move.day for move in moves])}
    if all(move.quantity > 0 for move in moves):
        return str(_("%(what)s into %(places)s, dated %(days)s.", **values))
    return str(_("%(what)s in %(places)s, dated %(days)s.", **values))


def _counted(moves: Sequence[PlannedMove]) -> str:
    return f"{items(len({move.code for move in moves}))}, {pieces(moves)}"


def _days(days: Sequence[date]) -> str:
    first, last = min(days), max(days)
    return day(first) if first == last else f"{day(first)}{NO_BREAK}– {day(last)}"


def _joined(parts: Sequence[str]) -> str:
    if len(parts) < 2:
        return "".join(parts)
    return str(_("%(first)s and %(last)s", first=", ".join(parts[:-1]), last=parts[-1]))
