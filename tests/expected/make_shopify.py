"""What an accountant makes of the recorded Shopify orders: a second program, written from the rules alone.

It shares no line with the product and imports none of it: two programs that agree are worth more than one that agrees
with itself. Only the standard library is used. Settings are the defaults: a company in Lithuania that keeps stock, no
items yet, no currency rates, every order inside the window. What is told of an order besides its figures is what its
figures, items, rates, codes, refunds and currency are found to lack; the treatment of VAT across borders is not its
matter.

    python tests/expected/make_shopify.py            writes shopify.json beside this file
    python tests/expected/make_shopify.py FILE       writes it to FILE
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

HERE = Path(__file__).parent
RECORDED = HERE.parent / "connectors" / "recorded" / "shopify" / "pages.json"
MADE_BY = "python tests/expected/make_shopify.py (from the rules, without the product; do not edit by hand)"

ZONE = ZoneInfo("Europe/Vilnius")
HOME = "LT"
CENT = Decimal("0.01")
MOST_ROUNDING = Decimal("0.05")
ZERO = Decimal(0)
SALES = {"PAID", "PARTIALLY_PAID", "PARTIALLY_REFUNDED", "REFUNDED"}

# The rates of the countries that the orders go to, all of November 2026.
RATES = {
    "LT": {"21", "12", "5"},
    "LV": {"21", "12", "5"},
    "EE": {"24", "13", "9"},
    "DE": {"19", "7"},
    "NO": set[str](),
}
VAT_CODE_KEYS = ("pvm kodas",)

Rate = Decimal | None  # None: no tax at all, which is not 0 %
Node = Mapping[str, Any]


@dataclass
class Row:
    """A row of the invoice: `item` is what a person would look for, "" for what is no goods and no service."""

    item: str
    rate: Rate
    net: Decimal
    vat: Decimal
    of: str = ""  # the store's id of the line


def main(arguments: list[str]) -> None:
    """Write the file."""
    target = Path(arguments[0]) if arguments else HERE / "shopify.json"
    orders = json.loads(RECORDED.read_text("utf-8"), parse_float=Decimal)["orders"]
    book: dict[str, Any] = {"made_by": MADE_BY}
    for order in sorted(orders, key=lambda one: int(one["legacyResourceId"])):
        book[order["legacyResourceId"]] = expected(order)
    target.write_text(json.dumps(book, ensure_ascii=False, indent=1) + "\n", "utf-8")


def expected(order: Node) -> dict[str, Any]:
    """One order as the books should have it. A filtered one has figures too, but nothing is found wrong with it."""
    total = money_of(order, "totalPriceSet")
    rows = rows_of(order)
    limit = min(CENT * len(rows), MOST_ROUNDING)
    findings = bring_vat_into_line(order, rows, limit)
    vat = vat_rows(rows)
    rounding = total - sum((base + amount for _, base, amount in vat), ZERO)
    if abs(rounding - cash_rounding(order)) > limit:
        findings.append(("total_differs", f"{rounding:.2f} {order['presentmentCurrencyCode']}"))
    reason = why_filtered(order)
    findings = [] if reason else sorted(set(findings + other_findings(order, rows)))
    return {
        "outcome": "filtered" if reason else "in_journal" if findings else "registered",
        "reason": reason,
        "number": order["name"].removeprefix("#"),
        "issue_date": (paid_day(order) or day_of(order["processedAt"])).isoformat(),
        "supply_date": supply_day(order).isoformat(),
        "currency": order["presentmentCurrencyCode"],
        "total": money(total),
        "rounding": money(rounding),
        "vat": [
            {"rate": None if rate is None else plain(rate), "base": money(base), "amount": money(amount)}
            for rate, base, amount in vat
        ],
        "findings": [{"code": code, "subject": subject} for code, subject in findings],
        "credit_notes": [] if reason else credit_notes(order, rows, total),
    }


# Outcome


def why_filtered(order: Node) -> str | None:
    if order["test"]:
        return "test_order"
    if order["cancelledAt"]:
        return "cancelled"
    total = money_of(order, "totalPriceSet")
    if order["displayFinancialStatus"] == "REFUNDED" or (total > 0 and given_back(order) >= total):
        return "refunded_before_import"
    return None if order["displayFinancialStatus"] in SALES else "not_paid"


def given_back(order: Node) -> Decimal:
    """What refunds took back: their money, else what their pieces were worth when nothing had been paid yet."""
    whole = ZERO
    for refund in order["refunds"]:
        worth = ZERO
        for item in refund["refundLineItems"]:
            worth += money_of(item, "subtotalSet")
            worth += ZERO if order["taxesIncluded"] else money_of(item, "totalTaxSet")
        whole += money_of(refund, "totalRefundedSet") or worth
    return whole


def other_findings(order: Node, rows: list[Row]) -> list[tuple[str, str]]:
    findings = [("item_unknown", row.item) for row in rows if row.item]
    findings += [("vat_rate_unknown", subject) for subject in refused_rates(order, rows)]
    if any(tax["channelLiable"] for line in parts_of(order) for tax in line["taxLines"]):
        findings.append(("marketplace_vat", ""))
    currency = order["presentmentCurrencyCode"]
    if currency != "EUR":
        findings.append(("currency_rate_missing", f"{currency} {rate_day(supply_day(order)).isoformat()}"))
    code = vat_code(order)
    if code and not is_vat_code(code):
        findings.append(("vat_code_invalid", code))
    return findings


def refused_rates(order: Node, rows: list[Row]) -> list[str]:
    """Rates that neither Lithuania nor the country of delivery has; 0 % is always one."""
    address = order["shippingAddress"] or order["billingAddress"]
    country = address["countryCodeV2"] if address else HOME
    used = {plain(row.rate) for row in rows if row.rate}
    return [f"{country} {rate}" for rate in used - RATES[HOME] - RATES[country]]


# Rows


def parts_of(order: Node) -> list[Node]:
    return [*order["lineItems"], *(line for line in order["shippingLines"] if not line["isRemoved"])]


def rows_of(order: Node) -> list[Row]:
    """Lines after every discount, shipping, and the tip, duties and fees that the order is short of."""
    included = order["taxesIncluded"]
    tips = money_of(order, "totalTipReceivedSet")
    rows = []
    for line in order["lineItems"]:
        price = money_of(line, "originalTotalSet")
        price -= sum((money_of(one, "allocatedAmountSet") for one in line["discountAllocations"]), ZERO)
        is_tip = bool(tips) and price == tips and line["title"] == "Tip"
        item = "" if line["isGiftCard"] or is_tip else line["sku"] or line["title"]
        rows.append(taxed(item, price, line["taxLines"], included=included))
        rows[-1].of = line["id"]
    delivery = [line for line in order["shippingLines"] if not line["isRemoved"]]
    rows += [taxed("", money_of(one, "discountedPriceSet"), one["taxLines"], included=included) for one in delivery]
    short = money_of(order, "totalPriceSet") - cash_rounding(order) - sum((row.net + row.vat for row in rows), ZERO)
    extra = [tips, money_of(order, "originalTotalDutiesSet"), money_of(order, "originalTotalAdditionalFeesSet")]
    if short and short == sum(extra, ZERO):
        rows += [Row("", None, amount, ZERO) for amount in extra if amount]
    return rows


def taxed(item: str, price: Decimal, taxes: list[Node], *, included: bool) -> Row:
    if not taxes:
        return Row(item, None, price, ZERO)
    if len(taxes) > 1:
        raise ValueError("A row with two taxes: the recorded orders have none.")
    amount = money_of(taxes[0], "priceSet")
    return Row(item, percent(taxes[0]), price - amount if included else price, amount)


def cash_rounding(order: Node) -> Decimal:
    return money_of(order["totalCashRoundingAdjustment"], "paymentSet")


def percent(tax: Node) -> Decimal:
    return Decimal(str(tax["ratePercentage"])).normalize()


# VAT


def bring_vat_into_line(order: Node, rows: list[Row], limit: Decimal) -> list[tuple[str, str]]:
    """The order's VAT stands above that of its rates, and that above its rows'; the lower gives way by a few cents."""
    findings: list[tuple[str, str]] = []
    store: dict[Decimal, Decimal] = {}
    for tax in order["taxLines"]:
        store[percent(tax)] = store.get(percent(tax), ZERO) + money_of(tax, "priceSet")
    missing = money_of(order, "totalTaxSet") - sum(store.values(), ZERO)
    if missing and (abs(missing) > limit or not store):
        findings.append(("vat_differs", ""))
    elif missing:
        store[max(store, key=lambda rate: (abs(store[rate]), rate))] += missing
    for rate, amount in store.items():
        of_rate = [row for row in rows if row.rate == rate]
        missing = amount - sum((row.vat for row in of_rate), ZERO)
        if missing and (abs(missing) > limit or not of_rate):
            findings.append(("vat_differs", plain(rate)))
        elif missing:
            max(of_rate, key=lambda row: abs(row.net)).vat += missing
    return findings


def vat_rows(rows: Iterable[Row]) -> list[tuple[Rate, Decimal, Decimal]]:
    """(rate, base, amount), the highest rate first, no tax last."""
    every = list(rows)
    rates = sorted({row.rate for row in every}, key=lambda rate: Decimal(-1) if rate is None else rate, reverse=True)
    return [
        (
            rate,
            sum((row.net for row in every if row.rate == rate), ZERO),
            sum((row.vat for row in every if row.rate == rate), ZERO),
        )
        for rate in rates
    ]


# Credit notes: one of each refund, at the invoice's rates, never more than is left. All wait, since their invoices do.


def credit_notes(order: Node, rows: list[Row], total: Decimal) -> list[dict[str, Any]]:
    left = [Row(row.item, row.rate, row.net, row.vat, row.of) for row in rows]
    left_total = total
    notes = []
    refunds = sorted(order["refunds"], key=lambda refund: (refund["createdAt"], int(refund["legacyResourceId"])))
    for n, refund in enumerate(refunds, start=1):
        pieces = refund["refundLineItems"]
        if pieces and not order["taxesIncluded"]:
            raise ValueError("Pieces of an order with prices without VAT: no rule is written here.")
        worth = sum((money_of(item, "subtotalSet") for item in pieces), ZERO)
        amount = money_of(refund, "totalRefundedSet") or worth
        if amount >= left_total or (pieces and amount != worth) or refund["refundShippingLines"]:
            raise ValueError(f"Refund {refund['legacyResourceId']}: no rule is written here.")
        parts = [back_of(row, pieces) for row in left] if pieces else shared(amount, left)
        for row, (net, vat) in zip(left, parts, strict=True):
            row.net, row.vat = row.net - net, row.vat - vat
        left_total -= amount
        given = [Row("", row.rate, -net, -vat) for row, (net, vat) in zip(rows, parts, strict=True)]
        codes = {"invoice_not_registered", "refund_waits"} | (set() if pieces else {"refund_amount_only"})
        paid = paid_day(order) or day_of(order["processedAt"])
        notes.append(
            {
                "refund": refund["legacyResourceId"],
                "number": f"{order['name'].removeprefix('#')}-K{n}",
                "date": max(day_of(refund["createdAt"]), paid).isoformat(),
                "total": money(-amount),
                "vat": [
                    {"rate": None if rate is None else plain(rate), "base": money(base), "amount": money(vat)}
                    for rate, base, vat in vat_rows(given)
                    if base or vat
                ],
                "findings": sorted(codes),
            }
        )
    return notes


def back_of(row: Row, pieces: list[Node]) -> tuple[Decimal, Decimal]:
    """Net and VAT of the pieces of a row, within what is left of it."""
    of_it = [item for item in pieces if item["lineItem"]["id"] == row.of]
    vat = sum((money_of(item, "totalTaxSet") for item in of_it), ZERO)
    net = sum((money_of(item, "subtotalSet") for item in of_it), ZERO) - vat
    return min(net, row.net), min(vat, row.vat)


def shared(amount: Decimal, left: list[Row]) -> list[tuple[Decimal, Decimal]]:
    """An amount with VAT over what is left of each row: cents by the largest remainders, the first one of equals."""
    grosses = [row.net + row.vat for row in left]
    if min(grosses) < 0:
        raise ValueError("An amount over rows that take off: no rule is written here.")
    exact = [amount * gross / sum(grosses, ZERO) for gross in grosses]
    shares = [share.quantize(CENT, rounding=ROUND_FLOOR) for share in exact]
    over = int((amount - sum(shares, ZERO)) / CENT)
    for index in sorted(range(len(exact)), key=lambda one: (shares[one] - exact[one], one))[:over]:
        shares[index] += CENT
    parts = []
    for row, gross, share in zip(left, grosses, shares, strict=True):
        vat = (share * row.vat / gross).quantize(CENT, rounding=ROUND_HALF_UP) if gross else ZERO
        parts.append((share - vat, vat))
    return parts


# The buyer's VAT code


def vat_code(order: Node) -> str:
    entity = order["purchasingEntity"] or {}
    if "location" in entity:
        return str(entity["location"]["taxSettings"]["taxRegistrationId"] or "")
    given = {one["key"].casefold(): one["value"] for one in order["customAttributes"]}
    return next((given[key] for key in VAT_CODE_KEYS if given.get(key)), "")


def is_vat_code(code: str) -> bool:
    country, digits = code[:2], code[2:]
    if not digits.isdecimal():
        return False
    if country == "LT":
        # 9 digits, or 12 of one who is registered for a time; the last but one is a 1, the last a control digit.
        return len(digits) in {9, 12} and digits[-2] == "1" and lithuanian_control(digits[:-1]) == int(digits[-1])
    if country == "EE":
        weights = (3, 7, 1, 3, 7, 1, 3, 7)
        whole = sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=False))
        return len(digits) == 9 and (10 - whole % 10) % 10 == int(digits[-1])
    raise ValueError(f"The check digit of {code} is not described here.")


def lithuanian_control(digits: str) -> int:
    """Weights 1 to 9 over and over; where that leaves 10, 3 to 9, then 1 to 9; where that does too, 0."""
    for first in (1, 3):
        weights = [(first - 1 + place) % 9 + 1 for place in range(len(digits))]
        left = sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=True)) % 11
        if left < 10:
            return left
    return 0


# Days and figures


def paid_day(order: Node) -> date | None:
    """The day on which the last of the money came; an authorisation is none."""
    moments = [
        one["processedAt"]
        for one in order["transactions"]
        if one["kind"] in {"SALE", "CAPTURE"} and one["status"] == "SUCCESS" and one["processedAt"]
    ]
    return day_of(max(moments)) if moments else None


def rate_day(supplied: date) -> date:
    """Banks publish nothing on a weekend: Friday's rate counts. No holiday of theirs is in the recorded months."""
    return supplied - timedelta(days=max(supplied.weekday() - 4, 0))


def supply_day(order: Node) -> date:
    """Sent, else paid, else ordered."""
    sent = [one["createdAt"] for one in order["fulfillments"] if one["status"] == "SUCCESS"]
    if order["displayFulfillmentStatus"] == "FULFILLED" and sent:
        return day_of(max(sent))
    return paid_day(order) or day_of(order["processedAt"])


def day_of(moment: str) -> date:
    return datetime.fromisoformat(moment).astimezone(ZONE).date()


def money_of(parent: Node, key: str) -> Decimal:
    """What the buyer saw and paid; nothing where there is no bag."""
    bag = parent.get(key)
    return ZERO if bag is None else Decimal(bag["presentmentMoney"]["amount"])


def money(amount: Decimal) -> str:
    if amount != amount.quantize(CENT):
        raise ValueError(f"{amount} has parts of a cent.")
    return f"{amount + 0:.2f}"


def plain(rate: Decimal) -> str:
    """21, not 21.0; 5.5 as it is."""
    text = f"{rate:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


if __name__ == "__main__":
    main(sys.argv[1:])
