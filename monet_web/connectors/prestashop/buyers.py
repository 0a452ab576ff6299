"""Who buys in a PrestaShop: the invoice address, and of the customer what the address lacks."""

from __future__ import annotations

from monet_web.connectors.foreign import Row, by_id, flag, part, text
from monet_web.connectors.prestashop.lines import id_or_nothing
from monet_web.domain.orders import Address, Buyer

COMPANY_CODE_FIELDS = ("address.dni", "customer.siret")
VAT_CODE_FIELDS = ("address.vat_number",)
OTHER_FIELDS = ("address.other", "customer.ape", "address.company")  # where else buyers and modules put their codes


class Buyers:
    """The addresses and the customer of one bundle. A customer deleted for good is {}: the address keeps the name."""

    def __init__(self, bundle: Row, context: Row) -> None:
        self._addresses = by_id(bundle, "addresses")
        self._customer = part(bundle, "customer")
        self._countries = by_id(context, "countries")

    def buyer(self, header: Row) -> Buyer:
        """Who the invoice is for."""
        found = self._addresses.get(text(header, "id_address_invoice"), {})
        address = self._address(found)
        is_guest = flag(self._customer, "is_guest")
        return Buyer(
            name=address.name or _name(self._customer),
            company=address.company or text(self._customer, "company"),
            company_code=text(found, "dni") or text(self._customer, "siret"),
            vat_code=text(found, "vat_number"),
            email=text(self._customer, "email"),
            phone=text(found, "phone") or text(found, "phone_mobile"),
            address=address,
            external_id="" if is_guest else id_or_nothing(header, "id_customer"),
        )

    def ship_to(self, header: Row) -> Address:
        """Where the goods go; its country decides the VAT."""
        return self._address(self._addresses.get(text(header, "id_address_delivery"), {}))

    def fields(self, header: Row) -> dict[str, str]:
        """What settings may take company and VAT codes from."""
        address = self._addresses.get(text(header, "id_address_invoice"), {})
        parts = {"address": address, "customer": self._customer}
        found = {}
        for key in (*COMPANY_CODE_FIELDS, *VAT_CODE_FIELDS, *OTHER_FIELDS):
            where, name = key.split(".")
            found[key] = text(parts[where], name)
        return found

    def _address(self, found: Row) -> Address:
        country = self._countries.get(text(found, "id_country"), {})
        return Address(
            name=_name(found),
            company=text(found, "company"),
            line=", ".join(filter(None, (text(found, "address1"), text(found, "address2")))),
            city=text(found, "city"),
            postcode=text(found, "postcode"),
            country=text(country, "iso_code").upper(),
        )


def _name(person: Row) -> str:
    return " ".join(filter(None, (text(person, "firstname"), text(person, "lastname"))))
