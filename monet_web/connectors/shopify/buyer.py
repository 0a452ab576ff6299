"""Who buys, as far as the shop's plan and the app's rights show it, and the fields in which people leave codes."""

from __future__ import annotations

from collections.abc import Mapping

from monet_web.connectors.foreign import Row, flag, part, text
from monet_web.connectors.shopify.money import nodes, tail
from monet_web.domain.orders import Address, Buyer

# Attributes of an order, whose names are the shop's own: compared without case.
COMPANY_CODE_FIELDS = ("įmonės kodas", "imones kodas", "company code", "company number", "registration number")
VAT_CODE_FIELDS = ("pvm kodas", "pvm mokėtojo kodas", "pvm moketojo kodas", "vat number", "vat code", "vat id", "vat")


def buyer(node: Row, found_fields: Mapping[str, str]) -> Buyer:
    """Billing address, else shipping; both are null on shops that may not show personal data, as is the rest."""
    billed = address(part(node, "billingAddress") or part(node, "shippingAddress"))
    customer = part(node, "customer")
    entity = part(node, "purchasingEntity")
    tax_settings = part(part(entity, "location"), "taxSettings")
    by_name = {name.casefold(): value for name, value in found_fields.items()}
    vat_code = text(tax_settings, "taxRegistrationId")
    return Buyer(
        name=billed.name or _name(customer),
        company=text(part(entity, "company"), "name") or billed.company,
        company_code=next(filter(None, (by_name.get(usual, "") for usual in COMPANY_CODE_FIELDS)), ""),
        vat_code=vat_code or next(filter(None, (by_name.get(usual, "") for usual in VAT_CODE_FIELDS)), ""),
        email=text(node, "email"),
        phone=text(node, "phone") or text(part(node, "billingAddress"), "phone"),
        address=billed,
        external_id=tail(text(customer, "id")),
    )


def fields(node: Row) -> dict[str, str]:
    """Attributes and tax fields by their keys, the shop's own ids of a company, and that the order was edited."""
    found: dict[str, str] = {}
    for attribute in (*nodes(node, "customAttributes"), *nodes(node, "localizedFields")):
        key, value = text(attribute, "key"), text(attribute, "value")
        if key and value:
            found.setdefault(key, value)
    entity = part(node, "purchasingEntity")
    for key in ("company", "location"):
        if value := text(part(entity, key), "externalId"):
            found.setdefault(f"{key}.externalId", value)
    if flag(node, "edited"):
        found.setdefault("edited", "true")
    return found


def address(found: Row) -> Address:
    """A MailingAddress; parts that are not shown are empty."""
    return Address(
        name=_name(found),
        company=text(found, "company"),
        line=", ".join(filter(None, (text(found, "address1"), text(found, "address2")))),
        city=text(found, "city"),
        postcode=text(found, "zip"),
        state=text(found, "province"),
        country=text(found, "countryCodeV2").upper(),
    )


def _name(person: Row) -> str:
    return " ".join(filter(None, (text(person, "firstName"), text(person, "lastName"))))
