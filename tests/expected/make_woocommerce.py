"""What an accountant makes of the recorded WooCommerce orders: a second program, written from the rules alone.

It shares no line with the product and imports none of it: two programs that agree are worth more than one that agrees
with itself. Only the standard library is used. Settings are the defaults: a company in Lithuania that keeps stock, no
items yet, no currency rates, every order inside the window.

    python tests/expected/make_woocommerce.py            writes woocommerce.json beside this file
    python tests/expected/make_woocommerce.py FILE       writes it to FILE
"""

from __future__ import annotations

import html
import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

HERE = Path(__file__).parent
RECORDED = HERE.parent / "connectors" / "recorded" / "woocommerce"
MADE_BY = "python tests/expected/make_woocommerce.py (from the rules, without the product; do not edit by hand)"

ZONE = ZoneInfo("Europe/Vilnius")
HOME = "LT"
CENT = Decimal("0.01")
MOST_ROUNDING = Decimal("0.05")

SALES = {"processing", "completed"}
UNPAID = {"pending", "on-hold", "failed"}
VAT_CODE_KEYS = ("_billing_vat_number", "billing_pvm_kodas")
COMPANY_CODE_KEYS = ("_billing_company_code",)

# Country, percent, first and last day; None where it began before the recorded orders or has not ended.
RATES: tuple[tuple[str, str, date | None, date | None], ...] = (
    ("LT", "21", None, None),
    ("LT", "9", None, date(2025, 12, 31)),
    ("LT", "12", date(2026, 1, 1), None),
    ("LT", "5", None, None),
    ("LV", "21", None, None),
    ("LV", "12", None, None),
    ("LV", "5", None, None),
    ("EE", "24", date(2025, 7, 1), None),
    ("EE", "13", None, None),
    ("EE", "9", None, None),
    ("DE", "19", None, None),
    ("DE", "7", None, None),
)
COUNTRIES_WITH_RATES = {country for country, *_ in RATES}

Rate = Decimal | None  # None: no tax at all, which is not 0 %


@dataclass
class Row:
    """A row of the invoice: one of the order's rows, or the part of one that carries one rate."""

    of: int  # the id of the order's row
    kind: str  # the store's list it stands in: line_items, shipping_lines, fee_lines
    is_product: bool
    quantity: Decimal
    rate: Rate
    net: Decimal
    vat: Decimal


@dataclass(frozen=True)
class Finding:
    """What keeps an invoice in the journal, or is only said (stops=False)."""

    code: str
    subject: str = ""
    stops: bool = True


def main(arguments: list[str]) -> None:
    """Write the file."""
    target = Path(arguments[0]) if arguments else HERE / "woocommerce.json"
    target.write_text(as_text(recorded_orders()), "utf-8")


def as_text(orders: Iterable[Mapping[str, Any]]) -> str:
    """The whole file, the same bytes for the same orders."""
    book: dict[str, Any] = {"made_by": MADE_BY}
    for order in sorted(orders, key=lambda one: int(one["id"])):
        book[str(order["id"])] = expected(order)
    return json.dumps(book, ensure_ascii=False, indent=1) + "\n"


def recorded_orders() -> list[dict[str, Any]]:
    """All orders; what an order says of its refunds must be what the refunds say of themselves."""
    orders = [order for page in ("page-01", "page-02") for order in load(RECORDED / "orders" / f"{page}.json")]
    for order in orders:
        detail = refunds_of(order)
        said = sorted((refund["id"], -Decimal(refund["total"])) for refund in order["refunds"])
        if said != sorted((refund["id"], Decimal(refund["amount"])) for refund in detail):
            raise ValueError(f"Order {order['id']} and its refunds disagree.")
    return orders


def refunds_of(order: Mapping[str, Any]) -> list[dict[str, Any]]:
    path = RECORDED / "refunds" / f"{order['id']}.json"
    found: list[dict[str, Any]] = load(path) if path.exists() else []
    return sorted(found, key=lambda refund: (refund["date_created_gmt"], refund["id"]))


def load(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"), parse_float=Decimal)


def expected(order: Mapping[str, Any]) -> dict[str, Any]:
    """One order as the books should have it. A filtered one has figures too, but nothing is found wrong with it."""
    total = Decimal(order["total"])
    rows = rows_of(order)
    limit = min(CENT * row_count(order), MOST_ROUNDING)
    differences = bring_vat_into_line(order, rows, limit)
    vat = vat_rows(rows)
    rounding = total - sum((base + amount for _, base, amount in vat), Decimal(0))
    if abs(rounding) > limit:
        differences.append(Finding("total_differs", f"{rounding:.2f} {order['currency']}"))

    reason = why_filtered(order)
    findings = [] if reason else sorted_findings([*differences, *other_findings(order, rows)])
    outcome = "filtered" if reason else "in_journal" if any(one.stops for one in findings) else "registered"
    return {
        "outcome": outcome,
        "reason": reason,
        "number": order["number"],
        "issue_date": first_day(order, "date_paid_gmt", "date_created_gmt").isoformat(),
        "supply_date": supply_day(order).isoformat(),
        "currency": order["currency"],
        "total": money(total),
        "rounding": money(rounding),
        "vat": [
            {"rate": None if rate is None else plain(rate), "base": money(base), "amount": money(amount)}
            for rate, base, amount in vat
        ],
        "findings": [{"code": one.code, "subject": one.subject, "stops": one.stops} for one in findings],
        "credit_notes": [] if reason else credit_notes(order, rows, total),
    }


# Outcome


def why_filtered(order: Mapping[str, Any]) -> str | None:
    status = order["status"]
    refunded = -sum((Decimal(refund["total"]) for refund in order["refunds"]), Decimal(0))
    if row_count(order) == 0 and Decimal(order["total"]) == 0:
        return "nothing_to_invoice"
    if status == "cancelled":
        return "cancelled"
    if status == "refunded" or (order["refunds"] and refunded >= Decimal(order["total"])):
        return "refunded_before_import"
    if status in UNPAID:
        return "not_paid"
    return None if status in SALES else "status"


def other_findings(order: Mapping[str, Any], rows: list[Row]) -> list[Finding]:
    findings = [Finding("item_unknown", what_is_sold(row)) for row in order["line_items"]]
    findings += [
        Finding("quantity_missing", str(position))
        for position, row in enumerate(rows, start=1)
        if row.is_product and row.quantity <= 0
    ]
    findings += [Finding("vat_rate_unknown", subject) for subject in refused_rates(order, rows)]
    findings += code_findings(order)
    findings += vat_findings(order, rows)
    if order["currency"] != "EUR":
        day = rate_day(supply_day(order)).isoformat()
        findings.append(Finding("currency_rate_missing", f"{order['currency']} {day}"))
    if Decimal(order["total"]) < 0:
        findings.append(Finding("total_negative"))
    if not rows:
        findings.append(Finding("no_lines"))
    if not order["number"].strip():
        findings.append(Finding("number_missing"))
    return findings


def what_is_sold(row: Mapping[str, Any]) -> str:
    """What a person would look for: the SKU, else the store's own ids, else the name (a product that is gone)."""
    if row["sku"]:
        return str(row["sku"])
    if row["variation_id"]:
        return f"variation {row['variation_id']}"
    if row["product_id"]:
        return f"product {row['product_id']}"
    return html.unescape(row["name"])


def sorted_findings(findings: Iterable[Finding]) -> list[Finding]:
    """Each once: two lines of one unknown product are one thing to mend."""
    return sorted(set(findings), key=lambda one: (one.code, one.subject))


# Rows


def row_count(order: Mapping[str, Any]) -> int:
    return len(order["line_items"]) + len(order["shipping_lines"]) + len(order["fee_lines"])


def rows_of(order: Mapping[str, Any]) -> list[Row]:
    percents = {line["rate_id"]: Decimal(str(line["rate_percent"])) for line in order["tax_lines"]}
    rows: list[Row] = []
    for kind in ("line_items", "shipping_lines", "fee_lines"):
        for source in order[kind]:
            by_rate: dict[Rate, Decimal] = {}
            for tax in source["taxes"]:
                percent = percents[tax["id"]]
                by_rate[percent] = by_rate.get(percent, Decimal(0)) + Decimal(tax["total"] or "0")
            if len(by_rate) == 1:
                # The row's own figure; its tax's may be a cent off where the shop rounds at the sub-total.
                by_rate = dict.fromkeys(by_rate, Decimal(source["total_tax"]))
            nets = split_net(Decimal(source["total"]), by_rate or {None: Decimal(0)})
            quantity = Decimal(str(source.get("quantity", 1)))
            rows += [
                Row(source["id"], kind, kind == "line_items", quantity, rate, nets[rate], by_rate.get(rate, Decimal(0)))
                for rate in nets
            ]
    return rows


def split_net(net: Decimal, by_rate: Mapping[Rate, Decimal]) -> dict[Rate, Decimal]:
    """The net amount of a row shared over its rates, as the taxes say, to the cent."""
    if len(by_rate) == 1:
        return dict.fromkeys(by_rate, net)
    weights = {rate: amount / rate for rate, amount in by_rate.items() if rate}
    whole = sum(weights.values(), Decimal(0))
    if len(weights) != len(by_rate) or whole == 0:
        raise ValueError("A row with 0 % beside another rate: the rules do not say how to share it.")
    exact = {rate: net * weight / whole for rate, weight in weights.items()}
    shared: dict[Rate, Decimal] = {rate: share.quantize(CENT, rounding=ROUND_FLOOR) for rate, share in exact.items()}
    cents_left = int((net - sum(shared.values(), Decimal(0))) / CENT)
    by_remainder = sorted(exact, key=lambda rate: (shared[rate] - exact[rate], -rate))
    for rate in by_remainder[:cents_left]:
        shared[rate] += CENT
    return shared


# VAT


def bring_vat_into_line(order: Mapping[str, Any], rows: list[Row], limit: Decimal) -> list[Finding]:
    """The order's VAT stands above that of its rates, and that above its rows'; the lower gives way by a few cents."""
    findings: list[Finding] = []
    store: dict[Rate, Decimal] = {}
    for line in order["tax_lines"]:
        percent = Decimal(str(line["rate_percent"]))
        amount = Decimal(line["tax_total"]) + Decimal(line["shipping_tax_total"])
        store[percent] = store.get(percent, Decimal(0)) + amount

    for rate, amount in store.items():
        of_rows = [row.vat for row in rows if row.rate == rate]
        if of_rows and 0 < abs(amount - sum(of_rows, Decimal(0))) <= limit:
            findings.append(Finding("difference_rounded", f"vat {plain(rate or Decimal(0))}", stops=False))

    missing = Decimal(order["total_tax"]) - sum(store.values(), Decimal(0))
    if missing and (abs(missing) > limit or not store):
        findings.append(Finding("vat_differs"))
    elif missing:
        findings.append(Finding("difference_rounded", "vat", stops=False))
        largest = max(store, key=lambda rate: (abs(store[rate]), rate or 0))
        store[largest] += missing

    for rate, amount in store.items():
        of_rate = [row for row in rows if row.rate == rate]
        missing = amount - sum((row.vat for row in of_rate), Decimal(0))
        if missing and (abs(missing) > limit or not of_rate):
            findings.append(Finding("vat_differs", plain(rate or Decimal(0))))
        elif missing:
            max(of_rate, key=lambda row: abs(row.net)).vat += missing
    return findings


def vat_rows(rows: list[Row]) -> list[tuple[Rate, Decimal, Decimal]]:
    """(rate, base, amount), the highest rate first, no tax last."""
    rates = sorted({row.rate for row in rows if row.rate is not None}, reverse=True)
    order: list[Rate] = [*rates, None] if any(row.rate is None for row in rows) else [*rates]
    return [
        (
            rate,
            sum((row.net for row in rows if row.rate == rate), Decimal(0)),
            sum((row.vat for row in rows if row.rate == rate), Decimal(0)),
        )
        for rate in order
    ]


def refused_rates(order: Mapping[str, Any], rows: list[Row]) -> list[str]:
    """Rates that neither Lithuania nor the country of delivery had on the day of supply; 0 % is always one."""
    delivery = order["shipping"]["country"] or order["billing"]["country"] or HOME
    day = supply_day(order)
    refused = []
    for rate in {row.rate for row in rows if row.rate}:
        if delivery not in COUNTRIES_WITH_RATES:
            raise ValueError(f"Order {order['id']}: the rates of {delivery} are not in the table above.")
        if not had_rate(HOME, rate, day) and not had_rate(delivery, rate, day):
            refused.append(f"{delivery} {plain(rate)}")
    return refused


# What the law makes of the sale: a company that has always been a VAT payer, never in OSS, below the EU threshold


def vat_findings(order: Mapping[str, Any], rows: list[Row]) -> list[Finding]:
    findings = charges_unlike_the_goods(rows)
    delivery = order["shipping"]["country"] or order["billing"]["country"] or HOME
    day = supply_day(order)
    taxed = {row.rate for row in rows if row.rate and (row.net or row.vat)}
    costs = any(row.net or row.vat for row in rows)
    if delivery == HOME or (taxed and delivery not in EU_STATES):
        return findings + uncoded_rows(order, rows, set())
    if delivery not in EU_STATES:
        return [*findings, Finding("export_unproven", delivery)] if order["line_items"] else findings
    if taxed or not costs:
        foreign = {rate for rate in taxed if had_rate(delivery, rate, day) and not had_rate(HOME, rate, day)}
        findings += [Finding("oss_off", f"{delivery} {plain(rate)}") for rate in foreign]
        return findings + uncoded_rows(order, rows, set(foreign))
    code = first_filled(order, VAT_CODE_KEYS)
    if code[:2] in EU_STATES and code[:2] != HOME:
        return [*findings, Finding("vat_number_unconfirmed", code)]
    return [*findings, Finding("eu_untaxed", delivery)]


# The states whose goods and codes the recorded orders name, and the rest of the union.
EU_STATES = {
    *("AT", "BE", "BG", "HR", "CY", "CZ", "DK", "EE", "FI", "FR", "DE", "GR", "HU", "IE"),
    *("IT", "LV", "LT", "LU", "MT", "NL", "PL", "PT", "RO", "SK", "SI", "ES", "SE"),
}


def uncoded_rows(order: Mapping[str, Any], rows: list[Row], told: set[Rate]) -> list[Finding]:
    """Rows of a sale with Lithuanian VAT that the classifier has no code for; a wrong rate is told of already.

    PVM1 is 21 %, PVM3 5 %, PVM2 was 9 % until the end of 2025; the 12 % that came after are services' alone, and
    every product of the recorded shop is goods. A row that is free and without tax needs no code.
    """
    findings = []
    day = supply_day(order)
    refused = {subject.split()[1] for subject in refused_rates(order, rows)}
    coded = {Decimal(21), Decimal(5)} | ({Decimal(9)} if day.year < 2026 else set())
    for row in rows:
        free = not row.rate and not row.net and not row.vat
        if free or row.rate in coded or row.rate in told or (row.rate and plain(row.rate) in refused):
            continue
        findings.append(
            Finding("classifier_missing", f"domestic {'none' if row.rate is None else plain(row.rate)} goods")
        )
    return findings


def charges_unlike_the_goods(rows: list[Row]) -> list[Finding]:
    """A notice where shipping or a fee has a rate that no product has; untaxed goods are like those at 0 %."""
    of_goods = {row.rate or Decimal(0) for row in rows if row.is_product and row.net}
    if not of_goods:
        return []
    return [
        Finding("charge_rate_differs", f"{KIND_NAMES[row.kind]} {plain(row.rate)}", stops=False)
        for row in rows
        if row.kind in KIND_NAMES and row.net and row.rate is not None and row.rate not in of_goods
    ]


KIND_NAMES = {"shipping_lines": "shipping", "fee_lines": "fee"}


def had_rate(country: str, rate: Rate, day: date) -> bool:
    return any(
        land == country
        and Decimal(percent) == rate
        and (first is None or first <= day)
        and (last is None or day <= last)
        for land, percent, first, last in RATES
    )


# Credit notes: one of each refund, at the invoice's rates, never more than is left


def credit_notes(order: Mapping[str, Any], rows: list[Row], total: Decimal) -> list[dict[str, Any]]:
    """In the order of the refunds. All of them wait, since their invoices do."""
    left = [Row(row.of, row.kind, row.is_product, row.quantity, row.rate, row.net, row.vat) for row in rows]
    left_total = total
    limit = min(CENT * len(rows), MOST_ROUNDING)
    notes = []
    for n, refund in enumerate(refunds_of(order), start=1):
        wanted = Decimal(refund["amount"])
        codes = {"invoice_not_registered", "refund_waits"}
        if wanted > left_total:
            codes.add("refund_exceeds")
        amount = min(wanted, left_total)
        named = refunded_rows(order, refund)
        if amount == left_total:
            parts = [(row.net, row.vat) for row in left]
            unnamed = not named
        else:
            parts = parts_of(named, rows, left)
            rest = amount - sum((net + vat for net, vat in parts), Decimal(0))
            unnamed = not named or abs(rest) > limit
            if unnamed and named:
                raise ValueError(f"Refund {refund['id']} gives back more than its lines: no rule is written here.")
            if unnamed:
                parts = shared(amount, left)
        if unnamed:
            codes.add("refund_amount_only")
        for row, (net, vat) in zip(left, parts, strict=True):
            row.net, row.vat = row.net - net, row.vat - vat
        left_total -= amount
        notes.append(
            {
                "refund": str(refund["id"]),
                "number": f"{order['number']}-K{n}",
                "date": max(
                    first_day(refund, "date_created_gmt"), first_day(order, "date_paid_gmt", "date_created_gmt")
                ).isoformat(),
                "total": money(-amount),
                "vat": given_back_by_rate(rows, parts),
                "findings": sorted(codes),
            }
        )
    return notes


def refunded_rows(
    order: Mapping[str, Any], refund: Mapping[str, Any]
) -> dict[int, tuple[Decimal, dict[Rate, Decimal]]]:
    """Row of the order → net and VAT by rate that were given back of it."""
    percents = {line["rate_id"]: Decimal(str(line["rate_percent"])) for line in order["tax_lines"]}
    named: dict[int, tuple[Decimal, dict[Rate, Decimal]]] = {}
    for kind in ("line_items", "shipping_lines", "fee_lines"):
        for source in refund.get(kind, []):
            of = next(int(meta["value"]) for meta in source["meta_data"] if meta["key"] == "_refunded_item_id")
            net, by_rate = named.get(of, (Decimal(0), {}))
            for tax in source["taxes"]:
                percent = percents[tax["id"]]
                by_rate[percent] = by_rate.get(percent, Decimal(0)) - Decimal(tax["total"] or "0")
            named[of] = (net - Decimal(source["total"]), by_rate)
    return named


def parts_of(
    named: Mapping[int, tuple[Decimal, dict[Rate, Decimal]]], rows: list[Row], left: list[Row]
) -> list[tuple[Decimal, Decimal]]:
    """Net and VAT of each row of the invoice, as the refund's own rows say, within what is left of it."""
    parts = []
    for row, rest in zip(rows, left, strict=True):
        net, by_rate = named.get(row.of, (Decimal(0), {}))
        of_one = [other for other in rows if other.of == row.of]
        vat = sum(by_rate.values(), Decimal(0))
        if bool(vat) != any(other.vat for other in of_one) and (net or vat):
            raise ValueError("A refund with VAT of a row without, or without of a row with: no rule is written here.")
        if len(of_one) > 1 and net:
            raise ValueError("A refund of a row with several rates: no rule is written here.")
        parts.append((min(max(net, Decimal(0)), max(rest.net, Decimal(0))), min(vat, rest.vat)))
    return parts


def shared(amount: Decimal, left: list[Row]) -> list[tuple[Decimal, Decimal]]:
    """An amount with VAT over what is left of each row; rows that take off give their share back too."""
    grosses = [row.net + row.vat for row in left]
    whole = sum(grosses, Decimal(0))
    below = sum((gross for gross in grosses if gross < 0), Decimal(0))
    off = (amount * below / whole).quantize(CENT, rounding=ROUND_HALF_UP)
    added = to_the_cent(amount - off, [max(gross, Decimal(0)) for gross in grosses])
    taken = to_the_cent(-off, [max(-gross, Decimal(0)) for gross in grosses])
    parts = []
    for row, gross, plus, minus in zip(left, grosses, added, taken, strict=True):
        share = plus - minus
        vat = (share * row.vat / gross).quantize(CENT, rounding=ROUND_HALF_UP) if gross else Decimal(0)
        parts.append((share - vat, vat))
    return parts


def to_the_cent(amount: Decimal, weights: list[Decimal]) -> list[Decimal]:
    """Shared by weight; the largest remainders get what the whole cents leave over, the first one of equals."""
    whole = sum(weights, Decimal(0))
    exact = [amount * weight / whole if whole else Decimal(0) for weight in weights]
    shares = [share.quantize(CENT, rounding=ROUND_FLOOR) for share in exact]
    over = int((amount - sum(shares, Decimal(0))) / CENT) if whole else 0
    for index in sorted(range(len(exact)), key=lambda one: (shares[one] - exact[one], one))[:over]:
        shares[index] += CENT
    return shares


def given_back_by_rate(rows: list[Row], parts: list[tuple[Decimal, Decimal]]) -> list[dict[str, str | None]]:
    sums: dict[Rate, list[Decimal]] = {}
    for row, (net, vat) in zip(rows, parts, strict=True):
        of_rate = sums.setdefault(row.rate, [Decimal(0), Decimal(0)])
        of_rate[0] -= net
        of_rate[1] -= vat
    return [
        {"rate": None if rate is None else plain(rate), "base": money(base), "amount": money(amount)}
        for rate, (base, amount) in sorted(sums.items(), key=lambda one: (one[0] is None, -(one[0] or 0)))
        if base or amount
    ]


# Codes of the buyer


def code_findings(order: Mapping[str, Any]) -> list[Finding]:
    findings = []
    vat_code = first_filled(order, VAT_CODE_KEYS)
    if vat_code and not is_vat_code(vat_code):
        findings.append(Finding("vat_code_invalid", vat_code))
    company_code = first_filled(order, COMPANY_CODE_KEYS)
    if company_code and order["billing"]["country"] == HOME and not is_company_code(company_code):
        findings.append(Finding("company_code_invalid", company_code, stops=False))
    return findings


def first_filled(order: Mapping[str, Any], keys: tuple[str, ...]) -> str:
    meta = {entry["key"]: entry["value"] for entry in order["meta_data"]}
    return next((str(meta[key]).strip() for key in keys if str(meta.get(key) or "").strip()), "")


def is_vat_code(code: str) -> bool:
    country, digits = code[:2], code[2:]
    if country == "LT":
        return is_lithuanian_vat_code(digits)
    if country == "LV":
        return is_latvian_vat_code(digits)
    raise ValueError(f"The check digit of {code} is not described here.")


def is_lithuanian_vat_code(digits: str) -> bool:
    """9 digits, the last but one a 1 (a company), or 12, again with a 1 there; the last is a control digit."""
    if not digits.isdecimal() or len(digits) not in {9, 12} or digits[-2] != "1":
        return False
    return control_digit(digits[:-1]) == int(digits[-1])


def is_company_code(code: str) -> bool:
    """A Lithuanian company's: 9 digits, the last a control digit."""
    return code.isdecimal() and len(code) == 9 and control_digit(code[:-1]) == int(code[-1])


def control_digit(digits: str) -> int:
    """Weights 1, 2 … 9, 1 …; where they leave 10, weights 3, 4 … 9, 1 …; where these leave 10 too, 0."""
    for start in (0, 2):
        rest = sum(int(digit) * (1 + (place + start) % 9) for place, digit in enumerate(digits)) % 11
        if rest != 10:
            return rest
    return 0


def is_latvian_vat_code(digits: str) -> bool:
    """A company's: 11 digits, the first above 3."""
    if not digits.isdecimal() or len(digits) != 11:
        return False
    if digits[0] <= "3":
        raise ValueError(f"LV{digits} is a person's code, whose check is not described here.")
    weights = (9, 1, 4, 8, 3, 10, 2, 5, 7, 6, 1)
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=True)) % 11 == 3


# Days and figures


def rate_day(supplied: date) -> date:
    """Banks publish nothing on a weekend: Friday's rate counts. No holiday of theirs is in the recorded months."""
    return supplied - timedelta(days=max(supplied.weekday() - 4, 0))


def supply_day(order: Mapping[str, Any]) -> date:
    return first_day(order, "date_completed_gmt", "date_paid_gmt", "date_created_gmt")


def first_day(order: Mapping[str, Any], *names: str) -> date:
    """The local day of the first moment that the order has; its own are UTC without saying so."""
    moment = next(order[name] for name in names if order[name])
    return datetime.fromisoformat(moment).replace(tzinfo=UTC).astimezone(ZONE).date()


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
