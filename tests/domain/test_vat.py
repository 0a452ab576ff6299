"""The dated VAT rates: literal rates on literal days."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from importlib import resources

import pytest

from monet_web.domain.vat import EU, Rates, VatRate, builtin_rates, vat_country

RATES = Rates(builtin_rates())


@pytest.mark.parametrize(
    ("country", "day", "expected"),
    [
        ("LT", "2025-12-31", "21 9 5 0"),
        ("LT", "2026-01-01", "21 12 5 0"),
        ("LV", "2026-11-24", "21 12 5 0"),
        ("EE", "2023-12-31", "20 9 5 0"),
        ("EE", "2024-01-01", "22 9 5 0"),
        ("EE", "2025-01-01", "22 13 9 0"),
        ("EE", "2025-07-01", "24 13 9 0"),
        ("FI", "2024-08-31", "24 14 10 0"),
        ("FI", "2024-09-01", "25.5 14 10 0"),
        ("FI", "2026-01-01", "25.5 13.5 10 0"),
        ("SK", "2024-12-31", "20 10 0"),
        ("SK", "2025-01-01", "23 19 5 0"),
        ("RO", "2025-07-31", "19 9 5 0"),
        ("RO", "2025-08-01", "21 11 0"),
        ("CZ", "2023-12-31", "21 15 10 0"),
        ("CZ", "2024-01-01", "21 12 0"),
        ("LU", "2023-12-31", "16 13 7 3 0"),
        ("LU", "2024-01-01", "17 14 8 3 0"),
        ("PL", "2026-11-24", "23 8 5 0"),
        ("DE", "2026-11-24", "19 7 0"),
        ("DK", "2026-11-24", "25 0"),
        ("BG", "2026-11-24", "20 9 0"),
        ("GR", "2025-12-31", "24 17 13 9 6 4 0"),
        ("GR", "2026-01-01", "24 17 13 9 6 4 3 0"),
        ("AT", "2026-06-30", "20 19 13 10 0"),
        ("AT", "2026-07-01", "20 19 13 10 4.9 0"),
        ("ES", "2024-10-15", "21 10 7.5 4 2 0"),
        ("PT", "2024-10-01", "23 22 16 13 12 9 6 4 0"),
    ],
)
def test_a_country_has_these_rates_on_that_day(country: str, day: str, expected: str) -> None:
    assert RATES.of(country, date.fromisoformat(day)) == tuple(Decimal(rate) for rate in expected.split())


def test_nine_per_cent_in_lithuania_ends_with_2025() -> None:
    assert RATES.valid("LT", Decimal("9.00"), date(2025, 12, 31))
    assert not RATES.valid("LT", Decimal(9), date(2026, 1, 1))
    assert RATES.valid("LT", Decimal(12), date(2026, 1, 1))


def test_zero_is_valid_everywhere_and_always() -> None:
    assert RATES.valid("LT", Decimal(0), date(2001, 1, 1))
    assert RATES.valid("US", Decimal("0.00"), date(2026, 11, 24))
    assert not RATES.valid("US", Decimal(21), date(2026, 11, 24))
    assert RATES.of("US", date(2026, 11, 24)) == ()


def test_greece_and_northern_ireland_have_prefixes_of_their_own() -> None:
    assert vat_country(" el ") == "GR"
    assert vat_country("XI") == "GB"
    assert RATES.valid("EL", Decimal(24), date(2026, 1, 1))
    assert not RATES.knows("XI")
    assert "GB" not in EU
    assert len(EU) == 27


def test_a_rate_added_by_hand_is_known_from_its_first_to_its_last_day() -> None:
    rates = Rates([*builtin_rates(), VatRate("GB", Decimal(20), date(2026, 1, 1), date(2026, 1, 31))])
    assert rates.knows("UK")
    assert rates.of("XI", date(2026, 1, 31)) == (Decimal(20), Decimal(0))
    assert not rates.valid("GB", Decimal(20), date(2026, 2, 1))


def test_every_state_has_a_standard_rate_on_every_day_since_2021() -> None:
    assert {rate.country for rate in builtin_rates()} == EU
    for country in EU:
        day = date(2021, 1, 1)
        while day <= date(2026, 12, 31):
            assert RATES.of(country, day)[0] >= Decimal(16), (country, day)
            day += timedelta(days=1)


def test_no_rate_of_a_country_is_told_twice_of_one_day() -> None:
    rates = builtin_rates()
    for index, one in enumerate(rates):
        assert one.valid_to is None or one.valid_from <= one.valid_to
        for other in rates[index + 1 :]:
            if (one.country, one.percent) == (other.country, other.percent):
                overlaps = one.holds_on(other.valid_from) or other.holds_on(one.valid_from)
                assert not overlaps, (one, other)


def test_every_row_of_the_table_names_its_source() -> None:
    lines = (resources.files("monet_web.domain") / "vat_rates.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "country,percent,valid_from,valid_to,source"
    assert all(len(line.split(",", 4)[4]) > 5 for line in lines[1:])
