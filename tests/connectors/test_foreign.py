"""Foreign JSON: what is taken, what is refused and how it is said."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monet_web.connectors.foreign import (
    Misfit,
    amount,
    by_id,
    identity,
    local_moment,
    part,
    plain,
    rows,
    share,
    snap,
    text,
    utc_moment,
    zone_of,
)

D = Decimal
VILNIUS = ZoneInfo("Europe/Vilnius")


@pytest.mark.parametrize(
    ("value", "expected"),
    [("12.345600", D("12.3456")), (7, D(7)), (D("0.1"), D("0.1")), ("-0.00", D(0)), (" 5 ", D(5)), ("1e3", D(1000))],
)
def test_an_amount_is_exactly_what_is_written(value: Any, expected: Decimal) -> None:
    assert amount({"total": value}, "total") == expected


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "total is missing."),
        ("", "total is missing."),
        ("12,50", "total should be a number and is '12,50'."),
        (0.1, "total should be a number and is 'float'."),
        (True, "total should be a number and is 'True'."),
        ("NaN", "total should be a number and is 'NaN'."),
        ("1e999999", "total has more digits than an amount can have: '1e999999'."),
        ("0.0000000000000001", "total has more digits than an amount can have: '0.0000000000000001'."),
        ([1], "total should be a number and is 'list'."),
        ("a\n" * 100, f"total should be a number and is '{'a ' * 30}…'."),
    ],
)
def test_what_is_no_amount_is_named_with_its_field(value: Any, reason: str) -> None:
    with pytest.raises(Misfit) as raised:
        amount({"total": value}, "total")
    assert str(raised.value) == reason


def test_absent_things_are_empty() -> None:
    assert (text({}, "name"), text({"name": None}, "name"), text({"name": 7}, "name")) == ("", "", "7")
    assert rows({"lines": ""}, "lines") == rows({}, "lines") == []
    assert part({"method": []}, "method") == {}
    assert by_id({"taxes": [{"id": 7}, {"id": "8"}]}, "taxes").keys() == {"7", "8"}


@pytest.mark.parametrize("value", [None, "", 0, "0"])
def test_what_has_no_id_cannot_be_remembered(value: Any) -> None:
    with pytest.raises(Misfit, match=r"^id is missing\.$"):
        identity({"id": value}, "id")


def test_local_dates_become_utc_over_both_clock_changes() -> None:
    def utc(written: str) -> datetime | None:
        return local_moment({"date": written}, "date", VILNIUS)

    assert utc("2026-07-01 12:00:00") == datetime(2026, 7, 1, 9, tzinfo=UTC)
    assert utc("2026-12-01 12:00:00") == datetime(2026, 12, 1, 10, tzinfo=UTC)
    assert utc("2026-10-25 03:30:00") == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)  # doubled: its first pass
    assert utc("2026-03-29 03:30:00") == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)  # skipped: an hour on
    assert utc("0000-00-00 00:00:00") is None


@pytest.mark.parametrize("written", ["2026-02-30 10:00:00", "2026-10-25", "10:00", "0001-01-01 00:00:00"])
def test_what_is_no_date_is_refused(written: str) -> None:
    with pytest.raises(Misfit, match=r"^date should be a date"):
        local_moment({"date": written}, "date", VILNIUS)


def test_a_moment_needs_its_offset() -> None:
    assert utc_moment({"at": "2026-11-11T07:30:00Z"}, "at") == datetime(2026, 11, 11, 7, 30, tzinfo=UTC)
    with pytest.raises(Misfit, match="should have a time zone"):
        utc_moment({"at": "2026-11-11T07:30:00"}, "at")


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "../../etc/passwd", "/etc/passwd", "Europe", "a\0b", "ą" * 300])
def test_an_unknown_zone_is_refused(name: str) -> None:
    with pytest.raises(Misfit, match=r"^PS_TIMEZONE should be a time zone"):
        zone_of(name, "PS_TIMEZONE")


def test_rates_lose_needless_zeros_only() -> None:
    assert [str(plain(D(rate))) for rate in ("21.000", "20.000", "9.50", "0.000", "100")] == [
        "21",
        "20",
        "9.5",
        "0",
        "100",
    ]


def test_a_computed_rate_is_snapped_to_a_known_one_nearby() -> None:
    known = [D(0), D(5), D(9), D(21)]
    assert snap(D("21.02"), known, D("0.05")) == 21
    assert snap(D("20.9"), known, D("0.05")) is None
    assert snap(D(1), [], D(1)) is None


amounts = st.decimals(min_value=-100000, max_value=100000, places=6)


@given(whole=amounts, weights=st.lists(amounts, min_size=1, max_size=9))
def test_shares_come_to_the_whole_exactly(whole: Decimal, weights: list[Decimal]) -> None:
    shares = share(whole, weights)
    assert sum(shares) == whole
    assert len(shares) == len(weights)
