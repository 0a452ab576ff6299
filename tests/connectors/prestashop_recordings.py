"""The recorded answers of a real PrestaShop 8.0.3, as bundles and the tables that they share."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from tests.connectors.readers import load

# Number → why what the store sent does not add up.
DO_NOT_ADD_UP = {"19": "cancelled; its lines were deleted, the header kept the total"}


def table(name: str, key: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = load("prestashop", name)[key]
    return rows


def grouped(name: str, key: str, by: str) -> dict[Any, list[dict[str, Any]]]:
    groups = defaultdict(list)
    for row in table(name, key):
        groups[row[by]].append(row)
    return groups


CONTEXT: dict[str, Any] = {
    "taxes": table("taxes", "taxes"),
    "states": table("order_states", "order_states"),
    "currencies": table("currencies", "currencies"),
    "countries": table("countries", "countries"),
    "carriers": table("carriers", "carriers"),
    "configurations": table("configurations", "configurations"),
    "translated_configurations": table("translated_configurations", "translated_configurations"),
}


def bundles() -> dict[str, dict[str, Any]]:
    """Every recorded order with its rows, by id. Payments were recorded for a few orders only."""
    details = grouped("order_details_page1", "order_details", "id_order")
    cart_rules = grouped("order_cart_rules", "order_cart_rules", "id_order")
    slips = grouped("order_slips", "order_slips", "id_order")
    invoices = grouped("order_invoices_page1", "order_invoices", "id_order")
    payments = grouped("order_payments", "order_payments", "order_reference")
    payments.update(grouped("order_payments_split", "order_payments", "order_reference"))
    addresses = {row["id"]: row for row in table("addresses", "addresses")}
    customers = {row["id"]: row for row in table("customers_few_fields", "customers")}
    return {
        str(order["id"]): {
            "order": order,
            "details": details[order["id"]],
            "cart_rules": cart_rules[order["id"]],
            "slips": slips[order["id"]],
            "invoices": invoices[order["id"]],
            "payments": payments[order["reference"]],
            "addresses": [
                addresses[key]
                for key in sorted({order["id_address_invoice"], order["id_address_delivery"]})
                if key in addresses
            ],
            "customer": customers.get(order["id_customer"], {}),
        }
        for order in table("orders_page1", "orders")
    }


BUNDLES = bundles()
