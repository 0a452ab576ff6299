"""Corrections: what is typed over a waiting invoice, to the cent, and who may change what (E3, D5)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monet_web.domain import corrections
from monet_web.domain.correction_lines import Line
from monet_web.domain.correction_typed import Typed, TypedLine
from monet_web.domain.corrections import Change, Corrected, Standing
from monet_web.domain.findings import describe
from monet_web.domain.invoices import draft_invoice
from monet_web.domain.measured import Said, kinds_changed
from monet_web.domain.orders import Order
from monet_web.domain.settings import Settings
from tests.builders import a_charge, a_line, a_tax, an_order

LIMIT = Decimal("0.05")


def standing(order: Order) -> Standing:
    """The invoice of an order before anybody touched it."""
    draft = draft_invoice(order, Settings(), zone=ZoneInfo("Europe/Vilnius"), today=date(2026, 11, 24))
    return Standing(draft, tuple(Line(line, item=line.sku) for line in draft.lines), number=order.number)


def said(order: Order) -> Said:
    return Said(order.total, order.total_tax, standing(order).draft.lines, order.rounding)


def form(order: Order, head: dict[str, str] | None = None, /, **line: Any) -> Typed:
    """The form of the order's invoice with some fields of the head and some cells of its first line changed."""
    typed = corrections.as_typed(standing(order), said(order))
    lines = (replace(typed.lines[0], **line), *typed.lines[1:])
    return Typed({**typed.fields, **(head or {})}, lines)


def corrected(order: Order, typed: Typed, *, may_amounts: bool = True, before: Standing | None = None) -> Corrected:
    done = corrections.correct(before or standing(order), typed, said(order), limit=LIMIT, may_amounts=may_amounts)
    draft = done.draft
    assert draft.net + draft.vat_total + draft.rounding == draft.total
    for row in draft.vat:
        of_rate = [line for line in draft.lines if line.vat_rate == row.rate]
        assert row.base == sum(line.net for line in of_rate)
        assert row.amount == sum(line.vat for line in of_rate)
    return done


def amounts(done: Corrected) -> list[tuple[str, str]]:
    return [(f"{line.net:.2f}", f"{line.vat:.2f}") for line in done.draft.lines]


ODD = an_order(
    lines=(
        a_line(external_id="11", quantity=Decimal(3), net=Decimal("24.77"), taxes=(a_tax(amount="5.21"),)),
        a_line(external_id="12", sku="BK-5", net=Decimal("20.00"), taxes=(a_tax("5", "1.00"),)),
    ),
    charges=(a_charge(),),
)


def test_a_form_sent_back_as_it_was_changes_nothing() -> None:
    typed = corrections.as_typed(standing(ODD), said(ODD))
    done = corrected(ODD, typed)
    assert done.draft == standing(ODD).draft
    assert done.lines == standing(ODD).lines
    assert not done.errors
    assert corrections.changes(typed, typed) == ()


def test_figures_written_otherwise_are_the_same_figures() -> None:
    typed = form(ODD, quantity="3,000", price=" 8,2566670 ", discount="0")
    assert corrected(ODD, typed).draft == standing(ODD).draft
    assert (
        corrections.changes(form(ODD), replace(typed, lines=(replace(typed.lines[0], discount=""), *typed.lines[1:])))
        == ()
    )


def test_another_quantity_moves_net_vat_and_total_and_names_both_totals() -> None:
    order = an_order(lines=(a_line(net=Decimal("10.00")),))
    done = corrected(order, form(order, quantity="2"))
    assert amounts(done) == [("20.00", "4.20")]
    assert done.draft.total == Decimal("24.20")
    assert done.draft.rounding == 0
    assert [(one.of, one.store, one.lines) for one in done.draft.differences] == [
        ("total", Decimal("12.10"), Decimal("24.20")),
        ("quantity 1", Decimal(1), Decimal(2)),
    ]


def test_a_difference_that_rounding_explains_leaves_the_stores_total() -> None:
    order = an_order()
    done = corrected(order, form(order, price="9.98"))
    assert amounts(done) == [("9.98", "2.10")]
    assert (done.draft.total, done.draft.rounding) == (Decimal("12.10"), Decimal("0.02"))
    assert done.draft.differences == ()


def test_lines_that_come_to_what_they_came_to_before_leave_total_and_rounding() -> None:
    order = an_order(total=Decimal("15.10"))
    before = standing(order)
    assert before.draft.rounding == Decimal("3.00")
    done = corrected(order, form(order, name="Notebook, blue"))
    assert (done.draft.total, done.draft.rounding) == (Decimal("15.10"), Decimal("3.00"))
    assert [one.of for one in done.draft.differences] == ["total"]


def test_the_line_that_was_missing_is_added_and_the_store_agrees() -> None:
    order = an_order(total=Decimal("16.94"), total_tax=Decimal("2.94"))
    typed = form(order)
    missing = TypedLine(row="7", kind="shipping", name="Courier", quantity="1", price="4", vat_rate="21")
    done = corrected(order, replace(typed, lines=(*typed.lines, missing)), may_amounts=False)
    assert amounts(done) == [("10.00", "2.10"), ("4.00", "0.84")]
    assert (done.draft.total, done.draft.rounding, done.draft.differences) == (Decimal("16.94"), Decimal(0), ())
    assert done.rows == ("1", "7")


def test_a_removed_line_is_gone_and_a_blank_one_does_not_matter() -> None:
    typed = form(ODD)
    done = corrected(ODD, replace(typed, lines=(typed.lines[1], TypedLine(row="9"))))
    assert [line.draft.sku for line in done.lines] == ["BK-5"]


def test_a_line_of_the_store_that_somebody_else_removed_comes_back_whole() -> None:
    whole = standing(ODD)
    less = replace(whole, lines=whole.lines[1:])
    done = corrected(ODD, form(ODD), before=less)
    assert done.draft.lines[0].product_id == "501"
    assert amounts(done)[0] == ("24.77", "5.21")


def test_the_stores_vat_stands_where_net_and_rate_are_the_stores() -> None:
    odd = an_order(lines=(a_line(net=Decimal("10.00"), taxes=(a_tax(amount="2.11"),)),))
    away = corrected(odd, form(odd, quantity="2"))
    assert amounts(away) == [("20.00", "4.20")]
    before = replace(standing(odd), draft=away.draft, lines=away.lines)
    back = corrected(odd, form(odd), before=before)
    assert amounts(back) == [("10.00", "2.11")]


# --- VAT ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("vat", ["2.09", "2,10", "2.11"])
def test_an_accountant_moves_the_vat_of_a_line_by_a_cent(vat: str) -> None:
    done = corrected(an_order(), form(an_order(), vat=vat))
    assert not done.errors
    assert done.draft.lines[0].vat == Decimal(vat.replace(",", "."))
    assert done.draft.total == Decimal("12.10")


def test_more_than_a_cent_a_line_is_refused_with_what_may_be_typed() -> None:
    done = corrected(an_order(), form(an_order(), vat="2.12"))
    assert done.errors == {"vat-1": "It may differ from 2.10 by 0.01. Type 2.09 to 2.11."}
    assert done.draft.lines[0].vat == Decimal("2.10")


def test_a_cent_a_line_does_not_walk_away_correction_after_correction() -> None:
    order = an_order()
    once = corrected(order, form(order, vat="2.11"))
    before = replace(standing(order), draft=once.draft, lines=once.lines)
    assert corrections.as_typed(before, said(order)).lines[0].vat == "2.11"
    assert "vat-1" in corrected(order, form(order, vat="2.12"), before=before).errors
    assert amounts(corrected(order, form(order, vat=""), before=before)) == [("10.00", "2.10")]


def test_the_vat_of_a_document_moves_by_five_cents_at_most() -> None:
    lines = tuple(a_line(external_id=str(number)) for number in range(6))
    order = an_order(lines=lines)
    typed = corrections.as_typed(standing(order), said(order))
    five = replace(typed, lines=(*(replace(line, vat="2.11") for line in typed.lines[:5]), typed.lines[5]))
    assert not corrected(order, five).errors
    six = replace(typed, lines=tuple(replace(line, vat="2.11") for line in typed.lines))
    assert corrected(order, six).errors == {"vat": "The VAT of all lines may differ by 0.05 in all, not by 0.06."}


def test_amounts_of_vat_rates_and_dates_are_the_accountants() -> None:
    typed = form(an_order(), {"issue_date": "2026-11-30"}, vat="2.11", vat_rate="5")
    done = corrected(an_order(), typed, may_amounts=False)
    assert done.errors == {
        "vat-1": "Only an accountant changes an amount of VAT.",
        "vat_rate-1": "Only an accountant changes a rate.",
        "issue_date": "Only an accountant changes it.",
    }
    assert done.draft == standing(an_order()).draft


def test_another_rate_leaves_what_the_buyer_paid() -> None:
    done = corrected(an_order(), form(an_order(), vat_rate="5"))
    assert amounts(done) == [("11.52", "0.58")]
    assert done.draft.lines[0].unit_price == Decimal("11.52")
    assert (done.draft.total, done.draft.rounding) == (Decimal("12.10"), Decimal(0))
    assert [(one.of, one.store, one.lines) for one in done.draft.differences] == [
        ("vat", Decimal("2.10"), Decimal("0.58"))
    ]


def test_the_stores_own_rate_chosen_again_brings_its_very_amounts() -> None:
    away = corrected(ODD, form(ODD, vat_rate="5"))
    before = replace(standing(ODD), draft=away.draft, lines=away.lines)
    typed = corrections.as_typed(before, said(ODD))
    back = corrected(
        ODD, replace(typed, lines=(replace(typed.lines[0], vat_rate="21", vat=""), *typed.lines[1:])), before=before
    )
    assert amounts(back) == amounts(corrected(ODD, form(ODD)))


def test_a_rate_that_the_store_does_not_say_is_chosen_by_the_office_and_moves_nothing() -> None:
    order = an_order(lines=(a_line(taxes=(a_tax(None),)),))
    done = corrected(order, form(order, vat_rate="21"), may_amounts=False)
    assert not done.errors
    assert amounts(done) == [("10.00", "2.10")]
    assert done.draft.lines[0].rate_known


def test_no_vat_is_not_nought_per_cent() -> None:
    done = corrected(an_order(), form(an_order(), vat_rate=""))
    assert amounts(done) == [("12.10", "0.00")]
    assert done.draft.vat[0].rate is None
    assert corrected(an_order(), form(an_order(), vat_rate="0")).draft.vat[0].rate == 0


def test_a_currency_without_cents_moves_by_its_own_smallest_amount() -> None:
    order = an_order(
        currency="JPY", total=Decimal(1210), total_tax=Decimal(210),
        lines=(a_line(net=Decimal(1000), taxes=(a_tax(amount="210"),)),),
    )  # fmt: skip
    assert not corrected(order, form(order, vat="211")).errors
    assert corrected(order, form(order, vat="212")).errors
    assert corrected(order, form(order, discount="0.5")).errors == {
        "discount-1": "“0.5” is too fine. Type at most 0 decimals."
    }


# --- mistakes -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "text", "sentence"),
    [
        ("quantity", "two", "“two” is not a number. Type it as 2 or 0,5."),
        ("quantity", "", "Type it, for example 2 or 0,5."),
        ("quantity", "1.0000001", "“1.0000001” is too fine. Type at most 6 decimals."),
        ("price", "1e5", "“1e5” is not a number. Type it as 14.88."),
        ("price", "123456789012", "123456789012 is too large to be true."),
        ("discount", "-1", "A discount is typed without a minus: it is taken off."),
        ("vat_rate", "101", "101 is no rate of VAT. Choose one of the list."),
        ("vat_rate", "NaN", "“NaN” is not a number. Type it as 21."),
        ("name", " ", "Type what was sold."),
        ("kind", "stolen", "“stolen” is no kind of line. Choose one of the list."),
    ],
)
def test_a_cell_that_can_not_be_used_is_named_and_keeps_its_value(cell: str, text: str, sentence: str) -> None:
    done = corrected(an_order(), form(an_order(), **{cell: text}))
    assert done.errors == {f"{cell}-1": sentence}
    assert done.draft == standing(an_order()).draft


def test_quantity_times_price_may_be_too_large_together() -> None:
    done = corrected(an_order(), form(an_order(), quantity="90000000000", price="90000000000"))
    assert done.errors == {"quantity-1": "Quantity times price is too large to be true."}


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("country", "LTU", "“LTU” is not a country. Type its two letters, for example LT."),
        ("supply_date", "24.11.2026", "“24.11.2026” is not a date. Type it as 2026-11-24."),
        ("issue_date", "0026-11-24", "0026-11-24 can't be. Type a day of these years."),
        ("vat_date", "soon", "“soon” is not a date. Type it as 2026-11-24."),
        ("number", "9" * 121, "It is longer than 120 signs. Type it shorter."),
    ],
)
def test_a_field_of_the_head_that_can_not_be_used_is_named(name: str, text: str, sentence: str) -> None:
    done = corrected(an_order(), form(an_order(), {name: text}))
    assert done.errors == {name: sentence}
    assert done.draft == standing(an_order()).draft
    assert done.number == "1001"


def test_the_head_takes_buyer_dates_number_and_note() -> None:
    head = {
        "company": "UAB Pavyzdys", "vat_code": "LT100001738313", "company_code": "110053842", "country": "lv",
        "ship_country": "ee", "issue_date": "2026-11-25", "supply_date": "2026-11-20", "vat_date": "2026-11-21",
        "number": "KL-7", "note": "Gift\nfor a friend",
    }  # fmt: skip
    done = corrected(an_order(), form(an_order(), head))
    draft = done.draft
    assert not done.errors
    assert (draft.buyer.company, draft.vat_code, draft.company_code) == ("UAB Pavyzdys", "LT100001738313", "110053842")
    assert (draft.buyer.address.country, draft.ship_country) == ("LV", "EE")
    assert (draft.issue_date, draft.supply_date) == (date(2026, 11, 25), date(2026, 11, 20))
    assert (done.vat_date, done.number, done.note) == (date(2026, 11, 21), "KL-7", "Gift\nfor a friend")


def test_a_field_that_the_form_does_not_have_stays() -> None:
    before = replace(standing(an_order()), vat_date=date(2026, 11, 2), note="kept")
    done = corrected(an_order(), Typed({}, form(an_order()).lines), before=before)
    assert (done.draft, done.vat_date, done.note) == (before.draft, date(2026, 11, 2), "kept")


# --- what differs -------------------------------------------------------------------------------------------------


def test_changes_name_fields_lines_added_and_removed() -> None:
    typed = corrections.as_typed(standing(ODD), said(ODD))
    after = Typed(
        {**typed.fields, "number": "KL-7"},
        (
            replace(typed.lines[1], quantity="2"),
            typed.lines[2],
            TypedLine(row="8", name="Gift wrapping", quantity="1", price="1"),
        ),
    )
    assert corrections.changes(typed, after) == (
        Change("number", 0, "1001", "KL-7"),
        Change("quantity", 1, "1", "2"),
        Change("added", 3, "", "Gift wrapping"),
        Change("removed", 1, "Notebook", ""),
    )


_figure = st.decimals(min_value=-1000, max_value=1000, places=4, allow_nan=False).map(str)


@given(
    st.lists(
        st.tuples(_figure, _figure, st.sampled_from(["21", "5", "0", "", "12"]), st.sampled_from(["", "0.5", "3"])),
        min_size=1,
        max_size=6,
    )
)
def test_whatever_is_typed_the_sums_are_exact(rows: list[tuple[str, str, str, str]]) -> None:
    lines = tuple(
        TypedLine(row=str(row), name="x", quantity=quantity, price=price, vat_rate=rate, discount=discount)
        for row, (quantity, price, rate, discount) in enumerate(rows)
    )
    done = corrected(ODD, Typed({}, lines))
    assert len(done.lines) == len(rows)
    for line in done.draft.lines:
        assert line.net == line.net.quantize(Decimal("0.01"))
        assert line.vat == line.vat.quantize(Decimal("0.01"))


# --- against the store --------------------------------------------------------------------------------------------


TEN = an_order(
    lines=(
        a_line(external_id="11", quantity=Decimal(10), net=Decimal("500.00"), taxes=(a_tax(amount="105.00"),)),
        a_line(external_id="12", sku="BK-5", net=Decimal("20.00"), taxes=(a_tax("5", "1.00"),)),
    ),
)


def apart(done: Corrected) -> list[tuple[str, str, str]]:
    return [(one.of, f"{one.store:.2f}", f"{one.lines:.2f}") for one in done.draft.differences]


def test_pieces_traded_for_their_price_are_a_difference_though_every_sum_agrees() -> None:
    done = corrected(TEN, form(TEN, quantity="5", price="100"), may_amounts=False)
    assert done.draft.total == TEN.total
    assert apart(done) == [("quantity 1", "10.00", "5.00")]
    assert done.draft.differences[0].what == "KN-01"


def test_the_store_s_goods_become_no_fee_by_the_hand_of_office() -> None:
    done = corrected(TEN, form(TEN, kind="fee"), may_amounts=False)
    assert done.errors == {"kind-1": "Only an accountant makes goods of the store fee."}
    assert done.draft.lines[0].names_item
    assert not corrected(TEN, form(TEN, kind="service"), may_amounts=False).errors
    by_accountant = corrected(TEN, form(TEN, kind="fee"))
    assert not by_accountant.errors
    assert apart(by_accountant) == []
    (notice,) = kinds_changed([line.draft for line in by_accountant.lines], said(TEN))
    assert (notice.code, notice.stops) == ("kind_changed", False)
    assert describe(notice).wrong == "Line 1 (Notebook) came from the store as goods and is a fee now."


def test_where_no_goods_leave_a_warehouse_kinds_and_quantities_are_anybody_s() -> None:
    amounts_only = replace(said(TEN), is_goods=False)
    typed = form(TEN, kind="fee", quantity="5", price="100")
    done = corrections.correct(standing(TEN), typed, amounts_only, limit=LIMIT, may_amounts=False)
    assert (done.errors, done.draft.differences) == ({}, ())
    assert kinds_changed([line.draft for line in done.lines], amounts_only) == ()


def test_goods_taken_away_for_a_fee_of_the_same_amounts_are_a_difference() -> None:
    typed = form(TEN, origin="", kind="fee")
    assert apart(corrected(TEN, typed, may_amounts=False)) == [("quantity 1", "10.00", "0.00")]


def test_a_line_added_for_nothing_would_take_goods_away() -> None:
    typed = corrections.as_typed(standing(TEN), said(TEN))
    gift = replace(typed.lines[0], row="3", origin="", quantity="7", price="0")
    done = corrected(TEN, replace(typed, lines=(*typed.lines, gift)), may_amounts=False)
    assert apart(done) == [("quantity 3", "0.00", "7.00")]


def test_vat_moved_between_rates_is_a_difference_though_total_and_vat_agree() -> None:
    order = an_order(
        lines=(
            a_line(external_id="11", net=Decimal("100.00"), taxes=(a_tax(amount="21.00"),)),
            a_line(external_id="12", net=Decimal("110.00"), taxes=(a_tax("0", "0.00"),)),
        ),
    )
    typed = corrections.as_typed(standing(order), said(order))
    first = replace(typed.lines[0], origin="", vat_rate="10", price="210", vat="")
    done = corrected(order, replace(typed, lines=(first,)), may_amounts=False)
    assert (done.draft.total, done.draft.vat_total) == (order.total, order.total_tax)
    assert [one for one in apart(done) if not one[0].startswith("quantity")] == [
        ("base 21", "100.00", "0.00"),
        ("vat 21", "21.00", "0.00"),
        ("base 0", "110.00", "0.00"),
        ("base 10", "0.00", "210.00"),
        ("vat 10", "0.00", "21.00"),
    ]


def test_a_rate_that_the_store_does_not_say_is_anybody_s_to_choose() -> None:
    order = an_order(
        lines=(a_line(external_id="11", taxes=(replace(a_tax(), rate=None),)), TEN.lines[1]),
        total=Decimal("33.10"), total_tax=Decimal("3.10"),
    )  # fmt: skip
    assert apart(corrected(order, form(order, vat_rate="21"), may_amounts=False)) == []


def test_a_quantity_that_the_store_does_not_tell_is_anybody_s_to_type() -> None:
    order = an_order(lines=(a_line(quantity=Decimal(0)),))
    assert apart(corrected(order, form(order, quantity="2", price="5"), may_amounts=False)) == []
