"""What an accountant makes of the recorded PrestaShop orders: a second program, written from the rules alone.

It shares no line with the product and imports none of it: two programs that agree are worth more than one that agrees
with itself. Only the standard library is used. Settings are the defaults: a company in Lithuania that keeps stock, no
items yet, no currency rates, every order inside the window. What is told of an order besides its figures is what its
figures, items, rates, refunds and currency are found to lack; the treatment of VAT across borders is not its matter.

    python tests/expected/make_prestashop.py            writes prestashop.json beside this file
    python tests/expected/make_prestashop.py FILE       writes it to FILE
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal, getcontext
from itertools import combinations
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

HERE = Path(__file__).parent
RECORDED = HERE.parent / "connectors" / "recorded" / "prestashop"
MADE_BY = "python tests/expected/make_prestashop.py (from the rules, without the product; do not edit by hand)"

ZONE = ZoneInfo("Europe/Vilnius")
CENT = Decimal("0.01")
ZERO = Decimal(0)
MOST_ROUNDING = Decimal("0.05")
MOST_VAT_OFF = Decimal("0.03")  # of a voucher's VAT: what rounding alone explains
HOME_RATES = {Decimal(21), Decimal(12), Decimal(5)}  # of 2026; the 9 % ended with 2025
ABROAD = {"EE": {Decimal(24), Decimal(13), Decimal(9)}, "LV": {Decimal(21), Decimal(12), Decimal(5)}}

Rate = Decimal | None  # None: no tax at all, which is not 0 %


@dataclass
class Row:
    """A row of the invoice in the order's currency."""

    rate: Rate
    net: Decimal
    vat: Decimal
    of: str = ""  # what a credit slip calls it: the id of a line, or shipping


class Shop:
    """The recorded tables, by what they belong to."""

    def __init__(self) -> None:
        self.orders = sorted(load("orders_page1", "orders"), key=lambda order: int(order["id"]))
        self.details = grouped(load("order_details_page1", "order_details"), "id_order")
        self.rules = grouped(load("order_cart_rules", "order_cart_rules"), "id_order")
        self.slips = grouped(load("order_slips", "order_slips"), "id_order")
        payments = {
            row["id"]: row
            for name in ("order_payments", "order_payments_split")
            for row in load(name, "order_payments")
        }
        self.payments = grouped(list(payments.values()), "order_reference")
        self.states = {row["id"]: row for row in load("order_states", "order_states")}
        self.percents = {row["id"]: Decimal(row["rate"]).normalize() for row in load("taxes", "taxes")}
        self.currencies = {row["id"]: row["iso_code"] for row in load("currencies", "currencies")}
        self.countries = {row["id"]: row["iso_code"] for row in load("countries", "countries")}
        self.addresses = {row["id"]: row for row in load("addresses", "addresses")}

    def country(self, order: Mapping[str, Any]) -> str:
        """Where the goods go."""
        return str(self.countries[self.addresses[order["id_address_delivery"]]["id_country"]])


def load(name: str, key: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((RECORDED / f"{name}.json").read_text("utf-8"))[key]
    return found


def grouped(rows: list[dict[str, Any]], by: str) -> dict[Any, list[dict[str, Any]]]:
    groups: dict[Any, list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault(row[by], []).append(row)
    return groups


def main(arguments: list[str]) -> None:
    """Write the file."""
    getcontext().prec = 50
    target = Path(arguments[0]) if arguments else HERE / "prestashop.json"
    shop = Shop()
    book: dict[str, Any] = {"made_by": MADE_BY}
    for order in shop.orders:
        book[str(order["id"])] = expected(shop, order)
    target.write_text(json.dumps(book, ensure_ascii=False, indent=1) + "\n", "utf-8")


def expected(shop: Shop, order: Mapping[str, Any]) -> dict[str, Any]:
    """One order as the books should have it. A filtered one has figures too, but nothing is found wrong with it."""
    currency = shop.currencies[order["id_currency"]]
    total = Decimal(order["total_paid_tax_incl"])
    rows = rows_of(shop, order)
    limit = min(CENT * len(rows), MOST_ROUNDING)
    findings = bring_vat_into_line(order, rows, limit)
    rounding = total - sum((row.net + row.vat for row in rows), ZERO)
    if abs(rounding) > limit:
        findings.append(("total_differs", f"{rounding:.2f} {currency}"))
    reason = why_filtered(shop, order, rows)
    findings = [] if reason else sorted(set(findings + other_findings(shop, order, rows, currency)))
    rates = sorted({row.rate for row in rows}, key=lambda rate: Decimal(-1) if rate is None else rate, reverse=True)
    return {
        "outcome": "filtered" if reason else "in_journal" if findings else "registered",
        "reason": reason,
        "number": str(order["id"]),
        "issue_date": day_of(paid(shop, order) or order["date_add"]).isoformat(),
        "supply_date": supply_day(shop, order).isoformat(),
        "currency": currency,
        "total": money(total),
        "rounding": money(rounding),
        "vat": [
            {
                "rate": None if rate is None else f"{rate:f}",
                "base": money(sum((row.net for row in rows if row.rate == rate), ZERO)),
                "amount": money(sum((row.vat for row in rows if row.rate == rate), ZERO)),
            }
            for rate in rates
        ],
        "findings": [{"code": code, "subject": subject} for code, subject in findings],
        "credit_notes": [] if reason else credit_notes(shop, order, rows, total),
    }


# Outcome


def why_filtered(shop: Shop, order: Mapping[str, Any], rows: list[Row]) -> str | None:
    state = shop.states[order["current_state"]]
    template = state["template"][0]["value"]
    total = Decimal(order["total_paid_tax_incl"])
    given_back = sum((worth_of(slip) for slip in shop.slips.get(order["id"], [])), ZERO)
    if not total and not rows:
        return "nothing_to_invoice"
    if template == "order_canceled":
        return "cancelled"
    if template == "refund" or (total > 0 and given_back >= total):
        return "refunded_before_import"
    if state["logable"]:
        return None
    return "status" if state["paid"] else "not_paid"


def worth_of(slip: Mapping[str, Any]) -> Decimal:
    return Decimal(slip["amount"]) + Decimal(slip["total_shipping_tax_incl"])


def other_findings(shop: Shop, order: Mapping[str, Any], rows: list[Row], currency: str) -> list[tuple[str, str]]:
    lines = shop.details.get(order["id"], [])
    findings = [("item_unknown", what_is_sold(line)) for line in lines]
    country = shop.country(order)
    ended = {row.rate for row in rows if row.rate} - HOME_RATES - ABROAD.get(country, set())
    findings += [("vat_rate_unknown", f"{country} {rate:f}") for rate in ended]
    if currency != "EUR":
        findings.append(("currency_rate_missing", f"{currency} {rate_day(supply_day(shop, order)).isoformat()}"))
    if not rows:
        findings.append(("no_lines", ""))
    return findings


def what_is_sold(line: Mapping[str, Any]) -> str:
    if line["product_reference"]:
        return str(line["product_reference"])
    if line["product_attribute_id"]:
        return f"variation {line['product_attribute_id']}"
    return f"product {line['product_id']}" if line["product_id"] else str(line["product_name"])


# Rows


def rows_of(shop: Shop, order: Mapping[str, Any]) -> list[Row]:
    """Products, shipping, wrapping, and the vouchers that come off them."""
    lines = [line_row(shop, line) for line in shop.details.get(order["id"], [])]
    is_exempt = any(line.rate == 0 for line in lines)
    shipping = charge_row(shop, order, "shipping", Decimal(order["carrier_tax_rate"]).normalize(), is_exempt)
    wrapping = charge_row(shop, order, "wrapping", ZERO, is_exempt)
    charges = [row for row in (shipping, wrapping) if row is not None]
    return [*lines, *charges, *voucher_rows(shop, order, lines, charges, shipping)]


def line_row(shop: Shop, line: Mapping[str, Any]) -> Row:
    """Its tax by id: none at all is no tax, the id 0 is exempt, 0 %."""
    net = Decimal(line["total_price_tax_excl"])
    vat = Decimal(line["total_price_tax_incl"]) - net
    ids = [tax["id"] for tax in line.get("associations", {}).get("taxes", [])]
    if len(ids) > 1:
        raise ValueError(f"Line {line['id']} has several taxes: the rules here know of none.")
    if not ids:
        if vat:
            raise ValueError(f"Line {line['id']} has VAT and no tax.")
        return Row(None, net, vat, str(line["id"]))
    return Row(shop.percents[ids[0]] if ids[0] else ZERO, net, vat, str(line["id"]))


def charge_row(shop: Shop, order: Mapping[str, Any], name: str, rate: Decimal, is_exempt: bool) -> Row | None:
    net = Decimal(order[f"total_{name}_tax_excl"])
    vat = Decimal(order[f"total_{name}_tax_incl"]) - net
    if not net and not vat:
        return None
    if not vat:
        return Row(ZERO if is_exempt else None, net, vat, name)
    if not rate:  # only in the amounts, which are rounded: the shop's nearest
        rate = min({*shop.percents.values()}, key=lambda percent: abs(percent - vat * 100 / net))
    return Row(rate, net, vat, name)


# Vouchers. The shop says what each is worth with and without VAT, and not of which rates.


def voucher_rows(
    shop: Shop, order: Mapping[str, Any], lines: list[Row], charges: list[Row], shipping: Row | None
) -> list[Row]:
    found: list[Row] = []
    for rule, net, gross in worths(order, shop.rules.get(order["id"], [])):
        parts: list[Row] = []
        if rule["free_shipping"] and shipping is not None:
            parts.append(Row(shipping.rate, shipping.net, shipping.vat))
            net, gross = net - shipping.net, gross - shipping.net - shipping.vat
            shipping = None
        if net or gross:
            parts += spread(net, gross - net, lines, lines or charges)
        for rate in dict.fromkeys(part.rate for part in parts):
            of_rate = [part for part in parts if part.rate == rate]
            row = Row(rate, -sum((p.net for p in of_rate), ZERO), -sum((p.vat for p in of_rate), ZERO))
            found += [row] if row.net or row.vat else []
    return found


def worths(order: Mapping[str, Any], rules: list[dict[str, Any]]) -> list[tuple[dict[str, Any], Decimal, Decimal]]:
    """Each rule's worth. They have six decimals; the header says in cents what was taken off, so the largest gives."""
    net, gross = Decimal(order["total_discounts_tax_excl"]), Decimal(order["total_discounts_tax_incl"])
    if not rules:
        if gross:
            raise ValueError(f"Order {order['id']} has a discount without a voucher.")
        return []
    largest = max(rules, key=lambda rule: Decimal(rule["value"]))
    others = [rule for rule in rules if rule is not largest]
    net -= sum((Decimal(rule["value_tax_excl"]) for rule in others), ZERO)
    gross -= sum((Decimal(rule["value"]) for rule in others), ZERO)
    if max(abs(net - Decimal(largest["value_tax_excl"])), abs(gross - Decimal(largest["value"]))) > CENT * len(rules):
        raise ValueError(f"Order {order['id']}: its vouchers and its header disagree.")
    return [
        (rule, net, gross) if rule is largest else (rule, Decimal(rule["value_tax_excl"]), Decimal(rule["value"]))
        for rule in rules
    ]


def spread(net: Decimal, vat: Decimal, lines: list[Row], among: list[Row]) -> list[Row]:
    """In proportion to what each rate sold, if that makes this VAT; else on the line, rate or two rates that do."""
    if not among:
        return [Row(None, net, vat)]
    sold: dict[Rate, Decimal] = {}
    for row in among:
        sold[row.rate] = sold.get(row.rate, ZERO) + row.net
    sold = {rate: worth for rate, worth in sold.items() if worth}
    whole = sum(sold.values(), ZERO)
    exact = {rate: net * worth / whole for rate, worth in sold.items()}
    if abs(vat - sum((part * (rate or ZERO) / 100 for rate, part in exact.items()), ZERO)) > MOST_VAT_OFF:
        exact = solved(net, vat, lines, sold) or exact
    nets = in_cents(net, exact)
    parts = [Row(rate, nets[rate], cents(exact[rate] * (rate or ZERO) / 100)) for rate in exact]
    left = vat - sum((part.vat for part in parts), ZERO)
    if left:
        max(parts, key=lambda part: (abs(part.vat), abs(part.net))).vat += left
    return parts


def solved(net: Decimal, vat: Decimal, lines: list[Row], sold: Mapping[Rate, Decimal]) -> dict[Rate, Decimal]:
    for line in lines:
        if abs(line.net - net) <= MOST_VAT_OFF and abs(line.vat - vat) <= MOST_VAT_OFF:
            return {line.rate: net}
    for rate in sold:
        if abs(net * (rate or ZERO) / 100 - vat) <= MOST_VAT_OFF:
            return {rate: net}
    for one, other in combinations(sorted(sold, key=lambda rate: -sold[rate]), 2):
        high, low = (one or ZERO) / 100, (other or ZERO) / 100
        if high != low and ZERO <= (of_one := (vat - net * low) / (high - low)) <= net:
            return {one: of_one, other: net - of_one}
    return {}


def in_cents(whole: Decimal, exact: Mapping[Rate, Decimal]) -> dict[Rate, Decimal]:
    """Cents that come to the whole: what is left after rounding down goes where most was cut off."""
    down = {rate: part.quantize(CENT, rounding=ROUND_FLOOR) for rate, part in exact.items()}
    left = int((whole - sum(down.values(), ZERO)) / CENT)
    for rate in sorted(exact, key=lambda rate: down[rate] - exact[rate])[:left]:
        down[rate] += CENT
    return down


# VAT


def bring_vat_into_line(order: Mapping[str, Any], rows: list[Row], limit: Decimal) -> list[tuple[str, str]]:
    """The order's VAT stands above that of its rows: the rate that has the most of it gives way by a few cents."""
    wanted = Decimal(order["total_paid_tax_incl"]) - Decimal(order["total_paid_tax_excl"])
    missing = wanted - sum((row.vat for row in rows), ZERO)
    rates = {row.rate for row in rows if row.rate}
    if not missing:
        return []
    if abs(missing) > limit or not rates:
        return [("vat_differs", "")]
    by_rate = {rate: abs(sum((row.vat for row in rows if row.rate == rate), ZERO)) for rate in rates}
    most = max(rates, key=lambda rate: (by_rate[rate], rate))
    max((row for row in rows if row.rate == most), key=lambda row: abs(row.net)).vat += missing
    return []


# Credit notes: one of each credit slip, at the invoice's rates, never more than is left


def credit_notes(shop: Shop, order: Mapping[str, Any], rows: list[Row], total: Decimal) -> list[dict[str, Any]]:
    """In the order of the slips. All of them wait, since their invoices do."""
    left = [Row(row.rate, row.net, row.vat, row.of) for row in rows]
    left_total = total
    notes = []
    slips = sorted(shop.slips.get(order["id"], []), key=lambda slip: (slip["date_add"], int(slip["id"])))
    for n, slip in enumerate(slips, start=1):
        wanted = cents(worth_of(slip))
        codes = {"invoice_not_registered", "refund_waits"} | ({"refund_exceeds"} if wanted > left_total else set())
        amount = min(wanted, left_total)
        if amount == left_total:
            parts = [(row.net, row.vat) for row in left]
        else:
            parts = [within(row, *said_of(slip, row)) for row in left]
            if abs(amount - sum((net + vat for net, vat in parts), ZERO)) > min(CENT * len(rows), MOST_ROUNDING):
                raise ValueError(f"Slip {slip['id']} is not what its rows come to: no rule is written here.")
        for row, (net, vat) in zip(left, parts, strict=True):
            row.net, row.vat = row.net - net, row.vat - vat
        left_total -= amount
        rates = sorted({row.rate for row in rows}, key=lambda rate: Decimal(-1) if rate is None else rate, reverse=True)
        sums = [
            (rate, [-sum((part[of] for row, part in zip(rows, parts, strict=True) if row.rate == rate), ZERO)
                    for of in (0, 1)])
            for rate in rates
        ]  # fmt: skip
        notes.append(
            {
                "refund": str(slip["id"]),
                "number": f"{order['id']}-K{n}",
                "date": max(day_of(slip["date_add"]), day_of(paid(shop, order) or order["date_add"])).isoformat(),
                "total": money(-amount),
                "vat": [
                    {"rate": None if rate is None else f"{rate:f}", "base": money(base), "amount": money(vat)}
                    for rate, (base, vat) in sums
                    if base or vat
                ],
                "findings": sorted(codes),
            }
        )
    return notes


def said_of(slip: Mapping[str, Any], row: Row) -> tuple[Decimal, Decimal]:
    """Net and VAT that a slip gives back of a row."""
    if row.of == "shipping":
        net, gross = Decimal(slip["total_shipping_tax_excl"]), Decimal(slip["total_shipping_tax_incl"])
    else:
        of_it = [one for one in slip["associations"]["order_slip_details"] if str(one["id_order_detail"]) == row.of]
        net = sum((Decimal(one["amount_tax_excl"]) for one in of_it), ZERO)
        gross = sum((Decimal(one["amount_tax_incl"]) for one in of_it), ZERO)
    if bool(gross - net) != bool(row.vat) and gross:
        raise ValueError(f"Slip {slip['id']}: VAT of a row without, or none of one with. No rule is written here.")
    return cents(net), cents(gross - net)


def within(row: Row, net: Decimal, vat: Decimal) -> tuple[Decimal, Decimal]:
    """No more than is left of the row."""
    return (min(net, row.net), min(vat, row.vat)) if row.of else (ZERO, ZERO)


# Days and figures


def paid(shop: Shop, order: Mapping[str, Any]) -> str:
    """When the last payment came that this order needed; orders of a cart share their payments. "" when none did."""
    left, last = Decimal(order["total_paid_tax_incl"]), ""
    for payment in shop.payments.get(order["reference"], []):
        if left > 0:
            left -= Decimal(payment["amount"])
            last = max(last, payment["date_add"])
    return last


def rate_day(supplied: date) -> date:
    """Banks publish nothing on a weekend: Friday's rate counts. No holiday of theirs is in the recorded months."""
    return supplied - timedelta(days=max(supplied.weekday() - 4, 0))


def supply_day(shop: Shop, order: Mapping[str, Any]) -> date:
    """When it was delivered, if its state says it is under way; else when it was paid, else ordered."""
    is_shipped = shop.states[order["current_state"]]["shipped"] and not order["delivery_date"].startswith("0000")
    return day_of(order["delivery_date"] if is_shipped else paid(shop, order) or order["date_add"])


def day_of(text: str) -> date:
    """The shop's wall clock is that of the company."""
    return datetime.fromisoformat(text).replace(tzinfo=ZONE).astimezone(UTC).astimezone(ZONE).date()


def cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)


def money(amount: Decimal) -> str:
    if amount != amount.quantize(CENT):
        raise ValueError(f"{amount} has parts of a cent.")
    return f"{amount + 0:.2f}"


if __name__ == "__main__":
    main(sys.argv[1:])
