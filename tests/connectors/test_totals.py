"""Orders of every platform, as recorded and with their figures bent: each invoice adds up to the letter (D5)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from monet_web.connectors import CONNECTORS
from monet_web.domain.invoices import Draft, DraftLine, draft_invoice
from monet_web.domain.money import convert, minor_unit, round_to
from monet_web.domain.orders import Charge, Order, OrderLine
from monet_web.domain.settings import Settings
from monet_web.services.importing.vat import vat_rows
from tests.connectors.rigs import RIGS

TODAY = date(2026, 11, 24)
PLATFORMS = sorted(RIGS)
NOISE = st.integers(-9, 9).map(lambda units: Decimal(units).scaleb(-3))
ZERO = Decimal(0)


@cache
def recorded(platform: str) -> list[Order]:
    """Every order that a real server of the platform gave, as its reader understands it."""
    rig = RIGS[platform]()
    read = [CONNECTORS[platform].read(entry, rig.context) for entry in rig.recorded()]
    return [order for order in read if isinstance(order, Order)]


def drafted(order: Order, **settings: Any) -> Draft:
    return draft_invoice(order, Settings(**settings), zone=ZoneInfo("Europe/Vilnius"), today=TODAY)


@st.composite
def bent(draw: st.DrawFn, platform: str) -> Order:
    """A recorded order; of some the store's figures disagree by parts of a cent, by cents, or by far."""
    order = draw(st.sampled_from(recorded(platform)))
    off = st.one_of(st.just(ZERO), NOISE, st.sampled_from([Decimal("0.03"), Decimal("-0.05"), Decimal("4.00")]))

    def row(one: OrderLine | Charge) -> Any:
        taxes = tuple(replace(tax, amount=tax.amount + draw(NOISE)) for tax in one.taxes)
        return replace(one, net=one.net + draw(NOISE), taxes=taxes)

    if draw(st.booleans()):
        order = replace(
            order,
            lines=tuple(row(line) for line in order.lines),
            charges=tuple(row(charge) for charge in order.charges),
        )
    totals = tuple(
        replace(one, amount=one.amount + draw(off), base=None if one.base is None else one.base + draw(off))
        for one in order.tax_totals
    )
    return replace(order, total=order.total + draw(off), total_tax=order.total_tax + draw(off), tax_totals=totals)


def rows_of(order: Order) -> list[OrderLine | Charge]:
    return [*order.lines, *order.charges]


def adds_up(order: Order, draft: Draft) -> None:
    bases: dict[Decimal | None, Decimal] = defaultdict(Decimal)
    amounts: dict[Decimal | None, Decimal] = defaultdict(Decimal)
    for line in draft.lines:
        bases[line.vat_rate] += line.net
        amounts[line.vat_rate] += line.vat
    assert [(row.base, row.amount) for row in draft.vat] == [(bases[row.rate], amounts[row.rate]) for row in draft.vat]
    assert len(draft.vat) == len(bases)
    assert draft.net + draft.vat_total + draft.rounding == draft.total
    unit = minor_unit(order.currency)
    assert draft.total == round_to(order.total, unit)
    assert all(amount == round_to(amount, unit) for line in draft.lines for amount in (line.net, line.vat))


def test_every_platform_has_recorded_orders() -> None:
    assert {platform: len(recorded(platform)) > 0 for platform in PLATFORMS} == dict.fromkeys(PLATFORMS, True)


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("discounts", ["in_price", "lines"])
def test_recorded_orders_add_up(platform: str, discounts: str) -> None:
    for order in recorded(platform):
        adds_up(order, drafted(order, discounts=discounts))


@pytest.mark.parametrize("platform", PLATFORMS)
@hypothesis_settings(max_examples=150)
@given(data=st.data(), discounts=st.sampled_from(["in_price", "lines"]))
def test_bent_orders_add_up_too(platform: str, data: st.DataObject, discounts: str) -> None:
    order = data.draw(bent(platform))
    adds_up(order, drafted(order, discounts=discounts))


@pytest.mark.parametrize("platform", PLATFORMS)
@given(data=st.data())
def test_no_rate_of_a_platform_appears_or_vanishes(platform: str, data: st.DataObject) -> None:
    order = data.draw(bent(platform))
    said = {tax.rate for row in rows_of(order) for tax in row.taxes} | {None for row in rows_of(order) if not row.taxes}
    assert {row.rate for row in drafted(order).vat} == said


@pytest.mark.parametrize("platform", PLATFORMS)
@given(data=st.data())
def test_the_stores_figures_stand_or_their_difference_is_named(platform: str, data: st.DataObject) -> None:
    order = data.draw(bent(platform))
    draft = drafted(order)
    unit = minor_unit(order.currency)
    named = {difference.of for difference in draft.differences}
    limit = Settings().limit_of(len(rows_of(order)))
    assert draft.vat_total == round_to(order.total_tax, unit) or "vat" in named
    assert abs(draft.rounding - round_to(order.rounding, unit)) <= limit or "total" in named
    if draft.vat_total == round_to(order.total_tax, unit) and not named:
        wanted: dict[Decimal, Decimal] = defaultdict(Decimal)
        for one in order.tax_totals:
            if one.rate is not None:
                wanted[one.rate] += one.amount
        for rate, amount in wanted.items():
            of_rate = next((row.amount for row in draft.vat if row.rate == rate), ZERO)
            # Where it is not the rate's own figure, the total VAT had the last word, by no more than the limit.
            assert abs(of_rate - round_to(amount, unit)) <= limit


@pytest.mark.parametrize("platform", PLATFORMS)
@given(data=st.data())
def test_what_gives_way_is_the_largest_line_of_its_rate(platform: str, data: st.DataObject) -> None:
    order = data.draw(bent(platform))
    unit = minor_unit(order.currency)
    single = {row.external_id: row for row in rows_of(order) if len(row.taxes) <= 1}
    by_rate: dict[Decimal | None, list[DraftLine]] = defaultdict(list)
    for line in drafted(order).lines:
        by_rate[line.vat_rate].append(line)
    for lines in by_rate.values():
        if any(line.store_line_id not in single for line in lines):
            continue
        rows = [single[line.store_line_id] for line in lines]
        nets = [round_to(row.net, unit) for row in rows]
        vats = [round_to(row.taxes[0].amount, unit) if row.taxes else ZERO for row in rows]
        moved = [
            index
            for index, (line, net, vat) in enumerate(zip(lines, nets, vats, strict=True))
            if (line.net, line.vat) != (net, vat)
        ]
        assert _are_the_largest(moved, nets)


def _are_the_largest(moved: list[int], nets: list[Decimal]) -> bool:
    """A base may move first and make another line the largest: then those moved are the first and the second."""
    sizes = sorted(map(abs, nets), reverse=True)
    return len(moved) <= 2 and sorted((abs(nets[index]) for index in moved), reverse=True) == sizes[: len(moved)]


@pytest.mark.parametrize("platform", PLATFORMS)
@given(data=st.data(), units_per_euro=st.sampled_from(["1", "1.1527", "0.8533", "162.35", "11.4235"]))
def test_rows_by_code_come_to_the_draft_and_euro_to_the_total(
    platform: str, data: st.DataObject, units_per_euro: str
) -> None:
    order = data.draw(bent(platform))
    draft = drafted(order)
    codes = data.draw(
        st.lists(st.sampled_from(["PVM1", "PVM58", ""]), min_size=len(draft.lines), max_size=len(draft.lines))
    )
    rate = Decimal(units_per_euro)
    rows = vat_rows(draft, codes, 1, rate)
    assert len({(row["rate"], row["code"]) for row in rows}) == len(rows)
    for of_rate in draft.vat:
        mine = [row for row in rows if row["rate"] == of_rate.rate]
        assert sum(row["base"] for row in mine) == of_rate.base
        assert sum(row["amount"] for row in mine) == of_rate.amount
    assert all(row["amount_eur"] == convert(row["amount"], rate) for row in rows)
