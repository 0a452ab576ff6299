"""What an accountant makes of the recorded OpenCart orders: a second program, written from the rules alone.

It shares no line with the product and imports none of it: two programs that agree are worth more than one that agrees
with itself. Only the standard library is used. Settings are the defaults: a company in Lithuania that keeps stock, no
items yet, no currency rates, every order inside the window. What is told of an order besides its figures is what its
figures, items, rates and currency are found to lack; the treatment of VAT across borders is not its matter.

    python tests/expected/make_opencart.py            writes opencart.json beside this file
    python tests/expected/make_opencart.py FILE       writes it to FILE
"""

from __future__ import annotations

import html
import json
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, getcontext
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

HERE = Path(__file__).parent
RECORDED = HERE.parent / "connectors" / "recorded" / "opencart"
MADE_BY = "python tests/expected/make_opencart.py (from the rules, without the product; do not edit by hand)"
VERSIONS = ("oc3", "oc40", "oc41")

ZONE = ZoneInfo("Europe/Vilnius")
CENT = Decimal("0.01")
MOST_ROUNDING = Decimal("0.05")
ZERO = Decimal(0)

# The recorded shop, as its owner knows it.
SALES = {"5", "1", "2", "12", "3"}
COMPLETE = {"5", "3"}
CANCELED, REFUNDED = "7", "11"
PERCENTS = {"PVM 21%": Decimal(21), "PVM 9%": Decimal(9), "PVM 5%": Decimal(5)}
PACKAGING, PACKAGING_EACH = "Pakuotės mokestis", Decimal("1.5")
CLASS_OF_ZERO = "104"
SHIPPING_PERCENT = Decimal(21)  # its tax class is that of most goods
# Lithuania's 9 % ended with 2025, and neither Germany nor Latvia has one; its 21 and 5 % hold.
ENDED = {Decimal(9)}

Rate = Decimal | None  # None: no tax at all, which is not 0 %


@dataclass
class Row:
    """A row of the invoice in the order's currency, to the cent."""

    rate: Rate
    net: Decimal
    vat: Decimal


@dataclass(frozen=True)
class Exact:
    """A row in the shop's currency, as exact as the shop keeps it."""

    rate: Rate
    net: Decimal
    vat: Decimal


def main(arguments: list[str]) -> None:
    """Write the file."""
    getcontext().prec = 50
    target = Path(arguments[0]) if arguments else HERE / "opencart.json"
    book: dict[str, Any] = {"made_by": MADE_BY}
    for version in VERSIONS:
        orders = json.loads((RECORDED / f"orders_{version}.json").read_text("utf-8"), parse_float=Decimal)["orders"]
        book[version] = {order["order_id"]: expected(order) for order in orders}
    target.write_text(json.dumps(book, ensure_ascii=False, indent=1) + "\n", "utf-8")


def expected(order: Mapping[str, Any]) -> dict[str, Any]:
    """One order as the books should have it. A filtered one has figures too, but nothing is found wrong with it."""
    factor = Decimal(order["currency_value"])
    paid_by_certificate = -summed(order, "voucher", "credit")
    total = cents((Decimal(order["total"]) + paid_by_certificate) * factor)
    exact = rows_of(order)
    rows = [Row(row.rate, cents(row.net * factor), cents(row.vat * factor)) for row in exact]
    limit = min(CENT * len(rows), MOST_ROUNDING)
    findings = bring_vat_into_line(order, rows, factor, limit)
    vat = vat_rows(rows)
    rounding = total - sum((base + amount for _, base, amount in vat), ZERO)
    if abs(rounding) > limit:
        findings.append(("total_differs", f"{rounding:.2f} {order['currency_code']}"))
    reason = why_filtered(order)
    findings = [] if reason else sorted(set(findings + other_findings(order, rows)))
    return {
        "outcome": "filtered" if reason else "in_journal" if findings else "registered",
        "reason": reason,
        "number": order["order_id"],
        "issue_date": day_of(order["date_added"]).isoformat(),
        "supply_date": supply_day(order).isoformat(),
        "currency": order["currency_code"],
        "total": money(total),
        "rounding": money(rounding),
        "vat": [
            {"rate": None if rate is None else plain(rate), "base": money(base), "amount": money(amount)}
            for rate, base, amount in vat
        ],
        "findings": [{"code": code, "subject": subject} for code, subject in findings],
        "credit_notes": [],  # OpenCart keeps no refunds, so nothing may be credited by itself
    }


# Outcome


def why_filtered(order: Mapping[str, Any]) -> str | None:
    status = order["order_status_id"]
    if status == CANCELED:
        return "cancelled"
    if status == REFUNDED:
        return "refunded_before_import"
    return None if status in SALES else "not_paid"  # OpenCart has no other sign of payment than these lists


def other_findings(order: Mapping[str, Any], rows: list[Row]) -> list[tuple[str, str]]:
    findings = [("item_unknown", html.unescape(line["sku"] or line["model"])) for line in order["products"]]
    country = order["shipping_iso_code_2"] or order["payment_iso_code_2"]
    ended = {row.rate for row in rows if row.rate in ENDED}
    findings += [("vat_rate_unknown", f"{country} {plain(rate)}") for rate in ended]
    if order["currency_code"] != "EUR":
        findings.append(
            ("currency_rate_missing", f"{order['currency_code']} {rate_day(supply_day(order)).isoformat()}")
        )
    return findings


# Rows


def rows_of(order: Mapping[str, Any]) -> list[Exact]:
    """Products, sold certificates, packaging tax, shipping and fees, what the sub-total has more, and discounts."""
    taxed = {
        PERCENTS[total["title"]]: Decimal(total["value"])
        for total in of_code(order, "tax")
        if total["title"] in PERCENTS
    }
    packaging = [total for total in of_code(order, "tax") if total["title"] == PACKAGING]
    goods = [line_row(line, has_packaging=bool(packaging)) for line in order["products"]]
    goods += [Exact(None, Decimal(voucher["amount"]), ZERO) for voucher in order["vouchers"]]
    charges = [Exact(None, Decimal(total["value"]), ZERO) for total in packaging]
    for total in order["totals"]:
        value = Decimal(total["value"])
        if total["code"] == "shipping" and value:
            rate = SHIPPING_PERCENT if SHIPPING_PERCENT in taxed else None
            charges.append(Exact(rate, value, value * (rate or 0) / 100))
        elif total["code"] == "cod_fee":
            charges.append(Exact(None, value, ZERO))
    missing = summed(order, "sub_total") - sum((row.net for row in goods), ZERO)
    if abs(missing) >= Decimal("0.005"):
        charges.append(Exact(None, missing, ZERO))
    return [*goods, *charges, *discount_rows([*goods, *charges], taxed, -summed(order, "coupon"))]


def line_row(line: Mapping[str, Any], *, has_packaging: bool) -> Exact:
    """A product: its tax is kept a piece, and which rate that is must be reckoned from the price."""
    net, price, tax = Decimal(line["total"]), Decimal(line["price"]), Decimal(line["tax"])
    if not tax:
        return Exact(ZERO if line["tax_class_id"] == CLASS_OF_ZERO else None, net, ZERO)
    for fixed in (ZERO, PACKAGING_EACH) if has_packaging else (ZERO,):
        for rate in PERCENTS.values():
            if abs(tax - fixed - price * rate / 100) <= max(Decimal("0.0002"), price * Decimal("0.0005")):
                return Exact(rate, net, (tax - fixed) * int(line["quantity"]))
    raise ValueError(f"A tax of {tax} on a price of {price} is of no rate.")


def discount_rows(rows: list[Exact], taxed: Mapping[Decimal, Decimal], discount: Decimal) -> list[Exact]:
    """The taxable base of a rate is its tax by its rate; what rows have more of that rate is its discount."""
    found: list[Exact] = []
    if not discount:
        return found
    for rate in sorted({row.rate for row in rows if row.rate}, reverse=True):
        tax = taxed.get(rate, ZERO)
        net = sum((row.net for row in rows if row.rate == rate), ZERO) - tax * 100 / rate
        vat = sum((row.vat for row in rows if row.rate == rate), ZERO) - tax
        if abs(net) > CENT or abs(vat) > CENT:
            found.append(Exact(rate, -net, -vat))
    rest = discount + sum((row.net for row in found), ZERO)
    if found and abs(rest) <= 2 * CENT:
        largest = min(found, key=lambda row: row.net)
        return [Exact(row.rate, row.net - rest, row.vat) if row is largest else row for row in found]
    if rest:
        rates = {row.rate for row in rows if not row.rate}
        found.append(Exact(ZERO if rates == {ZERO} else None, -rest, ZERO))
    return found


def of_code(order: Mapping[str, Any], *codes: str) -> list[Mapping[str, Any]]:
    return [total for total in order["totals"] if total["code"] in codes]


def summed(order: Mapping[str, Any], *codes: str) -> Decimal:
    return sum((Decimal(total["value"]) for total in of_code(order, *codes)), ZERO)


# VAT


def bring_vat_into_line(
    order: Mapping[str, Any], rows: list[Row], factor: Decimal, limit: Decimal
) -> list[tuple[str, str]]:
    """The order's VAT stands above that of its rates, and that above its rows'; the lower gives way by a few cents."""
    findings: list[tuple[str, str]] = []
    told = {PERCENTS[one["title"]]: Decimal(one["value"]) for one in of_code(order, "tax") if one["title"] in PERCENTS}
    for rate, amount in told.items():
        of_rate = [row for row in rows if row.rate == rate]
        missing = cents(amount * factor) - sum((row.vat for row in of_rate), ZERO)
        if missing and (abs(missing) > limit or not of_rate):
            findings.append(("vat_differs", plain(rate)))
        elif missing:
            max(of_rate, key=lambda row: abs(row.net)).vat += missing
    missing = cents(sum(told.values(), ZERO) * factor) - sum((row.vat for row in rows), ZERO)
    rates = {row.rate for row in rows if row.rate}
    if missing and (abs(missing) > limit or not rates):
        findings.append(("vat_differs", ""))
    elif missing:
        by_rate = {rate: abs(sum(row.vat for row in rows if row.rate == rate)) for rate in rates}
        most = max(rates, key=lambda rate: (by_rate[rate], rate))
        max((row for row in rows if row.rate == most), key=lambda row: abs(row.net)).vat += missing
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


# Days and figures


def rate_day(supplied: date) -> date:
    """Banks publish nothing on a weekend: Friday's rate counts. No holiday of theirs is in the recorded months."""
    return supplied - timedelta(days=max(supplied.weekday() - 4, 0))


def supply_day(order: Mapping[str, Any]) -> date:
    """The first step into a status that means "sent" or "done", if it is in one now; else the day of the order."""
    moments = [step["date_added"] for step in order["history"] if step["order_status_id"] in COMPLETE]
    if order["order_status_id"] in COMPLETE and moments:
        return day_of(min(moments))
    return day_of(order["date_added"])


def day_of(text: str) -> date:
    """The shop's wall clock is that of the company."""
    if not re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", text):
        raise ValueError(f"{text} is no date.")
    return datetime.fromisoformat(text).replace(tzinfo=ZONE).astimezone(UTC).astimezone(ZONE).date()


def cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)


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
