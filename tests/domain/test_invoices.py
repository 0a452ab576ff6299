"""An order becomes an invoice that adds up to the store's figures exactly (D5)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from monet_web.domain.invoices import Difference, Draft, DraftLine, VatLine, draft_invoice
from monet_web.domain.money import minor_unit, round_to
from monet_web.domain.orders import (
    Address,
    Buyer,
    Charge,
    LineKind,
    Order,
    OrderLine,
    Payment,
    PaymentKind,
    Tax,
    TaxTotal,
)
from monet_web.domain.settings import Settings
from tests.builders import NOON, ONA, a_charge, a_line, a_tax, an_order

VILNIUS = ZoneInfo("Europe/Vilnius")
TODAY = date(2026, 11, 24)


def drafted(order: Order, settings: Settings | None = None, **more: Any) -> Draft:
    return draft_invoice(order, settings or Settings(), zone=VILNIUS, today=TODAY, **more)


def figures(draft: Draft) -> list[tuple[str, str, str]]:
    """(net, rate, VAT) of each line."""
    return [
        (str(line.net), "none" if line.vat_rate is None else f"{line.vat_rate}", str(line.vat)) for line in draft.lines
    ]


def table(draft: Draft) -> list[tuple[str, str, str]]:
    """(rate, base, VAT) of each rate."""
    return [("none" if row.rate is None else f"{row.rate}", str(row.base), str(row.amount)) for row in draft.vat]


def adds_up(draft: Draft) -> None:
    bases: dict[Decimal | None, Decimal] = defaultdict(Decimal)
    amounts: dict[Decimal | None, Decimal] = defaultdict(Decimal)
    for line in draft.lines:
        bases[line.vat_rate] += line.net
        amounts[line.vat_rate] += line.vat
    assert {row.rate: row.base for row in draft.vat} == bases
    assert {row.rate: row.amount for row in draft.vat} == amounts
    assert len({row.rate for row in draft.vat}) == len(draft.vat)
    assert sum(row.base + row.amount for row in draft.vat) + draft.rounding == draft.total
    unit = minor_unit(draft.currency)
    for line in draft.lines:
        for amount in (line.net, line.vat, line.discount):
            assert amount == round_to(amount, unit)


# --- any order


RATES = [Decimal(rate) for rate in ("0", "5", "9", "12", "21", "25.5")]
NETS = st.integers(-500_000, 5_000_000).map(lambda units: Decimal(units).scaleb(-4))
NOISE = st.integers(-9, 9).map(lambda units: Decimal(units).scaleb(-3))


@st.composite
def taxes(draw: st.DrawFn, net: Decimal) -> tuple[Tax, ...]:
    rates = draw(st.lists(st.sampled_from(RATES), max_size=3, unique=True))
    if not rates:
        return ()
    with_bases = draw(st.booleans())
    share = net / len(rates)
    return tuple(
        Tax(
            rate,
            round_to(share * rate / 100, Decimal("0.000001")) + draw(NOISE) / 10,
            base=share if with_bases else None,
        )
        for rate in rates
    )


@st.composite
def order_lines(draw: st.DrawFn) -> OrderLine:
    net = draw(NETS)
    quantity = draw(st.sampled_from(["0", "1", "2", "3", "0.333", "1.5"]))
    return a_line(
        net=net,
        quantity=Decimal(quantity),
        taxes=draw(taxes(net)),
        discount=draw(st.sampled_from([Decimal(0), Decimal("1.00"), Decimal("0.335")])),
    )


@st.composite
def charges(draw: st.DrawFn) -> Charge:
    net = draw(NETS)
    return a_charge(net=net, taxes=draw(taxes(net)), kind=draw(st.sampled_from([LineKind.SHIPPING, LineKind.FEE])))


@st.composite
def orders(draw: st.DrawFn) -> Order:
    lines = draw(st.lists(order_lines(), max_size=5))
    extras = draw(st.lists(charges(), max_size=2))
    rows: list[OrderLine | Charge] = [*lines, *extras]
    by_rate: dict[Decimal, Decimal] = defaultdict(Decimal)
    for row in rows:
        for tax in row.taxes:
            assert tax.rate is not None
            by_rate[tax.rate] += tax.amount
    totals: tuple[TaxTotal, ...] = ()
    if draw(st.booleans()):
        totals = tuple(
            TaxTotal(rate, round_to(amount + draw(NOISE), Decimal("0.01"))) for rate, amount in by_rate.items()
        )
    total_tax = sum(by_rate.values(), Decimal(0)) + draw(NOISE)
    net = sum((row.net for row in rows), Decimal(0))
    return an_order(
        lines=tuple(lines),
        charges=tuple(extras),
        tax_totals=totals,
        currency=draw(st.sampled_from(["EUR", "EUR", "JPY", "KWD"])),
        total_tax=total_tax,
        total=net + total_tax + draw(st.sampled_from([Decimal(0), Decimal("0.01"), Decimal("-0.04"), Decimal("7.00")])),
    )


@hypothesis_settings(max_examples=400)
@given(orders(), st.sampled_from(["in_price", "lines"]))
def test_every_invoice_adds_up_to_the_store_s_total_exactly(order: Order, discounts: str) -> None:
    draft = drafted(order, Settings(discounts=discounts))
    adds_up(draft)
    assert draft.total == round_to(order.total, minor_unit(order.currency))


@given(orders(), st.sampled_from(["in_price", "lines"]))
def test_no_rate_appears_and_none_vanishes(order: Order, discounts: str) -> None:
    rows: list[OrderLine | Charge] = [*order.lines, *order.charges]
    said = {tax.rate for row in rows for tax in row.taxes} | {None for row in rows if not row.taxes}
    assert {row.rate for row in drafted(order, Settings(discounts=discounts)).vat} == said


@given(orders())
def test_total_vat_is_the_store_s_or_the_difference_is_named(order: Order) -> None:
    draft = drafted(order)
    wanted = round_to(order.total_tax, minor_unit(order.currency))
    assert draft.vat_total == wanted or "vat" in [difference.of for difference in draft.differences]


@given(orders())
def test_each_cent_that_a_line_gave_way_to_is_named(order: Order) -> None:
    """What the invoice holds less what the store's rows hold, each rounded, is what was named (D5)."""
    draft = drafted(order)
    unit = minor_unit(order.currency)
    rows: list[OrderLine | Charge] = [*order.lines, *order.charges]
    vat = sum((round_to(tax.amount, unit) for row in rows for tax in row.taxes), Decimal(0))
    net = sum((round_to(row.net, unit) for row in rows), Decimal(0))
    assert draft.vat_total - vat == moved(draft, "vat")
    assert draft.net - net == moved(draft, "base")


def moved(draft: Draft, figure: str) -> Decimal:
    return sum((one.store - one.lines for one in draft.rounded if one.of.startswith(figure)), Decimal(0))


@given(orders())
def test_more_than_the_limit_is_never_hidden_in_the_rounding(order: Order) -> None:
    draft = drafted(order)
    limit = Settings().limit_of(len(order.lines) + len(order.charges))
    assert abs(draft.rounding) <= limit or "total" in [difference.of for difference in draft.differences]


@given(orders())
def test_discounts_on_lines_of_their_own_change_no_sum(order: Order) -> None:
    in_price, lines = drafted(order), drafted(order, Settings(discounts="lines"))
    assert [(row.rate, row.base) for row in lines.vat] == [(row.rate, row.base) for row in in_price.vat]
    assert [(row.rate, row.amount) for row in lines.vat] == [(row.rate, row.amount) for row in in_price.vat]


@given(orders())
def test_the_quantity_of_an_item_is_what_was_ordered_however_many_rates_it_has(order: Order) -> None:
    draft = drafted(order)
    ordered = sum((line.quantity for line in order.lines), Decimal(0))
    assert sum((line.quantity for line in draft.lines if line.names_item), Decimal(0)) == ordered


# --- who gives way


def named(draft: Draft) -> list[tuple[str, str, str, int]]:
    """What lines gave way to: the figure, the store's, the lines', and the line that carries it."""
    return [(one.of, f"{one.store:.2f}", f"{one.lines:.2f}", one.line) for one in draft.rounded]


def two_notebooks(**changes: Any) -> Order:
    """10.00 and 20.00 at 21 %, whose VAT is 2.10 and 4.20 on the lines."""
    lines = (a_line(), a_line(external_id="12", net=Decimal("20.00"), taxes=(a_tax(amount="4.20"),)))
    return an_order(lines=lines, **changes)


def test_figures_that_agree_are_kept() -> None:
    draft = drafted(two_notebooks())
    assert figures(draft) == [("10.00", "21", "2.10"), ("20.00", "21", "4.20")]
    assert table(draft) == [("21", "30.00", "6.30")]
    assert (draft.rounding, draft.total, draft.differences) == (Decimal(0), Decimal("36.30"), ())
    assert draft.rounded == ()


def test_the_store_s_total_vat_wins_and_the_largest_line_takes_the_cent() -> None:
    draft = drafted(two_notebooks(total_tax=Decimal("6.31"), total=Decimal("36.31")))
    assert figures(draft) == [("10.00", "21", "2.10"), ("20.00", "21", "4.21")]
    assert (draft.rounding, draft.differences) == (Decimal(0), ())
    assert draft.rounded == (Difference("vat", Decimal("6.31"), Decimal("6.30"), Decimal("0.02"), "KN-01", 2),)


def test_of_equal_lines_the_first_takes_the_cent() -> None:
    order = an_order(lines=(a_line(), a_line(external_id="12")), total_tax=Decimal("4.19"), total=Decimal("24.19"))
    assert figures(drafted(order)) == [("10.00", "21", "2.09"), ("10.00", "21", "2.10")]


def test_vat_per_rate_wins_over_the_lines() -> None:
    lines = (a_line(), a_line(external_id="12", net=Decimal("10.00"), taxes=(a_tax("9", "0.90"),)))
    totals = (TaxTotal(Decimal(21), Decimal("2.09")), TaxTotal(Decimal(9), Decimal("0.91")))
    draft = drafted(an_order(lines=lines, tax_totals=totals))
    assert table(draft) == [("21", "10.00", "2.09"), ("9", "10.00", "0.91")]
    assert draft.differences == ()
    assert named(draft) == [("vat 21", "2.09", "2.10", 1), ("vat 9", "0.91", "0.90", 2)]


def test_total_vat_wins_over_vat_per_rate() -> None:
    totals = (TaxTotal(Decimal(21), Decimal("6.31")),)
    draft = drafted(two_notebooks(tax_totals=totals, total_tax=Decimal("6.30")))
    assert table(draft) == [("21", "30.00", "6.30")]
    assert draft.differences == ()
    assert named(draft) == [("vat 21", "6.31", "6.30", 2), ("vat", "6.30", "6.31", 2)]


def test_a_cent_of_the_total_vat_goes_to_the_rate_that_has_the_most_vat() -> None:
    lines = (a_line(), a_line(external_id="12", net=Decimal("100.00"), taxes=(a_tax("5", "5.00"),)))
    draft = drafted(an_order(lines=lines, total_tax=Decimal("7.11"), total=Decimal("117.11")))
    assert table(draft) == [("21", "10.00", "2.10"), ("5", "100.00", "5.01")]


def test_a_total_that_is_a_cent_more_becomes_rounding_without_vat() -> None:
    draft = drafted(two_notebooks(total=Decimal("36.31")))
    assert table(draft) == [("21", "30.00", "6.30")]
    assert (draft.rounding, draft.differences) == (Decimal("0.01"), ())


@pytest.mark.parametrize(("off", "named"), [("0.02", False), ("-0.02", False), ("0.03", True), ("-0.03", True)])
def test_a_total_further_off_than_a_cent_a_row_is_named(off: str, named: bool) -> None:
    draft = drafted(two_notebooks(total=Decimal("36.30") + Decimal(off)))
    assert draft.rounding == Decimal(off)
    store = Decimal("36.30") + Decimal(off)
    expected = (Difference("total", store, Decimal("36.30"), Decimal("0.02")),) if named else ()
    assert draft.differences == expected


def test_the_limit_of_the_integration_is_the_one_that_counts() -> None:
    order = two_notebooks(total=Decimal("36.80"))
    assert drafted(order, Settings(rounding_limit=Decimal("0.50"))).differences == ()
    assert drafted(order, Settings(rounding_limit=Decimal("0.49"))).differences != ()


def test_a_rounding_that_the_store_names_is_no_difference() -> None:
    order = an_order(lines=(a_line(net=Decimal("10.02"), taxes=(a_tax(amount="2.10"),)),), rounding=Decimal("-0.02"))
    draft = drafted(order)
    assert order.total == Decimal("12.10")
    assert (draft.rounding, draft.differences) == (Decimal("-0.02"), ())


def test_total_vat_further_off_than_the_limit_is_named_and_no_line_is_bent() -> None:
    draft = drafted(two_notebooks(total_tax=Decimal("6.00"), total=Decimal("36.30")))
    assert figures(draft) == [("10.00", "21", "2.10"), ("20.00", "21", "4.20")]
    assert draft.differences == (Difference("vat", Decimal("6.00"), Decimal("6.30"), Decimal("0.02")),)


def test_vat_of_a_rate_further_off_than_the_limit_is_named_with_both_figures() -> None:
    totals = (TaxTotal(Decimal("21.00"), Decimal("6.00")),)
    draft = drafted(two_notebooks(tax_totals=totals))
    assert draft.differences == (Difference("vat 21", Decimal("6.00"), Decimal("6.30"), Decimal("0.02")),)
    assert table(draft) == [("21", "30.00", "6.30")]


def test_vat_of_a_rate_that_no_line_has_is_named() -> None:
    totals = (TaxTotal(Decimal(21), Decimal("6.30")), TaxTotal(Decimal(9), Decimal("0.01")))
    draft = drafted(two_notebooks(tax_totals=totals))
    assert draft.differences == (Difference("vat 9", Decimal("0.01"), Decimal(0), Decimal("0.02")),)
    assert [row.rate for row in draft.vat] == [Decimal(21)]


def test_vat_is_never_put_on_lines_without_tax_or_at_zero() -> None:
    for row_taxes in ((), (a_tax("0", "0.00"),)):
        order = an_order(lines=(a_line(taxes=row_taxes),), total_tax=Decimal("0.01"), total=Decimal("10.01"))
        draft = drafted(order)
        assert draft.vat_total == 0
        assert draft.differences == (Difference("vat", Decimal("0.01"), Decimal(0), Decimal("0.01")),)


def test_the_store_s_base_of_a_rate_moves_the_largest_line() -> None:
    lines = (
        a_line(net=Decimal("10.004")),
        a_line(external_id="12", net=Decimal("20.004"), taxes=(a_tax(amount="4.20"),)),
    )
    order = an_order(lines=lines, tax_totals=(TaxTotal(Decimal(21), Decimal("6.30"), base=Decimal("30.01")),))
    draft = drafted(replace(order, total=Decimal("36.31")))
    assert figures(draft) == [("10.00", "21", "2.10"), ("20.01", "21", "4.20")]
    assert draft.rounding == 0
    assert named(draft) == [("base 21", "30.01", "30.00", 2)]


def test_the_base_of_a_rate_may_come_in_several_parts() -> None:
    parts = [("29.99", "6.30"), ("0.01", "0.00")]
    totals = tuple(TaxTotal(Decimal(21), Decimal(amount), base=Decimal(base)) for base, amount in parts)
    draft = drafted(two_notebooks(tax_totals=totals))
    assert table(draft) == [("21", "30.00", "6.30")]
    assert draft.rounding == 0


def test_a_base_that_is_told_for_a_part_of_a_rate_moves_nothing() -> None:
    totals = (TaxTotal(Decimal(21), Decimal("6.30"), base=Decimal("29.99")), TaxTotal(Decimal(21), Decimal("0.00")))
    assert table(drafted(two_notebooks(tax_totals=totals))) == [("21", "30.00", "6.30")]


# --- rows


def test_a_fee_of_two_rates_is_split_by_what_each_rate_taxes() -> None:
    fee = a_charge(kind=LineKind.FEE, net=Decimal("-3.00"), taxes=(a_tax("9", "-0.08"), a_tax("21", "-0.45")))
    draft = drafted(an_order(charges=(fee,)))
    assert figures(draft)[1:] == [("-0.88", "9", "-0.08"), ("-2.12", "21", "-0.45")]
    assert draft.rounding == 0


def test_a_row_of_two_rates_keeps_the_store_s_own_bases() -> None:
    row_taxes = (a_tax("9", "0.36", base="4.00"), a_tax("21", "1.26", base="6.00"))
    draft = drafted(an_order(lines=(a_line(taxes=row_taxes),)))
    assert figures(draft) == [("4.00", "9", "0.36"), ("6.00", "21", "1.26")]


def test_a_base_named_for_one_of_two_rates_weighs_as_much_as_one_worked_out() -> None:
    row_taxes = (a_tax("9", "0.36", base="4.00"), a_tax("21", "1.26"))
    draft = drafted(an_order(lines=(a_line(taxes=row_taxes),)))
    assert figures(draft) == [("4.00", "9", "0.36"), ("6.00", "21", "1.26")]


def test_what_other_rates_do_not_tax_belongs_to_the_rate_of_zero() -> None:
    row_taxes = (a_tax("0", "0.00"), a_tax("21", "1.26"))
    draft = drafted(an_order(charges=(a_charge(net=Decimal("10.00"), taxes=row_taxes),)))
    assert figures(draft)[1:] == [("4.00", "0", "0.00"), ("6.00", "21", "1.26")]


def test_a_rate_of_zero_gets_nothing_that_rounding_explains() -> None:
    # 2.09 at 21 % is of 9.95, but also of 9.98, whose 2.0958 a store may cut off.
    row_taxes = (a_tax("0", "0.00"), a_tax("21", "2.09"))
    draft = drafted(an_order(charges=(a_charge(net=Decimal("9.98"), taxes=row_taxes),)))
    assert figures(draft)[1:] == [("0.00", "0", "0.00"), ("9.98", "21", "2.09")]


def test_bases_of_a_row_may_have_opposite_signs() -> None:
    row_taxes = (a_tax("9", "-0.18", base="-2.00"), a_tax("21", "0.84", base="4.00"))
    draft = drafted(an_order(charges=(a_charge(net=Decimal("2.00"), taxes=row_taxes),)))
    assert figures(draft)[1:] == [("-2.00", "9", "-0.18"), ("4.00", "21", "0.84")]


def test_an_item_of_two_rates_leaves_the_stock_once() -> None:
    row_taxes = (a_tax("9", "0.36", base="4.00"), a_tax("21", "1.26", base="6.00"))
    draft = drafted(an_order(lines=(a_line(quantity=Decimal(5), taxes=row_taxes),)))
    assert [(line.quantity, line.unit_price) for line in draft.lines] == [
        (Decimal(2), Decimal("2.000000")), (Decimal(3), Decimal("2.000000")),
    ]  # fmt: skip


def test_no_tax_is_not_zero_per_cent() -> None:
    lines = (a_line(taxes=()), a_line(external_id="12", taxes=(a_tax("0", "0.00"),)))
    draft = drafted(an_order(lines=lines))
    assert draft.vat == (VatLine(Decimal(0), Decimal("10.00"), Decimal(0)), VatLine(None, Decimal("10.00"), Decimal(0)))
    assert [line.rate_known for line in draft.lines] == [True, True]


def test_a_tax_whose_rate_the_store_does_not_say_is_marked() -> None:
    draft = drafted(an_order(lines=(a_line(taxes=(a_tax(None, "2.10"),)),)))
    assert [(line.vat_rate, line.vat, line.rate_known) for line in draft.lines] == [(None, Decimal("2.10"), False)]


def test_a_tax_collected_by_a_marketplace_is_marked() -> None:
    draft = drafted(an_order(lines=(a_line(taxes=(a_tax(collected_by_marketplace=True),)),)))
    assert [line.by_marketplace for line in draft.lines] == [True]


def test_a_quantity_of_zero_is_kept_and_divides_nothing() -> None:
    [line] = drafted(an_order(lines=(a_line(quantity=Decimal(0)),))).lines
    assert (line.quantity, line.unit_price, line.net) == (Decimal(0), Decimal("10.00"), Decimal("10.00"))


def test_decimals_of_the_store_are_rounded_line_by_line() -> None:
    order = an_order(lines=(a_line(net=Decimal("8.2562"), quantity=Decimal("0.333"), taxes=(a_tax(amount="1.7338"),)),))
    [line] = drafted(order).lines
    assert (line.net, line.vat, line.quantity) == (Decimal("8.26"), Decimal("1.73"), Decimal("0.333"))
    assert line.unit_price == Decimal("24.804805")


def discounted(**changes: Any) -> Order:
    """Two pieces for 20.00 each before a discount of 4.00: net 36.00, VAT 7.56."""
    line = a_line(
        quantity=Decimal(2), net=Decimal("36.00"), discount=Decimal("4.00"), taxes=(a_tax(amount="7.56"),), **changes
    )
    return an_order(lines=(line,))


def lines_of(draft: Draft) -> list[tuple[LineKind, str, str, str, str]]:
    return [
        (line.kind, str(line.quantity.normalize()), str(line.unit_price.normalize()), str(line.net), str(line.vat))
        for line in draft.lines
    ]


def test_a_discount_in_the_price_lowers_the_price() -> None:
    assert lines_of(drafted(discounted())) == [(LineKind.GOODS, "2", "18", "36.00", "7.56")]
    assert [line.discount for line in drafted(discounted()).lines] == [Decimal(0)]


def test_a_discount_on_a_line_of_its_own_has_the_rate_of_its_goods() -> None:
    draft = drafted(discounted(), Settings(discounts="lines"))
    assert lines_of(draft) == [
        (LineKind.GOODS, "2", "2E+1", "40.00", "8.40"),
        (LineKind.DISCOUNT, "1", "-4", "-4.00", "-0.84"),
    ]
    assert table(draft) == [("21", "36.00", "7.56")]
    assert [line.names_item for line in draft.lines] == [True, False]


def test_what_is_free_after_its_discount_keeps_both_lines() -> None:
    line = a_line(net=Decimal("0.00"), discount=Decimal("10.00"), taxes=(a_tax(amount="0.00"),))
    draft = drafted(an_order(lines=(line,)), Settings(discounts="lines"))
    assert lines_of(draft) == [
        (LineKind.GOODS, "1", "1E+1", "10.00", "0.00"),
        (LineKind.DISCOUNT, "1", "-1E+1", "-10.00", "0"),
    ]


def test_yen_have_no_decimals() -> None:
    lines = (a_line(net=Decimal("1000.4"), taxes=(a_tax("10", "100.04"),)),)
    draft = drafted(an_order(lines=lines, currency="JPY"))
    assert figures(draft) == [("1000", "10", "100")]
    assert (draft.total, draft.rounding) == (Decimal(1100), Decimal(0))


def test_rates_are_listed_from_the_highest_and_no_tax_last() -> None:
    lines = tuple(
        a_line(external_id=str(n), taxes=row_taxes)
        for n, row_taxes in enumerate([(), (a_tax("0", "0"),), (a_tax("5", "0.50"),), (a_tax("21", "2.10"),)])
    )
    assert [row.rate for row in drafted(an_order(lines=lines)).vat] == [Decimal(21), Decimal(5), Decimal(0), None]


def test_an_order_without_lines_is_drafted_too() -> None:
    draft = drafted(an_order(lines=(), total=Decimal("5.00"), total_tax=Decimal(0)))
    assert (draft.lines, draft.vat, draft.rounding) == ((), (), Decimal("5.00"))
    assert [difference.of for difference in draft.differences] == ["total"]


# --- dates, codes, payments


def test_days_are_the_company_s() -> None:
    late = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)  # half past one on the 23rd in Vilnius
    order = an_order(placed_at=datetime(2026, 11, 20, 10, 0, tzinfo=UTC), paid_at=late, shipped_at=NOON)
    assert drafted(order).issue_date == date(2026, 11, 23)


@pytest.mark.parametrize(
    ("setting", "day"), [("paid", date(2026, 11, 21)), ("order", date(2026, 11, 20)), ("import", date(2026, 11, 24))]
)
def test_the_invoice_date_is_the_chosen_one(setting: str, day: date) -> None:
    order = an_order(
        placed_at=datetime(2026, 11, 20, 10, 0, tzinfo=UTC), paid_at=datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
    )
    assert drafted(order, Settings(invoice_date=setting)).issue_date == day


def test_an_unpaid_order_is_dated_by_the_order() -> None:
    assert drafted(an_order(paid_at=None)).issue_date == date(2026, 11, 23)


def test_the_store_s_own_invoice_keeps_its_date_and_number() -> None:
    order = an_order(invoice_number="SF-7", invoice_date=datetime(2026, 11, 22, 10, 0, tzinfo=UTC))
    draft = drafted(order, Settings(issued_by="store", invoice_date="import"))
    assert (draft.issue_date, draft.store_number) == (date(2026, 11, 22), "SF-7")
    assert drafted(order, Settings(issued_by="monet")).issue_date == date(2026, 11, 23)


@pytest.mark.parametrize(
    ("shipped", "paid", "day"),
    [
        (datetime(2026, 11, 22, 10, tzinfo=UTC), datetime(2026, 11, 21, 10, tzinfo=UTC), date(2026, 11, 22)),
        (None, datetime(2026, 11, 21, 10, tzinfo=UTC), date(2026, 11, 21)),
        (None, None, date(2026, 11, 20)),
    ],
)
def test_the_supply_date_is_shipped_else_paid_else_order(
    shipped: datetime | None, paid: datetime | None, day: date
) -> None:
    order = an_order(placed_at=datetime(2026, 11, 20, 10, tzinfo=UTC), paid_at=paid, shipped_at=shipped)
    assert drafted(order).supply_date == day


def test_codes_come_from_the_chosen_field_else_the_usual_ones_else_the_buyer() -> None:
    buyer = Buyer(name="UAB Knyga", company_code="1", vat_code="LT1")
    order = an_order(buyer=buyer, fields={"_code": " 2 ", "_vat": "LT2", "_mine": "3"})
    usual: dict[str, Any] = {"company_code_fields": ("_none", "_code"), "vat_code_fields": ("_vat",)}
    assert (drafted(order).company_code, drafted(order).vat_code) == ("1", "LT1")
    assert (drafted(order, **usual).company_code, drafted(order, **usual).vat_code) == ("2", "LT2")
    chosen = Settings(company_code_from="_mine", vat_code_from="_missing")
    assert (drafted(order, chosen, **usual).company_code, drafted(order, chosen, **usual).vat_code) == ("3", "")


def test_the_country_is_that_of_delivery_else_the_buyer_s() -> None:
    assert drafted(an_order(ship_to=Address(country="LV"))).ship_country == "LV"
    assert drafted(an_order(ship_to=Address())).ship_country == ONA.address.country == "LT"


@pytest.mark.parametrize(
    ("treatment", "kind"),
    [
        ("prepaid", PaymentKind.PREPAID),
        ("cash on delivery", PaymentKind.CASH_ON_DELIVERY),
        ("cash with receipt", PaymentKind.CASH_WITH_RECEIPT),
        ("gift card", PaymentKind.GIFT_CARD),
        ("skip", PaymentKind.UNKNOWN),
    ],
)
def test_a_payment_is_treated_as_its_method_is_set(treatment: str, kind: PaymentKind) -> None:
    order = an_order(payments=(Payment("cod", "Cash", Decimal("12.10")), Payment("bacs", "Bank", Decimal(0))))
    draft = drafted(order, Settings(payment_methods={"cod": treatment}))
    assert [payment.kind for payment in draft.payments] == [kind, PaymentKind.UNKNOWN]


def test_only_goods_and_services_name_items() -> None:
    [line] = drafted(an_order()).lines
    naming = {kind for kind in LineKind if replace(line, kind=kind).names_item}
    assert naming == {LineKind.GOODS, LineKind.SERVICE}
    assert isinstance(line, DraftLine)
