"""Fields of an invoice in words: their names, their values, and what changed of them from what to what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from monet_web.domain.corrections import Change

KINDS: Mapping[str, object] = {
    "goods": _l("goods"),
    "service": _l("service"),
    "shipping": _l("shipping"),
    "fee": _l("fee"),
    "wrapping": _l("gift wrapping"),
    "tip": _l("tip"),
    "discount": _l("discount"),
    "voucher": _l("gift card sold"),
    "deposit": _l("deposit"),
}
LABELS: Mapping[str, object] = {
    "name": _l("Buyer's name"),
    "company": _l("Company"),
    "company_code": _l("Company code"),
    "vat_code": _l("VAT code"),
    "email": _l("E-mail"),
    "phone": _l("Telephone"),
    "line": _l("Street and house"),
    "city": _l("Town"),
    "postcode": _l("Postcode"),
    "country": _l("Country"),
    "ship_country": _l("Country of delivery"),
    "number": _l("Number"),
    "issue_date": _l("Invoice date"),
    "supply_date": _l("Supplied"),
    "vat_date": _l("VAT point, if another day"),
    "note": _l("Note on the invoice"),
    "customer": _l("Customer"),
    "find_customer": _l("Fill in a customer"),
    "total": _l("Total"),
    "reason": _l("Reason"),
}
LINE_LABELS: Mapping[str, object] = {
    "kind": _l("Kind"),
    "name": _l("Name"),
    "item": _l("Item"),
    "quantity": _l("Quantity"),
    "unit": _l("Unit"),
    "price": _l("Price without VAT"),
    "discount": _l("Discount"),
    "vat_rate": _l("VAT rate"),
    "vat": _l("VAT by hand"),
    "account": _l("Account"),
    "warehouse": _l("Warehouse"),
}


@dataclass(frozen=True, slots=True)
class Said:
    """One field that differs, in words: which one, and both values."""

    label: str
    before: str
    after: str


def said(changes: Sequence[Change]) -> list[Said]:
    """Changes as a page lists them."""
    return [
        Said(label(one), _value(one, one.before), _value(one, one.after))
        for one in changes
        if one.field != "customer"  # its name is among the buyer's fields
    ]


def named(key: str) -> str:
    """A field of an entry of the trail in words: `quantity 1` is `Quantity on line 1`."""
    name, _space, line = key.partition(" ")
    return label(Change(name, int(line) if line.isdecimal() else 0, "", ""))


def label(change: Change) -> str:
    """Which field it is: `Quantity on line 1`."""
    if change.field == "added":
        return str(_("Line %(number)s, added", number=change.line))
    if change.field == "removed":
        return str(_("Line %(number)s, taken away", number=change.line))
    if change.line:
        return str(_("%(field)s on line %(number)s", field=LINE_LABELS[change.field], number=change.line))
    return str(LABELS.get(change.field, change.field))


def _value(change: Change, text: str) -> str:
    if change.field == "kind" and text in KINDS:
        return str(KINDS[text])
    if change.field == "vat_rate":
        return f"{text}\u00a0%" if text else str(_("no VAT"))
    return text or "–"
