"""Sentences of customers: fields, keys, and what an entry of the trail says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from monet_web.models.audit import AuditEntry
from monet_web.models.customers import CustomerKeyKind

FIELDS = {
    "name": _l("Name"),
    "is_company": _l("A company"),
    "company_code": _l("Company code"),
    "vat_code": _l("VAT code"),
    "email": _l("E-mail"),
    "country": _l("Country"),
    "line": _l("Street"),
    "city": _l("City"),
    "postcode": _l("Post code"),
    "address": _l("Address"),
}
KEYS = {
    CustomerKeyKind.VAT: _l("VAT code"),
    CustomerKeyKind.COMPANY: _l("Company code"),
    CustomerKeyKind.EMAIL: _l("E-mail"),
}


def field(name: str) -> str:
    """The label of a field."""
    return str(FIELDS.get(name, name))


def shown(value: object) -> str:
    """A value as a list of changes says it."""
    if isinstance(value, bool):
        return str(_("yes") if value else _("no"))
    return str(value) if value not in (None, "") else "–"


def happened(entry: AuditEntry) -> str:
    """What an entry says was done, without who and when."""
    after: Mapping[str, Any] = entry.after or {}
    before: Mapping[str, Any] = entry.before or {}
    match entry.action:
        case "customer_merged" if "into" in after:
            return str(_("merged %(gone)s into %(kept)s.", gone=before.get("name", "–"), kept=after["into"]["name"]))
        case "customer_merged":
            gone = before.get("customer", {}).get("name", "–")
            keys = ", ".join(after.get("keys") or [])
            if not keys:
                return str(_("took over %(gone)s, which had no keys.", gone=gone))
            return str(_("took over %(gone)s with the keys %(keys)s.", gone=gone, keys=keys))
        case "customer_changed":
            parts = [f"{field(name)} {shown(before.get(name))} → {shown(value)}" for name, value in after.items()]
            return str(_("changed it: %(what)s.", what="; ".join(parts)))
        case _:
            return str(_("changed it: %(what)s.", what=entry.action.replace("_", " ")))
