"""Exact money: shares add up to the cent, currencies have their own smallest amount, halves go away from zero."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from monet_web.domain.money import allocate, convert, minor_unit, round_cents, round_to

CENTS = st.integers(-(10**12), 10**12).map(lambda cents: Decimal(cents).scaleb(-2))
WEIGHTS = st.lists(st.decimals(-(10**9), 10**9, places=4), min_size=1, max_size=12)


def decimals(*texts: str) -> list[Decimal]:
    return [Decimal(text) for text in texts]


@pytest.mark.parametrize(
    ("amount", "weights", "shares"),
    [
        ("10.00", ["1", "1", "1"], ["3.34", "3.33", "3.33"]),
        ("0.01", ["1", "1"], ["0.01", "0.00"]),
        ("-10.00", ["1", "1", "1"], ["-3.34", "-3.33", "-3.33"]),
        ("1.00", ["1", "2"], ["0.33", "0.67"]),
        ("-3.00", ["-0.008889", "-0.021429"], ["-0.88", "-2.12"]),
        ("5.00", ["0", "0"], ["5.00", "0"]),
        ("5.00", ["0", "3"], ["0.00", "5.00"]),
        ("0.00", ["1", "2"], ["0.00", "0.00"]),
    ],
)
def test_an_amount_is_shared_out_in_proportion(amount: str, weights: list[str], shares: list[str]) -> None:
    assert allocate(Decimal(amount), decimals(*weights)) == decimals(*shares)


def test_whole_yen_are_shared_out_in_whole_yen() -> None:
    assert allocate(Decimal(1000), decimals("1", "1", "1"), Decimal(1)) == decimals("334", "333", "333")


@given(CENTS, WEIGHTS)
@example(Decimal("0.01"), [Decimal(0)])
@example(Decimal("-99999999.99"), [Decimal("0.0001"), Decimal(10**9)])
def test_shares_add_up_exactly_and_none_is_a_cent_from_its_part(amount: Decimal, weights: list[Decimal]) -> None:
    shares = allocate(amount, weights)
    assert sum(shares) == amount
    assert len(shares) == len(weights)
    whole = sum(abs(weight) for weight in weights)
    for share, weight in zip(shares, weights, strict=True):
        assert share == round_cents(share)
        if whole:
            assert abs(share - amount * abs(weight) / whole) < Decimal("0.010001")


@given(CENTS, st.permutations(decimals("1", "2", "5")))
def test_a_greater_weight_never_gets_less(amount: Decimal, weights: list[Decimal]) -> None:
    shares = allocate(abs(amount), weights)
    assert [share for _, share in sorted(zip(weights, shares, strict=True))] == sorted(shares)


def test_nothing_can_be_shared_out_to_nobody() -> None:
    with pytest.raises(ValueError, match="nothing to share out to"):
        allocate(Decimal("1.00"), [])


def test_a_part_of_a_cent_can_not_be_shared_out() -> None:
    with pytest.raises(ValueError, match=r"1\.005 is no multiple of 0\.01"):
        allocate(Decimal("1.005"), [Decimal(1)])


@pytest.mark.parametrize(
    ("currency", "unit"),
    [
        ("EUR", "0.01"), ("USD", "0.01"), ("HUF", "0.01"), ("JPY", "1"), ("KRW", "1"), ("ISK", "1"), ("KWD", "0.001"),
        ("DJF", "1"), ("???", "0.01"),
    ],
)  # fmt: skip
def test_each_currency_has_its_smallest_amount(currency: str, unit: str) -> None:
    assert minor_unit(currency) == Decimal(unit)


@pytest.mark.parametrize(
    ("amount", "rounded"),
    [
        ("0.005", "0.01"), ("-0.005", "-0.01"), ("0.0049999", "0.00"), ("2.675", "2.68"), ("1.115", "1.12"),
        ("123456789012345678901234.565", "123456789012345678901234.57"),
    ],
)  # fmt: skip
def test_halves_go_away_from_zero(amount: str, rounded: str) -> None:
    assert str(round_cents(Decimal(amount))) == rounded


def test_there_is_no_negative_zero() -> None:
    assert str(round_cents(Decimal("-0.004"))) == "0.00"


def test_rounding_keeps_the_places_of_the_unit() -> None:
    assert str(round_to(Decimal("1.25"), Decimal(1))) == "1"
    assert str(round_to(Decimal("1.5"), Decimal("0.001"))) == "1.500"


@pytest.mark.parametrize(
    ("amount", "rate", "euros"),
    [
        ("100.00", "1", "100.00"), ("115.27", "1.1527", "100.00"), ("1.00", "1.1527", "0.87"), ("-1.00", "3", "-0.33"),
        ("10000", "163.91", "61.01"), ("0.00", "1.1527", "0.00"),
    ],
)  # fmt: skip
def test_an_amount_in_euros_is_divided_by_the_rate(amount: str, rate: str, euros: str) -> None:
    assert convert(Decimal(amount), Decimal(rate)) == Decimal(euros)


@given(CENTS, st.decimals("0.0001", 100000, places=4))
def test_a_converted_amount_is_at_most_half_a_cent_off(amount: Decimal, rate: Decimal) -> None:
    assert abs(convert(amount, rate) * rate - amount) <= Decimal("0.005") * rate
    assert convert(-amount, rate) == -convert(amount, rate)
