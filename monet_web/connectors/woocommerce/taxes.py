"""Taxes of WooCommerce: a line names rate ids and amounts, the order's `tax_lines` say how many per cent they are."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from monet_web.connectors.woocommerce.fields import Problem, Record, amount, number, records, text
from monet_web.domain.orders import Tax, TaxTotal

_PERCENT_IN_LABEL = re.compile(r"(\d{1,2}(?:[.,]\d{1,3})?)\s*%", re.ASCII)
# Rounded one by one, a line's taxes may differ from its total_tax by a cent each; more is not rounding.
_ROUNDING = Decimal("0.05")


@dataclass(frozen=True, slots=True)
class Rates:
    """Rate id → (per cent or None, label). The per cent stays in the order after the shop deletes the rate."""

    by_id: Mapping[str, tuple[Decimal | None, str]] = field(default_factory=dict)

    @classmethod
    def of(cls, parent: Record, beside: Rates | None = None) -> Rates:
        """The rates of an order's or refund's `tax_lines`, with those of `beside` under them."""
        found = dict(beside.by_id) if beside else {}
        for entry in records(parent, "tax_lines"):
            rate = _percent(entry)
            rate_id = text(entry, "rate_id")
            if rate_id and (rate is not None or rate_id not in found):
                found[rate_id] = (rate, text(entry, "label"))
        return cls(found)


def line_taxes(entry: Record, rates: Rates, where: str) -> tuple[Tax, ...]:
    """A line's taxes; () when it has none, which is not the same as 0 %.

    What the lines' `total_tax` say adds up to the order's total; the amounts by rate beside them may be a cent off
    (a fee of 1.50: total_tax 0.31, by rate 0.32). So the largest of them gives way by that cent.
    """
    total = amount(entry, "total_tax", where)
    taxes = []
    for tax in records(entry, "taxes", where):
        if tax.get("total") in ("", None):
            continue  # a rate of the order that this line does not have
        rate, label = rates.by_id.get(text(tax, "id"), (None, ""))
        taxes.append(Tax(rate=rate, amount=amount(tax, "total", where + "taxes: "), label=label))
    if not taxes:
        return (Tax(rate=None, amount=total),) if total else ()
    difference = total - sum(tax.amount for tax in taxes)
    if difference and abs(difference) <= _ROUNDING:
        largest = max(range(len(taxes)), key=lambda index: abs(taxes[index].amount))
        taxes[largest] = replace(taxes[largest], amount=taxes[largest].amount + difference)
    return tuple(taxes)


def tax_totals(order: Record, rates: Rates) -> tuple[TaxTotal, ...]:
    """What the order says of each rate, shipping's tax included; rate ids of one per cent are put together."""
    merged: dict[tuple[Decimal | None, str], TaxTotal] = {}
    for entry in records(order, "tax_lines"):
        rate, label = rates.by_id.get(text(entry, "rate_id"), (_percent(entry), text(entry, "label")))
        sum_of_entry = amount(entry, "tax_total", "tax line: ") + amount(entry, "shipping_tax_total", "tax line: ")
        key = (rate, "" if rate is not None else label)
        before = merged.get(key)
        merged[key] = TaxTotal(rate, sum_of_entry + (before.amount if before else 0), label=label)
    return tuple(merged.values())


def _percent(entry: Record) -> Decimal | None:
    """`rate_percent`; only where it is missing altogether (old versions) the digits of the label."""
    if entry.get("rate_percent") is not None:
        rate = number(entry, "rate_percent", "tax line: ")
        if not 0 <= rate <= 100:
            raise Problem(f"Its tax line says {rate} per cent, which no tax has.")
        return rate
    for key in ("label", "rate_code"):
        found = _PERCENT_IN_LABEL.search(text(entry, key))
        if found:
            return Decimal(found[1].replace(",", "."))
    return None
