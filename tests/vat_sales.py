"""Orders of all kinds that VAT tells apart, as tests of services, pages and commands put them into a store."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from monet_web.domain.orders import Order
from tests.builders import ONA, a_line, a_tax, an_order

GERMAN = "DE136695976"


def sent_to(country: str, *, vat_code: str = "", postcode: str = "", number: str = "1001", **changes: Any) -> Order:
    """An order of a buyer in `country`; its notebook carries 21 % unless `lines` say otherwise."""
    address = replace(ONA.address, country=country, postcode=postcode)
    company = "Firma GmbH" if vat_code else ""
    buyer = replace(ONA, address=address, vat_code=vat_code, company=company)
    return an_order(external_id=number, number=number, buyer=buyer, ship_to=address, **changes)


def to_german_company(number: str = "1001", vat_code: str = GERMAN) -> Order:
    """One notebook for 10.00 without VAT."""
    return sent_to("DE", vat_code=vat_code, number=number, lines=(a_line(taxes=()),))


def exported(number: str = "1001") -> Order:
    """One notebook for 10.00 to New York without VAT."""
    return sent_to("US", postcode="10001", number=number, lines=(a_line(taxes=()),))


def estonian(number: str = "1001") -> Order:
    """One notebook for 10.00 + 2.40 at Estonia's 24 %."""
    return sent_to("EE", number=number, lines=(a_line(taxes=(a_tax("24", "2.40"),)),))
