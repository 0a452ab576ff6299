"""The resources of PrestaShop's webservice that this program reads, and which of their fields."""

from __future__ import annotations

from monet_web.connectors.prestashop.configuration import CURRENCY, PREFIX, SHOP_NAME, USE_YEAR, YEAR_FIRST, ZONE

ORDERS = "orders"
DETAILS = "order_details"
SLIPS = "order_slip"
INVOICES = "order_invoices"
PAYMENTS = "order_payments"
CART_RULES = "order_cart_rules"
CART_RULES_OF_1_6 = "order_discounts"
ADDRESSES = "addresses"
CUSTOMERS = "customers"
STATES = "order_states"
CURRENCIES = "currencies"
COUNTRIES = "countries"
TAXES = "taxes"
CARRIERS = "carriers"
CONFIGURATIONS = "configurations"
TRANSLATED = "translated_configurations"
SHOPS = "shops"

# Without one of these an order would be read wrongly or its invoice lack something, so the key must open them all.
NEEDED = (
    *(ADDRESSES, CARRIERS, CONFIGURATIONS, COUNTRIES, CURRENCIES, CUSTOMERS, CART_RULES, DETAILS, INVOICES, PAYMENTS),
    *(SLIPS, STATES, ORDERS, TAXES, TRANSLATED),
)
WANTED = (SHOPS,)  # only to name the shops of an installation that has several

# The key under which a list comes where it is not the resource's own name.
LISTED_AS = {SLIPS: "order_slips"}

# The settings that are read, by the resource that has them.
SETTINGS = {
    CONFIGURATIONS: (ZONE, CURRENCY, USE_YEAR, YEAR_FIRST, SHOP_NAME),
    TRANSLATED: (PREFIX,),
}

FULL = "full"
DATES = "[id,id_shop,date_add,date_upd]"
# Customers have a password's hash and other things that nobody needs here, so fields are named one by one.
CUSTOMER = "[id,email,company,siret,ape,is_guest,firstname,lastname]"
ADDRESS = (
    "[id,id_country,company,firstname,lastname,vat_number,address1,address2,postcode,city,other,phone,phone_mobile,dni]"
)
NOT_KEPT = frozenset({"secure_key"})  # of an order: it opens the buyer's pages


def cart_rules_of(version: str) -> str:
    """What the discounts of orders are called in a version ("" for one that is not known)."""
    return CART_RULES_OF_1_6 if version.startswith(("1.5", "1.6")) else CART_RULES
