"""What people decided is laid over drafts and findings: totals never move, and what it was about must still hold."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monet_web.domain.decided import (
    BuyerCodes,
    Decided,
    Figures,
    RightRate,
    applied,
    ended,
    figures_of,
    identity,
    lines_at,
    settled,
)
from monet_web.domain.findings import Finding, describe
from monet_web.domain.invoices import Draft, draft_invoice
from monet_web.domain.orders import Order
from monet_web.domain.settings import Settings
from tests.builders import NOON, ONA, a_charge, a_line, a_tax, an_order


def draft(order: Order) -> Draft:
    return draft_invoice(order, Settings(), zone=ZoneInfo("Europe/Vilnius"), today=NOON.date())


def rated(rate: str, wrong: str = "9", **line: object) -> Draft:
    return chosen(draft(an_order(lines=(a_line(**line),))), rate, wrong)


def chosen(before: Draft, rate: str, wrong: str = "9") -> Draft:
    """The draft with the rate chosen for the very lines it has."""
    return applied(before, Decided(rates={wrong: RightRate(Decimal(rate), lines_at(before.lines, wrong))}))


def test_a_line_at_another_rate_keeps_what_was_paid() -> None:
    done = rated("21", net=Decimal("100.00"), taxes=(a_tax("9", "9.00"),))
    [line] = done.lines
    assert (line.vat_rate, line.net, line.vat, line.unit_price) == (
        Decimal(21), Decimal("90.08"), Decimal("18.92"), Decimal("90.08"),
    )  # fmt: skip
    assert [(row.rate, row.base, row.amount) for row in done.vat] == [(Decimal(21), Decimal("90.08"), Decimal("18.92"))]
    assert (done.total, done.rounding) == (Decimal("109.00"), Decimal(0))


def test_amounts_of_the_store_that_fit_the_right_rate_stand() -> None:
    [line] = rated("21", "", taxes=(a_tax(None, "2.11"),)).lines  # 2.10 would be exact; a cent is rounding
    assert (line.net, line.vat, line.rate_known) == (Decimal("10.00"), Decimal("2.11"), True)
    [line] = rated("21", "", taxes=(a_tax(None, "2.12"),)).lines
    assert line.net + line.vat == Decimal("12.12")
    assert line.vat == Decimal("2.10")


def test_lines_of_other_rates_and_without_tax_stay_as_they_are() -> None:
    order = an_order(
        lines=(a_line(), a_line(external_id="12", taxes=())), charges=(a_charge(taxes=(a_tax("9", "0.36"),)),)
    )
    before = draft(order)
    done = chosen(before, "12")
    assert done.lines[:2] == before.lines[:2]
    assert done.lines[2].vat_rate == Decimal(12)


def test_a_discount_stays_and_the_price_follows() -> None:
    [line] = rated(
        "21", net=Decimal("100.00"), discount=Decimal("10.00"), quantity=Decimal(2), taxes=(a_tax("9", "9.00"),)
    ).lines  # within the price: the discount is no line of its own
    assert line.unit_price * line.quantity - line.discount == line.net


@given(
    net=st.decimals(min_value=-9999, max_value=9999, places=2),
    vat=st.decimals(min_value=0, max_value=500, places=2),
    rate=st.sampled_from(["0", "5", "12", "21"]),
)
def test_whatever_the_rate_the_sum_of_bases_vat_and_rounding_is_the_total(
    net: Decimal, vat: Decimal, rate: str
) -> None:
    before = draft(an_order(lines=(a_line(net=net, taxes=(a_tax("9", str(vat)),)),)))
    done = chosen(before, rate)
    assert done.total == before.total
    assert sum(row.base + row.amount for row in done.vat) + done.rounding == done.total
    assert sum(line.net + line.vat for line in done.lines) == sum(line.net + line.vat for line in before.lines)


def test_codes_of_the_buyer_are_replaced_only_where_they_are_those_that_were_seen() -> None:
    wrong = draft(an_order(buyer=replace(ONA, vat_code="LT1", company_code="7", company="UAB A")))
    codes = BuyerCodes("LT1", "LT100001738313", company="UAB B", of=identity(wrong.buyer))
    done = applied(wrong, Decided(buyer=codes))
    assert (done.vat_code, done.company_code, done.buyer.company) == ("LT100001738313", "7", "UAB B")
    corrected_in_the_store = draft(an_order(buyer=replace(ONA, vat_code="LT2", company="UAB A")))
    assert applied(corrected_in_the_store, Decided(buyer=codes)) == corrected_in_the_store


@pytest.mark.parametrize("other", [
    {"net": Decimal("100.00"), "taxes": (a_tax("9", "9.00"),)},
    {"external_id": "99", "taxes": (a_tax("9", "0.90"),)},
    {"sku": "OTHER", "taxes": (a_tax("9", "0.90"),)},
    {"name": "Theatre ticket", "taxes": (a_tax("9", "0.90"),)},
])  # fmt: skip
def test_a_rate_chosen_for_other_lines_does_not_hold_and_says_so(other: dict[str, Any]) -> None:
    seen = draft(an_order(lines=(a_line(taxes=(a_tax("9", "0.90"),)),)))
    decided = Decided(rates={"9": RightRate(Decimal(21), lines_at(seen.lines, "9"), "jonas")})
    assert ended(seen, decided) == []
    now = draft(an_order(lines=(a_line(**other),)))
    assert applied(now, decided) == now
    (notice,) = ended(now, decided)
    paid = f"{now.lines[0].net + now.lines[0].vat:.2f}"
    assert (notice.code, notice.stops, notice.values["now"]) == ("rate_decision_ended", False, paid)
    assert describe(notice).wrong == (
        f"jonas chose VAT of 21 % for 10.90 EUR; the lines at that rate come to {paid} EUR now."
    )
    corrected_in_the_store = draft(an_order(lines=(a_line(taxes=(a_tax("21", "2.10"),)),)))
    assert ended(corrected_in_the_store, decided) == []


@pytest.mark.parametrize("changed", [
    {"name": "Petras"}, {"company": "UAB Kita"}, {"email": "petras@example.com"},
    {"address": replace(ONA.address, country="LV")},
])  # fmt: skip
def test_codes_of_one_buyer_are_not_given_to_another_who_has_none_either(changed: dict[str, Any]) -> None:
    seen = draft(an_order())
    decided = Decided(buyer=BuyerCodes("", "LT100001738313", of=identity(seen.buyer), who="jonas"))
    assert applied(seen, decided).vat_code == "LT100001738313"
    assert ended(seen, decided) == []
    now = draft(an_order(buyer=replace(ONA, **changed)))
    assert applied(now, decided) == now
    (notice,) = ended(now, decided)
    assert (notice.code, notice.stops, notice.values["who"]) == ("buyer_decision_ended", False, "jonas")


FOUND = Finding(
    "total_differs", "0.10 EUR",
    {"store": "12.20", "lines": "12.10", "difference": "0.10", "currency": "EUR", "limit": "0.01"},
)  # fmt: skip


def test_an_accepted_difference_is_a_notice_that_says_who() -> None:
    [notice] = settled([FOUND], Decided(accepted={figures_of(FOUND): "jonas"}))
    assert (notice.code, notice.subject, notice.stops, notice.values["who"]) == (
        "difference_accepted", "total_differs 0.10 EUR", False, "jonas",
    )  # fmt: skip


@pytest.mark.parametrize("figures", [
    Figures("total_differs", "0.10 EUR", "12.21", "12.11"),  # the order has changed by as much on both sides
    Figures("total_differs", "0.11 EUR", "12.20", "12.10"),
    Figures("vat_differs", "0.10 EUR", "12.20", "12.10"),
])  # fmt: skip
def test_other_figures_stop_again(figures: Figures) -> None:
    assert settled([FOUND], Decided(accepted={figures: "jonas"})) == [FOUND]


def test_what_is_no_matter_of_figures_is_never_accepted() -> None:
    other = Finding("item_unknown", "KN-01", {"store": "1", "lines": "2"})
    assert settled([other], Decided(accepted={figures_of(other): "jonas"})) == [other]
